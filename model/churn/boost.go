package churn

import (
	"math"
	"slices"
)

// Boosting are the settings of gradient-boosted trees; zero values mean the
// defaults.
type Boosting struct {
	Trees  int     // 0: 100
	Depth  int     // splits from root to leaf; 0: 3
	Rate   float64 // of learning; 0: 0.1
	Leaf   int     // training users a leaf needs; 0: 20
	Lambda float64 // penalty on a leaf's value; 0: 1
	Sample float64 // share of the users each tree is grown on, drawn anew by Seed; 0: 0.8, 1: all
	Seed   uint64
	// Monotone says of each feature whether the log-odds may only rise (1) or
	// only fall (−1) with it; 0 or a short slice: free.
	Monotone []int8
	// Parallel calls f(0) … f(n−1), in any order and perhaps at once, and returns
	// when all are done; nil: one after the other. The result is the same.
	Parallel func(n int, f func(i int))
	Stop     func() bool           // asked at every tree and level; may be nil
	Progress func(done, total int) // told at every tree; may be nil
}

func (b Boosting) filled() Boosting {
	for _, d := range []struct {
		at  *int
		def int
	}{{&b.Trees, 100}, {&b.Depth, 3}, {&b.Leaf, 20}} {
		if *d.at == 0 {
			*d.at = d.def
		}
	}
	for _, d := range []struct {
		at  *float64
		def float64
	}{{&b.Rate, 0.1}, {&b.Lambda, 1}, {&b.Sample, 0.8}} {
		if *d.at == 0 {
			*d.at = d.def
		}
	}
	if b.Parallel == nil {
		b.Parallel = inTurn
	}
	return b
}

// bins is how many values a feature is cut into; the code after the last means
// that there is no value.
const (
	bins    = 255
	missing = bins
)

// Boost grows trees one after the other, each on the gradient of the log loss
// that is left, with second derivatives. x is by column, NaN where there is no
// value, and not changed; yes has both outcomes. Columns are cut at no more than
// 254 points, so a split is found from 256 sums a feature. Where a feature has
// no value the better way is learned; if nobody in training lacked one, it is
// the way that most went.
//
// Equal inputs and an equal seed give an equal forest, bit for bit, whatever
// Parallel does: see grower. It fails with ErrStopped alone.
//
// Friedman, J. H. (2001). "Greedy Function Approximation: A Gradient Boosting
// Machine". Annals of Statistics 29 (5): 1189–1232; second-order leaves and the
// learned direction as in Chen, T.; Guestrin, C. (2016), "XGBoost", sections 2.2
// and 3.4; histograms as in Ke, G. et al. (2017), "LightGBM".
func Boost(x [][]float64, yes []bool, o Boosting) (*Forest, error) {
	o = o.filled()
	g := newGrower(x, yes, o)
	f := &Forest{Base: g.sum[0]}
	for k := range o.Trees {
		if o.Progress != nil {
			o.Progress(k, o.Trees)
		}
		t, ok := g.grow(uint64(k))
		if !ok {
			return nil, ErrStopped
		}
		f.Trees = append(f.Trees, *t)
	}
	return f, nil
}

// cut chooses a column's cut points, ascending, and gives every row its code:
// the number of cut points below the value, or missing.
func cut(col []float64) (cuts []float64, codes []uint8) {
	// The places of 254 cuts need no more users than these.
	step := 1 + len(col)/cutUsers
	have := make([]float64, 0, len(col)/step+1)
	for i := 0; i < len(col); i += step {
		if x := col[i]; !math.IsNaN(x) {
			have = append(have, x)
		}
	}
	slices.Sort(have)
	distinct := slices.Compact(slices.Clone(have))
	if len(distinct) <= bins {
		for i := 1; i < len(distinct); i++ {
			cuts = append(cuts, between(distinct[i-1], distinct[i]))
		}
	} else {
		for b := 1; b < bins; b++ { // equal numbers of users, as far as ties let
			at := b * len(have) / bins
			if lo, hi := have[at-1], have[at]; lo < hi {
				cuts = append(cuts, between(lo, hi))
			} else if next, _ := slices.BinarySearchFunc(distinct, lo, func(a, b float64) int {
				if a <= b {
					return -1
				}
				return 1
			}); next < len(distinct) {
				cuts = append(cuts, between(lo, distinct[next]))
			}
		}
		cuts = slices.Compact(cuts)
	}
	var full [256]float64 // so that eight steps find a code, always the same eight
	for i := range full {
		full[i] = math.Inf(1)
	}
	copy(full[:], cuts)
	codes = make([]uint8, len(col))
	for i, x := range col {
		at := uint8(0) // full[at−1] < x ≤ full[at]
		for step := uint8(128); step > 0; step /= 2 {
			if full[at+step-1] < x {
				at += step
			}
		}
		if x != x {
			at = missing
		}
		codes[i] = at
	}
	return cuts, codes
}

// cutUsers is about how many users the cuts of a column are chosen by.
const cutUsers = 200_000

// between is a number from [lo, hi), as near the middle as can be.
func between(lo, hi float64) float64 {
	if m := lo + (hi-lo)/2; m >= lo && m < hi {
		return m
	}
	return lo
}
