package churn

import (
	"math"
	"math/rand/v2"
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
		b.Parallel = func(n int, f func(i int)) {
			for i := range n {
				f(i)
			}
		}
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
// Parallel does: features are searched apart and compared in order. It fails
// with ErrStopped alone.
//
// Friedman, J. H. (2001). "Greedy Function Approximation: A Gradient Boosting
// Machine". Annals of Statistics 29 (5): 1189–1232; second-order leaves and the
// learned direction as in Chen, T.; Guestrin, C. (2016), "XGBoost", sections 2.2
// and 3.4; histograms as in Ke, G. et al. (2017), "LightGBM".
func Boost(x [][]float64, yes []bool, o Boosting) (*Forest, error) {
	o = o.filled()
	n := len(yes)
	g := &grower{o: o, n: n, codes: make([][]uint8, len(x)), cuts: make([][]float64, len(x)),
		grad: make([]float32, n), hess: make([]float32, n), sum: make([]float64, n), rng: rand.New(rand.NewPCG(o.Seed, 0x9e3779b97f4a7c15))}
	o.Parallel(len(x), func(c int) { g.cuts[c], g.codes[c] = cut(x[c]) })
	p := share(yes)
	f := &Forest{Base: math.Log(p / (1 - p))}
	for i := range g.sum {
		g.sum[i] = f.Base
	}
	for k := range o.Trees {
		if o.Progress != nil {
			o.Progress(k, o.Trees)
		}
		for i, y := range yes {
			p := sigmoid(g.sum[i])
			g.hess[i] = float32(p * (1 - p))
			if y {
				p--
			}
			g.grad[i] = float32(p)
		}
		t, ok := g.grow()
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
	have := make([]float64, 0, len(col))
	for _, x := range col {
		if !math.IsNaN(x) {
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
	codes = make([]uint8, len(col))
	for i, x := range col {
		if math.IsNaN(x) {
			codes[i] = missing
			continue
		}
		at, _ := slices.BinarySearch(cuts, x) // cuts[at−1] < x ≤ cuts[at]
		codes[i] = uint8(at)
	}
	return cuts, codes
}

// between is a number from [lo, hi), as near the middle as can be.
func between(lo, hi float64) float64 {
	if m := lo + (hi-lo)/2; m >= lo && m < hi {
		return m
	}
	return lo
}

// A cell is what the users of one code bring.
type cell struct {
	g, h float64
	n    int32
}

// A grower grows the trees of one forest.
type grower struct {
	o     Boosting
	n     int
	codes [][]uint8
	cuts  [][]float64
	grad  []float32
	hess  []float32
	sum   []float64 // log-odds so far
	rng   *rand.Rand

	rows, spare []int32   // users of the tree, node by node
	og, oh      []float32 // their gradients in that order
	pool        [][]cell
}

// A branch is a node still to be split.
type branch struct {
	node     int32
	from, to int // of rows
	depth    int
	g, h     float64
	lo, hi   float64 // what monotone splits above allow
	hist     []cell  // 256 a feature
}

// A split is the best way to part a branch by one feature.
type split struct {
	gain    float64
	feature int
	bin     uint8 // codes up to it go left
	left    bool  // users without a value go left
	l, r    cell
	vl, vr  float64
}

// grow grows one tree and adds it to everybody's sum.
func (g *grower) grow() (*Tree, bool) {
	g.draw()
	t := &Tree{}
	root := branch{from: 0, to: len(g.rows), lo: math.Inf(-1), hi: math.Inf(1)}
	root.hist = g.histogram(root.from, root.to)
	for _, r := range g.rows {
		root.g, root.h = root.g+float64(g.grad[r]), root.h+float64(g.hess[r])
	}
	t.add(g.value(root.g, root.h, root.lo, root.hi), float64(len(g.rows)))
	todo := []branch{root}
	for len(todo) > 0 {
		if g.o.Stop != nil && g.o.Stop() {
			return nil, false
		}
		b := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		s := g.best(&b)
		if s.gain <= 1e-9 {
			g.free(b.hist)
			continue
		}
		l, r := g.part(t, &b, &s)
		if b.depth+1 >= g.o.Depth {
			g.free(b.hist)
			continue
		}
		// The smaller child is summed, the larger is what is left.
		small, large := &l, &r
		if l.to-l.from > r.to-r.from {
			small, large = &r, &l
		}
		small.hist = g.histogram(small.from, small.to)
		large.hist = b.hist
		for i := range small.hist {
			c, d := &large.hist[i], &small.hist[i]
			c.g, c.h, c.n = c.g-d.g, c.h-d.h, c.n-d.n
		}
		todo = append(todo, r, l)
	}
	for i := range t.Value {
		if t.leaf(int32(i)) {
			t.Value[i] *= g.o.Rate
		} else {
			t.Value[i] = 0
		}
	}
	g.apply(t)
	return t, true
}

// draw chooses the users of the next tree.
func (g *grower) draw() {
	g.rows = g.rows[:0]
	for i := range g.n {
		if g.o.Sample >= 1 || g.rng.Float64() < g.o.Sample {
			g.rows = append(g.rows, int32(i))
		}
	}
	if len(g.rows) == 0 { // a few users and an unlucky draw
		for i := range g.n {
			g.rows = append(g.rows, int32(i))
		}
	}
	if cap(g.spare) < g.n {
		g.spare, g.og, g.oh = make([]int32, g.n), make([]float32, g.n), make([]float32, g.n)
	}
}

func (g *grower) free(h []cell) {
	if h != nil {
		g.pool = append(g.pool, h)
	}
}

// histogram sums the gradients of rows[from:to] by feature and code.
func (g *grower) histogram(from, to int) []cell {
	var h []cell
	if k := len(g.pool); k > 0 {
		h, g.pool = g.pool[k-1], g.pool[:k-1]
		clear(h)
	} else {
		h = make([]cell, 256*len(g.codes))
	}
	rows := g.rows[from:to]
	og, oh := g.og[:len(rows)], g.oh[:len(rows)]
	for k, r := range rows { // gathered once, read in order for every feature
		og[k], oh[k] = g.grad[r], g.hess[r]
	}
	g.o.Parallel(len(g.codes), func(f int) {
		part := (*[256]cell)(h[256*f:])
		codes := g.codes[f]
		for k, r := range rows {
			c := &part[codes[r]]
			c.g += float64(og[k])
			c.h += float64(oh[k])
			c.n++
		}
	})
	return h
}

// value is a leaf's best value within its bounds.
func (g *grower) value(grad, hess, lo, hi float64) float64 {
	return math.Min(math.Max(-grad/(hess+g.o.Lambda), lo), hi)
}

// less is by how much a value lowers the loss of those it stands for.
func (g *grower) less(grad, hess, v float64) float64 {
	return -(grad*v + (hess+g.o.Lambda)*v*v/2)
}

// best finds the split that lowers the loss most; ties go to the first feature
// and the lowest code.
func (g *grower) best(b *branch) split {
	found := make([]split, len(g.codes))
	whole := g.less(b.g, b.h, g.value(b.g, b.h, b.lo, b.hi))
	g.o.Parallel(len(g.codes), func(f int) { found[f] = g.search(b, f, whole) })
	best := split{}
	for _, s := range found {
		if s.gain > best.gain {
			best = s
		}
	}
	return best
}

// search finds the best split by one feature.
func (g *grower) search(b *branch, f int, whole float64) split {
	hist := b.hist[256*f : 256*(f+1)]
	none := hist[missing]
	users := int32(b.to - b.from)
	mono := int8(0)
	if f < len(g.o.Monotone) {
		mono = g.o.Monotone[f]
	}
	best := split{feature: f}
	var l cell
	for c := range g.cuts[f] {
		l.g, l.h, l.n = l.g+hist[c].g, l.h+hist[c].h, l.n+hist[c].n
		if hist[c].n == 0 && c > 0 {
			continue // the same users as at the code before
		}
		for _, left := range []bool{true, false} {
			a := l
			if left {
				a.g, a.h, a.n = a.g+none.g, a.h+none.h, a.n+none.n
			} else if none.n == 0 {
				break // nobody lacks a value: one way is enough
			}
			r := cell{b.g - a.g, b.h - a.h, users - a.n}
			if a.n < int32(g.o.Leaf) || r.n < int32(g.o.Leaf) {
				continue
			}
			vl, vr := g.value(a.g, a.h, b.lo, b.hi), g.value(r.g, r.h, b.lo, b.hi)
			if mono > 0 && vl > vr || mono < 0 && vl < vr {
				continue
			}
			if gain := g.less(a.g, a.h, vl) + g.less(r.g, r.h, vr) - whole; gain > best.gain {
				best = split{gain, f, uint8(c), left, a, r, vl, vr}
				if none.n == 0 {
					best.left = a.n >= r.n
				}
			}
		}
	}
	return best
}

// part writes a split into the tree and sorts the branch's users by it, each
// side in the order they stood in.
func (g *grower) part(t *Tree, b *branch, s *split) (l, r branch) {
	l = branch{node: t.add(s.vl, float64(s.l.n)), from: b.from, depth: b.depth + 1, g: s.l.g, h: s.l.h, lo: b.lo, hi: b.hi}
	r = branch{node: t.add(s.vr, float64(s.r.n)), to: b.to, depth: b.depth + 1, g: s.r.g, h: s.r.h, lo: b.lo, hi: b.hi}
	t.Feature[b.node], t.At[b.node], t.Missing[b.node] = int32(s.feature), g.cuts[s.feature][s.bin], s.left
	t.Left[b.node], t.Right[b.node] = l.node, r.node
	if s.feature < len(g.o.Monotone) {
		mid := (s.vl + s.vr) / 2
		switch m := g.o.Monotone[s.feature]; {
		case m > 0:
			l.hi, r.lo = mid, mid
		case m < 0:
			l.lo, r.hi = mid, mid
		}
	}
	codes, rows := g.codes[s.feature], g.rows[b.from:b.to]
	k, m := 0, 0
	for _, row := range rows {
		if c := codes[row]; c <= s.bin && c != missing || c == missing && s.left {
			rows[k] = row
			k++
		} else {
			g.spare[m] = row
			m++
		}
	}
	copy(rows[k:], g.spare[:m])
	l.to, r.from = b.from+k, b.from+k
	return l, r
}

// apply adds a tree to everybody's log-odds, by codes: the cuts are exact.
func (g *grower) apply(t *Tree) {
	bin := make([]uint8, len(t.Feature))
	for i, f := range t.Feature {
		if f >= 0 {
			at, _ := slices.BinarySearch(g.cuts[f], t.At[i])
			bin[i] = uint8(at)
		}
	}
	const chunk = 1 << 14
	g.o.Parallel((g.n+chunk-1)/chunk, func(k int) {
		for i := k * chunk; i < min(g.n, (k+1)*chunk); i++ {
			n := int32(0)
			for !t.leaf(n) {
				if c := g.codes[t.Feature[n]][i]; c <= bin[n] && c != missing || c == missing && t.Missing[n] {
					n = t.Left[n]
				} else {
					n = t.Right[n]
				}
			}
			g.sum[i] += t.Value[n]
		}
	})
}
