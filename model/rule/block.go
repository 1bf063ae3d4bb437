package rule

import (
	"math"
	"math/bits"

	"dwell/model/measure"
)

func (m *mask) fill(all bool) {
	var w uint64
	if all {
		w = ^uint64(0)
	}
	for i := range m {
		m[i] = w
	}
}

// ---- numbers

func (n numLit) fill(_ *blocks, out *vec) {
	for j := range out.v {
		out.v[j] = float64(n)
	}
	out.ok.fill(true)
}

func (none) fill(_ *blocks, out *vec) { out.ok.fill(false) }

func (n numRef) fill(e *blocks, out *vec) {
	c := e.cols[n.slot]
	e.known(c, &out.ok)
	switch {
	case c.Ints != nil:
		for j, x := range c.Ints[e.from : e.from+e.n] {
			out.v[j] = float64(x)
		}
	case c.Reals != nil:
		copy(out.v[:], c.Reals[e.from:e.from+e.n])
	case c.Flags != nil:
		for j := range e.n {
			out.v[j] = float64(c.Flags[(e.from+j)>>6] >> ((e.from + j) & 63) & 1)
		}
	}
}

func (n *textNumber) fill(e *blocks, out *vec) {
	c := e.cols[n.slot]
	table, ok := e.numbers[n]
	if !ok {
		table = numberTable(c.Dict)
		e.numbers[n] = table
	}
	out.ok.fill(false)
	for j, code := range c.Codes[e.from : e.from+e.n] {
		v := table[code]
		out.v[j] = v
		if v == v {
			out.ok[j>>6] |= 1 << (j & 63)
		}
	}
}

// numberTable reads each entry of a dictionary; NaN where it is no number.
func numberTable(dict []string) []float64 {
	out := make([]float64, len(dict))
	for i, v := range dict {
		x, ok := measure.ParseNumber(v)
		if !ok {
			x = math.NaN()
		}
		out[i] = x
	}
	return out
}

func (n *arith) fill(e *blocks, out *vec) {
	n.a.fill(e, out)
	b := e.take()
	n.b.fill(e, b)
	for i := range out.ok {
		out.ok[i] &= b.ok[i]
	}
	for w, bitset := range out.ok {
		for ; bitset != 0; bitset &= bitset - 1 {
			j := w<<6 + bits.TrailingZeros64(bitset)
			v, ok := calc(n.op, out.v[j], b.v[j])
			out.v[j] = v
			if !ok {
				out.ok[w] &^= 1 << (j & 63)
			}
		}
	}
	e.give(b)
}

func (n *call) fill(e *blocks, out *vec)    { fillEach(e, out, n.num) }
func (n *numCond) fill(e *blocks, out *vec) { fillEach(e, out, n.num) }
func (n *numElse) fill(e *blocks, out *vec) { fillEach(e, out, n.num) }

// fillEach computes row by row.
func fillEach(e *blocks, out *vec, num func(Row) (float64, bool)) {
	out.ok.fill(false)
	for j := range e.n {
		e.row.i = e.from + j
		v, ok := num(&e.row)
		if ok {
			out.v[j] = v
			out.ok[j>>6] |= 1 << (j & 63)
		}
	}
}

// ---- conditions

func (b boolLit) block(_ *blocks, out *mask) { out.fill(bool(b)) }

func (b *boolRef) block(e *blocks, out *mask) {
	c := e.cols[b.slot]
	e.known(c, out)
	if c.Flags == nil { // a number column in a yes-or-no's place cannot be, but is no crash
		e.each(out, b.holds)
		return
	}
	flags := c.Flags[e.from/64:]
	for i := range out {
		if i < len(flags) {
			out[i] &= flags[i]
		} else {
			out[i] = 0
		}
	}
}

func (j *junction) block(e *blocks, out *mask) {
	j.kids[0].block(e, out)
	m := e.takeMask()
	defer e.giveMask(m)
	for _, kid := range j.kids[1:] {
		kid.block(e, m)
		for i := range out {
			if j.all {
				out[i] &= m[i]
			} else {
				out[i] |= m[i]
			}
		}
	}
}

func (n *not) block(e *blocks, out *mask) {
	n.kid.block(e, out)
	for i := range out {
		out[i] = ^out[i]
	}
}

