package query

import (
	"fmt"
	"slices"
	"strings"
)

// An among is a population given by of= and key=: exactly the users behind one
// figure of another question. It lets any analysis that counts users be asked of
// the converted, the dropped or a cell's users alone: retention one key away from
// a funnel's step (SPEC R4.8). Whoever is not in it is not visited at all, so
// where= and segment= divide what is left.
type among struct {
	ids  []string // sorted, each once
	list *List
	of   Query
}

// behindOf is the question's among, nil without of=: everybody. The list is
// collected once a run.
func (r *Run) behindOf() (*among, error) {
	of := r.Q.Get("of")
	if r.among != nil || of == "" || r.Spec.Key("of") == nil {
		return r.among, nil
	}
	q, err := Parse(of)
	if err != nil {
		return nil, fmt.Errorf("of=: %w", err)
	}
	a, err := r.within(q)
	if err != nil {
		return nil, fmt.Errorf("of=: %w", err)
	}
	l, err := r.eng.behind(r.Ctx, r.st, a, r.Q.Get("key"), r.progress)
	if err != nil {
		return nil, fmt.Errorf("of=: %w", err)
	}
	m := &among{list: l, of: a.Query}
	for _, u := range l.Users {
		m.ids = append(m.ids, u.ID)
	}
	slices.Sort(m.ids)
	m.ids = slices.Compact(m.ids) // pairs name a user more than once
	r.among = m
	return m, nil
}

// has says whether the user belongs to the population.
func (m *among) has(id string) bool {
	if m == nil {
		return true
	}
	_, ok := slices.BinarySearch(m.ids, id)
	return ok
}

// note says with the answer who was looked at, and that such a group knows more
// than its days: its users were chosen by what they did.
func (m *among) note(b *Builder) {
	if m == nil {
		return
	}
	who, key := countOf(int64(len(m.ids)), "user"), b.Run.Q.Get("key")
	if m.of.Analysis == "users" {
		b.A.Title += " · only " + who + " of a list"
		b.A.Definition += fmt.Sprintf(" Only the %s in the list %s are looked at.", who, m.of)
	} else {
		b.A.Title += fmt.Sprintf(" · only %s behind %s", who, key)
		b.A.Definition += fmt.Sprintf(" Only the %s behind %s of %s are looked at.", who, key, m.of)
	}
	if m.of.Analysis != "segments" && m.of.Analysis != "stages" {
		b.Warn("knows-future", "These users were chosen by what they did (%s): on the days on which they did it, that is why they are here, not what is found out.", m.list.Figure.Label)
	}
}

// checkAmong refuses of= without key= and the other way round.
func checkAmong(q Query) error {
	switch of, key := q.Get("of"), q.Get("key"); {
	case of == "" && key != "":
		return fmt.Errorf("key= says which figure of a question is meant: give the question with of=")
	case of != "" && key == "":
		return fmt.Errorf("of= needs key=: which figure's users are meant")
	case q.Analysis == "users" && (of == "users" || strings.HasPrefix(of, "users?") || strings.HasPrefix(of, "users@")):
		return fmt.Errorf("of= is the question whose figure is opened: a list of users is narrowed with where= instead")
	}
	return nil
}

// OfList is the question that an analysis asks of exactly the users in a list (a
// users question): those behind a figure, or those left of them, or of all, by
// stage=, mark=, find=, where= and segment= as of the list's day.
func OfList(analysis string, list Query) Query {
	q := Query{Analysis: analysis, AsOf: list.AsOf}
	list = list.With("columns").With("sort")
	if of := list.Get("of"); of != "" && len(list.Params) == 2 {
		return q.With("key", list.Get("key")).With("of", of)
	}
	return q.With("key", "users").With("of", list.String())
}
