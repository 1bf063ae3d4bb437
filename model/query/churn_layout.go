package query

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"dwell/model/churn"
)

// layout writes the answer: the question, what the model is worth, and only then
// whom it points at.
func (c *churnPlan) layout(b *Builder) error {
	m, q, cuts := c.model, c.set.q, c.set.cuts
	b.A.Title = fmt.Sprintf("Churn · %s · horizon %d days · logistic regression", churnBy(q.Definition, q.Gap), q.Horizon)
	b.A.Definition = q.Sentence()
	text := Block{Kind: TextBlock, Name: "question", Title: "The question", Lines: []string{
		q.Sentence(),
		fmt.Sprintf("Trained on what was known at the end of %s, with the outcomes of the %d days after it; tested on %s and the %d days to %s; scores are as of %s.",
			cuts.Train, q.Horizon, cuts.Test, q.Horizon, cuts.Score, cuts.Score),
	}}
	b.Block(text)
	if c.set.short != "" {
		b.Warn("short-horizon", "%s", c.set.short)
	}
	if !b.Run.Dict.Confirmed {
		b.Warn("suggested-numbers", "The stage model's numbers (G, beat) are suggested from all the data, the test's days included; measures that use them know that much of the future.")
	}

	trained := b.Count(churnTrained, "trained", "users trained on")
	trainRate := b.Rate(churnTrainRate, "train.base_rate", "base rate in training")
	tested := b.Count(churnTested, "tested", "users tested on")
	base := b.Rate(churnTestRate, "base_rate", "base rate in the test: users who churned")
	if m.usable() {
		b.Block(Block{Kind: TextBlock, Name: "verdict", Title: "What it is worth", Lines: []string{m.Quality.Verdict}})
	}
	quality := Block{Kind: TableBlock, Name: "quality", Title: "On outcomes it has not seen", Heads: []Head{{Label: "model", Right: true}, {Label: "recency alone", Right: true}}}
	one := func(key, label string, cells ...Cell) {
		for len(cells) < 2 {
			cells = append(cells, Cell{Figure: NoFigure, Blank: true})
		}
		quality.Rows = append(quality.Rows, Row{Key: key, Label: label, Cells: cells})
	}
	one("trained", "users trained on", b.Cell(trained))
	one("train.base_rate", "of whom churned", b.Cell(trainRate))
	one("tested", "users tested on", b.Cell(tested))
	one("base_rate", "of whom churned (base rate)", b.Cell(base))
	if m.usable() {
		c.scores(b, one)
	}
	b.Block(quality)
	if !m.usable() {
		b.Block(Block{Kind: TextBlock, Name: "verdict", Title: "No score", Lines: []string{m.Why}})
		b.Warn("no-model", "%s", m.Why)
		silent := b.Count(churnSilent, "silent", "users "+c.gone())
		b.Block(Block{Kind: BarBlock, Name: "bands", Title: "Nobody is scored", Rows: []Row{{Key: "silent", Label: c.gone(), Cells: []Cell{b.Cell(silent)}}}})
		return nil
	}
	if !m.Quality.Better {
		b.Warn("no-better-than-guessing", "%s Do not act on these scores.", m.Quality.Verdict)
	} else if m.Base && m.Recency.Area.AUC >= m.Quality.Area.AUC {
		b.Warn("no-better-than-recency", "Recency alone ranks as well: AUC %.3f against %.3f.", m.Recency.Area.AUC, m.Quality.Area.AUC)
	}
	c.calibration(b)
	c.bands(b)
	c.coefficients(b)
	return nil
}

// gone names the users who are not scored because they have left already.
func (c *churnPlan) gone() string {
	if c.set.q.Definition == churn.ByStage {
		return "in the lost stage already: not scored"
	}
	return "silent already: not scored"
}

func churnBy(d churn.Definition, gap int) string {
	switch d {
	case churn.ByStage:
		return "the lost stage is entered"
	case churn.BySilence:
		return fmt.Sprintf("no activity, users active within %d days", gap)
	}
	return fmt.Sprintf("%d days of silence", gap)
}

