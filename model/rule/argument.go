package rule

import (
	"math"

	"github.com/expr-lang/expr/ast"

	"dwell/model"
	"dwell/model/measure"
)

// word is the one argument of prop, first and in_segment, bare or in quotes.
func word(n *ast.CallNode) (string, bool) {
	if len(n.Arguments) != 1 {
		return "", false
	}
	switch a := n.Arguments[0].(type) {
	case *ast.IdentifierNode:
		return a.Value, true
	case *ast.StringNode:
		return a.Value, true
	}
	return "", false
}

// arguments reads a measure's arguments into the Ref: what is counted first,
// then a window of days, then a condition on the events.
func (c *compiler) arguments(f measure.Family, r *measure.Ref, n *ast.CallNode) error {
	args := n.Arguments
	wantEvent, wantKey := f.Takes&measure.TakesEvent != 0, f.Takes&measure.NeedsKey != 0
	if len(args) > 0 && (wantEvent || wantKey) {
		took, err := c.subject(f, r, args[0])
		if err != nil {
			return err
		}
		if took {
			args = args[1:]
		}
	}
	if len(args) > 0 && f.Takes&measure.TakesDays != 0 && r.Days == 0 {
		took, err := c.window(r, args[0])
		if err != nil {
			return err
		}
		if took {
			args = args[1:]
		}
	}
	if len(args) > 0 && f.Takes&measure.TakesWhere != 0 {
		w, err := c.where(args[0])
		if err != nil {
			return err
		}
		r.Where = w
		args = args[1:]
	}
	if len(args) > 0 {
		if f.Args == "" {
			return c.errorf(args[0], "%s takes no arguments", f.Name)
		}
		return c.errorf(args[0], "%s takes (%s): %s does not fit", f.Name, f.Args, args[0])
	}
	return nil
}

// subject reads the event or property that a measure is about.
func (c *compiler) subject(f measure.Family, r *measure.Ref, n ast.Node) (bool, error) {
	s, quoted := n.(*ast.StringNode)
	id, bare := n.(*ast.IdentifierNode)
	if !quoted && !bare {
		return false, nil
	}
	if f.Takes&measure.NeedsKey != 0 {
		switch {
		case quoted:
			r.Key = s.Value
		case id.Value == "amount" && f.Takes&measure.TakesAmount != 0:
			r.Key = measure.Amount
		case id.Value == "event" && f.Name == "distinct":
			r.Key = measure.EventName
		default:
			r.Key = id.Value
		}
		if r.Key[:1] != "\x00" && c.key(r.Key) == nil {
			_, err := c.property(r.Key, false, n)
			return false, err
		}
		return true, nil
	}
	if quoted {
		in := c.env.Schema.Info
		if in.NameIndex(s.Value) < 0 {
			var names []string
			for i := range in.Names {
				names = append(names, in.Names[i].Name)
			}
			if _, err := model.ParseRole(s.Value); err == nil && s.Value != "" {
				return false, c.errorf(n, "no event is called %s; for events with that meaning write %s(%s), without quotes", quote(s.Value), f.Name, s.Value)
			}
			return false, c.errorf(n, "no event is called %s%s", quote(s.Value), hint(s.Value, names, true))
		}
		r.Event = s.Value
		return true, nil
	}
	role, err := model.ParseRole(id.Value)
	if err != nil {
		if c.key(id.Value) != nil || f.Takes&measure.NeedsEvent == 0 { // a condition or a window, then
			return false, nil
		}
		if _, isParam := c.env.params()[id.Value]; isParam {
			return false, nil
		}
		msg := hint(id.Value, model.RoleNames(), false)
		if c.env.Schema.Info.NameIndex(id.Value) >= 0 {
			msg = ": an event's name stands in quotes, " + quote(id.Value)
		}
		return false, c.errorf(n, "%s is no meaning of events%s", id.Value, msg)
	}
	r.Role = role
	return true, nil
}

// window reads a constant number of days, which may be made from the model's
// numbers.
func (c *compiler) window(r *measure.Ref, n ast.Node) (bool, error) {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BinaryNode, *ast.UnaryNode, *ast.IdentifierNode, *ast.CallNode:
	default:
		return false, nil
	}
	k := &compiler{src: c.src, env: Env{Schema: &measure.Schema{Params: c.env.params()}}, refs: &measure.Refs{}}
	v, err := k.expr(n)
	lit, ok := v.num.(numLit)
	if err != nil || !ok {
		if _, isInt := n.(*ast.IntegerNode); !isInt {
			return false, nil // a condition, then
		}
		return false, err
	}
	d := float64(lit)
	if d != math.Trunc(d) || d < 1 || d > measure.MaxDays {
		return false, c.errorf(n, "a window is a whole number of days from 1 to %d, not %v", measure.MaxDays, d)
	}
	r.Days = int(d)
	return true, nil
}
