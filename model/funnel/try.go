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
		if events[i].Out != 0 && steps == 0 && r.def.Exclusion != None {
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
	t.Depth, t.At[0] = 1, entry
	switch d.Order {
	case Any:
		r.tryAny(&t, entry, end)
	case Exact:
		r.tryExact(&t, end)
	default:
		r.tryThis(&t, end)
	}
	return t, r.exclude(&t, end)
}

// exclude ends a try at the first event that is excluded where it stands: between
// the step reached before it and the next one, or the window's end. What is
// excluded after the conversion does not matter. Each prefix of a try is the try of
// the events so far, so cutting it afterwards is the same as stopping there.
func (r *Reader) exclude(t *Result, end int64) (void bool) {
	if len(r.out) == 0 {
		return false
	}
	front := t.At[0] // last in order of the steps so far
	for k := 0; k < r.def.Steps-1; k++ {
		next, reached := r.n, k+1 < t.Depth
		if reached {
			next = t.At[k+1]
		}
		at := sort.Search(len(r.out), func(j int) bool { return int(r.out[j]) > front })
		for ; at < len(r.out) && int(r.out[at]) < next && r.ev[r.out[at]].At <= end; at++ {
			if r.ev[r.out[at]].Out>>k&1 != 0 {
				t.Depth, t.Stopped = k+1, r.def.Exclusion == Stop
				clear(t.At[t.Depth:])
				return r.def.Exclusion == Remove
			}
		}
		if !reached {
			return false
		}
		front = max(front, next)
	}
	return false
}

// tryThis takes for each step the earliest event that may be it. Arriving as early
// as possible at a step leaves the most room for the next, so no other choice
// goes deeper (with grace 0; with grace it is the definition).
func (r *Reader) tryThis(t *Result, end int64) {
	front := t.At[0] // last in order of the events taken
	for k := 1; k < r.def.Steps; k++ {
		p, ok := after(r.on[k], front)
		if r.def.Grace > 0 {
			p, ok = r.within(t, k, r.ev[front].At-r.def.Grace)
		}
		if !ok || r.ev[p].At > end {
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
func (r *Reader) tryExact(t *Result, end int64) {
	for k := 1; k < r.def.Steps; k++ {
		p := t.At[k-1] + 1
		if p >= r.n || r.ev[p].At > end || r.ev[p].Steps>>k&1 == 0 {
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
func (r *Reader) tryAny(t *Result, entry int, end int64) {
	m := r.def.Steps
	r.places = r.places[:0]
	for k := range m {
		places := r.on[k]
		at := sort.Search(len(places), func(j int) bool { return int(places[j]) >= entry })
		for _, p := range places[at:min(at+m, len(places))] {
			if r.ev[p].At > end {
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
