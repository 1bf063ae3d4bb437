package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/retention"
)

// layout makes the figures and blocks: the curve over all users, the triangle of
// cohorts, and the curve as a table.
func (p *retentionPlan) layout(b *Builder) error {
	b.A.Title, b.A.Definition = p.title(), p.definition()
	all := p.truncation(b)
	chart := &Chart{XLabel: p.word() + "s after the start", YLabel: "share of users", Unit: "share", Zero: true}
	for c := range p.cols {
		chart.X = append(chart.X, float64(p.cols[c].From))
		chart.Labels = append(chart.Labels, p.column(c))
	}
	b.Block(Block{Kind: ChartBlock, Name: "curve", Title: p.title(), Chart: chart})
	for g := range b.Groups() {
		b.Group(g)
		p.group(b, chart, all)
	}
	p.differences(b, all)
	p.lint(b)
	return nil
}

// truncation decides whether the pooled figures leave the left truncated out:
// not where nobody would remain.
func (p *retentionPlan) truncation(b *Builder) (all bool) {
	var kept, cut int64
	for g := range b.Groups() {
		b.Group(g)
		kept += b.N(p.count(retentionUsers), Self)
		cut += b.N(p.count(retentionTruncated), Self)
	}
	return b.warnPooled(p.def.SeenBefore, cut, kept)
}

func (p *retentionPlan) group(b *Builder, chart *Chart, all bool) {
	users := p.count(retentionUsers)
	if all {
		users = p.count(retentionAll)
	}
	total := p.starts(b, users, "users", "users who started")
	if p.def.Each {
		b.Count(p.count(retentionPeople), "people", "users with a start")
	}
	if !all {
		p.starts(b, p.count(retentionTruncated), "truncated", "users first seen too early to be pooled")
	}
	pool := make([]int, len(p.cols))
	for c := range p.cols {
		key, label := p.unit()+"."+p.column(c), p.word()+" "+p.column(c)
		if p.mean {
			pool[c] = p.average(b, c, all, key, label)
		} else {
			pool[c] = p.rate(b, p.pooled(c, all), key, label)
		}
	}
	if !p.mean {
		b.warnDenominators(pool)
	}
	p.series(b, chart, pool)
	p.triangle(b, total, pool)
	p.table(b, pool, all)
}

// starts counts users, or where starts recur user-intervals.
func (p *retentionPlan) starts(b *Builder, slot int, key, label string) int {
	if p.def.Each {
		return b.Pairs(slot, key, label+", each cohort period by itself")
	}
	return b.Count(slot, key, label)
}

// rate adds a rate of users, or of user-intervals.
func (p *retentionPlan) rate(b *Builder, slot int, key, label string) int {
	i := b.Rate(slot, key, label)
	if p.def.Each {
		p.clustered(b, b.Fig(i))
	}
	return i
}

// average adds the plain mean of the cohorts' rates (overall=mean): a statistic of
// the users in all denominators.
func (p *retentionPlan) average(b *Builder, c int, all bool, key, label string) int {
	var cells []retention.Tally
	for row := range p.rows {
		if !all && p.truncatedRow(row) {
			continue
		}
		slot := p.cell(row, c)
		cells = append(cells, retention.Tally{Closed: b.N(slot, Of), Back: b.N(slot, Self)})
	}
	v, ok := retention.PlainMean(cells)
	i := b.Stat(p.averaged(c, all), key, label+", mean of cohorts", v, !ok, "share")
	b.Fig(i).Pairs = p.def.Each
	return i
}

func (p *retentionPlan) series(b *Builder, chart *Chart, pool []int) {
	s := Series{Name: p.r.Groups[b.group].Label()}
	for _, i := range pool {
		f := b.Fig(i)
		if f.None {
			break // nobody's interval has closed from here on
		}
		s.Y, s.Figures = append(s.Y, f.Value), append(s.Figures, i)
		lo, hi := f.Value, f.Value
		if f.Interval {
			lo, hi = f.Lo, f.Hi
		}
		s.Lo, s.Hi = append(s.Lo, lo), append(s.Hi, hi)
	}
	chart.Series = append(chart.Series, s)
}

