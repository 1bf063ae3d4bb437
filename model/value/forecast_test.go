package value

import (
	"math/rand/v2"
	"testing"

	"dwell/model"
)

func TestBackTestCDNOW(t *testing.T) {
	origins, err := Origins(model.DayOf(1997, 1, 1), model.DayOf(1998, 6, 30), 4, 14)
	if err != nil || len(origins) != 14 {
		t.Fatal(origins, err)
	}
	r, half := NewRolling(origins, 4), NewRolling(origins, 4)
	i := 0
	for _, b := range cdnow(t, "CDNOW_sample.txt", 1) {
		if i++; i%2 == 0 {
			half.Add(b.days)
		} else {
			r.Add(b.days)
		}
	}
	r.Merge(half)
	b, err := r.Judge(MBG, Outlook{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		c    Coverage
		n    int
	}{{"purchases", b.Purchases, 56}, {"buyers", b.Buyers, 56}, {"all purchases", b.WholePurchases, 14}, {"all buyers", b.WholeBuyers, 14}} {
		t.Log(c.what, c.c.Sentence())
		// Near 80 %: within what so many weeks, which go together by fours, allow.
		if c.c.Periods != c.n || c.c.Learned < c.n-c.n/14 || c.c.LearnedWithin > c.c.Within || c.c.Rate() < 0.65 || c.c.Rate() > 0.95 {
			t.Errorf("%s: %s", c.what, c.c.Sentence())
		}
		if c.c.Model > 1.1*c.c.Naive {
			t.Errorf("%s: errors of %v, the naive forecast's %v", c.what, c.c.Model, c.c.Naive)
		}
	}
	if len(b.Trouble) > 0 || b.First != 0 || b.Drift.From != 56 {
		t.Errorf("%d, %+v, %v", b.First, b.Drift, b.Trouble)
	}
	for i, o := range b.Outcomes { // the drift of a band is of the past alone
		want := i / 5 * 4
		if i/5 < rehearsed {
			want += 1 + 2 + 3 + 4 // weeks foretold from so many before the origin
		}
		if o.Drift.From != want {
			t.Errorf("origin %v uses %d periods, %d had ended", o.Origin, o.Drift.From, want)
		}
	}
}

// Users kept apart are foretold and compared, and not learned from.
func TestAddApart(t *testing.T) {
	all := cdnow(t, "CDNOW_sample.txt", 1)
	origins := []model.Day{model.DayOf(1997, 9, 30)}
	whole, parted, early := NewRolling(origins, 4), NewRolling(origins, 4), NewRolling(origins, 4)
	var s Sample
	for _, b := range all {
		whole.Add(b.days)
		early.AddApart(b.days)
		if b.days[0] < model.DayOf(1997, 2, 1) {
			parted.AddApart(b.days)
		} else {
			parted.Add(b.days)
			h, err := HistoryOf(b.days, origins[0])
			if err != nil {
				t.Fatal(err)
			}
			s.Add(h)
		}
	}
	a, errA := whole.Judge(MBG, Outlook{}, Options{})
	b, errB := parted.Judge(MBG, Outlook{}, Options{})
	c, errC := early.Judge(MBG, Outlook{}, Options{})
	if errA != nil || errB != nil || errC != nil {
		t.Fatal(errA, errB, errC)
	}
	m, err := Fit(MBG, &s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := m.Forecast(sampleOf(all.cut(t, origins[0])), Outlook{Periods: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Outcomes {
		x, y, z := a.Outcomes[i].Purchases, b.Outcomes[i].Purchases, c.Outcomes[i].Purchases
		if x.Actual != y.Actual || x.Naive != y.Naive || x != z || x.Mean == y.Mean {
			t.Errorf("%+v, apart %+v, all apart %+v", x, y, z)
		}
	}
	near(t, "foretold from the others", b.Outcomes[4].Purchases.Mean, f.Total.Purchases.Mean, 1e-6)
}

// Where the model is true there is no drift, and the band holds what it says.
func TestBandOfTruth(t *testing.T) {
	truth := &Repeat{Kind: MBG, Params: Params{0.8, 5, 0.7, 2}}
	rng := rand.New(rand.NewPCG(11, 12))
	const weeks, origins = 4, 12
	r := NewRolling([]model.Day{84, 112, 140, 168, 196, 224, 252, 280, 308, 336, 364, 392}, weeks)
	counts := make([]int, 430)
	var days []model.Day
	for range 1500 {
		first := model.Day(rng.IntN(200))
		truth.Draw(rng, History{}, 1.0/7, counts)
		days = append(days[:0], first)
		for i, c := range counts {
			if c > 0 {
				days = append(days, first+model.Day(i+1))
			}
		}
		r.Add(days)
	}
	b, err := r.Judge(MBG, Outlook{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(b.Purchases.Sentence(), b.Buyers.Sentence(), b.Drift)
	for _, c := range []Coverage{b.Purchases, b.Buyers} {
		if c.Periods != weeks*origins || c.Rate() < 0.7 || c.Rate() > 0.95 {
			t.Error(c.Sentence())
		}
	}
	if b.Drift.Purchases > 0.06 {
		t.Errorf("a drift is seen where none is: %+v", b.Drift)
	}
}

// A forecast is the sum over its buyers, of subsets too, and its sums are the closed
// forms'.
func TestForecastAddsUp(t *testing.T) {
	m := &Repeat{Kind: MBG, Params: Params{0.52, 6.2, 0.89, 1.6}}
	var whole, a, b Sample
	rng := rand.New(rand.NewPCG(1, 9))
	var purchases, buyers float64
	for i := range 300 {
		h := History{Repeats: rng.IntN(5), Age: 5 + rng.Float64()*40}
		if h.Repeats > 0 {
			h.Last = h.Age * rng.Float64()
		}
		whole.Add(h)
		if i%3 == 0 {
			a.Add(h)
		} else {
			b.Add(h)
		}
		purchases += m.Expected(h, 6)
		buyers += m.Buys(h, 0, 6)
	}
	var f [3]*Forecast
	for i, s := range []*Sample{&whole, &a, &b} {
		var err error
		if f[i], err = m.Forecast(s, Outlook{Periods: 6}); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "purchases", f[0].Total.Purchases.Mean, purchases, 1e-9)
	near(t, "buyers", f[0].Total.Buyers.Mean, buyers, 1e-9)
	var sum float64
	for i, w := range f[0].Weeks {
		near(t, "purchases of subsets", f[1].Weeks[i].Purchases.Mean+f[2].Weeks[i].Purchases.Mean, w.Purchases.Mean, 1e-9)
		near(t, "buyers of subsets", f[1].Weeks[i].Buyers.Mean+f[2].Weeks[i].Buyers.Mean, w.Buyers.Mean, 1e-9)
		if !(w.Purchases.Band.Lo <= w.Purchases.Mean && w.Purchases.Mean <= w.Purchases.Band.Hi && w.Buyers.Mean <= w.Purchases.Mean) {
			t.Errorf("week %d: %+v", i, w)
		}
		sum += w.Purchases.Mean
	}
	near(t, "weeks", sum, f[0].Total.Purchases.Mean, 1e-9)
	if w, n := f[0].Total.Purchases, f[0].Total.Buyers; !(w.Chance > n.Chance) {
		t.Errorf("purchases are no less certain than buyers: %+v %+v", w, n)
	}
}
