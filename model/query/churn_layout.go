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
	b.A.Title = fmt.Sprintf("%s · %s · horizon %s · %s", c.noun(), c.what(), plural(q.Horizon, "day"), c.method())
	b.A.Definition = q.Sentence()
	ladder := fmt.Sprintf("Trained on what was known at the end of %s, with the outcomes of the %s after it; tested on %s and the %s to %s; scores are as of %s.",
		cuts.Train, plural(q.Horizon, "day"), cuts.Test, plural(q.Horizon, "day"), cuts.Score, cuts.Score)
	if c.set.saved != nil {
		// What is on the shelf may change under the same name.
		b.A.volatile = true
		ladder = fmt.Sprintf("The saved model %q was trained on what was known at the end of %s; tested here on %s and the %d days to %s; scores are as of %s.",
			c.r.Str("saved"), c.set.saved.Train, cuts.Test, q.Horizon, cuts.Score, cuts.Score)
		if since := c.r.changedSince(c.set.saved); len(since) > 0 {
			b.Warn("saved-stale", "The saved model was trained on another %s: its test here, on the data as they are, says what it is worth now.", strings.Join(since, " and another "))
		}
		if c.set.overlap() {
			b.Warn("saved-overlap", "The saved model has learned from outcomes up to %d days after %s, some of which it is tested on here: the test flatters it.", q.Horizon, c.set.saved.Train)
		}
	}
	b.Block(Block{Kind: TextBlock, Name: "question", Title: "The question", Lines: []string{q.Sentence(), ladder}})
	if c.set.short != "" {
		b.Warn("short-horizon", "%s", c.set.short)
	}
	if !b.Run.Dict.Confirmed {
		b.Warn("suggested-numbers", "The stage model's numbers (G, beat) are suggested from all the data, the test's days included; measures that use them know that much of the future.")
	}
	c.worth(b)
	if !m.usable() {
		b.Block(Block{Kind: TextBlock, Name: "verdict", Title: "No score", Lines: []string{m.Why}})
		b.Warn("no-model", "%s", m.Why)
		silent := b.Count(churnSilent, "silent", "users "+c.gone())
		b.Block(Block{Kind: BarBlock, Name: "bands", Title: "Nobody is scored", Rows: []Row{{Key: "silent", Label: c.gone(), Cells: []Cell{b.Cell(silent)}}}})
		return nil
	}
	switch base := m.Recency.Area.AUC; {
	case !m.Quality.Better:
		b.Warn("no-better-than-guessing", "%s Do not act on these scores.", m.Quality.Verdict)
	case m.Base && base >= m.Quality.Area.AUC:
		b.Warn("no-better-than-recency", "Recency alone ranks as well: AUC %.3f against %.3f.", base, m.Quality.Area.AUC)
	}
	c.backtest(b)
	c.calibration(b)
	c.bands(b)
	if m.Fitted.Kind == churn.LogisticKind {
		c.coefficients(b)
	} else {
		c.signals(b)
	}
	return nil
}

// noun, what and method are the parts of the title.
func (c *churnPlan) noun() string {
	if c.set.q.Definition == churn.ByGoal {
		return "Conversion"
	}
	return "Churn"
}

func (c *churnPlan) what() string {
	q := c.set.q
	if q.Definition != churn.ByGoal {
		return churnBy(q.Definition, q.Gap)
	}
	return q.Goal + " by " + map[churn.Who]string{churn.Leads: "active users who never did", churn.Active: "active users", churn.Quiet: "silent users", churn.All: "everybody"}[q.Who]
}

func (c *churnPlan) method() string {
	kind := c.set.kind
	if c.set.saved != nil {
		kind = c.set.saved.Fitted.Kind
	}
	return map[churn.Kind]string{churn.LogisticKind: "logistic regression", churn.BoostingKind: "boosted trees", churn.HazardKind: "hazard by own rhythm"}[kind]
}

// gone names the users who are not scored because they have left already.
func (c *churnPlan) gone() string {
	switch c.set.q.Definition {
	case churn.ByStage:
		return "not scored: in lost stage"
	case churn.ByContract:
		return "not scored: no contract"
	}
	return "not scored: silent already"
}

// likely is what a user is whose probability reaches at=.
func (c *churnPlan) likely() string {
	if c.set.q.Definition == churn.ByGoal {
		return "likely"
	}
	return "at risk"
}

