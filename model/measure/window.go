package measure

import "dwell/model"

// A selector says which events a measure counts.
type selector struct {
	name  model.NameID
	named bool
	role  model.Role
	where Where
	cols  []int // of the Set's columns, for where
}

func (s *Set) selector(r Ref) selector {
	sel := selector{role: r.Role, where: r.Where}
	if r.Event != "" {
		sel.name, sel.named = model.NameID(s.schema.Info.NameIndex(r.Event)), true
	}
	if r.Where != nil {
		for _, col := range r.Where.Columns() {
			sel.cols = append(sel.cols, s.column(col))
		}
	}
	return sel
}

// bind turns places among the Set's columns into places in the timeline.
func (sel selector) bind(c *Cursor) selector {
	cols := make([]int, len(sel.cols))
	for i, at := range sel.cols {
		cols[i] = c.cols[at]
	}
	sel.cols = cols
	return sel
}

// match decides the event at place p.
func (sel *selector) match(c *Cursor, p int) bool {
	if sel.role != 0 && c.role[p]&sel.role == 0 {
		return false
	}
	if !sel.named && sel.where == nil {
		return true
	}
	i := c.event(p)
	return (!sel.named || c.tl.Name[i] == sel.name) && (sel.where == nil || sel.where.Match(c.tl, sel.cols, i))
}

// A slide keeps a window over the events: those at places [t, h) of the day
// order that match have been put in and not yet taken out.
type slide struct {
	sel  selector
	days int // 0: the whole past
	h, t int
}

// advance brings the window to the cursor's day, calling put for each event as
// it enters (+1) and leaves (-1).
func (s *slide) advance(c *Cursor, put func(p, sign int)) {
	for ; s.h < c.n; s.h++ {
		if s.sel.match(c, s.h) {
			put(s.h, +1)
		}
	}
	if s.days == 0 {
		return
	}
	for ; s.t < s.h; s.t++ {
		hit := s.sel.match(c, s.t)
		if hit && c.days[s.t] > c.day-model.Day(s.days) {
			break // t stays on the oldest event inside, for next
		}
		if hit {
			put(s.t, -1)
		}
	}
}

// next is the day on which the oldest event leaves the window.
func (s *slide) next(c *Cursor) model.Day {
	if s.days == 0 || s.t >= s.h {
		return Never
	}
	return c.days[s.t] + model.Day(s.days)
}

// A tally is what a windowed measure adds up.
type tally interface {
	clear()
	put(c *Cursor, p, sign int)
	value(c *Cursor) (float64, bool)
}

// A windowAcc is a measure that adds something up over the events of a window.
type windowAcc struct {
	slide
	tally tally
	c     *Cursor
	fn    func(p, sign int) // made once, so that advancing allocates nothing
}

func newWindow(c *Cursor, sel selector, days int, t tally) *windowAcc {
	w := &windowAcc{slide: slide{sel: sel.bind(c), days: days}, tally: t, c: c}
	w.fn = func(p, sign int) { w.tally.put(w.c, p, sign) }
	return w
}

func (w *windowAcc) reset() { w.h, w.t = 0, 0; w.tally.clear() }

func (w *windowAcc) value(c *Cursor) (float64, bool) {
	w.advance(c, w.fn)
	return w.tally.value(c)
}

func (w *windowAcc) drift(c *Cursor) (model.Day, float64) { return w.next(c), 0 }

// windowed makes the builder of a windowed measure.
func windowed(role model.Role, mk func(s *Set, r Ref) (func() tally, error)) builder {
	return func(s *Set, r Ref) (maker, error) {
		if role != 0 {
			r.Role = role
		}
		sel := s.selector(r)
		t, err := mk(s, r)
		if err != nil {
			return nil, err
		}
		days := r.Days
		return func(c *Cursor) acc { return newWindow(c, sel, days, t()) }, nil
	}
}

// A counter counts events.
type counter struct{ n int }

func (t *counter) clear()                        { t.n = 0 }
func (t *counter) put(_ *Cursor, _, sign int)    { t.n += sign }
func (t *counter) value(*Cursor) (float64, bool) { return float64(t.n), true }

func buildCount(*Set, Ref) (func() tally, error) { return func() tally { return &counter{} }, nil }

// A dayCounter counts active days that hold a matching event. Events come in
// the order of days and leave in the same order, so two marks tell new days.
type dayCounter struct {
	n       int
	in, out model.Day
}

func (t *dayCounter) clear() { t.n, t.in, t.out = 0, model.NoDay, model.NoDay }
func (t *dayCounter) put(c *Cursor, p, sign int) {
	if !c.role[p].Active() {
		return
	}
	mark := &t.in
	if sign < 0 {
		mark = &t.out
	}
	if d := c.days[p]; d != *mark {
		*mark = d
		t.n += sign
	}
}
func (t *dayCounter) value(*Cursor) (float64, bool) { return float64(t.n), true }

func buildActiveDays(*Set, Ref) (func() tally, error) {
	return func() tally { return &dayCounter{} }, nil
}

// A sessionCounter counts active events that follow the active event before
// them by more than 30 minutes, or none. A date alone stands at midnight.
type sessionCounter struct {
	n     int
	place int  // of the last active event looked at
	seen  bool // place holds
	first []bool
}

// SessionGap is the longest silence within a session, in ms: a gap strictly
// longer starts a new one (SPEC 2).
const SessionGap = 30 * 60 * 1000

func (t *sessionCounter) clear() { t.n, t.seen, t.first = 0, false, t.first[:0] }
func (t *sessionCounter) put(c *Cursor, p, sign int) {
	if sign < 0 {
		if t.first[p] {
			t.n--
		}
		return
	}
	for len(t.first) <= p {
		t.first = append(t.first, false)
	}
	if !c.role[p].Active() {
		return
	}
	at := c.tl.Time[c.event(p)]
	if !t.seen || at-c.tl.Time[c.event(t.place)] > SessionGap {
		t.first[p] = true
		t.n++
	}
	t.place, t.seen = p, true
}
func (t *sessionCounter) value(*Cursor) (float64, bool) { return float64(t.n), true }

func buildSessions(*Set, Ref) (func() tally, error) {
	return func() tally { return &sessionCounter{} }, nil
}
