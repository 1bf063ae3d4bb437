package query

import (
	"errors"
	"fmt"
	"math"

	"dwell/model"
	"dwell/model/stat"
	"dwell/model/survival"
)

// A curveOf is one estimated curve of the answer.
type curveOf struct {
	group, curve int
	key, label   string // before its figures' keys, and in tables
	lives        []survival.Life
	est          *survival.Estimate // nil where nobody is in it

	people int64         // of spells=all: users behind the lives
	band   survival.Band // and what resampling them says
	banded bool
}

func (p *survivalPlan) curves(b *Builder) (out []*curveOf, err error) {
	k := b.Kernel().(*survivalKernel)
	for g := range p.r.Groups {
		for s := range p.by.len() {
			c := &curveOf{group: g, curve: s, lives: k.found[g][s].list(), label: p.r.Groups[g].Label()}
			if p.by.by != "" {
				c.key, c.label = "by."+p.by.label(s)+".", p.by.label(s)
			}
			if c.est, err = survival.Estimated(c.lives, stat.Level); err != nil && !errors.Is(err, survival.ErrNobody) {
				return nil, err
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// reach is the day to which means are restricted: as far as every curve is seen.
func (p *survivalPlan) reach(cs []*curveOf) float64 {
	tau := math.Inf(1)
	for _, c := range cs {
		if c.est != nil {
			tau = math.Min(tau, c.est.Last)
		}
	}
	if u := p.r.Int("until"); u > 0 {
		return float64(u)
	}
	if math.IsInf(tau, 1) {
		return 0
	}
	return tau
}

func (p *survivalPlan) layout(b *Builder) error {
	b.A.Title, b.A.Definition = p.title(), p.definition()
	cs, err := p.curves(b)
	if err != nil {
		return err
	}
	for _, c := range cs {
		p.resample(b.Kernel().(*survivalKernel), c, p.reach(cs))
	}
	if err := p.r.Ctx.Err(); err != nil {
		return err
	}
	chart := &Chart{XLabel: "days " + p.from(), YLabel: "share not yet churned (under the axis: users at risk)", Unit: "share", Zero: true, Step: true}
	last := 0
	for _, c := range cs {
		for c.est != nil && last < p.rows && p.days(last) < c.est.Last {
			last++
		}
	}
	for i := range last + 1 {
		chart.X = append(chart.X, p.days(i))
	}
	if flat := p.def.flat(); flat > 0 && flat <= p.days(last) {
		chart.Marks = append(chart.Marks, Mark{X: flat, Text: "G: nobody can have churned before it (flat by construction)"})
	}
	b.Block(Block{Kind: ChartBlock, Name: "curve", Title: p.title(), Chart: chart})
	p.summary(b, cs)
	p.compare(b, cs)
	for _, c := range cs {
		b.Group(c.group)
		p.ages(b, c, chart, last)
	}
	if p.by.by == "" {
		for _, c := range cs {
			b.Group(c.group)
			p.fits(b, c, chart)
		}
	}
	p.leftOut(b)
	p.lint(b, cs)
	return nil
}

func (p *survivalPlan) summary(b *Builder, cs []*curveOf) {
	tau := p.reach(cs)
	t := Block{Kind: TableBlock, Name: "summary", Title: "How long they stay", Heads: []Head{
		{p.head(), true}, {"churned", true}, {"censored", true}, {"median", true}, {"95 %", true}, {fmt.Sprintf("mean to day %s", Number(tau)), true}, {"95 %", true}}}
	for _, c := range cs {
		b.Group(c.group)
		at := p.curve(c.curve)
		row := Row{Key: b.Key(c.key + "curve"), Label: c.label}
		for _, x := range []struct {
			slot       int
			key, label string
		}{{curveUsers, "users", p.head() + " in the estimate"}, {curveDied, "died", "of them churned"}, {curveCensored, "censored", "not churned when last seen (censored)"}} {
			row.Cells = append(row.Cells, b.Cell(p.counts(b, at+x.slot, c.key+x.key, p.named(c, x.label))))
		}
		row.Cells = append(row.Cells, p.median(b, c, at)...)
		row.Cells = append(row.Cells, p.mean(b, c, at, tau)...)
		t.Rows = append(t.Rows, row)
	}
	b.Block(t)
}

// named puts a curve's name before a label.
func (p *survivalPlan) named(c *curveOf, label string) string {
	if p.by.by == "" {
		return label
	}
	return c.label + ": " + label
}

func (p *survivalPlan) median(b *Builder, c *curveOf, at int) []Cell {
	var days float64
	var ok bool
	var lo, hi stat.Bound
	if c.est != nil {
		days, ok = c.est.Curve.Reached(0.5)
		lo, hi = c.est.Curve.ReachedInterval(0.5)
	}
	method := "Brookmeyer–Crowley 95 %, log-log band"
	if p.def.every {
		lo, hi, method = c.band.Lo, c.band.Hi, pooledMethod
	}
	i := p.stat(b, at+curveUsers, c.key+"median", p.named(c, "median life"), days, !ok, "days")
	f := b.Fig(i)
	if ok && lo.Known && hi.Known {
		f.Lo, f.Hi, f.Interval, f.Method = lo.Days, hi.Days, true, method
	}
	text := ""
	switch {
	case c.est == nil, p.def.every && !c.banded:
	case !ok && !lo.Known:
		text = "not reached"
	default:
		text = boundText(lo) + " – " + boundText(hi)
	}
	return []Cell{b.Cell(i), TextCell(text)}
}

// pooledMethod is how intervals of pooled spells are made.
const pooledMethod = "user bootstrap 95 %"

func boundText(x stat.Bound) string {
	if !x.Known {
		return "not reached"
	}
	return Number(x.Days)
}

func (p *survivalPlan) mean(b *Builder, c *curveOf, at int, tau float64) []Cell {
	var mean, se float64
	var ok bool
	if c.est != nil {
		mean, se, ok = c.est.Mean(tau)
	}
	i := p.stat(b, at+curveUsers, c.key+"mean", p.named(c, fmt.Sprintf("mean life within the first %s days", Number(tau))), mean, !ok, "days")
	if !ok {
		return []Cell{b.Cell(i), TextCell("")}
	}
	f := b.Fig(i)
	if p.def.every {
		if !c.banded {
			return []Cell{b.Cell(i), TextCell("")}
		}
		f.Lo, f.Hi, f.Interval, f.Method = c.band.Mean.Lo, c.band.Mean.Hi, true, pooledMethod
		return []Cell{b.Cell(i), TextCell(fmt.Sprintf("%.1f – %.1f", f.Lo, f.Hi))}
	}
	half := stat.NormalQuantile(0.5+stat.Level/2) * se
	f.Lo, f.Hi, f.Interval, f.Method = math.Max(mean-half, 0), math.Min(mean+half, tau), true, fmt.Sprintf("normal 95 %%, standard error %.4g", se)
	return []Cell{b.Cell(i), TextCell(fmt.Sprintf("%.1f – %.1f", f.Lo, f.Hi))}
}

// compare adds the log-rank test of the curves of a group, or of the groups.
func (p *survivalPlan) compare(b *Builder, cs []*curveOf) {
	var all [][]survival.Life
	n := 0
	for _, c := range cs {
		if len(c.lives) > 0 {
			all = append(all, c.lives)
			n++
		}
	}
	if len(cs) < 2 || n < 2 || p.def.every {
		return // spells of one user are not independent: the test would find too much
	}
	if shared := b.Kernel().(*survivalKernel).shared; shared > 0 {
		b.Warn("overlap", "%s in several of the groups, so no test compares them: compare disjoint groups, as A and B but not A", areOf(shared, "user"))
		return
	}
	x, err := survival.LogRank(all...)
	t := Block{Kind: TableBlock, Name: "logrank", Title: "Do they differ? (log-rank)", Heads: []Head{{"chi-squared", true}, {"degrees", true}, {"p", true}}}
	chi, pv, df := 0.0, 0.0, ""
	if err == nil {
		chi, pv, df = x.Chi2, x.P, Number(float64(x.DF))
	}
	b.Group(0)
	var users int64
	for g := range p.r.Groups {
		b.Group(g)
		users += b.N(lifeAll, Self)
	}
	b.Group(0)
	stat := func(key, label string, v float64, unit string) Cell {
		if len(p.r.Groups) == 1 {
			return b.Cell(b.Stat(lifeAll, key, label, v, err != nil, unit))
		}
		// The figure is of all groups: its users are those of each.
		b.A.Figures = append(b.A.Figures, Figure{Key: key, Label: label, Kind: Stat, Value: v, None: err != nil, Unit: unit, N: users, Slot: ownSlot})
		return b.Cell(len(b.A.Figures) - 1)
	}
	t.Rows = append(t.Rows, Row{Key: "logrank", Label: "all curves alike", Cells: []Cell{
		stat("logrank.chi2", "log-rank chi-squared, "+df+" degrees of freedom", chi, ""), TextCell(df), stat("logrank.p", "log-rank p-value", pv, "probability")}})
	b.Block(t)
	if err != nil {
		b.Warn("logrank", "The curves cannot be compared: %v.", err)
	}
}

// ages adds a curve's table by age and its series.
func (p *survivalPlan) ages(b *Builder, c *curveOf, chart *Chart, last int) {
	t := Block{Kind: TableBlock, Name: b.Key(c.key + "ages"), Title: b.label(p.named(c, "by days "+p.from())), Heads: []Head{
		{"not churned", true}, {"95 %", true}, {"at risk", true}, {"churned", true}, {"censored", true}, {"cum. hazard", true}}}
	s := Series{Name: c.label}
	under := AxisRow{Name: c.label}
	if p.by.by == "" && len(p.r.Groups) == 1 {
		under.Name = "at risk"
	}
	var hz []survival.HazardStep
	if c.est != nil {
		hz = c.est.Hazard(stat.Level)
	}
	for i := 0; i <= last && c.est != nil && (i == 0 || p.days(i-1) < c.est.Last); i++ {
		t.Rows = append(t.Rows, p.age(b, c, i, hz, &s, &under))
	}
	chart.Series = append(chart.Series, s)
	chart.Under = append(chart.Under, under)
	b.Block(t)
}

func (p *survivalPlan) age(b *Builder, c *curveOf, i int, hz []survival.HazardStep, s *Series, under *AxisRow) Row {
	day := p.days(i)
	at := p.row(c.curve, i)
	key := fmt.Sprintf("%sday.%v.", c.key, day)
	when := fmt.Sprintf("day %v", day)
	v, st := c.est.Curve.At(day)
	// Beyond the last time seen the curve says nothing.
	none := day > c.est.Last
	fig := p.stat(b, at+rowRisk, key+"survival", p.named(c, "share not churned by "+when), v, none, "share")
	f := b.Fig(fig)
	text := ""
	lo, hi := v, v
	if p.def.every && c.banded && !none && v < 1 {
		f.Lo, f.Hi, f.Interval, f.Method = c.band.At[i].Lo, c.band.At[i].Hi, true, pooledMethod
		text = fmt.Sprintf("%.1f–%.1f %%", 100*f.Lo, 100*f.Hi)
		lo, hi = f.Lo, f.Hi
	}
	if st != nil && st.Bounded && !none && !p.def.every {
		f.Lo, f.Hi, f.Interval, f.Method = st.Lo, st.Hi, true, "Greenwood, log-log, 95 %"
		text = fmt.Sprintf("%.1f–%.1f %%", 100*st.Lo, 100*st.Hi)
		lo, hi = st.Lo, st.Hi
	}
	y := v
	if none {
		y, lo, hi = math.NaN(), math.NaN(), math.NaN()
	}
	if !none {
		s.Y, s.Lo, s.Hi, s.Figures = append(s.Y, y), append(s.Lo, lo), append(s.Hi, hi), append(s.Figures, fig)
	}
	under.Values = append(under.Values, float64(c.est.AtRisk(day)))
	h := 0.0
	for _, x := range hz {
		if x.Time > day {
			break
		}
		h = x.H
	}
	risk := p.counts(b, at+rowRisk, key+"risk", p.named(c, "at risk on "+when))
	died := p.counts(b, at+rowDied, key+"died", p.named(c, "churned since the row before "+when))
	cens := p.counts(b, at+rowCensored, key+"censored", p.named(c, "censored since the row before "+when))
	hazard := p.stat(b, at+rowRisk, key+"hazard", p.named(c, "cumulative hazard by "+when), h, none, "")
	return Row{Key: fmt.Sprint(day), Label: when, Cells: []Cell{b.Cell(fig), TextCell(text), b.Cell(risk), b.Cell(died), b.Cell(cens), b.Cell(hazard)}}
}

// leftOut counts those who are in no curve, by the reason.
func (p *survivalPlan) leftOut(b *Builder) {
	t := Block{Kind: TableBlock, Name: "left", Title: "Left out", Heads: []Head{{"users", true}, {"why", false}}}
	for g := range p.r.Groups {
		b.Group(g)
		for _, x := range p.reasons() {
			if b.N(x.slot, Self) == 0 {
				continue
			}
			t.Rows = append(t.Rows, Row{Key: b.Key(x.key), Label: b.label(x.label), Cells: []Cell{b.Cell(b.Count(x.slot, "left."+x.key, "left out: "+x.label)), TextCell(x.why)}})
		}
	}
	if len(t.Rows) > 0 {
		b.Block(t)
	}
}

type lifeReason struct {
	slot            int
	key, label, why string
}

func (p *survivalPlan) reasons() []lifeReason { return p.def.reasons(p.by.by) }

func (d *lifeDef) reasons(by string) []lifeReason {
	return []lifeReason{
		{lifeTruncated, "truncated", "first seen too early", "may have begun before the data do (truncated=keep takes them in; signup= gives them their true beginning)"},
		{lifeNotYet, "notyet", "not there at the landmark", "began after it, or are not that old yet"},
		{lifeDead, "dead", "churned by the landmark", "only users still at risk then count"},
		{lifeUnstarted, "unstarted", "spell not begun", "without the start event, or without so many returns"},
		{lifeMissing, "missing", "no value of " + by, "nothing is known of them at the start or landmark"},
	}
}

func (p *survivalPlan) lint(b *Builder, cs []*curveOf) {
	var cut int64
	for g := range p.r.Groups {
		b.Group(g)
		cut += b.N(lifeTruncated, Self)
	}
	b.WarnTruncated(cut)
	p.def.lint(b)
	p.lintPooled(b, cs)
	for _, c := range cs {
		switch {
		case c.est == nil:
			b.Warn("nobody", "%s: nobody is in the estimate.", c.label)
		case p.def.every && c.people < SmallN:
			b.Warn("small-n", "%s: spells of only %s: the curve may change a lot with a few more.", c.label, countOf(c.people, "user"))
		case c.est.N < SmallN:
			b.Warn("small-n", "%s: only %s: the curve may change a lot with a few more.", c.label, countOf(c.est.N, "user"))
		}
	}
}

// lint warns where the gap is easily misread.
func (d *lifeDef) lint(b *Builder) {
	if d.contract {
		if d.paid < 0 {
			b.Warn("cancel-only", "The dictionary names no column of what is paid (paid_until, period): a contract that runs out without a cancellation cannot be seen to end.")
		} else if !d.cancels {
			b.Warn("no-cancel", "No event cancels: a contract ends where what is paid ends.")
		}
		return
	}
	if usage := d.r.param("usage", 0); float64(d.gap) < usage {
		b.Warn("gap-short", "A gap of %d days is shorter than the usage interval, %s days: regular users are counted as churned between two visits.", d.gap, Number(usage))
	}
	if span := d.r.AsOf - d.r.FirstDay; d.gap >= span && d.landmark == model.NoDay {
		b.Warn("gap-long", "A gap of %d days is no shorter than the data, %d days: nobody can be seen to churn.", d.gap, span)
	}
	if d.signup != "" {
		b.Warn("late-entry", "Time runs from the sign-up (%s), but users count from the day they are first seen: at early ages few are at risk, and the curve there rests on them.", d.signup)
	}
}

// areOf is a number with its noun and verb.
func areOf(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return countOf(n, noun) + " are"
}
