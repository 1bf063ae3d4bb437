package rule

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"dwell/model"
	"dwell/model/measure"
)

// A value is a compiled expression of whatever type; exactly one of num, bool
// and text is set, or null.
type value struct {
	num  numNode
	bool boolNode
	text textNode
	null bool
	day  bool           // the number is a day
	key  *model.KeyInfo // the text is this property's value, at slot
	dict []string       // … or of these values
	slot int
	what string // what the values of a closed dict are: stage, event
}

func (v value) typ() string {
	switch {
	case v.null:
		return "nil"
	case v.day:
		return "a day"
	case v.num != nil:
		return "a number"
	case v.bool != nil:
		return "a yes or no"
	}
	return "a text"
}

// boolean compiles a condition.
func (c *compiler) boolean(n ast.Node) (boolNode, error) {
	v, err := c.expr(n)
	if err != nil {
		return nil, err
	}
	if v.bool != nil {
		return v.bool, nil
	}
	if v.key != nil && truthy(v.key) {
		return c.truth(v, true, n), nil
	}
	return nil, c.errorf(n, "%s is %s, where a condition is needed: compare it with something", n, v.typ())
}

// number compiles a number; a property whose values are all numbers is one.
func (c *compiler) number(n ast.Node) (numNode, error) {
	v, err := c.expr(n)
	if err != nil {
		return nil, err
	}
	return c.asNumber(v, n)
}

func (c *compiler) asNumber(v value, n ast.Node) (numNode, error) {
	if v.num != nil {
		return v.num, nil
	}
	if v.key != nil {
		if why := numeric(v.key, c.env.Schema.Info); why != "" {
			return nil, c.errorf(n, "%s cannot be read as a number: %s", n, why)
		}
		t := &textNumber{slot: v.slot}
		if v.dict != nil {
			t.table = numberTable(v.dict)
		}
		return t, nil
	}
	return nil, c.errorf(n, "%s is %s, where a number is needed", n, v.typ())
}

// expr compiles any expression.
func (c *compiler) expr(n ast.Node) (value, error) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return value{num: numLit(n.Value)}, nil
	case *ast.FloatNode:
		return value{num: numLit(n.Value)}, nil
	case *ast.BoolNode:
		return value{bool: boolLit(n.Value)}, nil
	case *ast.StringNode:
		return value{text: textLit(n.Value)}, nil
	case *ast.NilNode:
		return value{null: true}, nil
	case *ast.IdentifierNode:
		return c.name(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.ArrayNode:
		return value{}, c.errorf(n, "a list stands only after in: country in [\"DE\", \"AT\"]")
	case *ast.MemberNode:
		return value{}, c.errorf(n, "a name has no parts here: write prop(%s) for a property whose name holds a dot", quote(dotted(n)))
	}
	return value{}, c.errorf(n, "%s is not part of the rule language", n)
}

// dotted spells a.b.c back.
func dotted(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MemberNode:
		return dotted(n.Node) + "." + dotted(n.Property)
	case *ast.IdentifierNode:
		return n.Value
	case *ast.StringNode:
		return n.Value
	}
	return n.String()
}

func (c *compiler) unary(n *ast.UnaryNode) (value, error) {
	if n.Operator == "not" || n.Operator == "!" {
		b, err := c.boolean(n.Node)
		if err != nil {
			return value{}, err
		}
		return value{bool: &not{b}}, nil
	}
	x, err := c.number(n.Node)
	if err != nil || n.Operator == "+" {
		return value{num: x}, err
	}
	return fold(&arith{"-", numLit(0), x}), nil
}

// fold computes what depends on no row.
func fold(n *arith) value {
	_, a := n.a.(numLit)
	_, b := n.b.(numLit)
	if a && b {
		if v, ok := n.num(nil); ok {
			return value{num: numLit(v)}
		}
		return value{num: none{}}
	}
	return value{num: n}
}

