package retention

import (
	"math"

	"dwell/model"
)

// A Cell is one user's standing in one column.
type Cell uint8

const (
	// Future: no moment of the interval has come yet.
	Future Cell = iota
	// Running: the interval has begun but not ended for this user.
	Running
	// RunningBack: so, and the user has returned already.
	RunningBack
	// Lost: the interval is closed and brought no return.
	Lost
	// Back: the interval is closed and brought one.
	Back
)

// Closed says whether the user belongs to the denominator.
func (c Cell) Closed() bool { return c >= Lost }

// A Life is one start of a user and what followed. Cells is valid until the
// Reader's next Read.
type Life struct {
	At        int       // index of the start event
	Start     model.Day // local day of the start
	Cohort    model.Period
	Truncated bool   // first seen so early that the true start may lie before the data
	Again     bool   // a return within interval 0, after the start event
	Cells     []Cell // one a column
}

// A Reader reads timelines under one definition. It keeps scratch space: one a
// goroutine.
type Reader struct {
	def   Definition
	until int64 // first instant after T
	spans []Span

	days  []model.Day // of the timeline at hand
	own   []model.Day // room for them
	ks    []int32     // interval of each return of the life at hand
	off   []int32     // days (rolling: whole 24 hours) from the start of each return
	lives []Life
	cells []Cell
}

// New makes a reader, or says what does not go together.
func New(d Definition) (*Reader, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	r := &Reader{def: d, until: d.Cal.Begin(d.AsOf + 1)}
	if d.Mode == Bracket {
		r.spans = d.Spans
		return r, nil
	}
	for k := 0; k <= d.Intervals; k++ {
		// A return "on or after k" can lie within H days only if k can.
		if d.Within > 0 && k > 0 && (k-1)*d.days()+1 > d.Within {
			break
		}
		r.spans = append(r.spans, Span{k, k})
	}
	return r, nil
}

// Columns are the intervals of each column; From and To differ only in Bracket.
func (r *Reader) Columns() []Span { return r.spans }

// Exists says whether column c of a cohort has begun by the as-of day for the
// earliest user it can hold. Cells of columns that do not exist are blank.
func (r *Reader) Exists(cohort model.Period, c int) bool {
	first, _ := r.def.Cal.Bounds(r.def.Cohort, cohort)
	return r.begin(first, r.spans[c].From) <= r.def.AsOf
}

// begin is the first day of interval k of a user who started on day s, to the
// day: a rolling interval begins at some hour of it.
func (r *Reader) begin(s model.Day, k int) model.Day {
	if k == 0 {
		return s
	}
	if r.def.Rolling {
		return s + model.Day(k*r.def.days())
	}
	from, _ := r.def.Cal.Bounds(r.def.Unit, r.def.Cal.Period(r.def.Unit, s)+model.Period(k))
	return from
}

// instant is when event i happened, a date alone at its local midnight.
func (r *Reader) instant(tl *model.Timeline, i int) int64 {
	if tl.IsDated(i) {
		return r.def.Cal.Begin(r.days[i])
	}
	return tl.Time[i]
}

// Read gives the user's lives: none if the user never started, one in the
// ordinary case, one for each period with a start if Definition.Each. The
// timeline must hold the whole history from its beginning; it is not changed.
// days are the events' local days where the caller has them (Calendar.Days);
// nil asks the calendar.
func (r *Reader) Read(tl *model.Timeline, days []model.Day) []Life {
	d := &r.def
	if days == nil {
		r.own = d.Cal.Days(r.own[:0], tl)
		days = r.own
	}
	r.days = days
	r.lives, r.cells = r.lives[:0], r.cells[:0]
	seen := model.Day(math.MaxInt32)
	first, firstDay := -1, model.Day(math.MaxInt32)
	for i, day := range r.days {
		if day > d.AsOf {
			continue
		}
		seen = min(seen, day)
		// Dates alone may stand out of order by a day: the earliest day wins.
		if day < firstDay && d.Start(tl, i) {
			first, firstDay = i, day
		}
	}
	if first < 0 {
		return nil
	}
	truncated := d.SeenBefore != model.NoDay && seen < d.SeenBefore
	r.life(tl, first, truncated)
	if d.Each {
		last := d.Cal.Period(d.Cohort, firstDay)
		for i, day := range r.days {
			if day > d.AsOf || day <= firstDay {
				continue
			}
			if p := d.Cal.Period(d.Cohort, day); p > last && d.Start(tl, i) {
				last = p
				r.life(tl, i, truncated)
			}
		}
	}
	for i := range r.lives {
		n := len(r.spans)
		r.lives[i].Cells = r.cells[i*n : (i+1)*n : (i+1)*n]
	}
	return r.lives
}

