package model

// A Reach is the range of times of some events, both ends among them; the zero
// Reach is of none.
type Reach struct {
	First, Last int64 // ms, as Timeline.Time
	Any         bool
}

// Take widens the reach to a time.
func (r *Reach) Take(ms int64) {
	if !r.Any {
		*r = Reach{ms, ms, true}
		return
	}
	r.First, r.Last = min(r.First, ms), max(r.Last, ms)
}

// Join widens the reach to another.
func (r *Reach) Join(o Reach) {
	if o.Any {
		r.Take(o.First)
		r.Take(o.Last)
	}
}

// Days are the first and the last local day that hold an event; ok is false if
// none does. Dates alone stand at their midnight in UTC and do not move with the
// zone, times of day do: which of the two comes first differs by zone.
func (in *Info) Days(cal *Calendar) (first, last Day, ok bool) {
	take := func(r Reach, cal *Calendar) {
		if !r.Any {
			return
		}
		from, to := cal.Day(r.First), cal.Day(r.Last)
		if !ok {
			first, last, ok = from, to, true
		}
		first, last = min(first, from), max(last, to)
	}
	take(in.Dates, UTC())
	take(in.Clock, cal)
	return first, last, ok
}
