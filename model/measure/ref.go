package measure

import (
	"strconv"
	"strings"

	"dwell/model"
)

// A Ref names a measure together with its arguments. Two Refs with the same
// String are the same measure.
type Ref struct {
	Name  string     // of the family
	Event string     // count only events of this name; "" any
	Role  model.Role // count only events with this meaning; 0 any
	Key   string     // the property; Amount for the amount column, EventName for the name
	Days  int        // window: the last so many local days with today; 0 the whole past
	Where Where      // narrows the events; nil lets all through
}

const (
	// Amount is the Key of the amount column: sum(amount).
	Amount = "\x00amount"
	// EventName is the Key of the event's own name: distinct(event).
	EventName = "\x00event"
)

// A Where decides whether an event counts. Package rule makes it from an
// expression over the event's properties; it is immutable and may be shared.
type Where interface {
	// String is the canonical expression: equal strings decide alike.
	String() string
	// Columns are the properties that Match reads.
	Columns() []string
	// Amounts says whether Match reads amounts.
	Amounts() bool
	// Match decides event i. cols[j] says where in tl.Props the j-th of Columns stands.
	Match(tl *model.Timeline, cols []int, i int) bool
}

// Of is the Ref of a family without arguments, or with a window of days.
func Of(name string, days ...int) Ref {
	r := Ref{Name: name}
	if len(days) > 0 {
		r.Days = days[0]
	}
	return r
}

// Property is the Ref of a property's last non-empty value.
func Property(key string) Ref { return Ref{Name: "prop", Key: key} }

// String is the measure as it is written in a rule.
func (r Ref) String() string {
	var args []string
	switch {
	case r.Event != "":
		args = append(args, strconv.Quote(r.Event))
	case r.Role != 0:
		args = append(args, r.Role.String())
	}
	switch r.Key {
	case "":
	case Amount:
		args = append(args, "amount")
	case EventName:
		args = append(args, "event")
	default:
		args = append(args, strconv.Quote(r.Key))
	}
	if r.Days > 0 {
		args = append(args, strconv.Itoa(r.Days))
	}
	if r.Where != nil {
		args = append(args, r.Where.String())
	}
	if len(args) == 0 {
		return r.Name
	}
	return r.Name + "(" + strings.Join(args, ", ") + ")"
}

// Refs is a list of measures without repeats: the slots that several rules
// share, so that one Set and one Cursor serve them all.
type Refs struct {
	list []Ref
	at   map[string]int
}

// Add gives the slot of a measure, a new one if it has none yet.
func (l *Refs) Add(r Ref) int {
	k := r.String()
	if i, ok := l.at[k]; ok {
		return i
	}
	if l.at == nil {
		l.at = map[string]int{}
	}
	l.at[k] = len(l.list)
	l.list = append(l.list, r)
	return len(l.list) - 1
}

// Index is the slot of a measure, or -1.
func (l *Refs) Index(r Ref) int {
	if i, ok := l.at[r.String()]; ok {
		return i
	}
	return -1
}

// All are the measures by slot. Do not modify it.
func (l *Refs) All() []Ref { return l.list }

// Len is the number of slots.
func (l *Refs) Len() int { return len(l.list) }
