package query

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/rule"
)

// groups resolves where= and segment= into the groups that are compared: several
// segments, each narrowed by the one rule, or several rules, each within the one
// segment.
func (r *Run) groups() ([]Group, error) {
	rules, names := r.Q.All("where"), r.Q.All("segment")
	switch {
	case len(rules) == 0 && len(names) == 0:
		return []Group{{}}, nil
	case len(names) > 1 || len(rules) == 0:
		var out []Group
		for _, n := range names {
			out = append(out, Group{Name: n, Title: n, Rule: narrowed(n, rules)})
		}
		return out, nil
	}
	var out []Group
	for i, rule := range rules {
		g := Group{Title: rule, Rule: rule}
		if len(rules) > 1 {
			g.Name = strconv.Itoa(i + 1)
		}
		if len(names) == 1 {
			g.Rule = narrowed(names[0], []string{rule})
		}
		out = append(out, g)
	}
	return out, nil
}

// narrowed is the rule of a segment, and of one rule within it.
func narrowed(segment string, rules []string) string {
	out := "in_segment(" + strconv.Quote(segment) + ")"
	for _, rule := range rules {
		out += " and (" + rule + ")"
	}
	return out
}

// everybody is the mask of all groups if nobody is judged: only the one group of
// everybody then exists; else 0.
func (r *Run) everybody() uint64 {
	if len(r.Groups) == 1 && r.Groups[0].Rule == "" {
		return 1
	}
	return 0
}

// env is what rules are compiled against. population allows ranks among all
// users, which only a fixed day knows.
func (r *Run) env(refs *measure.Refs, population bool) (rule.Env, error) {
	segs, err := r.segments()
	if err != nil {
		return rule.Env{}, err
	}
	env := rule.Env{Schema: r.Schema, Refs: refs, Population: population, Segments: func(name string) (string, bool) {
		for _, s := range segs {
			if s.Name == name {
				return s.Rule, true
			}
		}
		return "", false
	}}
	for _, s := range segs {
		env.SegmentNames = append(env.SegmentNames, s.Name)
	}
	return env, nil
}

// compileGroups compiles the rules of all groups over shared measures.
func (r *Run) compileGroups(population bool) ([]*rule.Rule, *measure.Refs, error) {
	refs := &measure.Refs{}
	env, err := r.env(refs, population)
	if err != nil {
		return nil, nil, err
	}
	var out []*rule.Rule
	for _, g := range r.Groups {
		c, err := rule.Compile(g.Rule, env)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", g.Label(), err)
		}
		out = append(out, c)
	}
	return out, refs, nil
}

// match is the set of rows for which a rule holds on the population's day.
func (r *Run) match(pop *Population, src string) (measure.Bits, error) {
	refs := &measure.Refs{}
	env, err := r.env(refs, true)
	if err != nil {
		return nil, err
	}
	c, err := rule.Compile(src, env)
	if err != nil {
		return nil, err
	}
	return evalColumns(r, pop, c, refs)
}

func evalColumns(r *Run, pop *Population, c *rule.Rule, refs *measure.Refs) (measure.Bits, error) {
	cols, err := pop.Columns(r, refs.All())
	if err != nil {
		return nil, err
	}
	out := measure.NewBits(pop.Len())
	return out, c.EvalColumns(rule.ColumnList(cols), pop.Len(), out)
}

// columnRef is the measure or property of a name as written in rules.
func (r *Run) columnRef(name string) (measure.Ref, error) {
	refs := &measure.Refs{}
	env, err := r.env(refs, true)
	if err != nil {
		return measure.Ref{}, err
	}
	c, err := rule.Compile("known("+name+")", env)
	if err != nil {
		var re *rule.Error
		if errors.As(err, &re) {
			return measure.Ref{}, errors.New(re.Message)
		}
		return measure.Ref{}, err
	}
	if len(c.Slots()) != 1 || len(c.Segments()) > 0 {
		return measure.Ref{}, fmt.Errorf("%q is not one measure or property", name)
	}
	return refs.All()[c.Slots()[0]], nil
}

