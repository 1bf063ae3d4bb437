package query

import (
	"fmt"
	"math"
	"strconv"

	"dwell/model"
	"dwell/model/value"
)

func (f *forecast) layout(b *Builder) error {
	r := f.r
	b.A.Title = "Forecast · the " + plural(f.ahead, "week") + " after " + r.AsOf.String() + " · " + r.Cal.Zone
	b.A.Definition = fmt.Sprintf("Weeks of seven days that end with %s and every seven days from there. Users are counted by stage (buyers by how often they bought) and by whole weeks of silence; how likely they act and where they come to is learned from the last %d weeks, how weeks depart from that and how many users are new from stretches of the past drawn whole. The band is to hold %s of futures. The same forecasts were made from past weeks with what was known then: their errors say how much of a naive forecast (stages stay as they are; the mean of the last four weeks acts or buys) is mixed in and how wide the band is, and how often such bands held, and how wide they were on average against what came, stands below.",
		r.AsOf, chainWindow, share0(f.band))
	if f.why != "" {
		b.Block(Block{Kind: TextBlock, Name: "none", Title: "too little data", Lines: []string{f.why}})
		b.Count(foreAll, "users", "users")
		f.past(b)
		return nil
	}
	if err := f.foretell(); err != nil {
		return err
	}
	f.past(b)
	if f.buyers != nil {
		f.line(b, "buyers", "buyers", f.buyers, 1, foreBuyers)
	}
	f.line(b, "active", "active users", f.stages, 0, foreAll)
	f.populations(b)
	f.worth(b)
	f.returning(b)
	if !f.any {
		b.Warn("no-purchases", "No event is a purchase, so no buyers are foretold: event= foretells another act.")
	}
	if r.st.dict != nil && !r.st.data.Confirmed {
		b.Warn("suggested-known", "The stage model's numbers are suggestions from all the data: the forecasts from past weeks stand on stages that knew the end. Confirm the numbers to freeze them.")
	}
	if f.stages.learned && f.stages.from > 0 {
		b.Warn("overlap", "The past forecasts overlap in time: %s from %s are fewer than as many independent ones.", plural(f.stages.tests[0].periods, "period"), plural(f.stages.from, "week"))
	} else {
		band := "it holds simulated futures alone"
		if f.stages.learned {
			band = "it is as wide as the few known errors ask"
		}
		b.Warn("untested", "The data are too short to say what such forecasts were worth: the band was never tried, %s.", band)
	}
	return nil
}

// share0 writes a share in whole per cent.
func share0(x float64) string { return strconv.FormatFloat(100*x, 'f', 0, 64) + " %" }

func (f *forecast) pastKey(w int) string { return "week." + f.end(f.weeks-f.shown+w).String() }

func (f *forecast) aheadDay(i int) model.Day { return f.r.AsOf + model.Day(7*(i+1)) }

// past adds the weeks seen, with their users.
func (f *forecast) past(b *Builder) {
	if f.why == "" {
		b.Count(foreAll, "users", "users")
		if f.any {
			b.Count(foreBuyers, "known", "users who have bought")
		}
	}
	for w := range f.shown {
		day := f.end(f.weeks - f.shown + w).String()
		b.Count(f.slot(w, 0), f.pastKey(w)+".active", "active in the week to "+day)
		if f.any {
			b.Count(f.slot(w, 1), f.pastKey(w)+".buyers", "buyers in the week to "+day)
		}
		for i, name := range f.names {
			b.Count(f.slot(w, 2+i), f.pastKey(w)+"."+name, f.label(i)+" on "+day)
		}
	}
}

func (f *forecast) label(i int) string { return f.r.machine.Model().Stages[i].Label() }

// figure adds a foretold figure with its band.
func (f *forecast) figure(b *Builder, o *outlook, i, k, slot int, key, label string) int {
	x := o.weeks[i]
	at := b.Stat(slot, "ahead."+f.aheadDay(i).String()+"."+key, label+" by "+f.aheadDay(i).String()+", foretold", x.mean[k], false, "users")
	g := b.Fig(at)
	g.Lo, g.Hi, g.Interval, g.Method = x.lo[k], x.hi[k], true, share0(f.band)+", simulated, as wide as past errors ask"
	return at
}

func bandText(lo, hi float64) string {
	return strconv.FormatFloat(lo, 'f', 0, 64) + "–" + strconv.FormatFloat(hi, 'f', 0, 64)
}

