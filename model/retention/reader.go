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
	ns    []int32     // how many returns stand behind each
	lives []Life
	cells []Cell

	standing map[model.Day][]Cell // by start day; of Standing

	// The start at hand: its event, local day, instant (rolling) and period.
	at    int
	day   model.Day
	start int64
	base  model.Period
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
		if at := d.soonest(k); d.Within > 0 && k > 0 && (at > d.Within || d.Rolling && at == d.Within) {
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
	if r.def.Rolling || r.def.Unit == model.Custom {
		return s + model.Day(k*r.def.days())
	}
	from, _ := r.def.Cal.Bounds(r.def.Unit, r.def.Cal.Period(r.def.Unit, s)+model.Period(k))
	return from
}

// instant is when event i happened, a date alone at its local midnight, rounded
// down to the hour of the wall clock if the definition says so.
func (r *Reader) instant(tl *model.Timeline, i int) int64 {
	if tl.IsDated(i) {
		return r.def.Cal.Begin(r.days[i])
	}
	at := tl.Time[i]
	if r.def.Hour {
		const hour = 3_600_000
		over := (at + r.def.Cal.Offset(at)) % hour
		if over < 0 {
			over += hour
		}
		at -= over
	}
	return at
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
	start := d.Start
	if d.Ever != nil {
		start = d.Ever
	}
	for i, day := range r.days {
		if day > d.AsOf {
			continue
		}
		seen = min(seen, day)
		// Dates alone may stand out of order by a day: the earliest day wins.
		if day < firstDay && start(tl, i) {
			first, firstDay = i, day
		}
	}
	if first < 0 || d.Ever != nil && !d.Start(tl, first) {
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
	l := Life{At: at, Start: r.days[at], Cohort: d.Cal.Period(d.Cohort, r.days[at]), Truncated: truncated}
	r.from(tl, at)
	r.ks, r.off, r.ns = r.ks[:0], r.off[:0], r.ns[:0]
	for i := range r.days {
		if r.days[i] > d.AsOf || !d.Return(tl, i) {
			continue
		}
		k, off, ok := r.place(tl, i)
		if !ok {
			continue
		}
		l.Again = l.Again || k == 0
		if n := len(r.ks); n > 0 && r.ks[n-1] == int32(k) && (d.Within == 0 || r.off[n-1] == int32(off)) {
			r.ns[n-1]++
			continue
		}
		r.ks = append(r.ks, int32(k))
		r.off = append(r.off, int32(off))
		r.ns = append(r.ns, 1)
	}
	streak := r.streak()
	for c, s := range r.spans {
		back := s.From == 0 && !d.ZeroBack || r.back(s, streak)
		closed := r.closed(s.To)
		if d.All {
			closed = r.Exists(l.Cohort, c)
		}
		cell := Future
		switch {
		case closed && back:
			cell = Back
		case closed:
			cell = Lost
		case !r.begun(s.From):
		case back:
			cell = RunningBack
		default:
			cell = Running
		}
		r.cells = append(r.cells, cell)
	}
	r.lives = append(r.lives, l)
}

// from makes the event at the start that place, closed and begun count from.
func (r *Reader) from(tl *model.Timeline, at int) {
	r.at, r.day = at, r.days[at]
	switch {
	case r.def.Rolling:
		r.start = r.instant(tl, at)
	case r.def.Unit != model.Custom:
		r.base = r.def.Cal.Period(r.def.Unit, r.day)
	}
}

// place is the interval of event i after the start, and its distance in days
// (rolling: whole 24 hours). ok is false for the start itself and what lies before.
func (r *Reader) place(tl *model.Timeline, i int) (k, off int64, ok bool) {
	d := &r.def
	on := r.days[i]
	if i == r.at || on < r.day {
		return 0, 0, false
	}
	switch {
	case d.Rolling:
		since := r.instant(tl, i) - r.start
		if since < 0 {
			return 0, 0, false
		}
		off = since / msDay
		k = off / int64(d.days())
	case d.Unit == model.Custom:
		off = int64(on - r.day)
		k = off / int64(d.Every)
	default:
		off = int64(on - r.day)
		k = int64(d.Cal.Period(d.Unit, on) - r.base)
	}
	// What stands before the start on its own day is no return.
	return k, off, k > 0 || i > r.at
}

// Place is the interval in which event i lies for a life of the last Read; 0 for
// the start itself. ok is false for events before it and after the as-of day.
func (r *Reader) Place(tl *model.Timeline, l Life, i int) (k int, ok bool) {
	if r.days[i] > r.def.AsOf {
		return 0, false
	}
	if i == l.At {
		return 0, true
	}
	if r.at != l.At || r.day != l.Start {
		r.from(tl, l.At)
	}
	at, _, ok := r.place(tl, i)
	return int(at), ok
}

const msDay = 86_400_000

// closed says whether interval k has ended for the user at hand: s + (k+1)L ≤ T
// rolling, end of interval(s)+k ≤ T by calendar. With equal follow-up, those H
// days must have passed as well.
func (r *Reader) closed(k int) bool {
	d := &r.def
	switch {
	case d.Within > 0 && d.Rolling:
		return r.start+int64(d.Within)*msDay <= r.until
	case d.Within > 0:
		return r.day+model.Day(d.Within) <= d.AsOf
	case d.Rolling:
		return r.start+int64(k+1)*int64(d.days())*msDay <= r.until
	case d.Unit == model.Custom:
		return r.day+model.Day((k+1)*d.Every)-1 <= d.AsOf
	}
	_, to := d.Cal.Bounds(d.Unit, r.base+model.Period(k))
	return to-1 <= d.AsOf
}

// begun says whether interval k has begun by T.
func (r *Reader) begun(k int) bool {
	if r.def.Rolling {
		return r.start+int64(k)*int64(r.def.days())*msDay < r.until
	}
	return r.begin(r.day, k) <= r.def.AsOf
}

// streak is how many intervals from 1 on have enough returns without a gap.
func (r *Reader) streak() int {
	if r.def.Mode != Streak {
		return 0
	}
	for n := 0; ; n++ {
		if !r.enough(Span{n + 1, n + 1}) {
			return n
		}
	}
}

// back says whether the life returned in a column.
func (r *Reader) back(s Span, streak int) bool {
	switch {
	case r.def.Mode == OnOrAfter:
		s.To = math.MaxInt32
	case r.def.Mode == Streak && s.To > 0:
		return streak >= s.To
	}
	return r.enough(s)
}

// enough says whether the span holds as many returns as the definition asks for,
// within the equal follow-up if there is one.
func (r *Reader) enough(s Span) bool {
	d := &r.def
	n := 0
	for i, k := range r.ks {
		if int(k) < s.From || int(k) > s.To {
			continue
		}
		if off := int(r.off[i]); d.Within > 0 && (off > d.Within || d.Rolling && off == d.Within) {
			continue
		}
		if n += int(r.ns[i]); n >= max(d.Least, 1) {
			return true
		}
	}
	return false
}
