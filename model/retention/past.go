package retention

import (
	"math"
	"slices"

	"dwell/model"
)

// A Past is what retention by calendar periods needs of one user, for one pair
// of start and return: a few bytes instead of all events. Every question about
// that pair (any unit, mode, cohort or number of intervals) is answered from it
// exactly as from the timeline, which is how a segment is re-cut without reading
// an event.
type Past struct {
	Start model.Day
	Seen  model.Day   // of the first event of any kind
	Dated bool        // the start is a date alone
	Again bool        // a return on the start's own day, after it
	Days  []model.Day // with a return, after Start, ascending, each once
}

// Plain says whether lives under the definition follow from a Past: calendar
// periods, one start a user, one return enough.
func (d *Definition) Plain() bool {
	return !d.Rolling && !d.Each && !d.ZeroBack && d.Least <= 1 && d.Ever == nil
}

// Past reads a timeline as Read does, days being its events' local days in
// order; false if the user never started. Days of p is used again.
func (r *Reader) Past(tl *model.Timeline, days []model.Day, p *Past) bool {
	d := &r.def
	*p = Past{Start: math.MaxInt32, Seen: math.MaxInt32, Days: p.Days[:0]}
	at := -1
	for i, day := range days {
		if day > d.AsOf {
			continue
		}
		p.Seen = min(p.Seen, day)
		if day < p.Start && d.Start(tl, i) {
			at, p.Start = i, day
			if p.Seen == day && i+1 < len(days) && days[i+1] >= day {
				break // the days go on from here in order
			}
		}
	}
	if at < 0 {
		return false
	}
	p.Dated = tl.IsDated(at)
	last, sorted := p.Start, true
	for i, day := range days {
		switch {
		case i == at || day > d.AsOf || day < p.Start || day == last && day != p.Start:
		case day == p.Start:
			p.Again = p.Again || i > at && d.Return(tl, i)
		case d.Return(tl, i):
			sorted = sorted && day > last
			last = day
			p.Days = append(p.Days, day)
		}
	}
	if !sorted {
		slices.Sort(p.Days)
		p.Days = slices.Compact(p.Days)
	}
	return true
}

// Truncated says that the true start may lie before the data.
func (r *Reader) Truncated(p *Past) bool {
	return r.def.SeenBefore != model.NoDay && p.Seen < r.def.SeenBefore
}

// Cohort is the row of users who start on a day.
func (r *Reader) Cohort(start model.Day) model.Period {
	return r.def.Cal.Period(r.def.Cohort, start)
}

// Standing is where a user who started on a day and never came back stands in
// each column: Lost, Running or Future. It is kept for the next user of that day.
func (r *Reader) Standing(start model.Day) []Cell {
	if cells, ok := r.standing[start]; ok {
		return cells
	}
	d := &r.def
	r.at, r.day = -1, start
	if d.Unit != model.Custom {
		r.base = d.Cal.Period(d.Unit, start)
	}
	cells := make([]Cell, len(r.spans))
	for c, s := range r.spans {
		closed := r.closed(s.To)
		if d.All {
			closed = r.Exists(r.Cohort(start), c)
		}
		switch {
		case closed:
			cells[c] = Lost
		case r.begun(s.From):
			cells[c] = Running
		}
	}
	if r.standing == nil {
		r.standing = map[model.Day][]Cell{}
	}
	r.standing[start] = cells
	return cells
}

// Returned is the cell of a user who did come back, where one who did not stands
// in c.
func (c Cell) Returned() Cell {
	switch c {
	case Lost:
		return Back
	case Running:
		return RunningBack
	}
	return c
}

// Backs appends to dst the columns in which the user of a Plain definition has
// come back, ascending; interval 0 is one of them by definition.
func (r *Reader) Backs(dst []int32, p *Past) []int32 {
	d := &r.def
	base := model.Period(0)
	if d.Unit != model.Custom {
		base = d.Cal.Period(d.Unit, p.Start)
	}
	interval := func(day model.Day) int {
		switch d.Unit {
		case model.Daily:
			return int(day - p.Start)
		case model.Custom:
			return int(day-p.Start) / d.Every
		}
		return int(d.Cal.Period(d.Unit, day) - base)
	}
	n := len(r.spans)
	switch d.Mode {
	case On:
		if n > 0 {
			dst = append(dst, 0)
		}
		last := 0
		for _, day := range p.Days {
			k := interval(day)
			if k >= n {
				break
			}
			if k > last {
				dst = append(dst, int32(k))
				last = k
			}
		}
	case OnOrAfter, Streak:
		reach := 0 // columns 0 … reach
		for _, day := range p.Days {
			k := interval(day)
			switch {
			case d.Within > 0 && int(day-p.Start) > d.Within:
			case d.Mode == OnOrAfter || k == reach+1:
				reach = max(reach, k)
			}
		}
		for c := range min(reach+1, n) {
			dst = append(dst, int32(c))
		}
	case Bracket:
		for c, s := range r.spans {
			back := s.From == 0
			for _, day := range p.Days {
				if k := interval(day); back || k > s.To {
					break
				} else if k >= s.From {
					back = true
				}
			}
			if back {
				dst = append(dst, int32(c))
			}
		}
	}
	return dst
}
