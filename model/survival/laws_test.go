package survival

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dwell/model/stat"
)

func near(t interface {
	Helper()
	Errorf(string, ...any)
}, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*math.Max(1, math.Abs(want))) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// drawLives are lives on whole days; with late, some are watched from later on.
func drawLives(t *rapid.T, label string, least int, late bool) (out []Life) {
	for range rapid.IntRange(least, 30).Draw(t, label) {
		l := Life{Time: float64(rapid.IntRange(0, 12).Draw(t, "time")), Died: rapid.Bool().Draw(t, "died"), Count: int64(rapid.IntRange(1, 3).Draw(t, "count"))}
		if late && l.Time > 0 && rapid.Bool().Draw(t, "late") {
			l.Entry = float64(rapid.IntRange(0, int(l.Time)-1).Draw(t, "entry"))
		}
		out = append(out, l)
	}
	return out
}

// single writes every life by itself.
func single(lives []Life) (out []Life) {
	for _, l := range lives {
		n := l.Count
		l.Count = 1
		for range n {
			out = append(out, l)
		}
	}
	return out
}

// slowS is S(t) from its definition, life by life.
func slowS(lives []Life, t float64) float64 {
	s := 1.0
	for day := 0.0; day <= t; day++ {
		n, d := 0, 0
		for _, l := range single(lives) {
			if l.Time >= day && (l.Entry == 0 || l.Entry < day) {
				n++
				if l.Died && l.Time == day {
					d++
				}
			}
		}
		if d > 0 {
			s *= 1 - float64(d)/float64(n)
		}
	}
	return s
}

func TestEstimateIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lives := drawLives(t, "lives", 1, true)
		e, err := Estimated(lives, stat.Level)
		if err != nil {
			t.Fatal(err)
		}
		one, err := Estimated(single(lives), stat.Level)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(e.Curve, one.Curve) || !slices.Equal(e.Rows, one.Rows) {
			t.Fatalf("counted and single lives differ: %v and %v", e.Rows, one.Rows)
		}
		if e.Died+e.Censored != e.N || e.N != int64(len(single(lives))) {
			t.Fatalf("%d died and %d censored of %d", e.Died, e.Censored, e.N)
		}
		last := 1.0
		for day := 0.0; day <= 13; day++ {
			s, st := e.Curve.At(day)
			near(t, "S", s, slowS(lives, day), 1e-12)
			if s > last {
				t.Fatalf("S rises to %v on day %v", s, day)
			}
			if st != nil && st.Bounded && (st.Lo > s || st.Hi < s) {
				t.Fatalf("S(%v) = %v outside its band %v–%v", day, s, st.Lo, st.Hi)
			}
			last = s
			n := int64(0)
			for _, l := range single(lives) {
				if l.atRisk(day) {
					n++
				}
			}
			if e.AtRisk(day) != n {
				t.Fatalf("%d at risk on day %v, want %d", e.AtRisk(day), day, n)
			}
		}
		h := 0.0
		for _, s := range e.Hazard(stat.Level) {
			if s.H <= h || s.Lo > s.H || s.Hi < s.H {
				t.Fatalf("hazard %+v after %v", s, h)
			}
			h = s.H
		}
		if tau := e.Last; tau > 0 {
			mean, se, ok := e.Mean(tau)
			area := 0.0
			for day := 0.0; day < tau; day++ {
				area += slowS(lives, day)
			}
			if !ok || se < 0 {
				t.Fatalf("mean %v ± %v %v", mean, se, ok)
			}
			near(t, "mean", mean, area, 1e-12)
		}
	})
}

// SPEC V5: 100 old users and 300 of two days. The share back on or after a day
// rises in the pool; survival of the same users must not.
func TestV5SurvivalDoesNotRise(t *testing.T) {
	lives := []Life{{Time: 1, Died: true, Count: 30}, {Time: 7, Died: true, Count: 10}, {Time: 30, Count: 60}, {Time: 1, Died: true, Count: 240}, {Time: 2, Count: 60}}
	e, err := Estimated(lives, stat.Level)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "S(1)", e.Curve[0].S, 130.0/400, 1e-12)
	near(t, "S(7)", e.Curve[1].S, 130.0/400*60/70, 1e-12)
	if e.Curve[1].S > e.Curve[0].S {
		t.Error("the curve rises")
	}
}

