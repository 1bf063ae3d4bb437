package churn

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/stat"
)

// slowLabel walks every day: the recency on each, as the definition says.
func slowLabel(q Question, active map[model.Day]bool, first, cut model.Day) (st Standing, churned bool) {
	recency := -1
	for d := first; d <= cut+model.Day(q.Horizon); d++ {
		switch {
		case active[d]:
			recency = 0
		case recency >= 0:
			recency++
		}
		if d == cut {
			switch {
			case recency < 0:
				return Unseen, false
			case recency >= q.Gap:
				return Silent, false
			case q.Definition == ByGap && recency+q.Horizon < q.Gap:
				return Safe, false
			}
			churned = q.Definition == BySilence
		}
		if d > cut {
			if q.Definition == BySilence && recency == 0 {
				return AtStake, false
			}
			if q.Definition == ByGap && recency >= q.Gap {
				return AtStake, true
			}
		}
	}
	return AtStake, churned
}

func TestLabelAgainstDayByDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Question{Definition: rapid.SampledFrom([]Definition{ByGap, BySilence}).Draw(t, "definition"),
			Gap: rapid.IntRange(1, 12).Draw(t, "gap"), Horizon: rapid.IntRange(1, 20).Draw(t, "horizon")}
		set := map[model.Day]bool{}
		for _, d := range rapid.SliceOfN(rapid.IntRange(0, 60), 0, 20).Draw(t, "days") {
			set[model.Day(d)] = true
		}
		var days []model.Day
		for d := range set {
			days = append(days, d)
		}
		slices.Sort(days)
		cut := model.Day(rapid.IntRange(0, 40).Draw(t, "cut"))
		e1, c1 := q.Label(days, cut)
		e2, c2 := slowLabel(q, set, 0, cut)
		if e1 != e2 || c1 != c2 {
			t.Fatalf("%+v at %d, active %v: %v %v, day by day %v %v", q, cut, days, e1, c1, e2, c2)
		}
		// Nothing after the horizon matters.
		e3, c3 := q.Label(append(slices.Clone(days), 500, 501), cut)
		if e3 != e1 || c3 != c1 {
			t.Fatalf("days after the horizon changed the label")
		}
	})
}

func TestCuts(t *testing.T) {
	q := Question{Definition: ByGap, Gap: 30, Horizon: 30}
	c, err := q.Cuts(0, 100)
	if err != nil || c != (Cuts{40, 70, 100}) {
		t.Errorf("cuts %+v, %v", c, err)
	}
	for _, tc := range []struct {
		horizon, last int
		want          string
	}{{51, 100, "at most 50"}, {4000, 100, "at most 50"}, {1, 0, "only 1 day"}, {0, 100, "at least one day"}} {
		q.Horizon = tc.horizon
		if _, err := q.Cuts(0, model.Day(tc.last)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("horizon %d of %d days: %v, want %q", tc.horizon, tc.last, err, tc.want)
		}
	}
	q.Horizon = 50
	if _, err := q.Cuts(0, 100); err != nil {
		t.Errorf("the horizon that the message offers is refused: %v", err)
	}
}

// planted draws users whose outcome truly follows a logistic law of the first
// two features and not of the third.
func planted(seed uint64, n int) *Table {
	rng := rand.New(rand.NewPCG(seed, 1))
	t := NewTable([]string{"recency_days", "visits", "noise"}, []string{"days", "events", ""})
	for range n {
		r, v, z := 40*rng.Float64(), 10*rng.Float64(), rng.NormFloat64()
		p := sigmoid(-1 + 0.08*r - 0.3*v)
		t.Add([]float64{r, v, z}, nil, rng.Float64() < p)
	}
	return t
}

