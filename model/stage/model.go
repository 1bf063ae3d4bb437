package stage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Kind says how a stage is entered.
type Kind string

const (
	// Start is the first event of any meaning, once in a life.
	Start Kind = "start"
	// Promotion waits for the least dwell of the stage being left.
	Promotion Kind = "promotion"
	// Return leaves the lost stage and begins a new spell.
	Return Kind = "return"
	// Loss enters the lost stage; it ignores dwell.
	Loss Kind = "loss"
)

// kinds are all kinds, in the order in which a day tries them.
var kinds = []Kind{Start, Return, Loss, Promotion}

// Limits of a model file.
const (
	MinStages = 2
	MaxStages = 12
	MaxBytes  = 64 << 10
)

// A Model is stages as data: what a TOML file says, in its order.
type Model struct {
	Name   string
	Title  string
	Params []Param
	Stages []Stage
	Marks  []Mark
	// Variants give other numbers to the users who meet a rule; see Variant.
	Variants []Variant

	ps places // in the file that it was parsed from; nil of a model made otherwise
}

// A Param is a named number of the model, so that no rule holds one twice. It
// has a Value, or an expression that suggests one, or both: then the value holds
// and the expression says where it came from.
type Param struct {
	Name    string
	Suggest string  // over usage_interval(), suggested_gap() and other parameters
	Value   float64 // if Frozen
	Frozen  bool
}

// A Number is a whole number of days given outright or as an expression over the
// parameters; "" means none is given.
type Number string

// A Stage is one named state of a user.
type Stage struct {
	Name     string
	Title    string // as shown; "" is Name
	Short    string // at most 4 letters, for narrow screens; "" is cut from Name
	Colour   string // one of Colours; "" goes by the stage's place
	MinDwell Number // before a promotion may leave it
	MaxDwell Number // after which the user is stalled
	// ReturnsTo is where an active day leads from here, the lost stage: short for
	// a return entry of that stage with the rule active_today.
	ReturnsTo string
	Enter     []Entry
}

// Colours are the names that a stage's colour may have.
var colourNames = []string{"blue", "green", "yellow", "magenta", "cyan", "red", "grey"}

// Colours lists the names that a stage's colour may have.
func Colours() []string { return slices.Clone(colourNames) }

// An Entry is one way into a stage.
type Entry struct {
	Kind Kind
	From []string // the stages it may follow; none for Start
	When string   // a rule; none for Start
	// Priority decides between the ways out of one stage that open on one day: the
	// highest is taken; of equal ones the first in the file.
	Priority int

	implied bool // made from ReturnsTo: not written out
}

// A Mark is a named rule that is shown beside the stage and moves nobody.
type Mark struct{ Name, When string }

// Resurrected is the mark that replay itself sets: the user has come back from
// the lost stage and is in a spell after the first.
const Resurrected = "resurrected"

// Names are the stage names in order.
func (m *Model) Names() []string {
	out := make([]string, len(m.Stages))
	for i := range m.Stages {
		out[i] = m.Stages[i].Name
	}
	return out
}

// Index is the stage of that name, or -1.
func (m *Model) Index(name string) int {
	return slices.IndexFunc(m.Stages, func(s Stage) bool { return s.Name == name })
}

// Lost is the index of the stage that a loss enters, or -1.
func (m *Model) Lost() int {
	return slices.IndexFunc(m.Stages, func(s Stage) bool { return s.enters(Loss) })
}

// Promotes says whether a promotion leads out of the stage.
func (m *Model) Promotes(i int) bool {
	return slices.ContainsFunc(m.Stages, func(s Stage) bool {
		return slices.ContainsFunc(s.Enter, func(e Entry) bool {
			return e.Kind == Promotion && slices.Contains(e.From, m.Stages[i].Name)
		})
	})
}

// First is the index of the stage with the start entry.
func (m *Model) First() int {
	return slices.IndexFunc(m.Stages, func(s Stage) bool { return s.enters(Start) })
}

func (s Stage) enters(k Kind) bool {
	return slices.ContainsFunc(s.Enter, func(e Entry) bool { return e.Kind == k })
}

// Label is the stage's name as shown.
func (s Stage) Label() string {
	if s.Title != "" {
		return s.Title
	}
	return strings.ReplaceAll(s.Name, "_", " ")
}

// Abbrev is the stage's name in at most 4 letters, for narrow screens.
func (s Stage) Abbrev() string {
	if s.Short != "" {
		return s.Short
	}
	return s.Name[:min(4, len(s.Name))] // names are ASCII: validate has seen to it
}

// Frozen says whether every parameter has its number.
func (m *Model) Frozen() bool {
	return !slices.ContainsFunc(m.Params, func(p Param) bool { return !p.Frozen }) &&
		!slices.ContainsFunc(m.Variants, func(v Variant) bool { return slices.ContainsFunc(v.Params, Override.open) })
}

// Param is the frozen value of a parameter; ok is false if it has none.
func (m *Model) Param(name string) (v float64, ok bool) {
	for _, p := range m.Params {
		if p.Name == name {
			return p.Value, p.Frozen
		}
	}
	return 0, false
}

// With is a copy with one parameter set to a number.
func (m *Model) With(name string, value float64) (*Model, error) {
	c := *m
	c.Params = slices.Clone(m.Params)
	for i := range c.Params {
		if c.Params[i].Name == name {
			c.Params[i].Value, c.Params[i].Frozen = value, true
			return &c, nil
		}
	}
	return nil, fmt.Errorf("the model has no number %q: it has %s", name, strings.Join(c.paramNames(), ", "))
}

func (m *Model) paramNames() []string {
	out := make([]string, len(m.Params))
	for i := range m.Params {
		out[i] = m.Params[i].Name
	}
	return out
}

// Shorts are the stages' names in at most 4 letters each, no two alike: where
// two would be, the later ones end in a number.
func (m *Model) Shorts() []string {
	out := make([]string, len(m.Stages))
	for i, s := range m.Stages {
		short := s.Abbrev()
		for n := 2; slices.Contains(out[:i], short); n++ {
			tail := strconv.Itoa(n)
			short = cutRunes(s.Abbrev(), 4-len(tail)) + tail
		}
		out[i] = short
	}
	return out
}

func cutRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// Hash names what the model does: its numbers, stages, rules and marks, without
// titles and without the expressions that suggested its numbers. Two models with
// one hash stage every user alike.
func (m *Model) Hash() string {
	c := *m
	c.Name, c.Title = "", ""
	c.Params, c.Stages = slices.Clone(m.Params), slices.Clone(m.Stages)
	for i := range c.Params {
		if c.Params[i].Frozen {
			c.Params[i].Suggest = ""
		}
	}
	c.Variants = slices.Clone(m.Variants)
	for i := range c.Variants {
		c.Variants[i].Params = slices.Clone(c.Variants[i].Params)
		for k := range c.Variants[i].Params {
			c.Variants[i].Params[k].Suggest = ""
		}
	}
	for i := range c.Stages {
		c.Stages[i].Title, c.Stages[i].Short, c.Stages[i].Colour = "", "", ""
	}
	sum := sha256.Sum256(c.Format())
	return hex.EncodeToString(sum[:8])
}
