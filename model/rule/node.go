package rule

import (
	"math"

	"dwell/model"
	"dwell/model/measure"
)

// A compiled rule is a tree of three sorts of nodes. Each can be asked for one
// row, for a block of a population's rows, and for when it moves with time.
type (
	// A node tells which slots it reads, in the order written; one may come twice.
	node interface{ slots(see func(slot int)) }

	boolNode interface {
		node
		holds(r Row) bool
		block(e *blocks, out *mask)
		next(k Clock) model.Day
	}
	numNode interface {
		node
		num(r Row) (v float64, known bool)
		fill(e *blocks, out *vec)
		drift(k Clock) (next model.Day, slope float64)
	}
	textNode interface {
		node
		text(r Row) string // "" is missing
		next(k Clock) model.Day
	}
)

// ---- numbers

type numLit float64

func (n numLit) num(Row) (float64, bool)          { return float64(n), true }
func (n numLit) drift(Clock) (model.Day, float64) { return measure.Never, 0 }

// none is a number that is missing for everyone.
type none struct{}

func (none) num(Row) (float64, bool)          { return 0, false }
func (none) drift(Clock) (model.Day, float64) { return measure.Never, 0 }

type numRef struct{ slot int }

func (n numRef) num(r Row) (float64, bool)          { return r.Value(n.slot) }
func (n numRef) drift(k Clock) (model.Day, float64) { return k.Drift(n.slot) }

// A textNumber reads a property's text as a number.
type textNumber struct {
	slot  int
	table []float64 // of each code, NaN where not a number; nil of a plain property
}

func (n *textNumber) num(r Row) (float64, bool) {
	if n.table == nil {
		return measure.ParseNumber(r.Text(n.slot))
	}
	code, ok := r.Value(n.slot)
	if !ok {
		return 0, false
	}
	v := n.table[int(code)]
	return v, v == v
}
func (n *textNumber) drift(k Clock) (model.Day, float64) {
	next, _ := k.Drift(n.slot)
	return next, 0
}

// An arith is + - * / % ** of two numbers.
type arith struct {
	op   string
	a, b numNode
}

func (n *arith) num(r Row) (float64, bool) {
	x, ok := n.a.num(r)
	if !ok {
		return 0, false
	}
	y, ok := n.b.num(r)
	if !ok {
		return 0, false
	}
	return calc(n.op, x, y)
}

// calc is missing where the result is no finite number.
func calc(op string, x, y float64) (float64, bool) {
	var v float64
	switch op {
	case "+":
		v = x + y
	case "-":
		v = x - y
	case "*":
		v = x * y
	case "/":
		v = x / y
	case "%":
		v = math.Mod(x, y)
	case "**", "^":
		v = math.Pow(x, y)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}

func (n *arith) drift(k Clock) (model.Day, float64) {
	nx, sx := n.a.drift(k)
	ny, sy := n.b.drift(k)
	next := min(nx, ny)
	if sx == 0 && sy == 0 {
		return next, 0
	}
	x, okx := n.a.num(k)
	y, oky := n.b.num(k)
	if !okx || !oky {
		return next, 0
	}
	switch {
	case n.op == "+":
		return next, sx + sy
	case n.op == "-":
		return next, sx - sy
	case n.op == "*" && sy == 0:
		return next, sx * y
	case n.op == "*" && sx == 0:
		return next, sy * x
	case n.op == "/" && sy == 0 && y != 0:
		return next, sx / y
	}
	return k.Day() + 1, 0 // bent: asked again each day
}

// A call is a function of numbers.
type call struct {
	fn   func([]float64) float64
	args []numNode
}

func (n *call) num(r Row) (float64, bool) {
	var buf [8]float64
	xs := buf[:0]
	for _, a := range n.args {
		v, ok := a.num(r)
		if !ok {
			return 0, false
		}
		xs = append(xs, v)
	}
	v := n.fn(xs)
	return v, !math.IsNaN(v) && !math.IsInf(v, 0)
}

func (n *call) drift(k Clock) (model.Day, float64) {
	next := measure.Never
	for _, a := range n.args {
		at, slope := a.drift(k)
		if slope != 0 {
			return k.Day() + 1, 0
		}
		next = min(next, at)
	}
	return next, 0
}

// A numCond is c ? a : b of numbers.
type numCond struct {
	c    boolNode
	a, b numNode
}

func (n *numCond) num(r Row) (float64, bool) {
	if n.c.holds(r) {
		return n.a.num(r)
	}
	return n.b.num(r)
}
func (n *numCond) drift(k Clock) (model.Day, float64) {
	branch := n.b
	if n.c.holds(k) {
		branch = n.a
	}
	next, slope := branch.drift(k)
	return min(next, n.c.next(k)), slope
}

// A numElse is a ?? b.
type numElse struct{ a, b numNode }

func (n *numElse) num(r Row) (float64, bool) {
	if v, ok := n.a.num(r); ok {
		return v, true
	}
	return n.b.num(r)
}
func (n *numElse) drift(k Clock) (model.Day, float64) {
	na, sa := n.a.drift(k)
	if _, ok := n.a.num(k); ok {
		if _, isRef := n.a.(numRef); isRef || sa == 0 {
			return na, sa
		}
		return k.Day() + 1, 0 // a may overflow into missing
	}
	nb, sb := n.b.drift(k)
	return min(na, nb), sb
}

// ---- texts

type textLit string

func (t textLit) text(Row) string      { return string(t) }
func (t textLit) next(Clock) model.Day { return measure.Never }

type textRef struct{ slot int }

func (t textRef) text(r Row) string { return r.Text(t.slot) }
func (t textRef) next(k Clock) model.Day {
	next, _ := k.Drift(t.slot)
	return next
}

type textCond struct {
	c    boolNode
	a, b textNode
}

func (t *textCond) text(r Row) string {
	if t.c.holds(r) {
		return t.a.text(r)
	}
	return t.b.text(r)
}
func (t *textCond) next(k Clock) model.Day {
	return min(t.c.next(k), t.a.next(k), t.b.next(k))
}

type textElse struct{ a, b textNode }

func (t *textElse) text(r Row) string {
	if s := t.a.text(r); s != "" {
		return s
	}
	return t.b.text(r)
}
func (t *textElse) next(k Clock) model.Day { return min(t.a.next(k), t.b.next(k)) }
