package query

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"dwell/model/stat"
)

// Forecasts of the past, and what they teach. A simulated band knows chance and the
// unrest of past weeks, not how far the chain itself is from the truth. That is seen
// in the forecasts that could have been made before: how far the naive forecast
// should be mixed in, and by how much bands were too narrow or too wide. A forecast
// made in some week is corrected by those alone whose outcome was known by then, so
// that the test of the corrected forecasts is fair.
//
// Bates, J. M.; Granger, C. W. J. (1969). "The Combination of Forecasts".
// Operational Research Quarterly 20 (4): 451–468. Gibbs, I.; Candès, E. (2021).
// "Adaptive Conformal Inference Under Distribution Shift". NeurIPS 34: 1660–1672,
// whose feedback heed is.

// A pastForecast is what was foretold from one week.
type pastForecast struct {
	week  int
	naive []float64 // of each kind, and last of those who act: the same for all weeks ahead
	weeks []weekAhead
	came  [][]float64 // likewise
}

// pastForecasts are those of several weeks, ascending.
type pastForecasts struct {
	kinds int
	ahead int     // weeks
	share float64 // that bands are to hold
	all   []pastForecast
	// What bands have taught, see heed: those of kinds whose outcome is still to come,
	// the week of the first, and of each kind the logarithm of a factor.
	bands  []pastBand
	begun  int
	factor []float64
}

// A pastBand is a corrected band of a kind and whether it held, known in some week.
type pastBand struct {
	kind, known int
	held        bool
}

// Bands of kinds that held more often than they should become narrower, others
// wider: by the outcomes of each forecast a factor goes heedStep times the difference
// of the two shares up or down, in logarithms. So an upheaval that no band could hold
// (most users arrive in a few weeks, then none) is forgotten as fast as later bands
// hold, where its errors alone would be remembered for a year. Nothing becomes
// narrower before a whole horizon of bands could be seen, nor than the simulated band.
const (
	heedStep  = 0.8
	heedLeast = 0.1
	heedMost  = 2.0
)

// heed learns from the bands whose outcome is known by the end of a week.
func (p *pastForecasts) heed(week int) {
	if p.factor == nil {
		p.factor, p.begun = make([]float64, p.kinds), week
	}
	n, missed := make([]float64, p.kinds), make([]float64, p.kinds)
	p.bands = slices.DeleteFunc(p.bands, func(x pastBand) bool {
		if x.known > week {
			return false
		}
		n[x.kind]++
		if !x.held {
			missed[x.kind]++
		}
		return true
	})
	for k := range p.factor {
		if n[k] == 0 {
			continue
		}
		off := missed[k]/n[k] - (1 - p.share)
		if off < 0 && week-p.begun < p.ahead {
			continue
		}
		p.factor[k] = min(max(p.factor[k]+heedStep*off, math.Log(heedLeast)), math.Log(heedMost))
	}
}

// leastCorrecting is how many outcomes a correction is learned from at least.
const leastCorrecting = 12

// A corrected figure is a forecast as it is shown.
type corrected struct{ mean, lo, hi float64 }

// A past error counts half after so many horizons, or weeks if that is more: what
// was too little known to foretell a year ago says little of today.
const (
	forget      = 3
	forgetWeeks = 12
)

// memory is how much an error of a forecast made in one week counts in another.
func (p *pastForecasts) memory(made, week int) float64 {
	return math.Exp2(-float64(week-made) / float64(max(forgetWeeks, forget*p.ahead)))
}

// known calls f with each forecast of figure k whose outcome was known by the end of
// a week, and with how much it counts then.
func (p *pastForecasts) known(week, k int, f func(x corrected, naive, came, counts float64)) {
	for i := range p.all {
		o := &p.all[i]
		for h := range o.weeks {
			if o.week+1+h > week || h >= len(o.came) {
				break
			}
			f(corrected{o.weeks[h].mean[k], o.weeks[h].lo[k], o.weeks[h].hi[k]}, o.naive[k], o.came[h][k], p.memory(o.week, week))
		}
	}
}

// weight is how much of the chain's forecast is kept, in quarters; the rest is the
// naive one. Kinds share a weight, so that they add up to one population.
func (p *pastForecasts) weight(week, from, to int) float64 {
	best, least := 1.0, math.Inf(1)
	for _, w := range []float64{1, 0.75, 0.5, 0.25, 0} {
		sum := 0.0
		for k := from; k < to; k++ {
			p.known(week, k, func(x corrected, naive, came, _ float64) { sum += math.Abs(w*x.mean + (1-w)*naive - came) })
		}
		if sum < least {
			best, least = w, sum
		}
	}
	return best
}

