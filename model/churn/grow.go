package churn

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// A grower grows the trees of one forest, a level at a time: all branches of a
// level are searched, split and summed together, so that there is work for every
// processor even where a branch is small.
//
// Gradients are whole numbers, in units so small that rounding them does not
// show (2⁻³⁰ of the log loss's slope). Their sums are exact: whoever adds them in
// whatever order gets the same, and a larger child is its parent less its sibling
// to the last bit.
type grower struct {
	o      Boosting
	n      int
	yes    []bool
	codes  [][]uint8 // by feature
	cuts   [][]float64
	sum    []float64 // log-odds so far
	shift  uint      // of the users in a cell
	hScale float64   // units of second derivatives

	grads       []pair  // by user
	rows, spare []int32 // users of the tree, branch by branch
	rest        []int32 // the other users
	ordered     []pair  // gradients in the order of rows
	pool        [][]cell
}

const gScale = 1 << 30 // units of first derivatives

// A pair is one user's first and second derivative.
type pair struct {
	g int32
	h uint32
}

// A cell is what the users of one code bring: first derivatives, and above shift
// their number, below it their second derivatives. It has room for both: see
// newGrower.
type cell struct {
	g  int64
	hn uint64
}

func (c *cell) add(o cell) { c.g, c.hn = c.g+o.g, c.hn+o.hn }
func (c *cell) sub(o cell) { c.g, c.hn = c.g-o.g, c.hn-o.hn }

func (g *grower) first(c cell) float64  { return float64(c.g) / gScale }
func (g *grower) second(c cell) float64 { return float64(c.hn&(1<<g.shift-1)) / g.hScale }
func (g *grower) users(c cell) int      { return int(c.hn >> g.shift) }

// chunk is how many users one call of Parallel takes in passes over users.
const chunk = 1 << 13

func chunks(n int) int { return (n + chunk - 1) / chunk }

func newGrower(x [][]float64, yes []bool, o Boosting) *grower {
	n := len(yes)
	// n users fill wide bits, and their second derivatives, each a quarter of
	// hScale at most, must fill no more than what is left of 64.
	wide := bits.Len(uint(n))
	g := &grower{o: o, n: n, yes: yes, codes: make([][]uint8, len(x)), cuts: make([][]float64, len(x)), sum: make([]float64, n),
		shift: uint(64 - wide), hScale: math.Ldexp(1, min(31, 66-2*wide)),
		grads: make([]pair, n), rows: make([]int32, n), spare: make([]int32, n), rest: make([]int32, n), ordered: make([]pair, n)}
	o.Parallel(len(x), func(c int) { g.cuts[c], g.codes[c] = cut(x[c]) })
	p := share(yes)
	for i := range g.sum {
		g.sum[i] = math.Log(p / (1 - p))
	}
	return g
}

