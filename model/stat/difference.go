package stat

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// A Pairing is what users who are alike add to two ratios of sums: each of N users
// adds ANum and ADen to the one and BNum and BDen to the other. A user may add to
// both.
type Pairing struct{ N, ANum, ADen, BNum, BDen int64 }

// DifferenceBootstrap is the percentile interval of Σ b num / Σ b den less
// Σ a num / Σ a den under resampling of whole users, who may add several
// observations each, and to both sides (recurring starts in two segments): the
// users are drawn once for both ratios, so what they share is not counted as
// chance. Newcombe's interval would take every observation for a user of its own,
// and the sides for disjoint.
//
// It draws as RatioBootstrap does. Rounds in which a side has no denominator are
// left out; ok is false if that leaves fewer than half, or there is nobody. The
// order of the pairings does not matter.
func DifferenceBootstrap(ps []Pairing, rounds int, level float64, rng *rand.Rand) (iv Interval, ok bool) {
	ps = slices.Clone(ps)
	slices.SortFunc(ps, func(a, b Pairing) int {
		return cmp.Or(cmp.Compare(a.ADen, b.ADen), cmp.Compare(a.ANum, b.ANum), cmp.Compare(a.BDen, b.BDen), cmp.Compare(a.BNum, b.BNum))
	})
	sizes := make([]int64, len(ps))
	for i, p := range ps {
		sizes[i] = p.N
	}
	return resampled(sizes, rounds, level, rng, func(drawn []int64) (float64, bool) {
		var an, ad, bn, bd float64
		for i, p := range ps {
			x := float64(drawn[i])
			an, ad, bn, bd = an+x*float64(p.ANum), ad+x*float64(p.ADen), bn+x*float64(p.BNum), bd+x*float64(p.BDen)
		}
		return bn/bd - an/ad, ad > 0 && bd > 0
	})
}
