package stage

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
)

// A Variant gives other numbers to the users who meet a rule (SPEC R2.22):
// another patience with subscribers, another beat for wholesale buyers. Stages,
// entries and marks stay the same; what differs are the numbers in them.
//
// The rule is judged anew on every day, at the day's end, from the user's own
// events up to it: who changes plan in March is staged by the one set of numbers
// before and by the other from then on, and the past does not move. The first
// variant in the file whose rule holds is in force; where none does, the model's
// own numbers are.
type Variant struct {
	Name   string
	When   string
	Params []Override
}

// An Override is one number of a variant: given outright, as an expression over
// the model's own numbers ("2 * G"), or as one over usage_interval() and
// suggested_gap(), which are then those of the users who meet the variant's rule;
// Freeze makes a number of the last and keeps what it was made from.
type Override struct {
	Name    string
	Number  string // "" where Value holds
	Value   float64
	Suggest string // that Value was suggested by
}

// open says whether the number waits for what the data suggest.
func (o Override) open() bool {
	return slices.ContainsFunc(suggestions, func(s string) bool { return strings.Contains(o.Number, s) })
}

// Text is the number as a person reads it: its value, or the expression that
// gives it.
func (o Override) Text() string {
	if o.Number != "" {
		return o.Number
	}
	return decimal(o.Value)
}

// Suggests says whether a number of the variant is, or was, suggested from the
// users who meet its rule.
func (v Variant) Suggests() bool {
	return slices.ContainsFunc(v.Params, func(o Override) bool { return o.open() || o.Suggest != "" })
}

// MaxVariants is how many variants a model may have.
const MaxVariants = 6

// A Switch says which variant is in force from a day on, until the next switch:
// 0 is the model's own numbers, i+1 Model.Variants[i]. A history without
// switches was made by the model's own numbers throughout.
type Switch struct {
	Day     model.Day
	Variant int
}

// Variant is the variant in force on a day up to AsOf; 0 is the model's own
// numbers.
func (h *History) Variant(day model.Day) (v int) {
	for _, s := range h.Switches {
		if s.Day > day {
			break
		}
		v = s.Variant
	}
	return v
}

// Variants are the names of the variants by number, "" for the model's own.
func (m *Machine) Variants() []string {
	out := []string{""}
	for _, v := range m.model.Variants {
		out = append(out, v.Name)
	}
	return out
}

// imply makes the entries that returns_to stands for.
func (m *Model) imply() {
	for i := range m.Stages {
		if to := m.Index(m.Stages[i].ReturnsTo); m.Stages[i].ReturnsTo != "" && to >= 0 {
			m.Stages[to].Enter = append(m.Stages[to].Enter, Entry{Kind: Return, From: []string{m.Stages[i].Name}, When: "active_today", implied: true})
		}
	}
}

// validateVariants checks what the file alone can tell of its variants.
func (m *Model) validateVariants(ps places) error {
	if n := len(m.Variants); n > MaxVariants {
		return ps.at(fmt.Sprintf("variant.%d", MaxVariants)).err("it has %d variants: a model has at most %d", n, MaxVariants)
	}
	for i, v := range m.Variants {
		path := fmt.Sprintf("variant.%d", i)
		switch {
		case !word.MatchString(v.Name):
			return ps.at(path+".name").err("a variant needs a name of letters, digits and _; it has %q", v.Name)
		case slices.ContainsFunc(m.Variants[:i], func(o Variant) bool { return o.Name == v.Name }):
			return ps.at(path+".name").err("two variants are named %q", v.Name)
		case v.When == "":
			return ps.at(path).err("the variant %s needs a rule: when = \"…\"", v.Name)
		case len(v.Params) == 0:
			return ps.at(path).err("the variant %s changes nothing: give it a [variant.params]", v.Name)
		}
		for _, o := range v.Params {
			at := ps.at(path + ".params." + o.Name)
			if !slices.Contains(m.paramNames(), o.Name) {
				return at.err("the model has no number %q%s: it has %s", o.Name, nearest(o.Name, m.paramNames()), strings.Join(m.paramNames(), ", "))
			}
			if o.Number != "" {
				if _, err := m.compileNumber(o.Number, true); err != nil {
					return at.err("%w", err)
				}
			}
			if o.Suggest != "" {
				if _, err := m.compileNumber(o.Suggest, true); err != nil {
					return at.err("%w", err)
				}
			}
		}
	}
	return nil
}

// vary is the model with a variant's numbers in force. The model is frozen.
func (m *Model) vary(v Variant) (*Model, error) {
	c := *m
	c.Variants, c.Params = nil, slices.Clone(m.Params)
	for _, o := range v.Params {
		x := o.Value
		if o.Number != "" {
			f, err := m.compileNumber(o.Number, false)
			if err == nil {
				x, err = f.eval(m.env(m.values(), nil))
			}
			if err != nil {
				return nil, fmt.Errorf("the variant %s: %s: %w", v.Name, o.Name, err)
			}
		}
		for i := range c.Params {
			if c.Params[i].Name == o.Name {
				c.Params[i].Value = x
			}
		}
	}
	return &c, nil
}

// A mvariant is a variant made ready: its rule, over the measures of the model's
// own machine, and the machine of its numbers. The entries of all machines of a
// model have the same numbers.
type mvariant struct {
	pick check
	m    *Machine
}

// in is the machine of a variant.
func (m *Machine) in(v int) *Machine {
	if v == 0 {
		return m
	}
	return m.variants[v-1].m
}

// pick is the variant whose rule holds for a user.
func (m *Machine) pick(cur *measure.Cursor) int {
	for i := range m.variants {
		if m.variants[i].pick.holds(cur) {
			return i + 1
		}
	}
	return 0
}

// compileVariants makes the variants ready, before the machine's own set is
// compiled: their rules share its measures.
func (m *Machine) compileVariants(schema *measure.Schema, refs *measure.Refs) error {
	for i, v := range m.model.Variants {
		at := fmt.Sprintf("variant.%d", i)
		pick, err := compileCheck(v.When, m.schema, refs)
		if err != nil {
			return m.model.ps.at(at+".when").ruleErr("the rule of the variant "+v.Name, err)
		}
		other, err := m.model.vary(v)
		if err != nil {
			return m.model.ps.at(at+".params").err("%w", err)
		}
		sub, err := Compile(other, schema)
		if err != nil {
			return fmt.Errorf("in the variant %s: %w", v.Name, err)
		}
		m.variants = append(m.variants, mvariant{pick, sub})
	}
	return nil
}

// cursors makes the cursor of the machine's own numbers, then one a variant.
func (m *Machine) cursors(f model.Filter) (own *measure.Cursor, others []*measure.Cursor, err error) {
	if own, err = m.set.NewCursorFor(f); err != nil {
		return nil, nil, err
	}
	for i := range m.variants {
		c, err := m.variants[i].m.set.NewCursorFor(f)
		if err != nil {
			return nil, nil, err
		}
		others = append(others, c)
	}
	return own, others, nil
}