func TestPlantedLawIsFound(t *testing.T) {
	m, err := Train(planted(7, 40_000), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.08, -0.3, 0} {
		if got := m.Features[i].Coef; math.Abs(got-want) > 0.02 {
			t.Errorf("coefficient of %s: %.4f, the law has %.2f", m.Features[i].Name, got, want)
		}
	}
	var fs []stat.Forecast
	fresh := planted(8, 20_000)
	values, known := make([]float64, 3), make([]bool, 3)
	for i, y := range fresh.Yes {
		fresh.Row(i, values, known)
		fs = append(fs, stat.Forecast{P: m.Predict(values, known), Yes: y})
	}
	q, err := Judge(fs, 20, stat.Level)
	if err != nil {
		t.Fatal(err)
	}
	if c := q.Calibration; !c.Fitted || math.Abs(c.Slope-1) > 0.1 || math.Abs(c.Intercept) > 0.1 || c.ECE > 0.02 {
		t.Errorf("calibration of a true law: %+v", c)
	}
	if !q.Better || q.Skill <= 0 {
		t.Errorf("verdict %q, skill %.3f", q.Verdict, q.Skill)
	}
}

// On data without any law the 99.9 % interval of the AUC holds one half, and
// the verdict says so in words.
func TestNullDataIsNoBetterThanGuessing(t *testing.T) {
	null := func(seed uint64) *Table {
		rng := rand.New(rand.NewPCG(seed, 2))
		t := NewTable([]string{"a", "b", "c", "d"}, make([]string, 4))
		for range 4000 {
			t.Add([]float64{rng.NormFloat64(), rng.ExpFloat64(), float64(rng.IntN(5)), rng.Float64()}, nil, rng.Float64() < 0.3)
		}
		return t
	}
	m, err := Train(null(11), Options{})
	if err != nil {
		t.Fatal(err)
	}
	test := null(12)
	var fs []stat.Forecast
	values, known := make([]float64, 4), make([]bool, 4)
	for i, y := range test.Yes {
		test.Row(i, values, known)
		fs = append(fs, stat.Forecast{P: m.Predict(values, known), Yes: y})
	}
	q, err := Judge(fs, 20, 0.999)
	if err != nil {
		t.Fatal(err)
	}
	if q.Area.Lo > 0.5 || q.Area.Hi < 0.5 || q.Better || !strings.HasPrefix(q.Verdict, "No better than guessing") {
		t.Errorf("null data: %s", q.Verdict)
	}
}

// A feature that was counted after the cut-off is caught and named.
func TestPlantedLeakIsNamed(t *testing.T) {
	tab := planted(3, 2000)
	tab.Names, tab.Units = append(tab.Names, "visits_next_month"), append(tab.Units, "events")
	var next []float64
	for i, y := range tab.Yes {
		if y {
			next = append(next, 0)
		} else {
			next = append(next, 1+float64(i%4))
		}
	}
	tab.X, tab.Known = append(tab.X, next), append(tab.Known, nil)
	if _, err := Train(tab, Options{}); !errors.Is(err, ErrLeak) || !strings.Contains(err.Error(), "visits_next_month") {
		t.Errorf("planted leak: %v", err)
	}
	_, err := Train(tab, Options{Allow: func(n string) bool { return n == "visits_next_month" }})
	if !errors.Is(err, ErrSeparated) {
		t.Errorf("a leak let pass still separates: %v", err)
	}
}

// The known-or-not of a measure can be the leak itself.
func TestLeakByAbsence(t *testing.T) {
	tab := NewTable([]string{"a", "last_reason"}, make([]string, 2))
	rng := rand.New(rand.NewPCG(5, 5))
	for range 400 {
		y := rng.Float64() < 0.4
		tab.Add([]float64{rng.NormFloat64(), 1}, []bool{true, y}, y)
	}
	if _, err := Train(tab, Options{}); !errors.Is(err, ErrLeak) || !strings.Contains(err.Error(), "last_reason has no value") {
		t.Errorf("leak by absence: %v", err)
	}
}

