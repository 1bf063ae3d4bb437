package tui

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
)

// A cycler is an answer with one-key changes of its question: u walks through
// the units, m through the kinds of retention. What it asks is in its address.
type cycler struct {
	*answerScreen
	cycles []cycle
}

// A cycle is a key that walks through the words of one key of the address.
type cycle struct {
	key  key.Binding
	name string
}

// newRetention shows the curve above the cohort triangle.
func newRetention(s *session, q query.Query) Screen {
	r := &cycler{newAnswerScreen(s, q), []cycle{
		{bind("u", "unit", "u"), "unit"},
		{bind("m", "kind", "m"), "mode"},
		{bind("W", "calendar/24h", "W"), "window"},
	}}
	return r.declare()
}

// newLifecycle changes its unit with u.
func newLifecycle(s *session, q query.Query) Screen {
	r := &cycler{newAnswerScreen(s, q), []cycle{{bind("u", "unit", "u"), "unit"}}}
	return r.declare()
}

func (r *cycler) declare() *cycler {
	for _, c := range r.cycles {
		r.extra = append(r.extra, c.key)
	}
	return r
}

// Update takes the one-key changes and leaves the rest to the answer.
func (r *cycler) Update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(tea.KeyMsg); ok && !r.Typing() && r.form == nil {
		for _, c := range r.cycles {
			if matches(m, c.key) {
				return r.walk(c.name)
			}
		}
	}
	return r.answerScreen.Update(msg)
}

// walk asks with the next word that the question allows.
func (r *cycler) walk(name string) tea.Cmd {
	for _, sp := range query.Specs() {
		if sp.Name != r.q.Analysis {
			continue
		}
		ks := sp.Key(name)
		if ks == nil || len(ks.Values) == 0 {
			return nil
		}
		now := r.q.Get(name)
		if now == "" {
			now = ks.Default
		}
		at := slices.Index(ks.Values, now)
		for n := 1; n <= len(ks.Values); n++ {
			q, err := query.Parse(r.q.With(name, ks.Values[(at+n)%len(ks.Values)]).String())
			if err == nil { // some words do not go with the other keys
				return r.post(replaceMsg{q: q})
			}
		}
	}
	return nil
}