func churnBy(d churn.Definition, gap int) string {
	switch d {
	case churn.ByContract:
		return "the contract ends"
	case churn.ByStage:
		return "the lost stage is entered"
	case churn.BySilence:
		return fmt.Sprintf("no activity, users active within %d days", gap)
	}
	return plural(gap, "day") + " of silence"
}

// calibration shows what was said beside what came true, with counts.
func (c *churnPlan) calibration(b *Builder) {
	bl := Block{Kind: TableBlock, Name: "calibration", Title: "Said and come true, in the test", Heads: []Head{{Label: "said on average", Right: true}, {Label: c.set.q.Happened(), Right: true}, {Label: "users", Right: true}}}
	ch := &Chart{XLabel: "probability said", YLabel: "share that " + c.set.q.Happened(), Unit: "share", Zero: true}
	seen := Series{Name: "came true"}
	ideal := Series{Name: "as said"}
	for i, bin := range c.model.Quality.Calibration.Bins {
		if bin.N == 0 {
			continue
		}
		f := b.Rate(churnBin+i, fmt.Sprintf("calibration.%02d", 100*i/churnBins), "share that "+c.set.q.Happened()+" of those given "+binLabel(i))
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
	risk := carry(b.Count(churnAtRisk, "at-risk", "users "+c.likely()+": probability from "+churnPercent(c.at)))
	row("at-risk", c.likely()+" (from "+churnPercent(c.at)+")", risk, true)
	for i := churnBins - 1; i >= 0; i-- {
		row("band."+strconv.Itoa(i), binLabel(i), carry(b.Count(churnBand+i, fmt.Sprintf("band.%02d", 100*i/churnBins), "users given "+binLabel(i))), false)
	}
	row("scored", "scored", scored, true)
	if c.set.q.Definition != churn.ByGoal || b.N(churnSilent, Self) > 0 {
		row("silent", c.gone(), b.Count(churnSilent, "silent", "users "+c.gone()), true)
	}
	if c.set.q.Definition == churn.ByGoal && b.N(churnSafe, Self) > 0 {
		label := "not scored: reached before"
		if c.set.q.Who == churn.Quiet {
			label = "not scored: not silent"
		}
		row("apart", label, b.Count(churnSafe, "apart", "users who "+label), true)
	}
	label := ""
	switch {
	case c.set.q.Definition == churn.ByGap && c.set.q.Horizon < c.set.q.Gap:
		label = "safe: active too lately to churn within the horizon"
	case c.set.q.Definition == churn.ByContract && b.N(churnSafe, Self) > 0:
		label = "safe: paid beyond the horizon"
	}
	if label != "" {
		short, _, _ := strings.Cut(label, " to churn") // a bar's label has little room
		row("safe", strings.TrimSuffix(short, " the horizon"), b.Count(churnSafe, "safe", "users "+label), true)
	}
	b.Block(bl)
}

// coefficients lists the features by the weight they have among the training
// users.
func (c *churnPlan) coefficients(b *Builder) {
	m := &c.model.Fitted
	bl := Block{Kind: TableBlock, Name: "features", Title: "Signals, not causes: what the model goes by", Heads: []Head{{Label: "log-odds per unit", Right: true}, {Label: "per spread", Right: true}, {Label: "95 % interval", Right: true}, {Label: "mean", Right: true}, {Label: "unit"}}}
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
		if f.Level != "" {
			key += "." + f.Level
		}
		fig := b.Stat(churnTrained, key, "log-odds for each unit of "+f.Label(), f.Coef, false, "log-odds")
		band := TextCell("")
		if m.Resampled > 0 {
			g := b.Fig(fig)
			g.Interval, g.Lo, g.Hi, g.Method = true, f.CoefLo, f.CoefHi, fmt.Sprintf("95 %%, %d resamplings of users", m.Resampled)
			band = TextCell(fmt.Sprintf("%+.2f to %+.2f", f.CoefLo*f.SD, f.CoefHi*f.SD))
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: churnName(f.Label()), Cells: []Cell{b.Cell(fig), TextCell(fmt.Sprintf("%+.2f", f.Coef*f.SD)), band, TextCell(churnNumber(f.Mean)), TextCell(perUnit(f.Unit, f.Coef))}})
	}
	b.Block(bl)
	c.fit(b, fmt.Sprintf("The fit converged in %s, with a penalty of %g on the spreads' weights. Penalised coefficients have no standard errors; the intervals say how far other draws of the same users move them.", plural(m.Iterations, "step"), m.Ridge))
}

