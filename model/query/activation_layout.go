package query

import (
	"fmt"
	"math"
	"strings"

	"dwell/model"
	"dwell/model/stat"
)

// layout makes the figures and blocks: the milestones, the rate by cohort, and the
// curve of the time to the goal.
func (p *activationPlan) layout(b *Builder) error {
	r := p.r
	b.A.Title = strings.Join([]string{"Activation: " + p.words(), "from first " + strings.TrimPrefix(p.start.label, "any "), "by " + p.unit.String(), r.Cal.Zone}, " · ")
	b.A.Definition = p.definition()
	all := p.truncation(b)
	cohorts := &Chart{XLabel: p.unit.String() + " of the start", YLabel: "share activated", Unit: "share", Dates: true, Zero: true}
	for row := range p.rows {
		from, _ := r.Cal.Bounds(p.unit, p.first+model.Period(row))
		cohorts.X, cohorts.Labels = append(cohorts.X, float64(from)), append(cohorts.Labels, r.Cal.PeriodLabel(p.unit, p.first+model.Period(row)))
	}
	curve := &Chart{XLabel: "days after the start", YLabel: "share with " + p.goal.label, Unit: "share", Zero: true, Step: true}
	for d := range min(r.Int("days")+1, p.span) {
		curve.X = append(curve.X, float64(d))
	}
	var open int64
	for g := range b.Groups() {
		b.Group(g)
		p.summary(b, all)
		open += b.N(p.notDue(), Self)
	}
	b.Block(Block{Kind: ChartBlock, Name: "cohorts", Title: "activated, by " + p.unit.String() + " of the start", Chart: cohorts})
	for g := range b.Groups() {
		b.Group(g)
		p.cohorts(b, cohorts)
	}
	b.Block(Block{Kind: ChartBlock, Name: "curve", Title: "time to " + p.goal.label + ": share who have done it by each day", Chart: curve})
	for g := range b.Groups() {
		b.Group(g)
		p.curve(b, curve, all)
	}
	if open > 0 {
		b.Warn("not-due", "%s not yet due: fewer than %d days have passed since their start. They are in neither side of the rate.", isAre(open, "user"), p.within)
	}
	if r.Info.Events == 0 {
		b.Warn("empty", "There are no events yet: load a file first.")
	}
	return nil
}

// truncation decides whether the pooled figures leave the left truncated out: not
// where nobody would remain.
func (p *activationPlan) truncation(b *Builder) (all bool) {
	if p.before == model.NoDay {
		return true
	}
	var kept, cut int64
	for g := range b.Groups() {
		b.Group(g)
		kept += b.N(p.pooled(activationStarted, false), Self)
		cut += b.N(p.truncated(), Self)
	}
	switch {
	case cut == 0:
		return true
	case kept == 0:
		b.Warn("truncated", "All %s were first seen before %s, so none can be left out as possibly older: these may not be their true starts.", countOf(cut, "user"), p.before)
		return true
	}
	b.Warn("truncated", "%s first seen before %s may have started before the data do: they are in their cohorts' rows, marked ≤, but not in the figures over all (truncated=keep takes them in).", countOf(cut, "user"), p.before)
	return false
}

func (p *activationPlan) summary(b *Builder, all bool) {
	t := Block{Kind: TableBlock, Name: b.Key("milestones"), Title: b.label("milestones"), Heads: []Head{{"users", true}, {"95 %", true}, {"of", true}, {"not yet due", true}, {"then", false}}}
	add := func(key, label string, i int) {
		f := b.Fig(i)
		row := Row{Key: key, Label: label, Cells: []Cell{b.Cell(i), TextCell(intervalText(f)), TextCell(""), TextCell(""), TextCell("retention ›")}}
		if f.Kind == Rate {
			row.Cells[2], row.Cells[3] = TextCell(count(f.N)), TextCell(count(f.Open))
		}
		row.Cells[4].Go = p.r.link(question("retention", "of", b.A.Address, "key", f.Key))
		t.Rows = append(t.Rows, row)
	}
	add("started", "started", b.Count(p.pooled(activationStarted, all), "started", "users who started"))
	for k := range p.named {
		label := p.milestone(k)
		add(fmt.Sprintf("milestone.%d", k+1), label, b.Rate(p.pooled(activationMilestones+k, all), fmt.Sprintf("milestone.%d", k+1), label))
	}
	add("activated", "activated: all of them", b.Rate(p.pooled(activationDone, all), "activated", "activated: every milestone in time"))
	add("open", "not yet due, not activated", b.Count(p.notDue(), "open", "not yet due and not activated so far"))
	b.Block(t)
}

