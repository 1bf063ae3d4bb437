package stage

import (
	"fmt"

	"dwell/model"
	"dwell/model/measure"
)

// A Replayer stages users one after another. It belongs to one goroutine and
// allocates nothing per user after warming up.
type Replayer struct {
	base   *Machine
	own    *measure.Cursor   // of the model's own numbers; it stands on every day visited
	others []*measure.Cursor // of the variants
	fresh  []bool            // of others: nothing of this user has been read yet
	tl     *model.Timeline

	v   int             // the variant in force
	m   *Machine        // its machine
	cur *measure.Cursor // and its cursor
}

// NewReplayer makes a replayer for timelines scanned with Machine.Filter.
func (m *Machine) NewReplayer() *Replayer {
	r, err := m.NewReplayerFor(m.Filter(0))
	if err != nil {
		panic(err) // Filter holds every column by construction
	}
	return r
}

// NewReplayerFor makes a replayer for timelines scanned with a wider filter. It
// fails if that filter leaves out what the rules read.
func (m *Machine) NewReplayerFor(f model.Filter) (*Replayer, error) {
	own, others, err := m.cursors(f)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return &Replayer{base: m, own: own, others: others, fresh: make([]bool, len(others)), m: m, cur: own}, nil
}

// Widen adds what the machine reads to a filter that others read by too.
func (m *Machine) Widen(f model.Filter) model.Filter {
	f = m.set.Widen(f)
	for i := range m.variants {
		f = m.variants[i].m.set.Widen(f)
	}
	return f
}

// Replay fills h with the user's stages up to the end of the as-of day. A user
// without an event by then has no transitions.
//
// It folds over change days only: event days, the day a dwell gate opens, and
// the days on which a rule's truth may change by time alone. Nothing after asOf
// is read.
func (r *Replayer) Replay(tl *model.Timeline, asOf model.Day, h *History) {
	r.begin(tl, asOf, h)
	for day := r.own.NextEvent(); day <= asOf; {
		r.day(day, h)
		next := r.own.NextEvent()
		if next > day+1 { // else nothing can fall due before it
			next = min(next, r.due(h))
		}
		day = next
	}
	r.finish(asOf, h)
}

func (r *Replayer) begin(tl *model.Timeline, asOf model.Day, h *History) {
	r.reset(tl)
	*h = History{AsOf: asOf, Transitions: h.Transitions[:0], Switches: h.Switches[:0], Lost: r.m.lost, Due: measure.Never}
}

// reset takes up a user. Cursors of variants read nothing before they are in
// force: most users meet one variant or none.
func (r *Replayer) reset(tl *model.Timeline) {
	r.tl = tl
	r.own.Reset(tl)
	for i := range r.fresh {
		r.fresh[i] = true
	}
	r.v, r.m, r.cur = 0, r.base, r.own
}

// use moves to a day with a state, under a variant.
func (r *Replayer) use(v int, day model.Day, st measure.State) {
	st.Variant = 0 // each cursor is of one set of numbers, which are its own
	r.own.At(day, st)
	if r.v, r.m, r.cur = v, r.base.in(v), r.own; v > 0 {
		r.cur = r.others[v-1]
		if r.fresh[v-1] {
			r.cur.Reset(r.tl)
			r.fresh[v-1] = false
		}
		r.cur.At(day, st)
	}
}

// to moves to a day with a state, under the variant whose rule holds then.
func (r *Replayer) to(day model.Day, st measure.State) {
	r.own.At(day, st)
	if len(r.base.variants) > 0 {
		r.use(r.base.pick(r.own), day, st)
	}
}

// switched notes the variant in force, and gives the state its dwell.
func (r *Replayer) switched(day model.Day, h *History) {
	before := 0
	if n := len(h.Switches); n > 0 {
		before = h.Switches[n-1].Variant
	}
	if r.v == before {
		return
	}
	h.Switches = append(h.Switches, Switch{Day: day, Variant: r.v})
	if len(h.Transitions) > 0 {
		h.State.MaxDwell = r.m.stages[h.State.Stage].max
		r.use(r.v, day, h.State)
	}
}

