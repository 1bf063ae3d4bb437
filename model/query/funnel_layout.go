package query

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/funnel"
	"dwell/model/stat"
)

// layout makes the figures and blocks: the steps as bars, their rates, times and
// lists as a table, and the rows of a breakdown.
func (p *funnelPlan) layout(b *Builder) error {
	b.A.Title, b.A.Definition = p.title(), p.definition()
	for g := range b.Groups() {
		b.Group(g)
		p.whole(b)
		if p.by != nil {
			p.broken(b)
		}
	}
	p.lint(b)
	return nil
}

// unit is what is counted.
func (p *funnelPlan) unit() string {
	if p.holds {
		return "values of " + p.r.Str("hold")
	}
	return "users"
}

// head is what is counted, as a column has it.
func (p *funnelPlan) head() string {
	if p.holds {
		return p.r.Str("hold")
	}
	return "users"
}

// count adds the number of tries that hit a slot: users, or pairs of user and held
// value.
func (p *funnelPlan) count(b *Builder, slot int, key, label string) int {
	if p.holds {
		i := b.Pairs(slot, key, label)
		b.Fig(i).Unit = "pairs"
		return i
	}
	return b.Count(slot, key, label)
}

// rate adds a rate. Of held values it has its interval from a bootstrap of users:
// they are clustered in users, and Wilson's would be too narrow (SPEC 2).
func (p *funnelPlan) rate(b *Builder, slot int, key, label string) int {
	i := b.Rate(slot, key, label)
	f := b.Fig(i)
	if !p.holds || f.None {
		return i
	}
	f.Pairs, f.Interval, f.Lo, f.Hi, f.Method = true, false, 0, 0, ""
	k, ok := b.Kernel().(*funnelKernel)
	if !ok {
		return i
	}
	var cs []stat.Cluster
	for c, n := range k.clusters[b.group*b.slots+slot] {
		cs = append(cs, stat.Cluster{N: n, Num: int64(c[1]), Den: int64(c[0])})
	}
	if iv, ok := stat.RatioBootstrap(cs, bootstrapRounds, 0.95, rand.New(rand.NewPCG(1, uint64(slot)))); ok {
		f.Lo, f.Hi, f.Interval, f.Method = iv.Lo, iv.Hi, true, "user bootstrap 95 %"
	}
	return i
}

// median adds the median of a slot's times, with its interval by order statistics.
func (p *funnelPlan) median(b *Builder, slot int, key, label string) int {
	xs := slices.Clone(b.Values(slot))
	slices.Sort(xs)
	m, ok := stat.Median(xs)
	i := b.Stat(slot, key, label, m, !ok, "seconds")
	if iv, ok := stat.MedianInterval(xs, 0.95); ok && !p.holds {
		f := b.Fig(i)
		f.Lo, f.Hi, f.Interval, f.Method = iv.Lo, iv.Hi, true, "order statistics 95 %"
	}
	return i
}

// prefix is the beginning of the keys of a section.
func (p *funnelPlan) prefix(section int) (key, label string) {
	if section == 0 {
		return "", ""
	}
	row := p.by.rows[section-1]
	return row.key + ".", row.label + ": "
}

// name is a step as it stands in a row's label.
func (p *funnelPlan) name(k int) string {
	if p.def.Order == funnel.Any {
		return fmt.Sprintf("%d of the steps", k+1)
	}
	return fmt.Sprintf("%d %s", k+1, p.steps[k].label)
}

// stepFigures are the figures of one step of a section.
type stepFigures struct{ reached, from, overall, dropped, open, time int }

