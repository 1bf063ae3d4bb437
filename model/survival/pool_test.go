package survival_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"dwell/model/stat"
	"dwell/model/survival"

	"pgregory.net/rapid"
)

// The pool's curve is that of all lives, and its band that of the plain bootstrap:
// users drawn with replacement, the product-limit estimate of their lives made anew.
func TestPoolAgainstThePlainBootstrap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var users [][]survival.Life
		parts := []*survival.Pool{{}, {}}
		for i := range rapid.IntRange(2, 12).Draw(rt, "users") {
			lives := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) survival.Life {
				return survival.Life{Time: float64(rapid.IntRange(0, 9).Draw(t, "time")), Died: rapid.Bool().Draw(t, "died"), Count: 1}
			}), 1, 4).Draw(rt, "lives")
			users = append(users, lives)
			parts[i/6].Add(lives)
		}
		pool := &survival.Pool{}
		pool.Merge(parts[0])
		pool.Merge(parts[1])
		pool.Add(nil) // nobody
		var all []survival.Life
		for _, u := range users {
			all = append(all, u...)
		}
		want, err := survival.Estimated(all, stat.Level)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := survival.Estimated(pool.Lives(), stat.Level)
		if err != nil || got.N != want.N || got.Died != want.Died || pool.Users() != len(users) {
			rt.Fatalf("%+v, %v, want %+v", got, err, want)
		}
		const rounds, tau = 30, 7.0
		times := []float64{0, 2, 3.5, 9}
		band, ok := pool.Bootstrap(times, tau, rounds, 0.9, rand.New(rand.NewPCG(1, 2)), func() bool { return false })
		if !ok {
			rt.Fatal("no band")
		}
		plain := func(f func(*survival.Estimate) float64) stat.Interval {
			iv, _ := stat.Bootstrap(len(users), rounds, 0.9, rand.New(rand.NewPCG(1, 2)), func(w []int32) (float64, bool) {
				var drawn []survival.Life
				for i, n := range w {
					for range n {
						drawn = append(drawn, users[i]...)
					}
				}
				e, err := survival.Estimated(drawn, 0.9)
				if err != nil {
					rt.Fatal(err)
				}
				return f(e), true
			})
			return iv
		}
		same := func(what string, a, b stat.Interval) {
			if math.Abs(a.Lo-b.Lo) > 1e-9 || math.Abs(a.Hi-b.Hi) > 1e-9 {
				rt.Fatalf("%s: %+v, want %+v", what, a, b)
			}
		}
		for i, x := range times {
			same("S", band.At[i], plain(func(e *survival.Estimate) float64 { s, _ := e.Curve.At(x); return s }))
		}
		same("mean", band.Mean, plain(func(e *survival.Estimate) float64 {
			area, last, s := 0.0, 0.0, 1.0
			for day := 0.5; day < 10; day += 0.5 { // times are whole
				if day > tau {
					break
				}
				s, _ = e.Curve.At(last)
				area, last = area+0.5*s, day
			}
			return area
		}))
		if band.Lo.Known && band.Hi.Known && band.Lo.Days > band.Hi.Days {
			rt.Fatalf("median %+v", band)
		}
	})
}

// Two equal spells of each user say no more than one: the band does not narrow.
func TestPoolOfTwins(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	one, two := &survival.Pool{}, &survival.Pool{}
	for range 60 {
		l := survival.Life{Time: float64(1 + rng.IntN(50)), Died: rng.IntN(3) > 0, Count: 1}
		one.Add([]survival.Life{l})
		two.Add([]survival.Life{l, l})
	}
	never := func() bool { return false }
	a, _ := one.Bootstrap([]float64{20}, 40, 200, 0.95, rand.New(rand.NewPCG(5, 6)), never)
	b, _ := two.Bootstrap([]float64{20}, 40, 200, 0.95, rand.New(rand.NewPCG(5, 6)), never)
	if a.At[0] != b.At[0] || a.Lo != b.Lo || a.Hi != b.Hi {
		t.Errorf("one spell %+v, two alike %+v", a, b)
	}
	if _, ok := one.Bootstrap([]float64{20}, 40, 9, 0.95, rng, func() bool { return true }); ok {
		t.Error("a stopped bootstrap has a band")
	}
	if _, ok := (&survival.Pool{}).Bootstrap(nil, 1, 9, 0.95, rng, never); ok {
		t.Error("nobody has a band")
	}
}
