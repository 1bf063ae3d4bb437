package stage

import (
	"testing"

	"dwell/model"
	"dwell/model/measure"
	"dwell/sample/reference"
)

type loader func(testing.TB) (*model.Memory, *model.Dictionary)

func open(t testing.TB, load loader) (model.Snapshot, *measure.Schema) {
	t.Helper()
	mem, dict := load(t)
	snap, err := mem.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	schema, err := measure.NewSchema(snap.Info(), dict)
	if err != nil {
		t.Fatal(err)
	}
	return snap, schema
}

func suggest(t testing.TB, snap model.Snapshot, schema *measure.Schema, asOf model.Day) *Suggestion {
	t.Helper()
	total := NewSuggester(schema, asOf)
	for _, split := range snap.Splits(3) {
		s := NewSuggester(schema, asOf)
		if err := snap.Scan(t.Context(), split, s.Filter(), func(tl *model.Timeline) error { s.Add(tl); return nil }); err != nil {
			t.Fatal(err)
		}
		total.Merge(s)
	}
	return total.Suggest()
}

// The figures of SPEC 2: usage interval and suggested G of three data sets.
func TestSuggestion(t *testing.T) {
	for _, c := range []struct {
		name  string
		load  loader
		usage float64
		gap   int
	}{
		{"cdnow", reference.CDNOW, 56, 162},
		{"online retail", reference.OnlineRetail, 45, 111},
		{"ecom", reference.Ecom, 12.5, 43},
	} {
		snap, schema := open(t, c.load)
		asOf := schema.Cal.Day(snap.Info().Last)
		s := suggest(t, snap, schema, asOf)
		t.Logf("%s: %+v", c.name, *s)
		if s.Usage != c.usage || s.Gap != c.gap {
			t.Errorf("%s: usage %g, G %d; want %g, %d", c.name, s.Usage, s.Gap, c.usage, c.gap)
		}
		if !s.Banded || s.Band.Lo > float64(s.Gap) || s.Band.Hi < float64(s.Gap) {
			t.Errorf("%s: band %v does not hold G %d", c.name, s.Band, s.Gap)
		}
	}
}
