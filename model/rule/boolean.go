package rule

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/measure"
)

type boolLit bool

// source implements boolNode.
func (b boolLit) source() string { return strconv.FormatBool(bool(b)) }

// written is the text of a condition in canonical spelling.
type written string

func (w written) source() string { return string(w) }

func (b boolLit) holds(Row) bool       { return bool(b) }
func (b boolLit) next(Clock) model.Day { return measure.Never }

// A boolRef is a yes-or-no measure; missing is no.
type boolRef struct {
	slot int
	written
}

func (b *boolRef) holds(r Row) bool {
	v, ok := r.Value(b.slot)
	return ok && v != 0
}
func (b *boolRef) next(k Clock) model.Day {
	next, _ := k.Drift(b.slot)
	return next
}

// A junction is a and b (all) or a or b.
type junction struct {
	all  bool
	kids []boolNode
}

func (j *junction) holds(r Row) bool {
	for _, kid := range j.kids {
		if kid.holds(r) != j.all {
			return !j.all
		}
	}
	return j.all
}

// next: a conjunction that holds may fall with its first part; one that does
// not must wait for the last of the parts that fail. And the other way round.
func (j *junction) next(k Clock) model.Day {
	first, last := measure.Never, model.NoDay
	decided := false
	for _, kid := range j.kids {
		holds := kid.holds(k)
		if holds == j.all && decided {
			continue
		}
		at := kid.next(k)
		if holds == j.all {
			first = min(first, at)
		} else {
			decided, last = true, max(last, at)
		}
	}
	if decided {
		return last
	}
	return first
}

type not struct{ kid boolNode }

func (n *not) holds(r Row) bool       { return !n.kid.holds(r) }
func (n *not) next(k Clock) model.Day { return n.kid.next(k) }

// A boolCond is c ? a : b of conditions.
type boolCond struct {
	c, a, b boolNode
	written
}

func (n *boolCond) holds(r Row) bool {
	if n.c.holds(r) {
		return n.a.holds(r)
	}
	return n.b.holds(r)
}
func (n *boolCond) next(k Clock) model.Day {
	if n.c.holds(k) {
		return min(n.c.next(k), n.a.next(k))
	}
	return min(n.c.next(k), n.b.next(k))
}

// A same compares two conditions; missing yes-or-nos compare as false.
type same struct {
	a, b   boolNode
	differ bool
	written
}

func (n *same) holds(r Row) bool {
	for _, kid := range []boolNode{n.a, n.b} {
		if ref, ok := kid.(*boolRef); ok {
			if _, known := r.Value(ref.slot); !known {
				return false
			}
		}
	}
	return (n.a.holds(r) != n.b.holds(r)) == n.differ
}
func (n *same) next(k Clock) model.Day { return min(n.a.next(k), n.b.next(k)) }

// A compare is a comparison of two numbers.
type compare struct {
	op   string
	a, b numNode
	written
}

func (n *compare) holds(r Row) bool {
	x, ok := n.a.num(r)
	if !ok {
		return false
	}
	y, ok := n.b.num(r)
	return ok && holdsOf(n.op, x, y)
}

func holdsOf(op string, x, y float64) bool {
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	case ">=":
		return x >= y
	case "==":
		return x == y
	}
	return x != y
}

// next: the difference of the sides moves on a line until one of them jumps;
// the comparison can change only when it comes to zero or leaves it.
func (n *compare) next(k Clock) model.Day {
	na, sa := n.a.drift(k)
	nb, sb := n.b.drift(k)
	next, slope := min(na, nb), sa-sb
	x, okx := n.a.num(k)
	y, oky := n.b.num(k)
	if !okx || !oky || slope == 0 {
		return next
	}
	return min(next, crossing(k.Day(), x-y, slope))
}

