package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// An Affinity is the declared formula of what a user's acts tell of the user's
// attitude (SPEC R2.9). Each act adds its weight; an answer adds its weight times
// where it lies on its scale, from −1, the worst, to 1, the best. What was added
// halves every HalfLife days. A weight of 0 leaves the act out; a user none of
// whose acts counts has no value, which is not 0.
type Affinity struct {
	HalfLife  float64 `toml:"half_life" comment:"days after which an act counts half"`
	Invite    float64 `toml:"invite" comment:"weight of an invitation; 0 leaves it out"`
	Social    float64 `toml:"social" comment:"of a social act"`
	Complaint float64 `toml:"complaint" comment:"of a complaint or support contact"`
	Rating    float64 `toml:"rating" comment:"of a rating, times −1 (the worst) to 1 (the best)"`
	NPS       float64 `toml:"nps" comment:"of an answer from 0 to 10, times −1 to 1"`
	// Events are weights of single names: they count in place of what the name's
	// meaning counts.
	Events map[string]float64 `toml:"events" comment:"weights of single event names, in place of what their meaning counts"`
}

// DefaultAffinity has this program's own weights: an invitation is worth two
// social acts and a complaint takes as much away; a quarter of a year halves all.
func DefaultAffinity() Affinity {
	return Affinity{HalfLife: 90, Invite: 2, Social: 1, Complaint: -2, Rating: 1, NPS: 1}
}

// maxWeight bounds a weight, so that sums stay far from where numbers end.
const maxWeight = 1000

// settings are the numbers by name, in the order of the file.
func (a *Affinity) settings() []struct {
	Name  string
	Value *float64
} {
	return []struct {
		Name  string
		Value *float64
	}{{"half_life", &a.HalfLife}, {"invite", &a.Invite}, {"social", &a.Social}, {"complaint", &a.Complaint}, {"rating", &a.Rating}, {"nps", &a.NPS}}
}

// AffinitySettings are the names of the formula's numbers, in their order.
func AffinitySettings() (out []string) {
	for _, s := range new(Affinity).settings() {
		out = append(out, s.Name)
	}
	return out
}

// Setting is where a number of that name stands; nil if there is none.
func (a *Affinity) Setting(name string) *float64 {
	for _, s := range a.settings() {
		if s.Name == name {
			return s.Value
		}
	}
	return nil
}

// validate gives the setting that cannot be, as a path below affinity, and why.
func (a *Affinity) validate() (path []string, err error) {
	if !(a.HalfLife > 0) || a.HalfLife > 36_525 {
		return []string{"half_life"}, fmt.Errorf("half_life is %v: use days above 0, at most 36525", a.HalfLife)
	}
	weight := func(name string, w float64) error {
		if !(math.Abs(w) <= maxWeight) {
			return fmt.Errorf("the weight of %s is %v: use a number from -%d to %d", name, w, maxWeight, maxWeight)
		}
		return nil
	}
	for _, s := range a.settings()[1:] {
		if err := weight(s.Name, *s.Value); err != nil {
			return []string{s.Name}, err
		}
	}
	for _, name := range sortedKeys(a.Events) {
		if err := weight(name, a.Events[name]); err != nil {
			return []string{"events", name}, err
		}
	}
	return nil, nil
}

// Formula writes the formula in one line: "2·invitation + 1·social act − …, each
// halved every 90 days".
func (a *Affinity) Formula() string {
	var out strings.Builder
	term := func(w float64, what string) {
		if w == 0 {
			return
		}
		sign := "+"
		if w < 0 {
			sign = "−"
		}
		if out.Len() > 0 {
			out.WriteString(" " + sign + " ")
		} else if w < 0 {
			out.WriteString(sign)
		}
		out.WriteString(short(math.Abs(w)) + "·" + what)
	}
	term(a.Invite, "invitation")
	term(a.Social, "social act")
	term(a.NPS, "answer of 0–10 (−1 … 1)")
	term(a.Rating, "rating (−1 … 1)")
	term(a.Complaint, "complaint")
	for _, name := range sortedKeys(a.Events) {
		term(a.Events[name], strconv.Quote(name))
	}
	if out.Len() == 0 {
		return "nothing counts: every weight is 0"
	}
	return out.String() + ", each halved every " + short(a.HalfLife) + " days"
}

func short(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// errAt says where in a TOML text the value of a key stands, before what is wrong
// with it; without a place where the text does not hold the key.
func errAt(body []byte, path []string, err error) error {
	line, col, ok := tomlPlace(body, path)
	if !ok {
		return fmt.Errorf("%w: %w", ErrBadDictionary, err)
	}
	return fmt.Errorf("%w: line %d, column %d: %w", ErrBadDictionary, line, col, err)
}

// tomlPlace finds the value of a key, given as the path of tables and key.
func tomlPlace(body []byte, path []string) (line, col int, ok bool) {
	var p unstable.Parser
	p.Reset(body)
	var table []string
	for p.NextExpression() {
		n := p.Expression()
		if n.Kind == unstable.Comment {
			continue
		}
		var key []string
		var at unstable.Range
		for it := n.Key(); it.Next(); {
			key = append(key, string(it.Node().Data))
			at = it.Node().Raw
		}
		switch n.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = key
		case unstable.KeyValue:
			if !slices.Equal(slices.Concat(table, key), path) {
				continue
			}
			if raw := n.Value().Raw; raw.Length > 0 {
				at = raw
			}
			s := p.Shape(at).Start
			return s.Line, s.Column, true
		}
	}
	return 0, 0, false
}

// Worst is the least answer of a scale that ends at best: 0 from 10 on, else 1.
func Worst(best float64) float64 {
	if best >= 10 {
		return 0
	}
	return 1
}

var errScale = errors.New("a scale ends at 2 to 100")

// validateAnswers gives the event whose scale cannot be.
func (d *Dictionary) validateAnswers() (path []string, err error) {
	for _, name := range sortedKeys(d.Answers) {
		if best := d.Answers[name]; !(best >= 2 && best <= 100) {
			return []string{"answers", name}, fmt.Errorf("the best answer of %q is %v: %w", name, best, errScale)
		}
	}
	return nil, nil
}

// known lists the settings of a table of the dictionary, for an error about a
// wrong one.
func known(table []string) string {
	switch strings.Join(table, ".") {
	case "":
		return ": a dictionary has zone, week_start, starts, negative, confirmed, [events], [columns], [answers], [affinity]"
	case "affinity":
		return ": [affinity] has " + strings.Join(AffinitySettings(), ", ") + ", [affinity.events]"
	case "columns":
		return ": [columns] has currency, channel, arm, item, order, inviter, plan, paid_until, period, score, rating, alias, reason, personal, searchable"
	}
	return ""
}
