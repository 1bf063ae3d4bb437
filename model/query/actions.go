package query

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stat"
)

// actionsAnalysis shows how often users act: the distribution over users and how
// unequal it is (SPEC R2.2), the tail (R2.3), the gaps (R2.4), and whether one
// stage holds two groups (R2.12).
func actionsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "actions", Title: "Actions per user", Help: "how often users act: distribution, Lorenz curve, Gini, top shares, two activity groups, tail and gap fits", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "count", Type: Text, Default: "events", Help: "the measure that counts actions: events, events(30), active_days, orders, revenue …"},
				{Name: "stage", Type: Text, Help: "the stage in which two activity groups are looked for; the second one if left out"},
			}, groupKeys(), zoneKeys())},
		plan: planActions,
	}
}

// actionBins is how many bins of doubling width there are: under 1, 1, 2–3, 4–7 …
const actionBins = 42

var topShares = [...]int{1, 10, 20} // percent

// Slots over the timelines: those with gaps, those whose last silence is open.
const (
	actGaps = iota
	actOpen
	actKernel
)

// Slots over the rows, after them.
const (
	actUsers  = iota // with a value
	actNone          // without
	actZero          // or below
	actBins          // the bins
	actTop    = actBins + actionBins
	actBottom = actTop + len(topShares) // deciles of the Lorenz curve
	actTail   = actBottom + 10
	actStage  = actTail + 1 // in the stage of the two groups
	actLow    = actStage + 1
	actHigh   = actLow + 1
	actRows   = actHigh + 1
)

// An actions run holds what kernels and layout share.
type actions struct {
	r      *Run
	ref    measure.Ref
	stage  int
	col    *measure.Column
	active *measure.Column // active days of the spell
	groups []actionGroup
}

// An actionGroup is what is known of one compared group before its users are put
// into slots.
type actionGroup struct {
	rank  []int32 // of each row by value, ascending; −1: not in it
	n     int     // users with a value
	l     *stat.Lorenz
	hist  []stat.Count
	tail  stat.Tail
	tails bool
	mix   stat.Mixture
	mixed bool
}

func planActions(r *Run) (*Plan, error) {
	a := &actions{r: r, stage: min(1, len(r.machine.Model().Stages)-1)}
	var err error
	if a.ref, err = r.columnRef(r.Str("count")); err != nil {
		return nil, fmt.Errorf("count=: %w", err)
	}
	if s := r.Str("stage"); s != "" {
		if a.stage = r.machine.Model().Index(s); a.stage < 0 {
			return nil, fmt.Errorf("stage=: there is no stage %q%s", s, didYouMean(s, r.machine.Model().Names()))
		}
	}
	return &Plan{Slots: actKernel, RowSlots: actRows, JudgeAtT: true, Kernel: a.kernel, Before: a.before, Rows: a.row, Layout: a.layout, Explain: a.explain}, nil
}

// before ranks each group's users and fits what the slots depend on.
func (a *actions) before(pop *Population) error {
	cols, err := pop.Columns(a.r, []measure.Ref{a.ref, measure.Of("spell_active_days")})
	if err != nil {
		return err
	}
	a.col, a.active = cols[0], cols[1]
	if a.col.Type != measure.Number {
		return fmt.Errorf("count=: %s is no number, so nobody does more of it than others", a.ref)
	}
	type item struct {
		row int32
		v   float64
	}
	a.groups = make([]actionGroup, len(a.r.Groups))
	items := make([][]item, len(a.groups))
	rates := make([]map[float64]float64, len(a.groups))
	for g := range a.groups {
		a.groups[g].rank = make([]int32, pop.Len())
		for i := range a.groups[g].rank {
			a.groups[g].rank[i] = -1
		}
		rates[g] = map[float64]float64{}
	}
	err = a.r.eachRow(pop, func(row int, mask uint64) {
		v, known := a.col.At(row)
		x, rated := a.logRate(pop, row)
		for g := range a.groups {
			if mask>>g&1 == 0 {
				continue
			}
			if known {
				items[g] = append(items[g], item{int32(row), v})
			}
			if rated {
				rates[g][x]++
			}
		}
	})
	if err != nil {
		return err
	}
	for g := range a.groups {
		ag := &a.groups[g]
		slices.SortStableFunc(items[g], func(x, y item) int {
			switch {
			case x.v < y.v:
				return -1
			case x.v > y.v:
				return 1
			}
			return 0
		})
		ag.n = len(items[g])
		sorted := make([]float64, ag.n)
		for i, it := range items[g] {
			ag.rank[it.row] = int32(i)
			sorted[i] = math.Max(it.v, 0) // what was given back does not make a share negative
			if k := int64(math.Round(sorted[i])); k >= 1 {
				if n := len(ag.hist); n > 0 && ag.hist[n-1].Value == k {
					ag.hist[n-1].Users++
				} else {
					ag.hist = append(ag.hist, stat.Count{Value: k, Users: 1})
				}
			}
		}
		ag.l = stat.NewLorenz(sorted)
		ag.tail, ag.tails = stat.FitTail(ag.hist, 0, nil)
		ag.mix, ag.mixed = fitRates(rates[g])
	}
	return nil
}

