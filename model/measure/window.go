package measure

import (
	"sort"

	"dwell/model"
)

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
	if s.days > 0 && s.t == s.h { // nothing inside: what is too old already need not pass through
		for s.h < c.n && c.days[s.h] <= c.day-model.Day(s.days) {
			s.h++
		}
		s.t = s.h
	}
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

// buildActiveDays reads the cursor's own list where no condition narrows it.
func buildActiveDays(s *Set, r Ref) (maker, error) {
	if r.Where != nil {
		return windowed(0, func(*Set, Ref) (func() tally, error) {
			return func() tally { return &dayCounter{} }, nil
		})(s, r)
	}
	days := model.Day(r.Days)
	a := &plain{
		val: func(c *Cursor) (float64, bool) {
			if days == 0 {
				return float64(c.na), true
			}
			return float64(c.na - c.activeFrom(c.day-days+1)), true
		},
		dri: func(c *Cursor) (model.Day, float64) {
			if days > 0 {
				if i := c.activeFrom(c.day - days + 1); i < c.na {
					return c.act[i] + days, 0
				}
			}
			return Never, 0
		},
	}
	return func(*Cursor) acc { return a }, nil
}

// buildEvents counts places of the day order where no condition narrows it.
func buildEvents(s *Set, r Ref) (maker, error) {
	if r.Where != nil {
		return windowed(0, buildCount)(s, r)
	}
	days := model.Day(r.Days)
	from := func(c *Cursor) int {
		if days == 0 {
			return 0
		}
		return sort.Search(c.n, func(p int) bool { return c.days[p] > c.day-days })
	}
	a := &plain{
		val: func(c *Cursor) (float64, bool) { return float64(c.n - from(c)), true },
		dri: func(c *Cursor) (model.Day, float64) {
			if p := from(c); days > 0 && p < c.n {
				return c.days[p] + days, 0
			}
			return Never, 0
		},
	}
	return func(*Cursor) acc { return a }, nil
}

// A sessionCounter counts active events that follow the active event before
// them by more than 30 minutes, or none. A date alone stands at midnight.
type sessionCounter struct{ n int }

// SessionGap is the longest silence within a session, in ms: a gap strictly
// longer starts a new one (SPEC 2).
const SessionGap = 30 * 60 * 1000

func (t *sessionCounter) clear() { t.n = 0 }
func (t *sessionCounter) put(c *Cursor, p, sign int) {
	if !c.role[p].Active() {
		return
	}
	before := p - 1
	for before >= 0 && !c.role[before].Active() {
		before--
	}
	if before < 0 || c.tl.Time[c.event(p)]-c.tl.Time[c.event(before)] > SessionGap {
		t.n += sign
	}
}
func (t *sessionCounter) value(*Cursor) (float64, bool) { return float64(t.n), true }

func buildSessions(*Set, Ref) (func() tally, error) {
	return func() tally { return &sessionCounter{} }, nil
}