// day lets the rules speak at the end of one day: return, loss, then at most one
// promotion, the start before all.
func (r *Replayer) day(day model.Day, h *History) {
	r.to(day, h.State)
	r.switched(day, h)
	m := r.m
	if len(h.Transitions) == 0 {
		r.move(m.start, h)
	}
	if st := &m.stages[h.State.Stage]; h.State.Stage == m.lost {
		for _, e := range st.returns {
			if m.entries[e].check.holds(r.cur) {
				r.move(e, h)
				break
			}
		}
	}
	for _, e := range m.stages[h.State.Stage].loss {
		if m.entries[e].check.holds(r.cur) {
			r.move(e, h)
			break
		}
	}
	if !m.gateOpen(day, h.State) {
		return
	}
	for _, e := range m.stages[h.State.Stage].up {
		if m.entries[e].check.holds(r.cur) {
			r.move(e, h)
			return
		}
	}
}

// gateOpen says whether the stage has been held for its least dwell.
func (m *Machine) gateOpen(day model.Day, st measure.State) bool {
	return int(day-st.Since) >= m.stages[st.Stage].min
}

func (r *Replayer) move(e int, h *History) {
	t := Transition{Day: r.cur.Day(), From: NoStage, To: int8(r.m.entries[e].to), Entry: uint8(e)}
	if len(h.Transitions) > 0 {
		t.From = int8(h.State.Stage)
	}
	h.Transitions = append(h.Transitions, t)
	h.State = r.m.enter(h.State, t)
	r.use(r.v, t.Day, h.State)
}

// due is the first day after the cursor's on which a rule out of the stage may
// hold without an event. On a day with a transition, rules out of the new stage
// may hold already, for one promotion a day; on any other day they were just
// found not to.
func (r *Replayer) due(h *History) model.Day {
	m, day, due := r.m, r.cur.Day(), measure.Never
	st := h.State
	s := &m.stages[st.Stage]
	fresh := h.Transitions[len(h.Transitions)-1].Day == day
	if fresh && len(r.base.variants) > 0 && r.base.pick(r.own) != r.v {
		return day + 1 // the step itself has put the user under another variant
	}
	for i := range r.base.variants {
		due = min(due, r.base.variants[i].pick.due(r.own, false))
	}
	for _, e := range s.returns {
		due = min(due, m.entries[e].check.due(r.cur, fresh))
	}
	for _, e := range s.loss {
		due = min(due, m.entries[e].check.due(r.cur, fresh))
	}
	if len(s.up) > 0 && !m.gateOpen(day, st) {
		return min(due, st.Since+model.Day(s.min))
	}
	for _, e := range s.up {
		due = min(due, m.entries[e].check.due(r.cur, fresh))
	}
	return due
}

func (r *Replayer) finish(asOf model.Day, h *History) {
	if len(h.Transitions) == 0 {
		return
	}
	r.use(r.v, asOf, h.State)
	for i := range r.m.marks {
		if r.m.marks[i].holds(r.cur) {
			h.Marks |= 1 << i
		}
	}
	if h.State.Spell > 0 && h.State.Stage != r.m.lost {
		h.Marks |= 1 << len(r.m.marks)
	}
	h.Due = r.due(h)
	h.State.Variant = r.v
}

// Marks tells which marks hold at the end of each day of a history, as bits like
// History.Marks but without Resurrected, by the numbers of the variant in force
// on that day. The timeline is that of the history.
func (r *Replayer) Marks(tl *model.Timeline, h *History, from, to model.Day, visit func(day model.Day, marks uint64)) {
	r.reset(tl)
	for day := from; day <= to; day++ {
		st := r.base.StateOn(h, day)
		r.use(h.Variant(day), day, st)
		marks := uint64(0)
		for i := range r.m.marks {
			if r.m.marks[i].holds(r.cur) {
				marks |= 1 << i
			}
		}
		visit(day, marks)
	}
}

// Cursor is the replayer's cursor, over the numbers of the variant in force:
// after Replay it stands on the as-of day with the user's state, unless the user
// has no event.
func (r *Replayer) Cursor() *measure.Cursor { return r.cur }