// step adds the figures of a step.
func (p *funnelPlan) figures(b *Builder, section, k int) (f stepFigures) {
	pre, who := p.prefix(section)
	key := fmt.Sprintf("%sstep.%d", pre, k+1)
	label := who + "step " + p.name(k)
	f = stepFigures{from: NoFigure, overall: NoFigure, dropped: NoFigure, open: NoFigure, time: NoFigure}
	f.reached = p.count(b, p.step(section, k, funnelReached), key, label+", "+p.unit()+" who reached it")
	if k > 0 {
		f.from = p.rate(b, p.step(section, k, funnelFrom), key+".from-previous", label+", of those at the step before")
		f.overall = p.rate(b, p.step(section, k, funnelOverall), key+".overall", label+", of those who entered")
		f.time = p.median(b, p.step(section, k, funnelTime), key+".time", label+", median time since the step before")
	}
	if k < p.def.Steps-1 {
		f.dropped = p.count(b, p.step(section, k, funnelDropped), key+".dropped", label+", dropped after it")
		f.open = p.count(b, p.step(section, k, funnelUndecided), key+".open", label+", still within their window")
	}
	return f
}

// whole lays the funnel itself out.
func (p *funnelPlan) whole(b *Builder) {
	bars := Block{Kind: BarBlock, Name: b.Key("bars"), Title: b.label(p.unit() + " by step")}
	// Two tables of five columns, for one of ten does not fit 80 cells.
	t := Block{Kind: TableBlock, Name: b.Key("steps"), Title: b.label("step by step"), Heads: []Head{
		{p.head(), true}, {"of previous", true}, {"95 %", true}, {"of entered", true}, {"95 %", true}}}
	between := Block{Kind: TableBlock, Name: b.Key("between"), Title: b.label("between the steps"), Heads: []Head{
		{"dropped after", true}, {"still open", true}, {"median time to it", true}, {"95 %", true}, {"then", false}}}
	cell := func(i int) Cell {
		if i == NoFigure {
			return Cell{Figure: NoFigure, Blank: true}
		}
		return b.Cell(i)
	}
	for k := range p.def.Steps {
		f := p.figures(b, 0, k)
		key := fmt.Sprintf("step.%d", k+1)
		bars.Rows = append(bars.Rows, Row{Key: key, Label: p.name(k), Cells: []Cell{b.Cell(f.reached)}})
		t.Rows = append(t.Rows, Row{Key: key, Label: p.name(k), Cells: []Cell{b.Cell(f.reached), cell(f.from), p.interval(b, f.from), cell(f.overall), p.interval(b, f.overall)}})
		between.Rows = append(between.Rows, Row{Key: key, Label: p.name(k), Cells: []Cell{cell(f.dropped), cell(f.open), cell(f.time), p.interval(b, f.time), p.then(b, f.reached)}})
	}
	converted := b.Key(fmt.Sprintf("step.%d", p.def.Steps))
	total := p.median(b, p.extra(0, funnelTotal), "time", "median time from entry to conversion")
	open := p.count(b, p.extra(0, funnelOpen), "open", "entered less than one window before the end and not converted yet")
	sums := Block{Kind: TableBlock, Name: b.Key("sums"), Title: b.label("in all"), Heads: []Head{{"", true}, {"95 %", true}, {"then", false}}}
	add := func(key, label string, i int) {
		sums.Rows = append(sums.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(i), p.interval(b, i), p.then(b, i)}})
	}
	if f := b.A.Figure(converted + ".overall"); f != nil { // always: a funnel has two steps at least
		for i := range b.A.Figures {
			if &b.A.Figures[i] == f {
				add("conversion", "conversion of those who entered", i)
			}
		}
	}
	add("open", "still open", open)
	add("time", "median time to convert", total)
	if p.def.Exclusion == funnel.Remove {
		add("removed", "removed by an excluded event", p.count(b, p.extra(0, funnelRemoved), "removed", "entered, but removed by an excluded event"))
	}
	if p.def.Exclusion == funnel.Stop {
		add("stopped", "stopped by an excluded event", p.count(b, p.extra(0, funnelStopped), "stopped", "stopped by an excluded event with the steps so far"))
	}
	b.Block(bars)
	b.Block(t)
	b.Block(between)
	b.Block(sums)
}

// interval is the text of a figure's interval.
func (p *funnelPlan) interval(b *Builder, i int) Cell {
	if i == NoFigure || !b.Fig(i).Interval {
		return TextCell("")
	}
	f := b.Fig(i)
	if f.Unit == "seconds" {
		return TextCell(durationText(int64(f.Lo*1000)) + " – " + durationText(int64(f.Hi*1000)))
	}
	return TextCell(fmt.Sprintf("%.1f–%.1f %%", 100*f.Lo, 100*f.Hi))
}

