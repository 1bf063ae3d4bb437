package query

import (
	"fmt"
	"math"
	"strings"

	"dwell/model/churn"
)

// explain gives the lines that are particular to a figure of churn.
func (c *churnPlan) explain(f *Figure) []ExplainLine {
	cuts, m := c.set.cuts, c.model
	out := []ExplainLine{{Head: "Definition", Text: c.set.q.Sentence()}}
	line := func(head, format string, args ...any) {
		out = append(out, ExplainLine{Head: head, Text: fmt.Sprintf(format, args...)})
	}
	switch s := f.Slot; {
	case s == churnTrained || s == churnTrainRate:
		line("Population", "users eligible at the end of %s, the training cut-off", cuts.Train)
		line("Window", "features up to %s, outcomes in the %d days after", cuts.Train, c.set.q.Horizon)
	case s == churnTested || s == churnTestRate || s >= churnBin && s < churnFold || s == churnWarned || s == churnLead:
		line("Population", "users eligible at the end of %s, the test's cut-off", cuts.Test)
		line("Window", "features up to %s, outcomes in the %d days to %s", cuts.Test, c.set.q.Horizon, cuts.Score)
	case s >= churnFold:
		at := c.set.folds[s-churnFold]
		line("Population", "users eligible at the end of %s, that test's cut-off", at.Test)
		line("Window", "trained on features up to %s; tested on features up to %s and the outcomes of the %d days after each", at.Train, at.Test, c.set.q.Horizon)
	case s == churnSilent:
		line("Population", "users with an event up to %s who are not eligible on it", cuts.Score)
	default:
		line("Population", "users eligible on %s", cuts.Score)
		line("Window", "features up to %s; the outcome lies after it and is not known", cuts.Score)
	}
	switch key := f.Key; {
	case strings.HasSuffix(key, "pr_auc"):
		line("Formula", "Σ precision · step of recall, from the highest probability down, equal probabilities in one step (average precision)")
	case strings.HasSuffix(key, "lift10"):
		line("Formula", "share that %s of the tenth of users with the highest probabilities ÷ base rate", c.set.q.Happened())
	case strings.HasSuffix(key, "precision10"):
		line("Formula", "share that %s of the tenth of users with the highest probabilities; ties at the edge count in proportion", c.set.q.Happened())
	case key == "false_alarms":
		line("Formula", "100 × (1 − share that %s of the tested users given %s or more)", c.set.q.Happened(), churnPercent(c.at))
	case key == "lead":
		line("Formula", "median of the days from the test's cut-off to the day on which it came true, of the users rightly given %s or more", churnPercent(c.at))
	case strings.HasPrefix(key, "splits."):
		line("Formula", "how many of the trees' splits ask for this feature")
	case strings.HasSuffix(key, "auc"):
		line("Formula", "chance that a user who %s was given a higher probability than one who %s, ties counting half (DeLong's interval)", c.set.q.Happened(), c.set.q.Stayed())
	case strings.HasSuffix(key, "brier"):
		line("Formula", "mean of (probability − outcome)² over the tested users")
	case strings.HasSuffix(key, "skill"):
		line("Formula", "1 − Brier score ÷ Brier score of always saying the base rate")
	case strings.HasSuffix(key, "log_loss"):
		line("Formula", "mean of −log(probability given to what came true), natural logarithm")
	case key == "calibration.slope" || key == "calibration.intercept":
		line("Formula", "logit P = intercept + slope · logit(probability), fitted on the test; 0 and 1 are perfect")
	case key == "ece":
		line("Formula", "mean of |said − came true| over tenths of probability, weighted by users")
	case strings.HasPrefix(key, "coef."):
		line("Formula", "logit P = intercept + Σ coefficient · feature; minimises ½·%g·‖w‖² + Σ log loss over the standardised features", m.Fitted.Ridge)
	}
	if m.usable() {
		line("Quality", "%s Base rate %s.", m.Quality.Verdict, churnPercent(m.Quality.BaseRate))
	}
	return out
}

