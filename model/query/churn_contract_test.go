package query_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"dwell/model"
)

// Contract churn against contracts read the slow way: who has paid for the day of
// the cut-off, and not for all the horizon, is scored, and has churned if the
// payments stop within it. A third of the users pays for a hundred days at once.
func TestChurnByContract(t *testing.T) {
	mem := model.NewMemory()
	rng := rand.New(rand.NewPCG(8, 9))
	begin := model.DayOf(2024, 1, 1)
	ends := map[int]model.Day{} // the day that is no longer paid, after the last payment
	first := map[int]model.Day{}
	known := map[int]map[model.Day]model.Day{} // by the day of each payment, what it pays until
	add(t, mem, func(b *model.Batch) {
		b.Props = []model.BatchCol{{Key: "paid_until"}}
		for u := range 600 {
			row := func(day model.Day, event, until string) {
				b.User = append(b.User, fmt.Appendf(nil, "u%04d", u))
				b.Event, b.Time = append(b.Event, []byte(event)), append(b.Time, int64(day)*86_400_000)
				b.Props[0].Values = append(b.Props[0].Values, []byte(until))
				b.Line = append(b.Line, int64(len(b.Line)+1))
			}
			leave := 0.1 + 0.3*float64(u%2)
			day := begin + model.Day(rng.IntN(60))
			step := model.Day(30)
			if u%3 == 0 {
				step = 100
			}
			known[u] = map[model.Day]model.Day{}
			for first[u] = day; day < begin+300; day += step {
				row(day, "pay", (day + step).String())
				known[u][day] = day + step
				for d := model.Day(1); d < step; d += 1 + model.Day(rng.IntN(2+20*(u%2))) {
					row(day+d, "open", "")
				}
				if ends[u] = day + step; rng.Float64() < leave {
					break
				}
			}
		}
		for len(b.Props[0].Values) < b.Len() {
			b.Props[0].Values = append(b.Props[0].Values, nil)
		}
	})
	dict := model.NewDictionary()
	dict.Starts = "complete"
	dict.Events["pay"], dict.Columns.PaidUntil = "purchase", "paid_until"
	e := over(t, mem, dict)
	a := ask(t, e, "churn@2024-08-27?by=contract&horizon=40&folds=1")
	cut := a.AsOf - 40
	tested, churned := 0, 0
	until := func(u int, day model.Day) (paid model.Day) {
		for d, end := range known[u] {
			if d <= day {
				paid = max(paid, end)
			}
		}
		return paid
	}
	for u, end := range ends {
		if first[u] > cut || end <= cut || until(u, cut) > cut+40 {
			continue
		}
		if tested++; end <= a.AsOf {
			churned++
		}
	}
	f := a.Figure("base_rate")
	if int(f.N) != tested || int(f.Value*float64(tested)+0.5) != churned || a.Figure("auc") == nil {
		t.Errorf("base rate %v of %d, the slow way %d of %d; %v", f.Value, f.N, churned, tested, a.Warnings)
	}
	safe, open := 0, 0
	for u := range ends {
		switch paid := until(u, a.AsOf); {
		case paid > a.AsOf+40:
			safe++
		case paid > a.AsOf:
			open++
		}
	}
	if got := a.Figure("safe"); got == nil || int(got.Value) != safe || safe == 0 {
		t.Errorf("safe: %+v, the slow way %d", got, safe)
	}
	if got := a.Figure("scored"); int(got.Value) != open {
		t.Errorf("scored: %v, the slow way %d", got.Value, open)
	}
	listed(t, e, a, "safe")
	listed(t, e, a, "scored")
	listed(t, e, a, "silent")
}