// scores adds the figures of the test, the baseline beside each.
func (c *churnPlan) scores(b *Builder, one func(key, label string, cells ...Cell)) {
	m := c.model
	stat := func(key, label string, v float64, none bool, unit string) Cell {
		return b.Cell(b.Stat(churnTested, key, label, v, none, unit))
	}
	area := func(key, label string, auc, lo, hi float64, bounded bool) Cell {
		i := b.Stat(churnTested, key, label, auc, false, "")
		if bounded {
			f := b.Fig(i)
			f.Interval, f.Lo, f.Hi, f.Method = true, lo, hi, "DeLong 95 %"
		}
		return b.Cell(i)
	}
	q, r := m.Quality, m.Recency
	a, ra := q.Area, r.Area
	cells := []Cell{area("auc", "AUC", a.AUC, a.Lo, a.Hi, a.Bounded)}
	rest := [][]Cell{
		{stat("brier", "Brier score", q.Brier, false, "")},
		{stat("skill", "Brier skill over the base rate", q.Skill, false, "")},
		{stat("log_loss", "log loss", q.LogLoss, false, "nats")},
		{stat("calibration.slope", "calibration slope", q.Calibration.Slope, !q.Calibration.Fitted, "")},
		{stat("calibration.intercept", "calibration intercept", q.Calibration.Intercept, !q.Calibration.Fitted, "log-odds")},
		{stat("ece", "expected calibration error", q.Calibration.ECE, false, "share")},
	}
	if m.Base {
		cells = append(cells, area("recency.auc", "AUC of recency alone", ra.AUC, ra.Lo, ra.Hi, ra.Bounded))
		rest[0] = append(rest[0], stat("recency.brier", "Brier score of recency alone", r.Brier, false, ""))
		rest[1] = append(rest[1], stat("recency.skill", "Brier skill of recency alone", r.Skill, false, ""))
		rest[2] = append(rest[2], stat("recency.log_loss", "log loss of recency alone", r.LogLoss, false, "nats"))
	}
	one("auc", "AUC: 0.5 is guessing, 1 is never wrong", cells...)
	one("brier", "Brier score: 0 is best", rest[0]...)
	one("skill", "Brier skill: above 0 beats the base rate", rest[1]...)
	one("log_loss", "log loss: 0 is best", rest[2]...)
	one("calibration.slope", "calibration slope: 1 is best", rest[3]...)
	one("calibration.intercept", "calibration intercept: 0 is best", rest[4]...)
	one("ece", "expected calibration error", rest[5]...)
}

// calibration shows what was said beside what came true, with counts.
func (c *churnPlan) calibration(b *Builder) {
	bl := Block{Kind: TableBlock, Name: "calibration", Title: "Said and come true, in the test", Heads: []Head{{Label: "said on average", Right: true}, {Label: "churned", Right: true}, {Label: "users", Right: true}}}
	ch := &Chart{XLabel: "probability said", YLabel: "share that churned", Unit: "share", Zero: true}
	seen := Series{Name: "came true"}
	ideal := Series{Name: "as said"}
	for i, bin := range c.model.Quality.Calibration.Bins {
		if bin.N == 0 {
			continue
		}
		f := b.Rate(churnBin+i, fmt.Sprintf("calibration.%02d", 100*i/churnBins), "churned of those given "+binLabel(i))
		bl.Rows = append(bl.Rows, Row{Key: strconv.Itoa(i), Label: binLabel(i), Cells: []Cell{TextCell(churnPercent(bin.Mean)), b.Cell(f), TextCell(strconv.Itoa(bin.N))}})
		fig := b.Fig(f)
		ch.X = append(ch.X, bin.Mean)
		seen.Y, seen.Lo, seen.Hi = append(seen.Y, fig.Value), append(seen.Lo, fig.Lo), append(seen.Hi, fig.Hi)
		seen.Figures = append(seen.Figures, f)
		ideal.Y = append(ideal.Y, bin.Mean)
	}
	ch.Series = []Series{seen, ideal}
	b.Block(bl)
	if len(ch.X) > 1 {
		b.Block(Block{Kind: ChartBlock, Name: "calibration.chart", Title: "Calibration: the nearer to the line, the better", Chart: ch})
	}
}

