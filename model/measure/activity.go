package measure

import (
	"slices"

	"dwell/model"
)

// A plain is a measure that needs no memory of its own: the cursor's active
// days and state say all.
type plain struct {
	val func(c *Cursor) (float64, bool)
	dri func(c *Cursor) (model.Day, float64)
}

func (a *plain) reset()                               {}
func (a *plain) value(c *Cursor) (float64, bool)      { return a.val(c) }
func (a *plain) drift(c *Cursor) (model.Day, float64) { return a.dri(c) }
func still(*Cursor) (model.Day, float64)              { return Never, 0 }
func daily(*Cursor) (model.Day, float64)              { return Never, 1 }
func flag(b bool) (float64, bool)                     { return b2f(b), true }
func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func buildPlain(val func(*Cursor) (float64, bool), dri func(*Cursor) (model.Day, float64)) builder {
	return func(*Set, Ref) (maker, error) {
		a := &plain{val, dri}
		return func(*Cursor) acc { return a }, nil
	}
}

func tenure(c *Cursor) (float64, bool) { return float64(c.day - c.days[0]), true }

// recency is days since the last active day, since the first event while there
// is none.
func recency(c *Cursor) (float64, bool) {
	last := c.days[0]
	if c.na > 0 {
		last = c.act[c.na-1]
	}
	return float64(c.day - last), true
}

func activeToday(c *Cursor) (float64, bool) { return flag(c.ActiveOn()) }

// tomorrow is the drift of a yes that lasts one day.
func activeTodayDrift(c *Cursor) (model.Day, float64) {
	if c.ActiveOn() {
		return c.day + 1, 0
	}
	return Never, 0
}

func spellActive(c *Cursor) (float64, bool) {
	return float64(c.na - c.activeFrom(c.spellFrom())), true
}

// Staged reports whether the replay has put the user into a stage.
func (s State) Staged() bool { return s != State{} }

func dwell(c *Cursor) (float64, bool) {
	return float64(c.day - c.state.Since), c.state.Staged()
}

func dwellDrift(c *Cursor) (model.Day, float64) {
	if !c.state.Staged() {
		return Never, 0
	}
	return Never, 1
}

func maxDwell(c *Cursor) (float64, bool) {
	return float64(c.state.MaxDwell), c.state.MaxDwell > 0
}
func stageCode(c *Cursor) (float64, bool) {
	return float64(c.state.Stage + 1), c.state.Staged()
}
func highCode(c *Cursor) (float64, bool) {
	return float64(c.state.High + 1), c.state.Staged()
}
func spellNumber(c *Cursor) (float64, bool) {
	return float64(c.state.Spell), c.state.Staged()
}

// buildBeats counts, of the last 4 blocks of beat days ending today, cut at the
// spell's start, those that hold an active day.
func buildBeats(*Set, Ref) (maker, error) {
	block := func(c *Cursor, k int) (from, to model.Day) {
		beat := model.Day(c.beat())
		to = c.day - model.Day(k)*beat
		return max(to-beat+1, c.spellFrom()), to
	}
	a := &plain{
		val: func(c *Cursor) (float64, bool) {
			n := 0
			for k := range 4 {
				if c.activeIn(block(c, k)) > 0 {
					n++
				}
			}
			return float64(n), true
		},
		// A day passes from block to block as time goes on; the first to do so
		// is the earliest active day of some block.
		dri: func(c *Cursor) (model.Day, float64) {
			next := Never
			for k := range 4 {
				from, to := block(c, k)
				if i := c.activeFrom(from); i < c.na && c.act[i] <= to {
					next = min(next, c.act[i]+model.Day(k+1)*model.Day(c.beat()))
				}
			}
			return next, 0
		},
	}
	return func(*Cursor) acc { return a }, nil
}

// beat is the beat of the variant in force, in whole days; check has made sure
// that the model has one. A variant that gives none keeps the model's own.
func (c *Cursor) beat() float64 {
	if v := c.state.Variant; v > 0 && v < len(c.set.beats) && c.set.beats[v] >= 1 {
		return c.set.beats[v]
	}
	return c.set.beats[0]
}

// A gaps keeps the gaps between active days in order of size.
type gaps struct {
	sorted []int32
	h      int // active days taken in
}

func (g *gaps) reset() { g.sorted, g.h = g.sorted[:0], 0 }

