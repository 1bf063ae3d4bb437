package value

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"dwell/model"
	"dwell/model/stat"
)

// drawn is a sample drawn from a model by days, like a shop's log: ages from 20 to
// 50 weeks, at most one purchase a day.
func drawn(truth *Repeat, n int, seed uint64) *Sample {
	rng := rand.New(rand.NewPCG(seed, 9))
	var s Sample
	counts := make([]int, 50*7)
	for range n {
		age := 20 + rng.IntN(30)
		h := History{Age: float64(age)}
		truth.Draw(rng, History{}, 1.0/7, counts[:age*7])
		for d, c := range counts[:age*7] {
			if c > 0 {
				h.Repeats++
				h.Last = float64(d+1) / 7
			}
		}
		s.Add(h)
	}
	return &s
}

func TestBadHistories(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, h := range []History{{-1, 0, 5}, {1, 6, 5}, {1, 0, 5}, {0, 2, 5}, {2, -1, 5}, {0, 0, -1}, {0, 0, nan}, {1, nan, 5}, {1, 2, inf}, {1, inf, inf}} {
		if err := h.Check(); !errors.Is(err, ErrBad) {
			t.Errorf("%+v: %v", h, err)
		}
		var s Sample
		s.Add(h)
		for range 200 {
			s.Add(History{1, 2, 3})
		}
		var whole Sample
		whole.Merge(&s)
		if _, err := Fit(MBG, &whole, Options{}); !errors.Is(err, ErrBad) {
			t.Errorf("a fit with %+v: %v", h, err)
		}
		if _, err := (&Repeat{Kind: MBG, Params: Params{1, 1, 1, 1}}).Forecast(&s, Outlook{}); !errors.Is(err, ErrBad) {
			t.Errorf("a forecast with %+v: %v", h, err)
		}
		var e Empirical
		if err := e.Add(h, 1); !errors.Is(err, ErrBad) {
			t.Errorf("a curve with %+v: %v", h, err)
		}
	}
	// Bought for the first time today: age 0 is a buyer.
	if h, err := HistoryOf([]model.Day{7}, 7); err != nil || h != (History{}) || h.Check() != nil {
		t.Error(h, err)
	}
	if h, err := HistoryOf([]model.Day{0, 7, 14, 90}, 21); err != nil || h != (History{2, 2, 3}) {
		t.Error(h, err)
	}
	if _, err := HistoryOf([]model.Day{8}, 7); !errors.Is(err, ErrBad) {
		t.Error(err)
	}
	if _, err := HistoryOf(nil, 7); !errors.Is(err, ErrBad) {
		t.Error(err)
	}
}

