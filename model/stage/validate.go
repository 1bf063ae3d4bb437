package stage

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// validate checks what the file alone can tell.
func (m *Model) validate(ps places) error {
	if !word.MatchString(m.Name) {
		return ps.at("name").err("a model needs a name of letters, digits and _; it has %q", m.Name)
	}
	if n := len(m.Stages); n < MinStages || n > MaxStages {
		at := place{line: 1, col: 1}
		if n > MaxStages {
			at = ps.at(fmt.Sprintf("stage.%d", MaxStages))
		}
		return at.err("it has %d stages: a model has %d to %d", n, MinStages, MaxStages)
	}
	for i, p := range m.Params {
		at := ps.at("params." + p.Name)
		if !word.MatchString(p.Name) {
			return at.err("%q is not a name: use letters, digits and _", p.Name)
		}
		if slices.ContainsFunc(m.Params[:i], func(o Param) bool { return o.Name == p.Name }) {
			return at.err("two numbers are named %q", p.Name)
		}
		if p.Suggest != "" {
			if _, err := m.compileNumber(p.Suggest, true); err != nil {
				return at.err("%w", err)
			}
		}
	}
	if _, err := m.order(); err != nil {
		return ps.at("params").err("%w", err)
	}
	for i := range m.Stages {
		if err := m.validateStage(i, ps); err != nil {
			return err
		}
	}
	for i, k := range m.Marks {
		at := ps.at("marks." + k.Name)
		switch {
		case !word.MatchString(k.Name):
			return at.err("%q is not a name: use letters, digits and _", k.Name)
		case k.Name == Resurrected:
			return at.err("the mark %q is set by replay itself", k.Name)
		case k.When == "":
			return at.err("the mark %q has no rule", k.Name)
		case slices.ContainsFunc(m.Marks[:i], func(o Mark) bool { return o.Name == k.Name }):
			return at.err("two marks are named %q", k.Name)
		}
	}
	if err := m.validateFlow(ps); err != nil {
		return err
	}
	return m.validateVariants(ps)
}

func (m *Model) validateStage(i int, ps places) error {
	s, path := m.Stages[i], fmt.Sprintf("stage.%d", i)
	if !word.MatchString(s.Name) {
		return ps.at(path+".name").err("a stage needs a name of letters, digits and _; it has %q", s.Name)
	}
	if m.Index(s.Name) != i {
		return ps.at(path+".name").err("two stages are named %q", s.Name)
	}
	if s.Colour != "" && !slices.Contains(colourNames, s.Colour) {
		return ps.at(path+".colour").err("%q is no colour%s: use %s", s.Colour, nearest(s.Colour, colourNames), strings.Join(colourNames, ", "))
	}
	if s.Short != "" && slices.ContainsFunc(m.Stages[:i], func(o Stage) bool { return o.Short == s.Short }) {
		return ps.at(path+".short").err("two stages have the short name %q", s.Short)
	}
	if err := m.validateReturns(i, ps); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(s.Short); n > 4 {
		return ps.at(path+".short").err("%q has %d letters: a short name has at most 4", s.Short, n)
	}
	for _, d := range []struct {
		key string
		n   Number
	}{{".min_dwell", s.MinDwell}, {".max_dwell", s.MaxDwell}} {
		if d.n == "" {
			continue
		}
		if _, err := m.compileNumber(string(d.n), false); err != nil {
			return ps.at(path+d.key).err("%w", err)
		}
		if v, err := strconv.Atoi(string(d.n)); err == nil && (v < 0 || v > maxDays) {
			return ps.at(path+d.key).err("%d days is not a dwell: use 0 to %d", v, maxDays)
		}
	}
	lo, errLo := strconv.Atoi(string(s.MinDwell))
	hi, errHi := strconv.Atoi(string(s.MaxDwell))
	if errLo == nil && errHi == nil && lo > hi {
		return ps.at(path+".max_dwell").err("the most dwell of %s, %d days, is under its least, %d", s.Name, hi, lo)
	}
	if len(s.Enter) == 0 && !slices.ContainsFunc(m.Stages, func(o Stage) bool { return o.ReturnsTo == s.Name }) {
		return ps.at(path).err("nothing enters the stage %s: give it a [[stage.enter]]", s.Name)
	}
	for j, e := range s.Enter {
		if err := m.validateEntry(s, e, fmt.Sprintf("%s.enter.%d", path, j), ps); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) validateReturns(i int, ps places) error {
	s := m.Stages[i]
	at := ps.at(fmt.Sprintf("stage.%d.returns_to", i))
	switch {
	case s.ReturnsTo == "":
		return nil
	case m.Index(s.ReturnsTo) < 0:
		return at.err("there is no stage %q%s", s.ReturnsTo, nearest(s.ReturnsTo, m.Names()))
	case s.ReturnsTo == s.Name:
		return at.err("%s cannot follow itself", s.Name)
	case !s.enters(Loss):
		return at.err("a return leaves the lost stage; %s is not it", s.Name)
	}
	return nil
}

func (m *Model) validateEntry(s Stage, e Entry, path string, ps places) error {
	if !slices.Contains(kinds, e.Kind) {
		return ps.at(path+".kind").err("%q is no kind of entry: use start, promotion, return or loss%s", string(e.Kind), nearest(string(e.Kind), kindNames()))
	}
	if e.Kind == Start {
		if len(e.From) > 0 || e.When != "" {
			return ps.at(path).err("a start has neither from nor when: it is the first event, once in a life")
		}
		return nil
	}
	if len(e.From) == 0 {
		return ps.at(path).err("a %s names the stages it may follow: from = [\"…\"]", e.Kind)
	}
	for i, f := range e.From {
		at := ps.at(fmt.Sprintf("%s.from.%d", path, i))
		switch {
		case m.Index(f) < 0:
			return at.err("there is no stage %q%s", f, nearest(f, m.Names()))
		case f == s.Name:
			return at.err("%s cannot follow itself", f)
		}
	}
	if e.When == "" {
		return ps.at(path).err("a %s needs a rule: when = \"…\"", e.Kind)
	}
	return nil
}

func kindNames() []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = string(k)
	}
	return out
}

