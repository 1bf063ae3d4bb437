package churn

import (
	"cmp"
	"math"
	"slices"
)

// A Kind says what a model is made of.
type Kind string

const (
	LogisticKind Kind = "logistic" // coefficients
	BoostingKind Kind = "boosting" // trees
	HazardKind   Kind = "hazard"   // the user's own rhythm
)

// A Feature is one column of a model, with all that a prediction needs. Coef is
// in log-odds per unit of the feature (per yes, of an Absent one or a Level), 0
// in models without coefficients.
type Feature struct {
	Name   string  `toml:"name"`
	Unit   string  `toml:"unit"`
	Absent bool    `toml:"absent"`          // 1 where the measure of this name has no value, else 0
	Level  string  `toml:"level,omitempty"` // 1 where the property of this name has this value, else 0
	Code   float64 `toml:"code,omitempty"`  // of Level, in the data the model was trained on
	Column int     `toml:"column"`          // of the table
	Coef   float64 `toml:"coef"`
	Mean   float64 `toml:"mean"` // of the training users, within [Lo, Hi]
	SD     float64 `toml:"sd"`
	Lo     float64 `toml:"lo"`                // values beyond are taken as the bound
	Hi     float64 `toml:"hi"`                //
	Least  float64 `toml:"least"`             // seen in training
	Most   float64 `toml:"most"`              //
	CoefLo float64 `toml:"coef_lo,omitempty"` // 95 % interval of Coef by resampling users, where Model.Resampled
	CoefHi float64 `toml:"coef_hi,omitempty"` //
	Fill   float64 `toml:"fill"`              // stands in where the measure has no value: the mean of those who have one
}

// Label names the feature for a person.
func (f *Feature) Label() string {
	switch {
	case f.Absent:
		return f.Name + " has no value"
	case f.Level != "":
		return f.Name + " is " + f.Level
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
	case f.Level != "":
		if k && values[f.Column] == f.Code {
			return 1
		}
		return 0
	case !k:
		return f.Fill
	}
	return math.Min(math.Max(values[f.Column], f.Lo), f.Hi)
}

// A Model is a trained model: a logistic regression in original units, boosted
// trees, or the hazard of each user's own rhythm.
type Model struct {
	Kind      Kind      `toml:"kind"`
	Features  []Feature `toml:"feature"`
	Intercept float64   `toml:"intercept"` // log-odds where every feature is 0
	Ridge     float64   `toml:"ridge"`
	Users     int       `toml:"users"` // trained on
	BaseRate  float64   `toml:"base_rate"`
	Columns   []string  `toml:"columns"` // the table's, in order
	Dropped   []string  `toml:"dropped"` // columns that were the same for all training users

	Alike   []string `toml:"alike,omitempty"`   // features left out, each with the one that says the same
	Suspect []string `toml:"suspect,omitempty"` // values of properties that may know the future, each with its reason

	Resampled int `toml:"resampled,omitempty"` // draws behind the coefficients' intervals; 0: there are none

	Iterations int     `toml:"iterations"`
	Gradient   float64 `toml:"gradient"` // largest component at the end, for the doubtful

	Forest *Forest `toml:"forest,omitempty"`
	Rhythm *Rhythm `toml:"rhythm,omitempty"`
	Near   *Near   `toml:"near,omitempty"`
}

// Average is what contributions are counted from: the log-odds of somebody whose
// every feature is the training users' mean or, of trees, the users' mean
// log-odds.
func (m *Model) Average() float64 {
	switch m.Kind {
	case BoostingKind:
		return m.Forest.Mean()
	case HazardKind:
		return m.Rhythm.logOdds(m.means())
	}
	sum := m.Intercept
	for i := range m.Features {
		sum += m.Features[i].Coef * m.Features[i].Mean
	}
	return sum
}

// LogOdds is the prediction before it becomes a probability.
func (m *Model) LogOdds(values []float64, known []bool) float64 {
	switch m.Kind {
	case BoostingKind:
		var few [64]float64
		return m.Forest.Sum(m.inputs(few[:0], values, known))
	case HazardKind:
		return m.Rhythm.logOdds(m.own(values, known))
	}
	sum := m.Average()
	for i := range m.Features {
		f := &m.Features[i]
		sum += f.Coef * (f.at(values, known) - f.Mean)
	}
	return sum
}

// inputs are the features as trees take them: NaN where there is no value.
func (m *Model) inputs(dst, values []float64, known []bool) []float64 {
	for i := range m.Features {
		f := &m.Features[i]
		x := math.NaN()
		if f.Level != "" || f.Absent || known == nil || known[f.Column] {
			x = f.at(values, known)
		}
		dst = append(dst, x)
	}
	return dst
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
func (r *Reason) Held() bool {
	return r.Known && !r.Feature.Absent && r.Feature.Level == "" && r.Own != r.Value
}

// Reasons splits a prediction into its features, the strongest first: the
// contributions and Average add to LogOdds exactly but for rounding. They are
// signals that go with leaving, not its causes. The levels of one property are
// one reason.
//
// All are Shapley values: Coef·(value − Mean) of a linear model with independent
// features (Lundberg, S. M.; Lee, S.-I. (2017). "A Unified Approach to
// Interpreting Model Predictions", corollary 1); of trees see
// Forest.Contributions; of a rhythm, over the eight coalitions of its three
// measures against the training users' means.
func (m *Model) Reasons(values []float64, known []bool) []Reason {
	values, known = m.finite(values, known)
	parts := make([]float64, len(m.Features))
	switch m.Kind {
	case BoostingKind:
		m.Forest.Contributions(m.inputs(nil, values, known), parts)
	case HazardKind:
		m.Rhythm.contributions(m.means(), m.own(values, known), parts)
	default:
		for i := range m.Features {
			f := &m.Features[i]
			parts[i] = f.Coef * (f.at(values, known) - f.Mean)
		}
	}
	out := make([]Reason, 0, len(m.Features))
	group := map[int]int{} // of a property's levels: where its reason stands
	for i := range m.Features {
		f := &m.Features[i]
		r := Reason{Feature: f, Value: f.at(values, known), Own: values[f.Column], Known: known == nil || known[f.Column], LogOdds: parts[i]}
		if f.Level != "" {
			at, seen := group[f.Column]
			if !seen {
				group[f.Column] = len(out)
				if r.Value == 0 {
					r.Feature = &Feature{Name: f.Name, Level: OtherLevel, Column: f.Column}
				}
				out = append(out, r)
				continue
			}
			if r.Value == 1 {
				out[at].Feature, out[at].Value = f, 1
			}
			out[at].LogOdds += r.LogOdds
			continue
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(math.Abs(b.LogOdds), math.Abs(a.LogOdds)) })
	return out
}

// OtherLevel stands for the values of a property that are too rare to be
// features of their own.
const OtherLevel = "another value"
