package measure_test

import (
	"math/rand"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/measure"
)

// BenchmarkPopulation computes a population's measures for users of 20 events.
func BenchmarkPopulation(b *testing.B) {
	var refs []measure.Ref
	for _, name := range strings.Fields(`tenure_days recency_days first_day last_day events active_days sessions gap_median_days
		orders revenue aov refunds complaints contract_open milestones_135`) {
		refs = append(refs, measure.Of(name))
	}
	refs = append(refs, measure.Of("events", 30), measure.Of("active_days", 28), measure.Of("revenue", 90), measure.Property("plan"))
	s := testSchema(b, "Europe/Vienna", model.Columns{})
	cur := compile(b, refs, s)
	r := rand.New(rand.NewSource(1))
	var users []*model.Timeline
	for range 1000 {
		tl := &model.Timeline{ID: "u", Props: make([]model.Column, len(s.Info.Keys))}
		at := int64(model.DayOf(2024, 1, 1)) * 86_400_000
		for range 20 {
			at += r.Int63n(20 * 86_400_000)
			tl.Time = append(tl.Time, at)
			tl.Name = append(tl.Name, model.NameID(r.Intn(len(names))))
			tl.Amount = append(tl.Amount, model.Money(r.Intn(100))*model.Unit)
			for k := range tl.Props {
				if s.Info.Keys[k].Plain {
					tl.Props[k].Plain = append(tl.Props[k].Plain, "x")
				} else {
					tl.Props[k].Codes = append(tl.Props[k].Codes, uint32(r.Intn(len(s.Info.Keys[k].Values))))
				}
			}
		}
		users = append(users, tl)
	}
	day := model.DayOf(2024, 9, 1)
	for b.Loop() {
		for _, tl := range users {
			cur.Reset(tl)
			cur.At(day, measure.State{})
			for i := range refs {
				cur.Value(i)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/user")
}