func (p *retentionPlan) triangle(b *Builder, total int, pool []int) {
	heat := Block{Kind: HeatBlock, Name: b.Key("triangle"), Title: b.label("by " + p.def.Cohort.String() + " of the start"), Heads: []Head{{p.startsWord(), true}}}
	for c := range p.cols {
		heat.Heads = append(heat.Heads, Head{p.word()[:1] + p.column(c), true})
	}
	over := Row{Key: "all", Label: "all", Cells: []Cell{b.Cell(total)}}
	for _, i := range pool {
		cell := b.Cell(i)
		cell.Open = b.Fig(i).None
		over.Cells = append(over.Cells, cell)
	}
	heat.Rows = append(heat.Rows, over)
	// A year of daily cohorts has ten thousand cells: they get their room at once,
	// and what is common to a column is written once.
	keys, words := make([]string, len(p.cols)), make([]string, len(p.cols))
	for c := range p.cols {
		keys[c], words[c] = "."+p.unit()+"."+p.column(c), ", "+p.word()+" "+p.column(c)
	}
	room := 0
	for row := range p.rows {
		if b.N(p.size(row), Self) > 0 {
			room++
			for c := range p.cols {
				if p.shape.Exists(p.first+model.Period(row), c) {
					room++
				}
			}
		}
	}
	b.A.Figures = slices.Grow(b.A.Figures, room)
	for row := range p.rows {
		if b.N(p.size(row), Self) == 0 {
			continue // an empty cohort has no row (SPEC V4)
		}
		label := p.cohort(row)
		key := "cohort." + label
		line := Row{Key: label, Label: label, Cells: make([]Cell, 0, 1+len(p.cols))}
		if p.truncatedRow(row) {
			line.Label = "≤ " + label
		}
		line.Cells = append(line.Cells, b.Cell(p.starts(b, p.size(row), key+".size", label+", users who started")))
		for c := range p.cols {
			if !p.shape.Exists(p.first+model.Period(row), c) {
				line.Cells = append(line.Cells, Cell{Figure: NoFigure, Blank: true})
				continue
			}
			i := p.rate(b, p.cell(row, c), key+keys[c], label+words[c])
			cell := b.Cell(i)
			cell.Open = b.Fig(i).Open > 0
			line.Cells = append(line.Cells, cell)
		}
		heat.Rows = append(heat.Rows, line)
	}
	b.Block(heat)
}

func (p *retentionPlan) table(b *Builder, pool []int, all bool) {
	t := Block{Kind: TableBlock, Name: b.Key("table"), Title: b.label("the curve in numbers"), Heads: []Head{
		{"share", true}, {"95 % interval", true}, {"came back", true}, {"of", true}, {"still open", true}, {"of them back", true}}}
	for c, i := range pool {
		slot := p.pooled(c, all)
		f := *b.Fig(i)
		iv := ""
		if f.Interval {
			iv = fmt.Sprintf("%.1f–%.1f %%", 100*f.Lo, 100*f.Hi)
		}
		cell := b.Cell(i)
		cell.Open = f.None
		t.Rows = append(t.Rows, Row{Key: p.column(c), Label: p.word() + " " + p.column(c), Cells: []Cell{cell, TextCell(iv),
			TextCell(count(b.N(slot, Self))), TextCell(count(b.N(slot, Of))), TextCell(count(b.N(slot, Open))), TextCell(count(b.N(slot, OpenReturned)))}})
	}
	b.Block(t)
}

// count writes a number for a text cell.
func count(n int64) string { return strconv.FormatInt(n, 10) }

func (p *retentionPlan) lint(b *Builder) {
	d := &p.def
	if d.Mode == retention.OnOrAfter && d.Within == 0 {
		b.Warn("follow-up", "follow-up is unequal: who started earlier has had longer to come back, and the line over all may rise as young users drop out of it; within=DAYS gives all the same time")
	}
	if d.Rolling {
		for g := range b.Groups() {
			b.Group(g)
			if n := b.N(p.count(retentionDated), Self); n > 0 {
				b.Warn("dates-alone", "%d users start with a date that has no time of day: their 24-hour windows begin at midnight", n)
			}
		}
	}
	if d.All {
		b.warnNoEligibility()
	}
	if p.mean {
		b.Warn("plain-mean", "the row over all is the plain mean of the cohorts' rates: small cohorts weigh as much as large ones")
	}
}

func (p *retentionPlan) startsWord() string {
	if p.def.Each {
		return "user-intervals"
	}
	return "users"
}