func (g *gaps) advance(c *Cursor) {
	for ; g.h < c.na; g.h++ {
		if g.h > 0 {
			d := int32(c.act[g.h] - c.act[g.h-1])
			at, _ := slices.BinarySearch(g.sorted, d)
			g.sorted = slices.Insert(g.sorted, at, d)
		}
	}
}

// median is the middle gap, the mean of the two middle ones of an even number.
func (g *gaps) median() (float64, bool) {
	n := len(g.sorted)
	if n == 0 {
		return 0, false
	}
	return (float64(g.sorted[(n-1)/2]) + float64(g.sorted[n/2])) / 2, true
}

// A gapAcc is the median gap, known from so many active days on.
type gapAcc struct {
	gaps
	least int
}

func (a *gapAcc) value(c *Cursor) (float64, bool) {
	a.advance(c)
	m, ok := a.median()
	return m, ok && c.na >= a.least
}
func (a *gapAcc) drift(*Cursor) (model.Day, float64) { return Never, 0 }

func buildGap(least int) builder {
	return func(*Set, Ref) (maker, error) {
		return func(*Cursor) acc { return &gapAcc{least: least} }, nil
	}
}

// An overdueAcc measures silence by the user's own rhythm.
type overdueAcc struct{ gaps }

func (a *overdueAcc) scale(c *Cursor) float64 {
	a.advance(c)
	if m, _ := a.median(); c.na >= 3 {
		return max(m, c.beat())
	}
	return c.beat()
}

func (a *overdueAcc) value(c *Cursor) (float64, bool) {
	r, _ := recency(c)
	return r / a.scale(c), true
}
func (a *overdueAcc) drift(c *Cursor) (model.Day, float64) { return Never, 1 / a.scale(c) }

func buildOverdue(*Set, Ref) (maker, error) {
	return func(*Cursor) acc { return &overdueAcc{} }, nil
}

// Milestones are the pairs of the 1-3-5 rule: the n-th active day at a day
// offset under d from the first event. The source states the first two; the
// third is this program's assumption (SPEC D3).
func Milestones() [3]struct{ N, Within int } {
	return [3]struct{ N, Within int }{{1, 7}, {3, 14}, {5, 28}}
}

func milestones(c *Cursor) (float64, bool) {
	n := 0
	for _, m := range Milestones() {
		if c.na >= m.N && int(c.act[m.N-1]-c.days[0]) < m.Within {
			n++
		}
	}
	return float64(n), true
}

// A lastAcc is the last (or first) matching event's day.
type lastAcc struct {
	sel   selector
	first bool
	since bool // gives days since instead
	h     int
	day   model.Day
}

func (a *lastAcc) reset() { a.h, a.day = 0, model.NoDay }

func (a *lastAcc) value(c *Cursor) (float64, bool) {
	if a.first {
		for ; a.day == model.NoDay && a.h < c.n; a.h++ {
			if a.sel.match(c, a.h) {
				a.day = c.days[a.h]
			}
		}
	} else {
		for p := c.n - 1; p >= a.h; p-- {
			if a.sel.match(c, p) {
				a.day = c.days[p]
				break
			}
		}
		a.h = c.n
	}
	if a.day == model.NoDay {
		return 0, false
	}
	if a.since {
		return float64(c.day - a.day), true
	}
	return float64(a.day), true
}

func (a *lastAcc) drift(*Cursor) (model.Day, float64) {
	if a.since && a.day != model.NoDay {
		return Never, 1
	}
	return Never, 0
}

func buildLast(first, since bool) builder {
	return func(s *Set, r Ref) (maker, error) {
		sel := s.selector(r)
		return func(c *Cursor) acc { return &lastAcc{sel: sel.bind(c), first: first, since: since} }, nil
	}
}

// buildShare is active days over the days of the window the user has been there.
func buildShare(s *Set, r Ref) (maker, error) {
	days := model.Day(r.Days)
	from := func(c *Cursor) model.Day {
		if days == 0 {
			return c.days[0]
		}
		return max(c.days[0], c.day-days+1)
	}
	a := &plain{
		val: func(c *Cursor) (float64, bool) {
			f := from(c)
			return float64(c.activeIn(f, c.day)) / float64(c.day-f+1), true
		},
		dri: func(c *Cursor) (model.Day, float64) {
			f := from(c)
			i := c.activeFrom(f)
			switch {
			case i == c.na: // 0 of however many days
				return Never, 0
			case days == 0 || c.day-c.days[0]+1 < days: // one more day below the line each day
				return c.day + 1, 0
			}
			return c.act[i] + days, 0
		},
	}
	return func(*Cursor) acc { return a }, nil
}