// intervalText is a rate's interval as a text cell has it.
func intervalText(f *Figure) string {
	if !f.Interval {
		return ""
	}
	return fmt.Sprintf("%.1f–%.1f %%", 100*f.Lo, 100*f.Hi)
}

func (p *activationPlan) cohorts(b *Builder, chart *Chart) {
	t := Block{Kind: HeatBlock, Name: b.Key("by-cohort"), Title: b.label("activated, by " + p.unit.String() + " of the start"), Heads: []Head{{"users", true}, {"activated", true}}}
	s := Series{Name: p.r.Groups[b.group].Label()}
	for row := range p.rows {
		if b.N(p.size(row), Self) == 0 {
			s.Y, s.Figures, s.Open = append(s.Y, math.NaN()), append(s.Figures, NoFigure), append(s.Open, false)
			continue
		}
		name := chart.Labels[row]
		size := b.Count(p.size(row), "cohort."+name+".size", name+", users who started")
		i := b.Rate(p.rate(row), "cohort."+name+".activated", name+", activated")
		f := b.Fig(i)
		y := f.Value
		if f.None {
			y = math.NaN() // nobody is due
		}
		s.Y, s.Figures, s.Open = append(s.Y, y), append(s.Figures, i), append(s.Open, f.Open > 0)
		label := name
		if from, _ := p.r.Cal.Bounds(p.unit, p.first+model.Period(row)); p.before != model.NoDay && from < p.before {
			label = "≤ " + name
		}
		cell := b.Cell(i)
		cell.Open = f.Open > 0
		t.Rows = append(t.Rows, Row{Key: name, Label: label, Cells: []Cell{b.Cell(size), cell}})
	}
	chart.Series = append(chart.Series, s)
	b.Block(t)
}

// completion is the estimate of the time to the goal.
func (p *activationPlan) completion(b *Builder, all bool) stat.Curve {
	done, censored := make([]int64, p.span), make([]int64, p.span)
	for d := range p.span {
		done[d], censored[d] = b.N(p.pooled(p.done(d), all), Self), b.N(p.pooled(p.censored(d), all), Self)
	}
	return stat.KaplanMeierCounts(done, censored, 0.95)
}

// curve lays the time to the goal out: 1 − S(t), with users who have not done it
// yet counted for as long as they were seen.
func (p *activationPlan) curve(b *Builder, chart *Chart, all bool) {
	c := p.completion(b, all)
	s := Series{Name: p.r.Groups[b.group].Label()}
	for _, d := range chart.X {
		y, st := c.At(d)
		lo, hi := 1-y, 1-y
		if st != nil && st.Bounded {
			lo, hi = 1-st.Hi, 1-st.Lo
		}
		s.Y, s.Lo, s.Hi = append(s.Y, 1-y), append(s.Lo, lo), append(s.Hi, hi)
	}
	s.Figures = make([]int, len(s.Y))
	for i := range s.Figures {
		s.Figures[i] = NoFigure
	}
	t := Block{Kind: TableBlock, Name: b.Key("completion"), Title: b.label("time to " + p.goal.label), Heads: []Head{{"share by then", true}, {"95 %", true}, {"done", true}, {"still observed without it", true}}}
	median, ok := c.Reached(0.5)
	started := b.N(p.pooled(activationStarted, all), Self)
	i := b.Stat(p.pooled(activationStarted, all), "time.median", "median days to "+p.goal.label, median, !ok, "days")
	f := b.Fig(i)
	lo, hi := c.ReachedInterval(0.5)
	iv := "not reached"
	switch {
	case ok && lo.Known && hi.Known:
		f.Lo, f.Hi, f.Interval, f.Method = lo.Days, hi.Days, true, "Brookmeyer–Crowley 95 %"
		iv = fmt.Sprintf("%s–%s d", Number(lo.Days), Number(hi.Days))
	case ok:
		iv = "upper end not reached"
	}
	t.Rows = append(t.Rows, Row{Key: "median", Label: "median, in days", Cells: []Cell{b.Cell(i), TextCell(iv), TextCell(""), TextCell(count(started))}})
	for k, m := range p.marks {
		slot := p.pooled(p.mark(k), all)
		y, st := c.At(float64(m))
		i := b.Stat(slot, fmt.Sprintf("time.day.%d", m), fmt.Sprintf("share with %s by day %d", p.goal.label, m), 1-y, started == 0, "share")
		f := b.Fig(i)
		if st != nil && st.Bounded {
			f.Lo, f.Hi, f.Interval, f.Method = 1-st.Hi, 1-st.Lo, true, "Greenwood log-log 95 %"
		}
		if m < len(s.Figures) {
			s.Figures[m] = i
		}
		left := started - b.N(slot, Self)
		for d := range m + 1 {
			left -= b.N(p.pooled(p.censored(d), all), Self)
		}
		t.Rows = append(t.Rows, Row{Key: fmt.Sprint(m), Label: fmt.Sprintf("by day %d", m), Cells: []Cell{b.Cell(i), TextCell(intervalText(f)), TextCell(count(b.N(slot, Self))), TextCell(count(left))}})
	}
	if started > 0 && len(c) > 0 && c[0].Days == 0 && c[0].S == 0 {
		b.Warn("goal-is-start", "Everybody has %s on the day of the start: choose another goal= or start=.", p.goal.label)
	}
	chart.Series = append(chart.Series, s)
	b.Block(t)
}

