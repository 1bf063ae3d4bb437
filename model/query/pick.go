package query

import (
	"fmt"
	"strings"

	"dwell/model"
	"dwell/model/measure"
)

// A pick is a choice of events as written in an address (start=, return=,
// activity=): any, active, role:WORD, or the name of an event. A name that reads
// like one of those words is written name:any.
type pick struct {
	roles  *model.Roles
	all    bool
	active bool
	role   model.Role
	name   model.NameID
	label  string // as in "came back with LABEL"

	where  measure.Where // of pickWhere; nil: no condition
	places []int         // where the columns of where stand in Timeline.Props
}

// pickHelp is the end of the help line of a key that takes a pick.
const pickHelp = "any event, active (any that counts as activity), role:purchase and its like, or an event's name"

// pick reads a choice of events, or says what may be chosen.
func (r *Run) pick(word string) (pick, error) {
	k := pick{roles: r.Roles}
	switch kind, rest, ok := strings.Cut(word, ":"); {
	case word == "any":
		k.all, k.label = true, "any event"
		return k, nil
	case word == "active":
		k.active, k.label = true, "any activity"
		return k, nil
	case ok && kind == "role":
		role, err := model.ParseRole(rest)
		if err != nil {
			return k, err
		}
		k.role, k.label = role, "an event that is "+role.String()
		return k, nil
	case ok && kind == "name":
		word = rest
	}
	i := r.Info.NameIndex(word)
	if i < 0 {
		var ns []string
		for _, n := range r.Info.Names {
			ns = append(ns, n.Name)
		}
		return k, fmt.Errorf("no event is named %q%s: write any, active, role:purchase or a name that the events screen lists", word, didYouMean(word, ns))
	}
	k.name, k.label = model.NameID(i), word
	return k, nil
}

// match says whether event i is chosen; it is a retention.Match.
func (k *pick) match(tl *model.Timeline, i int) bool {
	return k.kind(tl, i) && (k.where == nil || k.where.Match(tl, k.places, i))
}

// kind is match without the condition.
func (k *pick) kind(tl *model.Timeline, i int) bool {
	switch {
	case k.all:
		return true
	case !k.active && k.role == 0:
		return tl.Name[i] == k.name
	}
	m := model.NoMoney
	if tl.Amount != nil {
		m = tl.Amount[i]
	}
	role := k.roles.Of(tl.Name[i], m)
	if k.active {
		return role.Active()
	}
	return role&k.role != 0
}

// activity is the pick of a key activity=: what makes a day an active day.
func (r *Run) activity() pick {
	switch r.Str("activity") {
	case "purchase":
		return pick{roles: r.Roles, role: model.Purchase, label: "a purchase"}
	case "any":
		return pick{roles: r.Roles, all: true, label: "any event"}
	}
	return pick{roles: r.Roles, active: true, label: "any activity"}
}

// activityKeys choose what makes a day an active day.
func activityKeys() []KeySpec {
	return []KeySpec{{Name: "activity", Type: Word, Values: []string{"active", "purchase", "any"}, Default: "active", Help: "what makes a day active: any event that is not a mere contact, purchases alone, or any event"}}
}

// param is a number of the stage model, or a floor where the model has none.
func (r *Run) param(name string, floor float64) float64 {
	if v, ok := r.Schema.Params[name]; ok && v > 0 {
		return v
	}
	return floor
}

// paramIn is a number of the stage model as a variant has it; 0 is the model's own.
func (r *Run) paramIn(variant int, name string, floor float64) float64 {
	if variant > 0 && variant <= len(r.Schema.Variants) {
		if v, ok := r.Schema.Variants[variant-1][name]; ok && v > 0 {
			return v
		}
	}
	return r.param(name, floor)
}

// seenBefore is the day before which a user's first event makes them left
// truncated: within G days of the data's first day (SPEC 2). NoDay where nobody
// is: truncated=keep, or the data set says starts=complete. Who asks it keeps
// everybody where all users asked about are; leftBefore does so where all there are.
func (r *Run) seenBefore() model.Day {
	if r.Str("truncated") == "keep" || r.Dict.Starts == "complete" {
		return model.NoDay
	}
	return r.truncatedBefore()
}
