package measure_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/measure"
)

// Each user beside every other whose age lies in the band, one by one.
func TestAgeRankAgainstTheSlowWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "users")
		c, age := measure.NewRanked(measure.Of("revenue"), false, n), measure.NewRanked(measure.Of("tenure_days"), true, n)
		for range n {
			c.Append(float64(rapid.IntRange(0, 6).Draw(t, "value")), rapid.IntRange(0, 4).Draw(t, "known") > 0)
			age.Append(float64(rapid.IntRange(0, 300).Draw(t, "age")), true)
		}
		got := measure.AgeRank(measure.Of("value_score"), c, age)
		for i := range n {
			v, ok := c.At(i)
			p, known := got.At(i)
			if known != ok {
				t.Fatalf("row %d: known %v, want %v", i, known, ok)
			}
			if !ok {
				continue
			}
			a, _ := age.At(i)
			from, to := measure.AgeBand(model.Day(a))
			all, below := 0.0, 0.0
			for j := range n {
				w, ok := c.At(j)
				if b, _ := age.At(j); !ok || model.Day(b) < from || model.Day(b) > to {
					continue
				}
				all++
				switch {
				case w < v:
					below++
				case w == v:
					below += 0.5
				}
			}
			if math.Abs(p-100*below/all) > 1e-9 {
				t.Fatalf("row %d: %v, slowly %v", i, p, 100*below/all)
			}
		}
	})
}

// By hand: ages 10, 12 and 200. The first two are compared (3…17), the third
// stands alone.
func TestAgeRankByHand(t *testing.T) {
	c, age := measure.NewRanked(measure.Of("revenue"), false, 3), measure.NewRanked(measure.Of("tenure_days"), true, 3)
	for i, v := range []float64{5, 9, 1} {
		c.Append(v, true)
		age.Append([]float64{10, 12, 200}[i], true)
	}
	got := measure.AgeRank(measure.Of("value_score"), c, age)
	for i, want := range []float64{25, 75, 50} {
		if p, ok := got.At(i); !ok || p != want {
			t.Errorf("user %d: %v, want %v", i, p, want)
		}
	}
}
