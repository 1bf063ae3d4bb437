package stage

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Evidence is where one number of a model comes from.
type Evidence struct {
	Param string
	Value float64
	Set   bool   // given by a person rather than suggested
	Text  string // what the data say, in one or two sentences
	Notes []string
}

// Evidence says, for each parameter in order, its number and what speaks for it.
// Parameters already frozen are weighed against the suggestion that their
// expression makes now. It fails where Freeze would.
func (m *Model) Evidence(s *Suggestion) ([]Evidence, error) {
	fresh, err := m.Thaw().Freeze(s)
	if err != nil {
		return nil, err
	}
	var out []Evidence
	for i, p := range m.Params {
		e := Evidence{Param: p.Name, Value: fresh.Params[i].Value}
		if p.Frozen {
			e.Value = p.Value
			e.Set = p.Suggest == "" || p.Value != fresh.Params[i].Value
		}
		switch {
		case p.Suggest == "":
			e.Text = "Given in the model."
		case strings.TrimSpace(p.Suggest) == usageInterval+"()":
			e.Text = s.usageText()
		case strings.TrimSpace(p.Suggest) == suggestedGap+"()":
			e.Text, e.Notes = s.gapText(), s.gapNotes()
		default:
			e.Text = fmt.Sprintf("%s comes to %s.", p.Suggest, short(fresh.Params[i].Value))
		}
		if e.Set && p.Suggest != "" {
			e.Notes = append([]string{fmt.Sprintf("Set to %s; the data suggest %s.", short(p.Value), short(fresh.Params[i].Value))}, e.Notes...)
		}
		out = append(out, e)
	}
	return out, nil
}

// Thaw is a copy whose numbers are suggestions again, where an expression says
// how to suggest them.
func (m *Model) Thaw() *Model {
	open := *m
	open.Params = slices.Clone(m.Params)
	for i := range open.Params {
		if open.Params[i].Suggest != "" {
			open.Params[i].Frozen = false
		}
	}
	open.Variants = slices.Clone(m.Variants)
	for i := range open.Variants {
		ps := slices.Clone(open.Variants[i].Params)
		for k, o := range ps {
			if o.Suggest != "" {
				ps[k] = Override{Name: o.Name, Number: o.Suggest}
			}
		}
		open.Variants[i].Params = ps
	}
	return &open
}

func (s *Suggestion) usageText() string {
	if s.Assumed {
		if s.Gaps > 0 {
			return fmt.Sprintf("No user has three active days yet: %s is the median of %s.", countOf(s.Usage, "day"), allOf(s.Gaps, "gap"))
		}
		return fmt.Sprintf("No user has come back yet: %s is an assumption.", countOf(s.Usage, "day"))
	}
	if s.Users == 1 {
		return fmt.Sprintf("%s between active days: the median gap of the 1 user there is.", countOf(s.Usage, "day"))
	}
	return fmt.Sprintf("%s between active days: the median, over the %s with at least 3 active days, of their own median gap. %s of %s users have fewer and are left out.",
		countOf(s.Usage, "day"), countOf(float64(s.Regular), "user"), percent(s.LeftOut()), count(s.Users))
}

func (s *Suggestion) gapText() string {
	if s.RawGap == 0 {
		return fmt.Sprintf("Nobody came back within %s, half of the observed range: %d days is an assumption.", plural(s.Horizon, "day"), s.Gap)
	}
	band := ""
	if s.Banded {
		band = fmt.Sprintf(" (95 %% by resampling users: %s to %s)", short(s.Band.Lo), short(s.Band.Hi))
	}
	text := fmt.Sprintf("%s%s: by then %.0f %% of the returns seen within %s have come.", plural(s.RawGap, "day"), band, 100*GapShare, plural(s.Horizon, "day"))
	if s.Gap != s.RawGap {
		text += fmt.Sprintf(" Taken as %d.", s.Gap)
	}
	if s.Lost > 0 {
		text += fmt.Sprintf(" Of %s past silences of %d days, %s ended in a return (%s).", count(s.Lost), s.Gap, count(s.Returned), percent(float64(s.Returned)/float64(s.Lost)))
	}
	return text
}

func (s *Suggestion) gapNotes() (out []string) {
	if s.Horizon < GapFloor {
		out = append(out, fmt.Sprintf("The data span %s: too few to suggest a gap of at least %d.", plural(int(s.AsOf-s.First)+1, "day"), GapFloor))
	} else if s.Gap > 90 {
		out = append(out, "Outside the 30 to 90 days of the source work.")
	}
	if float64(s.Gap) < s.Usage {
		out = append(out, fmt.Sprintf("Shorter than the usage interval of %s days: regular users would count as lost.", short(s.Usage)))
	}
	return out
}

// countOf writes a number with its noun: whole ones with their thousands apart.
func countOf(v float64, what string) string {
	switch {
	case v == 1:
		return "1 " + what
	case v == math.Trunc(v):
		return count(int64(v)) + " " + what + "s"
	}
	return short(v) + " " + what + "s"
}

// allOf is "all 20 gaps", and "the 1 gap there is".
func allOf(n int64, what string) string {
	if n == 1 {
		return "the 1 " + what + " there is"
	}
	return "all " + countOf(float64(n), what)
}

// count writes a number of users with its thousands apart.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func percent(share float64) string {
	return strconv.FormatFloat(math.Round(100*share), 'f', 0, 64) + " %"
}
