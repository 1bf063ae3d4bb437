package rule

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"dwell/model/measure"
)

// Number computes a numeric expression that reads no user: the parameters and
// dwell times of a stage model, such as max(28, 2*beat), usage <= 14 ? 3 : 2 or
// usage_interval(). names are the numbers it may name, calls the functions
// without arguments. It fails, with line and column, on a wrong name and where
// the result is no finite number.
func Number(src string, names map[string]float64, calls map[string]func() (float64, error)) (float64, error) {
	c := newCompiler(src, Env{Schema: &measure.Schema{Params: names}})
	c.calls = calls
	tree, err := c.parse()
	if err != nil {
		return 0, err
	}
	n, err := c.number(tree)
	if err != nil {
		return 0, err
	}
	v, ok := n.num(nil)
	if !ok {
		return 0, c.errorf(tree, "%s is no number: a division by zero, or too large", tree)
	}
	return v, nil
}

// NumberNames are the bare names that a numeric expression reads, in order of
// first appearance, and the functions without arguments that it calls.
func NumberNames(src string) (names, calls []string, err error) {
	c := newCompiler(src, Env{})
	tree, err := c.parse()
	if err != nil {
		return nil, nil, err
	}
	var walk func(n ast.Node)
	walk = func(n ast.Node) {
		switch n := n.(type) {
		case *ast.IdentifierNode:
			if !slices.Contains(names, n.Value) {
				names = append(names, n.Value)
			}
		case *ast.CallNode:
			id, ok := n.Callee.(*ast.IdentifierNode)
			if ok && len(n.Arguments) == 0 && !slices.Contains(calls, id.Value) {
				calls = append(calls, id.Value)
			}
		}
		for _, kid := range kids(n) {
			walk(kid)
		}
	}
	walk(tree)
	return names, calls, nil
}

// Measure reads one measure as it is written in a rule: revenue_90,
// active_days(28), plan, first("odd name"). It gives the Ref and its type.
func Measure(src string, env Env) (measure.Ref, measure.Type, error) {
	c := newCompiler(src, env)
	c.refs = &measure.Refs{}
	tree, err := c.parse()
	if err != nil {
		return measure.Ref{}, 0, err
	}
	v, err := c.expr(tree)
	if err != nil {
		return measure.Ref{}, 0, err
	}
	slot, typ, ok := -1, measure.Number, false
	switch x := v.num.(type) {
	case numRef:
		slot, ok = x.slot, true
		if v.day {
			typ = measure.Day
		}
	}
	if x, isBool := v.bool.(*boolRef); isBool {
		slot, typ, ok = x.slot, measure.Bool, true
	}
	if x, isText := v.text.(textRef); isText {
		slot, typ, ok = x.slot, measure.Text, true
	}
	if !ok {
		return measure.Ref{}, 0, c.errorf(tree, "%s is no measure or property", tree)
	}
	return c.refs.All()[slot], typ, nil
}
