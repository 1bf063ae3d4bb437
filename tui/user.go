package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
)

// A userScreen is one person's life: stage now and why, stage history as a time
// bar, measures, timeline. It answers "who is this, what happened, what now?".
// v opens the raw timeline; f, n and b walk through it to the first event, the
// next and the earlier stage change; S copies the plain summary; w asks what would
// change the person's score, T who is like them.
type userScreen struct {
	*answerScreen
	own userKeys
}

type userKeys struct{ Rows, Summary, First, Next, Before, WhatIf, Twins key.Binding }

func newUser(s *session, q query.Query) Screen {
	v := &userScreen{answerScreen: newAnswerScreen(s, q), own: userKeys{
		Rows:    bind("v", "raw timeline", "v"),
		Summary: bind("S", "copy summary", "S"),
		First:   bind("f", "first event", "f"),
		Next:    bind("n", "next stage change", "n"),
		Before:  bind("b", "stage change before", "b"),
		WhatIf:  bind("w", "what if", "w"),
		Twins:   bind("T", "twins", "T"),
	}}
	v.columns = 2
	v.extra = []key.Binding{v.own.Rows, v.own.Summary, v.own.First, v.own.Next, v.own.Before, v.own.WhatIf, v.own.Twins}
	return v
}

// Update takes the page's own keys.
func (v *userScreen) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.KeyMsg)
	if !ok || v.Typing() || v.form != nil {
		return v.answerScreen.Update(msg)
	}
	switch {
	case matches(m, v.own.Rows):
		return v.rows(model.NoDay)
	case matches(m, v.own.Summary):
		if s := v.summary(); s != "" {
			return v.post(copyMsg{text: s, what: "summary"})
		}
		return v.say("there is no summary yet")
	case matches(m, v.own.WhatIf):
		return v.open(query.Query{Analysis: "whatif", ID: v.q.ID, AsOf: v.q.AsOf}.String())
	case matches(m, v.own.Twins):
		return v.open(query.Query{Analysis: "twins", ID: v.q.ID, AsOf: v.q.AsOf}.String())
	case matches(m, v.own.First):
		return v.walk(func(_, _ int) int { return 0 })
	case matches(m, v.own.Next):
		return v.walk(func(at, last int) int { return min(at+1, last) })
	case matches(m, v.own.Before):
		return v.walk(func(at, _ int) int { return max(at-1, 0) })
	}
	return v.answerScreen.Update(msg)
}

// rows goes to the person's stored events, on a day if one is given.
func (v *userScreen) rows(day model.Day) tea.Cmd {
	q := query.Query{Analysis: "rows", AsOf: v.q.AsOf}.With("user", v.q.ID)
	if day != model.NoDay {
		q = q.With("at", day.String())
	}
	return v.open(q.String())
}

// walk moves the cursor of the stage history.
func (v *userScreen) walk(to func(at, last int) int) tea.Cmd {
	for i, p := range v.panes {
		if h, ok := p.(interface {
			Cursor() int
			Len() int
			Move(int)
		}); ok && v.isHistory(i) {
			v.focus = i
			h.Move(to(h.Cursor(), h.Len()-1))
			v.layout()
			return nil
		}
	}
	return v.say("there is no stage history here")
}

// isHistory says whether a pane shows a block of intervals.
func (v *userScreen) isHistory(i int) bool {
	return i < len(v.blocks) && v.blocks[i].Kind == query.SpanBlock
}

// summary is the block of that name, else the first block of text.
func (v *userScreen) summary() string {
	if v.ans == nil {
		return ""
	}
	first := ""
	for i := range v.ans.Blocks {
		b := &v.ans.Blocks[i]
		if b.Kind != query.TextBlock {
			continue
		}
		t := strings.Join(b.Lines, "\n")
		if b.Name == "summary" {
			return t
		}
		if first == "" {
			first = t
		}
	}
	return first
}