// words are the milestones in a title.
func (p *activationPlan) words() string {
	var out []string
	for k := range p.named {
		out = append(out, p.milestone(k))
	}
	return strings.Join(out, ", ")
}

func (p *activationPlan) milestone(k int) string {
	m := p.named[k]
	switch {
	case p.events:
		return fmt.Sprintf("%d × %s within %d d", m.N, p.picks[k].label, m.Within)
	case m.N == 1:
		return fmt.Sprintf("1 day with %s within %d d", p.picks[k].label, m.Within)
	}
	return fmt.Sprintf("%d days with %s within %d d", m.N, p.picks[k].label, m.Within)
}

func (p *activationPlan) definition() string {
	per := "days with the event, each once"
	if p.events {
		per = "events"
	}
	return fmt.Sprintf("A user starts with the first ever %s and is activated by reaching every milestone in time: the Nth on a day offset below its days, counting %s, the start's own day being offset 0. "+
		"A user is due once %d days have passed; users not yet due are in neither side of a rate, activated or not. The time to %s is a product-limit estimate: users who have not done it yet count for as long as they were seen.",
		strings.TrimPrefix(p.start.label, "any "), per, p.within, p.goal.label)
}

// explain gives the lines that are particular to activation.
func (p *activationPlan) explain(f *Figure) []ExplainLine {
	at := f.Slot
	pop := "all users who started"
	switch {
	case at < p.half() && p.before != model.NoDay:
		pop += ", but those first seen before " + p.before.String() + ", who may have started before the data do"
	case at >= p.size(0):
		pop = "users who started in the " + p.unit.String() + " " + p.r.Cal.PeriodLabel(p.unit, p.first+model.Period((at-p.size(0))/2))
	}
	if at >= p.half() && at < 2*p.half() {
		at -= p.half()
	}
	out := []ExplainLine{{Head: "Population", Text: pop}}
	switch {
	case f.Kind == Rate:
		out = append(out, ExplainLine{Head: "Formula", Text: "users who reached it in time ÷ users whose days for it have all passed"})
	case f.Kind == Stat && at == activationStarted:
		out = append(out, ExplainLine{Head: "Formula", Text: "the first day by which at least half have done it, by the product-limit estimate (Kaplan and Meier 1958); its list is everybody in the estimate"})
	case f.Kind == Stat:
		out = append(out, ExplainLine{Head: "Formula", Text: "1 − S(t), S the product-limit estimate of the share who have not done it after t days (Kaplan and Meier 1958); its list is those who have"})
	}
	return out
}

// work says in one sentence how a user stands.
func (p *activationPlan) work(u *Person, _ *Figure, _ bool) string {
	b, ok := p.read(u, nil)
	if !ok {
		return ""
	}
	parts := []string{fmt.Sprintf("%s started on %s with %s", u.TL.ID, p.r.Cal.Stamp(u.TL, b.at), p.r.Info.Names[u.TL.Name[b.at]].Name)}
	for k := range p.named {
		word := "not reached"
		switch {
		case b.met[k]:
			word = "reached"
		case !b.due[k]:
			word = "not reached yet, and not due"
		}
		parts = append(parts, p.milestone(k)+": "+word)
	}
	if b.goal >= 0 {
		parts = append(parts, fmt.Sprintf("%s after %d d", p.goal.label, b.goal))
	} else {
		parts = append(parts, fmt.Sprintf("no %s in the %d d since", p.goal.label, int(p.r.AsOf-b.day)))
	}
	return strings.Join(parts, "; ") + "."
}