// series is the past and the future of a figure: on one line, the future open, or
// apart, where the future has its band.
func (f *forecast) series(b *Builder, c *Chart, name, key string, o *outlook, k int, figs []int, apart bool) {
	s := Series{Name: name}
	for w := range f.shown {
		at := b.A.figureAt(f.pastKey(w) + "." + key)
		s.Y, s.Figures, s.Open = append(s.Y, b.Fig(at).Value), append(s.Figures, at), append(s.Open, false)
	}
	if apart {
		ahead := Series{Name: "foretold"}
		for range s.Y { // its line begins where the past ends
			ahead.Y, ahead.Lo, ahead.Hi, ahead.Figures = append(ahead.Y, math.NaN()), append(ahead.Lo, math.NaN()), append(ahead.Hi, math.NaN()), append(ahead.Figures, NoFigure)
		}
		if n := len(s.Y) - 1; n >= 0 {
			ahead.Y[n], ahead.Lo[n], ahead.Hi[n], ahead.Figures[n] = s.Y[n], s.Y[n], s.Y[n], s.Figures[n]
		}
		for i, at := range figs {
			x := o.weeks[i]
			ahead.Y, ahead.Lo, ahead.Hi, ahead.Figures = append(ahead.Y, x.mean[k]), append(ahead.Lo, x.lo[k]), append(ahead.Hi, x.hi[k]), append(ahead.Figures, at)
			s.Y, s.Figures = append(s.Y, math.NaN()), append(s.Figures, at) // the line ends, and what stands there is still to be opened
		}
		s.Open = nil
		c.Series = append(c.Series, s, ahead)
		return
	}
	for i, at := range figs {
		s.Y, s.Figures, s.Open = append(s.Y, o.weeks[i].mean[k]), append(s.Figures, at), append(s.Open, true)
	}
	c.Series = append(c.Series, s)
}

func (f *forecast) chart(label string) *Chart {
	c := &Chart{XLabel: "week's end", YLabel: label, Unit: "users", Dates: true, Zero: true, Marks: []Mark{{X: float64(f.r.AsOf), Text: "now"}}}
	for w := range f.shown {
		c.X = append(c.X, float64(f.end(f.weeks-f.shown+w)))
	}
	for i := range f.ahead {
		c.X = append(c.X, float64(f.aheadDay(i)))
	}
	return c
}

// figureAt is the index of a figure that is there.
func (a *Answer) figureAt(key string) int {
	for i := range a.Figures {
		if a.Figures[i].Key == key {
			return i
		}
	}
	return 0
}

// line is one act: who buys, or is active, week by week.
func (f *forecast) line(b *Builder, key, label string, o *outlook, what, slot int) {
	bl := Block{Kind: TableBlock, Name: key, Title: label + " in each week", Heads: []Head{{"foretold", true}, {share0(f.band) + " band", true}, {"naive", true}}}
	last := o.chain.kinds
	naive := 0.0
	for k := range 4 {
		naive += o.chain.came(max(0, f.weeks-1-k))[last] / 4
	}
	var figs []int
	for i, x := range o.weeks {
		at := f.figure(b, o, i, last, slot, key, label)
		figs = append(figs, at)
		day := f.aheadDay(i).String()
		bl.Rows = append(bl.Rows, Row{Key: day, Label: "to " + day, Cells: []Cell{b.Cell(at), TextCell(bandText(x.lo[last], x.hi[last])), TextCell(strconv.FormatFloat(naive, 'f', 1, 64))}})
	}
	c := f.chart(label)
	f.series(b, c, label, key, o, last, figs, true)
	b.Block(Block{Kind: ChartBlock, Name: key + ".chart", Title: label + " in each week", Chart: c})
	b.Block(bl)
}

// populations are the users of each stage at the end of each week.
func (f *forecast) populations(b *Builder) {
	c := f.chart("users")
	mean := Block{Kind: TableBlock, Name: "stages", Title: "users of each stage at the end of the week", Heads: []Head{{"now", true}}}
	bands := Block{Kind: TableBlock, Name: "bands", Title: "the same: " + share0(f.band) + " bands"}
	for i := range f.stages.weeks {
		h := Head{fmt.Sprintf("+%d w", i+1), true}
		mean.Heads, bands.Heads = append(mean.Heads, h), append(bands.Heads, h)
	}
	for k, name := range f.names {
		now := b.A.figureAt(f.pastKey(f.shown-1) + "." + name)
		row, text := Row{Key: name, Label: f.label(k), Cells: []Cell{b.Cell(now)}}, Row{Key: name, Label: f.label(k)}
		var figs []int
		for i, x := range f.stages.weeks {
			at := f.figure(b, f.stages, i, k, foreAll, name, f.label(k))
			figs = append(figs, at)
			row.Cells, text.Cells = append(row.Cells, b.Cell(at)), append(text.Cells, TextCell(bandText(x.lo[k], x.hi[k])))
		}
		mean.Rows, bands.Rows = append(mean.Rows, row), append(bands.Rows, text)
		f.series(b, c, f.label(k), name, f.stages, k, figs, false)
	}
	b.Block(Block{Kind: ChartBlock, Name: "stages.chart", Title: "users of each stage", Chart: c})
	b.Block(mean)
	b.Block(bands)
}