// validateFlow looks at the stages together: one start, at most one lost stage,
// returns from it alone, every stage within reach, and no circle of promotions
// without a way out.
func (m *Model) validateFlow(ps places) error {
	starts, losts := 0, 0
	for i, s := range m.Stages {
		if s.enters(Start) {
			if starts++; starts > 1 {
				return ps.at(fmt.Sprintf("stage.%d", i)).err("two stages have a start: one stage takes the first event")
			}
		}
		if s.enters(Loss) {
			if losts++; losts > 1 {
				return ps.at(fmt.Sprintf("stage.%d", i)).err("two stages are entered by a loss: one stage holds the lost")
			}
			if s.MinDwell != "" || s.MaxDwell != "" {
				return ps.at(fmt.Sprintf("stage.%d", i)).err("the lost stage %s has neither min_dwell nor max_dwell", s.Name)
			}
		}
	}
	if starts == 0 {
		return place{line: 1, col: 1}.err("no stage has an entry of kind start: nobody would ever be in a stage")
	}
	lost := m.Lost()
	next := make([][]int, len(m.Stages)) // by any entry
	up := make([][]int, len(m.Stages))   // by promotion
	for i, s := range m.Stages {
		for j, e := range s.Enter {
			at := ps.at(fmt.Sprintf("stage.%d.enter.%d.from", i, j))
			for _, f := range e.From {
				from := m.Index(f)
				next[from] = append(next[from], i)
				switch {
				case e.Kind == Promotion && from == lost:
					return at.err("%s is left by a return, not by a promotion", f)
				case e.Kind == Promotion && i == lost:
					return at.err("%s is entered by a loss, not by a promotion", s.Name)
				case e.Kind == Return && from != lost:
					return at.err("a return leaves the lost stage; %s is not it", f)
				case e.Kind == Promotion:
					up[from] = append(up[from], i)
				}
			}
			if e.Kind == Return && i == lost {
				return at.err("a return cannot enter the lost stage")
			}
		}
	}
	for i, s := range m.Stages {
		if to := m.Index(s.ReturnsTo); s.ReturnsTo != "" && to >= 0 {
			next[i] = append(next[i], to)
		}
	}
	seen := make([]bool, len(m.Stages))
	for todo := []int{m.First()}; len(todo) > 0; {
		i := todo[len(todo)-1]
		if todo = todo[:len(todo)-1]; !seen[i] {
			seen[i] = true
			todo = append(todo, next[i]...)
		}
	}
	for i, s := range m.Stages {
		if !seen[i] {
			return ps.at(fmt.Sprintf("stage.%d", i)).err("the stage %s cannot be reached from %s", s.Name, m.Stages[m.First()].Name)
		}
	}
	return m.validateLoops(up, ps)
}

// validateLoops refuses a circle of promotions that nothing leads out of: a user
// in one would change stage for ever without being promoted or lost.
func (m *Model) validateLoops(up [][]int, ps places) error {
	reach := make([][]bool, len(m.Stages)) // by promotions, one or more
	for i := range reach {
		reach[i] = make([]bool, len(m.Stages))
		for todo := slices.Clone(up[i]); len(todo) > 0; {
			j := todo[len(todo)-1]
			if todo = todo[:len(todo)-1]; !reach[i][j] {
				reach[i][j] = true
				todo = append(todo, up[j]...)
			}
		}
	}
	for i, s := range m.Stages {
		if !reach[i][i] {
			continue
		}
		var circle []string
		out := false
		for j := range m.Stages {
			if reach[i][j] && reach[j][i] {
				circle = append(circle, m.Stages[j].Name)
				out = out || m.losable(j)
			}
			out = out || reach[i][j] && !reach[j][i]
		}
		if !out {
			return ps.at(fmt.Sprintf("stage.%d", i)).err("promotions run in a circle with no way out of it: %s → %s", strings.Join(circle, " → "), s.Name)
		}
	}
	return nil
}

// losable says whether a loss leaves the stage.
func (m *Model) losable(i int) bool {
	for _, s := range m.Stages {
		for _, e := range s.Enter {
			if e.Kind == Loss && slices.Contains(e.From, m.Stages[i].Name) {
				return true
			}
		}
	}
	return false
}

// maxDays bounds a dwell: a hundred years.
const maxDays = 36_525

// days turns a number into whole days.
func days(what string, v float64) (int, error) {
	if !(v >= 0) || v > maxDays {
		return 0, fmt.Errorf("%s gives %g days: it must lie between 0 and %d", what, v, maxDays)
	}
	return int(math.RoundToEven(v)), nil
}
