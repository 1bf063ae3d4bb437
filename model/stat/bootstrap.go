package stat

import (
	"math/rand/v2"
	"slices"
)

// Bootstrap is the percentile interval of a statistic under resampling of whole
// users. Figures made of several observations a user (gaps, event rates,
// recurring starts) are clustered: resampling observations instead of users
// would make their intervals far too narrow.
//
// In each of rounds rounds it draws n users with replacement and calls f with
// how often each was drawn; weights is reused. Rounds in which f has no value
// are left out; ok is false if that leaves fewer than half, or n is 0. The
// caller's generator makes it repeatable.
//
// Efron, B.; Tibshirani, R. J. (1993). An Introduction to the Bootstrap, chapter
// 13.
func Bootstrap(n, rounds int, level float64, rng *rand.Rand, f func(weights []int32) (float64, bool)) (iv Interval, ok bool) {
	if n <= 0 || rounds <= 0 {
		return Interval{}, false
	}
	weights := make([]int32, n)
	got := make([]float64, 0, rounds)
	for range rounds {
		clear(weights)
		for range n {
			weights[rng.IntN(n)]++
		}
		if x, ok := f(weights); ok {
			got = append(got, x)
		}
	}
	if len(got) == 0 || 2*len(got) < rounds {
		return Interval{}, false
	}
	slices.Sort(got)
	lo, _ := Quantile(got, (1-level)/2)
	hi, _ := Quantile(got, (1+level)/2)
	return Interval{lo, hi}, true
}