func TestRefusals(t *testing.T) {
	for name, lives := range map[string][]Life{
		"negative": {{Time: -1, Count: 1}}, "infinite": {{Time: math.Inf(1), Count: 1}}, "no number": {{Time: math.NaN(), Count: 1}},
		"nobody": {{Time: 1}}, "ends before it is watched": {{Entry: 3, Time: 2, Count: 1}}, "dies unwatched": {{Entry: 2, Time: 2, Died: true, Count: 1}},
	} {
		if _, err := Estimated(lives, stat.Level); !errors.Is(err, ErrBadLife) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Estimated(nil, stat.Level); !errors.Is(err, ErrNobody) {
		t.Errorf("nobody: %v", err)
	}
	e, err := Estimated([]Life{{Time: 4, Count: 2}}, stat.Level)
	if err != nil || len(e.Curve) != 0 || e.AtRisk(4) != 2 || e.AtRisk(5) != 0 {
		t.Errorf("none died: %+v %v", e, err)
	}
	for _, f := range Families() {
		for want, lives := range map[error][]Life{
			ErrNoDeath: {{Time: 1, Count: 3}}, ErrDeathAt0: {{Time: 0, Died: true, Count: 1}, {Time: 2, Died: true, Count: 1}}, ErrNobody: nil,
		} {
			if _, err := FitTo(f, lives); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", f, err, want)
			}
		}
		if _, err := FitTo(f, []Life{{Time: 2, Died: true, Count: 9}}); f != Exponential && !errors.Is(err, ErrOneMoment) {
			t.Errorf("%s of one moment: %v", f, err)
		}
	}
	if _, err := LogRank([]Life{{Time: 1, Died: true, Count: 1}}, nil); !errors.Is(err, ErrOneGroup) {
		t.Errorf("one group: %v", err)
	}
	lives := []Life{{Time: 1, Died: true, Count: 1}, {Time: 2, Died: true, Count: 1}, {Time: 3, Died: true, Count: 1}, {Time: 4, Died: true, Count: 1}, {Time: 5, Count: 1}, {Time: 5, Count: 1}}
	for want, x := range map[error][][]float64{
		ErrConstant:  {{1, 1, 1, 1, 1, 1}},
		ErrCollinear: {{1, 2, 1, 4, 2, 3}, {2, 4, 2, 8, 4, 6}},
		ErrSeparated: {{6, 5, 4, 3, 2, 1}},
		ErrTooFew:    {{1, 2, 1, 4, 2, 3}, {1, 0, 2, 0, 1, 0}, {0, 0, 1, 1, 0, 3}, {1, 1, 0, 0, 0, 1}},
	} {
		if _, err := Cox(lives, x, Efron, stat.Level, nil); !errors.Is(err, want) {
			t.Errorf("%v: %v, want %v", x, err, want)
		}
	}
}

func TestEqualGroupsDoNotDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lives := drawLives(t, "lives", 2, true)
		x, err := LogRank(lives, lives)
		if errors.Is(err, ErrNoDeath) || errors.Is(err, ErrOneGroup) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		near(t, "chi2", x.Chi2, 0, 1e-9)
		other := drawLives(t, "other", 2, true)
		third := drawLives(t, "third", 2, false)
		x, err = LogRank(lives, other, third)
		if err != nil {
			return
		}
		o, e := 0.0, 0.0
		for i := range x.Observed {
			o, e = o+x.Observed[i], e+x.Expected[i]
		}
		near(t, "Σ expected", e, o, 1e-9)
		y, err := LogRank(third, lives, other)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "chi2 in another order", y.Chi2, x.Chi2, 1e-7)
	})
}

// slowLogRank is the test of two groups from its definition.
func slowLogRank(a, b []Life) float64 {
	var u, v float64
	for day := 0.0; day <= 13; day++ {
		var n, n1, d, d1 float64
		for g, lives := range [][]Life{a, b} {
			for _, l := range single(lives) {
				if !l.atRisk(day) {
					continue
				}
				n++
				died := l.Died && l.Time == day
				if died {
					d++
				}
				if g == 0 {
					n1++
					if died {
						d1++
					}
				}
			}
		}
		if n > 1 {
			u += d1 - d*n1/n
			v += d * (n1 / n) * (1 - n1/n) * (n - d) / (n - 1)
		}
	}
	if v < 1e-12 {
		return 0
	}
	return u * u / v
}

func TestLogRankIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawLives(t, "a", 1, true), drawLives(t, "b", 1, true)
		x, err := LogRank(a, b)
		if err != nil {
			return
		}
		near(t, "chi2", x.Chi2, slowLogRank(a, b), 1e-9)
	})
}

