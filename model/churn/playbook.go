package churn

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"dwell/model/rule"
)

// A Playbook says whom to look after first, and what is suggested to whoever
// does: tiers of risk, value and reachability, and texts by stage and tier. It is
// a TOML file that a person edits (see DefaultPlaybook for one with its comments).
type Playbook struct {
	ReachDays int     `toml:"reach_days"` // active within so many days: reached inside the product
	Tiers     []Tier  `toml:"tier"`       // the first that holds counts; several may share a name
	Stages    []Aim   `toml:"stage"`
	Cases     []Exact `toml:"case"`
}

// A Tier is one way into a tier. Conditions that are not given hold for all.
type Tier struct {
	Name        string  `toml:"name"`
	Probability float64 `toml:"probability"` // from this
	Risk        string  `toml:"risk"`        // from this third of the scored users
	Value       string  `toml:"value"`       // from this third of them
	Reach       string  `toml:"reach"`       // product or message
	Suggest     string  `toml:"suggest"`
}

// An Aim is what a stage's users need.
type Aim struct {
	Name    string   `toml:"name"`
	Aim     string   `toml:"aim"`
	Suggest []string `toml:"suggest"`
}

// An Exact is the text for one stage and tier.
type Exact struct {
	Stage   string `toml:"stage"`
	Tier    string `toml:"tier"`
	Suggest string `toml:"suggest"`
}

// Thirds of the scored users, and where a user can be reached, as a playbook
// writes them.
var (
	Thirds  = [3]string{"low", "middle", "high"}
	Reaches = [2]string{"product", "message"}
)

// A Standpoint is what a tier is chosen by.
type Standpoint struct {
	Probability float64
	Risk, Value int // thirds: 0, 1, 2
	Lately      int // days since the last activity
}

//go:embed playbook.toml
var defaultPlaybook []byte

// DefaultPlaybook is the text of the playbook that holds until another is put in
// its place.
func DefaultPlaybook() []byte { return slices.Clone(defaultPlaybook) }

// ErrBadPlaybook wraps every error of ParsePlaybook.
var ErrBadPlaybook = errors.New("the playbook cannot be used")

// ParsePlaybook reads and validates a playbook. Errors name line and column.
func ParsePlaybook(body []byte) (*Playbook, error) {
	p := &Playbook{ReachDays: 14}
	at := func(row, col int, format string, args ...any) error {
		return fmt.Errorf("%w: line %d, column %d: %s", ErrBadPlaybook, row, col, fmt.Sprintf(format, args...))
	}
	if err := toml.NewDecoder(bytes.NewReader(body)).DisallowUnknownFields().Decode(p); err != nil {
		var se *toml.StrictMissingError
		if errors.As(err, &se) && len(se.Errors) > 0 {
			row, col := se.Errors[0].Position()
			key := se.Errors[0].Key()
			return nil, at(row, col, "there is no setting %q%s; a tier has name, probability, risk, value, reach and suggest", strings.Join(key, "."), nearest(key[len(key)-1], settings))
		}
		var de *toml.DecodeError
		if errors.As(err, &de) {
			row, col := de.Position()
			return nil, at(row, col, "%s", strings.TrimPrefix(de.Error(), "toml: "))
		}
		return nil, fmt.Errorf("%w: %w", ErrBadPlaybook, err)
	}
	if path, why := p.faulty(); why != "" {
		row, col := placeOf(body, path)
		return nil, at(row, col, "%s", why)
	}
	return p, nil
}

// settings are the words a playbook may hold.
var settings = []string{"reach_days", "tier", "stage", "case", "name", "probability", "risk", "value", "reach", "suggest", "aim"}

// nearest is " (did you mean X?)" for the nearest of the names, or "".
func nearest(name string, among []string) string {
	if n := rule.Nearest(name, among); n != "" {
		return fmt.Sprintf(" (did you mean %s?)", n)
	}
	return ""
}