func TestFitTrouble(t *testing.T) {
	of := func(n int, h func(i int) History) *Sample {
		var s Sample
		for i := range n {
			s.Add(h(i))
		}
		return &s
	}
	for _, c := range []struct {
		name string
		s    *Sample
		want error
	}{
		{"nobody", &Sample{}, ErrTooFew},
		{"ten", of(10, func(i int) History { return History{i, float64(min(i, 1)), 20} }), ErrTooFew},
		{"one-time buyers", of(1000, func(i int) History { return History{0, 0, float64(i % 40)} }), ErrNoRepeats},
		{"a few came back", of(1000, func(i int) History { return History{max(0, i-990), float64(min(1, max(0, i-990))), 40} }), ErrNoRepeats},
		{"all alike", of(1000, func(int) History { return History{3, 10, 20} }), ErrAlike},
	} {
		for _, k := range []Kind{MBG, BG, Pareto} {
			if m, err := Fit(k, c.s, Options{}); !errors.Is(err, c.want) || m != nil {
				t.Errorf("%s, %s: %+v, %v", c.name, k, m, err)
			}
		}
	}
	stop := func() bool { return true }
	s := drawn(&Repeat{Kind: MBG, Params: Params{0.8, 5, 0.7, 2}}, 400, 1)
	if _, err := Fit(MBG, s, Options{Stop: stop}); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	m, err := Fit(MBG, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Span < 48 || m.Span > 50 {
		t.Errorf("ages of 20 to 49 weeks span %v", m.Span)
	}
	if _, err := m.Forecast(s, Outlook{Stop: stop}); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	for _, o := range []Outlook{{Periods: -1}, {Weeks: -1}, {Weeks: math.NaN()}, {Level: 1}, {Periods: 1000}} {
		if _, err := m.Forecast(s, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	for _, d := range []Discount{{}, {12, 0, 0}, {12, math.NaN(), 0}, {12, 4, -1}, {12, 4, math.NaN()}, {-3, 1, 0}} {
		if d.Check() == nil {
			t.Errorf("%+v is taken", d)
		}
	}
	// Nobody expected: no crash, no band.
	if f, err := m.Forecast(&Sample{}, Outlook{Periods: 2}); err != nil || f.Total.Purchases.Mean != 0 || f.Total.Purchases.Band != (stat.Interval{}) {
		t.Error(f, err)
	}
}

// Samples in which the likelihood has no peak: the fit is held, or fails with a
// sentence; what it then foretells is close to the truth either way.
func TestHeldFits(t *testing.T) {
	for _, c := range []struct {
		name   string
		truth  *Repeat
		leaves bool
	}{
		{"nobody leaves", &Repeat{Kind: BG, Params: Params{0.8, 5, 1e-6, 1}}, false},
		{"all at one rate", &Repeat{Kind: BG, Params: Params{3000, 30000, 0.5, 2}}, true},
		{"all leave alike", &Repeat{Kind: BG, Params: Params{0.8, 5, 1000, 4000}}, true},
	} {
		s := drawn(c.truth, 600, 3)
		for _, k := range []Kind{MBG, BG} {
			m, err := Fit(k, s, Options{})
			if err != nil {
				t.Fatal(c.name, err)
			}
			if m.Leaves != c.leaves || (len(m.Notes()) == 0) != (m.Leaves && !m.Convergence.Held) {
				t.Errorf("%s, %s: leaves %v, notes %v", c.name, k, m.Leaves, m.Notes())
			}
			f, err := m.Forecast(s, Outlook{Periods: 4})
			if err != nil {
				t.Fatal(err)
			}
			want, err := c.truth.Forecast(s, Outlook{Periods: 4})
			if err != nil {
				t.Fatal(err)
			}
			near(t, c.name+", "+string(k)+": purchases", f.Total.Purchases.Mean, want.Total.Purchases.Mean, 0.15)
		}
	}
}

func TestSpendTrouble(t *testing.T) {
	var s Spending
	if s.Add(0, 5) || s.Add(3, 0) || s.Add(3, -7) || s.Buyers() != 0 {
		t.Error("buyers without a mean above zero are counted")
	}
	if _, err := FitSpend(&s, Options{}); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	for range 200 {
		s.Add(2, 10)
	}
	if _, err := FitSpend(&s, Options{}); !errors.Is(err, ErrAlike) {
		t.Error(err)
	}
	for _, x := range []float64{math.NaN(), math.Inf(1)} {
		var s Spending
		s.Add(1, x)
		if _, err := FitSpend(&s, Options{}); !errors.Is(err, ErrBad) {
			t.Error(err)
		}
	}
	// So uneven that no mean exists: means spread over ten powers of ten.
	var wild Spending
	for i := range 500 {
		wild.Add(1+i%3, math.Pow(10, float64(i%11)-5))
	}
	if m, err := FitSpend(&wild, Options{}); !errors.Is(err, ErrNoMean) && !errors.Is(err, ErrNoFit) {
		t.Errorf("%+v %v", m, err)
	}
	// The unit of money does not matter: cents or millions.
	var a, b Spending
	rng := rand.New(rand.NewPCG(2, 2))
	for range 500 {
		x, n := 5*math.Exp(rng.NormFloat64()/2), 1+rng.IntN(5)
		a.Add(n, x)
		b.Add(n, 1e6*x)
	}
	ma, errA := FitSpend(&a, Options{})
	mb, errB := FitSpend(&b, Options{})
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	near(t, "p", mb.P, ma.P, 1e-6)
	near(t, "mean", mb.Mean(), 1e6*ma.Mean(), 1e-6)
	iv, ok := ma.Interval(3, 4, stat.Level)
	if e := ma.Expected(3, 4); !ok || !(iv.Lo < e && e < iv.Hi && 4 < e && e < ma.Mean()) {
		t.Errorf("%v in %v, all %v", e, iv, ma.Mean())
	}
}

// The order in which buyers are added changes no bit.
func TestOrder(t *testing.T) {
	var hs []History
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		h := History{Repeats: rng.IntN(6), Age: 5 + float64(rng.IntN(300))/7}
		if h.Repeats > 0 {
			h.Last = h.Age * float64(1+rng.IntN(9)) / 10
		}
		hs = append(hs, h)
	}
	var first *Repeat
	for range 3 {
		rng.Shuffle(len(hs), func(i, j int) { hs[i], hs[j] = hs[j], hs[i] })
		var a, b Sample
		for i, h := range hs {
			if i%2 == 0 {
				a.Add(h)
			} else {
				b.Add(h)
			}
		}
		a.Merge(&b)
		m, err := Fit(MBG, &a, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m
		}
		if *m != *first {
			t.Errorf("%+v, then %+v", first, m)
		}
	}
}

func TestOrigins(t *testing.T) {
	got, err := Origins(0, 7*20, 4, 10)
	if err != nil || !slices.Equal(got, []model.Day{7 * 4, 7 * 8, 7 * 12, 7 * 16}) {
		t.Error(got, err)
	}
	for _, c := range [][2]int{{140, 11}, {3, 1}, {0, 1}} {
		if _, err := Origins(0, model.Day(c[0]), c[1], 5); !errors.Is(err, ErrShort) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, err := Origins(0, 100, 0, 5); err == nil {
		t.Error("no weeks")
	}
	// Nobody came back before the origins: every one says why.
	r := NewRolling(got, 4)
	for range 100 {
		r.Add([]model.Day{0})
	}
	if _, err := r.Judge(MBG, Outlook{}, Options{}); !errors.Is(err, ErrShort) || !errors.Is(err, ErrNoRepeats) {
		t.Error(err)
	}
	if _, err := NewRolling(nil, 4).Judge(MBG, Outlook{}, Options{}); !errors.Is(err, ErrShort) {
		t.Error(err)
	}
}

func TestEmpirical(t *testing.T) {
	e := Empirical{Weeks: 8}
	if _, ok := e.Of(History{}, stat.Level); ok {
		t.Error("an answer from nobody")
	}
	for i := range 40 {
		if err := e.Add(History{0, 0, 3}, i%4/3); err != nil { // every fourth buys once
			t.Fatal(err)
		}
		if err := e.Add(History{4, 10, 10.5}, 2); err != nil {
			t.Fatal(err)
		}
	}
	p, ok := e.Of(History{0, 0, 2}, stat.Level) // the same kind: silent for 2 to 4 weeks
	if !ok || p.Buyers != 40 || p.Purchases != 0.25 || p.Bought != 0.25 || !(p.Interval.Lo < 0.25 && 0.25 < p.Interval.Hi) {
		t.Errorf("%+v %v", p, ok)
	}
	if p, ok = e.Of(History{5, 9, 9}, stat.Level); !ok || p.Purchases != 2 || p.Bought != 1 {
		t.Errorf("%+v %v", p, ok)
	}
	// Nobody was like this one: the neighbours answer.
	if p, ok = e.Of(History{30, 9, 90}, stat.Level); !ok || p.Buyers != 40 || p.Purchases != 2 {
		t.Errorf("%+v %v", p, ok)
	}
	other := Empirical{Weeks: 8}
	other.Merge(&e)
	if other.Buyers() != 80 || e.Add(History{}, -1) == nil {
		t.Error(other.Buyers())
	}
}
