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
	MinDwell Number // before a promotion may leave it
	MaxDwell Number // after which the user is stalled
	Enter    []Entry
}

// An Entry is one way into a stage.
type Entry struct {
	Kind Kind
	From []string // the stages it may follow; none for Start
	When string   // a rule; none for Start
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
	return !slices.ContainsFunc(m.Params, func(p Param) bool { return !p.Frozen })
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
	for i := range c.Stages {
		c.Stages[i].Title, c.Stages[i].Short = "", ""
	}
	sum := sha256.Sum256(c.Format())
	return hex.EncodeToString(sum[:8])
}

// Format writes the model as the TOML that Parse reads. Equal models give equal
// bytes.
func (m *Model) Format() []byte {
	var b strings.Builder
	text := func(key, v string) {
		if v != "" {
			fmt.Fprintf(&b, "%s = %s\n", key, quote(v))
		}
	}
	text("name", m.Name)
	text("title", m.Title)
	if len(m.Params) > 0 {
		b.WriteString("\n[params]\n")
	}
	for _, p := range m.Params {
		switch {
		case !p.Frozen:
			text(p.Name, p.Suggest)
		case p.Suggest == "":
			fmt.Fprintf(&b, "%s = %s\n", p.Name, decimal(p.Value))
		default:
			fmt.Fprintf(&b, "%s = { value = %s, suggest = %s }\n", p.Name, decimal(p.Value), quote(p.Suggest))
		}
	}
	for _, s := range m.Stages {
		b.WriteString("\n[[stage]]\n")
		text("name", s.Name)
		text("title", s.Title)
		text("short", s.Short)
		for _, d := range []struct {
			key string
			n   Number
		}{{"min_dwell", s.MinDwell}, {"max_dwell", s.MaxDwell}} {
			if _, err := strconv.Atoi(string(d.n)); err == nil {
				fmt.Fprintf(&b, "%s = %s\n", d.key, d.n)
			} else {
				text(d.key, string(d.n))
			}
		}
		for _, e := range s.Enter {
			b.WriteString("[[stage.enter]]\n")
			text("kind", string(e.Kind))
			if len(e.From) > 0 {
				q := make([]string, len(e.From))
				for i, f := range e.From {
					q[i] = quote(f)
				}
				fmt.Fprintf(&b, "from = [%s]\n", strings.Join(q, ", "))
			}
			text("when", e.When)
		}
	}
	if len(m.Marks) > 0 {
		b.WriteString("\n[marks]\n")
	}
	for _, k := range m.Marks {
		text(k.Name, k.When)
	}
	return []byte(b.String())
}

// decimal writes a number as TOML: whole ones without a point.
func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// quote writes a basic TOML string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
