package ingest

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A valueKind is what a property's value looked like in the file.
type valueKind uint8

const (
	kindAbsent valueKind = iota
	kindText
	kindNumber
	kindBool
	kindTime
	kindNull
	kindCompound
	kinds
)

// maxDepth bounds the nesting of a JSON row.
const maxDepth = 64

// A jsonReader flattens one JSON object after another: {"a":{"b":1}} gives a.b.
// Numbers and arrays are handed on as they stand in the text, strings without
// their escapes. It accepts what encoding/json accepts (fuzzed against it).
type jsonReader struct {
	in    []byte
	p     int
	path  []byte  // of the value being read
	arena *[]byte // for strings with escapes
	emit  func(path, value []byte, kind valueKind)
}

// object reads in as exactly one object, blanks around it allowed.
func (j *jsonReader) object(in []byte) bool {
	j.in, j.p, j.path = in, 0, j.path[:0]
	j.space()
	if j.p >= len(in) || in[j.p] != '{' || !j.members(1) {
		return false
	}
	j.space()
	return j.p == len(in)
}

func (j *jsonReader) space() {
	for j.p < len(j.in) {
		switch j.in[j.p] {
		case ' ', '\t', '\n', '\r':
			j.p++
		default:
			return
		}
	}
}

func (j *jsonReader) next() byte {
	j.space()
	if j.p < len(j.in) {
		return j.in[j.p]
	}
	return 0
}

// members reads {"key": value, …} and emits the values.
func (j *jsonReader) members(depth int) bool {
	if depth > maxDepth {
		return false
	}
	j.p++
	if j.next() == '}' {
		j.p++
		return true
	}
	base := len(j.path)
	for {
		if j.next() != '"' {
			return false
		}
		key, ok := j.str()
		if !ok || j.next() != ':' {
			return false
		}
		j.p++
		if base > 0 {
			j.path = append(j.path, '.')
		}
		j.path = append(j.path, key...)
		if !j.value(depth) {
			return false
		}
		j.path = j.path[:base]
		switch j.next() {
		case ',':
			j.p++
		case '}':
			j.p++
			return true
		default:
			return false
		}
	}
}

func (j *jsonReader) value(depth int) bool {
	switch c := j.next(); c {
	case '{':
		return j.members(depth + 1)
	case '[':
		start := j.p
		if !j.skipArray(depth + 1) {
			return false
		}
		j.emit(j.path, j.in[start:j.p:j.p], kindCompound)
		return true
	case '"':
		s, ok := j.str()
		if ok {
			j.emit(j.path, s, kindText)
		}
		return ok
	case 't':
		return j.word("true", kindBool)
	case 'f':
		return j.word("false", kindBool)
	case 'n':
		return j.word("null", kindNull)
	}
	start := j.p
	if !j.number() {
		return false
	}
	j.emit(j.path, j.in[start:j.p:j.p], kindNumber)
	return true
}

func (j *jsonReader) word(w string, kind valueKind) bool {
	if len(j.in)-j.p < len(w) || string(j.in[j.p:j.p+len(w)]) != w {
		return false
	}
	j.emit(j.path, j.in[j.p:j.p+len(w):j.p+len(w)], kind)
	j.p += len(w)
	return true
}

// skipArray checks an array without emitting its values.
func (j *jsonReader) skipArray(depth int) bool {
	saved := j.emit
	j.emit = func([]byte, []byte, valueKind) {}
	defer func() { j.emit = saved }()
	if depth > maxDepth {
		return false
	}
	j.p++
	if j.next() == ']' {
		j.p++
		return true
	}
	for {
		if !j.value(depth) {
			return false
		}
		switch j.next() {
		case ',':
			j.p++
		case ']':
			j.p++
			return true
		default:
			return false
		}
	}
}

// number checks the grammar of RFC 8259, 6.
func (j *jsonReader) number() bool {
	in, p := j.in, j.p
	run := func() bool {
		start := p
		for p < len(in) && in[p] >= '0' && in[p] <= '9' {
			p++
		}
		return p > start
	}
	if p < len(in) && in[p] == '-' {
		p++
	}
	if p < len(in) && in[p] == '0' {
		p++
	} else if !run() {
		return false
	}
	if p < len(in) && in[p] == '.' {
		p++
		if !run() {
			return false
		}
	}
	if p < len(in) && (in[p] == 'e' || in[p] == 'E') {
		p++
		if p < len(in) && (in[p] == '+' || in[p] == '-') {
			p++
		}
		if !run() {
			return false
		}
	}
	j.p = p
	return true
}

// str reads a string; without escapes it is a part of the text.
func (j *jsonReader) str() ([]byte, bool) {
	j.p++
	start := j.p
	for j.p < len(j.in) {
		switch c := j.in[j.p]; {
		case c == '"':
			s := j.in[start:j.p:j.p]
			j.p++
			return s, true
		case c == '\\':
			return j.escaped(start)
		case c < 0x20:
			return nil, false
		}
		j.p++
	}
	return nil, false
}

// escaped reads on where a string has its first escape.
func (j *jsonReader) escaped(start int) ([]byte, bool) {
	a, from := append(*j.arena, j.in[start:j.p]...), len(*j.arena)
	for j.p < len(j.in) {
		c := j.in[j.p]
		switch {
		case c == '"':
			j.p++
			*j.arena = a
			return a[from:len(a):len(a)], true
		case c < 0x20:
			return nil, false
		case c != '\\':
			a = append(a, c)
			j.p++
			continue
		}
		if j.p+1 >= len(j.in) {
			return nil, false
		}
		c = j.in[j.p+1]
		j.p += 2
		switch c {
		case '"', '\\', '/':
			a = append(a, c)
		case 'b':
			a = append(a, '\b')
		case 'f':
			a = append(a, '\f')
		case 'n':
			a = append(a, '\n')
		case 'r':
			a = append(a, '\r')
		case 't':
			a = append(a, '\t')
		case 'u':
			r, ok := j.hex()
			if !ok {
				return nil, false
			}
			if utf16.IsSurrogate(r) {
				r = j.surrogate(r)
			}
			a = utf8.AppendRune(a, r)
		default:
			return nil, false
		}
	}
	return nil, false
}

// surrogate joins r with a following second half; a lone half is U+FFFD.
func (j *jsonReader) surrogate(r rune) rune {
	if j.p+1 < len(j.in) && j.in[j.p] == '\\' && j.in[j.p+1] == 'u' {
		back := j.p
		j.p += 2
		if low, ok := j.hex(); ok {
			if joined := utf16.DecodeRune(r, low); joined != utf8.RuneError {
				return joined
			}
		}
		j.p = back
	}
	return utf8.RuneError
}

func (j *jsonReader) hex() (rune, bool) {
	if len(j.in)-j.p < 4 {
		return 0, false
	}
	for _, c := range j.in[j.p : j.p+4] {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return 0, false
		}
	}
	v, err := strconv.ParseUint(string(j.in[j.p:j.p+4]), 16, 32)
	j.p += 4
	return rune(v), err == nil
}