// life appends the life that begins with event at.
func (r *Reader) life(tl *model.Timeline, at int, truncated bool) {
	d := &r.def
	day := r.days[at]
	l := Life{At: at, Start: day, Cohort: d.Cal.Period(d.Cohort, day), Truncated: truncated}
	var start int64
	base := d.Cal.Period(d.Unit, day)
	if d.Rolling {
		start = r.instant(tl, at)
	}
	r.ks, r.off = r.ks[:0], r.off[:0]
	for i, on := range r.days {
		if i == at || on > d.AsOf || on < day || !d.Return(tl, i) {
			continue
		}
		var k, off int64
		if d.Rolling {
			since := r.instant(tl, i) - start
			if since < 0 {
				continue
			}
			off = since / msDay
			k = off / int64(d.days())
		} else {
			off = int64(on - day)
			k = int64(d.Cal.Period(d.Unit, on) - base)
		}
		if k == 0 && i < at {
			continue // before the start, on its day
		}
		l.Again = l.Again || k == 0
		if n := len(r.ks); n > 0 && r.ks[n-1] == int32(k) && (d.Within == 0 || r.off[n-1] == int32(off)) {
			continue
		}
		r.ks = append(r.ks, int32(k))
		r.off = append(r.off, int32(off))
	}
	streak := r.streak()
	for c, s := range r.spans {
		back := s.From == 0 || r.back(s, streak)
		closed := r.closed(day, start, s.To)
		if d.All {
			closed = r.Exists(l.Cohort, c)
		}
		cell := Future
		switch {
		case closed && back:
			cell = Back
		case closed:
			cell = Lost
		case !r.begun(day, start, s.From):
		case back:
			cell = RunningBack
		default:
			cell = Running
		}
		r.cells = append(r.cells, cell)
	}
	r.lives = append(r.lives, l)
}

const msDay = 86_400_000

// closed says whether interval k has ended for a user who started on day s (at
// instant start): s + (k+1)L ≤ T rolling, end of interval(s)+k ≤ T by calendar.
// With equal follow-up, those H days must have passed as well.
func (r *Reader) closed(s model.Day, start int64, k int) bool {
	d := &r.def
	if d.Within > 0 {
		if d.Rolling {
			return start+int64(d.Within)*msDay <= r.until
		}
		return s+model.Day(d.Within) <= d.AsOf
	}
	if d.Rolling {
		return start+int64(k+1)*int64(d.days())*msDay <= r.until
	}
	_, to := d.Cal.Bounds(d.Unit, d.Cal.Period(d.Unit, s)+model.Period(k))
	return to-1 <= d.AsOf
}

// begun says whether interval k has begun by T.
func (r *Reader) begun(s model.Day, start int64, k int) bool {
	if r.def.Rolling {
		return start+int64(k)*int64(r.def.days())*msDay < r.until
	}
	return r.begin(s, k) <= r.def.AsOf
}

// streak is how many intervals from 1 on have a return without a gap.
func (r *Reader) streak() int {
	if r.def.Mode != Streak {
		return 0
	}
	n := int32(0)
	for again := true; again; {
		// Returns stand in interval order but for dates alone, out by one day.
		again = false
		for _, k := range r.ks {
			if k == n+1 {
				n, again = k, true
			}
		}
	}
	return int(n)
}

// back says whether the life returned in a column.
func (r *Reader) back(s Span, streak int) bool {
	switch r.def.Mode {
	case Streak:
		return streak >= s.To
	case OnOrAfter:
		for i, k := range r.ks {
			in := r.def.Within == 0 || int(r.off[i]) < r.def.Within || !r.def.Rolling && int(r.off[i]) == r.def.Within
			if int(k) >= s.From && in {
				return true
			}
		}
		return false
	}
	for _, k := range r.ks {
		if int(k) >= s.From && int(k) <= s.To {
			return true
		}
	}
	return false
}