func TestBadTables(t *testing.T) {
	rows := func(n int, f func(i int) (x float64, yes bool)) *Table {
		t := NewTable([]string{"x", "flat"}, make([]string, 2))
		for i := range n {
			x, y := f(i)
			t.Add([]float64{x, 7}, nil, y)
		}
		return t
	}
	rng := rand.New(rand.NewPCG(9, 9))
	for _, tc := range []struct {
		name string
		tab  *Table
		want error
		say  string
	}{
		{"nobody", rows(0, nil), ErrTooFew, "0 users"},
		{"ten users", rows(10, func(i int) (float64, bool) { return float64(i), i%2 == 0 }), ErrTooFew, "10 users"},
		{"nobody churned", rows(100, func(i int) (float64, bool) { return float64(i), false }), ErrOneClass, "none of 100"},
		{"all churned", rows(100, func(i int) (float64, bool) { return float64(i), true }), ErrOneClass, "all 100"},
		{"three churned", rows(100, func(i int) (float64, bool) { return float64(i), i < 3 }), ErrTooFew, "3 of 100"},
		{"a NaN", rows(100, func(i int) (float64, bool) { return math.NaN(), i%2 == 0 }), ErrNotFinite, "row 1"},
		{"an amount beyond squares", rows(100, func(i int) (float64, bool) { return []float64{1, 2, 1e300}[i%3], i%2 == 0 }), ErrNotFinite, "x of row 3 is 1e+300"},
		{"an infinite amount", rows(100, func(i int) (float64, bool) { return []float64{1, 2, math.Inf(1)}[i%3], i%2 == 0 }), ErrNotFinite, "x of row 3 is +Inf"},
		{"constant features", rows(100, func(i int) (float64, bool) { return 3, i%2 == 0 }), ErrNothing, "every one of 2"},
		{"perfectly separated", rows(100, func(i int) (float64, bool) { return float64(i), i < 50 }), ErrLeak, "x alone"},
	} {
		if _, err := Train(tc.tab, Options{}); !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.say) {
			t.Errorf("%s: %v, want %v with %q", tc.name, err, tc.want, tc.say)
		}
	}
	// Separated by two features together, by neither alone.
	two := NewTable([]string{"a", "b"}, make([]string, 2))
	for range 400 {
		a := rng.NormFloat64()
		y := rng.Float64() < 0.5
		b := -a - 1
		if y {
			b = -a + 1
		}
		two.Add([]float64{a, b}, nil, y)
	}
	if _, err := Train(two, Options{Clip: -1}); !errors.Is(err, ErrSeparated) {
		t.Errorf("separated by two: %v", err)
	}
	m, err := Train(rows(200, func(i int) (float64, bool) { return rng.NormFloat64(), rng.Float64() < 0.5 }), Options{})
	if err != nil || !slices.Equal(m.Dropped, []string{"flat"}) {
		t.Errorf("a constant column: %v, dropped %v", err, m)
	}
}

