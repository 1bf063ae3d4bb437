package survival

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"dwell/model/stat"
)

// A Pool holds the lives of users who have several each: the spells between a
// return and the next churn. Lives of one user are alike, so the curve of all of
// them together has its band from resampling whole users; Greenwood's formula would
// take it for one of as many independent lives.
//
// It is an accumulator: Add user by user, Merge in the order of the users. Lives
// must be watched from their beginning (Entry 0). Each user costs a few bytes, each
// different life is kept once.
type Pool struct {
	index map[Life]int32
	lives []Life  // different ones, Count 0
	user  []int32 // lives of all users, one after the other
	ends  []int32 // where each user's lives end in user
}

// Add takes one user's lives. A user without any is nobody.
func (p *Pool) Add(lives []Life) {
	if len(lives) == 0 {
		return
	}
	for _, l := range lives {
		p.user = append(p.user, p.number(l))
	}
	p.ends = append(p.ends, int32(len(p.user)))
}

func (p *Pool) number(l Life) int32 {
	l.Count, l.Entry = 0, 0
	i, ok := p.index[l]
	if !ok {
		if p.index == nil {
			p.index = map[Life]int32{}
		}
		i = int32(len(p.lives))
		p.index[l], p.lives = i, append(p.lives, l)
	}
	return i
}

// Merge adds the users of the next part.
func (p *Pool) Merge(o *Pool) {
	base := int32(len(p.user))
	at := make([]int32, len(o.lives))
	for i, l := range o.lives {
		at[i] = p.number(l)
	}
	for _, i := range o.user {
		p.user = append(p.user, at[i])
	}
	for _, e := range o.ends {
		p.ends = append(p.ends, base+e)
	}
}

// Users is how many have been added.
func (p *Pool) Users() int { return len(p.ends) }

// Lives are all lives, equal ones once with their Count, in a fixed order: what
// Estimated takes.
func (p *Pool) Lives() []Life {
	count := make([]int64, len(p.lives))
	for _, i := range p.user {
		count[i]++
	}
	out := make([]Life, len(p.lives))
	for i, l := range p.lives {
		l.Count = count[i]
		out[i] = l
	}
	slices.SortFunc(out, func(a, b Life) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(dead(a), dead(b))) })
	return out
}

func dead(l Life) int {
	if l.Died {
		return 0
	}
	return 1
}

// A Band is what resampling users says of a pool's curve.
type Band struct {
	At     []stat.Interval // of S at the times asked for
	Lo, Hi stat.Bound      // of the median; not Known where it is not reached
	Mean   stat.Interval   // of the mean restricted to the time asked for
}

// Bootstrap gives percentile intervals of S at ascending times, of the median and of
// the mean life restricted to tau, under resampling of whole users (see
// stat.Bootstrap). ok is false with fewer than two users: nothing varies. It asks
// stop before every round, and gives up (not ok) if that is true.
//
// Efron, B.; Tibshirani, R. J. (1993). An Introduction to the Bootstrap, chapter 13.
func (p *Pool) Bootstrap(times []float64, tau float64, rounds int, level float64, rng *rand.Rand, stop func() bool) (b Band, ok bool) {
	if p.Users() < 2 || rounds < 1 {
		return b, false
	}
	order := make([]int32, len(p.lives)) // by time, deaths first
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(p.lives[i].Time, p.lives[j].Time), cmp.Compare(dead(p.lives[i]), dead(p.lives[j])))
	})
	at := make([][]float64, len(times))
	var medians, means []float64
	count := make([]int64, len(p.lives))
	for range rounds {
		if stop() {
			return b, false
		}
		clear(count)
		for range p.ends {
			u := rng.IntN(len(p.ends))
			from := int32(0)
			if u > 0 {
				from = p.ends[u-1]
			}
			for _, i := range p.user[from:p.ends[u]] {
				count[i]++
			}
		}
		median, mean := p.round(order, count, times, tau, at)
		medians, means = append(medians, median), append(means, mean)
	}
	between := func(xs []float64) stat.Interval {
		slices.Sort(xs)
		lo, _ := stat.Quantile(xs, (1-level)/2)
		hi, _ := stat.Quantile(xs, (1+level)/2)
		return stat.Interval{Lo: lo, Hi: hi}
	}
	for i := range at {
		b.At = append(b.At, between(at[i]))
	}
	b.Mean = between(means)
	// Of medians some may not be reached: the bound is an order statistic, never a
	// value between a day and for ever.
	slices.Sort(medians)
	bound := func(q float64) stat.Bound {
		x := medians[min(int(q*float64(len(medians))), len(medians)-1)]
		return stat.Bound{Days: x, Known: !math.IsInf(x, 1)}
	}
	b.Lo, b.Hi = bound((1-level)/2), bound((1+level)/2)
	if !b.Lo.Known {
		b.Lo = stat.Bound{}
	}
	if !b.Hi.Known {
		b.Hi = stat.Bound{}
	}
	return b, true
}

// round is one resample: S at the times is appended to at.
func (p *Pool) round(order []int32, count []int64, times []float64, tau float64, at [][]float64) (median, mean float64) {
	var risk int64
	for _, n := range count {
		risk += n
	}
	s, last, next := 1.0, 0.0, 0
	median = math.Inf(1)
	until := func(t float64) { // S is s on [last, t)
		for ; next < len(times) && times[next] < t; next++ {
			at[next] = append(at[next], s)
		}
		mean += s * (math.Min(t, tau) - math.Min(last, tau))
		last = t
	}
	for i := 0; i < len(order); {
		t := p.lives[order[i]].Time
		var died, ended int64
		for ; i < len(order) && p.lives[order[i]].Time == t; i++ {
			n := count[order[i]]
			ended += n
			if p.lives[order[i]].Died {
				died += n
			}
		}
		if died > 0 {
			until(t)
			s *= 1 - float64(died)/float64(risk)
			if s <= 0.5 && math.IsInf(median, 1) {
				median = t
			}
		}
		risk -= ended
	}
	until(math.Inf(1))
	return median, mean
}
