package stage

import (
	"math"
	"math/rand/v2"

	"dwell/model/stat"
)

// A Jump is the change point of everybody's activity.
type Jump struct {
	Rate          []float64 // active days of those present, as a share of all their days, by week; NaN-free: 0 without users
	There         []int64
	At            int     // index of the first week after the change; 0 if none was looked for
	Before, After float64 // rates
	Ratio         stat.Interval
	P             float64 // of so large a change anywhere in a series without one
	Known         bool    // there are weeks and users enough
	Jumped        bool    // P < 0.05, and the interval of After/Before excludes 1
}

// Bounds of the search for a change point.
const (
	minWeeks     = 16
	edgeWeeks    = 4   // of each side of a change point
	shuffleBlock = 4   // weeks that stay together when the series is shuffled
	shuffles     = 999 // shufflings behind P
)

// Jump is the result for the activity level (SPEC R2.19): the week that parts the
// series best in two means, tested against the series with its blocks of four
// weeks shuffled, which keeps what neighbouring weeks have in common.
//
// Page, E. S. (1955). "A Test for a Change in a Parameter Occurring at an Unknown
// Point". Biometrika 42: 523–527. Block permutation: Kirch, C. (2007). "Block
// permutation principles for the change analysis of dependent data". J. Stat.
// Plann. Inference 137.
func (c *Recalibrator) Jump() Jump {
	add := func(to, g *calGroup, times int32) {
		for i := range g.there {
			to.there[i] += times * g.there[i]
			to.days[i] += times * g.days[i]
		}
	}
	all := c.total(add)
	out := Jump{P: 1}
	enough := len(all.there) >= minWeeks
	for i, n := range all.there {
		x := 0.0
		if n > 0 {
			x = float64(all.days[i]) / float64(7*n)
		}
		out.Rate, out.There = append(out.Rate, x), append(out.There, int64(n))
		enough = enough && n >= minMature
	}
	if !enough {
		return out
	}
	out.Known = true
	var best float64
	out.At, best = changePoint(out.Rate)
	rng := rand.New(rand.NewPCG(7, 8))
	more := 1
	for range shuffles {
		if _, x := changePoint(shuffled(out.Rate, rng)); x >= best-1e-12 {
			more++
		}
	}
	out.P = float64(more) / (shuffles + 1)
	out.Before, out.After = all.rate(0, out.At), all.rate(out.At, len(all.there))
	iv, ok := c.resample(add, func(g *calGroup) (float64, bool) {
		a, b := g.rate(0, out.At), g.rate(out.At, len(g.there))
		return b / a, a > 0
	})
	out.Ratio = iv
	out.Jumped = ok && out.P < 0.05 && (iv.Lo > 1 || iv.Hi < 1)
	return out
}

// rate is the share of active days among the days of those present, over weeks.
func (g *calGroup) rate(from, to int) float64 {
	var there, days float64
	for i := from; i < to; i++ {
		there, days = there+float64(g.there[i]), days+float64(g.days[i])
	}
	if there == 0 {
		return 0
	}
	return days / (7 * there)
}

// changePoint is the place that parts a series best in two means, and the sum of
// squares that lies between them, as a share of all.
func changePoint(x []float64) (at int, share float64) {
	n, sum, sq := float64(len(x)), 0.0, 0.0
	for _, v := range x {
		sum += v
	}
	for _, v := range x {
		sq += (v - sum/n) * (v - sum/n)
	}
	if sq <= 0 {
		return len(x) / 2, 0
	}
	left := 0.0
	at = len(x) / 2
	for i, v := range x {
		if i >= edgeWeeks && i <= len(x)-edgeWeeks {
			k := float64(i)
			d := left/k - (sum-left)/(n-k)
			if s := k * (n - k) / n * d * d / sq; s > share {
				at, share = i, s
			}
		}
		left += v
	}
	return at, math.Min(share, 1)
}

// shuffled is the series with its blocks in another order, begun anywhere.
func shuffled(x []float64, rng *rand.Rand) []float64 {
	from := rng.IntN(len(x))
	var starts []int
	for i := 0; i < len(x); i += shuffleBlock {
		starts = append(starts, i)
	}
	rng.Shuffle(len(starts), func(i, j int) { starts[i], starts[j] = starts[j], starts[i] })
	out := make([]float64, 0, len(x))
	for _, s := range starts {
		for k := s; k < min(s+shuffleBlock, len(x)); k++ {
			out = append(out, x[(from+k)%len(x)])
		}
	}
	return out
}
