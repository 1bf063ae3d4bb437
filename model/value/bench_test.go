package value

import (
	"math/rand/v2"
	"testing"

	"dwell/model"
)

// crowd draws n buyers of two years, by days.
func crowd(n int) (s *Sample, hs []History) {
	truth := &Repeat{Kind: MBG, Params: Params{0.8, 9, 0.7, 2}}
	rng := rand.New(rand.NewPCG(3, 4))
	s = &Sample{}
	counts := make([]int, 730)
	for range n {
		age := 1 + rng.IntN(729)
		h := History{Age: float64(age) / 7}
		truth.Draw(rng, History{}, 1.0/7, counts[:age])
		for d, c := range counts[:age] {
			if c > 0 {
				h.Repeats++
				h.Last = float64(d+1) / 7
			}
		}
		hs = append(hs, h)
		s.Add(h)
	}
	return s, hs
}

func BenchmarkAdd(b *testing.B) {
	_, hs := crowd(10_000)
	for b.Loop() {
		var s Sample
		for _, h := range hs {
			s.Add(h)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	s, _ := crowd(100_000)
	b.ReportMetric(float64(s.Groups()), "groups")
	for _, k := range []Kind{MBG, Pareto} {
		b.Run(string(k), func(b *testing.B) {
			for b.Loop() {
				if _, err := Fit(k, s, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkForecast(b *testing.B) {
	s, _ := crowd(100_000)
	m := &Repeat{Kind: MBG, Params: Params{0.8, 9, 0.7, 2}, Known: true}
	for b.Loop() {
		if _, err := m.Forecast(s, Outlook{Periods: 8}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScore is one buyer's P(alive), expected purchases, and value in a year by
// months; it allocates nothing.
func BenchmarkScore(b *testing.B) {
	_, hs := crowd(10_000)
	for _, m := range []*Repeat{{Kind: MBG, Params: Params{0.8, 9, 0.7, 2}}, {Kind: Pareto, Params: Params{0.8, 9, 0.7, 20}}} {
		b.Run(string(m.Kind), func(b *testing.B) {
			b.ReportAllocs()
			i, sum := 0, 0.0
			for b.Loop() {
				h := hs[i%len(hs)]
				sum += m.Alive(h) + m.Expected(h, 52) + m.Worth(h, 30, Discount{12, Month, 0.01})
				i++
			}
		})
	}
}

func BenchmarkRolling(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	origins, _ := Origins(0, 730, 8, 12)
	days := make([]model.Day, 0, 40)
	for b.Loop() {
		r := NewRolling(origins, 8)
		for range 1000 {
			days = append(days[:0], model.Day(rng.IntN(300)))
			for days[len(days)-1] < 700 && rng.IntN(5) > 0 {
				days = append(days, days[len(days)-1]+1+model.Day(rng.IntN(30)))
			}
			r.Add(days)
		}
	}
}
