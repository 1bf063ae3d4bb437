package query_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
)

// paidData holds payments, each "user day amount paid-until", and for each user an
// event long after.
func paidData(t *testing.T, lines ...string) (*model.Memory, *model.Dictionary) {
	t.Helper()
	b := &model.Batch{Props: []model.BatchCol{{Key: "paid_until"}}}
	add := func(user, day, name string, amount model.Money, until string) {
		d, err := model.ParseDay(day)
		if err != nil {
			t.Fatal(err)
		}
		b.Line = append(b.Line, int64(len(b.Line)+1))
		b.User = append(b.User, []byte(user))
		b.Time = append(b.Time, int64(d)*86_400_000+3_600_000)
		b.Event = append(b.Event, []byte(name))
		b.Amount = append(b.Amount, amount)
		b.Props[0].Values = append(b.Props[0].Values, []byte(until))
	}
	for _, l := range lines {
		f := strings.Fields(l)
		var amount model.Money
		for _, c := range f[2] {
			amount = 10*amount + model.Money(c-'0')*model.Unit
		}
		add(f[0], f[1], "pay", amount, f[3])
		add(f[0], "2021-07-15", "open", model.NoMoney, "")
	}
	mem := model.NewMemory()
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: int64(b.Len())}, []model.SourceInfo{{Path: "paid.csv", Digest: "paid", Rows: int64(b.Len())}}); err != nil {
		t.Fatal(err)
	}
	d := model.NewDictionary()
	d.Starts = "complete"
	d.Events["pay"] = "purchase"
	d.Columns.PaidUntil = "paid_until"
	return mem, d
}

// TestMRRMovements works through contracts by hand: a lapse and a return, a rise and
// a fall, a year's payment, a renewal some days early and one a day late.
func TestMRRMovements(t *testing.T) {
	mem, dict := paidData(t,
		"lapse 2021-01-10 10 2021-02-10", "lapse 2021-02-10 10 2021-03-10", "lapse 2021-05-03 10 2021-06-03",
		"rise 2021-01-20 10 2021-02-20", "rise 2021-02-20 25 2021-03-20", "rise 2021-03-20 5 2021-04-20",
		"year 2021-02-01 120 2022-02-01",
		"early 2021-01-05 30 2021-02-05", "early 2021-02-01 30 2021-03-05", "early 2021-03-05 30 2021-04-05",
		"late 2021-01-28 40 2021-02-28", "late 2021-03-01 40 2021-04-01",
	)
	for _, c := range []struct {
		address string
		want    map[string]float64
	}{
		{"mrr", map[string]float64{
			"month.2021-01.mrr": 10 + 10 + 30 + 40, "month.2021-01.new": 90,
			"month.2021-02.mrr": 10 + 25 + 10 + 30, "month.2021-02.new": 10, "month.2021-02.expansion": 15, "month.2021-02.churn": -40, // late is not paid for on the 28th
			"month.2021-03.mrr": 5 + 10 + 30 + 40, "month.2021-03.contraction": -20, "month.2021-03.churn": -10, "month.2021-03.reactivation": 40,
			"month.2021-04.mrr": 10, "month.2021-04.churn": -75,
			"month.2021-05.mrr": 20, "month.2021-05.reactivation": 10, "month.2021-06.churn": -10,
			"mrr": 10, "subscribers": 1, "ever": 5,
		}},
		{"mrr?grace=3", map[string]float64{"month.2021-02.mrr": 115, "month.2021-02.churn": 0, "month.2021-03.reactivation": 0}},
		{"mrr@2021-03-15", map[string]float64{"mrr": 25 + 10 + 30 + 40, "subscribers": 4}},
	} {
		a := ask(t, over(t, mem, dict), c.address)
		for key, want := range c.want {
			if f := a.Figure(key); f == nil || f.Value != want {
				t.Errorf("%s %s: %v, want %v", c.address, key, f, want)
			}
		}
	}
}

// TestMRRAddsUp says that the movements of random contracts are the change of what
// contracts bring, and that every figure is its list.
func TestMRRAddsUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	var lines []string
	for u := range 160 {
		day := model.DayOf(2020, 3, 1) + model.Day(rng.IntN(200))
		length := model.Day([]int{30, 30, 30, 91, 365, 7}[rng.IntN(6)])
		price := 5 + rng.IntN(40)
		for day <= model.DayOf(2021, 7, 15) {
			lines = append(lines, strings.Join([]string{"u" + string(rune('a'+u/26)) + string(rune('a'+u%26)), day.String(), query.Number(float64(price)), (day + length).String()}, " "))
			day += length
			switch rng.IntN(12) {
			case 0:
				price += 3
			case 1:
				price = max(1, price-2)
			case 2:
				if u%3 == 0 {
					day += model.Day(rng.IntN(90))
				}
			}
			if rng.Float64() < []float64{0.6, 0.01, 0.03}[u%3] { // users differ in how loyal they are
				break
			}
		}
	}
	mem, dict := paidData(t, lines...)
	e := over(t, mem, dict)
	a := ask(t, e, "mrr")
	before := 0.0
	for i := range a.Figures {
		label, ok := strings.CutSuffix(a.Figures[i].Key, ".mrr")
		if !ok || !strings.HasPrefix(label, "month.") {
			continue
		}
		sum := 0.0
		for _, k := range []string{"new", "expansion", "contraction", "churn", "reactivation"} {
			sum += a.Figure(label + "." + k).Value
		}
		if now := a.Figures[i].Value; math.Abs(now-before-sum) > 1e-6 {
			t.Errorf("%s: from %v to %v, the movements add up to %v", label, before, now, sum)
		} else {
			before = now
		}
	}
	if f := a.Figure("expected.monthly"); f == nil || !(f.Value > 0) {
		t.Errorf("monthly contracts are expected to bring %v: %v", f, a.Warnings)
	}
	for _, address := range []string{"mrr", "mrr?grace=5&unit=quarter", "mrr@2020-12-24?where=events%20%3E%203"} {
		try(t, e, address, 15, rng)
	}
}
