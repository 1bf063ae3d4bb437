package query

import (
	"fmt"

	"dwell/model"
	"dwell/model/stat"
)

func (p *revenuePlan) layout(b *Builder) error {
	u := p.word()
	b.A.Title = fmt.Sprintf("Revenue by age · from %s · %s · %s", p.startWords(), p.windowWords(), p.r.Cal.Zone)
	if c := p.r.Str("currency"); c != "" {
		b.A.Title += " · in " + c
	}
	what := "purchases less refunds"
	if p.gross {
		what = "purchases alone, refunds left out"
	}
	b.A.Definition = fmt.Sprintf("Revenue (%s) by age after %s: %s. Value to date at N is the revenue of %ss 0 to N over the users for whom N has closed, who bought or not; revenue retention is the revenue of %s N over that of %s 0, of the same users. %s.",
		what, p.startWords(), p.intervalWords(), u, u, u, p.eligibleWords())
	all := p.truncation(b)
	b.Group(0)
	for cur := range p.money.shown {
		p.currency(b, cur, all)
	}
	for g := range b.Groups() {
		b.Group(g)
		p.currencies(b)
	}
	if len(p.money.shown) == 0 {
		b.Warn("no-money", "No amount names its currency: nothing can be added up.")
	}
	if p.def.All {
		b.warnNoEligibility()
	}
	return nil
}

// currency lays the revenue in one currency out: two charts, then each group's tables.
func (p *revenuePlan) currency(b *Builder, cur int, all bool) {
	u, k, name := p.word(), p.money.key(cur), p.money.label(cur)
	value := &Chart{XLabel: u + "s after the start", YLabel: "value to date per user", Unit: p.money.shown[cur], Zero: true}
	kept := &Chart{XLabel: value.XLabel, YLabel: "share of the first " + u + "'s revenue", Unit: "share", Zero: true}
	for c := range p.cols {
		for _, chart := range []*Chart{value, kept} {
			chart.X, chart.Labels = append(chart.X, float64(c)), append(chart.Labels, p.column(c))
		}
	}
	b.Block(Block{Kind: ChartBlock, Name: k + "value", Title: name + "value to date per user who started", Chart: value})
	b.Block(Block{Kind: ChartBlock, Name: k + "retention", Title: name + "revenue retention", Chart: kept})
	for g := range b.Groups() {
		b.Group(g)
		p.group(b, cur, value, kept, all)
	}
}

// truncation decides which pool is shown: with the left truncated where nobody
// else is there.
func (p *revenuePlan) truncation(b *Builder) (all bool) {
	var cut, kept int64
	for g := range b.Groups() {
		b.Group(g)
		cut += b.N(revenueTruncated, Self)
		kept += b.N(revenueKept, Self)
	}
	return b.warnPooled(p.def.SeenBefore, cut, kept)
}

func (p *revenuePlan) group(b *Builder, cur int, value, kept *Chart, all bool) {
	pool := 0
	if all {
		pool = 1
	}
	u, ck, cn := p.word(), p.money.key(cur), p.money.label(cur)
	bl := Block{Kind: TableBlock, Name: b.Key(ck + "pooled"), Title: b.label(cn + "all users together"), Heads: []Head{
		{"value to date", true}, {"95 % interval", true}, {"revenue so far", true}, {"in the " + u, true}, {"of the first " + u + "'s", true}, {"95 % interval", true}, {"users", true}, {"still open", true}}}
	if cur == 0 {
		b.Count(p.block(cur, pool), "users", "users who started")
	}
	sv, sk := Series{Name: p.r.Groups[b.group].Label()}, Series{Name: p.r.Groups[b.group].Label()}
	var curve []int
	for c := range p.cols {
		name := p.unit() + "." + p.column(c)
		f := p.figures(b, cur, pool, c, ck+name, cn+u+" "+p.column(c))
		curve = append(curve, f.users)
		row := Row{Key: p.column(c), Label: u + " " + p.column(c), Cells: []Cell{b.Cell(f.value), TextCell(b.Fig(f.value).between()), b.Cell(f.cum), b.Cell(f.in), b.Cell(f.kept), TextCell(b.Fig(f.kept).between()), b.Cell(f.users), TextCell(count(b.N(p.slot(cur, pool, c, revenueOpen), Self)))}}
		bl.Rows = append(bl.Rows, row)
		if len(sv.Y) == c {
			p.point(b, &sv, f.value)
		}
		if len(sk.Y) == c {
			p.point(b, &sk, f.kept)
		}
	}
	value.Series, kept.Series = append(value.Series, sv), append(kept.Series, sk)
	if cur == 0 {
		b.warnDenominators(curve)
	}
	b.Block(bl)
	p.triangles(b, cur)
}

// point adds a figure to a series, as long as there is one.
func (p *revenuePlan) point(b *Builder, s *Series, i int) {
	f := b.Fig(i)
	if f.None {
		return
	}
	lo, hi := f.Value, f.Value
	if f.Interval {
		lo, hi = f.Lo, f.Hi
	}
	s.Y, s.Figures, s.Lo, s.Hi = append(s.Y, f.Value), append(s.Figures, i), append(s.Lo, lo), append(s.Hi, hi)
}

// revenueFigures are the figures of one column of a pool or cohort.
type revenueFigures struct{ users, in, cum, value, kept int }

