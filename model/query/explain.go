package query

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
)

// Explain says what a figure is: definition, formula, population, window, zone,
// interval, versions, and two of the data's own users worked through. It runs
// the figure's own kernel for its users.
func (e *Engine) Explain(ctx context.Context, q Query, key string, p Progress) (*Explanation, error) {
	st, err := e.hold(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.drop() }() // nothing more is read
	a, err := e.answerAt(ctx, st, q, p)
	if err != nil {
		return nil, err
	}
	f, part, err := figurePart(a, key)
	if err != nil {
		return nil, err
	}
	return guarded(func() (*Explanation, error) {
		r, err := e.newRun(ctx, st, a.Query, p)
		if err != nil {
			return nil, err
		}
		plan, err := r.an.plan(r)
		if err != nil {
			return nil, err
		}
		x := &Explanation{Figure: *f, Lines: r.general(a, f, part)}
		if plan.Explain != nil {
			x.Lines = overlay(x.Lines, plan.Explain(f))
		}
		examples, err := r.examples(plan, f, part)
		if err != nil {
			return nil, err
		}
		x.Lines = append(x.Lines, examples...)
		return x, nil
	})
}

// overlay replaces lines of the same head and appends the others.
func overlay(lines, own []ExplainLine) []ExplainLine {
	for _, l := range own {
		if i := slices.IndexFunc(lines, func(o ExplainLine) bool { return o.Head == l.Head }); i >= 0 {
			lines[i] = l
		} else {
			lines = append(lines, l)
		}
	}
	return lines
}

// general are the lines that every figure has.
func (r *Run) general(a *Answer, f *Figure, part Part) []ExplainLine {
	var out []ExplainLine
	add := func(head, text string) { out = append(out, ExplainLine{Head: head, Text: text}) }
	add("Figure", f.Label+" ("+f.Key+")")
	add("Definition", a.Definition)
	add("Formula", formulaOf(f, part))
	add("Population", r.populationNote(f))
	add("Window", fmt.Sprintf("Events up to the end of %s are read, from the first, %s; nothing later.", r.AsOf, r.FirstDay))
	add("Zone", fmt.Sprintf("Days are calendar days of %s; weeks start on %s.", r.Cal.Zone, r.Cal.WeekStart))
	if f.Interval {
		add("Interval", fmt.Sprintf("%s: from %s to %s.", f.Method, Number(f.Lo), Number(f.Hi)))
	} else {
		add("Interval", r.intervalNote(f))
	}
	versions := "data " + a.Data.String() + ", dictionary " + r.st.dictHash
	if a.Model != "" {
		versions += ", stage model " + r.st.model.Name + " " + a.Model
	}
	add("Versions", versions+", definitions "+programVersion)
	return out
}

func formulaOf(f *Figure, part Part) string {
	switch {
	case part != Self:
		return fmt.Sprintf("the number of users in the list %q of the rate", partNames[part])
	case f.None:
		return "there is no value: nobody is in the denominator"
	}
	switch f.Kind {
	case Count:
		return fmt.Sprintf("the number of users in its list: %d", f.N)
	case Rate:
		out := fmt.Sprintf("users in its list over users in %s/of: %s of %d", f.Key, Number(float64(int64(f.Value*float64(f.N)+0.5))), f.N)
		if f.Open > 0 {
			out += fmt.Sprintf("; %s, whose time has not come, are in neither (%d of them have already returned)", countOf(f.Open, "user"), f.OpenReturned)
		}
		return out
	case Sum:
		return fmt.Sprintf("the exact sum of the amounts of %s", countOf(f.N, "user"))
	case Rows:
		return fmt.Sprintf("the sum of the event numbers of %s", countOf(f.N, "user"))
	case Pairs:
		return "the number of pairs of a user and an interval; a user may be in several"
	}
	return fmt.Sprintf("a statistic of %s", countOf(f.N, "user"))
}

