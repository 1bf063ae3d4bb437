package stage

import (
	"dwell/model"
	"dwell/model/measure"
)

// StateOn is where a replayed user stood at the end of a day up to h.AsOf; the
// zero State before the first event. It asks for no second replay: a history
// knows nothing of later days, so its beginning is the history of an earlier one.
func (m *Machine) StateOn(h *History, day model.Day) (st measure.State) {
	for _, t := range h.Transitions {
		if t.Day > day {
			break
		}
		st = m.enter(st, t)
	}
	if len(m.variants) > 0 && st != (measure.State{}) {
		st.Variant = h.Variant(day)
		st.MaxDwell = m.in(st.Variant).stages[st.Stage].max
	}
	return st
}