// logRate is the logarithm of a user's active days a day in the present spell, of
// those in the stage of the two groups.
func (a *actions) logRate(pop *Population, row int) (x float64, ok bool) {
	n, known := a.active.At(row)
	if int(pop.states[row].stage) != a.stage || !known || n <= 0 {
		return 0, false
	}
	return math.Log(n / float64(int32(pop.Day)-pop.states[row].spellFrom+1)), true
}

// mostRates is how many different rates are kept apart: users with the same
// counts of days share one, and more than this many are put into bins.
const mostRates = 4096

func fitRates(rates map[float64]float64) (stat.Mixture, bool) {
	xs := make([]float64, 0, len(rates))
	for x := range rates {
		xs = append(xs, x)
	}
	slices.Sort(xs)
	ws := make([]float64, len(xs))
	for i, x := range xs {
		ws[i] = rates[x]
	}
	if len(xs) > mostRates {
		lo, hi := xs[0], xs[len(xs)-1]
		vs, ns := make([]float64, mostRates), make([]float64, mostRates)
		for i := range vs {
			vs[i] = lo + (hi-lo)*(float64(i)+0.5)/mostRates
		}
		for i, x := range xs {
			ns[min(mostRates-1, int((x-lo)/(hi-lo)*mostRates))] += ws[i]
		}
		xs, ws = vs, ns
	}
	return stat.FitMixture(xs, ws)
}

// actionBin is the bin of a value over 0: 0 for under 1, else one more than the
// number of doublings from 1.
func actionBin(v float64) int {
	if v < 1 {
		return 0
	}
	return min(actionBins-1, bits.Len64(uint64(math.Min(v, 1<<62))))
}

// actionBinBounds are the least and the greatest whole number of a bin after the first.
func actionBinBounds(bin int) (lo, hi int64) { return 1 << (bin - 1), 1<<bin - 1 }

// topUsers is how many users a share of them is: at least one.
func topUsers(percent, n int) int { return max(1, int(math.Ceil(float64(percent)*float64(n)/100))) }

func (a *actions) row(pop *Population, row int, h *Hits) {
	mask := h.mask
	v, known := a.col.At(row)
	switch {
	case !known:
		h.Hit(actNone, Self)
	case v <= 0:
		h.Score(actUsers, v)
		h.Score(actZero, v)
	default:
		h.Score(actUsers, v)
		h.Score(actBins+actionBin(v), v)
	}
	x, rated := a.logRate(pop, row)
	for g := range a.groups {
		ag := &a.groups[g]
		if mask>>g&1 == 0 {
			continue
		}
		h.In(1 << g)
		if rank := int(ag.rank[row]); rank >= 0 {
			for i, p := range topShares {
				if rank >= ag.n-topUsers(p, ag.n) {
					h.Score(actTop+i, v)
				}
			}
			for d := range 10 {
				if rank < (d+1)*ag.n/10 {
					h.Score(actBottom+d, v)
				}
			}
			if ag.tails && int64(math.Round(v)) >= ag.tail.From {
				h.Score(actTail, v)
			}
		}
		if rated {
			h.Score(actStage, math.Exp(x))
			if ag.mixed {
				which := actLow
				if ag.mix.High(x) > 0.5 {
					which = actHigh
				}
				h.Score(which, math.Exp(x))
			}
		}
	}
	h.In(mask)
}

// A gapKernel counts gaps between active days by length, for each group.
type gapKernel struct {
	a            *actions
	days         []model.Day
	closed, open [][]int64
}

func (a *actions) kernel() Kernel {
	n := len(a.r.Groups)
	return &gapKernel{a: a, closed: make([][]int64, n), open: make([][]int64, n)}
}

// Visit takes one person's gaps.
func (k *gapKernel) Visit(p *Person, h *Hits) {
	k.days = k.a.r.ActiveDays(k.days[:0], p)
	if len(k.days) == 0 {
		return
	}
	h.Hit(actOpen, Self)
	if n := len(k.days) - 1; n > 0 {
		h.Times(actGaps, Self, int64(n))
	}
	for g := range k.closed {
		if h.mask>>g&1 == 0 {
			continue
		}
		for i := 1; i < len(k.days); i++ {
			bump(&k.closed[g], int(k.days[i]-k.days[i-1]), 1)
		}
		bump(&k.open[g], int(k.a.r.AsOf-k.days[len(k.days)-1]), 1)
	}
}

// Merge adds the next split's gaps.
func (k *gapKernel) Merge(next Kernel) error {
	o := next.(*gapKernel)
	for g := range k.closed {
		for d, n := range o.closed[g] {
			bump(&k.closed[g], d, n)
		}
		for d, n := range o.open[g] {
			bump(&k.open[g], d, n)
		}
	}
	return nil
}

func bump(counts *[]int64, i int, n int64) {
	for len(*counts) <= i {
		*counts = append(*counts, 0)
	}
	(*counts)[i] += n
}
