package stage

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/sample/reference"
)

// A chance of return from its definition, silence by silence.
func TestSilenceIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewSilences()
		type gap struct {
			days  int
			ended bool
		}
		var gaps []gap
		for i := range rapid.IntRange(1, 40).Draw(t, "n") {
			g := gap{rapid.IntRange(0, 60).Draw(t, "days"), rapid.Bool().Draw(t, "ended")}
			gaps = append(gaps, g)
			s.Add(fmt.Sprint("u", i/3), g.days, g.ended)
		}
		within := rapid.IntRange(1, 20).Draw(t, "within")
		at := []int{0, 5, 10, 30}
		e := s.Estimate(60, within, at)
		for i, d := range at {
			p, longest := 1.0, -1
			for day := d + 1; day <= d+within; day++ {
				n, back := 0, 0
				for _, g := range gaps {
					longest = max(longest, g.days)
					if g.days >= day {
						n++
						if g.ended && g.days == day {
							back++
						}
					}
				}
				if n > 0 {
					p *= 1 - float64(back)/float64(n)
				}
			}
			r := e.Returns[i]
			if r.Known && math.Abs(r.P-(1-p)) > 1e-12 {
				t.Fatalf("after %d days %v, want %v", d, r.P, 1-p)
			}
			if r.Known && d+within > longest {
				t.Fatalf("after %d days a chance is given, though nobody was seen for %d", d, d+within)
			}
			if r.Banded && (r.Band.Lo > r.P+1e-9 || r.Band.Hi < r.P-1e-9) && len(gaps) > 30 {
				t.Logf("after %d days %v outside %v", d, r.P, r.Band) // a percentile band may miss
			}
		}
	})
}

// The gap of all silences is the one that the stage model's Suggester gives: on
// the reference sets 162, 111 and 43 days (SPEC 2, Suggested G).
func TestSilencesSuggestTheGap(t *testing.T) {
	for _, c := range []struct {
		name string
		load loader
		want int
	}{{"cdnow", reference.CDNOW, 162}, {"online retail", reference.OnlineRetail, 111}, {"ecom", reference.Ecom, 43}} {
		snap, schema := open(t, c.load)
		asOf := schema.Cal.Day(snap.Info().Last)
		want := suggest(t, snap, schema, asOf)
		s := NewSilences()
		for _, split := range snap.Splits(3) {
			part := NewSilences()
			err := snap.Scan(t.Context(), split, NewSuggester(schema, asOf).Filter(), func(tl *model.Timeline) error {
				days := activeDays(schema, tl)
				for i, d := range days {
					if i+1 < len(days) {
						part.Add(tl.ID, int(days[i+1]-d), true)
					} else {
						part.Add(tl.ID, int(asOf-d), false)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			s.Merge(part)
		}
		got := s.Estimate(want.Horizon, 90, nil)
		if got.Gap != c.want || got.Gap != want.Gap || got.RawGap != want.RawGap || got.Band != want.Band {
			t.Errorf("%s: %+v, want %+v and %d", c.name, got, want, c.want)
		}
	}
}
