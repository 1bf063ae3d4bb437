package funnel

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

const minute = 60_000

func read(t interface {
	Helper()
	Fatal(...any)
}, d Definition, events []Event) Result {
	t.Helper()
	r, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	return r.Read(events)
}

// SPEC V7: A 13:00, A 13:30, B 13:45, C 14:15, window 1 h. The first try stops
// after B; the best converts, from 13:30 in 45 minutes.
func TestV7Window(t *testing.T) {
	ev := []Event{{At: 780 * minute, Steps: 1}, {At: 810 * minute, Steps: 1}, {At: 825 * minute, Steps: 2}, {At: 855 * minute, Steps: 4}}
	d := Definition{Steps: 3, Window: 60 * minute, Until: 2000 * minute}
	if got := read(t, d, ev); got.Depth != 2 || got.At[0] != 0 || !got.Closed {
		t.Errorf("first try: %+v", got)
	}
	d.Best = true
	got := read(t, d, ev)
	if got.Depth != 3 || got.At[0] != 1 || ev[got.At[2]].At-ev[got.At[0]].At != 45*minute {
		t.Errorf("best try: %+v", got)
	}
}

func TestCases(t *testing.T) {
	a, b, c, x, o := Event{Steps: 1}, Event{Steps: 2}, Event{Steps: 4}, Event{Out: Everywhere}, Event{}
	late := Event{Out: Between(2, 3)}
	for _, tc := range []struct {
		name string
		d    Definition
		ev   []Event // a minute apart
		want Result
	}{
		{"others may come between", Definition{Steps: 3}, []Event{o, a, o, b, o, c}, Result{Depth: 3, At: [MaxSteps]int{1, 3, 5}, Closed: true}},
		{"exact takes no others", Definition{Steps: 3, Order: Exact}, []Event{a, b, o, c}, Result{Depth: 2, At: [MaxSteps]int{0, 1}, Closed: true}},
		{"exact, best", Definition{Steps: 3, Order: Exact, Best: true}, []Event{a, a, b, c}, Result{Depth: 3, At: [MaxSteps]int{1, 2, 3}, Closed: true}},
		{"any order", Definition{Steps: 3, Order: Any}, []Event{c, c, a, b}, Result{Depth: 3, At: [MaxSteps]int{0, 2, 3}, Closed: true}},
		{"this order is an order", Definition{Steps: 3}, []Event{c, b, a}, Result{Depth: 1, At: [MaxSteps]int{2}, Closed: true}},
		{"stop keeps the steps so far", Definition{Steps: 3, Exclusion: Stop}, []Event{a, b, x, c}, Result{Depth: 2, At: [MaxSteps]int{0, 1}, Closed: true, Stopped: true}},
		{"remove takes all", Definition{Steps: 3, Exclusion: Remove}, []Event{a, b, x, c}, Result{Closed: true, Removed: true}},
		{"after the conversion nothing is removed", Definition{Steps: 2, Exclusion: Remove}, []Event{x, a, b, x}, Result{Depth: 2, At: [MaxSteps]int{1, 2}, Closed: true}},
		{"another try is not removed", Definition{Steps: 2, Exclusion: Remove, Best: true}, []Event{a, x, a, b}, Result{Depth: 2, At: [MaxSteps]int{2, 3}, Closed: true}},
		{"before its gap nothing is stopped", Definition{Steps: 3, Exclusion: Stop}, []Event{a, late, b, c}, Result{Depth: 3, At: [MaxSteps]int{0, 2, 3}, Closed: true}},
		{"in its gap it is", Definition{Steps: 3, Exclusion: Stop}, []Event{a, b, late, c}, Result{Depth: 2, At: [MaxSteps]int{0, 1}, Closed: true, Stopped: true}},
		{"a gap of two", Definition{Steps: 4, Exclusion: Remove}, []Event{a, {Out: Between(1, 3)}, b, c}, Result{Closed: true, Removed: true}},
		{"in any order the steps done count", Definition{Steps: 3, Order: Any, Exclusion: Stop}, []Event{c, late, a, late, b}, Result{Depth: 2, At: [MaxSteps]int{0, 2}, Closed: true, Stopped: true}},
		{"beyond the window nothing is removed", Definition{Steps: 2, Exclusion: Remove, Window: 2 * minute}, []Event{a, o, o, x}, Result{Depth: 1, Closed: true}},
		{"the window is inclusive", Definition{Steps: 2, Window: 2 * minute}, []Event{a, o, b}, Result{Depth: 2, At: [MaxSteps]int{0, 2}, Closed: true}},
		{"open", Definition{Steps: 2, Window: 99 * minute}, []Event{a}, Result{Depth: 1}},
		{"no entry", Definition{Steps: 2}, []Event{b, o}, Result{}},
		{"entries of a range", Definition{Steps: 2, From: 1}, []Event{a, a, b}, Result{Depth: 2, At: [MaxSteps]int{1, 2}, Closed: true}},
		{"without grace", Definition{Steps: 2}, []Event{b, a}, Result{Depth: 1, At: [MaxSteps]int{1}, Closed: true}},
		{"with grace", Definition{Steps: 2, Grace: minute}, []Event{b, a}, Result{Depth: 2, At: [MaxSteps]int{1, 0}, Closed: true}},
	} {
		for i := range tc.ev {
			tc.ev[i].At = int64(i) * minute
		}
		tc.d.Until = 50 * minute
		tc.want.Entry = -1
		for i := len(tc.ev) - 1; i >= 0; i-- {
			if e := tc.ev[i]; e.At >= tc.d.From && (e.Steps&1 != 0 || tc.d.Order == Any && e.Steps != 0) {
				tc.want.Entry = i
			}
		}
		if got := read(t, tc.d, tc.ev); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

// An event that may be any step makes room for the one that may be one only.
func TestOverlappingStepsAreMatched(t *testing.T) {
	ev := []Event{{At: 1, Steps: 3}, {At: 2, Steps: 1}}
	if got := read(t, Definition{Steps: 2, Order: Any, Until: 9}, ev); got.Depth != 2 {
		t.Errorf("%+v", got)
	}
}

func TestRefusals(t *testing.T) {
	for _, d := range []Definition{{Steps: 1}, {Steps: 13}, {Steps: 2, Window: -1}, {Steps: 2, Grace: 1, Order: Any}, {Steps: 2, From: 5, To: 5}} {
		if _, err := New(d); !errors.Is(err, ErrDefinition) {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

// draw makes events that are close together and often at the same time.
func draw(t *rapid.T, steps int) []Event {
	at := int64(0)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Event {
		at += rapid.Int64Range(0, 4).Draw(t, "gap")
		e := Event{At: at}
		switch rapid.IntRange(0, 5).Draw(t, "sort") {
		case 0:
		case 1:
			e.Out = uint32(rapid.IntRange(1, Everywhere>>(MaxSteps-steps)).Draw(t, "where"))
		case 2: // may be several steps
			e.Steps = uint32(rapid.IntRange(0, 1<<steps-1).Draw(t, "steps"))
		default:
			e.Steps = 1 << rapid.IntRange(0, steps-1).Draw(t, "step")
		}
		return e
	}), 0, 11).Draw(t, "events")
}

// The slow, obvious version: every way to choose events for steps is walked.
func slow(d Definition, ev []Event) (depth int, entry int, removed bool) {
	entry = -1
	entered := false
	for i, e := range ev {
		isEntry := e.Steps&1 != 0 || d.Order == Any && e.Steps != 0
		if !isEntry || e.At < d.From || d.To != 0 && e.At >= d.To || e.At >= d.Until {
			continue
		}
		if entered && !d.Best {
			break
		}
		entered = true
		got := -1
		for n := i + 1; n <= len(ev); n++ { // of the first n events, for n rising
			last := ev[n-1]
			if last.At >= d.Until || d.Window > 0 && last.At > e.At+d.Window {
				break
			}
			if n-1 > i && last.Out>>(got-1)&1 != 0 && last.Steps == 0 && d.Exclusion != None {
				if d.Exclusion == Remove {
					got = 0
				}
				break
			}
			if got = max(got, deepest(d, ev[:n], i, i, 1<<i, 1)); got == d.Steps {
				break
			}
		}
		if got > depth {
			depth, entry = got, i
		}
	}
	return depth, entry, entered && depth == 0
}

// deepest is how many steps can be reached with steps done and events used so far.
func deepest(d Definition, ev []Event, entry, at int, used, step int) int {
	best := step
	switch d.Order {
	case This:
		if step == d.Steps {
			return step
		}
		for i := at + 1; i < len(ev); i++ {
			if ev[i].Steps>>step&1 != 0 {
				best = max(best, deepest(d, ev, entry, i, used, step+1))
			}
		}
	case Exact:
		if step < d.Steps && at+1 < len(ev) && ev[at+1].Steps>>step&1 != 0 {
			best = deepest(d, ev, entry, at+1, used, step+1)
		}
	case Any:
		best = 0
		var assign func(i, done int)
		assign = func(i, done int) {
			n := 0
			for k := range d.Steps {
				n += done >> k & 1
			}
			best = max(best, n)
			if i == len(ev) {
				return
			}
			assign(i+1, done)
			for k := range d.Steps {
				if ev[i].Steps>>k&1 != 0 && done>>k&1 == 0 {
					assign(i+1, done|1<<k)
				}
			}
		}
		assign(entry, 0)
	}
	return best
}

func TestAgainstTheObviousVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Definition{Steps: rapid.IntRange(2, 4).Draw(t, "steps"), Order: Order(rapid.IntRange(0, 2).Draw(t, "order")), Best: rapid.Bool().Draw(t, "best"),
			Window: rapid.Int64Range(0, 12).Draw(t, "window"), Exclusion: Exclusion(rapid.IntRange(0, 2).Draw(t, "exclusion")),
			From: rapid.Int64Range(0, 4).Draw(t, "from"), Until: rapid.Int64Range(10, 40).Draw(t, "until")}
		if rapid.Bool().Draw(t, "ends") {
			d.To = d.From + rapid.Int64Range(1, 12).Draw(t, "to")
		}
		ev := draw(t, d.Steps)
		got := read(t, d, ev)
		depth, entry, removed := slow(d, ev)
		if got.Depth != depth || got.Removed != removed || depth > 0 && got.At[0] != entry {
			t.Fatalf("%+v\n%+v\ngives %+v, want depth %d from %d, removed %v", d, ev, got, depth, entry, removed)
		}
		laws(t, d, ev, got)
	})
}

