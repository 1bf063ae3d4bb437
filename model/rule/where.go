package rule

import (
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"

	"dwell/model"
	"dwell/model/measure"
)

// An eventScope is what a condition on events sees: the event's own properties
// by slot, its amount, its name and its meaning.
type eventScope struct {
	roles *model.Roles
	slots []eventSlot
	cols  []string // the properties read, in the order of Where.Columns
	names []string // dictionary of the event's name: "" and the names
	gold  bool     // amounts are read
}

// An eventSlot is one thing a condition reads of an event.
type eventSlot struct {
	kind byte // 'p' property, 'a' amount, 'n' name, 'r' role
	col  int  // of a property: its place among cols
	key  *model.KeyInfo
	role model.Role
}

// An eventTest is a compiled condition on events: a measure.Where.
type eventTest struct {
	scope *eventScope
	node  boolNode
	canon string
	rows  sync.Pool // of *eventRow, so that judging allocates nothing
}

// where compiles the condition that a measure's last argument is.
func (c *compiler) where(n ast.Node) (measure.Where, error) {
	in := c.env.Schema.Info
	sc := &eventScope{roles: c.env.Schema.Roles, names: make([]string, 1, len(in.Names)+1)}
	for i := range in.Names {
		sc.names = append(sc.names, in.Names[i].Name)
	}
	k := &compiler{src: c.src, env: c.env, refs: &measure.Refs{}, event: sc}
	b, err := k.boolean(n)
	if err != nil {
		return nil, err
	}
	c.notes = append(c.notes, k.notes...)
	return &eventTest{scope: sc, node: b, canon: n.String()}, nil
}

// String is the condition in its canonical spelling.
func (t *eventTest) String() string { return t.canon }

// Columns are the properties read.
func (t *eventTest) Columns() []string { return t.scope.cols }

// Amounts says whether amounts are read.
func (t *eventTest) Amounts() bool { return t.scope.gold }

// Match judges event i.
func (t *eventTest) Match(tl *model.Timeline, cols []int, i int) bool {
	r, _ := t.rows.Get().(*eventRow)
	if r == nil {
		r = &eventRow{sc: t.scope}
	}
	r.tl, r.cols, r.i = tl, cols, i
	holds := t.node.holds(r)
	r.tl = nil
	t.rows.Put(r)
	return holds
}

// An eventRow is the Row of one event.
type eventRow struct {
	sc   *eventScope
	tl   *model.Timeline
	cols []int
	i    int
}

func (r *eventRow) amount() model.Money {
	if r.tl.Amount == nil {
		return model.NoMoney
	}
	return r.tl.Amount[r.i]
}

// Value gives a property's code, the amount, the name's code, or 1 for a role.
func (r *eventRow) Value(slot int) (float64, bool) {
	switch s := &r.sc.slots[slot]; s.kind {
	case 'p':
		codes := r.tl.Props[r.cols[s.col]].Codes
		if codes == nil {
			return 0, false
		}
		return float64(codes[r.i]), codes[r.i] != 0
	case 'a':
		m := r.amount()
		return m.Float(), m != model.NoMoney
	case 'n':
		return float64(r.tl.Name[r.i]) + 1, true
	default:
		if r.sc.roles.Of(r.tl.Name[r.i], r.amount())&s.role != 0 {
			return 1, true
		}
		return 0, true
	}
}

// Text is a property's value or the event's name.
func (r *eventRow) Text(slot int) string {
	switch s := &r.sc.slots[slot]; s.kind {
	case 'p':
		return r.tl.Props[r.cols[s.col]].At(s.key, r.i)
	case 'n':
		return r.sc.names[r.tl.Name[r.i]+1]
	}
	return ""
}

// add is the slot of something, a new one if it has none.
func (sc *eventScope) add(s eventSlot) int {
	for i := range sc.slots {
		if sc.slots[i] == s {
			return i
		}
	}
	sc.slots = append(sc.slots, s)
	return len(sc.slots) - 1
}

// eventName resolves a bare name within a condition on events: amount and event
// first, then a property, then a number of the model.
func (c *compiler) eventName(n *ast.IdentifierNode) (value, error) {
	switch n.Value {
	case "amount":
		c.event.gold = true
		return value{num: numRef{c.event.add(eventSlot{kind: 'a'})}}, nil
	case "event":
		slot := c.event.add(eventSlot{kind: 'n'})
		return value{text: textRef{slot}, slot: slot, dict: c.event.names, what: "event"}, nil
	}
	if k := c.key(n.Value); k != nil {
		return c.eventProperty(k), nil
	}
	if v, ok := c.env.params()[n.Value]; ok {
		return value{num: constantOf(v)}, nil
	}
	names := []string{"amount", "event", "role"}
	for i := range c.env.Schema.Info.Keys {
		names = append(names, c.env.Schema.Info.Keys[i].Name)
	}
	if _, _, ok := measure.Lookup(n.Value); ok {
		return value{}, c.errorf(n, "%s is about a user; a condition on events sees the event's own properties, amount, event and role(…)", n.Value)
	}
	return value{}, c.errorf(n, "events have no property %s%s", n.Value, hint(n.Value, names, false))
}

func (c *compiler) eventProperty(k *model.KeyInfo) value {
	col := -1
	for i, name := range c.event.cols {
		if name == k.Name {
			col = i
		}
	}
	if col < 0 {
		col = len(c.event.cols)
		c.event.cols = append(c.event.cols, k.Name)
	}
	slot := c.event.add(eventSlot{kind: 'p', col: col, key: k})
	return value{text: textRef{slot}, slot: slot, key: k, dict: k.Values}
}

// eventRole compiles role(purchase).
func (c *compiler) eventRole(n *ast.CallNode) (value, error) {
	w, ok := word(n)
	role, err := model.ParseRole(w)
	if !ok || err != nil {
		return value{}, c.errorf(n, "role takes a meaning of events: %s", strings.Join(model.RoleNames(), ", "))
	}
	// A purchase below zero may be a refund: the meaning depends on the amount.
	c.event.gold = c.event.gold || c.event.roles.NeedsAmount()
	return value{bool: &boolRef{c.event.add(eventSlot{kind: 'r', role: role}), written(n.String())}}, nil
}
