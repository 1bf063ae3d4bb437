// Package rule is the expression language over measures and properties in which
// segments, stage entries and marks are written, in expr-lang/expr's syntax:
//
//	stage == "growth" and rate_ratio < 0.7 and country in ["DE", "AT"]
//	count("purchase", 30, channel == "web") >= 2 or revenue_90 > 100
//
// A rule is parsed by expr's parser, checked and compiled here: over one user's
// change days (Row) and over the columns of a population (Columns) runs the same
// compiled rule, and expr's own machine is the reference in the tests.
//
// # Names
//
// A bare name is, in this order: a measure (package measure), a number of the
// stage model (beat, G, need …), a property, a saved segment. So the measure
// wins; prop("events") reaches a property that shares its name, or whose name is
// no identifier: prop("odd name"). in_segment("name") names a segment whatever it
// is called. Segments may name segments; a cycle is an error. A property is its
// last non-empty value up to the day; first(plan) is the earliest.
//
// Measures take their arguments in parentheses: count("add to cart") counts a
// name of the data, count(purchase) a meaning of the dictionary, a number is a
// window of days, and a condition as last argument looks at each event: its own
// properties, amount, event (its name) and role(refund).
//
// # Missing values
//
// A rule is true or false, never unknown. A comparison with a missing value is
// false, != too; so is a missing yes-or-no. not turns that round: with x missing,
// x > 3 and x <= 3 are false, not (x > 3) is true, and so is country not in
// ["DE"]. Arithmetic with a missing value, a division by zero or an overflow is
// missing. known(x) tests, x ?? 0 stands in, x == nil is not known(x).
//
// # Types
//
// Numbers, texts, yes-or-no and days, which compare with a text written
// YYYY-MM-DD: first_day >= "2011-01-01". A property is a text; it compares with
// numbers if all its values are numbers, and is a yes-or-no if all are true or false.
package rule

import (
	"slices"

	"dwell/model"
	"dwell/model/measure"
)

// An Env is what a rule's names may mean.
type Env struct {
	Schema *measure.Schema
	// Refs are the slots of the measures that the rule reads; rules compiled
	// with the same Refs share them, and one Set made of Refs.All serves all.
	// nil: the rule has slots of its own, 0 to len(Rule.Refs())-1.
	Refs *measure.Refs
	// Segments gives the rule of a saved segment. nil: there are none.
	Segments func(name string) (src string, ok bool)
	// SegmentNames serve suggestions and completion.
	SegmentNames []string
	// Population allows population measures: in segments and lists, never in a
	// stage rule.
	Population bool
}

// A Rule is a compiled boolean expression. It is immutable and safe for many
// goroutines.
type Rule struct {
	src      string
	canon    string
	node     boolNode
	refs     *measure.Refs
	slots    []int
	segments []string
	notes    []string
}

// Compile parses and checks a rule. Its errors are *Error with line and column,
// and name the nearest right name where one is wrong.
func Compile(src string, env Env) (*Rule, error) {
	c := newCompiler(src, env)
	tree, err := c.parse()
	if err != nil {
		return nil, err
	}
	b, err := c.boolean(tree)
	if err != nil {
		return nil, err
	}
	slices.Sort(c.used)
	return &Rule{src: src, canon: tree.String(), node: b, refs: c.refs, slots: slices.Compact(c.used), segments: c.segs, notes: c.notes}, nil
}

// String is the rule as it was written.
func (r *Rule) String() string { return r.src }

// Canonical is the rule in one spelling: equal for equal rules that differ in
// blanks and quotes only.
func (r *Rule) Canonical() string { return r.canon }

// Refs are all slots known to the rule, by slot: those of Env.Refs, or its own.
func (r *Rule) Refs() []measure.Ref { return r.refs.All() }

// Slots are the slots the rule reads, ascending.
func (r *Rule) Slots() []int { return r.slots }

// Segments are the saved segments that the rule names, directly or through others.
func (r *Rule) Segments() []string { return r.segments }

// Notes are sentences about what is allowed but likely meant otherwise: a text
// that is no value of the property it is compared with, in all the data.
func (r *Rule) Notes() []string { return r.notes }

// A Row gives one user's values on one day by slot. *measure.Cursor is one.
type Row interface {
	Value(slot int) (v float64, known bool) // texts as codes into their dictionary
	Text(slot int) string                   // of a text; "" where missing
}

// Holds judges the rule for one user on one day.
func (r *Rule) Holds(row Row) bool { return r.node.holds(row) }

// A Clock is a Row that knows how its values move with time alone.
// *measure.Cursor is one.
type Clock interface {
	Row
	Day() model.Day
	Drift(slot int) (next model.Day, slope float64)
}

// Next is the first day after the clock's on which Holds may differ though no
// event comes and the state stays; measure.Never if there is none. It may name a
// day on which nothing changes, but never lets one pass on which something does.
func (r *Rule) Next(k Clock) model.Day { return r.node.next(k) }