func (p *revenuePlan) figures(b *Builder, cur, block, c int, key, label string) revenueFigures {
	k := b.Kernel().(*revenueKernel)
	at := b.group*b.hits.slots + p.slot(cur, block, c, 0)
	users := p.slot(cur, block, c, revenueUsers)
	f := revenueFigures{
		users: b.Count(users, key+".users", label+", users for whom it has closed"),
		in:    b.Sum(p.slot(cur, block, c, revenueIn), key+".revenue", label+", revenue in it", p.money.shown[cur]),
		cum:   b.Sum(p.slot(cur, block, c, revenueCum), key+".cumulative", label+", revenue so far", p.money.shown[cur]),
	}
	n := b.N(users, Self)
	mean := 0.0
	if n > 0 {
		mean = b.Fig(f.cum).Value / float64(n)
	}
	f.value = b.Stat(users, key+".value", label+", value to date per user", mean, n == 0, p.money.shown[cur])
	b.interval(f.value, k.value[at])
	base := b.SumOf(p.slot(cur, block, c, revenueBase))
	ratio := 0.0
	if base.Float() > 0 {
		ratio = b.Fig(f.in).Value / base.Float()
	}
	f.kept = b.Stat(users, key+".retention", label+", revenue over that of the first", ratio, base.Float() <= 0, "share")
	b.interval(f.kept, k.kept[at])
	return f
}

// between is the text of a figure's interval with two decimals, "" without one.
func (f *Figure) between() string {
	switch {
	case !f.Interval:
		return ""
	case f.Kind == Rate || f.Unit == "share":
		return percentText(f.Lo, f.Hi)
	}
	return fixed(f.Lo, 2) + "–" + fixed(f.Hi, 2)
}

// interval gives a figure the interval of its ratio of sums over users.
func (b *Builder) interval(i int, p *stat.Pair) {
	f := b.Fig(i)
	if p == nil || f.None {
		return
	}
	if _, iv, ok := p.Ratio(0.95); ok {
		f.Lo, f.Hi, f.Interval, f.Method = iv.Lo, iv.Hi, true, "normal 95 %, over users"
	}
}

// triangles adds value to date and revenue retention by cohort.
func (p *revenuePlan) triangles(b *Builder, cur int) {
	ck, cn := p.money.key(cur), p.money.label(cur)
	by := " by " + p.def.Cohort.String() + " of the start"
	value := Block{Kind: HeatBlock, Name: b.Key(ck + "cohorts"), Title: b.label(cn + "value to date per user" + by), Heads: []Head{{"users", true}}}
	kept := Block{Kind: HeatBlock, Name: b.Key(ck + "kept"), Title: b.label(cn + "revenue retention" + by), Heads: []Head{{"users", true}}}
	for c := range p.cols {
		h := Head{p.word()[:1] + p.column(c), true}
		value.Heads, kept.Heads = append(value.Heads, h), append(kept.Heads, h)
	}
	for row := range p.rows {
		if b.N(p.block(cur, 2+row), Self) == 0 {
			continue
		}
		label := p.cohort(row)
		key := "cohort." + label
		size := b.Count(p.block(cur, 2+row), ck+key+".size", cn+label+", users who started")
		v, k := Row{Key: label, Label: label, Cells: []Cell{b.Cell(size)}}, Row{Key: label, Label: label, Cells: []Cell{b.Cell(size)}}
		if p.truncatedRow(row) {
			v.Label, k.Label = "≤ "+label, "≤ "+label
		}
		for c := range p.cols {
			if !p.shape.Exists(p.first+model.Period(row), c) {
				v.Cells, k.Cells = append(v.Cells, Cell{Figure: NoFigure, Blank: true}), append(k.Cells, Cell{Figure: NoFigure, Blank: true})
				continue
			}
			f := p.figures(b, cur, 2+row, c, ck+key+"."+p.unit()+"."+p.column(c), cn+label+", "+p.word()+" "+p.column(c))
			cv, ck := b.Cell(f.value), b.Cell(f.kept)
			cv.Open = b.N(p.slot(cur, 2+row, c, revenueOpen), Self) > 0
			ck.Open = cv.Open
			v.Cells, k.Cells = append(v.Cells, cv), append(k.Cells, ck)
		}
		value.Rows, kept.Rows = append(value.Rows, v), append(kept.Rows, k)
	}
	b.Block(value)
	b.Block(kept)
}

func (p *revenuePlan) explain(f *Figure) []ExplainLine {
	if f.Slot < p.block(0, 0) {
		return nil
	}
	at := (f.Slot - p.block(0, 0)) % (1 + revenueSlots*len(p.cols))
	text := "number of users"
	switch {
	case at == 0:
	case f.Kind == Stat && f.Unit == "share":
		text = "revenue of the " + p.word() + " ÷ revenue of " + p.word() + " 0, of the users for whom the former has closed; the interval is of a ratio of sums over users (linearized)"
	case f.Kind == Stat:
		text = "revenue up to the end of the " + p.word() + " ÷ users for whom it has closed, buyers or not; the interval is that of a mean over users"
	case f.Kind == Sum:
		text = "revenue of users for whom the " + p.word() + " has closed, added exactly"
	}
	return []ExplainLine{{Head: "Formula", Text: text}, {Head: "Window", Text: p.intervalWords()}}
}
