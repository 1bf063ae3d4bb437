// Package funnel says of one user how far they came through ordered steps.
//
// A Definition names how many steps there are, in which order they count, within
// which window, and what an excluded event does. A Reader takes the user's events
// in time order, each with the steps it may be, and gives one Result: how deep the
// deciding try went, at which events, and whether its window has closed. It knows
// no names, properties or calendars: who holds a property constant hands over the
// events of one value at a time.
//
// Invariants:
//   - Each event is at most one step of a try, and no step of a try comes after
//     its window (inclusive at the end) or at or after Until.
//   - With the window fixed, the first try never goes deeper than the best one.
//   - A try that is not closed may still go deeper: its user is open, not lost.
//
// Example:
//
//	r, err := funnel.New(funnel.Definition{Steps: 3, Window: 3_600_000, Until: t})
//	res := r.Read([]funnel.Event{{At: 0, Steps: 1}, {At: 60_000, Steps: 2}})
//	// res.Depth == 2
package funnel

import (
	"errors"
	"fmt"
	"math"
)

// MaxSteps is how many steps a funnel may have: more do not fit a screen.
const MaxSteps = 12

// An Order says in which order the steps count.
type Order uint8

const (
	// This: in this order; other events may come between.
	This Order = iota
	// Any: in any order. The try begins with any of the steps, and step k is
	// reached with k different steps done, each by an event of its own.
	Any
	// Exact: in this order with nothing between, so the Reader must be given
	// every event.
	Exact
)

var orderWords = [...]string{"this", "any", "exact"}

// String is the order's word in addresses.
func (o Order) String() string { return orderWords[o] }

// Orders are the words of all orders, in the order of the constants.
func Orders() []string { return append([]string(nil), orderWords[:]...) }

// ParseOrder reads an order's word.
func ParseOrder(s string) (Order, error) {
	for i, w := range orderWords {
		if s == w {
			return Order(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not an order of steps: use this, any or exact", s)
}

// An Exclusion says what an excluded event does between entry and conversion.
type Exclusion uint8

const (
	// None: nothing is excluded.
	None Exclusion = iota
	// Stop: the try ends there and keeps the steps it has.
	Stop
	// Remove: the try does not count at all. A user all of whose tries are so is
	// Removed from the funnel, and not among those who entered.
	Remove
)

// A Definition is one question about a funnel. Times are ms.
type Definition struct {
	Steps     int // 2 … MaxSteps
	Order     Order
	Best      bool  // every entry is tried and the deepest counts, the earliest among equals; else only the first entry
	Window    int64 // from the entry to the last event that may be a step, inclusive; 0: no window
	Grace     int64 // (This only) so much earlier than the step before an event may still be the next step: clocks that disagree
	Exclusion Exclusion
	From, To  int64 // entries count within [From, To); To 0: no end
	Until     int64 // T: nothing at or after it is looked at
}

// ErrDefinition wraps what is wrong with a Definition.
var ErrDefinition = errors.New("this funnel cannot be computed")

func (d *Definition) validate() error {
	bad := func(f string, a ...any) error {
		return fmt.Errorf("%w: %s", ErrDefinition, fmt.Sprintf(f, a...))
	}
	switch {
	case d.Steps < 2 || d.Steps > MaxSteps:
		return bad("it has %d of the 2 to %d steps that a funnel has: give step= for each", d.Steps, MaxSteps)
	case d.Window < 0 || d.Grace < 0:
		return bad("a window or grace below zero")
	case d.Grace > 0 && d.Order != This:
		return bad("grace lets steps be out of order by a moment: it belongs to order this, not to %s", d.Order)
	case d.To != 0 && d.To <= d.From:
		return bad("entries end before they begin")
	}
	return nil
}

// An Event is what a funnel sees of one event.
type Event struct {
	At    int64  // ms; never before the event ahead of it
	Steps uint32 // bit k: it may be step k, counted from 0
	// Out says where the event is excluded: bit k between the k-th and the next
	// step reached, counted from 0; Everywhere between entry and conversion. It is
	// of no effect on an event that may be a step.
	Out uint32
}

// Everywhere is the Out of an event that is excluded between entry and conversion,
// whatever has been reached.
const Everywhere = 1<<(MaxSteps-1) - 1

// Between is the Out of an event that is excluded after step from and before step
// to, counted from 1: 1 ≤ from < to ≤ MaxSteps.
func Between(from, to int) uint32 { return 1<<(to-1) - 1<<(from-1) }

// A Result is one user's way through the funnel.
type Result struct {
	Entry   int           // index of the first entry; −1: never entered
	Depth   int           // steps reached; 0: never entered, or removed
	At      [MaxSteps]int // index of the event of each step reached, in the order reached; At[0] is the entry
	Closed  bool          // the window of what decides has passed: no step can be added by what is still to come
	Removed bool          // entered, but an excluded event voids every try
	Stopped bool          // the deciding try was ended by an excluded event
}

// Converted says whether every step was reached.
func (r *Result) Converted(steps int) bool { return r.Depth == steps }

// A Reader reads users' events under one definition. It keeps scratch space: one a
// goroutine.
type Reader struct {
	def Definition
	on  [MaxSteps][]int32 // places of the events that may be each step
	out []int32           // places of events that are excluded somewhere
	ev  []Event
	n   int // events before Until

	any    []int32 // of order any: the entries
	places []int32 // of order any: candidates of a try
	owner  [MaxSteps]int32
	seen   uint32
}

// New makes a reader, or says what does not go together.
func New(d Definition) (*Reader, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	if d.To == 0 {
		d.To = math.MaxInt64
	}
	return &Reader{def: d}, nil
}

// Read gives the user's result. events are in time order and not changed; indices
// of the result are into them.
func (r *Reader) Read(events []Event) (best Result) {
	d := &r.def
	r.index(events)
	entries := r.on[0]
	if d.Order == Any {
		entries = r.allSteps()
	}
	last := int64(math.MinInt64) // entry of the try that closes last
	entered, first := false, -1
	for _, e := range entries {
		at := events[e].At
		if at < d.From || at >= d.To {
			continue
		}
		if entered && !d.Best {
			break
		}
		if !entered {
			entered, first = true, int(e)
		}
		last = at
		if best.Depth == d.Steps {
			break // it cannot go deeper; later tries do not change whether it has closed
		}
		t, void := r.try(int(e))
		if !void && t.Depth > best.Depth {
			best = t
		}
	}
	if !entered {
		return Result{Entry: -1}
	}
	best.Entry = first
	if best.Depth == d.Steps {
		last = events[best.At[0]].At
	}
	best.Removed = best.Depth == 0
	best.Closed = d.Window == 0 || last <= d.Until-d.Window
	return best
}