// signals lists what a model without coefficients goes by: how far each feature
// moves the log-odds of today's users, on average.
func (c *churnPlan) signals(b *Builder) {
	m := &c.model.Fitted
	bl := Block{Kind: TableBlock, Name: "features", Title: "Signals, not causes: what the model goes by", Heads: []Head{{Label: "splits", Right: true}, {Label: "mean", Right: true}, {Label: "unit"}}}
	splits := make([]int, len(m.Features))
	note := ""
	if m.Forest != nil {
		for i := range m.Forest.Trees {
			for _, f := range m.Forest.Trees[i].Feature {
				if f >= 0 {
					splits[f]++
				}
			}
		}
		note = fmt.Sprintf("%d trees on %d users, grown under seed %d.", len(m.Forest.Trees), m.Users, c.set.seed)
		if c.set.saved != nil {
			note = fmt.Sprintf("%d trees on %d users, grown under seed %d.", len(m.Forest.Trees), m.Users, c.set.saved.Seed)
		}
	}
	if r := m.Rhythm; r != nil {
		note = fmt.Sprintf("Rates of return follow a gamma law of shape %s and rate %s days; log-odds = %+.3f %+.3f × log-odds of the law.", churnNumber(r.Shape), churnNumber(r.Rate), r.Intercept, r.Slope)
		bl.Heads[0].Label = ""
	}
	order := make([]int, len(m.Features))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(splits[b], splits[a]) })
	for _, i := range order {
		f := &m.Features[i]
		key := "splits." + f.Label()
		cell := TextCell("")
		if m.Forest != nil {
			cell = b.Cell(b.Stat(churnTrained, key, "splits by "+f.Label(), float64(splits[i]), false, "splits"))
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: churnName(f.Label()), Cells: []Cell{cell, TextCell(churnNumber(f.Mean)), TextCell(f.Unit)}})
	}
	b.Block(bl)
	c.fit(b, note)
}

// fit tells how the model was made and what it left out.
func (c *churnPlan) fit(b *Builder, note string) {
	lines := []string{note}
	if d := c.model.Fitted.Dropped; len(d) > 0 {
		lines = append(lines, "The same for all training users, or too rare, and so left out: "+strings.Join(d, ", ")+".")
	}
	if d := c.model.Fitted.Suspect; len(d) > 0 {
		b.Warn("may-know-the-future", "%s. Was it known at the cut-off, or written to the events later? What is written later knows the future: then name the features without it (features=).", strings.Join(d, "; "))
	}
	if d := c.model.Fitted.Alike; len(d) > 0 {
		lines = append(lines, "Almost the same of these users as another measure, and so left out: "+strings.Join(d, ", ")+".")
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

// churnNumber writes a number with about three digits and without an exponent.
func churnNumber(x float64) string {
	if a := math.Abs(x); a >= 100 || x == math.Trunc(x) {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return significant(x, 3)
}

// significant writes a number with so many digits that count, never with an exponent;
// what is smaller than a thousand-millionth is written as 0.
func significant(x float64, n int) string {
	if math.Abs(x) < 1e-9 || math.IsNaN(x) || math.IsInf(x, 0) {
		return "0"
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', n, 64), 64)
	if err != nil {
		short = x
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}

// Plain writes a coefficient, or a part of log-odds: four digits that count, at
// least two decimals, and no exponent.
func Plain(x float64) string {
	switch a := math.Abs(x); {
	case a >= 1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case a >= 0.001 || a == 0:
		return strconv.FormatFloat(x, 'f', 4, 64)
	}
	return significant(x, 3)
}

// perUnit is the unit of a coefficient. A coefficient too small to be read is
// written for many units too: "money; per 1,000 -0.96".
func perUnit(unit string, coef float64) string {
	if a := math.Abs(coef); a == 0 || a >= 0.001 {
		return unit
	}
	for _, many := range []struct {
		n    float64
		word string
	}{{100, "100"}, {1e3, "1,000"}, {1e4, "10,000"}, {1e5, "100,000"}, {1e6, "1,000,000"}} {
		if x := coef * many.n; math.Abs(x) >= 0.01 {
			text := fmt.Sprintf("per %s %s", many.word, significant(x, 2))
			if unit == "" {
				return text
			}
			return unit + "; " + text
		}
	}
	return unit
}