// Weibull times with known numbers, half of them watched late: the fit must find
// the numbers again, and the band must hold them.
func TestFitsFindTheTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var lives []Life
	for range 20_000 {
		at := 50 * math.Pow(-math.Log(rng.Float64()), 1/1.7)
		entry := 0.0
		if rng.IntN(2) == 0 {
			entry = 30 * rng.Float64()
		}
		if at <= entry {
			continue // never seen
		}
		look := entry + 80*rng.Float64()
		lives = append(lives, Life{Entry: entry, Time: math.Min(at, look), Died: at <= look, Count: 1})
	}
	f, err := FitTo(Weibull, lives)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{50, 1.7} {
		p := f.Parameters()[i]
		if math.Abs(p.Value-want) > 4*p.SE {
			t.Errorf("%s is %v ± %v, want %v", p.Name, p.Value, p.SE, want)
		}
	}
	fits, refused := FitAll(lives)
	if len(refused) > 0 || fits[0].Family != Weibull {
		t.Errorf("%s fits best, refused %v", fits[0].Family, refused)
	}
	e, err := Estimated(lives, stat.Level)
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []float64{5, 20, 50, 90} {
		s, band := f.Survival(day, stat.Level)
		near(t, "S against the truth", s, math.Exp(-math.Pow(day/50, 1.7)), 0.02)
		if !(band.Lo < s && s < band.Hi) {
			t.Errorf("S(%v) = %v outside %v", day, s, band)
		}
		km, _ := e.Curve.At(day)
		near(t, "S against Kaplan and Meier", s, km, 0.03)
	}
	m, band := f.Reached(0.5, stat.Level)
	if s, _ := f.Survival(m, stat.Level); math.Abs(s-0.5) > 1e-12 || band.Lo >= m || band.Hi <= m {
		t.Errorf("median %v in %v, S there %v", m, band, s)
	}
}

// Every fit stands where the gradient is 0, whatever the units of time.
func TestFitsAreAtTheirMaximum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lives := drawLives(t, "lives", 2, true)
		unit := rapid.SampledFrom([]float64{1e-3, 1, 86_400}).Draw(t, "unit")
		for i := range lives {
			lives[i].Time = (lives[i].Time + 1) * unit
			lives[i].Entry *= unit
		}
		for _, f := range Families() {
			fit, err := FitTo(f, lives)
			if err != nil {
				continue
			}
			at := likelihood(fit.law, lives, fit.Mu, math.Log(fit.Sigma))
			n := float64(fit.N)
			if math.Abs(at.g0*fit.Sigma) > 1e-6*n || fit.dims() == 2 && math.Abs(at.g1) > 1e-6*n {
				t.Fatalf("%s of %v: gradient %v, %v at mu %v sigma %v", f, lives, at.g0, at.g1, fit.Mu, fit.Sigma)
			}
		}
	})
}

// The gradient and curvature of every family against differences.
func TestLikelihoodSlopes(t *testing.T) {
	lives := []Life{{Time: 3, Died: true, Count: 2}, {Time: 8, Count: 1}, {Entry: 2, Time: 9, Died: true, Count: 1}, {Entry: 4, Time: 400, Count: 1}}
	for _, f := range Families() {
		law, _ := lawOf(f)
		const h = 1e-5
		mu, tau := 1.3, -0.4
		at := likelihood(law, lives, mu, tau)
		a, b := likelihood(law, lives, mu+h, tau), likelihood(law, lives, mu-h, tau)
		c, d := likelihood(law, lives, mu, tau+h), likelihood(law, lives, mu, tau-h)
		near(t, "g0 "+string(f), at.g0, (a.l-b.l)/2/h, 1e-6)
		near(t, "g1 "+string(f), at.g1, (c.l-d.l)/2/h, 1e-6)
		near(t, "h00 "+string(f), at.h00, (a.g0-b.g0)/2/h, 1e-6)
		near(t, "h01 "+string(f), at.h01, (c.g0-d.g0)/2/h, 1e-6)
		near(t, "h11 "+string(f), at.h11, (c.g1-d.g1)/2/h, 1e-6)
	}
	// log Φ(−w) beyond where erfc is enough, against Abramowitz and Stegun 26.2.12
	// taken a term further.
	g, _, _ := normalSurvival(29.999999)
	h, _, _ := normalSurvival(30.000001)
	near(t, "the joint at 30", (g-h)/2e-6, 30.0332, 1e-4)
}
