package query_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"dwell/model"
)

// Contract churn against contracts read the slow way: who has paid for the day of
// the cut-off is scored, and has churned if the payments stop within the horizon.
func TestChurnByContract(t *testing.T) {
	mem := model.NewMemory()
	rng := rand.New(rand.NewPCG(8, 9))
	begin := model.DayOf(2024, 1, 1)
	ends := map[int]model.Day{} // the day that is no longer paid, after the last payment
	first := map[int]model.Day{}
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
			for first[u] = day; day < begin+300; day += 30 {
				row(day, "pay", (day + 30).String())
				for d := model.Day(1); d < 30; d += 1 + model.Day(rng.IntN(2+20*(u%2))) {
					row(day+d, "open", "")
				}
				if ends[u] = day + 30; rng.Float64() < leave {
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
	for u, end := range ends {
		if first[u] > cut || end <= cut {
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
	listed(t, e, a, "scored")
	listed(t, e, a, "silent")
}
