package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile is the p-quantile of ascending values, type 7 of Hyndman and Fan (the
// default of R and NumPy): linear between the order statistics at (n−1)p. p is
// held within [0, 1]. ok is false for no values. sorted is not changed.
//
// Hyndman, R. J.; Fan, Y. (1996). "Sample Quantiles in Statistical Packages".
// The American Statistician 50 (4): 361–365.
func Quantile(sorted []float64, p float64) (q float64, ok bool) {
	if len(sorted) == 0 {
		return 0, false
	}
	h := math.Min(math.Max(p, 0), 1) * float64(len(sorted)-1)
	i := int(h)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1], true
	}
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i]), true
}

// Median is the type-7 median of ascending values.
func Median(sorted []float64) (m float64, ok bool) { return Quantile(sorted, 0.5) }

// MedianInterval is the distribution-free interval of the median between two
// order statistics: the narrowest symmetric pair that covers it with at least
// the level. sorted is ascending and not changed. ok is false where even the
// extremes do not reach the level (n < 6 at 95 %).
//
// Conover, W. J. (1999). Practical Nonparametric Statistics, 3rd ed., section
// 3.2.
func MedianInterval(sorted []float64, level float64) (iv Interval, ok bool) {
	n := len(sorted)
	if n == 0 {
		return Interval{}, false
	}
	// Covered: x(l) ≤ median ≤ x(n+1−l) with probability 1 − 2·P(B ≤ l−1).
	b := distuv.Binomial{N: float64(n), P: 0.5}
	l := 0
	for l < (n+1)/2 && 1-2*b.CDF(float64(l)) >= level {
		l++
	}
	if l == 0 {
		return Interval{}, false
	}
	return Interval{sorted[l-1], sorted[n-l]}, true
}
