package churn

import (
	"cmp"
	"math"
	"slices"
)

// A Feature is one column of a model, with all that a prediction needs. Coef is
// in log-odds per unit of the feature (per yes, of an Absent one).
type Feature struct {
	Name   string  `toml:"name"`
	Unit   string  `toml:"unit"`
	Absent bool    `toml:"absent"` // 1 where the measure of this name has no value, else 0
	Column int     `toml:"column"` // of the table
	Coef   float64 `toml:"coef"`
	Mean   float64 `toml:"mean"` // of the training users, within [Lo, Hi]
	SD     float64 `toml:"sd"`
	Lo     float64 `toml:"lo"` // values beyond are taken as the bound
	Hi     float64 `toml:"hi"`
	Fill   float64 `toml:"fill"` // stands in where the measure has no value: the mean of those who have one
}

// Label names the feature for a person.
func (f *Feature) Label() string {
	if f.Absent {
		return f.Name + " has no value"
	}
	return f.Name
}

// at is the feature's value as the model takes it.
func (f *Feature) at(values []float64, known []bool) float64 {
	k := known == nil || known[f.Column]
	switch {
	case f.Absent && k:
		return 0
	case f.Absent:
		return 1
	case !k:
		return f.Fill
	}
	return math.Min(math.Max(values[f.Column], f.Lo), f.Hi)
}

// A Model is a trained logistic regression in original units.
type Model struct {
	Features  []Feature `toml:"feature"`
	Intercept float64   `toml:"intercept"` // log-odds where every feature is 0
	Ridge     float64   `toml:"ridge"`
	Users     int       `toml:"users"` // trained on
	BaseRate  float64   `toml:"base_rate"`
	Columns   []string  `toml:"columns"` // the table's, in order
	Dropped   []string  `toml:"dropped"` // columns that were the same for all training users

	Iterations int     `toml:"iterations"`
	Gradient   float64 `toml:"gradient"` // largest component at the end, for the doubtful
}

// Average is the log-odds of somebody whose every feature is the training
// users' mean: what contributions are counted from.
func (m *Model) Average() float64 {
	sum := m.Intercept
	for i := range m.Features {
		sum += m.Features[i].Coef * m.Features[i].Mean
	}
	return sum
}

// LogOdds is the prediction before it becomes a probability.
func (m *Model) LogOdds(values []float64, known []bool) float64 {
	sum := m.Average()
	for i := range m.Features {
		f := &m.Features[i]
		sum += f.Coef * (f.at(values, known) - f.Mean)
	}
	return sum
}

// Predict is the probability that the user churns. values and known are in the
// order of Columns; known may be nil. Values of measures without one are not
// looked at; a value that is not finite counts as one without.
func (m *Model) Predict(values []float64, known []bool) float64 {
	return sigmoid(m.LogOdds(m.finite(values, known)))
}

// finite marks values that are not finite as unknown.
func (m *Model) finite(values []float64, known []bool) ([]float64, []bool) {
	for i, x := range values {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			continue
		}
		if known == nil {
			known = orAll(nil, len(values))
		} else {
			known = slices.Clone(known)
		}
		for j := i; j < len(values); j++ {
			known[j] = known[j] && !math.IsNaN(values[j]) && !math.IsInf(values[j], 0)
		}
		break
	}
	return values, known
}

// A Reason is what one feature adds to a user's log-odds.
type Reason struct {
	Feature *Feature
	Value   float64 // as the model takes it
	Own     float64 // the user's own, where Known; beyond [Lo, Hi] the model takes the bound
	Known   bool    // the user has a value
	LogOdds float64 // above 0 raises the probability
}

// Held says whether the model takes another value than the user's own, because
// too few training users went so far.
func (r *Reason) Held() bool { return r.Known && !r.Feature.Absent && r.Own != r.Value }

// Reasons splits a prediction into its features, the strongest first: the
// contributions Coef·(value − Mean) and Average add to LogOdds exactly but for
// rounding. They are signals that go with leaving, not its causes.
//
// This is the Shapley value of a linear model with independent features:
// Lundberg, S. M.; Lee, S.-I. (2017). "A Unified Approach to Interpreting Model
// Predictions", corollary 1.
func (m *Model) Reasons(values []float64, known []bool) []Reason {
	values, known = m.finite(values, known)
	out := make([]Reason, len(m.Features))
	for i := range m.Features {
		f := &m.Features[i]
		v := f.at(values, known)
		out[i] = Reason{Feature: f, Value: v, Own: values[f.Column], Known: known == nil || known[f.Column], LogOdds: f.Coef * (v - f.Mean)}
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(math.Abs(b.LogOdds), math.Abs(a.LogOdds)) })
	return out
}
