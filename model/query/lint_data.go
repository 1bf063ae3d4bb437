package query

import (
	"fmt"
	"strings"

	"dwell/model"
)

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
		these, they := "%d of the rates are", "they"
		if open == 1 {
			these, they = "%d of the rates is", "it"
		}
		b.Warn("open-cells", these+" of users whose time has come, while others' has not (%s: %d counted, %d still open): "+they+" can move.", open, f.Label, f.N, f.Open)
	}
	g, usage := r.Schema.Params["G"], r.Schema.Params["usage"]
	if r.Spec.Key("truncated") != nil && g > 0 && usage > g {
		b.Warn("short-gap", "G is %g days, shorter than the usage interval of %g: users who keep their own rhythm are taken for lost in between.", g, usage)
	}
	if r.Str("judge") == "landmark" && r.everybody() == 0 {
		b.Warn("knows-future", "The groups know the future: users who started before %s are sorted by what they did up to that day, after their start. judge=start sorts them by what was known then.", r.Str("landmark"))
	}
	r.lintDays(b)
}

// lintDays names days without any data, whichever load they are missing from, and
// event names that begin or end within the data and are among those the question
// looks at: a new kind of event makes everybody more active. Days are counted in the
// dictionary's zone; in another nothing is said.
func (r *Run) lintDays(b *Builder) {
	looks := r.looksAt()
	if looks == nil || r.AsOf < firstDay(r.Info, r.Cal) || r.Cal.Zone != r.st.dict.Zone || r.AsOf-r.FirstDay > maxDays {
		return
	}
	c, err := r.st.census(r.Ctx, r.eng, r.progress)
	if err != nil {
		b.err = err
		return
	}
	switch days := c.empty(r.FirstDay, r.LastDay); len(days) {
	case 0:
	case 1:
		b.Warn("empty-day", "There is no event at all on %s: nobody can have been active on it.", days[0])
	default:
		b.Warn("empty-day", "There is no event at all on %d days, the first %s: nobody can have been active on them.", len(days), days[0])
	}
	var said []string
	for _, x := range c.changes(r.FirstDay, r.LastDay) {
		if !looks(x.Name) {
			continue
		}
		text := r.Info.Names[x.Name].Name
		switch {
		case x.Begins != model.NoDay && x.Ends != model.NoDay:
			text += fmt.Sprintf(" is there from %s to %s only", x.Begins, x.Ends)
		case x.Begins != model.NoDay:
			text += fmt.Sprintf(" begins on %s", x.Begins)
		default:
			text += fmt.Sprintf(" ends on %s", x.Ends)
		}
		said = append(said, text+fmt.Sprintf(" (%.0f %% of the events while it was there)", 100*x.Share))
	}
	if n := len(said); n > 0 {
		if n > 3 {
			said = append(said[:3], fmt.Sprintf("and so do %d more", n-3))
		}
		b.Warn("event-list", "The event list changed: %s. Before and after are not alike: users look more or less active by that alone.", strings.Join(said, "; "))
	}
}

// looksAt says which event names a question about activity over time looks at; nil
// for questions of another sort.
func (r *Run) looksAt() func(model.NameID) bool {
	if r.Spec.Key("truncated") == nil && r.Spec.Key("activity") == nil && r.Spec.Key("step") == nil {
		return nil
	}
	var words []string
	for _, key := range []string{"start", "return", "step", "exclude"} {
		if r.Spec.Key(key) == nil {
			continue
		}
		for _, w := range r.Strs(key) {
			if key != "start" || w != "any" { // somebody's first event is there, whatever its name
				words = append(words, w)
			}
		}
	}
	if r.Spec.Key("activity") != nil {
		words = append(words, map[string]string{"active": "active", "purchase": "role:purchase", "any": "any"}[r.Str("activity")])
	}
	var picks []pick
	for _, w := range words {
		w, _, _ = strings.Cut(w, " where ")
		if k, err := r.pick(strings.TrimSpace(w)); err == nil {
			picks = append(picks, k)
		}
	}
	return func(n model.NameID) bool {
		role := r.Roles.Name(n)
		for _, k := range picks {
			switch {
			case k.all, k.active && role.Active(), role&k.role != 0, !k.active && k.role == 0 && k.name == n:
				return true
			}
		}
		return false
	}
}