func (r *Run) populationNote(f *Figure) string {
	g := r.Groups[min(f.Group, len(r.Groups)-1)]
	if r.Q.Get("of") != "" {
		text := "the users behind " + r.Q.Get("key") + " of " + r.Q.Get("of")
		if g.Rule != "" {
			text += " for whom the rule " + g.Rule + " holds"
		}
		return text
	}
	if g.Rule == "" {
		return fmt.Sprintf("everybody with an event up to %s", r.AsOf)
	}
	when := "on the as-of day"
	if r.Spec.Key("judge") != nil {
		when = "on each user's start"
		if r.Str("judge") == "landmark" {
			when = "on " + r.Str("landmark") + "; users who start later are left out"
		}
	}
	return fmt.Sprintf("users for whom the rule %s holds, judged %s", g.Rule, when)
}

// estimating are the questions whose sums add up what a model expects of users.
var estimating = []string{"targets", "expected"}

func (r *Run) intervalNote(f *Figure) string {
	if f.Kind == Sum && slices.Contains(estimating, r.Spec.Name) {
		return "none is given: what a model expects of each user is added up"
	}
	switch f.Kind {
	case Count, Sum, Rows, Pairs:
		return "none: everything is counted, nothing is estimated"
	}
	if f.None {
		return "none: there is no value"
	}
	return "none is given"
}

// examples works two users through: for a rate one of the numerator and one of
// the rest, else the first two of the list.
func (r *Run) examples(plan *Plan, f *Figure, part Part) ([]ExplainLine, error) {
	type example struct {
		u  User
		in bool
	}
	var picked []example
	for _, half := range []struct {
		part Part
		n    int
		in   bool
	}{{part, 2, true}, {Lost, 1, false}} {
		if half.part == Lost && (f.Kind != Rate || part != Self) {
			continue
		}
		l, err := r.collect(plan, f, half.part, half.n)
		if err != nil {
			return nil, err
		}
		if !half.in && len(l.Users) > 0 {
			picked = picked[:min(1, len(picked))] // one who came back beside one who did not
		}
		for _, u := range l.Users[:min(half.n, len(l.Users))] {
			picked = append(picked, example{u, half.in})
		}
	}
	var out []ExplainLine
	for _, x := range picked {
		text, err := r.work(plan, f, x.u, x.in)
		if err != nil {
			return nil, err
		}
		out = append(out, ExplainLine{Head: "For example", Text: text, Go: r.link(Query{Analysis: "user", ID: x.u.ID})})
	}
	return out, nil
}

// work is one user's sentence.
func (r *Run) work(plan *Plan, f *Figure, u User, in bool) (string, error) {
	needs := Needs{Names: plan.Names, Columns: plan.Columns, Amounts: plan.Amounts, Sources: plan.Sources}
	tl, err := r.Snap.User(r.Ctx, u.ID, model.Filter{Until: r.Cut, Names: needs.Names, Columns: needs.Columns, Sources: needs.Sources, Amounts: needs.Amounts || r.Roles.NeedsAmount()})
	if err != nil {
		return "", err
	}
	if tl.Len() == 0 {
		return "User " + u.ID + " has no event up to " + r.AsOf.String() + ".", nil
	}
	p := &Person{TL: &tl, Days: r.Cal.Days(nil, &tl), Row: -1}
	model.InDayOrder(p.Days, &tl)
	if plan.Work != nil {
		if text := plan.Work(p, f, in); text != "" {
			return text, nil
		}
	}
	active := r.ActiveDays(nil, p)
	var b strings.Builder
	fmt.Fprintf(&b, "User %s: %s from %s to %s, %s", u.ID, countOf(int64(tl.Len()), "event"), p.Days[0], p.Days[len(p.Days)-1], countOf(int64(len(active)), "active day"))
	switch {
	case !in:
		b.WriteString("; counted below the line only")
	case f.Kind == Sum:
		fmt.Fprintf(&b, "; adds %s", u.Amount)
	case f.Kind == Rows:
		fmt.Fprintf(&b, "; adds %s", countOf(u.Times, "event"))
	default:
		b.WriteString("; counted")
	}
	return b.String() + ".", nil
}
