package rule

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"

	"dwell/model/measure"
)

// MaxLength bounds a rule's text, in bytes.
const MaxLength = 64 << 10

// A compiler turns one source text into nodes. Segments are compiled in place,
// by a compiler of their own that shares slots and the stack of names.
type compiler struct {
	src   string
	env   Env
	refs  *measure.Refs
	used  []int
	segs  []string
	notes []string
	stack []string // segments being compiled, outermost first

	event *eventScope // set while compiling a condition on events
	calls map[string]func() (float64, error)
}

func newCompiler(src string, env Env) *compiler {
	c := &compiler{src: src, env: env, refs: env.Refs}
	if c.refs == nil {
		c.refs = &measure.Refs{}
	}
	return c
}

// parse runs expr's parser. Its built-in functions are all overridden, so that
// count("x", 30) is an ordinary call here and not expr's count over a list.
func (c *compiler) parse() (ast.Node, error) {
	if len(c.src) > MaxLength {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("the rule is longer than %d bytes", MaxLength)}
	}
	cfg := conf.CreateNew()
	for _, f := range builtin.Builtins {
		cfg.Functions[f.Name] = f
	}
	tree, err := parser.ParseWithConfig(c.src, cfg)
	if err != nil {
		return nil, c.syntax(err)
	}
	if d := depth(tree.Node, 0); d > maxDepth {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("the rule is nested more than %d deep", maxDepth)}
	}
	return tree.Node, nil
}

// maxDepth bounds the recursion of compiling and judging.
const maxDepth = 500

func depth(n ast.Node, d int) int {
	if d > maxDepth {
		return d
	}
	most := d
	for _, kid := range kids(n) {
		most = max(most, depth(kid, d+1))
	}
	return most
}

// kids are the nodes below a node of the sorts that rules use.
func kids(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.CallNode:
		return n.Arguments
	case *ast.ArrayNode:
		return n.Nodes
	}
	return nil
}
