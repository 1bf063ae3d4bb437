package query

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model/measure"
	"dwell/model/rule"
)

// pickWhereHelp is the end of the help line of a key that takes a pick with a
// condition.
const pickWhereHelp = pickHelp + "; with a condition on the event itself: buy where plan == \"pro\" and amount > 20"

// pickWhere reads a choice of events that may be narrowed by a condition on the
// event's own properties: PICK where CONDITION. What the condition reads is added
// to the needs, which the plan then takes over (Plan.Columns, Plan.Amounts): the
// first columns of a scan are the plan's, in the plan's order.
func (r *Run) pickWhere(word string, n *Needs) (pick, error) {
	head, cond, ok := strings.Cut(word, " where ")
	if !ok || r.Info.NameIndex(word) >= 0 { // a name may hold the word
		return r.pick(word)
	}
	k, err := r.pick(strings.TrimSpace(head))
	if err != nil {
		return k, err
	}
	env, err := r.env(&measure.Refs{}, false)
	if err != nil {
		return k, err
	}
	if k.where, err = rule.Events(cond, env); err != nil {
		return k, fmt.Errorf("the condition %q: %w", cond, err)
	}
	for _, col := range k.where.Columns() {
		at := slices.Index(n.Columns, col)
		if at < 0 {
			at = len(n.Columns)
			n.Columns = append(n.Columns, col)
		}
		k.places = append(k.places, at)
	}
	n.Amounts = n.Amounts || k.where.Amounts()
	k.label += " where " + cond
	return k, nil
}

// named is the only event name that the pick can choose, "" if there may be
// several: where all picks have one, a scan can leave other names out.
func (k *pick) named(r *Run) string {
	if k.all || k.active || k.role != 0 {
		return ""
	}
	return r.Info.Names[k.name].Name
}