// title has the mode in it, so that a rate is never read as another kind (SPEC C23).
func (p *retentionPlan) title() string {
	u, what := p.word(), ""
	switch p.def.Mode {
	case retention.On:
		what = "on " + u + " N"
	case retention.OnOrAfter:
		what = "on or after " + u + " N"
		if p.def.Within > 0 {
			what += fmt.Sprintf(", within %d days", p.def.Within)
		}
	case retention.Bracket:
		what = "in a bracket of " + u + "s"
	case retention.Streak:
		what = "in every " + u + " up to N"
	}
	if p.def.Least > 1 {
		what += fmt.Sprintf(", at least %d times", p.def.Least)
	}
	parts := []string{"Retention " + what, "from " + p.startWords() + " to " + p.back.label}
	if pre := presetOf(p.r.Q); pre != nil {
		parts = append(parts, "as "+pre.name+" counts")
	}
	return strings.Join(append(parts, p.windowWords(), p.r.Cal.Zone), " · ")
}

// windowWords name the windows in titles.
func (p *cohorts) windowWords() string {
	d := &p.def
	every := ""
	if d.Unit == model.Custom {
		every = "every " + plural(d.Every, "day") + ", "
	}
	switch {
	case d.Hour:
		return every + "24 h windows, rounded to the hour"
	case d.Rolling && d.Unit == model.Monthly:
		return "24 h windows, months of 30 days"
	case d.Rolling:
		return every + "24 h windows"
	case d.Unit == model.Custom:
		return every + "from the start day"
	}
	return "calendar · " + p.r.Cal.WeekStart.String()[:3]
}

// startWords name the kind of start, with its condition.
func (p *cohorts) startWords() string {
	what, cond, _ := strings.Cut(p.start.label, " where ")
	if p.start.where == nil {
		what, cond = p.start.label, ""
	}
	what = strings.TrimPrefix(what, "any ")
	switch {
	case p.def.Each:
		if cond != "" {
			cond = " where " + cond
		}
		return fmt.Sprintf("the first %s%s of each %s (recurring: user-intervals, not users)", what, cond, p.def.Cohort)
	case p.def.Ever != nil:
		return "first ever " + what + ", if " + cond
	case cond != "":
		return "first " + what + " where " + cond
	case p.start.all:
		return "first event"
	}
	return "first ever " + what
}

// intervalWords say what interval N is.
func (p *cohorts) intervalWords() string {
	d, u := &p.def, p.word()
	hours := map[model.PeriodUnit]int{model.Daily: 24, model.Weekly: 168, model.Monthly: 720, model.Custom: 24 * d.Every}[d.Unit]
	switch {
	case d.Hour:
		return fmt.Sprintf("%s N is the hours from N×%d to (N+1)×%d after the user's own start, both rounded down to the hour of %s first", u, hours, hours, p.r.Cal.Zone)
	case d.Rolling:
		return fmt.Sprintf("%s N is the hours from N×%d to (N+1)×%d after the user's own start", u, hours, hours)
	case d.Unit == model.Custom:
		return fmt.Sprintf("interval N is the calendar days from N×%d to (N+1)×%d−1 after the day of the start, in %s", d.Every, d.Every, p.r.Cal.Zone)
	}
	return fmt.Sprintf("%s N is the Nth calendar %s after the %s of the start, in %s", u, u, u, p.r.Cal.Zone)
}

// eligibleWords say who counts in an interval.
func (p *cohorts) eligibleWords() string {
	switch {
	case p.def.All:
		return "All users of a cohort count in every interval the cohort has begun"
	case p.def.Within > 0:
		return fmt.Sprintf("Users count once they have been observed for %d days", p.def.Within)
	}
	return "Users count in an interval once it has closed for them"
}

func (p *retentionPlan) definition() string {
	u := p.word()
	back := map[retention.Mode]string{
		retention.On:        "in it",
		retention.OnOrAfter: "in it or later",
		retention.Bracket:   "in any " + u + " of the bracket",
		retention.Streak:    "in it and in every " + u + " from 1 on",
	}[p.def.Mode]
	share, label := "Share of users", p.back.label
	if p.def.Each {
		share = "Share of user-intervals (a user counts once for each " + p.def.Cohort.String() + " with a start, so the total is not a number of users)"
	}
	if p.def.Least > 1 {
		label += fmt.Sprintf(" at least %d times", p.def.Least)
	}
	zero := u + " 0 is all of them"
	if p.def.ZeroBack {
		zero = u + " 0 asks for a return after it too"
	}
	out := fmt.Sprintf("%s with %s %s, after %s; %s. %s; the start itself is no return, and %s.",
		share, label, back, p.startWords(), p.intervalWords(), p.eligibleWords(), zero)
	if pre := presetOf(p.r.Q); pre != nil {
		out += " These are " + pre.rules + "."
	}
	return out
}
