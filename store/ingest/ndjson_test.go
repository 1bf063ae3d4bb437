package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dwell/model"
)

// Nested properties get dotted names, arrays stay JSON, nulls are absent, and a
// key that only late rows have becomes a property too.
func TestNDJSON(t *testing.T) {
	in := `{"event":"Order Completed","properties":{"distinct_id":"u1","time":1577836800,"revenue":12.5,"tags":["a","b"],"none":null}}
{"event":"Open","properties":{"distinct_id":"u2","time":1577836801,"late":{"x":true}}}
not json
{"event":"Open","properties":{"distinct_id":null,"time":1577836801}}
["array"]
`
	rec, info, m := loadFile(t, write(t, "e.ndjson", in), Options{})
	if rec.Mapping.User != "properties.distinct_id" || rec.Mapping.TimeFormat != "unix" || rec.Mapping.Amount != "properties.revenue" {
		t.Errorf("mapping %+v", rec.Mapping)
	}
	q := info.Quality
	if q.Read != 5 || q.Stored != 2 || len(q.Rejected) != 2 || q.Rejected[0].Reason != "not a JSON object" || q.Rejected[0].Lines[1].Line != 5 {
		t.Errorf("quality %+v", q)
	}
	s, _ := m.Snapshot(context.Background())
	tl, err := s.User(context.Background(), "u2", model.Filter{Until: model.NoCut, Columns: []string{"properties.late.x"}})
	if err != nil || tl.Props[0].At(s.Info().Key("properties.late.x"), 0) != "true" {
		t.Errorf("late key: %v %+v", err, tl)
	}
	tl, _ = s.User(context.Background(), "u1", model.Filter{Until: model.NoCut, Columns: []string{"properties.tags"}, Amounts: true})
	if tl.Props[0].At(s.Info().Key("properties.tags"), 0) != `["a","b"]` || tl.Amount[0].String() != "12.5" {
		t.Errorf("u1: %+v", tl)
	}
}

// A row may bring as many new keys as it likes: beyond the limit it is one reject.
func TestManyKeys(t *testing.T) {
	var b strings.Builder
	for i := range MaxNewKeys + 10 {
		fmt.Fprintf(&b, `{"user_id":"u","time":"2020-01-01","event":"e","k%d":1}`+"\n", i)
	}
	_, info, _ := loadFile(t, write(t, "e.ndjson", b.String()), Options{})
	if q := info.Quality; q.Stored != MaxNewKeys || q.RejectedTotal() != 10 {
		t.Errorf("stored %d, rejected %d", q.Stored, q.RejectedTotal())
	}
}

// "user": null beside user.id is an object that is not there, not a property; a
// column that is null everywhere stays one, and so does an object that is now and
// then a text.
func TestNullObject(t *testing.T) {
	in := `{"user":{"id":"u1"},"ts":"2024-01-01","event":"a","ctx":{"a":{"b":1}},"odd":{"x":1},"none":null}
{"user":null,"ts":"2024-01-02","event":"b","ctx":null}
{"user":{"id":"u2"},"ts":"2024-01-02","event":"c","ctx":{"a":null},"odd":"text","none":null}
{"event":"d","ts":"2024-01-03","user":{"id":"u2"},"ctx":null,"odd":null}
`
	rec, info, _ := loadFile(t, write(t, "e.ndjson", in), Options{})
	if got := strings.Join(rec.Mapping.Props, " "); got != "ctx.a.b odd.x none odd" {
		t.Errorf("properties %q", got)
	}
	var types []string
	for _, k := range info.Quality.Types {
		types = append(types, fmt.Sprintf("%s %d %d %d", k.Key, k.Text, k.Number, k.Null))
	}
	if got := strings.Join(types, ", "); got != "ctx.a.b 0 1 0, none 0 0 2, odd 1 0 1, odd.x 0 1 0" {
		t.Errorf("types %s", got)
	}
	if q := info.Quality; q.Stored != 3 || q.Rejected[0].Reason != "no user id" || q.Rejected[0].Lines[0].Line != 2 {
		t.Errorf("quality %+v", q)
	}
}

// Rows that each have a few of very many properties cost what they hold: neither the
// sample nor a batch is as large as rows times properties, and no row is refused for
// what the others of its block have.
func TestFewOfManyKeys(t *testing.T) {
	var b strings.Builder
	const rows, keys = 4000, 3000
	want := make([]string, rows)
	for i := range rows {
		at := 1577836800 + i
		k, l := fmt.Sprintf("k%04d", i%keys), fmt.Sprintf("k%04d", (i*7+1)%keys)
		want[i] = fmt.Sprintf("0:%d u %d e", i+1, at*1000)
		for _, key := range slices.Sorted(slices.Values([]string{k, l})) {
			want[i] += fmt.Sprintf(" %s=%d", key, i)
		}
		fmt.Fprintf(&b, `{"user_id":"u","time":%d,"event":"e",%q:%d,%q:"%d","none":null}`+"\n", at, k, i, l, i)
	}
	r := record(t, Options{}, File(write(t, "e.ndjson", b.String())))
	got, cells := r.rows(t), 0
	for _, batch := range r.batches {
		for _, p := range batch.Props {
			cells += len(p.Values)
		}
	}
	for i := range got {
		head, props, _ := strings.Cut(got[i], " e ")
		got[i] = head + " e " + strings.Join(slices.Sorted(slices.Values(strings.Fields(props))), " ")
	}
	if !slices.Equal(got, want) {
		t.Errorf("the rows differ: %q … are not %q …", got[:min(3, len(got))], want[:3])
	}
	if cells != 2*rows {
		t.Errorf("%d values take %d cells", 2*rows, cells)
	}
}
