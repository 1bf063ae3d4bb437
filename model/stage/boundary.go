package stage

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/go-faster/city"

	"dwell/model/stat"
)

// Boundaries gathers lives for the ages at which the hazard of being lost changes
// (SPEC R2.5): what the data themselves would take as boundaries between stages.
// It is an accumulator; its memory does not grow with the users.
type Boundaries struct{ groups []lifeGroup }

// A lifeGroup counts lives of some users by whole weeks of age.
type lifeGroup struct{ ended, open []int32 }

// Bounds of the search for boundaries.
const (
	boundaryBin   = 7   // days of age that are looked at as one
	boundaryBins  = 520 // ten years
	mostBounds    = 5
	leastBins     = 2   // between two boundaries
	leastEnded    = 20  // lives that end between two boundaries
	boundaryTries = 200 // resamplings of users behind an interval
)

// NewBoundaries starts an empty count.
func NewBoundaries() *Boundaries { return &Boundaries{groups: make([]lifeGroup, userGroups)} }

// Add counts one user's life: days from the first event to the last activity before
// the first loss, or, while there is none, to the last day on which silence long
// enough for a loss could have begun.
func (b *Boundaries) Add(id string, days int, ended bool) {
	if days < 0 {
		return
	}
	g := &b.groups[city.CH64([]byte(id))>>56%userGroups]
	at := min(days/boundaryBin, boundaryBins-1)
	if ended {
		g.ended = bumpAt(g.ended, at)
	} else {
		g.open = bumpAt(g.open, at)
	}
}

func bumpAt(n []int32, at int) []int32 {
	for len(n) <= at {
		n = append(n, 0)
	}
	n[at]++
	return n
}

// Merge takes the lives of another count.
func (b *Boundaries) Merge(o *Boundaries) {
	for i := range o.groups {
		b.groups[i].add(&o.groups[i], 1)
	}
}

func (g *lifeGroup) add(o *lifeGroup, times int32) {
	for _, x := range []struct {
		to   *[]int32
		from []int32
	}{{&g.ended, o.ended}, {&g.open, o.open}} {
		for len(*x.to) < len(x.from) {
			*x.to = append(*x.to, 0)
		}
		for i, n := range x.from {
			(*x.to)[i] += times * n
		}
	}
}

// A Boundary is an age at which the hazard of being lost changes.
type Boundary struct {
	Day           int           // of age: the first on which the new hazard holds
	Before, After float64       // losses a user-day, on either side up to the next boundary
	Band          stat.Interval // of Day, 95 % by resampling users; ok in Banded
	Banded        bool
}

// Hazard is what lives say of boundaries.
type Hazard struct {
	Lives, Lost int64
	Flat        float64 // losses a user-day without any boundary
	Bounds      []Boundary
	// One and Best are the Bayesian information criterion of a constant hazard and
	// of that with the boundaries: the smaller describes the lives better.
	One, Best float64
}

// Estimate finds the hazard that is constant between at most five boundaries and
// describes the lives best. Its log-likelihood with d losses in e user-days of a
// stretch is Σ d·log(d/e) − d, maximised over all places by dynamic programming;
// their number is the one of least BIC, each boundary costing two parameters. Bands
// are of users resampled, with the number of boundaries held; the generator's seed
// is fixed. Without a loss there are no boundaries.
//
// Friedman, M. (1982). "Piecewise Exponential Models for Survival Data with
// Covariates". Ann. Stat. 10: 101–113. Yao, Y.-C. (1988). "Estimating the number of
// change-points via Schwarz' criterion". Stat. Probab. Lett. 6: 181–189.
func (b *Boundaries) Estimate() *Hazard {
	var sum lifeGroup
	for i := range b.groups {
		sum.add(&b.groups[i], 1)
	}
	d, e := sum.exposure()
	out := &Hazard{}
	for i := range d {
		out.Lost += int64(d[i])
	}
	for _, n := range append(slices.Clone(sum.ended), sum.open...) {
		out.Lives += int64(n)
	}
	if out.Lost == 0 {
		return out
	}
	cuts, ll := segments(d, e, mostBounds)
	price := math.Log(float64(out.Lost))
	best := 0
	for k := range cuts {
		if cuts[k] == nil && k > 0 {
			continue
		}
		bic := -2*ll[k] + float64(2*k+1)*price
		if k == 0 {
			out.One, out.Best = bic, bic
		} else if bic < out.Best {
			best, out.Best = k, bic
		}
	}
	out.Flat = rateOf(d, e, 0, len(d))
	at := append(append([]int{0}, cuts[best]...), len(d))
	for i := 1; i+1 < len(at); i++ {
		out.Bounds = append(out.Bounds, Boundary{Day: at[i] * boundaryBin, Before: rateOf(d, e, at[i-1], at[i]), After: rateOf(d, e, at[i], at[i+1])})
	}
	if best > 0 {
		b.bands(out, best)
	}
	return out
}

