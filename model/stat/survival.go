package stat

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// A Life is one user's time under observation.
type Life struct {
	Days    float64
	Churned bool // false: still active when observation ended, censored
}

// ErrBadLifetime says that a life is negative or not finite.
var ErrBadLifetime = errors.New("a lifetime is negative or not a number")

// A Step is the survival curve from one time with churn on.
type Step struct {
	Days    float64
	AtRisk  int64   // just before Days
	Churned int64   // on Days
	S       float64 // share whose life exceeds Days
	StdErr  float64 // Greenwood's
	// The interval on the log-log scale; Bounded is false where S is 0 or 1 and
	// there is none.
	Bounded bool
	Lo, Hi  float64
}

// A Curve is a survival curve: 1 before the first step.
type Curve []Step

// KaplanMeier estimates S(t), the share of users whose life exceeds t days.
//
// lives has one entry per user, in any order, and is not modified. A user still
// active at the end of observation is censored: Churned is false. With d users
// churned of n at risk on day i, S(t) = Π (1 − d/n) over the days i ≤ t; users
// censored on a day of churn are at risk that day. The result has one step per
// day with churn, ascending, with Greenwood's StdErr and the log-log interval;
// it is empty if nobody churned. It fails with ErrNoUsers, or ErrBadLifetime if
// a life is negative or not finite.
//
// Kaplan, E. L.; Meier, P. (1958). "Nonparametric Estimation from Incomplete
// Observations". J. Am. Stat. Assoc. 53 (282): 457–481. Interval: Kalbfleisch,
// J. D.; Prentice, R. L. (1980), section 1.3.
func KaplanMeier(lives []Life, level float64) (Curve, error) {
	if len(lives) == 0 {
		return nil, ErrNoUsers
	}
	s := slices.Clone(lives)
	for _, l := range s {
		if !(l.Days >= 0) || math.IsInf(l.Days, 0) {
			return nil, ErrBadLifetime
		}
	}
	slices.SortFunc(s, func(a, b Life) int { return cmp.Compare(a.Days, b.Days) })
	var c Curve
	k := newProduct(level)
	for i := 0; i < len(s); {
		j, churned := i, int64(0)
		for ; j < len(s) && s[j].Days == s[i].Days; j++ {
			if s[j].Churned {
				churned++
			}
		}
		if churned > 0 {
			c = append(c, k.step(s[i].Days, int64(len(s)-i), churned))
		}
		i = j
	}
	return c, nil
}

// KaplanMeierCounts is KaplanMeier for lives counted by whole days: churned[i]
// and censored[i] lives end on day i. The slices have equal length and are not
// changed. Without lives it is empty.
func KaplanMeierCounts(churned, censored []int64, level float64) Curve {
	var atRisk int64
	for i := range churned {
		atRisk += churned[i] + censored[i]
	}
	var c Curve
	k := newProduct(level)
	for i := range churned {
		if churned[i] > 0 {
			c = append(c, k.step(float64(i), atRisk, churned[i]))
		}
		atRisk -= churned[i] + censored[i]
	}
	return c
}

// An Exposure is one time at which lives end: who was at risk just before, and
// who of them churned.
type Exposure struct {
	Days            float64
	AtRisk, Churned int64
}

// ProductLimit is KaplanMeier from the numbers at risk, for lives that come under
// observation late (left truncation): AtRisk then rises as well as falls. at is
// ascending and not changed; times without churn make no step. Where the whole
// risk set churns the curve is 0 from there on.
func ProductLimit(at []Exposure, level float64) Curve {
	var c Curve
	k := newProduct(level)
	for _, e := range at {
		if e.Churned > 0 {
			c = append(c, k.step(e.Days, e.AtRisk, e.Churned))
		}
	}
	return c
}

// product carries the product-limit estimate from step to step.
type product struct{ s, greenwood, z float64 }

func newProduct(level float64) product { return product{s: 1, z: z(level)} }

func (k *product) step(days float64, atRisk, churned int64) Step {
	n, d := float64(atRisk), float64(churned)
	st := Step{Days: days, AtRisk: atRisk, Churned: churned}
	if atRisk == churned || k.s == 0 {
		k.s = 0
		return st
	}
	k.s *= (n - d) / n
	k.greenwood += d / (n * (n - d))
	st.S = k.s
	st.StdErr = k.s * math.Sqrt(k.greenwood)
	// V(log(−log S)) = greenwood / (log S)².
	theta := k.z * math.Sqrt(k.greenwood) / math.Log(k.s)
	st.Bounded = true
	st.Lo = math.Pow(k.s, math.Exp(-theta))
	st.Hi = math.Pow(k.s, math.Exp(theta))
	return st
}

// At is S(t) with its step; before the first step the share is 1 and there is
// no step.
func (c Curve) At(days float64) (s float64, st *Step) {
	i, found := slices.BinarySearchFunc(c, days, func(s Step, d float64) int { return cmp.Compare(s.Days, d) })
	if !found {
		i--
	}
	if i < 0 {
		return 1, nil
	}
	return c[i].S, &c[i]
}

// tie is how near to the wanted share a product of fractions counts as equal.
const tie = 1e-12

// Reached is the first time at which at most share of the users survive: the
// median for 0.5. ok is false if the curve does not fall so far.
func (c Curve) Reached(share float64) (days float64, ok bool) {
	for _, s := range c {
		if s.S <= share+tie {
			return s.Days, true
		}
	}
	return 0, false
}

// A Bound is an end of an interval that may lie beyond what was observed.
type Bound struct {
	Days  float64
	Known bool
}

// ReachedInterval is the interval of Reached, read off the curve's own band: the
// first times at which its lower and its upper end fall to share.
//
// Brookmeyer, R.; Crowley, J. (1982). "A Confidence Interval for the Median
// Survival Time". Biometrics 38 (1): 29–41.
func (c Curve) ReachedInterval(share float64) (lo, hi Bound) {
	for _, s := range c {
		if !lo.Known && (s.Bounded && s.Lo <= share+tie || s.S == 0) {
			lo = Bound{s.Days, true}
		}
		if s.Bounded && s.Hi <= share+tie {
			return lo, Bound{s.Days, true}
		}
	}
	return lo, hi
}
