package rule

import "dwell/model/measure"

// Events compiles a condition on single events, as the last argument of a measure
// takes it, by itself: country == "DE" and amount > 20. It sees the event's own
// properties, amount, event (its name) and role(…). Its errors are *Error.
//
//	w, err := rule.Events(`plan == "pro"`, env)
//	ok := w.Match(tl, places, i) // places: where w.Columns() stand in tl.Props
func Events(src string, env Env) (measure.Where, error) {
	c := newCompiler(src, env)
	tree, err := c.parse()
	if err != nil {
		return nil, err
	}
	return c.where(tree)
}
