package query

import (
	"fmt"
	"math"
	"strings"

	"dwell/model"
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
	case s == churnTested || s == churnTestRate || s >= churnBin:
		line("Population", "users eligible at the end of %s, the test's cut-off", cuts.Test)
		line("Window", "features up to %s, outcomes in the %d days to %s", cuts.Test, c.set.q.Horizon, cuts.Score)
	case s == churnSilent:
		line("Population", "users with an event up to %s who are not eligible on it", cuts.Score)
	default:
		line("Population", "users eligible on %s", cuts.Score)
		line("Window", "features up to %s; the outcome lies after it and is not known", cuts.Score)
	}
	switch key := f.Key; {
	case strings.HasSuffix(key, "auc"):
		line("Formula", "chance that a user who churned was given a higher probability than one who stayed, ties counting half (DeLong's interval)")
	case strings.HasSuffix(key, "brier"):
		line("Formula", "mean of (probability − outcome)² over the tested users")
	case strings.HasSuffix(key, "skill"):
		line("Formula", "1 − Brier score ÷ Brier score of always saying the base rate")
	case strings.HasSuffix(key, "log_loss"):
		line("Formula", "mean of −log(probability given to what came true), natural logarithm")
	case key == "calibration.slope" || key == "calibration.intercept":
		line("Formula", "logit P(churned) = intercept + slope · logit(probability), fitted on the test; 0 and 1 are perfect")
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
	case s == churnTested || s == churnTestRate || s >= churnBin:
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
		text = fmt.Sprintf("%s was given %s on %s", text, churnShare(m.Predict(k.values, k.known)), cut)
		// The strongest that points the way the user is off the average.
		up := m.LogOdds(k.values, k.known) > m.Average()
		for _, why := range m.Reasons(k.values, k.known) {
			if (why.LogOdds > 0) == up {
				text += ", most of all because " + reasonText(&why)
				break
			}
		}
	}
	switch {
	case cut == c.set.cuts.Score:
	case churned:
		text += fmt.Sprintf("; it churned in the %d days after", c.set.q.Horizon)
	default:
		text += fmt.Sprintf("; it stayed in the %d days after", c.set.q.Horizon)
	}
	return text
}

// churnShare writes a probability for a person.
func churnShare(p float64) string { return fmt.Sprintf("%.1f %%", 100*p) }

// reasonText says what one feature adds, beside what is usual.
func reasonText(r *churn.Reason) string {
	way := "raises"
	if r.LogOdds < 0 {
		way = "lowers"
	}
	f := r.Feature
	if f.Absent {
		state := "has a value"
		if r.Value != 0 {
			state = "has no value"
		}
		return fmt.Sprintf("%s %s, which %s it by %.2f log-odds", churnName(f.Name), state, way, math.Abs(r.LogOdds))
	}
	value := "unknown"
	if r.Known {
		value = churnNumber(r.Value)
	}
	unit := ""
	if f.Unit != "" {
		unit = " " + f.Unit
	}
	return fmt.Sprintf("%s is %s%s, where %s is usual, which %s it by %.2f log-odds", churnName(f.Name), value, unit, churnNumber(f.Mean), way, math.Abs(r.LogOdds))
}

// A Risk is one user's score, with what it takes to trust it.
type Risk struct {
	Address     string  // of the churn answer it belongs to
	Question    string  // what churn is here, in a sentence
	Scored      bool    // false: Why says what stands in the way
	Why         string  // "silent already", or why there is no model
	Probability float64 // of churning within the horizon
	BaseRate    float64 // in the test
	Horizon     int     // days
	Verdict     string  // what the model is worth
	Better      bool    // than guessing
	Reasons     []RiskReason
	Average     float64 // log-odds of the average user; Reasons add to it
	LogOdds     float64
}

// A RiskReason is what one measure adds to the log-odds. Signals, not causes.
type RiskReason struct {
	Name    string // of the measure
	Unit    string
	Value   float64
	Known   bool // false: the user has no value, or the measure is about having none
	Mean    float64
	LogOdds float64 // above 0 raises the risk
	Text    string  // the same as a sentence's end
}

// risk scores one person under the default churn question as of the run's day.
// With train false a model that is not there yet is not trained for it: that is
// a pass over all the data, and a user page is opened at once.
func (r *Run) risk(tl *model.Timeline, train bool) (*Risk, error) {
	q := Query{Analysis: "churn", AsOf: r.Q.AsOf}
	cr, err := r.eng.newRun(r.Ctx, r.st, q, r.progress)
	if err != nil {
		return nil, err
	}
	out := &Risk{Address: q.String()}
	s, err := cr.churnSetting()
	if err != nil {
		out.Why = err.Error()
		return out, nil
	}
	out.Question, out.Horizon = s.q.Sentence(), s.q.Horizon
	if !train {
		m, err := cr.trained()
		if err != nil {
			return nil, err
		}
		if m == nil {
			out.Why = "No model has been trained yet: open churn to train and test one."
			return out, nil
		}
	}
	m, err := cr.churnModel(s)
	if err != nil {
		return nil, err
	}
	if !m.usable() {
		out.Why = m.Why
		return out, nil
	}
	out.BaseRate, out.Verdict, out.Better = m.Quality.BaseRate, m.Quality.Verdict, m.Quality.Better
	p := &Person{TL: tl.Clone(), Row: -1} // its events may have to be put into day order
	p.Days = r.Cal.Days(nil, p.TL)
	if len(p.Days) == 0 {
		out.Why = "No event up to this day."
		return out, nil
	}
	model.InDayOrder(p.Days, p.TL)
	k := s.scorer()
	k.take(p)
	if st, _ := k.label(s.cuts.Score); st != churn.AtStake {
		out.Why = "Not scored: " + s.unscored(st) + "."
		return out, nil
	}
	k.features(s.cuts.Score)
	fit := &m.Fitted
	out.Scored = true
	out.Probability, out.LogOdds, out.Average = fit.Predict(k.values, k.known), fit.LogOdds(k.values, k.known), fit.Average()
	for _, rs := range fit.Reasons(k.values, k.known) {
		out.Reasons = append(out.Reasons, RiskReason{Name: rs.Feature.Label(), Unit: rs.Feature.Unit, Value: rs.Value, Known: rs.Known && !rs.Feature.Absent,
			Mean: rs.Feature.Mean, LogOdds: rs.LogOdds, Text: reasonText(&rs)})
	}
	return out, nil
}

// unscored says why a user has no probability.
func (s *churnSetting) unscored(st churn.Standing) string {
	switch {
	case st == churn.Safe:
		return fmt.Sprintf("safe, since %d days of silence cannot be reached within %d days", s.q.Gap, s.q.Horizon)
	case s.q.Definition == churn.ByStage:
		return "in the lost stage already"
	case st == churn.Unseen:
		return "never active so far"
	}
	return fmt.Sprintf("silent for %d days or more already", s.q.Gap)
}

// riskFilter is what risk needs of a timeline.
func (r *Run) riskFilter() (model.Filter, error) {
	cr, err := r.eng.newRun(r.Ctx, r.st, Query{Analysis: "churn", AsOf: r.Q.AsOf}, nil)
	if err != nil {
		return model.Filter{}, err
	}
	s, err := cr.churnSetting()
	f := s.filter
	f.Until = r.Cut
	return f, err
}