// work says in one sentence how a user stands in a figure.
func (c *churnPlan) work(p *Person, f *Figure, _ bool) string {
	k := c.set.scorer()
	k.take(p)
	cut := c.set.cuts.Score
	switch s := f.Slot; {
	case s == churnTrained || s == churnTrainRate:
		cut = c.set.cuts.Train
	case s == churnTested || s == churnTestRate || s >= churnBin && s < churnFold || s == churnWarned || s == churnLead:
		cut = c.set.cuts.Test
	}
	st, churned := k.label(cut)
	if st != churn.AtStake {
		return fmt.Sprintf("%s on %s: %s", p.TL.ID, cut, c.set.unscored(st))
	}
	text := p.TL.ID
	if c.model.usable() {
		k.features(cut)
		m := &c.model.Fitted
		x, known := k.inputs(m)
		prob := m.Predict(x, known)
		text = fmt.Sprintf("%s was given %s on %s", text, churnShare(prob), cut)
		// The strongest that points the way the user is off the average.
		up := m.LogOdds(x, known) > m.Average()
		for _, why := range m.Reasons(x, known) {
			if (why.LogOdds > 0) == up {
				text += ", most of all because " + reasonText(&why)
				break
			}
		}
	}
	switch {
	case cut == c.set.cuts.Score:
	case churned:
		text += fmt.Sprintf("; it %s in the %d days after", c.set.q.Happened(), c.set.q.Horizon)
	default:
		text += fmt.Sprintf("; it %s in the %d days after", c.set.q.Stayed(), c.set.q.Horizon)
	}
	return text
}

// churnShare writes a probability for a person.
func churnShare(p float64) string { return fmt.Sprintf("%.1f%%", 100*p) }

// reasonText says what one feature adds, beside what is usual.
func reasonText(r *churn.Reason) string {
	way := "raises"
	if r.LogOdds < 0 {
		way = "lowers"
	}
	f := r.Feature
	if f.Level != "" {
		return fmt.Sprintf("%s is %s, which %s it by %.2f log-odds", churnName(f.Name), f.Level, way, math.Abs(r.LogOdds))
	}
	if f.Absent {
		state := "has a value"
		if r.Value != 0 {
			state = "has no value"
		}
		return fmt.Sprintf("%s %s, which %s it by %.2f log-odds", churnName(f.Name), state, way, math.Abs(r.LogOdds))
	}
	value := "unknown"
	if r.Known {
		value = churnNumber(r.Own)
	}
	unit := ""
	if f.Unit != "" {
		unit = " " + f.Unit
	}
	if r.Held() {
		unit += fmt.Sprintf(" (taken as %s, beyond which there were too few to learn from)", churnNumber(r.Value))
	}
	return fmt.Sprintf("%s is %s%s, where %s is usual, which %s it by %.2f log-odds", churnName(f.Name), value, unit, churnNumber(f.Mean), way, math.Abs(r.LogOdds))
}

// reasonLine is the same in a short line.
func reasonLine(r *churn.Reason) string {
	way := "raises"
	if r.LogOdds < 0 {
		way = "lowers"
	}
	return fmt.Sprintf("%s %+.2f: %s", way, r.LogOdds, signalOf(r).Text)
}

// signalOf is a reason in parts: the user's value beside what is usual.
func signalOf(r *churn.Reason) Signal {
	s := Signal{Measure: churnName(r.Feature.Name), LogOdds: r.LogOdds}
	switch {
	case r.Feature.Level != "":
		s.Is = r.Feature.Level
		s.Text = s.Measure + " is " + s.Is
		return s
	case r.Feature.Absent && r.Value != 0:
		s.Is = "has no value"
		s.Text = s.Measure + " " + s.Is
		return s
	case r.Feature.Absent:
		s.Is = "has a value"
		s.Text = s.Measure + " " + s.Is
		return s
	}
	s.Usual = &r.Feature.Mean
	usual := ", usual " + churnNumber(r.Feature.Mean)
	if !r.Known {
		s.Is = "unknown"
		s.Text = s.Measure + " unknown" + usual
		return s
	}
	own, held := r.Own, ""
	s.Value = &own
	if r.Held() {
		taken := r.Value
		s.TakenAs, held = &taken, fmt.Sprintf(" (taken as %s)", churnNumber(taken))
	}
	s.Text = s.Measure + " " + churnNumber(own) + held + usual
	return s
}

// unscored says why a user has no probability.
func (s *churnSetting) unscored(st churn.Standing) string {
	switch {
	case st == churn.Outside:
		return "not one of the users asked about (" + s.q.Among + ")"
	case st == churn.Apart && s.q.Who == churn.Quiet:
		return "not silent, and so not asked about"
	case st == churn.Apart:
		return "has reached the goal before"
	case st == churn.Safe && s.q.Definition == churn.ByContract:
		return fmt.Sprintf("safe, since the contract is paid for beyond the %s of the horizon", plural(s.q.Horizon, "day"))
	case st == churn.Safe:
		return fmt.Sprintf("safe, since %d days of silence cannot be reached within %d days", s.q.Gap, s.q.Horizon)
	case s.q.Definition == churn.ByStage:
		return "in the lost stage already"
	case s.q.Definition == churn.ByContract && st == churn.Unseen:
		return "never had a contract so far"
	case s.q.Definition == churn.ByContract:
		return "without a contract already"
	case st == churn.Unseen:
		return "never active so far"
	}
	return fmt.Sprintf("silent for %d days or more already", s.q.Gap)
}
