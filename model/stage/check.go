package stage

import (
	"dwell/model"
	"dwell/model/measure"
	"dwell/model/rule"
)

// A check is a compiled rule as replay asks it.
type check struct{ rule *rule.Rule }

// compileCheck compiles a rule of the model. Population measures and segments
// have no place in one: another user, or an edited segment, would move a past.
func compileCheck(src string, schema *measure.Schema, refs *measure.Refs) (check, error) {
	r, err := rule.Compile(src, rule.Env{Schema: schema, Refs: refs})
	return check{r}, err
}

func (c check) holds(cur *measure.Cursor) bool { return c.rule.Holds(cur) }

// due is the first day after the cursor's on which the rule may hold without an
// event: the next day if it holds already, else the day its truth may change.
// ask is false where the caller knows that it does not hold.
func (c check) due(cur *measure.Cursor, ask bool) model.Day {
	if ask && c.rule.Holds(cur) {
		return cur.Day() + 1
	}
	return c.rule.Next(cur)
}
