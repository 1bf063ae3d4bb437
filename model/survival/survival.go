// Package survival estimates how long users live: the Kaplan–Meier curve with
// its band, median and restricted mean, the Nelson–Aalen hazard, the log-rank
// test, four parametric families and Cox regression, all with censoring and with
// users who come under observation late.
//
// Its idea is that of a [Life]: a time, whether it ended there, and from when on
// it was watched. Nothing here knows events, gaps or days: what makes a death is
// the caller's definition. Equal lives may stand once with a Count, so that a
// million users are a few thousand entries.
//
// Invariants: times are finite and not negative; a life is at risk at t if
// Entry < t ≤ Time, and from 0 on if Entry is 0; censored lives are at risk on the
// day they are censored; no estimate is NaN. Levels are those of package stat.
//
//	e, err := survival.Estimated(lives, stat.Level)
//	median, ok := e.Curve.Reached(0.5)
//	lo, hi := e.Curve.ReachedInterval(0.5)
package survival

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"dwell/model/stat"
)

// A Life is one time under observation, or Count equal ones.
type Life struct {
	Entry float64 // watched after this time; 0: from the beginning
	Time  float64 // of death, or of the last look
	Died  bool    // false: censored at Time
	Count int64   // how many lives are alike; at least 1
}

// The reasons why there is no estimate.
var (
	ErrNobody  = stat.ErrNoUsers
	ErrBadLife = errors.New("a life is not a time: it must be finite, not negative, not end before it is watched, and count at least once")
	ErrNoDeath = errors.New("nobody died, so there is no rate to estimate")
)

// Check says whether all lives are lives.
func Check(lives []Life) error {
	if len(lives) == 0 {
		return ErrNobody
	}
	for i, l := range lives {
		if !(l.Time >= 0) || math.IsInf(l.Time, 0) || !(l.Entry >= 0) || l.Entry > l.Time || l.Count < 1 || l.Died && !l.atRisk(l.Time) {
			return fmt.Errorf("life %d (from %v to %v, %d times): %w", i+1, l.Entry, l.Time, l.Count, ErrBadLife)
		}
	}
	return nil
}

// atRisk says whether the life is at risk at t.
func (l Life) atRisk(t float64) bool { return t <= l.Time && (l.Entry < t || l.Entry == 0) }

// A Row is one time at which lives end: the life table.
type Row struct {
	Time                   float64
	AtRisk, Died, Censored int64 // at risk just before Time
}

// An Estimate is the product-limit estimate of one group of lives.
type Estimate struct {
	Rows           []Row      // one for each time at which lives end, ascending
	Curve          stat.Curve // one step for each time with a death
	N              int64      // lives
	Died, Censored int64
	Last           float64 // the longest time

	ends, entries []point // number of lives that end at or after, and enter at or after
}

// A point is a time with how many lives stand at or after it.
type point struct {
	t float64
	n int64
}

// Estimated is the life table with the Kaplan–Meier curve and its log-log band.
// lives may be in any order and is not modified. It fails with ErrNobody or
// ErrBadLife. If nobody died the curve is empty: 1 throughout.
func Estimated(lives []Life, level float64) (*Estimate, error) {
	if err := Check(lives); err != nil {
		return nil, err
	}
	e := &Estimate{}
	byTime := slices.Clone(lives)
	slices.SortFunc(byTime, func(a, b Life) int { return cmp.Compare(a.Time, b.Time) })
	var late []Life
	for _, l := range lives {
		e.N += l.Count
		if l.Entry > 0 {
			late = append(late, l)
		}
	}
	slices.SortFunc(late, func(a, b Life) int { return cmp.Compare(a.Entry, b.Entry) })
	ends := e.N
	for i := 0; i < len(byTime); {
		r := Row{Time: byTime[i].Time}
		e.ends = append(e.ends, point{r.Time, ends})
		for ; i < len(byTime) && byTime[i].Time == r.Time; i++ {
			if byTime[i].Died {
				r.Died += byTime[i].Count
			} else {
				r.Censored += byTime[i].Count
			}
			ends -= byTime[i].Count
		}
		e.Died, e.Censored = e.Died+r.Died, e.Censored+r.Censored
		e.Rows = append(e.Rows, r)
	}
	var after int64
	for _, l := range late {
		after += l.Count
	}
	for _, l := range late {
		if n := len(e.entries); n == 0 || e.entries[n-1].t != l.Entry {
			e.entries = append(e.entries, point{l.Entry, after})
		}
		after -= l.Count
	}
	at := make([]stat.Exposure, len(e.Rows))
	for i := range e.Rows {
		r := &e.Rows[i]
		r.AtRisk = e.AtRisk(r.Time)
		at[i] = stat.Exposure{Days: r.Time, AtRisk: r.AtRisk, Churned: r.Died}
	}
	e.Curve = stat.ProductLimit(at, level)
	e.Last = e.Rows[len(e.Rows)-1].Time
	return e, nil
}