func TestHugeValuesStayFinite(t *testing.T) {
	tab := planted(4, 500)
	for i := range 30 {
		tab.X[1][i] = most
	}
	m, err := Train(tab, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{-1e308, 0, 1e308, math.Inf(1), math.NaN()} {
		if p := m.Predict([]float64{v, v, v}, nil); !(p >= 0 && p <= 1) {
			t.Errorf("value %v: probability %v", v, p)
		}
	}
}

func TestStop(t *testing.T) {
	n := 0
	_, err := Train(planted(1, 500), Options{Stop: func() bool { n++; return n > 2 }})
	if !errors.Is(err, ErrStopped) {
		t.Errorf("stopped training: %v", err)
	}
	told := 0
	if _, err := Train(planted(1, 500), Options{Progress: func(done, total int) { told++ }}); err != nil || told == 0 {
		t.Errorf("progress was told %d times, %v", told, err)
	}
}

// Contributions add to the prediction, whatever is missing; equal tables give
// equal models; a saved model predicts the same.
func TestReasonsAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 1))
	tab := NewTable([]string{"a", "b", "c"}, []string{"days", "", "EUR"})
	for range 3000 {
		a, b, c := rng.ExpFloat64()*20, rng.NormFloat64(), rng.ExpFloat64()*100
		k := []bool{true, rng.Float64() < 0.7, rng.Float64() < 0.5}
		tab.Add([]float64{a, b, c}, k, rng.Float64() < sigmoid(a/20-1+b))
	}
	m, err := Train(tab, Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Train(tab, Options{})
	saved := &Saved{Question: Question{Definition: ByGap, Gap: 30, Horizon: 30}, Fitted: *m}
	body, err := saved.Format()
	if err != nil {
		t.Fatal(err)
	}
	other, _ := (&Saved{Question: Question{Definition: ByGap, Gap: 30, Horizon: 30}, Fitted: *again}).Format()
	if !bytes.Equal(body, other) {
		t.Error("the same table gave two models")
	}
	back, err := ParseSaved(body)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Features) != 5 {
		t.Errorf("%d features, want 3 and 2 of absence", len(m.Features))
	}
	for range 500 {
		v := []float64{rng.ExpFloat64() * 50, rng.NormFloat64() * 3, rng.ExpFloat64() * 500}
		k := []bool{rng.IntN(2) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0}
		sum := m.Average()
		last := math.Inf(1)
		for _, r := range m.Reasons(v, k) {
			sum += r.LogOdds
			if math.Abs(r.LogOdds) > last {
				t.Fatal("reasons are not in order of strength")
			}
			last = math.Abs(r.LogOdds)
		}
		for _, r := range m.Reasons(v, k) {
			if own := v[r.Feature.Column]; r.Own != own || r.Held() != (r.Known && !r.Feature.Absent && (own < r.Feature.Lo || own > r.Feature.Hi)) {
				t.Fatalf("%s: the user's own %v is told as %v, held %v", r.Feature.Label(), own, r.Own, r.Held())
			}
		}
		p := m.Predict(v, k)
		if got := sigmoid(sum); math.Abs(got-p) > 1e-12 {
			t.Fatalf("reasons add to %v, the prediction is %v", got, p)
		}
		if q := back.Fitted.Predict(v, k); q != p {
			t.Fatalf("the saved model says %v, the trained one %v", q, p)
		}
	}
}

func TestParseSavedRefuses(t *testing.T) {
	for _, body := range []string{"", "x = [", "[question]\nhorizon = 30\n[fitted]\nintercept = nan\ncolumns = ['a']\n[[fitted.feature]]\nname = 'a'\n",
		"[question]\nhorizon = 30\n[fitted]\ncolumns = ['a']\n[[fitted.feature]]\nname = 'a'\ncolumn = 4\n"} {
		if _, err := ParseSaved([]byte(body)); !errors.Is(err, ErrBadModel) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestJudgeRefuses(t *testing.T) {
	some := func(yes, no int) (fs []stat.Forecast) {
		for i := range yes + no {
			fs = append(fs, stat.Forecast{P: 0.5, Yes: i < yes})
		}
		return fs
	}
	for _, tc := range []struct {
		fs   []stat.Forecast
		want error
	}{{nil, ErrTooFew}, {some(50, 0), ErrOneClass}, {some(0, 50), ErrOneClass}, {some(50, 3), ErrTooFew}} {
		if _, err := Judge(tc.fs, 10, stat.Level); !errors.Is(err, tc.want) {
			t.Errorf("%d forecasts: %v, want %v", len(tc.fs), err, tc.want)
		}
	}
	q, err := Judge(some(50, 50), 10, stat.Level)
	if err != nil || q.Better || !strings.HasPrefix(q.Verdict, "No better than guessing") {
		t.Errorf("one probability for all: %q, %v", q.Verdict, err)
	}
}