// then leads from a figure to the retention of exactly its users (SPEC R4.8).
func (p *funnelPlan) then(b *Builder, i int) Cell {
	c := TextCell("retention ›")
	c.Go = p.r.link(question("retention", "of", b.A.Address, "key", b.Fig(i).Key))
	return c
}

// broken lays the rows of the breakdown out: counts as a table, conversion of
// those who entered as a heat table.
func (p *funnelPlan) broken(b *Builder) {
	by := p.by
	heat := Block{Kind: HeatBlock, Name: b.Key("breakdown"), Title: b.label("of those who entered, by " + by.info.Name), Heads: []Head{{p.head(), true}}}
	counts := Block{Kind: TableBlock, Name: b.Key("breakdown-counts"), Title: b.label(p.unit() + " and median times, by " + by.info.Name)}
	for k := range p.def.Steps {
		if k > 0 {
			heat.Heads = append(heat.Heads, Head{fmt.Sprintf("step %d", k+1), true})
		}
		counts.Heads = append(counts.Heads, Head{fmt.Sprintf("step %d", k+1), true})
		if k > 0 {
			counts.Heads = append(counts.Heads, Head{"time", true})
		}
	}
	order := make([]int, 0, len(by.rows))
	for i := range by.rows {
		if b.N(p.step(1+i, 0, funnelReached), Self) > 0 || b.N(p.extra(1+i, funnelRemoved), Self) > 0 {
			order = append(order, i)
		}
	}
	sortBy(order, func(i int) (int64, string) {
		n := -b.N(p.step(1+i, 0, funnelReached), Self)
		if !strings.HasPrefix(by.rows[i].key, "value.") {
			n += 1 << 40 // the rest stands at the end
		}
		return n, by.rows[i].label
	})
	for _, i := range order {
		row := by.rows[i]
		h := Row{Key: row.key, Label: row.label}
		c := Row{Key: row.key, Label: row.label}
		for k := range p.def.Steps {
			f := p.figures(b, 1+i, k)
			c.Cells = append(c.Cells, b.Cell(f.reached))
			if k == 0 {
				h.Cells = append(h.Cells, b.Cell(f.reached))
				continue
			}
			cell := b.Cell(f.overall)
			cell.Open = b.Fig(f.overall).Open > 0
			h.Cells = append(h.Cells, cell)
			c.Cells = append(c.Cells, b.Cell(f.time))
		}
		heat.Rows, counts.Rows = append(heat.Rows, h), append(counts.Rows, c)
	}
	b.Block(heat)
	b.Block(counts)
}

// lint says where the funnel is easily misread.
func (p *funnelPlan) lint(b *Builder) {
	if p.assumed {
		b.Warn("assumed-steps", "No steps were given: these are the meanings that the dictionary knows, in the order of a life. Give step= for your own.")
	}
	var open int64
	for g := range b.Groups() {
		b.Group(g)
		open += b.N(p.extra(0, funnelOpen), Self)
	}
	switch {
	case p.def.Window == 0:
		b.Warn("follow-up", "There is no window: whoever entered early had longer to convert, and nobody is ever out of time. A window makes users comparable.")
	case p.all && open > 0:
		b.Warn("eligible-all", "Rates are of all who entered (eligible=all): %s whose window has not passed yet count as not converted.", countOf(open, "user"))
	case open > 0:
		b.Warn("open-users", "%s still within their window and not converted: in neither side of the rates, and so are those who entered as late and have converted already.", isAre(open, "user"))
	}
	if p.holds {
		b.Warn("clustered", "Values of %s are clustered in users: rates have their interval from resampling users, medians have none.", p.r.Str("hold"))
	}
	if p.by != nil && p.by.how == byAll {
		b.Warn("overlap", "With attribution=all a user stands in the row of every value they entered with: the rows may add up to more than the funnel.")
	}
	if p.def.Best && p.def.Window > 0 {
		b.Warn("best-try", "With try=best users who enter often have more tries: more frequent users convert more by that alone.")
	}
}

