package stat

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Cluster is what users who are alike add to a ratio of sums: each of N users
// adds Num to the numerator and Den to the denominator.
type Cluster struct{ N, Num, Den int64 }

// RatioBootstrap is the percentile interval of Σ num / Σ den under resampling of
// whole users, where users add several observations each (recurring starts,
// sessions, periods).
//
// Drawing n users with replacement draws from each cluster a multinomial number
// of them, so it costs the number of clusters and not of users; the distribution
// is the same as that of [Bootstrap]. Rounds without a denominator are left out;
// ok is false if that leaves fewer than half, or there is nobody. The order of the
// clusters does not matter, and the caller's generator makes it repeatable.
//
// Efron, B.; Tibshirani, R. J. (1993). An Introduction to the Bootstrap, chapter
// 13.
func RatioBootstrap(cs []Cluster, rounds int, level float64, rng *rand.Rand) (iv Interval, ok bool) {
	cs = slices.Clone(cs)
	slices.SortFunc(cs, func(a, b Cluster) int {
		if a.Den != b.Den {
			return int(math.Copysign(1, float64(a.Den-b.Den)))
		}
		return int(math.Copysign(1, float64(a.Num-b.Num)))
	})
	sizes := make([]int64, len(cs))
	for i, c := range cs {
		sizes[i] = c.N
	}
	return resampled(sizes, rounds, level, rng, func(drawn []int64) (float64, bool) {
		var num, den float64
		for i, c := range cs {
			num += float64(drawn[i]) * float64(c.Num)
			den += float64(drawn[i]) * float64(c.Den)
		}
		return num / den, den > 0
	})
}

// resampled is the percentile interval of a figure under resampling of whole
// users, who stand in groups of like ones: a round draws as many users as there
// are and tells figure how many fell on each group; figure says false where it
// has no value. ok is false if fewer than half of the rounds have one.
func resampled(sizes []int64, rounds int, level float64, rng *rand.Rand, figure func(drawn []int64) (float64, bool)) (iv Interval, ok bool) {
	var users int64
	for _, n := range sizes {
		users += n
	}
	if users <= 0 || rounds <= 0 {
		return Interval{}, false
	}
	got, drawn := make([]float64, 0, rounds), make([]int64, len(sizes))
	for range rounds {
		left, draws := users, users
		for i, size := range sizes {
			// Of the draws left, each falls on this group with its share of the
			// users left.
			n := draws
			if size < left {
				n = int64(distuv.Binomial{N: float64(draws), P: float64(size) / float64(left), Src: rng}.Rand())
			}
			drawn[i] = n
			left, draws = left-size, draws-n
		}
		if v, ok := figure(drawn); ok {
			got = append(got, v)
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

// A Pair adds up two numbers a user, for the interval of a ratio of their sums or
// of a mean. It can be merged; sums are Welford's and West's.
type Pair struct {
	n             int64
	mx, my        float64
	sxx, syy, sxy float64
}

// Add takes one user's numerator y and denominator x.
func (p *Pair) Add(y, x float64) {
	p.n++
	dx, dy := x-p.mx, y-p.my
	p.mx += dx / float64(p.n)
	p.my += dy / float64(p.n)
	p.sxx += dx * (x - p.mx)
	p.syy += dy * (y - p.my)
	p.sxy += dx * (y - p.my)
}

// Merge adds another pair's users.
func (p *Pair) Merge(o Pair) {
	if o.n == 0 {
		return
	}
	if p.n == 0 {
		*p = o
		return
	}
	a, b := float64(p.n), float64(o.n)
	dx, dy, n := o.mx-p.mx, o.my-p.my, float64(p.n+o.n)
	p.sxx += o.sxx + dx*dx*a*b/n
	p.syy += o.syy + dy*dy*a*b/n
	p.sxy += o.sxy + dx*dy*a*b/n
	p.mx += dx * b / n
	p.my += dy * b / n
	p.n += o.n
}

// N is the number of users.
func (p *Pair) N() int64 { return p.n }

// Ratio is Σ y / Σ x over users with its normal interval, by linearization:
// var = Σ (y − r·x)² / (n·(n−1)·x̄²). ok is false unless there are two users and a
// denominator. With x = 1 for everybody it is the mean with its usual interval.
//
// Cochran, W. G. (1977). Sampling Techniques, 3rd ed., section 6.
func (p *Pair) Ratio(level float64) (r float64, iv Interval, ok bool) {
	if p.n < 2 || p.mx <= 0 {
		return 0, Interval{}, false
	}
	r = p.my / p.mx
	n := float64(p.n)
	v := max(p.syy-2*r*p.sxy+r*r*p.sxx, 0) / (n - 1) / n / (p.mx * p.mx)
	half := z(level) * math.Sqrt(v)
	return r, Interval{r - half, r + half}, true
}
