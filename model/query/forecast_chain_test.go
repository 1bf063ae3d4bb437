package query

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// steady is a chain of users who act at a constant rate by kind and change kinds at
// constant rates, with a few new ones a week.
func steady(weeks int, seed uint64) *chain {
	rng := rand.New(rand.NewPCG(seed, 9))
	c := newChain(3, 6, weeks, 0)
	type user struct{ at, kind, quiet int }
	var users []user
	for range 900 {
		users = append(users, user{-1, rng.IntN(3), 0})
	}
	for w := range weeks {
		for range 10 {
			users = append(users, user{w, 0, 0})
		}
		for i := range users {
			u := &users[i]
			from := 0
			if u.at < w && w > 0 {
				from = c.place(u.kind, u.quiet)
				if rng.Float64() < 0.05 {
					u.kind = rng.IntN(3)
				}
			}
			acted := rng.Float64() < []float64{0.5, 0.3, 0.1}[u.kind] || from == 0
			if u.quiet++; acted {
				u.quiet = 0
			}
			c.moves[w][c.move(from, u.kind, acted)]++
		}
	}
	return c
}

// TestChainBands says that of a steady population four fifths of the outcomes lie in
// the band, that nobody is lost, and that a forecast knows nothing later.
func TestChainBands(t *testing.T) {
	const weeks, ahead = 70, 4
	within, periods := 0, 0
	for seed := range uint64(4) {
		c := steady(weeks, seed)
		for w := 30; w+ahead < weeks; w += 3 {
			for h, x := range c.foretell(w, ahead, 100, 0.8, 1) {
				came := c.came(w + 1 + h)
				for k := range came {
					periods++
					if x.lo[k] <= came[k] && came[k] <= x.hi[k] {
						within++
					}
				}
			}
		}
		short := newChain(3, 6, 41, 0)
		for w := range short.moves {
			copy(short.moves[w], c.moves[w])
		}
		a, b := c.foretell(40, ahead, 50, 0.8, 7), short.foretell(40, ahead, 50, 0.8, 7)
		total := 0.0
		for _, n := range c.ends(40) {
			total += float64(n)
		}
		for h := range a {
			if !slices.Equal(a[h].mean, b[h].mean) || !slices.Equal(a[h].hi, b[h].hi) {
				t.Fatalf("seed %d: the forecast from week 40 changes with what came later", seed)
			}
			sum := 0.0
			for k := range 3 {
				sum += a[h].mean[k]
			}
			if grown := sum - total; math.Abs(grown-10*float64(h+1)) > 5 {
				t.Errorf("seed %d: %v users after %d weeks, of %v and ten a week", seed, sum, h+1, total)
			}
		}
	}
	if share := float64(within) / float64(periods); share < 0.72 || share > 0.92 {
		t.Errorf("the 80 %% band holds %.0f %% of %d", 100*share, periods)
	}
}

// TestDraws compares the two ways of drawing with their moments.
func TestDraws(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, c := range []struct {
		n int
		p float64
	}{{7, 0.2}, {40, 0.1}, {500, 0.02}, {500, 0.97}, {3000, 0.4}, {5, 1}, {5, 0}} {
		const rounds = 4000
		var sum, square float64
		for range rounds {
			k := float64(binomial(rng, c.n, c.p))
			if k < 0 || k > float64(c.n) {
				t.Fatalf("%v of %d", k, c.n)
			}
			sum += k
			square += k * k
		}
		mean, want := sum/rounds, float64(c.n)*c.p
		sd := math.Sqrt(want * (1 - c.p))
		if math.Abs(mean-want) > 0.3+4*sd/math.Sqrt(rounds) {
			t.Errorf("binomial %d, %v: mean %v, want %v", c.n, c.p, mean, want)
		}
		if got := math.Sqrt(math.Max(0, square/rounds-mean*mean)); math.Abs(got-sd) > 0.3+0.1*sd {
			t.Errorf("binomial %d, %v: spread %v, want %v", c.n, c.p, got, sd)
		}
	}
	for _, mean := range []float64{0, 3, 80} {
		sum := 0.0
		for range 4000 {
			sum += float64(poisson(rng, mean))
		}
		if math.Abs(sum/4000-mean) > 0.3+4*math.Sqrt(mean/4000) {
			t.Errorf("poisson %v: mean %v", mean, sum/4000)
		}
	}
}
