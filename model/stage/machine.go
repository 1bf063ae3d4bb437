package stage

import (
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/measure"
)

// A Machine is a model made ready for one data version. It is immutable and may
// be shared by many goroutines; each takes its own Replayer.
type Machine struct {
	model  *Model
	hash   string
	schema *measure.Schema
	set    *measure.Set

	stages  []mstage
	entries []entry
	start   int // the start's entry
	lost    int // stage, NoStage if there is none
	marks   []check

	variants []mvariant // with machines of their own
}

// An mstage is a stage with its ways out, each list by priority, of equal ones
// in file order.
type mstage struct {
	min, max          int   // days; 0: none
	up, loss, returns []int // entries, by priority
}

// An entry is one compiled way into a stage.
type entry struct {
	EntryInfo
	to    int
	check check
}

// An EntryInfo names a rule of the model: what a transition cites.
type EntryInfo struct {
	ID    string // stage/kind, with .2, .3 … where a stage has several of one kind
	Kind  Kind
	Stage int // that it enters
	When  string

	Priority int
}

// Compile checks a frozen model's rules against the data and makes it ready. It
// fails, naming the stage and the nearest right name, on a rule with a wrong
// name, a wrong type or a population measure, and on dwells that cannot be.
func Compile(m *Model, schema *measure.Schema) (*Machine, error) {
	if !m.Frozen() {
		return nil, fmt.Errorf("%w: its numbers are suggested by data and not frozen yet", ErrBadModel)
	}
	c := &Machine{model: m, hash: m.Hash(), schema: schema.WithModel(m.values(), m.Names()), lost: m.Lost()}
	for _, v := range m.Variants {
		other, err := m.vary(v)
		if err != nil {
			return nil, m.ps.at("variant").err("%w", err)
		}
		c.schema.Variants = append(c.schema.Variants, other.values())
	}
	c.stages = make([]mstage, len(m.Stages))
	var refs measure.Refs
	for i, s := range m.Stages {
		st := &c.stages[i]
		var err error
		if st.min, st.max, err = m.dwell(i); err != nil {
			at := fmt.Sprintf("stage.%d", i)
			if s.MaxDwell != "" {
				at += ".max_dwell"
			} else {
				at += ".min_dwell"
			}
			return nil, m.ps.at(at).err("stage %s: %w", s.Name, err)
		}
		for j, e := range s.Enter {
			ce := entry{EntryInfo: EntryInfo{ID: s.Name + "/" + string(e.Kind), Kind: e.Kind, Stage: i, When: e.When, Priority: e.Priority}, to: i}
			for n := 2; slices.ContainsFunc(c.entries, func(o entry) bool { return o.ID == ce.ID }); n++ {
				ce.ID = fmt.Sprintf("%s/%s.%d", s.Name, e.Kind, n)
			}
			if e.Kind != Start {
				if ce.check, err = compileCheck(e.When, c.schema, &refs); err != nil {
					return nil, m.ps.at(fmt.Sprintf("stage.%d.enter.%d.when", i, j)).ruleErr(fmt.Sprintf("the %s into %s", e.Kind, s.Name), err)
				}
			}
			c.entries = append(c.entries, ce)
		}
	}
	if len(c.entries) > 256 {
		return nil, fmt.Errorf("%w: it has %d entries, more than 256", ErrBadModel, len(c.entries))
	}
	at := 0
	for _, s := range m.Stages {
		for _, e := range s.Enter {
			if e.Kind == Start {
				c.start = at
			}
			for _, f := range e.From {
				from := &c.stages[m.Index(f)]
				switch e.Kind {
				case Promotion:
					from.up = append(from.up, at)
				case Loss:
					from.loss = append(from.loss, at)
				case Return:
					from.returns = append(from.returns, at)
				}
			}
			at++
		}
	}
	for i := range c.stages {
		for _, out := range [][]int{c.stages[i].up, c.stages[i].loss, c.stages[i].returns} {
			slices.SortStableFunc(out, func(a, b int) int { return c.entries[b].Priority - c.entries[a].Priority })
		}
	}
	if len(m.Marks) > 62 {
		return nil, fmt.Errorf("%w: it has %d marks, more than 62", ErrBadModel, len(m.Marks))
	}
	for _, k := range m.Marks {
		ck, err := compileCheck(k.When, c.schema, &refs)
		if err != nil {
			return nil, m.ps.at("marks."+k.Name).ruleErr("the mark "+k.Name, err)
		}
		c.marks = append(c.marks, ck)
	}
	if err := c.compileVariants(schema, &refs); err != nil {
		return nil, err
	}
	var err error
	if c.set, err = measure.Compile(refs.All(), c.schema); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadModel, err)
	}
	return c, nil
}

// Model is what the machine was made from.
func (m *Machine) Model() *Model { return m.model }

// Hash is the model's hash.
func (m *Machine) Hash() string { return m.hash }

// Schema is the data's schema with the model's numbers and stages: rules over
// stages are compiled against it.
func (m *Machine) Schema() *measure.Schema { return m.schema }

// Entries are the rules that transitions cite, by Transition.Entry.
func (m *Machine) Entries() []EntryInfo {
	out := make([]EntryInfo, len(m.entries))
	for i := range m.entries {
		out[i] = m.entries[i].EntryInfo
	}
	return out
}

// Dwell is a stage's least and most dwell in days by the model's own numbers; 0
// means none.
func (m *Machine) Dwell(stage int) (least, most int) { return m.DwellIn(0, stage) }

// DwellIn is Dwell by the numbers of a variant (see Machine.Variants).
func (m *Machine) DwellIn(variant, stage int) (least, most int) {
	s := &m.in(variant).stages[stage]
	return s.min, s.max
}

// Lost is the index of the lost stage, NoStage where the model has none.
func (m *Machine) Lost() int { return m.lost }

// Marks are the names of the marks by bit of History.Marks, Resurrected last.
func (m *Machine) Marks() []string {
	out := make([]string, 0, len(m.marks)+1)
	for _, k := range m.model.Marks {
		out = append(out, k.Name)
	}
	return append(out, Resurrected)
}

// Filter is what a scan must read for Replay up to the as-of day.
func (m *Machine) Filter(asOf model.Day) model.Filter {
	f := m.Widen(m.set.Filter())
	f.Until = m.schema.Cal.Cut(asOf)
	return f
}

// enter is the state after a transition.
func (m *Machine) enter(st measure.State, t Transition) measure.State {
	to := int(t.To)
	switch {
	case t.From == NoStage:
		st = measure.State{SpellFrom: t.Day}
	case m.entries[t.Entry].Kind == Return:
		st.Spell++
		st.SpellFrom = t.Day
	}
	st.Stage, st.Since, st.MaxDwell = to, t.Day, m.stages[to].max
	if to != m.lost {
		st.High = max(st.High, to)
	}
	return st
}