// miss is by how much a figure is outside the middle of its band, in half widths.
func (x corrected) miss(center, came float64) float64 {
	if came > center {
		return (came - center) / math.Max(x.hi-x.mean, 0.5)
	}
	return (center - came) / math.Max(x.mean-x.lo, 0.5)
}

// corrected corrects a forecast made in a week, in place, by what was known then; see
// gets each figure with its outcome. It is false where too little was known: then
// the forecast stands as it was, and see gets nothing.
func (p *pastForecasts) corrected(week int, o *pastForecast, see func(k int, x corrected, came, naive float64)) bool {
	n := 0
	p.known(week, 0, func(corrected, float64, float64, float64) { n++ })
	if n < leastCorrecting {
		return false
	}
	p.heed(week)
	out := make([]weekAhead, len(o.weeks))
	for h := range out {
		out[h] = weekAhead{make([]float64, p.kinds+1), make([]float64, p.kinds+1), make([]float64, p.kinds+1)}
	}
	kinds, acting := p.weight(week, 0, p.kinds), p.weight(week, p.kinds, p.kinds+1)
	for k := range p.kinds + 1 {
		w := kinds
		if k == p.kinds {
			w = acting
		}
		// The mean of misses gives the deviation of a normal distribution, less moved
		// by single ones than their squares.
		sum, of := 0.0, 0.0
		p.known(week, k, func(x corrected, naive, came, counts float64) {
			sum += counts * x.miss(w*x.mean+(1-w)*naive, came)
			of += counts
		})
		deviation := math.Sqrt(math.Pi/2) * sum / of
		// Few outcomes that overlap in time may be near by luck: a band is widened by
		// them, never narrowed.
		wide := p.quantile(week, k == p.kinds) * deviation
		if k < p.kinds {
			wide *= math.Exp(p.factor[k])
		}
		wide = math.Max(1, wide)
		least := 0.5 // of a band's half
		if deviation == 0 {
			least = 0 // as of a stage that nobody ever was in
		}
		for h, x := range o.weeks {
			mean := w*x.mean[k] + (1-w)*o.naive[k]
			c := corrected{mean, math.Floor(mean - wide*math.Max(x.mean[k]-x.lo[k], least)), math.Ceil(mean + wide*math.Max(x.hi[k]-x.mean[k], least))}
			c.lo = math.Max(0, c.lo)
			out[h].mean[k], out[h].lo[k], out[h].hi[k] = c.mean, c.lo, c.hi
			if see != nil {
				see(k, c, o.came[h][k], o.naive[k])
				if k < p.kinds {
					p.bands = append(p.bands, pastBand{k, week + 1 + h, c.lo <= o.came[h][k] && o.came[h][k] <= c.hi})
				}
			}
		}
	}
	if see == nil {
		o.weeks = out // what was foretold then must stay as it was for the others
	}
	return true
}

// quantile is by how many deviations a band goes to each side. Errors of overlapping
// weeks are alike: as many count as independent as horizons fit into the weeks that
// are remembered, and few of them ask for more, as Student's distribution has it for
// those who act. Kinds change slowly, and their simulated bands grow with the weeks
// ahead as their errors do: for them the uncertainty of the deviation itself is
// enough. (On CDNOW, Online Retail, ecom and the sample, 4 and 8 weeks ahead, bands
// of 80 % then hold 78 to 90 % of stages and 71 to 100 % of those who act.)
func (p *pastForecasts) quantile(week int, acting bool) float64 {
	span := 0.0
	for w := p.all[0].week; w < week; w++ {
		span += p.memory(w, week)
	}
	n := math.Max(1, span/float64(p.ahead))
	if acting {
		return distuv.StudentsT{Sigma: 1, Nu: n}.Quantile((1 + p.share) / 2)
	}
	return stat.NormalQuantile((1+p.share)/2) * math.Sqrt(1+1/n)
}

// naive is the forecast that needs no model: the kinds stay as they are, and as many
// act as did on average in the last four weeks.
func (c *chain) naive(week int) []float64 {
	out := c.came(week)
	acted := 0.0
	for k := range 4 {
		acted += c.came(max(0, week-k))[c.kinds] / 4
	}
	out[c.kinds] = acted
	return out
}
