package query

import "dwell/model"

// lintReading adds the warnings that a reader of rates by age or stage needs (SPEC
// 6.14): cells that are partly open, a G under the usage interval, groups judged by
// what users did after their start, and days without any data.
func (r *Run) lintReading(b *Builder) {
	open, first := 0, -1
	for i := range b.A.Figures {
		if f := &b.A.Figures[i]; f.Kind == Rate && !f.None && f.Open > 0 {
			if open++; first < 0 {
				first = i
			}
		}
	}
	if open > 0 {
		f := &b.A.Figures[first]
		b.Warn("open-cells", "%d of the rates are of users whose time has come, while others' has not (%s: %d counted, %d still open): they can move.", open, f.Label, f.N, f.Open)
	}
	g, usage := r.Schema.Params["G"], r.Schema.Params["usage"]
	if r.Spec.Key("truncated") != nil && g > 0 && usage > g {
		b.Warn("short-gap", "G is %g days, shorter than the usage interval of %g: users who keep their own rhythm are taken for lost in between.", g, usage)
	}
	if r.Str("judge") == "landmark" && r.everybody() == 0 {
		b.Warn("knows-future", "The groups know the future: users who started before %s are sorted by what they did up to that day, after their start. judge=start sorts them by what was known then.", r.Str("landmark"))
	}
	r.lintEmptyDays(b)
}

// lintEmptyDays names days within the data on which no load has an event. Where
// several loads may fill each other's gaps nothing is said.
func (r *Run) lintEmptyDays(b *Builder) {
	if len(r.Info.Loads) != 1 || r.Spec.Key("truncated") == nil {
		return
	}
	var days []model.Day
	for _, d := range r.Info.Loads[0].Quality.EmptyDays {
		if d > r.FirstDay && d < r.AsOf {
			days = append(days, d)
		}
	}
	switch n := len(days); {
	case n == 1:
		b.Warn("empty-day", "There is no event at all on %s: nobody can have been active on it.", days[0])
	case n > 1:
		b.Warn("empty-day", "There is no event at all on %d days, the first %s: nobody can have been active on them.", n, days[0])
	}
}
