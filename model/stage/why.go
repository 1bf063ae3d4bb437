package stage

import (
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/measure"
)

// A Why says in plain words where a user stands on a day.
type Why struct {
	History  *History // valid until the prover's next call
	Sentence string   // the stage, since when, and the step that led there
	// LostOn is the day on which the user counts as lost if no further event
	// comes; NoDay where that is never, or has happened.
	LostOn model.Day
	Marks  []MarkProof
	Near   *Near  // the promotion that lacks least; nil if there is none to be had
	Next   string // LostOn and Near in words; "" if there is neither
}

// A MarkProof says why a mark holds.
type MarkProof struct {
	Name    string
	When    string // the rule; "" for Resurrected
	Clauses []Clause
	Plain   string
}

// Why explains the stage on the as-of day. A user without an event by then has
// an empty sentence.
func (p *Prover) Why(tl *model.Timeline, asOf model.Day) (*Why, error) {
	tl = p.upTo(tl, asOf)
	p.r.Replay(tl, asOf, &p.h)
	w := &Why{LostOn: model.NoDay}
	if len(p.h.Transitions) == 0 {
		w.History = &p.h
		return w, nil
	}
	// The last step that took time: a return and a loss on one day are one story.
	proof, err := p.Prove(tl, asOf, len(p.h.Transitions)-1)
	if err != nil {
		return nil, err
	}
	h := &p.h
	p.r.reset(tl)
	p.stand(asOf, h.State)
	m := p.m
	w.History = h
	stage := m.model.Stages[h.Now()].Label()
	lasted := int(asOf - h.Since())
	switch {
	case m.entries[proof.Entry].Kind == Start:
		w.Sentence = fmt.Sprintf("In %s since the first event on %s (%s ago).", stage, h.Since(), plural(lasted, "day"))
	default:
		w.Sentence = fmt.Sprintf("In %s since %s (%s ago). %s", stage, h.Since(), plural(lasted, "day"), proof.Sentence)
	}
	for i, k := range m.model.Marks {
		if h.Marked(i) {
			mp := MarkProof{Name: k.Name, When: k.When, Clauses: p.clauses(m.marks[i].rule, true)}
			if mp.Plain = series(p.words(mp.Clauses, "stage"), ", and "); mp.Plain == "" {
				mp.Plain = k.When
			}
			w.Marks = append(w.Marks, mp)
		}
	}
	if h.Marked(len(m.marks)) {
		w.Marks = append(w.Marks, MarkProof{Name: Resurrected, Plain: fmt.Sprintf("back since %s after having been lost", h.State.SpellFrom)})
	}
	if w.Near = p.near(h.State); w.Near != nil {
		w.Next = title(w.Near.Plain) + "."
	}
	if w.LostOn = p.lostOn(h.State); w.LostOn != model.NoDay {
		if w.Next != "" {
			w.Next += " "
		}
		w.Next += fmt.Sprintf("Without a further active day this counts as %s on %s.", m.model.Stages[m.lost].Label(), w.LostOn)
	}
	return w, nil
}

// horizon bounds how far ahead silence is followed.
const horizon = 10 * 366

// lostOn follows the rules from the cursor's day on, as if nothing more came.
func (p *Prover) lostOn(st measure.State) model.Day {
	m := p.m
	if m.lost == NoStage || st.Stage == m.lost {
		return model.NoDay
	}
	h := History{State: st, Transitions: []Transition{{Day: p.cur.Day()}}, Switches: slices.Clone(p.h.Switches)} // not empty: past its start
	for day, last := p.r.due(&h), p.cur.Day()+horizon; day <= last; day = p.r.due(&h) {
		p.r.day(day, &h)
		if h.State.Stage == m.lost {
			return day
		}
	}
	return model.NoDay
}

// upTo is the timeline without what came after the day; the same one if nothing
// did.
func (p *Prover) upTo(tl *model.Timeline, asOf model.Day) *model.Timeline {
	cal, n := p.m.schema.Cal, 0
	for i := range tl.Time {
		if cal.EventDay(tl, i) <= asOf {
			n++
		}
	}
	if n == tl.Len() {
		return tl
	}
	all, out := tl.Clone(), &model.Timeline{ID: tl.ID, IDs: tl.IDs, Props: make([]model.Column, len(tl.Props))}
	for i := range all.Time {
		if cal.EventDay(all, i) > asOf {
			continue
		}
		out.Time, out.Name = append(out.Time, all.Time[i]), append(out.Name, all.Name[i])
		if all.Dated != nil {
			out.Dated = append(out.Dated, all.Dated[i])
		}
		if all.Amount != nil {
			out.Amount = append(out.Amount, all.Amount[i])
		}
		for k, c := range all.Props {
			if c.Plain != nil {
				out.Props[k].Plain = append(out.Props[k].Plain, c.Plain[i])
			}
			if c.Codes != nil {
				out.Props[k].Codes = append(out.Props[k].Codes, c.Codes[i])
			}
		}
	}
	return out
}