// crossing is the first day, or a day or two before it, on which diff + slope·t
// reaches zero or leaves it; Never if it is past.
func crossing(day model.Day, diff, slope float64) model.Day {
	if diff == 0 {
		return day + 1
	}
	t := -diff / slope
	if t <= 0 {
		// Rounding may have put a difference of nothing on the far side.
		if math.Abs(diff) < 1e-9*math.Max(1, math.Abs(slope)) {
			return day + 1
		}
		return measure.Never
	}
	if t > float64(measure.Never)-float64(day) {
		return measure.Never
	}
	if diff != math.Trunc(diff) || slope != math.Trunc(slope) {
		t -= 1e-9 * math.Max(1, t) // early rather than late
	}
	return day + model.Day(math.Max(1, math.Ceil(t)))
}

// A numIn is x in [1, 2, 3].
type numIn struct {
	a    numNode
	list []float64 // sorted
	written
}

func (n *numIn) holds(r Row) bool {
	x, ok := n.a.num(r)
	return ok && n.has(x)
}
func (n *numIn) has(x float64) bool {
	_, found := slices.BinarySearch(n.list, x)
	return found
}
func (n *numIn) next(k Clock) model.Day {
	next, slope := n.a.drift(k)
	x, ok := n.a.num(k)
	if !ok || slope == 0 {
		return next
	}
	for _, y := range n.list {
		next = min(next, crossing(k.Day(), x-y, slope))
	}
	return next
}

// A known tests whether there is a value.
type knownNum struct {
	a numNode
	written
}

func (n *knownNum) holds(r Row) bool { _, ok := n.a.num(r); return ok }
func (n *knownNum) next(k Clock) model.Day {
	next, slope := n.a.drift(k)
	if _, isRef := n.a.(numRef); slope != 0 && !isRef {
		return k.Day() + 1 // moving arithmetic may overflow or divide by zero
	}
	return next
}

type knownText struct {
	a textNode
	written
}

func (n *knownText) holds(r Row) bool       { return n.a.text(r) != "" }
func (n *knownText) next(k Clock) model.Day { return n.a.next(k) }

// A textTest is a condition on one text measure: a comparison with a constant,
// in, contains, startsWith, endsWith, matches. The test is never asked about "".
type textTest struct {
	slot  int
	test  func(string) bool
	codes []bool // the test's answer for each code; nil of a plain property
	written
}

func newTextTest(slot int, dict []string, test func(string) bool, text string) *textTest {
	return &textTest{slot: slot, test: test, codes: answers(dict, test), written: written(text)}
}

// answers asks the test about each entry of a dictionary.
func answers(dict []string, test func(string) bool) []bool {
	if dict == nil {
		return nil
	}
	out := make([]bool, len(dict))
	for i, v := range dict {
		out[i] = v != "" && test(v)
	}
	return out
}

func (n *textTest) holds(r Row) bool {
	if n.codes == nil {
		v := r.Text(n.slot)
		return v != "" && n.test(v)
	}
	code, ok := r.Value(n.slot)
	return ok && n.codes[int(code)]
}
func (n *textTest) next(k Clock) model.Day {
	next, _ := k.Drift(n.slot)
	return next
}

// A textCompare compares two texts, neither of them constant and free of a slot.
type textCompare struct {
	op   string
	a, b textNode
	written
}

func (n *textCompare) holds(r Row) bool {
	a, b := n.a.text(r), n.b.text(r)
	return a != "" && b != "" && textHolds(n.op, a, b)
}
func (n *textCompare) next(k Clock) model.Day { return min(n.a.next(k), n.b.next(k)) }

func textHolds(op, a, b string) bool {
	switch op {
	case "contains":
		return strings.Contains(a, b)
	case "startsWith":
		return strings.HasPrefix(a, b)
	case "endsWith":
		return strings.HasSuffix(a, b)
	case "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

// A textWhen is a test of a text that is not one measure alone.
type textWhen struct {
	a    textNode
	test func(string) bool
	written
}

func (n *textWhen) holds(r Row) bool {
	v := n.a.text(r)
	return v != "" && n.test(v)
}
func (n *textWhen) next(k Clock) model.Day { return n.a.next(k) }
