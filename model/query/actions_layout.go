package query

import (
	"fmt"
	"math"
	"math/rand/v2"

	"dwell/model/stat"
)

// tailRounds is how many synthetic data sets the tail's fit is judged by: enough
// to tell 0.1 from 0.2.
const tailRounds = 100

func (a *actions) layout(b *Builder) error {
	r := a.r
	what := columnLabel(a.ref)
	b.A.Title = "Actions per user · " + what + " · " + asOfNote(r)
	b.A.Definition = "How many " + what + " each user has as of the day. Lorenz curve, Gini and top shares are over users with a value, those with none of it included; amounts below 0 count as 0 there."
	lorenz := &Chart{XLabel: "share of users, those with least first", YLabel: "share of " + what, Unit: "share", Zero: true}
	for d := range 11 {
		lorenz.X = append(lorenz.X, float64(10*d))
		lorenz.Labels = append(lorenz.Labels, fmt.Sprintf("%d %%", 10*d))
	}
	gaps := &Chart{XLabel: "days", YLabel: "share of gaps that last longer", Unit: "share", Zero: true}
	for _, d := range dwellGrid(int(r.AsOf-r.FirstDay) / 2) {
		gaps.X = append(gaps.X, float64(d))
	}
	for g := range b.Groups() {
		b.Group(g)
		if a.groups == nil {
			break // there is no population
		}
		a.distribution(b, &a.groups[g])
		a.inequality(b, &a.groups[g], lorenz, what)
	}
	b.Block(Block{Kind: ChartBlock, Name: "lorenz", Title: "Lorenz curve: the bottom x % of users have y % of all " + what, Chart: lorenz})
	for g := range b.Groups() {
		b.Group(g)
		if a.groups != nil {
			a.twoGroups(b, &a.groups[g])
			a.tail(b, &a.groups[g], what)
		}
		if k, ok := b.Kernel().(*gapKernel); ok {
			a.gaps(b, k.closed[g], k.open[g], gaps)
		}
	}
	b.Block(Block{Kind: ChartBlock, Name: "gaps", Title: "gaps between active days: share that last longer", Chart: gaps})
	return nil
}

func (a *actions) slot(i int) int { return actKernel + i }

// distribution is the histogram over doubling bins.
func (a *actions) distribution(b *Builder, ag *actionGroup) {
	bl := Block{Kind: BarBlock, Name: b.Key("distribution"), Title: b.label("users by " + columnLabel(a.ref) + ", in bins of doubling width"), Heads: []Head{{"users", true}}}
	carry := func(i int) Cell {
		b.Fig(i).Carry = columnLabel(a.ref)
		return b.Cell(i)
	}
	carry(b.Count(a.slot(actUsers), "users", "users with a value"))
	if b.N(a.slot(actNone), Self) > 0 {
		bl.Rows = append(bl.Rows, Row{Key: "none", Label: "—", Apart: true, Cells: []Cell{b.Cell(b.Count(a.slot(actNone), "bin.none", "no value"))}})
	}
	if b.N(a.slot(actZero), Self) > 0 {
		bl.Rows = append(bl.Rows, Row{Key: "0", Label: "0 or less", Cells: []Cell{carry(b.Count(a.slot(actZero), "bin.0", "0 or less"))}})
	}
	last := 0
	for k := range actionBins {
		if b.N(a.slot(actBins+k), Self) > 0 {
			last = k
		}
	}
	for k := range last + 1 {
		key, label := "under1", "under 1"
		if k > 0 {
			lo, hi := actionBinBounds(k)
			key, label = fmt.Sprint(lo), fmt.Sprint(lo)
			if hi > lo {
				label = fmt.Sprintf("%d–%d", lo, hi)
			}
			if a.col.Ints == nil {
				label = fmt.Sprintf("%d to under %d", lo, hi+1)
			}
		} else if b.N(a.slot(actBins), Self) == 0 {
			continue
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{carry(b.Count(a.slot(actBins+k), "bin."+key, label))}})
	}
	b.Block(bl)
}