func (c *compiler) binary(n *ast.BinaryNode) (value, error) {
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.junction(n)
	case "==", "!=", "<", "<=", ">", ">=":
		return c.compare(n)
	case "in":
		return c.in(n)
	case "contains", "startsWith", "endsWith", "matches":
		return c.textOp(n)
	case "??":
		return c.orElse(n)
	case "+", "-", "*", "/", "%", "**", "^":
		a, err := c.number(n.Left)
		if err != nil {
			return value{}, err
		}
		b, err := c.number(n.Right)
		if err != nil {
			return value{}, err
		}
		return fold(&arith{n.Operator, a, b}), nil
	}
	return value{}, c.errorf(n, "%s is not part of the rule language", n.Operator)
}

// junction flattens a and b and c into one node.
func (c *compiler) junction(n *ast.BinaryNode) (value, error) {
	all := n.Operator == "and" || n.Operator == "&&"
	j := &junction{all: all}
	for _, side := range []ast.Node{n.Left, n.Right} {
		b, err := c.boolean(side)
		if err != nil {
			return value{}, err
		}
		if inner, ok := b.(*junction); ok && inner.all == all {
			j.kids = append(j.kids, inner.kids...)
		} else {
			j.kids = append(j.kids, b)
		}
	}
	return value{bool: j}, nil
}

// pair compiles both sides of something.
func (c *compiler) pair(left, right ast.Node) (a, b value, err error) {
	if a, err = c.expr(left); err == nil {
		b, err = c.expr(right)
	}
	return a, b, err
}

// asNumbers is asNumber of two values and where they are written.
func (c *compiler) asNumbers(a value, left ast.Node, b value, right ast.Node) (x, y numNode, err error) {
	if x, err = c.asNumber(a, left); err == nil {
		y, err = c.asNumber(b, right)
	}
	return x, y, err
}

func (c *compiler) conditional(n *ast.ConditionalNode) (value, error) {
	cond, err := c.boolean(n.Cond)
	if err != nil {
		return value{}, err
	}
	a, b, err := c.pair(n.Exp1, n.Exp2)
	if err != nil {
		return value{}, err
	}
	switch {
	case a.bool != nil && b.bool != nil:
		return value{bool: &boolCond{cond, a.bool, b.bool, written(n.String())}}, nil
	case a.text != nil && b.text != nil:
		return value{text: &textCond{cond, a.text, b.text}}, nil
	case a.num != nil || b.num != nil:
		x, y, err := c.asNumbers(a, n.Exp1, b, n.Exp2)
		if err != nil {
			return value{}, err
		}
		if lit, ok := cond.(boolLit); ok {
			if lit {
				return value{num: x}, nil
			}
			return value{num: y}, nil
		}
		return value{num: &numCond{cond, x, y}, day: a.day && b.day}, nil
	}
	return value{}, c.errorf(n, "the two sides of : must be of one type, not %s and %s", a.typ(), b.typ())
}

func (c *compiler) orElse(n *ast.BinaryNode) (value, error) {
	a, b, err := c.pair(n.Left, n.Right)
	if err != nil {
		return value{}, err
	}
	switch {
	case a.text != nil && b.text != nil:
		return value{text: &textElse{a.text, b.text}}, nil
	case a.bool != nil && b.bool != nil: // never missing as a condition
		return a, nil
	}
	x, y, err := c.asNumbers(a, n.Left, b, n.Right)
	if err != nil {
		return value{}, err
	}
	return value{num: &numElse{x, y}, day: a.day}, nil
}

// hint is the end of a sentence about a wrong name.
func hint(name string, candidates []string, inQuotes bool) string {
	near := Nearest(name, candidates)
	if inQuotes && near != "" {
		near = quote(near)
	}
	if near != "" {
		return ": did you mean " + near + "?"
	}
	if n := len(candidates); n > 0 && n <= 12 {
		return ": there are " + strings.Join(candidates, ", ")
	}
	return ""
}

// measureNames are the names of all measures, for suggestions.
func measureNames() (out []string) {
	for _, f := range measure.Families() {
		out = append(out, f.Name)
	}
	return out
}
