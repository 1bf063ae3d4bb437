package retention_test

import (
	"slices"
	"testing"

	"dwell/model"
	"dwell/model/retention"

	"pgregory.net/rapid"
)

// A Past says of every calendar definition what the timeline itself says.
func TestPastEqualsTimeline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tl := &model.Timeline{ID: "u", IDs: []string{"u"}}
		at := int64(rapid.IntRange(0, 400).Draw(t, "first")) * 3_600_000
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			at += int64(rapid.IntRange(0, 200).Draw(t, "gap")) * 3_600_000
			tl.Time = append(tl.Time, at)
			tl.Name = append(tl.Name, model.NameID(rapid.IntRange(0, 2).Draw(t, "name")))
		}
		is := func(n int) retention.Match {
			return func(tl *model.Timeline, i int) bool { return n == 3 || tl.Name[i] == model.NameID(n) }
		}
		d := retention.Definition{
			Cal:  model.UTC(),
			Unit: rapid.SampledFrom([]model.PeriodUnit{model.Daily, model.Weekly, model.Monthly, model.Quarterly, model.Custom}).Draw(t, "unit"),
			Mode: rapid.SampledFrom([]retention.Mode{retention.On, retention.OnOrAfter, retention.Streak, retention.Bracket}).Draw(t, "mode"),
			All:  rapid.Bool().Draw(t, "all"), AsOf: model.Day(rapid.IntRange(0, 300).Draw(t, "asof")),
			Start: is(rapid.IntRange(0, 3).Draw(t, "start")), Return: is(rapid.IntRange(0, 3).Draw(t, "return")),
			SeenBefore: model.Day(rapid.IntRange(0, 30).Draw(t, "before")),
		}
		d.Cohort = rapid.SampledFrom([]model.PeriodUnit{model.Daily, model.Weekly, model.Monthly}).Draw(t, "cohort")
		if d.Unit == model.Custom {
			d.Every = rapid.IntRange(1, 10).Draw(t, "every")
		}
		switch d.Mode {
		case retention.Bracket:
			d.Spans = []retention.Span{{From: 0, To: 1}, {From: 1, To: 3}, {From: 4, To: 4}, {From: 3, To: 9}}
		case retention.OnOrAfter:
			if !d.All && rapid.Bool().Draw(t, "equal") {
				d.Within = rapid.IntRange(1, 40).Draw(t, "within")
			}
			fallthrough
		default:
			d.Intervals = rapid.IntRange(0, 20).Draw(t, "intervals")
		}
		r, err := retention.New(d)
		if err != nil {
			t.Fatal(err)
		}
		if !d.Plain() {
			t.Fatal("this definition is plain")
		}
		lives := slices.Clone(r.Read(tl, nil))
		for i := range lives {
			lives[i].Cells = slices.Clone(lives[i].Cells)
		}
		var p retention.Past
		ok := r.Past(tl, d.Cal.Days(nil, tl), &p)
		if ok != (len(lives) > 0) {
			t.Fatalf("started: %v, and %d lives", ok, len(lives))
		}
		if !ok {
			return
		}
		l := lives[0]
		if p.Start != l.Start || r.Truncated(&p) != l.Truncated || r.Cohort(p.Start) != l.Cohort {
			t.Fatalf("got %+v, want %+v", p, l)
		}
		cells := slices.Clone(r.Standing(p.Start))
		for _, c := range r.Backs(nil, &p) {
			cells[c] = cells[c].Returned()
		}
		if !slices.Equal(cells, l.Cells) {
			t.Fatalf("cells %v, want %v (%+v)", cells, l.Cells, p)
		}
	})
}