// worth is how often bands held in the past, and how far off the forecasts were.
func (f *forecast) worth(b *Builder) {
	if !f.stages.learned || f.stages.from == 0 {
		b.Block(Block{Kind: TextBlock, Name: "worth", Title: "what such forecasts were worth", Lines: []string{fmt.Sprintf(
			"Not known: to compare forecasts of the past with what came, %s to learn from are needed, and there are %d.", plural(f.testedFrom(), "week"), f.weeks-f.first)}})
		return
	}
	bl := Block{Kind: TableBlock, Name: "worth", Title: fmt.Sprintf("what such forecasts were worth, from %s of the past", plural(f.stages.from, "week")), Heads: []Head{{"band held", true}, {"of periods", true}, {"share", true}, {"band width", true}, {"error", true}, {"naive error", true}}}
	add := func(key, label string, t trial) {
		share, wide, off, naive := "—", "—", "—", "—"
		if t.periods > 0 && t.total > 0 {
			share = fmt.Sprintf("%.0f %%", 100*float64(t.within)/float64(t.periods))
		}
		if t.total > 0 {
			wide = fmt.Sprintf("%.0f %%", 100*t.wide/t.total)
			off, naive = fmt.Sprintf("%.1f %%", 100*t.off/t.total), fmt.Sprintf("%.1f %%", 100*t.naive/t.total)
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{TextCell(strconv.Itoa(t.within)), TextCell(strconv.Itoa(t.periods)), TextCell(share), TextCell(wide), TextCell(off), TextCell(naive)}})
	}
	var all trial
	empty := false
	if f.buyers != nil {
		add("buyers", "buyers", f.buyers.tests[f.buyers.chain.kinds])
	}
	add("active", "active users", f.stages.tests[len(f.names)])
	for k, name := range f.names {
		t := f.stages.tests[k]
		add(name, f.label(k), t)
		if t.total == 0 {
			empty = true
			continue // nobody was in it, which is no feat to foretell
		}
		all.periods, all.within = all.periods+t.periods, all.within+t.within
		all.off, all.naive, all.total = all.off+t.off, all.naive+t.naive, all.total+t.total
		all.wide += t.wide
	}
	label := "all stages together"
	if empty {
		label = "all stages that anybody was in"
	}
	add("stages", label, all)
	b.Block(bl)
}

// returning is what the buyers known today do by the repeat-buying model.
func (f *forecast) returning(b *Builder) {
	if !f.any {
		return
	}
	if f.fit == nil {
		b.Warn("no-model", "The buyers known today are not foretold by MBG/NBD: %s.", f.noFit)
		return
	}
	bl := Block{Kind: TableBlock, Name: "known", Title: "buyers known today, by MBG/NBD (those won later are not in it)", Heads: []Head{{"purchases", true}, {share0(f.band) + " band", true}, {"buyers", true}, {share0(f.band) + " band", true}}}
	cell := func(key, label, day string, p value.Predicted) int {
		at := b.Stat(foreBuyers, "known."+day+"."+key, label, p.Mean, false, key)
		x := b.Fig(at)
		x.Lo, x.Hi, x.Interval, x.Method = p.Band.Lo, p.Band.Hi, true, share0(f.band)+" by chance, parameters and past drift"
		return at
	}
	row := func(day, label string, w value.Week) {
		bl.Rows = append(bl.Rows, Row{Key: day, Label: label, Cells: []Cell{
			b.Cell(cell("purchases", label+", purchases of known buyers", day, w.Purchases)), TextCell(bandText(w.Purchases.Band.Lo, w.Purchases.Band.Hi)),
			b.Cell(cell("buyers", label+", known buyers who buy", day, w.Buyers)), TextCell(bandText(w.Buyers.Band.Lo, w.Buyers.Band.Hi))}})
	}
	for i, w := range f.fit.Weeks {
		day := f.aheadDay(i).String()
		row(day, "to "+day, w)
	}
	row("all", "all weeks", f.fit.Total)
	b.Block(bl)
	if f.model == nil {
		b.Warn("no-backtest", "The data are too short to test the repeat-buying model's forecast on their own past.")
		return
	}
	b.Block(Block{Kind: TextBlock, Name: "known.worth", Title: "what the model's forecasts were worth", Lines: []string{
		"Purchases: " + f.model.Purchases.Sentence() + ".",
		"Buyers: " + f.model.Buyers.Sentence() + ".",
		"Whole horizons, purchases: " + f.model.WholePurchases.Sentence() + ".",
	}})
}

func (f *forecast) explain(g *Figure) []ExplainLine {
	if g.Kind != Stat {
		return nil
	}
	text := "the mean of the simulated futures; the list is of the users known today, whose futures are simulated"
	if g.Slot == foreBuyers && g.Unit != "users" {
		text = "closed forms of MBG/NBD added over the buyers known today; the band allows for chance, for the parameters' uncertainty and for how far such forecasts were off in the past"
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}
