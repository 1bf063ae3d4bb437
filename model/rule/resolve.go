package rule

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"dwell/model"
	"dwell/model/measure"
)

// name resolves a bare name.
func (c *compiler) name(n *ast.IdentifierNode) (value, error) {
	if c.event != nil {
		return c.eventName(n)
	}
	if f, days, ok := measure.Lookup(n.Value); ok && c.hasData() {
		if f.Takes&(measure.NeedsKey|measure.NeedsEvent) == 0 {
			return c.measure(f, measure.Ref{Name: f.Name, Days: days}, n)
		}
		// A bare count or first is no measure: it may be a property all the same.
		if c.key(n.Value) == nil {
			return value{}, c.errorf(n, "%s needs arguments: %s(%s)", n.Value, f.Name, f.Args)
		}
	}
	if v, ok := c.env.params()[n.Value]; ok {
		return value{num: constantOf(v)}, nil
	}
	if c.key(n.Value) != nil {
		return c.property(n.Value, false, n)
	}
	if c.env.Segments != nil {
		if src, ok := c.env.Segments(n.Value); ok {
			return c.segment(n.Value, src, n)
		}
	}
	what := "measure, property or segment"
	if !c.hasData() {
		what = "number"
	}
	return value{}, c.errorf(n, "there is no %s %s%s", what, n.Value, hint(n.Value, c.candidates(), false))
}

// hasData is false for a numeric expression of a model, which reads no user.
func (c *compiler) hasData() bool { return c.env.Schema != nil && c.env.Schema.Info != nil }

// constantOf is a number of the model; one that is not finite is missing.
func constantOf(v float64) numNode {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return none{}
	}
	return numLit(v)
}

func (e *Env) params() map[string]float64 {
	if e.Schema == nil {
		return nil
	}
	return e.Schema.Params
}

func (c *compiler) key(name string) *model.KeyInfo {
	if !c.hasData() {
		return nil
	}
	return c.env.Schema.Info.Key(name)
}

// candidates are all names that could have been meant.
func (c *compiler) candidates() []string {
	out := sorted(c.env.params())
	if !c.hasData() {
		for _, f := range functions {
			out = append(out, f.name)
		}
		return append(out, sorted(c.calls)...)
	}
	out = append(out, measureNames()...)
	for i := range c.env.Schema.Info.Keys {
		out = append(out, c.env.Schema.Info.Keys[i].Name)
	}
	return append(out, c.env.SegmentNames...)
}

// property is a property's last (or first) value.
func (c *compiler) property(key string, first bool, n ast.Node) (value, error) {
	k := c.key(key)
	if k == nil {
		var names []string
		if c.hasData() {
			for i := range c.env.Schema.Info.Keys {
				names = append(names, c.env.Schema.Info.Keys[i].Name)
			}
		}
		return value{}, c.errorf(n, "there is no property %s%s", quote(key), hint(key, names, true))
	}
	if c.event != nil {
		return c.eventProperty(k), nil
	}
	ref := measure.Property(key)
	if first {
		ref.Name = "first"
	}
	return value{text: textRef{c.slot(ref)}, slot: c.slot(ref), key: k, dict: k.Values}, nil
}

// slot is the place of a measure.
func (c *compiler) slot(r measure.Ref) int {
	i := c.refs.Add(r)
	c.used = append(c.used, i)
	return i
}

// measure compiles a measure whose arguments are known.
func (c *compiler) measure(f measure.Family, r measure.Ref, n ast.Node) (value, error) {
	if c.event != nil {
		return value{}, c.errorf(n, "%s is about a user; a condition on events sees the event's own properties, amount, event and role(…)", f.Name)
	}
	if f.Kind == measure.Population {
		if !c.env.Population {
			return value{}, c.errorf(n, "%s ranks a user among all: a stage rule may use a user's own measures only, or one user's new events would move another's past", f.Name)
		}
		return value{num: numRef{c.slot(r)}}, nil
	}
	// Compiling the one measure finds what is wrong with it, at its place.
	if _, err := measure.Compile([]measure.Ref{r}, c.env.Schema); err != nil {
		return value{}, c.errorf(n, "%v", err)
	}
	slot := c.slot(r)
	switch f.Type {
	case measure.Bool:
		return value{bool: &boolRef{slot, written(n.String())}}, nil
	case measure.Text:
		return value{text: textRef{slot}, slot: slot, dict: measure.StageDict(c.env.Schema.Stages), what: "stage"}, nil
	case measure.Day:
		return value{num: numRef{slot}, day: true}, nil
	}
	return value{num: numRef{slot}}, nil
}

