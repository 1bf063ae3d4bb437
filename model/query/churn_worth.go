package query

import (
	"fmt"
	"math"
	"slices"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/stat"
)

// worth shows what the model was worth on outcomes it had not seen, beside the
// two dumb baselines and the base rate.
func (c *churnPlan) worth(b *Builder) {
	m := c.model
	happened := c.set.q.Happened()
	trained := b.Count(churnTrained, "trained", "users trained on")
	trainRate := b.Rate(churnTrainRate, "train.base_rate", "base rate in training")
	tested := b.Count(churnTested, "tested", "users tested on")
	base := b.Rate(churnTestRate, "base_rate", "base rate in the test: users who "+happened)
	if m.usable() {
		b.Block(Block{Kind: TextBlock, Name: "verdict", Title: "What it is worth", Lines: []string{m.Quality.Verdict}})
	}
	bl := Block{Kind: TableBlock, Name: "quality", Title: "On outcomes it has not seen",
		Heads: []Head{{Label: "model", Right: true}, {Label: "recency", Right: true}, {Label: "30% rule", Right: true}, {Label: "guess", Right: true}}}
	one := func(key, label string, cells ...Cell) {
		for len(cells) < len(bl.Heads) {
			cells = append(cells, Cell{Figure: NoFigure, Blank: true})
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: cells})
	}
	if c.set.saved == nil {
		one("trained", "users trained on", b.Cell(trained))
		one("train.base_rate", "of whom "+happened, b.Cell(trainRate))
	}
	one("tested", "users tested on", b.Cell(tested))
	one("base_rate", "of whom "+happened+" (base rate)", b.Cell(base))
	if m.usable() {
		c.scores(b, one)
	}
	b.Block(bl)
	if m.usable() && m.Ruled && m.Flagged == 0 {
		b.Warn("rule-silent", "The 30 %% rule spoke of no training user: too few have the %d active days that it needs, so it ranks like guessing.", ruleDays)
	}
}

// ruleDays is how many active days the baseline of the 30 % rule needs (SPEC
// R2.14).
const ruleDays = 14

// scores adds the figures of the test, the baselines beside each.
func (c *churnPlan) scores(b *Builder, one func(key, label string, cells ...Cell)) {
	m := c.model
	q := &m.Quality
	type judged struct {
		key, name string
		q         *churn.Quality
	}
	beside := []judged{{"", "", q}, {"recency.", " of recency alone", nil}, {"rule30.", " of the 30 % rule", nil}}
	if m.Base {
		beside[1].q = &m.Recency
	}
	if m.Ruled {
		beside[2].q = &m.Rule
	}
	type score struct {
		key, label, row, unit string
		guess                 float64 // of always saying the base rate
		guessed               bool
		at                    func(q *churn.Quality) (float64, stat.Interval)
		method                string
	}
	rounds := fmt.Sprintf("95 %%, %d resamplings of users", q.Bands.Rounds)
	base := q.BaseRate
	for _, s := range []score{
		{"auc", "AUC", "AUC: 0.5 is guessing, 1 is never wrong", "", 0.5, true, func(q *churn.Quality) (float64, stat.Interval) {
			if !q.Area.Bounded {
				return q.Area.AUC, stat.Interval{}
			}
			return q.Area.AUC, q.Area.Interval
		}, "DeLong 95 %"},
		{"pr_auc", "area under precision and recall", "PR-AUC: the base rate is guessing", "", base, true, func(q *churn.Quality) (float64, stat.Interval) { return q.Precision, q.Bands.Precision }, rounds},
		{"brier", "Brier score", "Brier score: 0 is best", "", base * (1 - base), true, func(q *churn.Quality) (float64, stat.Interval) { return q.Brier, q.Bands.Brier }, rounds},
		{"skill", "Brier skill", "Brier skill: above 0 beats the base rate", "", 0, true, func(q *churn.Quality) (float64, stat.Interval) { return q.Skill, q.Bands.Skill }, rounds},
		{"log_loss", "log loss", "log loss: 0 is best", "nats", entropy(base), true, func(q *churn.Quality) (float64, stat.Interval) { return q.LogLoss, q.Bands.LogLoss }, rounds},
		{"precision10", "precision in the top tenth", "precision in the top tenth", "share", base, true, func(q *churn.Quality) (float64, stat.Interval) { return q.Top.Precision, q.Bands.TopRate }, rounds},
		{"lift10", "lift of the top tenth", "lift of the top tenth: 1 is guessing", "times", 1, true, func(q *churn.Quality) (float64, stat.Interval) { return q.Top.Lift, q.Bands.Lift }, rounds},
	} {
		var cells []Cell
		for _, j := range beside {
			if j.q == nil {
				cells = append(cells, Cell{Figure: NoFigure, Blank: true})
				continue
			}
			v, iv := s.at(j.q)
			i := b.Stat(churnTested, j.key+s.key, s.label+j.name, v, false, s.unit)
			if iv != (stat.Interval{}) {
				f := b.Fig(i)
				f.Interval, f.Lo, f.Hi, f.Method = true, iv.Lo, iv.Hi, s.method
			}
			cells = append(cells, b.Cell(i))
		}
		guess := fmt.Sprintf("%.4f", s.guess)
		if s.unit == "share" {
			guess = churnShare(s.guess)
		}
		cells = append(cells, TextCell(guess))
		one(s.key, s.row, cells...)
	}
	stat := func(key, label string, v float64, none bool, unit string) Cell {
		return b.Cell(b.Stat(churnTested, key, label, v, none, unit))
	}
	cal := q.Calibration
	one("calibration.slope", "calibration slope: 1 is best", stat("calibration.slope", "calibration slope", cal.Slope, !cal.Fitted, ""))
	one("calibration.intercept", "calibration intercept: 0 is best", stat("calibration.intercept", "calibration intercept", cal.Intercept, !cal.Fitted, "log-odds"))
	one("ece", "expected calibration error", stat("ece", "expected calibration error", cal.ECE, false, "share"))
	c.warning(b, one)
}

