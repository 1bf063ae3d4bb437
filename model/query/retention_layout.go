package query

import (
	"fmt"
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
	chart := &Chart{XLabel: p.unit() + "s after the start", YLabel: "share of users", Unit: "share", Zero: true}
	for c := range p.cols {
		chart.X = append(chart.X, float64(p.cols[c].From))
		chart.Labels = append(chart.Labels, p.column(c))
	}
	b.Block(Block{Kind: ChartBlock, Name: "curve", Title: p.title(), Chart: chart})
	for g := range b.Groups() {
		b.Group(g)
		p.group(b, chart, all)
	}
	p.lint(b)
	return nil
}

// truncation decides whether the pooled figures leave the left truncated out:
// not where nobody would remain.
func (p *retentionPlan) truncation(b *Builder) (all bool) {
	if p.def.SeenBefore == model.NoDay {
		return true
	}
	var kept, cut int64
	for g := range b.Groups() {
		b.Group(g)
		kept += b.N(p.count(retentionUsers), Self)
		cut += b.N(p.count(retentionTruncated), Self)
	}
	days := int(p.def.SeenBefore - p.r.FirstDay)
	switch {
	case cut == 0:
		return true
	case kept == 0:
		b.Warn("truncated", "all %d users were first seen within %d days of the data's first day, so none can be left out as possibly older: these may not be their true starts", cut, days)
		return true
	}
	b.Warn("truncated", "%d users first seen within %d days of the data's first day (before %s) may have started earlier: they are in their cohorts' rows, marked ≤, but not in the row over all (truncated=keep takes them in)", cut, days, p.def.SeenBefore)
	return false
}

func (p *retentionPlan) group(b *Builder, chart *Chart, all bool) {
	users := p.count(retentionUsers)
	if all {
		users = p.count(retentionAll)
	}
	total := b.Count(users, "users", "users who started")
	if !all {
		b.Count(p.count(retentionTruncated), "truncated", "users first seen too early to be pooled")
	}
	pool := make([]int, len(p.cols))
	for c := range p.cols {
		key, label := p.unit()+"."+p.column(c), p.unit()+" "+p.column(c)
		if p.mean {
			pool[c] = p.average(b, c, all, key, label)
		} else {
			pool[c] = b.Rate(p.pooled(c, all), key, label)
		}
	}
	p.series(b, chart, pool)
	p.triangle(b, total, pool)
	p.table(b, pool, all)
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
	return b.Stat(p.averaged(c, all), key, label+", mean of cohorts", v, !ok, "share")
}

// truncatedRow says whether a cohort lies wholly before the day from which users
// count as new.
func (p *retentionPlan) truncatedRow(row int) bool {
	from, _ := p.r.Cal.Bounds(p.def.Cohort, p.first+model.Period(row))
	return p.def.SeenBefore != model.NoDay && from < p.def.SeenBefore
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
	heat := Block{Kind: HeatBlock, Name: b.Key("triangle"), Title: b.label("by " + p.def.Cohort.String() + " of the start"), Heads: []Head{{"users", true}}}
	for c := range p.cols {
		heat.Heads = append(heat.Heads, Head{p.unit()[:1] + p.column(c), true})
	}
	over := Row{Key: "all", Label: "all", Cells: []Cell{b.Cell(total)}}
	for _, i := range pool {
		cell := b.Cell(i)
		cell.Open = b.Fig(i).None
		over.Cells = append(over.Cells, cell)
	}
	heat.Rows = append(heat.Rows, over)
	for row := range p.rows {
		if b.N(p.size(row), Self) == 0 {
			continue // an empty cohort has no row (SPEC V4)
		}
		label := p.cohort(row)
		key := "cohort." + label
		line := Row{Key: label, Label: label}
		if p.truncatedRow(row) {
			line.Label = "≤ " + label
		}
		line.Cells = append(line.Cells, b.Cell(b.Count(p.size(row), key+".size", label+", users who started")))
		for c := range p.cols {
			if !p.shape.Exists(p.first+model.Period(row), c) {
				line.Cells = append(line.Cells, Cell{Figure: NoFigure, Blank: true})
				continue
			}
			name := p.unit() + "." + p.column(c)
			i := b.Rate(p.cell(row, c), key+"."+name, label+", "+p.unit()+" "+p.column(c))
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
		t.Rows = append(t.Rows, Row{Key: p.column(c), Label: p.unit() + " " + p.column(c), Cells: []Cell{cell, TextCell(iv),
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
		b.Warn("eligible-all", "no eligibility rule (eligible=all): intervals that have not closed count as they stand, and the last ones read too low")
	}
	if p.mean {
		b.Warn("plain-mean", "the row over all is the plain mean of the cohorts' rates: small cohorts weigh as much as large ones")
	}
}

// title has the mode in it, so that a rate is never read as another kind (SPEC C23).
func (p *retentionPlan) title() string {
	u, what := p.unit(), ""
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
	parts := []string{"Retention " + what, "from first ever " + strings.TrimPrefix(p.start.label, "any ") + " to " + p.back.label}
	if p.start.all {
		parts[1] = "from first event to " + p.back.label
	}
	if p.def.Rolling {
		parts = append(parts, "24 h windows")
	} else {
		parts = append(parts, "calendar", p.r.Cal.WeekStart.String()[:3])
	}
	return strings.Join(append(parts, p.r.Cal.Zone), " · ")
}

func (p *retentionPlan) definition() string {
	u := p.unit()
	interval := fmt.Sprintf("%s N is the Nth calendar %s after the %s of the start, in %s", u, u, u, p.r.Cal.Zone)
	if p.def.Rolling {
		n := 24
		if p.def.Unit == model.Weekly {
			n = 168
		}
		interval = fmt.Sprintf("%s N is the hours from N×%d to (N+1)×%d after the user's own start", u, n, n)
	}
	back := map[retention.Mode]string{
		retention.On:        "in it",
		retention.OnOrAfter: "in it or later",
		retention.Bracket:   "in any " + u + " of the bracket",
		retention.Streak:    "in it and in every " + u + " from 1 on",
	}[p.def.Mode]
	who := "Users count in an interval once it has closed for them"
	if p.def.All {
		who = "All users of a cohort count in every interval the cohort has begun"
	} else if p.def.Within > 0 {
		who = fmt.Sprintf("Users count once they have been observed for %d days", p.def.Within)
	}
	return fmt.Sprintf("Share of users with %s %s, after their first ever %s; %s. %s; the start itself is no return, and %s 0 is all of them.",
		p.back.label, back, strings.TrimPrefix(p.start.label, "any "), interval, who, u)
}
