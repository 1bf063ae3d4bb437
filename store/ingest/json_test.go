package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"unicode/utf8"
)

// flattenSlow is the obvious version over encoding/json.
func flattenSlow(v any, path string, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if path != "" {
				k = path + "." + k
			}
			flattenSlow(x, k, out)
		}
	case string:
		out[path] = "s" + v
	case json.Number:
		out[path] = "n" + v.String()
	case bool:
		out[path] = fmt.Sprint("b", v)
	case nil:
		out[path] = "0null"
	case []any:
		out[path] = "a"
	}
}

func flattenFast(in []byte) (map[string]string, bool) {
	out := map[string]string{}
	var arena []byte
	j := jsonReader{arena: &arena}
	j.emit = func(path, value []byte, kind valueKind) {
		switch kind {
		case kindText:
			out[string(path)] = "s" + string(value)
		case kindNumber:
			out[string(path)] = "n" + string(value)
		case kindBool:
			out[string(path)] = "b" + string(value)
		case kindNull:
			out[string(path)] = "0null"
		case kindCompound:
			out[string(path)] = "a"
		}
	}
	return out, j.object(in)
}

// FuzzJSON holds the reader against encoding/json: both accept the same objects
// and find the same values under the same dotted names.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":{"c":"x","d":[1,{"e":2}]},"f":null,"g":true}`, `{"a":"\u00e9\ud83d\ude00\ud800x\n"}`, `{"a":-0.5e+3}`, `{"a":01}`, `{}`, `{"a":{}}`, `{"a":[}`, `{"":{"":1}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, ok := flattenFast(in)
		dec := json.NewDecoder(bytes.NewReader(in))
		dec.UseNumber()
		var v map[string]any
		valid := json.Valid(in) && len(trim(in)) > 0 && trim(in)[0] == '{'
		if valid && !ok && depthOf(in) <= maxDepth {
			t.Fatalf("%q is an object and was refused", in)
		}
		if ok && !valid {
			t.Fatalf("%q was taken for an object", in)
		}
		if !ok || !utf8.Valid(in) || dec.Decode(&v) != nil {
			return
		}
		want := map[string]string{}
		flattenSlow(v, "", want)
		if hasTwice(in) {
			return // the same name twice, once as an object: last values need not agree
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%q\n got %q\nwant %q", in, got, want)
		}
	})
}

func depthOf(in []byte) int {
	d, most := 0, 0
	for _, b := range in {
		if b == '{' || b == '[' {
			d++
		} else if b == '}' || b == ']' {
			d--
		}
		most = max(most, d)
	}
	return most
}

// hasTwice says whether some path, or a part of one, comes twice.
func hasTwice(in []byte) bool {
	seen := map[string]bool{}
	twice := false
	var arena []byte
	j := jsonReader{arena: &arena}
	j.emit = func(path, _ []byte, _ valueKind) {
		twice = twice || seen[string(path)] || bytes.IndexByte(path, '.') >= 0 || len(path) == 0
		seen[string(path)] = true
	}
	j.object(in)
	return twice
}

func TestFlatten(t *testing.T) {
	got, ok := flattenFast([]byte(` {"user":{"id":7,"tags":["a","b"]},"ok":true,"no":null,"s":"a\tb\u20ac\ud83d\ude00","e":{},"n":-1.5e3} `))
	want := map[string]string{"user.id": "n7", "user.tags": "a", "ok": "btrue", "no": "0null", "s": "sa\tb€😀", "n": "n-1.5e3"}
	if !ok || !maps.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, ok, want)
	}
}
