package query

import (
	"fmt"
	"strconv"
	"strings"

	"dwell/model"
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
			out = append(out, Group{Name: n, Rule: narrowed(n, rules)})
		}
		return out, nil
	}
	var out []Group
	for i, rule := range rules {
		g := Group{Rule: rule}
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
	out := "segment(" + strconv.Quote(segment) + ")"
	for _, rule := range rules {
		out += " and (" + rule + ")"
	}
	return out
}

// everybody is the mask of all groups if nobody is judged: only the one group of
// everybody then exists.
func (r *Run) everybody() uint64 {
	if len(r.Groups) == 1 && r.Groups[0].Rule == "" {
		return 1
	}
	return 0
}

// At says in which groups the person is, as a bit each, judged on the person's
// start: from events up to that day and nothing later. With judge=landmark it is
// the landmark's day that counts, and who starts after it is in no group.
func (r *Run) At(p *Person, start model.Day) uint64 {
	if m := r.everybody(); m != 0 {
		return m
	}
	return 0
}

// judging holds who is in which group on the as-of day.
type judging struct {
	pop   *Population
	masks []uint64
}

func (j *judging) mask(row int) uint64 { return 0 }

// judge judges everybody on the as-of day; nil if that is not needed.
func (r *Run) judge(needed bool) (*judging, error) {
	if !needed || r.everybody() != 0 {
		return nil, nil
	}
	return nil, fmt.Errorf("rules are not judged yet")
}

// A walk finds the rows of persons who come in key order.
type walk struct{ next int }

func (w *walk) row(j *judging, id string) int { return -1 }

// rows runs the plan's kernel over the population.
func (r *Run) rows(plan *Plan, t *target) (*Hits, error) {
	h := newHits(len(r.Groups), plan.RowSlots, plan.Values)
	if plan.Rows == nil {
		return h, nil
	}
	return nil, errNoPopulation
}

func (r *Run) lint(b *Builder) {}

type populations struct{}

func (e *Engine) shelfHash(q Query) string { return "" }

func compareIDs(a, b string) int { return strings.Compare(a, b) }