// inequality adds Gini, top shares and the Lorenz curve.
func (a *actions) inequality(b *Builder, ag *actionGroup, chart *Chart, what string) {
	bl := Block{Kind: TableBlock, Name: b.Key("inequality"), Title: b.label("how unequal it is"), Heads: []Head{{"value", true}, {"95 % interval", true}, {"users", true}}}
	g, ok := ag.l.Gini()
	f := b.Stat(a.slot(actUsers), "gini", "Gini coefficient", g, !ok, "")
	b.Fig(f).Carry = what
	iv := ""
	if x, ok := ag.l.GiniInterval(stat.Level); ok {
		fig := b.Fig(f)
		fig.Lo, fig.Hi, fig.Interval, fig.Method = x.Lo, x.Hi, true, "jackknife 95 %"
		iv = fmt.Sprintf("%.3f–%.3f", x.Lo, x.Hi)
	}
	bl.Rows = append(bl.Rows, Row{Key: "gini", Label: "Gini (0 all equal, 1 one has all)", Cells: []Cell{b.Cell(f), TextCell(iv), TextCell(fmt.Sprint(ag.n))}})
	for i, p := range topShares {
		k := min(topUsers(p, ag.n), ag.n)
		share, ok := ag.l.Top(k)
		f := b.Stat(a.slot(actTop+i), fmt.Sprintf("top.%d", p), fmt.Sprintf("share of the top %d %% of users", p), share, !ok, "share")
		b.Fig(f).Carry = what
		bl.Rows = append(bl.Rows, Row{Key: fmt.Sprintf("top.%d", p), Label: fmt.Sprintf("the top %d %% have", p), Cells: []Cell{b.Cell(f), TextCell(""), TextCell(fmt.Sprint(k))}})
	}
	b.Block(bl)
	line := Series{Name: a.r.Groups[b.group].Label(), Y: []float64{0}, Figures: []int{NoFigure}}
	for d := range 10 {
		share, ok := ag.l.Bottom((d + 1) * ag.n / 10)
		f := b.Stat(a.slot(actBottom+d), fmt.Sprintf("bottom.%d", 10*(d+1)), fmt.Sprintf("share of the bottom %d %% of users", 10*(d+1)), share, !ok, "share")
		b.Fig(f).Carry = what
		if !ok {
			share = math.NaN()
		}
		line.Y, line.Figures = append(line.Y, share), append(line.Figures, f)
	}
	chart.Series = append(chart.Series, line)
}

// twoGroups says whether the stage's users fall into a busy and a quiet group.
func (a *actions) twoGroups(b *Builder, ag *actionGroup) {
	s := a.r.machine.Model().Stages[a.stage]
	name := b.Key("groups")
	f := b.Count(a.slot(actStage), "stage", s.Label()+", users with an active day")
	b.Fig(f).Carry = "active days a day"
	title := b.label("two activity groups in " + s.Label() + "?")
	if !ag.mixed {
		b.Block(Block{Kind: TextBlock, Name: name, Title: title, Lines: []string{fmt.Sprintf("%s in the stage, or all equally active: too little to look for two groups (30 are needed).", plural(int(b.Fig(f).N), "user"))}})
		return
	}
	m := &ag.mix
	verdict := fmt.Sprintf("No: one distribution of the rate describes them as well (BIC %.1f with one, %.1f with two), or the two overlap too far (separation %.2f, over 2 is needed).", m.BIC1, m.BIC2, m.Separation())
	if m.Groups() {
		verdict = fmt.Sprintf("Yes: two groups describe the rate much better (BIC %.1f with one, %.1f with two) and lie apart (separation %.2f).", m.BIC1, m.BIC2, m.Separation())
	}
	bl := Block{Kind: TableBlock, Name: name, Title: title + " " + verdict, Heads: []Head{{"users", true}, {"share", true}, {"active days in 30", true}, {"one in so many days", true}}}
	for i, w := range []struct {
		slot       int
		key, label string
	}{{actLow, "low", "quiet"}, {actHigh, "high", "busy"}} {
		f := b.Count(a.slot(w.slot), "group."+w.key, s.Label()+", "+w.label+" group")
		b.Fig(f).Carry = "active days a day"
		rate := math.Exp(m.Two[i].Mean)
		bl.Rows = append(bl.Rows, Row{Key: w.key, Label: w.label, Cells: []Cell{b.Cell(f), TextCell(fmt.Sprintf("%.1f %%", 100*m.Two[i].Share)), TextCell(fmt.Sprintf("%.2f", 30*rate)), TextCell(fmt.Sprintf("%.1f", 1/rate))}})
	}
	b.Block(bl)
}

// tail fits a power law to the upper end, and says when it is none.
func (a *actions) tail(b *Builder, ag *actionGroup, what string) {
	name, title := b.Key("tail"), b.label("the tail: a power law?")
	if !ag.tails {
		b.Block(Block{Kind: TextBlock, Name: name, Title: title, Lines: []string{"Too few users or too few different values to fit a tail (50 users and three values are needed)."}})
		return
	}
	t, _ := stat.FitTail(ag.hist, tailRounds, rand.New(rand.NewPCG(1, 2)))
	f := b.Count(a.slot(actTail), "tail", fmt.Sprintf("users with %d %s or more", t.From, what))
	b.Fig(f).Carry = what
	alpha := b.Stat(a.slot(actTail), "tail.alpha", "exponent of the tail", t.Alpha, false, "")
	x := b.Fig(alpha)
	x.Lo, x.Hi, x.Interval, x.Method = t.Alpha-1.96*t.StdErr, t.Alpha+1.96*t.StdErr, t.StdErr > 0, "Wald 95 %, where the tail begins taken as given"
	verdict := fmt.Sprintf("not rejected: p = %.2f by %d synthetic data sets; other laws may fit as well", t.P, t.Rounds)
	if t.Rejected() {
		verdict = fmt.Sprintf("rejected: p = %.2f by %d synthetic data sets (under 0.1); do not call it a power law", t.P, t.Rounds)
	}
	b.Block(Block{Kind: TableBlock, Name: name, Title: title + " " + capital(verdict), Heads: []Head{{"value", true}, {"", true}}, Rows: []Row{
		{Key: "from", Label: fmt.Sprintf("users from %d on", t.From), Cells: []Cell{b.Cell(f), TextCell("")}},
		{Key: "alpha", Label: "exponent", Cells: []Cell{b.Cell(alpha), TextCell(fmt.Sprintf("± %.3f", t.StdErr))}},
		{Key: "distance", Label: "distance to the fit (KS)", Cells: []Cell{TextCell(fmt.Sprintf("%.4f", t.Distance)), TextCell("")}},
	}})
}

