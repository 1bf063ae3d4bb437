package measure

import (
	"math"
	"slices"
	"sort"

	"dwell/model"
)

// Never is after every day.
const Never model.Day = math.MaxInt32

// A Cursor computes a Set's measures along one timeline. It belongs to one
// goroutine. After warming up it allocates nothing per user.
type Cursor struct {
	set   *Set
	cal   *model.Calendar
	roles *model.Roles
	cols  []int // where the Set's columns stand in Timeline.Props

	tl    *model.Timeline
	days  []model.Day  // of each event, ascending
	ord   []int32      // event at each place of days; nil: the same
	role  []model.Role // of each place
	act   []model.Day  // active days, ascending
	n     int          // events up to the day
	na    int          // active days up to the day
	day   model.Day
	state State

	// A value is kept while its stamp is current: the day's for measures of
	// events alone, the state's for those that know stages or a variant's beat.
	dayStamp, stateStamp, last uint64

	accs  []acc
	vals  []float64
	known []bool
	stamp []uint64
}

// Reset takes up a timeline, which must stay unchanged until the next Reset.
// The cursor stands before the first event.
func (c *Cursor) Reset(tl *model.Timeline) {
	c.tl = tl
	c.days = c.cal.Days(c.days[:0], tl)
	c.ord = c.ord[:0]
	if !slices.IsSorted(c.days) {
		c.sortByDay()
	}
	c.role, c.act = c.role[:0], c.act[:0]
	for p := range c.days {
		i := c.event(p)
		a := model.NoMoney
		if tl.Amount != nil {
			a = tl.Amount[i]
		}
		r := c.roles.Of(tl.Name[i], a)
		c.role = append(c.role, r)
		if d := c.days[p]; r.Active() && (len(c.act) == 0 || c.act[len(c.act)-1] != d) {
			c.act = append(c.act, d)
		}
	}
	c.n, c.na, c.day = 0, 0, model.NoDay
	c.state = State{}
	for _, a := range c.accs {
		a.reset()
	}
	c.bump(true)
}

// sortByDay puts dates alone and times of day, which a zone may have mixed up
// by one day, into the order of days, keeping ties. The timeline stays as it is.
func (c *Cursor) sortByDay() {
	for i := range c.days {
		c.ord = append(c.ord, int32(i))
	}
	sort.SliceStable(c.ord, func(a, b int) bool { return c.days[c.ord[a]] < c.days[c.ord[b]] })
	slices.Sort(c.days)
}

// event is the timeline's index of the event at place p of the day order.
func (c *Cursor) event(p int) int {
	if len(c.ord) == 0 {
		return p
	}
	return int(c.ord[p])
}

func (c *Cursor) bump(day bool) {
	c.last++
	c.stateStamp = c.last
	if day {
		c.dayStamp = c.last
	}
}

// At moves to a day, or stays on it with another state. Days before the one
// the cursor stands on are a caller's bug and panic: Reset first.
func (c *Cursor) At(day model.Day, st State) {
	if day < c.day {
		panic("measure: a cursor only moves forward: Reset before going back")
	}
	c.state = st
	c.bump(day != c.day)
	c.day = day
	for c.n < len(c.days) && c.days[c.n] <= day {
		c.n++
	}
	for c.na < len(c.act) && c.act[c.na] <= day {
		c.na++
	}
}

// Day is where the cursor stands.
func (c *Cursor) Day() model.Day { return c.day }

// State is the state it was given.
func (c *Cursor) State() State { return c.state }

// Set is what the cursor computes.
func (c *Cursor) Set() *Set { return c.set }

// Timeline is what Reset was given.
func (c *Cursor) Timeline() *model.Timeline { return c.tl }

// Value is the measure of slot i on the day. known is false where there is no
// value: "—", which is not zero. Booleans are 0 or 1; texts are codes into
// Set.Dict; days count from 1970-01-01.
func (c *Cursor) Value(i int) (v float64, known bool) {
	st := c.dayStamp
	if c.set.fams[i].Stage || c.set.fams[i].Beat {
		st = c.stateStamp
	}
	if c.stamp[i] != st {
		c.stamp[i] = st
		c.vals[i], c.known[i] = 0, false
		if c.n > 0 {
			c.vals[i], c.known[i] = c.accs[i].value(c)
		}
	}
	return c.vals[i], c.known[i]
}

// Text is a text measure's value, "" where missing or of another type.
func (c *Cursor) Text(i int) string {
	v, ok := c.Value(i)
	if !ok || c.set.fams[i].Type != Text {
		return ""
	}
	if p, plain := c.accs[i].(*propAcc); plain && p.key.Plain {
		return p.plain
	}
	return c.set.dicts[i][int(v)]
}

// Drift tells how the value of slot i changes if no event comes and the state
// stays: from the cursor's day until just before next it moves by slope a day
// (0: it stands still); on next it may jump. A missing value stays missing until
// next. next is Never if nothing but an event moves it. The bound is safe: a
// value never changes unannounced, though it may stay the same on next.
func (c *Cursor) Drift(i int) (next model.Day, slope float64) {
	if c.n == 0 {
		return Never, 0
	}
	c.Value(i) // bring the measure up to the day
	return c.accs[i].drift(c)
}

// NextEvent is the first day after the cursor's that holds an event, or Never.
func (c *Cursor) NextEvent() model.Day {
	if c.n < len(c.days) {
		return c.days[c.n]
	}
	return Never
}

// First is the user's first event day up to the cursor's day, or NoDay.
func (c *Cursor) First() model.Day {
	if c.n == 0 {
		return model.NoDay
	}
	return c.days[0]
}

// ActiveOn says whether the cursor's day is an active day.
func (c *Cursor) ActiveOn() bool { return c.na > 0 && c.act[c.na-1] == c.day }

// Events are the timeline's indices of the events on days from … to, both
// included, up to the cursor's day: the events behind a proof. It allocates.
func (c *Cursor) Events(from, to model.Day) (out []int) {
	for p := sort.Search(c.n, func(p int) bool { return c.days[p] >= from }); p < c.n && c.days[p] <= to; p++ {
		out = append(out, c.event(p))
	}
	return out
}

// spellFrom is where the user's spell began.
func (c *Cursor) spellFrom() model.Day {
	if c.state == (State{}) {
		return c.days[0]
	}
	return c.state.SpellFrom
}

// activeFrom is the place in act of the first active day not before d, among
// those up to the cursor's day.
func (c *Cursor) activeFrom(d model.Day) int {
	return sort.Search(c.na, func(i int) bool { return c.act[i] >= d })
}

// activeIn counts the active days from … to, both included and not after the day.
func (c *Cursor) activeIn(from, to model.Day) int {
	if to < from {
		return 0
	}
	return c.activeFrom(to+1) - c.activeFrom(from)
}
