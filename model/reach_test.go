package model_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/modeltest"
)

// The first and the last day are those of the events looked at one by one, in
// zones ahead of UTC and behind it, of dates alone and times of day mixed.
func TestDaysAreThoseOfTheEvents(t *testing.T) {
	const hour = 3_600_000
	rapid.Check(t, func(rt *rapid.T) {
		var rows []modeltest.Row
		for range rapid.IntRange(0, 6).Draw(rt, "rows") {
			r := modeltest.Row{User: "u", Event: "e", Amount: model.NoMoney, Time: int64(rapid.IntRange(24*20000, 24*20003).Draw(rt, "hour")) * hour}
			if r.Dated = rapid.Bool().Draw(rt, "dated"); r.Dated {
				r.Time -= r.Time % (24 * hour)
			}
			rows = append(rows, r)
		}
		mem := modeltest.InMemory(t)
		if _, err := modeltest.Load(t, mem, model.LoadPlan{Zone: "UTC", Sources: []model.SourceInfo{{Path: "f", Digest: "f"}}}, rows, 1); err != nil {
			t.Fatal(err)
		}
		snap, err := mem.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cal, err := model.NewCalendar(rapid.SampledFrom([]string{"UTC", "America/Los_Angeles", "Pacific/Auckland"}).Draw(rt, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		var want []model.Day
		err = snap.Scan(t.Context(), model.Split{To: model.Buckets}, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
			for i := range tl.Time {
				want = append(want, cal.EventDay(tl, i))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		first, last, ok := snap.Info().Days(cal)
		if ok != (len(want) > 0) {
			rt.Fatalf("ok is %t of %d events", ok, len(want))
		}
		if ok && (first != slices.Min(want) || last != slices.Max(want)) {
			rt.Fatalf("days are %v to %v, the events' %v", first, last, want)
		}
	})
}