// warning says what the list of today would have been worth at the test's
// cut-off: how many of a hundred warnings were false, and how early the others
// came.
func (c *churnPlan) warning(b *Builder, one func(key, label string, cells ...Cell)) {
	right := b.Rate(churnWarned, "warned", fmt.Sprintf("of those given %s or more in the test, who %s", churnPercent(c.at), c.set.q.Happened()))
	one("warned", fmt.Sprintf("given %s or more, who %s", churnPercent(c.at), c.set.q.Happened()), b.Cell(right))
	f := b.Fig(right)
	alarms := "false alarms in 100 warnings"
	if c.set.q.Definition == churn.ByGoal {
		alarms = "in vain of 100 called likely"
	}
	wrong := b.Stat(churnTested, "false_alarms", alarms, 100*(1-f.Value), f.None, "")
	one("false_alarms", alarms, b.Cell(wrong))
	lead := slices.Clone(b.Values(churnLead))
	slices.Sort(lead)
	mid, ok := stat.Median(lead)
	name := "days of warning before it, median"
	if c.set.q.Definition == churn.ByGoal {
		name = "days until the goal, median"
	}
	i := b.Stat(churnLead, "lead", name, mid, !ok, "days")
	if iv, ok := stat.MedianInterval(lead, stat.Level); ok {
		f := b.Fig(i)
		f.Interval, f.Lo, f.Hi, f.Method = true, iv.Lo, iv.Hi, "order statistics 95 %"
	}
	one("lead", name, b.Cell(i))
}

// entropy is the log loss of always saying the base rate.
func entropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log(p) - (1-p)*math.Log(1-p)
}

// backtest shows the same test at earlier cut-offs: one figure can be luck.
func (c *churnPlan) backtest(b *Builder) {
	m := c.model
	if len(m.Folds) < 2 {
		if c.set.saved == nil {
			b.Warn("one-cut-off", "The data have room for one cut-off alone: how the quality varies over time is not known. Ask for a shorter horizon.")
		}
		return
	}
	bl := Block{Kind: TableBlock, Name: "backtest", Title: "The same test at earlier cut-offs",
		Heads: []Head{{Label: "users", Right: true}, {Label: "base rate", Right: true}, {Label: "AUC", Right: true}, {Label: "PR-AUC", Right: true}, {Label: "skill", Right: true}, {Label: "recency alone", Right: true}, {Label: ""}}}
	ch := &Chart{XLabel: "cut-off of the test", YLabel: "AUC", Dates: true}
	ours, plain, guess := Series{Name: "model"}, Series{Name: "recency alone"}, Series{Name: "guessing"}
	for i, f := range m.Folds {
		row := Row{Key: "fold." + f.Test, Label: f.Test}
		users := b.Count(churnFold+i, "fold."+f.Test+".tested", "users tested on "+f.Test)
		row.Cells = []Cell{b.Cell(users)}
		if f.Why != "" {
			row.Cells = append(row.Cells, Cell{Figure: NoFigure, Blank: true}, Cell{Figure: NoFigure, Blank: true}, Cell{Figure: NoFigure, Blank: true}, Cell{Figure: NoFigure, Blank: true}, Cell{Figure: NoFigure, Blank: true}, TextCell(f.Why))
			bl.Rows = append(bl.Rows, row)
			continue
		}
		auc := b.Stat(churnFold+i, "fold."+f.Test+".auc", "AUC tested on "+f.Test, f.Area.AUC, false, "")
		if f.Area.Bounded {
			g := b.Fig(auc)
			g.Interval, g.Lo, g.Hi, g.Method = true, f.Area.Lo, f.Area.Hi, "DeLong 95 %"
		}
		recency := Cell{Figure: NoFigure, Blank: true}
		if f.Base {
			recency = TextCell(fmt.Sprintf("%.4f", f.Recency))
		}
		row.Cells = append(row.Cells, TextCell(churnPercent(f.BaseRate)), b.Cell(auc), TextCell(fmt.Sprintf("%.4f", f.Precision)), TextCell(fmt.Sprintf("%.4f", f.Skill)), recency, TextCell(""))
		bl.Rows = append(bl.Rows, row)
		if d, err := model.ParseDay(f.Test); err == nil && f.Base {
			ch.X = append(ch.X, float64(d))
			ours.Y, ours.Figures = append(ours.Y, f.Area.AUC), append(ours.Figures, auc)
			ours.Lo, ours.Hi = append(ours.Lo, f.Area.Lo), append(ours.Hi, f.Area.Hi)
			plain.Y, guess.Y = append(plain.Y, f.Recency), append(guess.Y, 0.5)
		}
	}
	b.Block(bl)
	if len(ch.X) > 1 {
		ch.Series = []Series{ours, plain, guess}
		b.Block(Block{Kind: ChartBlock, Name: "backtest.chart", Title: "AUC over the cut-offs", Chart: ch})
	}
}
