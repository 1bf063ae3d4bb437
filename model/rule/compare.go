package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"dwell/model"
)

// truth is the condition that a property of true and false is want.
func (c *compiler) truth(v value, want bool, n ast.Node) boolNode {
	word := "false"
	if want {
		word = "true"
	}
	return newTextTest(v.slot, v.dict, func(s string) bool { return strings.EqualFold(s, word) }, n.String())
}

// compare compiles == != < <= > >=.
func (c *compiler) compare(n *ast.BinaryNode) (value, error) {
	a, b, err := c.pair(n.Left, n.Right)
	if err != nil {
		return value{}, c.unquoted(n, err)
	}
	if a.null || b.null {
		return c.compareNil(n, a, b)
	}
	// A day is compared with a date written as text.
	if a, err = c.dayOf(a, b, n.Left); err != nil {
		return value{}, err
	}
	if b, err = c.dayOf(b, a, n.Right); err != nil {
		return value{}, err
	}
	// A property of true and false is compared with a yes or no.
	if v, ok := c.boolProperty(a, b, n); ok {
		return v, nil
	}
	if v, ok := c.boolProperty(b, a, n); ok {
		return v, nil
	}
	switch {
	case a.bool != nil && b.bool != nil:
		if n.Operator != "==" && n.Operator != "!=" {
			return value{}, c.errorf(n, "%s does not order yes and no: use == or !=", n.Operator)
		}
		return value{bool: &same{a.bool, b.bool, n.Operator == "!=", written(n.String())}}, nil
	case a.text != nil && b.text != nil:
		return c.compareText(n, a, b)
	case a.num != nil && b.text != nil && b.key == nil, b.num != nil && a.text != nil && a.key == nil,
		a.bool != nil, b.bool != nil:
		return value{}, c.errorf(n, "%s is %s and %s is %s: they cannot be compared", n.Left, a.typ(), n.Right, b.typ())
	}
	x, y, err := c.asNumbers(a, n.Left, b, n.Right)
	if err != nil {
		return value{}, err
	}
	op := n.Operator
	if _, lit := x.(numLit); lit { // the constant on the right, for the fast path
		x, y, op = y, x, mirrored(op)
	}
	return value{bool: &compare{op, x, y, written(n.String())}}, nil
}

// unquoted is what to say where one side of a comparison is a text and the other a
// bare word that names nothing: the word was meant as a text. Else it is err, what
// the sides themselves had to say.
func (c *compiler) unquoted(n *ast.BinaryNode, err error) error {
	for _, side := range [][2]ast.Node{{n.Left, n.Right}, {n.Right, n.Left}} {
		word, bare := side[1].(*ast.IdentifierNode)
		if _, literal := side[0].(*ast.StringNode); !bare || literal { // beside a text in quotes the word is the name
			continue
		}
		v, wrong := c.expr(side[0])
		if _, unknown := c.expr(word); unknown == nil || wrong != nil || v.text == nil {
			continue
		}
		left, right := n.Left.String(), n.Right.String()
		if side[1] == n.Left {
			left = quote(word.Value)
		} else {
			right = quote(word.Value)
		}
		return c.errorf(word, "nothing is called %s; a text stands in quotes: %s %s %s", word.Value, left, n.Operator, right)
	}
	return err
}

// mirrored is the operator with its sides exchanged.
func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

func (c *compiler) compareNil(n *ast.BinaryNode, a, b value) (value, error) {
	if a.null {
		a = b
	}
	if a.null || n.Operator != "==" && n.Operator != "!=" {
		return value{}, c.errorf(n, "nil only stands in x == nil and x != nil: use known(x)")
	}
	k := c.known(a, n)
	if n.Operator == "==" {
		k = &not{k}
	}
	return value{bool: k}, nil
}

// known is the condition that there is a value.
func (c *compiler) known(a value, n ast.Node) boolNode {
	switch {
	case a.num != nil:
		return &knownNum{a.num, written(n.String())}
	case a.text != nil:
		if a.key != nil || a.dict != nil {
			return newTextTest(a.slot, a.dict, func(string) bool { return true }, n.String())
		}
		return &knownText{a.text, written(n.String())}
	case a.bool != nil:
		if ref, ok := a.bool.(*boolRef); ok {
			return &knownNum{numRef{ref.slot}, written(n.String())}
		}
	}
	return boolLit(true)
}

// dayOf reads a constant text beside a day as a date.
func (c *compiler) dayOf(v, beside value, n ast.Node) (value, error) {
	lit, ok := v.text.(textLit)
	if !ok || !beside.day {
		return v, nil
	}
	d, err := model.ParseDay(string(lit))
	if err != nil {
		return v, c.errorf(n, "%v", err)
	}
	return value{num: numLit(d), day: true}, nil
}

func (c *compiler) boolProperty(p, b value, n *ast.BinaryNode) (value, bool) {
	lit, ok := b.bool.(boolLit)
	if !ok || p.key == nil || n.Operator != "==" && n.Operator != "!=" || !truthy(p.key) {
		return value{}, false
	}
	return value{bool: c.truth(p, bool(lit) == (n.Operator == "=="), n)}, true
}