// A judge decides, for one goroutine, in which groups a person is on a day of
// their own, from events up to that day and nothing later.
type judge struct {
	r        *Run
	rules    []*rule.Rule
	cur      *measure.Cursor
	staging  *Staging // nil unless a rule knows stages
	landmark model.Day
	fresh    bool // a new person
	asked    bool // at has been called
}

// A judging is what judges need, compiled once for a run.
type judging struct {
	pop   *Population // judged on the as-of day: masks by row
	masks []measure.Bits

	rules []*rule.Rule // judged on each person's start
	set   *measure.Set
	stage bool
}

// judging prepares the run's groups: on the as-of day over the population, else
// for each person's start. It is nil where everybody is one group.
func (r *Run) judging(atT bool) (*judging, error) {
	if r.everybody() != 0 {
		return nil, nil
	}
	rules, refs, err := r.compileGroups(atT)
	if err != nil {
		return nil, err
	}
	j := &judging{}
	if atT {
		if j.pop, err = r.Population(); err != nil {
			return nil, err
		}
		for _, c := range rules {
			m, err := evalColumns(r, j.pop, c, refs)
			if err != nil {
				return nil, err
			}
			j.masks = append(j.masks, m)
		}
		return j, nil
	}
	j.rules = rules
	if j.set, err = measure.Compile(refs.All(), r.Schema); err != nil {
		return nil, err
	}
	for i := range j.set.Len() {
		j.stage = j.stage || j.set.Family(i).Stage
	}
	return j, nil
}

// mask is the groups of a row on the as-of day.
func (j *judging) mask(row int) (m uint64) {
	for g, b := range j.masks {
		if row >= 0 && b.Get(row) {
			m |= 1 << g
		}
	}
	return m
}

// widen adds what judges read to a scan's needs.
func (j *judging) widen(r *Run, n Needs) Needs {
	f := j.set.Widen(model.Filter{Columns: slices.Clone(n.Columns), Amounts: n.Amounts})
	if j.stage {
		f = r.machine.Widen(f)
	}
	n.Columns, n.Amounts = f.Columns, f.Amounts
	return n
}

// judge makes a judge for timelines read with the needs.
func (j *judging) judge(r *Run, n Needs) (*judge, error) {
	f := model.Filter{Columns: n.Columns, Amounts: n.Amounts || r.Roles.NeedsAmount()}
	cur, err := j.set.NewCursorFor(f)
	if err != nil {
		return nil, err
	}
	out := &judge{r: r, rules: j.rules, cur: cur, landmark: model.NoDay}
	if j.stage {
		if out.staging, err = r.Staging(f); err != nil {
			return nil, err
		}
	}
	if r.Str("judge") == "landmark" {
		out.landmark = r.Day("landmark")
	}
	return out, nil
}

// at is the groups of a person who starts on a day.
func (j *judge) at(tl *model.Timeline, start model.Day) (m uint64) {
	j.asked = true
	day := start
	if j.landmark != model.NoDay {
		if start > j.landmark {
			return 0
		}
		day = j.landmark
	}
	if j.fresh || day < j.cur.Day() {
		j.cur.Reset(tl)
		j.fresh = false
	}
	var st measure.State
	if j.staging != nil {
		st = j.staging.To(tl, day).State
	}
	j.cur.At(day, st)
	for g, c := range j.rules {
		if c.Holds(j.cur) {
			m |= 1 << g
		}
	}
	return m
}

// At is in which groups the person is, as a bit each, judged on the person's
// start: from events up to that day and nothing later. With judge=landmark it is
// the landmark's day that counts, and who starts after it is in no group.
func (r *Run) At(p *Person, start model.Day) uint64 {
	if p.judge == nil {
		return 1
	}
	return p.judge.at(p.full, start)
}
