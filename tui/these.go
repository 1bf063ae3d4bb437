package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
)

// From any list of users, and from any figure that counts users, one key asks a
// question of exactly these: how many of those who dropped out of the funnel here
// came back? Who is asked of is in the address (of= and key=), not a copy of ids.

// askOf offers the questions that can be asked of exactly the users of a list.
func (s *session) askOf(list query.Query) tea.Cmd {
	c := chooseMsg{title: "ask of exactly these users"}
	letters := "1234567890abcdefghijklmnoprstuvwxyz" // q closes the choice
	for _, sp := range query.Specs() {
		if sp.Windowed || sp.ID == query.NeedsID || sp.Key("of") == nil || len(c.choices) == len(letters) {
			continue
		}
		q := query.OfList(sp.Name, list)
		if _, err := query.Parse(q.String()); err != nil {
			continue // it needs to be told more
		}
		n := len(c.choices)
		c.choices = append(c.choices, choice{letters[n : n+1], strings.ToLower(sp.Title), openMsg{q.String()}})
	}
	return s.post(c)
}

// these are the users behind the figure under the cursor, as a list; why says
// that there are none.
func (s *answerScreen) these() (list query.Query, why string) {
	p := s.pane()
	if p == nil || s.ans == nil {
		return list, "there is no answer yet"
	}
	f := p.Target().Figure
	if f == query.NoFigure || f >= len(s.ans.Figures) {
		return list, "the cursor is on no figure whose users could be asked of"
	}
	if s.ans.Figures[f].None {
		return list, "this figure has no value, so there is nobody behind it"
	}
	return query.ListQuery(s.ans, s.ans.Figures[f].Key), ""
}

// theseKey takes the keys that ask of the users under the cursor.
func (s *answerScreen) theseKey(m tea.KeyMsg) (cmd tea.Cmd, took bool) {
	k := &s.session.keys
	if !matches(m, k.Kept, k.Ask) {
		return nil, false
	}
	list, why := s.these()
	switch {
	case why != "":
		return s.say(why), true
	case matches(m, k.Ask):
		return s.askOf(list), true
	}
	return s.open(query.OfList("retention", list).String()), true
}

// theseKey takes the keys that ask of the users in the list.
func (t *tableScreen) theseKey(m tea.KeyMsg) (cmd tea.Cmd, took bool) {
	k := &t.session.keys
	if t.q.Analysis != "users" || !matches(m, k.Kept, k.Ask) {
		return nil, false
	}
	if matches(m, k.Ask) {
		return t.askOf(t.q), true
	}
	return t.session.open(query.OfList("retention", t.q).String()), true
}
