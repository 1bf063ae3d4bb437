// Package stat holds the statistics that several analyses share: intervals,
// survival, bootstrap and the scores of probability forecasts. It is thin: the
// distributions are gonum's, what stands here is the form in which the analyses
// need them, with its edge cases stated.
//
// Rates are fractions. A function that has no answer says so with ok false or an
// error; no result is ever NaN. Random numbers come from the caller.
//
//	iv, ok := stat.Wilson(12, 40, stat.Level) // 0.181 … 0.454
package stat

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Level is the confidence level that answers use unless they say otherwise.
const Level = 0.95

// ErrNoUsers says that there was nothing to estimate from.
var ErrNoUsers = errors.New("nobody to estimate from")

// An Interval is a confidence interval, both ends included.
type Interval struct{ Lo, Hi float64 }

// NormalQuantile is the standard normal's quantile: 1.96 for p = 0.975. p is
// moved into (0, 1) by the smallest step if it stands on or beyond its ends.
func NormalQuantile(p float64) float64 {
	return distuv.UnitNormal.Quantile(math.Min(math.Max(p, math.SmallestNonzeroFloat64), 1-0x1p-53))
}

// z is the two-sided normal quantile of a confidence level.
func z(level float64) float64 {
	if level == usual {
		return usualZ
	}
	return NormalQuantile(0.5 + level/2)
}

// The level of nearly every interval, and its z, which a table of ten thousand
// rates would otherwise work out ten thousand times.
const usual = 0.95

var usualZ = NormalQuantile(0.5 + usual/2)
