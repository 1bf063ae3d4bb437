package stage

import (
	"encoding/binary"
	"errors"

	"dwell/model"
	"dwell/model/measure"
)

// NoStage is where a user comes from on the first transition.
const NoStage = -1

// A Transition is one change of stage, at the end of a local day: the user is in
// To from Day on. Two may stand on one day (a return and a loss).
type Transition struct {
	Day      model.Day
	From, To int8  // indices into Model.Stages; From is NoStage for the start
	Entry    uint8 // index into Machine.Entries: the rule that fired
}

// An Interval is a time in one stage: the days [From, To). To of the last is the
// day after the as-of day.
type Interval struct {
	Stage    int
	From, To model.Day
	Spell    int // 0 for the first
	Entry    int // index into Machine.Entries
}

// A History is one user's stages up to an as-of day: ordered, without gaps or
// overlaps, from the first event on. It is a result; Replay fills and reuses it.
type History struct {
	AsOf        model.Day
	Transitions []Transition
	Switches    []Switch      // of the variant in force; none in a model without variants
	State       measure.State // on the as-of day
	Lost        int           // index of the lost stage, NoStage if the model has none
	// Marks has bit i set where Model.Marks[i] holds on the as-of day, and bit
	// len(Model.Marks) for Resurrected.
	Marks uint64
	// Due is the first day after AsOf on which the stage may change without an
	// event; measure.Never if none. Marks may change earlier.
	Due model.Day
}

// Now is the stage on the as-of day, NoStage where the user has no event yet.
func (h *History) Now() int {
	if len(h.Transitions) == 0 {
		return NoStage
	}
	return int(h.Transitions[len(h.Transitions)-1].To)
}

// Since is the day the stage of now was entered; NoDay without one.
func (h *History) Since() model.Day {
	if len(h.Transitions) == 0 {
		return model.NoDay
	}
	return h.Transitions[len(h.Transitions)-1].Day
}

// High is the highest stage ever reached, the lost one apart; NoStage without one.
func (h *History) High() int {
	if len(h.Transitions) == 0 {
		return NoStage
	}
	return h.State.High
}

// Marked says whether mark i of the model holds on the as-of day.
func (h *History) Marked(i int) bool { return h.Marks>>i&1 == 1 }

// On is the stage at the end of a day up to AsOf, NoStage before the first event.
func (h *History) On(day model.Day) int {
	lo, hi := 0, len(h.Transitions)
	for lo < hi {
		mid := (lo + hi) / 2
		if h.Transitions[mid].Day <= day {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return NoStage
	}
	return int(h.Transitions[lo-1].To)
}

// Intervals appends the times in each stage to dst. A stage that was left on the
// day it was entered has none: its transitions stand on one day.
func (h *History) Intervals(dst []Interval) []Interval {
	spell := 0
	for i, t := range h.Transitions {
		if t.From >= 0 && int(t.From) == h.Lost {
			spell++
		}
		to := h.AsOf + 1
		if i+1 < len(h.Transitions) {
			to = h.Transitions[i+1].Day
		}
		if to > t.Day {
			dst = append(dst, Interval{int(t.To), t.Day, to, spell, int(t.Entry)})
		}
	}
	return dst
}

// ErrBadHistory says that stored bytes are no history of this machine.
var ErrBadHistory = errors.New("a stored stage history cannot be read")

// historyVersion is the first byte of every stored history.
const historyVersion = 2

// Append writes the history in a few bytes a transition, for the cache:
// a version, the as-of day, due day, marks, and per transition the days since
// the one before, entry and stage left. What the machine knows is left out, so
// that only the machine that wrote it (by hash and data version) may read it.
func (h *History) Append(dst []byte) []byte {
	dst = append(dst, historyVersion)
	dst = binary.AppendVarint(dst, int64(h.AsOf))
	due := int64(0)
	if h.Due != measure.Never {
		due = int64(h.Due) - int64(h.AsOf)
	}
	dst = binary.AppendUvarint(dst, uint64(due))
	dst = binary.AppendUvarint(dst, h.Marks)
	dst = binary.AppendUvarint(dst, uint64(len(h.Transitions)))
	last := int64(0)
	for _, t := range h.Transitions {
		dst = binary.AppendVarint(dst, int64(t.Day)-last)
		dst = append(dst, t.Entry, byte(t.From+1))
		last = int64(t.Day)
	}
	dst = binary.AppendUvarint(dst, uint64(len(h.Switches)))
	for _, s := range h.Switches {
		dst = binary.AppendVarint(dst, int64(s.Day))
		dst = append(dst, byte(s.Variant))
	}
	return dst
}

// Decode reads what Append wrote, reusing h, and gives the bytes after it. It
// fails with ErrBadHistory.
func (m *Machine) Decode(src []byte, h *History) ([]byte, error) {
	h.Transitions, h.Switches = h.Transitions[:0], h.Switches[:0]
	if len(src) == 0 || src[0] != historyVersion {
		return nil, ErrBadHistory
	}
	r := byteReader{src: src[1:]}
	h.AsOf = model.Day(r.signed())
	h.Due = measure.Never
	if due := r.unsigned(); due > 0 {
		h.Due = h.AsOf + model.Day(due)
	}
	h.Marks = r.unsigned()
	n, last := r.unsigned(), int64(0)
	for ; n > 0 && !r.bad; n-- {
		last += r.signed()
		entry, from := int(r.byte()), int8(r.byte())-1
		if entry >= len(m.entries) || from < NoStage || int(from) >= len(m.stages) {
			return nil, ErrBadHistory
		}
		h.Transitions = append(h.Transitions, Transition{model.Day(last), from, int8(m.entries[entry].to), uint8(entry)})
	}
	for n := r.unsigned(); n > 0 && !r.bad; n-- {
		s := Switch{Day: model.Day(r.signed()), Variant: int(r.byte())}
		if s.Variant > len(m.variants) {
			return nil, ErrBadHistory
		}
		h.Switches = append(h.Switches, s)
	}
	if r.bad {
		return nil, ErrBadHistory
	}
	m.restate(h)
	return r.src, nil
}

// restate derives the state from the transitions.
func (m *Machine) restate(h *History) {
	h.Lost, h.State = m.lost, m.StateOn(h, measure.Never)
}

type byteReader struct {
	src []byte
	bad bool
}

func (r *byteReader) signed() int64 {
	v, n := binary.Varint(r.src)
	r.skip(n)
	return v
}

func (r *byteReader) unsigned() uint64 {
	v, n := binary.Uvarint(r.src)
	r.skip(n)
	return v
}

func (r *byteReader) byte() byte {
	if len(r.src) == 0 {
		r.bad = true
		return 0
	}
	b := r.src[0]
	r.src = r.src[1:]
	return b
}

func (r *byteReader) skip(n int) {
	if n <= 0 {
		r.bad = true
		r.src = nil
		return
	}
	r.src = r.src[n:]
}