// bands counts today's users by probability; each count opens its users.
func (c *churnPlan) bands(b *Builder) {
	bl := Block{Kind: BarBlock, Name: "bands", Title: fmt.Sprintf("Users by probability, as of %s, beside a base rate of %s", c.set.cuts.Score, churnPercent(c.model.Quality.BaseRate))}
	carry := func(i int) int {
		b.Fig(i).Carry = "probability"
		return i
	}
	row := func(key, label string, i int, apart bool) {
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(i)}, Apart: apart})
	}
	scored := carry(b.Count(churnScored, "scored", "users with a probability"))
	risk := carry(b.Count(churnAtRisk, "at-risk", "users at risk: probability from "+churnPercent(c.at)))
	row("at-risk", "at risk (from "+churnPercent(c.at)+")", risk, true)
	for i := churnBins - 1; i >= 0; i-- {
		row("band."+strconv.Itoa(i), binLabel(i), carry(b.Count(churnBand+i, fmt.Sprintf("band.%02d", 100*i/churnBins), "users given "+binLabel(i))), false)
	}
	row("scored", "scored", scored, true)
	row("silent", c.gone(), b.Count(churnSilent, "silent", "users "+c.gone()), true)
	if c.set.q.Definition == churn.ByGap && c.set.q.Horizon < c.set.q.Gap {
		label := "safe: active too lately to churn within the horizon"
		row("safe", label, b.Count(churnSafe, "safe", "users "+label), true)
	}
	b.Block(bl)
}

// coefficients lists the features by the weight they have among the training
// users.
func (c *churnPlan) coefficients(b *Builder) {
	m := &c.model.Fitted
	bl := Block{Kind: TableBlock, Name: "features", Title: "Signals, not causes: what the model goes by", Heads: []Head{{Label: "log-odds per unit", Right: true}, {Label: "per spread", Right: true}, {Label: "mean", Right: true}, {Label: "unit"}}}
	order := make([]int, len(m.Features))
	for i := range order {
		order[i] = i
	}
	weight := func(i int) float64 { return math.Abs(m.Features[i].Coef * m.Features[i].SD) }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight(b), weight(a)) })
	for _, i := range order {
		f := &m.Features[i]
		key := "coef." + f.Name
		if f.Absent {
			key = "coef.absent." + f.Name
		}
		fig := b.Stat(churnTrained, key, "log-odds for each unit of "+f.Label(), f.Coef, false, "log-odds")
		bl.Rows = append(bl.Rows, Row{Key: key, Label: churnName(f.Label()), Cells: []Cell{b.Cell(fig), TextCell(fmt.Sprintf("%+.2f", f.Coef*f.SD)), TextCell(churnNumber(f.Mean)), TextCell(f.Unit)}})
	}
	b.Block(bl)
	note := fmt.Sprintf("Fitted in %d steps to a gradient of %.1g, with a penalty of %g on the spreads' weights; penalised coefficients have no standard errors.", m.Iterations, m.Gradient, m.Ridge)
	lines := []string{note}
	if len(m.Dropped) > 0 {
		lines = append(lines, "The same for all training users, and so left out: "+strings.Join(m.Dropped, ", ")+".")
	}
	if len(c.set.dropped) > 0 {
		lines = append(lines, "Not in these data: "+strings.Join(c.set.dropped, ", ")+".")
	}
	b.Block(Block{Kind: TextBlock, Name: "fit", Title: "The fit", Lines: lines})
}

// churnPercent writes a share for a sentence.
func churnPercent(x float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(100*x, 'f', 1, 64), ".0") + "%"
}

// churnNumber writes a number with about three digits.
func churnNumber(x float64) string {
	if a := math.Abs(x); a >= 100 || x == math.Trunc(x) {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}
