package query

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"testing"

	"dwell/model"
	"dwell/model/measure"
)

// TestPopulationCacheRoundTrip stores a population and reads it back: every
// column value, state and id must be the same, and damage must be seen.
func TestPopulationCacheRoundTrip(t *testing.T) {
	mem := model.NewMemory()
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	b := &model.Batch{Props: []model.BatchCol{{Key: "plan"}}}
	for i := range 500 {
		b.Line = append(b.Line, int64(i))
		b.User = append(b.User, fmt.Appendf(nil, "user %d", i%83))
		b.Time = append(b.Time, int64(18_000+i*i%400)*86_400_000)
		b.Event = append(b.Event, []byte("open"))
		b.Props[0].Values = append(b.Props[0].Values, fmt.Appendf(nil, "p%d", i%5))
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: 500}, []model.SourceInfo{{Path: "x", Digest: "x"}}); err != nil {
		t.Fatal(err)
	}
	e, err := New(mem, mem, nil, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, done, err := e.today(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	refs := append([]measure.Ref{measure.Of("contract_open"), measure.Of("gap_median_days"), measure.Of("orders"), measure.Of("stage")}, measure.Property("plan"))
	p, cols, err := readColumns(r, nil, refs)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cols {
		p.cols[refs[i].String()] = c
	}
	body := p.encode(refs)
	q, err := decodePopulation(r, refs, body)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.ids, q.ids) || !reflect.DeepEqual(p.states, q.states) || !reflect.DeepEqual(p.marks, q.marks) || !reflect.DeepEqual(p.buckets, q.buckets) {
		t.Error("ids, states, marks or buckets changed on the way")
	}
	for row := range p.Len() {
		if q.Row(p.ID(row)) != row {
			t.Fatalf("row %d, %s, is found in row %d", row, p.ID(row), q.Row(p.ID(row)))
		}
		for _, ref := range refs {
			a, ka := p.cols[ref.String()].At(row)
			b, kb := q.cols[ref.String()].At(row)
			if a != b || ka != kb {
				t.Fatalf("%s of row %d: %v %v became %v %v", ref, row, a, ka, b, kb)
			}
		}
	}
	for _, ref := range refs {
		w := popWriter{}
		w.column(ref, p.cols[ref.String()])
		c, d := r.emptyColumn(ref), popReader{in: w.out}
		if !d.column(ref, c, p.Len()) || len(d.in) > 0 {
			t.Fatalf("%s alone cannot be read", ref)
		}
		for row := range p.Len() {
			a, ka := p.cols[ref.String()].At(row)
			if b, kb := c.At(row); a != b || ka != kb || c.Type == measure.Text && c.Text(row) != p.cols[ref.String()].Text(row) {
				t.Fatalf("%s alone, row %d: %v %v became %v %v", ref, row, a, ka, b, kb)
			}
		}
		if d := (popReader{in: w.out[:len(w.out)-1]}); d.column(ref, r.emptyColumn(ref), p.Len()) && len(w.out) > 1 && !d.bad {
			t.Errorf("%s was read though cut", ref)
		}
	}
	for cut := 0; cut < len(body); cut += 1 + len(body)/200 {
		if _, err := decodePopulation(r, refs, body[:cut]); err == nil {
			t.Fatalf("a population cut to %d of %d bytes was read", cut, len(body))
		}
	}
}