// segment compiles a saved segment in place.
func (c *compiler) segment(name, src string, n ast.Node) (value, error) {
	if i := slices.Index(c.stack, name); i >= 0 {
		return value{}, c.errorf(n, "segments name each other in a circle: %s", strings.Join(append(c.stack[i:len(c.stack):len(c.stack)], name), " → "))
	}
	inner := newCompiler(src, c.env)
	inner.refs = c.refs
	inner.stack = append(c.stack[:len(c.stack):len(c.stack)], name)
	tree, err := inner.parse()
	var b boolNode
	if err == nil {
		b, err = inner.boolean(tree)
	}
	if e := (*Error)(nil); errors.As(err, &e) && e.segment {
		return value{}, c.within(n, e.Message) // said already, of the segment that is wrong
	}
	if err != nil {
		return value{}, c.within(n, fmt.Sprintf("the segment %s cannot be used: %v", quote(name), err))
	}
	c.used = append(c.used, inner.used...)
	c.notes = append(c.notes, inner.notes...)
	for _, s := range append([]string{name}, inner.segs...) {
		if !slices.Contains(c.segs, s) {
			c.segs = append(c.segs, s)
		}
	}
	return value{bool: b}, nil
}

// call compiles name(arguments).
func (c *compiler) call(n *ast.CallNode) (value, error) {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return value{}, c.errorf(n, "%s cannot be called", n.Callee)
	}
	switch id.Value {
	case "known":
		if len(n.Arguments) != 1 {
			return value{}, c.errorf(n, "known takes one value: known(plan)")
		}
		v, err := c.expr(n.Arguments[0])
		if err != nil {
			return value{}, err
		}
		return value{bool: c.known(v, n)}, nil
	case "prop", "first":
		key, ok := word(n)
		if !ok {
			return value{}, c.errorf(n, "%s takes one property: %s(plan) or %s(\"odd name\")", id.Value, id.Value, id.Value)
		}
		return c.property(key, id.Value == "first", n)
	case "in_segment":
		return c.inSegment(n)
	case "role":
		if c.event != nil {
			return c.eventRole(n)
		}
	}
	for i := range functions {
		if functions[i].name == id.Value {
			return c.function(&functions[i], n)
		}
	}
	if fn, ok := c.calls[id.Value]; ok && len(n.Arguments) == 0 {
		v, err := fn()
		if err != nil {
			return value{}, c.errorf(n, "%s: %v", id.Value, err)
		}
		return value{num: constantOf(v)}, nil
	}
	f, days, ok := measure.Lookup(id.Value)
	if !ok || !c.hasData() {
		names := append(c.candidates(), "known", "first", "prop", "in_segment")
		return value{}, c.errorf(n, "there is no measure or function %s%s", id.Value, hint(id.Value, names, false))
	}
	ref := measure.Ref{Name: f.Name, Days: days}
	if err := c.arguments(f, &ref, n); err != nil {
		return value{}, err
	}
	return c.measure(f, ref, n)
}

func (c *compiler) inSegment(n *ast.CallNode) (value, error) {
	name, ok := word(n)
	if !ok {
		return value{}, c.errorf(n, `in_segment takes one name: in_segment("trial users")`)
	}
	if c.event != nil {
		return value{}, c.errorf(n, "a condition on events cannot ask for a segment of users")
	}
	if c.env.Segments != nil {
		if src, ok := c.env.Segments(name); ok {
			return c.segment(name, src, n)
		}
	}
	return value{}, c.errorf(n, "no segment is called %s%s", quote(name), hint(name, c.env.SegmentNames, true))
}

// function compiles max, min, round_even …
func (c *compiler) function(f *function, n *ast.CallNode) (value, error) {
	if len(n.Arguments) < f.least || len(n.Arguments) > f.most {
		return value{}, c.errorf(n, "%s takes (%s), %d to %d of them", f.name, f.args, f.least, f.most)
	}
	k := &call{fn: f.fn}
	constant := true
	for _, a := range n.Arguments {
		x, err := c.number(a)
		if err != nil {
			return value{}, err
		}
		if _, lit := x.(numLit); !lit {
			constant = false
		}
		k.args = append(k.args, x)
	}
	if constant {
		if v, ok := k.num(nil); ok {
			return value{num: numLit(v)}, nil
		}
	}
	return value{num: k}, nil
}