// faulty is the first thing that is wrong, as "table.number.key", and why.
func (p *Playbook) faulty() (path, why string) {
	oneOf := func(v string, of []string) string {
		if v == "" || slices.Contains(of, v) {
			return ""
		}
		return fmt.Sprintf("%q is none of %s", v, strings.Join(of, ", "))
	}
	if p.ReachDays < 1 {
		return "reach_days", "at least one day is wanted"
	}
	if len(p.Tiers) == 0 {
		return "", "it has no [[tier]]"
	}
	var names []string
	for i, t := range p.Tiers {
		in := func(key string) string { return fmt.Sprintf("tier.%d.%s", i, key) }
		switch {
		case strings.TrimSpace(t.Name) == "":
			return in("name"), "a tier needs a name"
		case !(t.Probability >= 0 && t.Probability <= 1):
			return in("probability"), fmt.Sprintf("%v is no probability: it goes from 0 to 1", t.Probability)
		case oneOf(t.Risk, Thirds[:]) != "":
			return in("risk"), oneOf(t.Risk, Thirds[:])
		case oneOf(t.Value, Thirds[:]) != "":
			return in("value"), oneOf(t.Value, Thirds[:])
		case oneOf(t.Reach, Reaches[:]) != "":
			return in("reach"), oneOf(t.Reach, Reaches[:])
		}
		names = append(names, t.Name)
	}
	var stages []string
	for i, s := range p.Stages {
		switch {
		case strings.TrimSpace(s.Name) == "":
			return fmt.Sprintf("stage.%d.name", i), "a stage needs a name"
		case slices.Contains(stages, s.Name):
			return fmt.Sprintf("stage.%d.name", i), fmt.Sprintf("the stage %q stands twice", s.Name)
		}
		stages = append(stages, s.Name)
	}
	for i, c := range p.Cases {
		if !slices.Contains(names, c.Tier) {
			return fmt.Sprintf("case.%d.tier", i), fmt.Sprintf("there is no tier %q%s: %s", c.Tier, nearest(c.Tier, names), strings.Join(slices.Compact(names), ", "))
		}
		if c.Stage == "" {
			return fmt.Sprintf("case.%d.stage", i), "a case is of a stage and a tier"
		}
	}
	return "", ""
}

// CheckStages fails with line and column at the first stage or case of a playbook's
// text whose stage is unknown: why says so in a sentence, "" of a stage that is there.
func (p *Playbook) CheckStages(body []byte, why func(name string) string) error {
	fail := func(path, text string) error {
		row, col := placeOf(body, path)
		return fmt.Errorf("%w: line %d, column %d: %s", ErrBadPlaybook, row, col, text)
	}
	for i, s := range p.Stages {
		if text := why(s.Name); text != "" {
			return fail(fmt.Sprintf("stage.%d.name", i), text)
		}
	}
	for i, c := range p.Cases {
		if text := why(c.Stage); text != "" {
			return fail(fmt.Sprintf("case.%d.stage", i), text)
		}
	}
	return nil
}

// StageNames are the stages that have an aim or a case, each once.
func (p *Playbook) StageNames() (out []string) {
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, s := range p.Stages {
		add(s.Name)
	}
	for _, c := range p.Cases {
		add(c.Stage)
	}
	return out
}

// placeOf finds where a path stands in a file: the key, else its table, else the
// beginning.
func placeOf(body []byte, path string) (row, col int) {
	var p unstable.Parser
	p.Reset(body)
	row, col = 1, 1
	table, count := "", map[string]int{}
	for p.NextExpression() {
		n := p.Expression()
		var parts []string
		var place unstable.Position
		for it := n.Key(); n.Kind != unstable.Comment && it.Next(); {
			if parts == nil {
				place = p.Shape(it.Node().Raw).Start
			}
			parts = append(parts, string(it.Node().Data))
		}
		name := strings.Join(parts, ".")
		switch n.Kind {
		case unstable.ArrayTable:
			table = fmt.Sprintf("%s.%d.", name, count[name])
			count[name]++
			if strings.HasPrefix(path, table) {
				row, col = place.Line, place.Column
			}
		case unstable.Table:
			table = name + "."
		case unstable.KeyValue:
			if table+name == path {
				return place.Line, place.Column
			}
		}
	}
	return row, col
}

// Names are the tiers' names in the order of the file, each once.
func (p *Playbook) Names() (out []string) {
	for _, t := range p.Tiers {
		if !slices.Contains(out, t.Name) {
			out = append(out, t.Name)
		}
	}
	return out
}

// Tier is the first tier of a user, nil for none.
func (p *Playbook) Tier(u Standpoint) *Tier {
	reach := Reaches[0]
	if u.Lately > p.ReachDays {
		reach = Reaches[1]
	}
	third := func(word string) int { return max(0, slices.Index(Thirds[:], word)) }
	for i := range p.Tiers {
		t := &p.Tiers[i]
		if u.Probability >= t.Probability && u.Risk >= third(t.Risk) && u.Value >= third(t.Value) && (t.Reach == "" || t.Reach == reach) {
			return t
		}
	}
	return nil
}

// Suggest is the text for a tier and a stage ("" where the model has none): the
// case's own, or the tier's with the stage's aim.
func (p *Playbook) Suggest(t *Tier, stage string) string {
	for _, c := range p.Cases {
		if c.Tier == t.Name && c.Stage == stage {
			return c.Suggest
		}
	}
	text := t.Suggest
	for _, s := range p.Stages {
		if s.Name == stage && s.Aim != "" {
			text += fmt.Sprintf(" (%s: %s)", stage, s.Aim)
		}
	}
	return text
}

// For is what serves a stage's users, whatever their tier.
func (p *Playbook) For(stage string) (aim string, suggest []string) {
	for _, s := range p.Stages {
		if s.Name == stage {
			return s.Aim, s.Suggest
		}
	}
	return "", nil
}