// A branch is a node still to be split.
type branch struct {
	node     int32
	from, to int // of rows
	all      cell
	lo, hi   float64 // what monotone splits above allow
	hist     []cell  // 256 a feature
	split    split
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
func (g *grower) grow(tree uint64) (*Tree, bool) {
	n := g.draw(tree)
	t := &Tree{}
	level := []branch{{from: 0, to: n, lo: math.Inf(-1), hi: math.Inf(1)}}
	g.histograms([]*branch{&level[0]})
	root := &level[0]
	for _, c := range root.hist[:256] {
		root.all.add(c)
	}
	t.add(g.value(root.all, root.lo, root.hi), float64(n))
	for depth := 0; len(level) > 0; depth++ {
		if g.o.Stop != nil && g.o.Stop() {
			return nil, false
		}
		g.search(level)
		var splits, next []branch
		for i := range level {
			b := &level[i]
			if b.split.gain <= 1e-9 {
				g.settle(b, t.Value[b.node])
				g.free(b)
				continue
			}
			splits, next = append(splits, *b), append(next, g.children(t, b)...)
		}
		if depth+1 >= g.o.Depth {
			g.leave(splits)
			for i := range splits {
				g.free(&splits[i])
			}
			break
		}
		g.part(splits, next)
		// The smaller child is summed, the larger is what is left.
		small, large := make([]*branch, len(splits)), make([]*branch, len(splits))
		for i := range splits {
			small[i], large[i] = &next[2*i], &next[2*i+1]
			if small[i].to-small[i].from > large[i].to-large[i].from {
				small[i], large[i] = large[i], small[i]
			}
		}
		g.histograms(small)
		g.o.Parallel(len(splits), func(i int) {
			large[i].hist = splits[i].hist
			for k := range small[i].hist {
				large[i].hist[k].sub(small[i].hist[k])
			}
		})
		level = next
	}
	for i := range t.Value {
		if t.leaf(int32(i)) {
			t.Value[i] *= g.o.Rate
		} else {
			t.Value[i] = 0
		}
	}
	g.apply(t, g.rest[:g.n-n])
	return t, true
}

// draw sets everybody's gradients, and chooses the users of a tree.
func (g *grower) draw(tree uint64) (n int) {
	type drawn struct{ in, out int }
	parts := make([]drawn, chunks(g.n))
	g.o.Parallel(len(parts), func(k int) {
		from, to := k*chunk, min(g.n, (k+1)*chunk)
		for i := from; i < to; i++ {
			p := sigmoid(g.sum[i])
			h := uint32(math.RoundToEven(p * (1 - p) * g.hScale))
			if g.yes[i] {
				p--
			}
			g.grads[i] = pair{int32(math.RoundToEven(p * gScale)), h}
		}
		rng := rand.New(rand.NewPCG(g.o.Seed, tree<<32|uint64(k)))
		d := &parts[k]
		for i := from; i < to; i++ {
			if g.o.Sample >= 1 || rng.Float64() < g.o.Sample {
				g.spare[from+d.in] = int32(i)
				d.in++
			} else {
				g.rest[from+d.out] = int32(i)
				d.out++
			}
		}
	})
	out := 0
	for k, d := range parts {
		n += copy(g.rows[n:], g.spare[k*chunk:][:d.in])
		out += copy(g.rest[out:], g.rest[k*chunk:][:d.out])
	}
	if n == 0 { // a few users and an unlucky draw
		n = copy(g.rows, g.rest)
	}
	return n
}

func (g *grower) free(b *branch) {
	if b.hist != nil {
		g.pool = append(g.pool, b.hist)
	}
}

// histograms sums the gradients of branches by feature and code.
func (g *grower) histograms(of []*branch) {
	type piece struct{ from, to int }
	var pieces []piece
	for _, b := range of {
		if k := len(g.pool); k > 0 {
			b.hist, g.pool = g.pool[k-1], g.pool[:k-1]
		} else {
			b.hist = make([]cell, 256*len(g.codes))
		}
		for at := b.from; at < b.to; at += chunk {
			pieces = append(pieces, piece{at, min(b.to, at+chunk)})
		}
	}
	g.o.Parallel(len(pieces), func(i int) { // gathered once, read in order for every feature
		p := pieces[i]
		rows, ordered := g.rows[p.from:p.to], g.ordered[p.from:p.to]
		for k, r := range rows {
			ordered[k] = g.grads[r]
		}
	})
	one := uint64(1) << g.shift
	features := len(g.codes)
	g.o.Parallel(features*len(of), func(i int) {
		b, f := of[i/features], i%features
		part := (*[256]cell)(b.hist[256*f:])
		*part = [256]cell{}
		codes, rows := g.codes[f], g.rows[b.from:b.to]
		ordered := g.ordered[b.from:b.to][:len(rows)]
		for k, r := range rows {
			c, d := &part[codes[r]], ordered[k]
			c.g += int64(d.g)
			c.hn += uint64(d.h) + one
		}
	})
}

// value is a leaf's best value within its bounds.
func (g *grower) value(c cell, lo, hi float64) float64 {
	return min(max(-g.first(c)/(g.second(c)+g.o.Lambda), lo), hi)
}

// less is by how much a value lowers the loss of those it stands for.
func (g *grower) less(c cell, v float64) float64 {
	return -(g.first(c)*v + (g.second(c)+g.o.Lambda)*v*v/2)
}

// search finds for each branch the split that lowers the loss most; ties go to
// the first feature and the lowest code.
func (g *grower) search(level []branch) {
	features := len(g.codes)
	found := make([]split, features*len(level))
	g.o.Parallel(len(found), func(i int) { found[i] = g.best(&level[i/features], i%features) })
	for i := range level {
		b := &level[i]
		for _, s := range found[features*i : features*(i+1)] {
			if s.gain > b.split.gain {
				b.split = s
			}
		}
	}
}

// best finds the best split by one feature.
func (g *grower) best(b *branch, f int) split {
	hist := (*[256]cell)(b.hist[256*f:])
	none := hist[missing]
	whole := g.less(b.all, g.value(b.all, b.lo, b.hi))
	mono := int8(0)
	if f < len(g.o.Monotone) {
		mono = g.o.Monotone[f]
	}
	best := split{feature: f}
	var l cell
	for c := range g.cuts[f] {
		l.add(hist[c])
		if g.users(hist[c]) == 0 && c > 0 {
			continue // the same users as at the code before
		}
		for _, left := range [...]bool{true, false} {
			a := l
			if left {
				a.add(none)
			} else if g.users(none) == 0 {
				break // nobody lacks a value: one way is enough
			}
			r := b.all
			r.sub(a)
			if g.users(a) < g.o.Leaf || g.users(r) < g.o.Leaf {
				continue
			}
			vl, vr := g.value(a, b.lo, b.hi), g.value(r, b.lo, b.hi)
			if mono > 0 && vl > vr || mono < 0 && vl < vr {
				continue
			}
			if gain := g.less(a, vl) + g.less(r, vr) - whole; gain > best.gain {
				best = split{gain, f, uint8(c), left, a, r, vl, vr}
				if g.users(none) == 0 {
					best.left = g.users(a) >= g.users(r)
				}
			}
		}
	}
	return best
}

// children writes a branch's split into the tree.
func (g *grower) children(t *Tree, b *branch) []branch {
	s := &b.split
	nl, nr := g.users(s.l), g.users(s.r)
	l := branch{node: t.add(s.vl, float64(nl)), from: b.from, to: b.from + nl, all: s.l, lo: b.lo, hi: b.hi}
	r := branch{node: t.add(s.vr, float64(nr)), from: b.from + nl, to: b.to, all: s.r, lo: b.lo, hi: b.hi}
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
	return []branch{l, r}
}

// lefts says of each code whether it goes left: 1, or 0.
func (s *split) lefts() *[256]uint8 {
	var to [256]uint8
	for c := range to[:missing] {
		if c <= int(s.bin) {
			to[c] = 1
		}
	}
	if s.left {
		to[missing] = 1
	}
	return &to
}

// part sorts the users of branches by their splits, each side in the order it
// stood in: chunk by chunk, and then the chunks' sides to their places.
func (g *grower) part(splits, next []branch) {
	type piece struct {
		b              int
		from, to, left int
		toLeft         int // where its left users go; the right ones to toRight
		toRight        int
	}
	var pieces []piece
	lefts := make([]*[256]uint8, len(splits))
	for i := range splits {
		lefts[i] = splits[i].split.lefts()
		for at := splits[i].from; at < splits[i].to; at += chunk {
			pieces = append(pieces, piece{b: i, from: at, to: min(splits[i].to, at+chunk)})
		}
	}
	g.o.Parallel(len(pieces), func(i int) {
		p := &pieces[i]
		var right [chunk]int32
		lefts, codes := lefts[p.b], g.codes[splits[p.b].split.feature]
		rows, out := g.rows[p.from:p.to], g.spare[p.from:p.to]
		l, r := 0, 0
		for _, row := range rows { // written to both sides, kept on one: no branch to guess
			out[l], right[r&(chunk-1)] = row, row
			k := int(lefts[codes[row]])
			l, r = l+k, r+1-k
		}
		copy(out[l:], right[:r])
		p.left = l
	})
	for i := range pieces {
		p := &pieces[i]
		if i > 0 && pieces[i-1].b == p.b {
			q := &pieces[i-1]
			p.toLeft, p.toRight = q.toLeft+q.left, q.toRight+q.to-q.from-q.left
		} else {
			p.toLeft, p.toRight = next[2*p.b].from, next[2*p.b+1].from
		}
	}
	g.o.Parallel(len(pieces), func(i int) {
		p := &pieces[i]
		copy(g.rows[p.toLeft:], g.spare[p.from:p.from+p.left])
		copy(g.rows[p.toRight:], g.spare[p.from+p.left:p.to])
	})
}

// settle adds a leaf's value to its users' sums.
func (g *grower) settle(b *branch, value float64) {
	value *= g.o.Rate
	for _, row := range g.rows[b.from:b.to] {
		g.sum[row] += value
	}
}

// leave does so for the two leaves of each of the last splits, whose users need
// no more sorting.
func (g *grower) leave(splits []branch) {
	g.o.Parallel(len(splits), func(i int) {
		b := &splits[i]
		lefts, codes := b.split.lefts(), g.codes[b.split.feature]
		values := [2]float64{b.split.vr * g.o.Rate, b.split.vl * g.o.Rate}
		for _, row := range g.rows[b.from:b.to] {
			g.sum[row] += values[lefts[codes[row]]&1]
		}
	})
}

// apply adds a tree to the log-odds of users it was not grown on, by codes: the
// cuts are exact.
func (g *grower) apply(t *Tree, rows []int32) {
	bin := make([]uint8, len(t.Feature))
	for i, f := range t.Feature {
		if f >= 0 {
			at, _ := slices.BinarySearch(g.cuts[f], t.At[i])
			bin[i] = uint8(at)
		}
	}
	g.o.Parallel(chunks(len(rows)), func(k int) {
		for _, i := range rows[k*chunk : min(len(rows), (k+1)*chunk)] {
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