// isAre is a number of things with its verb.
func isAre(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return fmt.Sprintf("%d %ss are", n, noun)
}

// windowText is the window as it stands in titles.
func (p *funnelPlan) windowText() string {
	if p.def.Window == 0 {
		return "no window"
	}
	return "within " + durationText(p.def.Window)
}

func (p *funnelPlan) orderText() string {
	return map[funnel.Order]string{funnel.This: "in this order", funnel.Any: "in any order", funnel.Exact: "in exactly this order"}[p.def.Order]
}

func (p *funnelPlan) tryText() string {
	if p.def.Best {
		return "best try"
	}
	return "first try"
}

// title has the mode in it.
func (p *funnelPlan) title() string {
	parts := []string{"Funnel " + p.stepNames(), p.orderText(), p.tryText(), p.windowText()}
	if h := p.r.Str("hold"); h != "" {
		parts = append(parts, "same "+h)
	}
	if p.holds {
		parts = append(parts, "counting "+p.unit())
	}
	if pre := presetOf(p.r.Q); pre != nil {
		parts = append(parts, "as "+pre.name+" counts")
	}
	if p.by != nil {
		parts = append(parts, "by "+p.by.info.Name+" of "+map[attribution]string{byFirst: "the first step that has it", byLast: "the last step that has it", byAll: "all steps"}[p.by.how])
		if p.by.how == byStep {
			parts[len(parts)-1] += fmt.Sprintf("step %d", p.by.step+1)
		}
	}
	return strings.Join(append(parts, p.r.Cal.Zone), " · ")
}

func (p *funnelPlan) definition() string {
	var s strings.Builder
	who := "A user enters with the first event that is " + p.steps[0].label
	if p.def.Order == funnel.Any {
		who = "A user enters with the first event that is any step"
	}
	if p.r.Day("from") != model.NoDay || p.r.Day("to") != model.NoDay {
		who += " in the days asked for"
	}
	s.WriteString(who)
	if p.def.Best {
		s.WriteString(", and again with every later one; the deepest try counts, the earliest of equals")
	}
	switch p.def.Order {
	case funnel.This:
		s.WriteString("; each step must come after the one before, other events may come between")
	case funnel.Any:
		s.WriteString("; step k is reached with k different steps done, in any order, each by an event of its own")
	case funnel.Exact:
		s.WriteString("; each step must be the very next event after the one before")
	}
	if p.def.Window > 0 {
		fmt.Fprintf(&s, "; all steps within %s of the entry, inclusive", durationText(p.def.Window))
	}
	if p.def.Grace > 0 {
		fmt.Fprintf(&s, "; a step may stand up to %s before the one it follows", durationText(p.def.Grace))
	}
	if h := p.r.Str("hold"); h != "" {
		fmt.Fprintf(&s, "; all steps with the same %s (events without one are left out)", h)
	}
	if p.def.Exclusion != funnel.None {
		var out []string
		for i := range p.out {
			label := p.out[i].label
			if gaps := p.r.Q.All("between"); len(gaps) > 0 {
				from, to, _ := strings.Cut(gaps[min(i, len(gaps)-1)], "-")
				label += " between steps " + from + " and " + to
			}
			out = append(out, label)
		}
		how := "ends the try with the steps it has"
		if p.def.Exclusion == funnel.Remove {
			how = "makes the try count for nothing"
		}
		fmt.Fprintf(&s, "; %s before the conversion %s", strings.Join(out, " or "), how)
	}
	if p.all {
		s.WriteString(". Rates are of all who entered.")
	} else if p.def.Window > 0 {
		s.WriteString(". Rates are of users whose window has passed; open users, converted or not, are in neither side.")
	} else {
		s.WriteString(". Rates are of all who entered, as there is no window to wait for.")
	}
	if pre := presetOf(p.r.Q); pre != nil {
		s.WriteString(" These are " + pre.rules + ".")
	}
	return s.String()
}
