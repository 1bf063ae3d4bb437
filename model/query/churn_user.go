package query

import (
	"context"

	"dwell/model"
	"dwell/model/churn"
)

// A Risk is one user's score, with what it takes to trust it.
type Risk struct {
	Address     string  // of the churn answer it belongs to
	Question    string  // what churn is here, in a sentence
	Scored      bool    // false: Why says what stands in the way
	Why         string  // silent already, or why there is no model
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
	Value   float64 // the user's own
	Taken   float64 // by the model: the bound where the user's own is beyond what it learned from
	Known   bool    // false: the user has no value, or the measure is about having none
	Mean    float64
	LogOdds float64 // above 0 raises the risk
	Text    string  // the same in a line
}

// Risk scores one user as of a day (NoDay: the default) under the default churn
// question. It trains and tests the model if that has not been done: a few
// passes over all the data.
func (e *Engine) Risk(ctx context.Context, id string, asOf model.Day, p Progress) (*Risk, error) {
	st, err := e.hold(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.drop() }() // nothing is read after this
	return guarded(func() (*Risk, error) {
		r, err := e.newRun(ctx, st, Query{Analysis: "churn", AsOf: asOf}, p)
		if err != nil {
			return nil, err
		}
		return r.risk(id, true)
	})
}

// risk scores one user under the default churn question as of the run's day.
// With train false a model that is not there yet is not trained for it.
func (r *Run) risk(id string, train bool) (*Risk, error) {
	q := Query{Analysis: "churn", AsOf: r.Q.AsOf}
	cr, err := r.eng.newRun(r.Ctx, r.st, q, r.progress)
	if err != nil {
		return nil, err
	}
	out := &Risk{Address: q.String()}
	s, err := cr.churnSetting()
	if err != nil {
		out.Why = "There is no model: " + err.Error() + "."
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
	f := s.filter
	f.Until = cr.Cut
	tl, err := r.user(id, f)
	if err != nil {
		return nil, err
	}
	p := &Person{TL: &tl, Days: cr.Cal.Days(nil, &tl), Row: -1}
	if len(p.Days) == 0 {
		out.Why = "Not scored: no event up to " + cr.AsOf.String() + "."
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
	x, known := k.inputs(fit)
	out.Probability, out.LogOdds, out.Average = fit.Predict(x, known), fit.LogOdds(x, known), fit.Average()
	for _, rs := range fit.Reasons(x, known) {
		out.Reasons = append(out.Reasons, RiskReason{Name: rs.Feature.Label(), Unit: rs.Feature.Unit, Value: rs.Own, Taken: rs.Value, Known: rs.Known && !rs.Feature.Absent,
			Mean: rs.Feature.Mean, LogOdds: rs.LogOdds, Text: reasonLine(&rs)})
	}
	return out, nil
}

// trainWithin is up to how many events a user page trains a model that is not
// there yet: about a second of work.
const trainWithin = 2_000_000
