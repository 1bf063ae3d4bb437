package funnel

import (
	"math"
	"slices"
	"sort"
)

// index notes where each step and each excluded event stands, so that a try jumps
// from step to step and users with a hundred thousand events do not cost the
// square of them.
func (r *Reader) index(events []Event) {
	r.ev, r.n = events, sort.Search(len(events), func(i int) bool { return events[i].At >= r.def.Until })
	for k := range r.def.Steps {
		r.on[k] = r.on[k][:0]
	}
	r.out = r.out[:0]
	for i := range r.n {
		steps := events[i].Steps
		for k := 0; k < r.def.Steps && steps>>k != 0; k++ {
			if steps>>k&1 != 0 {
				r.on[k] = append(r.on[k], int32(i))
			}
		}
		if events[i].Out && steps == 0 && r.def.Exclusion != None {
			r.out = append(r.out, int32(i))
		}
	}
}

// allSteps are the places of events that may be any step.
func (r *Reader) allSteps() []int32 {
	r.any = r.any[:0]
	for i := range r.n {
		if r.ev[i].Steps != 0 {
			r.any = append(r.any, int32(i))
		}
	}
	return r.any
}

// after is the first of ascending places that is greater than i; ok is false if
// there is none.
func after(places []int32, i int) (p int, ok bool) {
	at := sort.Search(len(places), func(j int) bool { return int(places[j]) > i })
	if at == len(places) {
		return 0, false
	}
	return int(places[at]), true
}

// try follows the funnel from an entry. void says that an excluded event makes it
// count for nothing.
func (r *Reader) try(entry int) (t Result, void bool) {
	d := &r.def
	end := int64(math.MaxInt64)
	if at := r.ev[entry].At; d.Window > 0 && at <= math.MaxInt64-d.Window {
		end = at + d.Window
	}
	limit, excluded := r.n, false // events from limit on are not looked at
	out, ok := after(r.out, entry)
	if ok && r.ev[out].At <= end {
		excluded = true
		if d.Exclusion == Stop {
			limit = out
		}
	}
	t.Depth, t.At[0] = 1, entry
	switch d.Order {
	case Any:
		r.tryAny(&t, entry, limit, end)
	case Exact:
		r.tryExact(&t, limit, end)
	default:
		r.tryThis(&t, limit, end)
	}
	if t.Depth == d.Steps {
		// What is excluded after the conversion does not matter.
		return t, excluded && d.Exclusion == Remove && out < slices.Max(t.At[:t.Depth])
	}
	t.Stopped = excluded && d.Exclusion == Stop
	return t, excluded && d.Exclusion == Remove
}

// tryThis takes for each step the earliest event that may be it. Arriving as early
// as possible at a step leaves the most room for the next, so no other choice
// goes deeper (with grace 0; with grace it is the definition).
func (r *Reader) tryThis(t *Result, limit int, end int64) {
	front := t.At[0] // last in order of the events taken
	for k := 1; k < r.def.Steps; k++ {
		p, ok := after(r.on[k], front)
		if r.def.Grace > 0 {
			p, ok = r.within(t, k, r.ev[front].At-r.def.Grace)
		}
		if !ok || p >= limit || r.ev[p].At > end {
			return
		}
		t.At[k], t.Depth = p, k+1
		front = max(front, p)
	}
}

// within is the first event from a time on that may be step k and is not taken.
func (r *Reader) within(t *Result, k int, from int64) (int, bool) {
	places := r.on[k]
	at := sort.Search(len(places), func(j int) bool { return r.ev[places[j]].At >= from })
	for ; at < len(places); at++ {
		if p := int(places[at]); !slices.Contains(t.At[:t.Depth], p) {
			return p, true
		}
	}
	return 0, false
}

// tryExact asks each next event whether it is the next step.
func (r *Reader) tryExact(t *Result, limit int, end int64) {
	for k := 1; k < r.def.Steps; k++ {
		p := t.At[k-1] + 1
		if p >= limit || r.ev[p].At > end || r.ev[p].Steps>>k&1 == 0 {
			return
		}
		t.At[k], t.Depth = p, k+1
	}
}

// tryAny matches events to steps: the depth at an event is the greatest number of
// steps that the events so far can be, one each. Steps may overlap (any event, and
// a purchase), so an event already matched may have to make room: an augmenting
// path, as in bipartite matching. Of each step the first Steps events suffice, for
// the others take at most Steps − 1 of them.
func (r *Reader) tryAny(t *Result, entry, limit int, end int64) {
	m := r.def.Steps
	r.places = r.places[:0]
	for k := range m {
		places := r.on[k]
		at := sort.Search(len(places), func(j int) bool { return int(places[j]) >= entry })
		for _, p := range places[at:min(at+m, len(places))] {
			if int(p) >= limit || r.ev[p].At > end {
				break
			}
			r.places = append(r.places, p)
		}
	}
	slices.Sort(r.places)
	for k := range r.owner {
		r.owner[k] = -1
	}
	t.Depth = 0
	for _, p := range slices.Compact(r.places) {
		r.seen = 0
		if t.Depth < m && r.augment(p) {
			t.At[t.Depth] = int(p)
			t.Depth++
		}
	}
}

// augment finds a step for the event, moving others if it must.
func (r *Reader) augment(p int32) bool {
	for k := range r.def.Steps {
		if r.ev[p].Steps>>k&1 == 0 || r.seen>>k&1 != 0 {
			continue
		}
		r.seen |= 1 << k
		if r.owner[k] < 0 || r.augment(r.owner[k]) {
			r.owner[k] = p
			return true
		}
	}
	return false
}