// compareText compiles the comparison of two texts: at best a test of one
// property's values against a constant, made once for each value.
func (c *compiler) compareText(n *ast.BinaryNode, a, b value) (value, error) {
	op := n.Operator
	la, aLit := a.text.(textLit)
	lb, bLit := b.text.(textLit)
	if aLit && bLit {
		return value{bool: boolLit(textHolds(op, string(la), string(lb)))}, nil
	}
	if aLit {
		a, lb, op, bLit = b, la, mirrored(op), true
	}
	if !bLit {
		return value{bool: &textCompare{op, a.text, b.text, written(n.String())}}, nil
	}
	if op != "==" && op != "!=" {
		return value{bool: c.test(a, func(s string) bool { return textHolds(op, s, string(lb)) }, n)}, nil
	}
	if err := c.constant(a, string(lb), n); err != nil {
		return value{}, err
	}
	return value{bool: c.test(a, func(s string) bool { return textHolds(op, s, string(lb)) }, n)}, nil
}

// constant refuses a comparison that can never hold by mistake: with the empty
// text, which stands for missing, or with a stage that the model does not have.
func (c *compiler) constant(a value, lit string, n ast.Node) error {
	if lit == "" {
		return c.errorf(n, `a missing text is not "": write known(…) or not known(…)`)
	}
	if a.dict == nil || slices.Contains(a.dict, lit) {
		return nil
	}
	if a.key != nil {
		near := ""
		if len(a.dict) <= 5000 { // nobody waits for the nearest of many
			near = hint(lit, a.dict[1:], true)
		}
		c.notes = append(c.notes, fmt.Sprintf("no event has %s %s%s", a.key.Name, quote(lit), near))
		return nil
	}
	return c.errorf(n, "no %s is called %s%s", a.what, quote(lit), hint(lit, a.dict[1:], true))
}

// test is a condition on a text, by one slot where it can be.
func (c *compiler) test(a value, test func(string) bool, n ast.Node) boolNode {
	if a.key != nil || a.dict != nil {
		return newTextTest(a.slot, a.dict, test, n.String())
	}
	return &textWhen{a.text, test, written(n.String())}
}

func (c *compiler) textOp(n *ast.BinaryNode) (value, error) {
	a, b, err := c.pair(n.Left, n.Right)
	if err != nil {
		return value{}, err
	}
	if a.text == nil || b.text == nil {
		return value{}, c.errorf(n, "%s needs texts on both sides, not %s and %s", n.Operator, a.typ(), b.typ())
	}
	lit, isLit := b.text.(textLit)
	if n.Operator == "matches" {
		if !isLit {
			return value{}, c.errorf(n.Right, `matches needs a regular expression in quotes: plan matches "^pro"`)
		}
		re, err := regexp.Compile(string(lit))
		if err != nil {
			return value{}, c.errorf(n.Right, "this is no regular expression: %v", err)
		}
		return value{bool: c.test(a, re.MatchString, n)}, nil
	}
	if !isLit {
		return value{bool: &textCompare{n.Operator, a.text, b.text, written(n.String())}}, nil
	}
	op := n.Operator
	return value{bool: c.test(a, func(s string) bool { return textHolds(op, s, string(lit)) }, n)}, nil
}

func (c *compiler) in(n *ast.BinaryNode) (value, error) {
	a, err := c.expr(n.Left)
	if err != nil {
		return value{}, err
	}
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		return value{}, c.errorf(n.Right, `in needs a list: country in ["DE", "AT"]`)
	}
	var texts []string
	var nums []float64
	for _, item := range list.Nodes {
		v, err := c.expr(item)
		if err != nil {
			return value{}, err
		}
		if v, err = c.dayOf(v, a, item); err != nil {
			return value{}, err
		}
		switch lit := v.num.(type) {
		case numLit:
			nums = append(nums, float64(lit))
			continue
		case none:
			continue
		}
		lit, ok := v.text.(textLit)
		if !ok {
			return value{}, c.errorf(item, "%s is no constant: a list holds numbers or texts", item)
		}
		if a.text != nil {
			if err := c.constant(a, string(lit), item); err != nil {
				return value{}, err
			}
		}
		texts = append(texts, string(lit))
	}
	switch {
	case len(texts) > 0 && len(nums) > 0:
		return value{}, c.errorf(n.Right, "a list holds numbers or texts, not both")
	case len(texts) > 0:
		if a.text == nil {
			return value{}, c.errorf(n, "%s is %s, and the list holds texts", n.Left, a.typ())
		}
		set := map[string]bool{}
		for _, t := range texts {
			set[t] = true
		}
		return value{bool: c.test(a, func(s string) bool { return set[s] }, n)}, nil
	case len(nums) == 0:
		return value{bool: boolLit(false)}, nil
	}
	x, err := c.asNumber(a, n.Left)
	if err != nil {
		return value{}, err
	}
	slices.Sort(nums)
	return value{bool: &numIn{x, nums, written(n.String())}}, nil
}
