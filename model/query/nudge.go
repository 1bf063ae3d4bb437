package query

import (
	"math"
	"strconv"
	"strings"

	"dwell/model/churn"
)

// A Nudge is one measure of a what-if that may be moved: a number between the
// least and the greatest that training users had, or one of a property's values.
type Nudge struct {
	Column      int    // of the Subject
	Name        string // as set= takes it
	Label       string // for a person
	Words       []string
	Least, Most float64 // of a property: 0 and the index of its last word
	Step        float64 // a small one; a whole number where all values are
	Own         float64 // the user's own, held within the bounds; of a property the index of its word, -1 if it has none
	Known       bool    // the user has a value
	Usual       float64 // what training users have on average; NaN of a property
	Part        string  // the key of its figure in the answer, where it has one
}

// nudgeSteps is into how many small steps a measure's range is parted.
const nudgeSteps = 40

// Nudges are the measures that may be moved, in the order of the model. Those
// that no feature is made of, or that do not vary, are left out.
func (b *Subject) Nudges() []Nudge {
	var out []Nudge
	for c, name := range b.Columns {
		n := Nudge{Column: c, Name: name, Label: churnName(name), Known: b.Known[c], Usual: math.NaN(), Part: "part." + name}
		if dict := b.texts(c); dict != nil {
			if n.Words = b.levels(c, dict); len(n.Words) < 2 {
				continue
			}
			n.Most, n.Step, n.Own = float64(len(n.Words)-1), 1, -1
			for i, w := range n.Words {
				if b.Known[c] && int(b.Values[c]) < len(dict) && dict[int(b.Values[c])] == w {
					n.Own = float64(i)
				}
			}
			out = append(out, n)
			continue
		}
		least, most, ok := b.Model.Seen(c)
		if !ok || !(most > least) {
			continue
		}
		n.Least, n.Most = least, most
		n.Step = niceStep((most-least)/nudgeSteps, least == math.Trunc(least) && most == math.Trunc(most) && b.whole(c))
		n.Own = math.Min(math.Max(b.Values[c], least), most)
		for i := range b.Model.Features {
			if f := &b.Model.Features[i]; f.Column == c && !f.Absent {
				n.Usual = f.Mean
				if !b.Known[c] {
					n.Own = math.Min(math.Max(f.Fill, least), most)
				}
			}
		}
		out = append(out, n)
	}
	return out
}

// whole says whether a user's value is none or a whole number, as counts and days are.
func (b *Subject) whole(c int) bool { return !b.Known[c] || b.Values[c] == math.Trunc(b.Values[c]) }

// levels are the values of a property that the model tells apart, and the user's own.
func (b *Subject) levels(c int, dict []string) (out []string) {
	for i := range b.Model.Features {
		if f := &b.Model.Features[i]; f.Column == c && f.Level != "" && f.Level != churn.OtherLevel {
			out = append(out, f.Level)
		}
	}
	own := int(b.Values[c])
	if b.Known[c] && own > 0 && own < len(dict) {
		for _, w := range out {
			if w == dict[own] {
				return out
			}
		}
		out = append(out, dict[own])
	}
	return out
}

// niceStep is 1, 2 or 5 times a power of ten, no less than x; of whole numbers 1
// at least.
func niceStep(x float64, whole bool) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	step := 10 * p
	for _, m := range []float64{1, 2, 5} {
		if m*p >= x*(1-1e-9) {
			step = m * p
			break
		}
	}
	if whole {
		step = math.Max(step, 1)
	}
	return step
}

// Text writes a value as a person reads it.
func (n *Nudge) Text(v float64) string {
	if len(n.Words) > 0 {
		if i := int(v); i >= 0 && i < len(n.Words) {
			return n.Words[i]
		}
		return "—"
	}
	return churnNumber(v)
}

// Move is the value so many steps on, on the grid of steps, within the bounds.
func (n *Nudge) Move(v float64, steps int) float64 {
	if len(n.Words) > 0 {
		return math.Min(math.Max(v+float64(steps), 0), n.Most)
	}
	at := (v - n.Least) / n.Step
	if steps > 0 {
		at = math.Floor(at+1e-9) + float64(steps)
	} else {
		at = math.Ceil(at-1e-9) + float64(steps)
	}
	return math.Min(math.Max(n.Least+at*n.Step, n.Least), n.Most)
}

// Set is the change to a value, as set= takes it.
func (n *Nudge) Set(v float64) string {
	if len(n.Words) > 0 {
		return n.Name + ":" + n.Text(v)
	}
	if math.Abs(v) >= 1e5 {
		return n.Name + ":" + strconv.FormatFloat(v, 'f', 0, 64)
	}
	return n.Name + ":" + significant(v, 6)
}

// At reads a change back to a value of the nudge; false if it is another's.
func (n *Nudge) At(b *Subject, set string) (v float64, ok bool) {
	ch, err := b.Change(set)
	if err != nil || ch.Column != n.Column {
		return 0, false
	}
	if len(n.Words) == 0 {
		return math.Min(math.Max(ch.Value, n.Least), n.Most), true
	}
	_, word := cutSet(set)
	for i, w := range n.Words {
		if w == word {
			return float64(i), true
		}
	}
	return 0, false
}

// Parts are the log-odds that each column of the subject adds in a trial.
func (b *Subject) Parts(t *churn.Trial) []float64 {
	out := make([]float64, len(b.Columns))
	for i := range t.Reasons {
		if r := &t.Reasons[i]; r.Feature.Column >= 0 && r.Feature.Column < len(out) {
			out[r.Feature.Column] += r.LogOdds
		}
	}
	return out
}

// Held says for each column whether the model takes a bound in place of the value.
func (b *Subject) Held(t *churn.Trial) []bool {
	out := make([]bool, len(b.Columns))
	for i := range t.Reasons {
		if r := &t.Reasons[i]; r.Held() && r.Feature.Column < len(out) {
			out[r.Feature.Column] = true
		}
	}
	return out
}

// Question, Verdict and BaseRate are what stands beside every score: what is
// predicted, what the model is worth, and the rate in the test.
func (b *Subject) Question() string  { return strings.TrimSpace(b.set.q.Sentence()) }
func (b *Subject) Verdict() string   { return b.verdict }
func (b *Subject) BaseRate() float64 { return b.base }
