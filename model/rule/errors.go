package rule

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// An Error says what is wrong with a rule, and where.
type Error struct {
	Line, Column int // from 1
	Message      string
	segment      bool // what is wrong lies in a segment that the rule names
}

// Error is one sentence with the place at its end.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (line %d, column %d)", e.Message, e.Line, e.Column)
}

// errorf makes the error of a node.
func (c *compiler) errorf(n ast.Node, format string, args ...any) error {
	e := c.at(n.Location().From)
	e.Message = fmt.Sprintf(format, args...)
	return e
}

// within makes the error of a node that names a segment which is wrong.
func (c *compiler) within(n ast.Node, message string) error {
	e := c.at(n.Location().From)
	e.Message, e.segment = message, true
	return e
}

// at finds line and column of a rune offset.
func (c *compiler) at(offset int) *Error {
	e := &Error{Line: 1, Column: 1}
	for i, r := range []rune(c.src) {
		if i >= offset {
			break
		}
		e.Column++
		if r == '\n' {
			e.Line++
			e.Column = 1
		}
	}
	return e
}

// syntax turns the parser's error into ours.
func (c *compiler) syntax(err error) error {
	var fe *file.Error
	if !errors.As(err, &fe) {
		return &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	e := c.at(fe.From)
	switch {
	case strings.TrimSpace(c.src) == "":
		e.Message = "the rule is empty: write a condition such as recency_days < 30"
	case strings.HasPrefix(fe.Message, "unexpected token EOF"):
		e.Message = "the rule ends too early: something is missing here"
	case strings.Contains(fe.Message, `Operator("=")`):
		e.Message = "= compares nothing: write == to compare"
	case strings.HasPrefix(fe.Message, "literal not terminated"):
		e.Message = "a text has no closing quote"
	case strings.HasPrefix(fe.Message, "unexpected token "):
		e.Message = unexpected(strings.TrimPrefix(fe.Message, "unexpected token "))
	default:
		e.Message = fe.Message
	}
	return e
}

// unexpected says what does not fit where it stands: the parser calls it
// Kind("text").
func unexpected(token string) string {
	kind, text, _ := strings.Cut(token, "(")
	text = strings.Trim(strings.TrimSuffix(text, ")"), `"`)
	switch kind {
	case "Identifier", "Number", "String":
		return text + " does not fit here: join two conditions with and or or, and mind the brackets"
	}
	return text + " does not fit here"
}