func (n *boolCond) block(e *blocks, out *mask) {
	c, a := e.takeMask(), e.takeMask()
	defer e.giveMask(c)
	defer e.giveMask(a)
	n.c.block(e, c)
	n.a.block(e, a)
	n.b.block(e, out)
	for i := range out {
		out[i] = c[i]&a[i] | ^c[i]&out[i]
	}
}

func (n *same) block(e *blocks, out *mask)        { e.each(out, n.holds) }
func (n *textCompare) block(e *blocks, out *mask) { e.each(out, n.holds) }
func (n *textWhen) block(e *blocks, out *mask)    { e.each(out, n.holds) }
func (n *knownText) block(e *blocks, out *mask)   { e.each(out, n.holds) }

func (n *compare) block(e *blocks, out *mask) {
	if ref, ok := n.a.(numRef); ok {
		if lit, ok := n.b.(numLit); ok && n.direct(e, e.cols[ref.slot], float64(lit), out) {
			return
		}
	}
	a, b := e.take(), e.take()
	n.a.fill(e, a)
	n.b.fill(e, b)
	compareSlices(n.op, a.v[:e.n], b.v[:e.n], out)
	for i := range out {
		out[i] &= a.ok[i] & b.ok[i]
	}
	e.give(a)
	e.give(b)
}

// direct compares a stored column with a constant without copying it.
func (n *compare) direct(e *blocks, c *measure.Column, k float64, out *mask) bool {
	switch {
	case c.Ints != nil:
		compareConst(n.op, c.Ints[e.from:e.from+e.n], k, out)
	case c.Reals != nil:
		compareConst(n.op, c.Reals[e.from:e.from+e.n], k, out)
	default:
		return false
	}
	if c.Known != nil {
		for i, w := range c.Known[e.from/64:] {
			if i == len(out) {
				break
			}
			out[i] &= w
		}
	}
	return true
}

// compareConst sets the bits of the elements that compare so with k. The loops
// are written out because a call for each element would cost more than the rest.
func compareConst[T int32 | float64](op string, xs []T, k float64, out *mask) {
	for w := range out {
		lo := min(w*64, len(xs))
		part := xs[lo:min(lo+64, len(xs))]
		var word uint64
		switch op {
		case "<":
			for j, x := range part {
				word |= bit(float64(x) < k) << j
			}
		case "<=":
			for j, x := range part {
				word |= bit(float64(x) <= k) << j
			}
		case ">":
			for j, x := range part {
				word |= bit(float64(x) > k) << j
			}
		case ">=":
			for j, x := range part {
				word |= bit(float64(x) >= k) << j
			}
		case "==":
			for j, x := range part {
				word |= bit(float64(x) == k) << j
			}
		default:
			for j, x := range part {
				word |= bit(float64(x) != k) << j
			}
		}
		out[w] = word
	}
}

func compareSlices(op string, xs, ys []float64, out *mask) {
	out.fill(false)
	for j, x := range xs {
		out[j>>6] |= bit(holdsOf(op, x, ys[j])) << (j & 63)
	}
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func (n *numIn) block(e *blocks, out *mask) {
	a := e.take()
	n.a.fill(e, a)
	for j, x := range a.v[:e.n] {
		if j&63 == 0 {
			out[j>>6] = 0
		}
		out[j>>6] |= bit(n.has(x)) << (j & 63)
	}
	for i := range out {
		out[i] &= a.ok[i]
	}
	e.give(a)
}

func (n *knownNum) block(e *blocks, out *mask) {
	a := e.take()
	n.a.fill(e, a)
	*out = a.ok
	e.give(a)
}

func (n *textTest) block(e *blocks, out *mask) {
	c := e.cols[n.slot]
	codes, ok := e.codes[n]
	if !ok {
		codes = n.codes
		if codes == nil { // a plain property: the column has numbered its values itself
			codes = answers(c.Dict, n.test)
		}
		e.codes[n] = codes
	}
	vals := c.Codes[e.from : e.from+e.n]
	for w := range out {
		lo := min(w*64, len(vals))
		var word uint64
		for j, code := range vals[lo:min(lo+64, len(vals))] {
			word |= bit(codes[code]) << j
		}
		out[w] = word
	}
}
