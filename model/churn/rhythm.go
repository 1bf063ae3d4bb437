package churn

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// A Rhythm foretells silence from a user's own pace of coming back. Returns come
// at a rate of the user's own, and the rates of the users follow a gamma law, so
// that a user seen n times more in T days stays away for d days with probability
//
//	P = ((Rate + T) / (Rate + T + d)) ^ (Shape + n)
//
// where few visits leave the say to everybody's law and many to the user's own.
// People do not only slow down but leave, which the law does not know: a line
// through the log-odds, fitted on the training outcomes, puts P right.
//
// Ehrenberg, A. S. C. (1959). "The Pattern of Consumer Purchases". Applied
// Statistics 8 (1): 26–41 (the gamma–Poisson law); the line: Cox (1958), see
// stat.Calibrate.
type Rhythm struct {
	Shape     float64 `toml:"shape"`
	Rate      float64 `toml:"rate"` // days
	Intercept float64 `toml:"intercept"`
	Slope     float64 `toml:"slope"`
	Gap       int     `toml:"gap"`     // days of silence wanted; 0: Horizon days from the cut-off
	Horizon   int     `toml:"horizon"` // days
}

// ErrRhythm says why there is no hazard by rhythm.
var ErrRhythm = errors.New("there is no rhythm to go by")

// The measures of a rhythm, in the order of its features.
var rhythmColumns = [3]string{"active_days", "tenure_days", "recency_days"}

// RhythmColumns are the measures that a hazard by rhythm is made from.
func RhythmColumns() []string { return slices.Clone(rhythmColumns[:]) }

func (r *Rhythm) sound(features int) bool {
	return features == len(rhythmColumns) && r.Shape > 0 && r.Rate > 0 && finite(r.Shape) && finite(r.Rate) && finite(r.Intercept) && finite(r.Slope) && r.Horizon > 0
}

// raw is the log-odds of staying away, before the line.
func (r *Rhythm) raw(v [3]float64) float64 {
	n, days := math.Max(v[0]-1, 0), math.Max(v[1], 0)
	need := float64(r.Horizon)
	if r.Gap > 0 {
		need = math.Min(math.Max(float64(r.Gap)-v[2], 0.5), need)
	}
	logP := (r.Shape + n) * math.Log((r.Rate+days)/(r.Rate+days+need))
	return logP - math.Log(-math.Expm1(logP))
}

func (r *Rhythm) logOdds(v [3]float64) float64 { return r.Intercept + r.Slope*r.raw(v) }

// contributions are the Shapley values of the three measures against means.
func (r *Rhythm) contributions(means, own [3]float64, out []float64) {
	value := func(mask int) float64 {
		v := means
		for i := range v {
			if mask&(1<<i) != 0 {
				v[i] = own[i]
			}
		}
		return r.logOdds(v)
	}
	for i := range own {
		for mask := range 8 {
			if mask&(1<<i) != 0 {
				continue
			}
			weight := [4]float64{1. / 3, 1. / 6, 1. / 3}[bits.OnesCount(uint(mask))]
			out[i] += weight * (value(mask|1<<i) - value(mask))
		}
	}
}

// means are the training users' means of a rhythm's measures.
func (m *Model) means() (v [3]float64) {
	for i := range v {
		v[i] = m.Features[i].Mean
	}
	return v
}

// own are a user's measures, the mean where there is none.
func (m *Model) own(values []float64, known []bool) (v [3]float64) {
	for i := range v {
		v[i] = m.Features[i].at(values, known)
	}
	return v
}

// trainRhythm fits the law to the users' pasts and the line to their outcomes.
func (m *Model) trainRhythm(t *Table, o Options) error {
	for _, name := range rhythmColumns {
		c := slices.Index(t.Names, name)
		if c < 0 {
			return fmt.Errorf("%w: it needs the measures %v, and %s is not among the features", ErrRhythm, rhythmColumns, name)
		}
		fs := t.features(c, Options{Clip: -1})
		f := fs[0]
		t.measured(&f)
		m.Features = append(m.Features, f)
	}
	if o.Question.Horizon < 1 {
		return fmt.Errorf("%w: the horizon is %d days", ErrRhythm, o.Question.Horizon)
	}
	r := &Rhythm{Horizon: o.Question.Horizon}
	if o.Question.Definition == ByGap {
		r.Gap = o.Question.Gap
	}
	m.Rhythm = r
	values, known := make([]float64, len(t.X)), make([]bool, len(t.X))
	var n, days []float64
	step := 1 + t.Len()/20_000 // the two numbers of a law need no more users
	for i := 0; i < t.Len(); i += step {
		t.Row(i, values, known)
		v := m.own(values, known)
		n, days = append(n, math.Max(v[0]-1, 0)), append(days, math.Max(v[1], 0))
	}
	if r.Shape, r.Rate = gammaPoisson(n, days); r.Shape == 0 {
		return fmt.Errorf("%w: nobody has come back yet", ErrRhythm)
	}
	raw := make([]float64, t.Len())
	for i := range raw {
		t.Row(i, values, known)
		raw[i] = r.raw(m.own(values, known))
	}
	fit, err := Logistic([][]float64{raw}, t.Yes, 1e-6, o.job())
	if err != nil {
		return err
	}
	m.Iterations, m.Gradient = fit.Iterations, fit.Gradient
	if fit.SD[0] == 0 {
		return fmt.Errorf("%w: everybody has the same", ErrNothing)
	}
	r.Slope = fit.Coef[0] / fit.SD[0]
	r.Intercept = fit.Intercept - r.Slope*fit.Mean[0]
	return nil
}

// gammaPoisson fits shape and rate of the gamma law of rates to counts n over
// exposures of so many days, by maximum likelihood: for a shape the rate solves
// its own equation, and the shape is searched over [1e-3, 1e3] by golden section.
// shape is 0 if nobody has a count.
func gammaPoisson(n, days []float64) (shape, rate float64) {
	var all float64
	for _, k := range n {
		all += k
	}
	if all == 0 {
		return 0, 0
	}
	rateOf := func(a float64) float64 {
		lo, hi := math.Log(1e-3), math.Log(1e7)
		for range 60 {
			mid := (lo + hi) / 2
			b := math.Exp(mid)
			slope := float64(len(n)) * a / b
			for i, k := range n {
				slope -= (a + k) / (b + days[i])
			}
			if slope > 0 {
				lo = mid
			} else {
				hi = mid
			}
		}
		return math.Exp((lo + hi) / 2)
	}
	value := func(a float64) float64 {
		b := rateOf(a)
		base, _ := math.Lgamma(a)
		sum := 0.0
		for i, k := range n {
			g, _ := math.Lgamma(a + k)
			sum += g - base + a*math.Log(b) - (a+k)*math.Log(b+days[i])
		}
		return sum
	}
	const golden = 0.6180339887498949
	lo, hi := math.Log(1e-3), math.Log(1e3)
	x1, x2 := hi-golden*(hi-lo), lo+golden*(hi-lo)
	v1, v2 := value(math.Exp(x1)), value(math.Exp(x2))
	for range 30 {
		if v1 < v2 {
			lo, x1, v1 = x1, x2, v2
			x2 = lo + golden*(hi-lo)
			v2 = value(math.Exp(x2))
		} else {
			hi, x2, v2 = x2, x1, v1
			x1 = hi - golden*(hi-lo)
			v1 = value(math.Exp(x1))
		}
	}
	shape = math.Exp((lo + hi) / 2)
	return shape, rateOf(shape)
}