// gaps fits exponential and Weibull to the gaps between active days.
func (a *actions) gaps(b *Builder, closed, open []int64, chart *Chart) {
	name, title := b.Key("gapfit"), b.label("gaps between active days, the last silence censored")
	users := b.Count(actOpen, "gaps.users", "users with an active day")
	rows := b.Rows(actGaps, "gaps", "gaps that ended, by user")
	b.Fig(rows).Unit = "gaps"
	for len(open) < len(closed) {
		open = append(open, 0)
	}
	for len(closed) < len(open) {
		closed = append(closed, 0)
	}
	curve := stat.KaplanMeierCounts(closed, open, stat.Level)
	seen := Series{Name: b.label("seen")}
	for _, d := range chart.X {
		v, _ := curve.At(d)
		seen.Y = append(seen.Y, v)
	}
	chart.Series = append(chart.Series, seen)
	fits, ok := stat.FitGaps(closed, open)
	if !ok {
		b.Block(Block{Kind: TextBlock, Name: name, Title: title, Lines: []string{"Too few gaps have ended to fit a distribution (20 are needed)."}})
		return
	}
	better := "the Weibull fits better"
	if fits.Exponential.AIC <= fits.Weibull.AIC {
		better = "the exponential fits as well with one number less"
	}
	bl := Block{Kind: TableBlock, Name: name, Title: title + ": " + better, Heads: []Head{{"mean days", true}, {"shape", true}, {"AIC", true}, {"chi-square", true}, {"p", true}, {"", false}}}
	for _, x := range []struct {
		key, label string
		f          stat.GapFit
	}{{"exponential", "exponential (Poisson)", fits.Exponential}, {"weibull", "Weibull", fits.Weibull}} {
		chi, p, verdict := "—", "—", "too few to test"
		if x.f.DF > 0 {
			chi, p, verdict = fmt.Sprintf("%.1f on %d", x.f.ChiSquare, x.f.DF), fmt.Sprintf("%.2g", x.f.P), "not rejected"
			if x.f.Rejected() {
				verdict = "rejected"
			}
		}
		bl.Rows = append(bl.Rows, Row{Key: x.key, Label: x.label, Cells: []Cell{TextCell(fmt.Sprintf("%.1f", x.f.Mean())), TextCell(fmt.Sprintf("%.3f", x.f.Shape)), TextCell(fmt.Sprintf("%.1f", x.f.AIC)), TextCell(chi), TextCell(p), TextCell(verdict)}})
		line := Series{Name: b.label(x.key)}
		for _, d := range chart.X {
			line.Y = append(line.Y, x.f.Longer(d))
		}
		chart.Series = append(chart.Series, line)
	}
	bl.Rows = append(bl.Rows,
		Row{Key: "gaps", Label: "gaps that ended", Cells: []Cell{b.Cell(rows)}},
		Row{Key: "users", Label: "users with a last silence", Cells: []Cell{b.Cell(users)}})
	b.Block(bl)
}

func (a *actions) explain(f *Figure) []ExplainLine {
	text := ""
	switch i := f.Slot - actKernel; {
	case f.Slot < actKernel:
		text = "gaps in days between neighbouring active days; exponential and discrete Weibull by maximum likelihood, P(gap > d) = exp(−rate·d^shape), the silence since the last active day censored; chi-square over spans of days of gaps ended against expected among those at risk (Akritas 1988), which takes gaps as independent"
	case i >= actTop && i < actBottom:
		text = "what the users with most have ÷ what all have; of users with equally much as many are taken as the share asks for"
	case i >= actBottom && i < actTail:
		text = "what the users with least have ÷ what all have (Lorenz 1905)"
	case i == actTail:
		text = "discrete power law x^−α/ζ(α, from), by maximum likelihood; from is where the fitted and the seen distribution lie closest; p by synthetic data sets fitted in the same way (Clauset, Shalizi, Newman 2009)"
	case i >= actStage:
		text = "active days of the spell a day, on the logarithm; one normal distribution against a mixture of two by expectation and maximisation; two groups are claimed if BIC falls by over 10 and the separation √2·|μ1−μ2|/√(σ1²+σ2²) is over 2 (Raftery 1995; Ashman, Bird, Zepf 1994)"
	case f.Key == "gini" || f.Kind == Stat:
		text = "G = 2·Σ i·x_i/(n·Σ x) − (n+1)/n over ascending x; jackknife interval over users"
	default:
		return nil
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}