// laws hold for every funnel.
func laws(t *rapid.T, d Definition, ev []Event, got Result) {
	taken := map[int]bool{}
	for k := range got.Depth {
		e := ev[got.At[k]]
		if taken[got.At[k]] || e.At >= d.Until || d.Window > 0 && e.At > ev[got.At[0]].At+d.Window {
			t.Fatalf("step %d is event %d: %+v", k, got.At[k], got)
		}
		taken[got.At[k]] = true
	}
	if !d.Best {
		best := d
		best.Best = true
		if b := read(t, best, ev); b.Depth < got.Depth {
			t.Fatalf("the best try reaches %d, the first %d", b.Depth, got.Depth)
		}
	}
	if d.Order == Exact {
		this := d
		this.Order = This
		if w := read(t, this, ev); w.Depth < got.Depth && !w.Removed {
			t.Fatalf("exact reaches %d, with others between only %d", got.Depth, w.Depth)
		}
	}
	if d.Window > 0 && d.Exclusion != Remove {
		wide := d
		wide.Window += 3
		if w := read(t, wide, ev); w.Depth < got.Depth {
			t.Fatalf("a wider window reaches %d, not %d", w.Depth, got.Depth)
		}
	}
	// Closed: an event at or after Until changes nothing, even once it is read.
	if got.Closed && d.Window > 0 && !d.Best && d.Order != Any && len(ev) > 0 && ev[len(ev)-1].At < d.Until {
		later := append(append([]Event(nil), ev...), Event{At: d.Until + 1, Steps: 1<<d.Steps - 2})
		d.Until += 100
		if w := read(t, d, later); w.Depth != got.Depth {
			t.Fatalf("closed at depth %d, later %d", got.Depth, w.Depth)
		}
	}
}
