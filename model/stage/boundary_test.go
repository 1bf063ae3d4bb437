package stage

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// lives draws lives whose daily hazard changes at given ages, each watched for some
// days of its own.
func lives(seed uint64, n int, hazard func(age int) float64, watch int) *Boundaries {
	rng := rand.New(rand.NewPCG(seed, 9))
	b := NewBoundaries()
	for u := range n {
		until := watch/2 + rng.IntN(watch/2)
		age := 0
		for age < until && rng.Float64() >= hazard(age) {
			age++
		}
		b.Add(fmt.Sprint("u", u), age, age < until)
	}
	return b
}

// Planted boundaries are found within their bands, with the rates on either side;
// a constant hazard has none.
func TestBoundaries(t *testing.T) {
	h := lives(1, 8000, func(age int) float64 {
		switch {
		case age < 28:
			return 0.02
		case age < 140:
			return 0.004
		}
		return 0.0008
	}, 500).Estimate()
	if h.Lives != 8000 || len(h.Bounds) != 2 || h.Best >= h.One {
		t.Fatalf("%+v", h)
	}
	for i, want := range []struct{ day, before, after float64 }{{28, 0.02, 0.004}, {140, 0.004, 0.0008}} {
		b := h.Bounds[i]
		if math.Abs(float64(b.Day)-want.day) > boundaryBin || !b.Banded || b.Band.Lo > want.day || b.Band.Hi < want.day {
			t.Errorf("boundary %d: day %d (%v), planted %v", i, b.Day, b.Band, want.day)
		}
		if math.Abs(b.Before/want.before-1) > 0.2 || math.Abs(b.After/want.after-1) > 0.2 {
			t.Errorf("boundary %d: %.4f to %.4f, planted %v to %v", i, b.Before, b.After, want.before, want.after)
		}
	}
	for seed := range uint64(5) {
		if h := lives(seed, 3000, func(int) float64 { return 0.005 }, 400).Estimate(); len(h.Bounds) != 0 {
			t.Errorf("a constant hazard has the boundaries %+v", h.Bounds)
		}
	}
	if h := NewBoundaries().Estimate(); h.Lives != 0 || len(h.Bounds) != 0 {
		t.Errorf("of nobody: %+v", h)
	}
}

// The dynamic programming finds what trying every pair of cuts finds; parts merged
// are the whole.
func TestBoundariesAgainstEveryCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	d, e := make([]float64, 12), make([]float64, 12)
	for i := range d {
		d[i], e[i] = float64(20+rng.IntN(60)), float64(500+rng.IntN(500))
	}
	ll := func(from, to int) float64 {
		x, y := 0.0, 0.0
		for i := from; i < to; i++ {
			x, y = x+d[i], y+e[i]
		}
		return x*math.Log(x/y) - x
	}
	best := math.Inf(-1)
	for i := 1; i < len(d); i++ {
		for j := i + leastBins; j+leastBins <= len(d); j++ {
			best = math.Max(best, ll(0, i)+ll(i, j)+ll(j, len(d)))
		}
	}
	if _, got := segments(d, e, 2); math.Abs(got[2]-best) > 1e-9 {
		t.Errorf("two cuts give %v, trying all %v", got[2], best)
	}
	whole, parts := NewBoundaries(), []*Boundaries{NewBoundaries(), NewBoundaries()}
	for u := range 500 {
		id, days, ended := fmt.Sprint(u), rng.IntN(300), rng.IntN(2) == 0
		whole.Add(id, days, ended)
		parts[u%2].Add(id, days, ended)
	}
	parts[0].Merge(parts[1])
	if a, b := fmt.Sprint(whole.Estimate()), fmt.Sprint(parts[0].Estimate()); a != b {
		t.Errorf("merged %s, whole %s", b, a)
	}
}