// bands resamples users, with the number of boundaries held.
func (b *Boundaries) bands(out *Hazard, k int) {
	rng := rand.New(rand.NewPCG(5, 6))
	found := make([][]float64, k)
	for range boundaryTries {
		var g lifeGroup
		for range b.groups {
			g.add(&b.groups[rng.IntN(len(b.groups))], 1)
		}
		d, e := g.exposure()
		cuts, _ := segments(d, e, k)
		for i, c := range cuts[k] {
			found[i] = append(found[i], float64(c*boundaryBin))
		}
	}
	for i := range found {
		if 2*len(found[i]) < boundaryTries {
			continue
		}
		slices.Sort(found[i])
		x := &out.Bounds[i]
		x.Band.Lo, _ = stat.Quantile(found[i], (1-stat.Level)/2)
		x.Band.Hi, _ = stat.Quantile(found[i], (1+stat.Level)/2)
		x.Banded = true
	}
}

// exposure is, by bin, the losses and the user-days under risk; a life counts half
// of the bin in which it ends or is cut off.
func (g *lifeGroup) exposure() (d, e []float64) {
	n := max(len(g.ended), len(g.open))
	d, e = make([]float64, n), make([]float64, n)
	risk := 0.0
	at := func(s []int32, i int) float64 {
		if i < len(s) {
			return float64(s[i])
		}
		return 0
	}
	for i := n - 1; i >= 0; i-- {
		d[i] = at(g.ended, i)
		here := d[i] + at(g.open, i)
		e[i] = boundaryBin * (risk + here/2)
		risk += here
	}
	return d, e
}

func rateOf(d, e []float64, from, to int) float64 {
	x, y := 0.0, 0.0
	for i := from; i < to; i++ {
		x, y = x+d[i], y+e[i]
	}
	if y == 0 {
		return 0
	}
	return x / y
}

// segments gives, for 0 … most cuts, the places that part the bins into stretches
// of constant rate with the greatest likelihood, and that likelihood; nil where so
// many stretches of the least length and size do not fit.
func segments(d, e []float64, most int) (cuts [][]int, ll []float64) {
	n := len(d)
	sd, se := make([]float64, n+1), make([]float64, n+1)
	for i := range d {
		sd[i+1], se[i+1] = sd[i]+d[i], se[i]+e[i]
	}
	cost := func(i, j int) float64 { // of bins [i, j)
		x, y := sd[j]-sd[i], se[j]-se[i]
		if x == 0 || y == 0 {
			return 0
		}
		return x*math.Log(x/y) - x
	}
	fits := func(i, j int) bool {
		// The first bin alone may be a stretch: many are seen once only.
		return (j-i >= leastBins || i == 0) && sd[j]-sd[i] >= leastEnded
	}
	none := math.Inf(-1)
	best := make([][]float64, most+1) // [k][j]: of bins [0, j) with k cuts
	from := make([][]int, most+1)
	for k := range best {
		best[k], from[k] = make([]float64, n+1), make([]int, n+1)
		for j := range best[k] {
			best[k][j] = none
			if k == 0 {
				if j > 0 && (fits(0, j) || j == n) {
					best[k][j] = cost(0, j)
				}
				continue
			}
			for i := 1; i < j; i++ {
				if best[k-1][i] != none && fits(i, j) {
					if x := best[k-1][i] + cost(i, j); x > best[k][j] {
						best[k][j], from[k][j] = x, i
					}
				}
			}
		}
	}
	cuts, ll = make([][]int, most+1), make([]float64, most+1)
	for k := range cuts {
		if ll[k] = best[k][n]; ll[k] == none || n == 0 {
			continue
		}
		at := n
		for m := k; m > 0; m-- {
			at = from[m][at]
			cuts[k] = append(cuts[k], at)
		}
		slices.Reverse(cuts[k])
	}
	return cuts, ll
}