// AtRisk is the number of lives at risk at t: watched since before t and not ended
// before it.
func (e *Estimate) AtRisk(t float64) int64 { return since(e.ends, t) - since(e.entries, t) }

// since is how many lives stand at or after t.
func since(ps []point, t float64) int64 {
	i, _ := slices.BinarySearchFunc(ps, t, func(p point, t float64) int { return cmp.Compare(p.t, t) })
	if i == len(ps) {
		return 0
	}
	return ps[i].n
}

// Between counts the deaths and the censored of times in (from, to].
func (e *Estimate) Between(from, to float64) (died, censored int64) {
	for _, r := range e.Rows {
		if r.Time > from && r.Time <= to {
			died, censored = died+r.Died, censored+r.Censored
		}
	}
	return died, censored
}

// Mean is the restricted mean survival time: the area under the curve up to tau,
// the time lived of the first tau on average, and its standard error (0 where
// nobody died before tau). ok is false unless 0 < tau ≤ Last: beyond the last time
// seen the curve says nothing.
//
// With A(t) the area from t to tau the variance is Σ A(t)²·d/(n·(n−d)) over the
// deaths before tau. Klein, J. P.; Moeschberger, M. L. (2003). Survival Analysis,
// 2nd ed., section 4.5.
func (e *Estimate) Mean(tau float64) (mean, se float64, ok bool) {
	if !(tau > 0) || tau > e.Last {
		return 0, 0, false
	}
	var areas []float64 // from each step to the next
	last, s := 0.0, 1.0
	for _, st := range e.Curve {
		if st.Days >= tau {
			break
		}
		areas = append(areas, s*(st.Days-last))
		last, s = st.Days, st.S
	}
	areas = append(areas, s*(tau-last))
	var after, v float64
	for i := len(areas) - 1; i > 0; i-- {
		after += areas[i]
		st := e.Curve[i-1]
		if st.AtRisk > st.Churned {
			v += after * after * float64(st.Churned) / (float64(st.AtRisk) * float64(st.AtRisk-st.Churned))
		}
	}
	return after + areas[0], math.Sqrt(v), true
}

// A HazardStep is the cumulative hazard from one time with a death on.
type HazardStep struct {
	Time   float64
	H      float64
	StdErr float64
	Lo, Hi float64 // on the log scale
}

// Hazard is the Nelson–Aalen estimate of the cumulative hazard, H(t) = Σ d/n over
// the times with deaths up to t: one step for each, ascending. Its variance is
// Σ d·(n−d)/n³, the form for deaths that share a day, as users' do.
//
// Aalen, O. (1978). "Nonparametric Inference for a Family of Counting Processes".
// Annals of Statistics 6 (4): 701–726. Variance: Klein, J. P. (1991). Scandinavian
// Journal of Statistics 18 (4): 333–340. Interval: Klein and Moeschberger (2003),
// section 4.3.
func (e *Estimate) Hazard(level float64) []HazardStep {
	z := stat.NormalQuantile(0.5 + level/2)
	var out []HazardStep
	var h, v float64
	for _, s := range e.Curve {
		d, n := float64(s.Churned), float64(s.AtRisk)
		h += d / n
		v += d * (n - d) / (n * n * n)
		se := math.Sqrt(v)
		out = append(out, HazardStep{Time: s.Days, H: h, StdErr: se, Lo: h * math.Exp(-z*se/h), Hi: h * math.Exp(z*se/h)})
	}
	return out
}
