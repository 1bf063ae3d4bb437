package rule

import (
	"fmt"

	"dwell/model/measure"
)

// Columns are the values of a population, one column a slot.
type Columns interface {
	// Column is the column of a slot, or nil if the population does not have it.
	Column(slot int) *measure.Column
}

// ColumnList holds the columns by slot.
type ColumnList []*measure.Column

// Column is the column of a slot, or nil.
func (l ColumnList) Column(slot int) *measure.Column {
	if slot < len(l) {
		return l[slot]
	}
	return nil
}

// blockLen rows are judged at a time: few enough to stay in the first cache,
// enough to drown the cost of walking the tree.
const blockLen = 1024

type (
	mask [blockLen / 64]uint64
	vec  struct {
		v  [blockLen]float64
		ok mask
	}
)

// blocks judges one population by one rule.
type blocks struct {
	cols    []*measure.Column
	from, n int // the rows of the block
	vecs    []*vec
	masks   []*mask
	codes   map[*textTest][]bool
	numbers map[*textNumber][]float64
	row     columnRow
}

// EvalColumns judges the rule for n users at once: out gets the rows for which it
// holds. out must have room for n rows (measure.NewBits). It fails if a slot the
// rule reads has no column, or one of another length.
func (r *Rule) EvalColumns(cols Columns, n int, out measure.Bits) error {
	e := &blocks{codes: map[*textTest][]bool{}, numbers: map[*textNumber][]float64{}}
	for _, slot := range r.slots {
		for len(e.cols) <= slot {
			e.cols = append(e.cols, nil)
		}
		c := cols.Column(slot)
		if c == nil {
			return fmt.Errorf("the population has no column for %s", r.refs.All()[slot])
		}
		if c.Len != n {
			return fmt.Errorf("the column of %s has %d rows, not %d", r.refs.All()[slot], c.Len, n)
		}
		e.cols[slot] = c
	}
	if len(out)*64 < n {
		return fmt.Errorf("the result has room for %d rows, not %d", len(out)*64, n)
	}
	clear(out)
	e.row.cols = e.cols
	var m mask
	for e.from = 0; e.from < n; e.from += blockLen {
		e.n = min(blockLen, n-e.from)
		r.node.block(e, &m)
		m.cut(e.n)
		copy(out[e.from/64:], m[:(e.n+63)/64])
	}
	return nil
}

// cut empties the rows from n on.
func (m *mask) cut(n int) {
	for i := range m {
		switch {
		case i*64 >= n:
			m[i] = 0
		case i*64+64 > n:
			m[i] &= 1<<(n&63) - 1
		}
	}
}

// take lends a vector; give takes it back.
func (e *blocks) take() *vec {
	if n := len(e.vecs); n > 0 {
		v := e.vecs[n-1]
		e.vecs = e.vecs[:n-1]
		return v
	}
	return &vec{}
}

func (e *blocks) give(v *vec) { e.vecs = append(e.vecs, v) }

// takeMask lends a mask; giveMask takes it back.
func (e *blocks) takeMask() *mask {
	if n := len(e.masks); n > 0 {
		m := e.masks[n-1]
		e.masks = e.masks[:n-1]
		return m
	}
	return &mask{}
}

func (e *blocks) giveMask(m *mask) { e.masks = append(e.masks, m) }

// known is the block's part of a column's validity.
func (e *blocks) known(c *measure.Column, m *mask) {
	if c.Known == nil {
		m.fill(true)
		return
	}
	copy(m[:], c.Known[e.from/64:])
}

// A columnRow is one row of the columns, for the nodes that go row by row.
type columnRow struct {
	cols []*measure.Column
	i    int
}

// Value is the measure of a slot.
func (r *columnRow) Value(slot int) (float64, bool) { return r.cols[slot].At(r.i) }

// Text is the text of a slot.
func (r *columnRow) Text(slot int) string { return r.cols[slot].Text(r.i) }

// each fills a mask row by row.
func (e *blocks) each(out *mask, holds func(r Row) bool) {
	out.fill(false)
	for j := range e.n {
		e.row.i = e.from + j
		if holds(&e.row) {
			out[j>>6] |= 1 << (j & 63)
		}
	}
}
