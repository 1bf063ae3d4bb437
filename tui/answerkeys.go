package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

func (s *answerScreen) key(m tea.KeyMsg) tea.Cmd {
	if s.filter != nil {
		return s.filterKey(m)
	}
	if s.form != nil {
		return s.formKey(m)
	}
	p := s.pane()
	switch {
	case matches(m, s.keys.Options):
		if s.form = newForm(s.session, s.q, s.ans); s.form == nil {
			return s.say("this question has no keys to choose")
		}
	case s.ans == nil && s.err != nil && matches(m, s.keys.Retry):
		return s.ask()
	case p == nil:
		return nil
	case matches(m, s.keys.Next):
		s.move(1)
	case matches(m, s.keys.Prev):
		s.move(-1)
	case matches(m, s.keys.Table):
		if c, ok := p.(*widget.Chart); ok {
			c.Flip()
			return nil
		}
		for i, q := range s.panes { // not on a chart: the first one there is
			if c, ok := q.(*widget.Chart); ok {
				s.focus = i
				s.layout()
				c.Flip()
				return nil
			}
		}
		return s.say("there is no chart here")
	case matches(m, s.keys.Filter):
		_, on := p.(*widget.Table)
		t := s.table()
		if t == nil {
			return s.say("there is no table to filter here")
		}
		s.seeks = !on
		s.filter = widget.NewInput(s.styles, "/", t.FilterText())
		s.filter.Hint = "rows that hold this; enter keeps it, esc drops it"
	case matches(m, s.keys.Enter):
		return s.enter()
	default:
		if cmd, took := s.theseKey(m); took {
			return cmd
		}
		p.Key(m)
	}
	return nil
}

// table is the table under the cursor, or the only one on the screen.
func (s *answerScreen) table() *widget.Table {
	if t, ok := s.pane().(*widget.Table); ok {
		return t
	}
	for i, p := range s.panes {
		if t, ok := p.(*widget.Table); ok {
			s.focus = i
			s.layout()
			return t
		}
	}
	return nil
}

func (s *answerScreen) filterKey(m tea.KeyMsg) tea.Cmd {
	t := s.table()
	if t == nil { // the data are others by now, and have no table any more
		s.filter = nil
		return nil
	}
	switch m.Type {
	case tea.KeyEnter:
		s.filter = nil
		s.layout() // the part has other lines now
	case tea.KeyEsc:
		s.filter = nil
		t.Filter("")
		s.layout()
	default:
		if !s.filter.Key(m) {
			return nil
		}
		t.Filter(s.filter.Value())
		if s.seeks && t.Len() == 0 {
			s.seekTable(t)
		}
	}
	return nil
}

// seekTable goes to the first table that holds what is typed, where the filter was
// begun on a part that is none: nobody chose the table it went to. If none holds
// it, t keeps the filter and says so.
func (s *answerScreen) seekTable(t *widget.Table) {
	for i, p := range s.panes {
		if o, ok := p.(*widget.Table); ok && o != t && o.FilterText() == "" {
			if o.Filter(s.filter.Value()); o.Len() > 0 {
				t.Filter("")
				s.focus = i
				s.layout()
				return
			}
			o.Filter("")
		}
	}
}

// formKey asks the question anew once its keys are chosen.
func (s *answerScreen) formKey(m tea.KeyMsg) tea.Cmd {
	q, done := s.form.key(m)
	if !done {
		return nil
	}
	s.form = nil
	if q.String() == s.q.String() {
		return nil
	}
	return s.post(replaceMsg{q: q})
}

// Typing is true while the filter, or a value of the form, is typed.
func (s *answerScreen) Typing() bool { return s.filter != nil || s.form != nil && s.form.input != nil }

// Over names what lies over the answer, "" if nothing does.
func (s *answerScreen) Over() string {
	if s.form != nil {
		return "(options)"
	}
	return ""
}

// Escape clears a filter, or cancels the question that runs.
func (s *answerScreen) Escape() bool {
	if s.form != nil {
		s.form = nil
		return true
	}
	if t, ok := s.pane().(*widget.Table); ok && t.FilterText() != "" {
		t.Filter("")
		s.layout()
		return true
	}
	if s.job != nil && !s.job.quiet {
		s.job.stop()
		return true
	}
	return false
}

// move takes the focus to the next pane that has a cursor or can scroll.
func (s *answerScreen) move(n int) {
	if len(s.panes) > 0 {
		s.focus = (s.focus + n + len(s.panes)) % len(s.panes)
		s.layout()
	}
}

func (s *answerScreen) mouse(m tea.MouseMsg) tea.Cmd {
	for i, r := range s.rects {
		if r.h == 0 || m.X < r.x || m.X >= r.x+r.w || m.Y < r.y || m.Y >= r.y+r.h {
			continue
		}
		switch {
		case m.Button == tea.MouseButtonWheelUp:
			s.panes[i].Wheel(-3)
		case m.Button == tea.MouseButtonWheelDown:
			s.panes[i].Wheel(3)
		case m.Button == tea.MouseButtonLeft && m.Action == tea.MouseActionPress:
			had := i == s.focus
			s.focus = i
			if s.panes[i].Click(m.X-r.x, m.Y-r.y) && had {
				return s.enter()
			}
		}
		return nil
	}
	return nil
}

// enter opens what is under the cursor.
func (s *answerScreen) enter() tea.Cmd {
	p := s.pane()
	if p == nil {
		return nil
	}
	t := p.Target()
	switch {
	case t.Open != "":
		return s.open(t.Open)
	case t.Figure != query.NoFigure:
		return s.openFigure(s.ans, t.Figure)
	}
	if y := p.Yank(); strings.Contains(y, "\t") { // a row of text that may be cut: all of it
		return s.post(showMsg{title: t.Label, lines: strings.Split(y, "\t")})
	}
	return s.say("nothing lies behind this")
}

// openFigure goes to the users behind a figure. A rate has several lists: those
// it counts, all it is a share of, and with retention the lost and the open.
func (s *session) openFigure(a *query.Answer, i int) tea.Cmd {
	f := &a.Figures[i]
	if f.None {
		return s.say("this figure has no value, so there is nobody behind it")
	}
	of := func(part string) openMsg {
		key := f.Key
		if part != "" {
			key += "/" + part
		}
		return openMsg{query.ListQuery(a, key).String()}
	}
	if f.Kind != query.Rate {
		return s.post(of(""))
	}
	counted := int64(f.Value*float64(f.N) + 0.5)
	cs := []choice{
		{"1", fmt.Sprintf("the %s it counts", format.Plural(counted, "user", "users")), of(query.PartSelf)},
		{"2", fmt.Sprintf("all %s it is a share of", format.Plural(f.N, "user", "users")), of(query.PartOf)},
	}
	if a.Query.Analysis == "retention" {
		cs = append(cs, choice{"3", fmt.Sprintf("the %s lost", format.Plural(f.N-counted, "user", "users")), of(query.PartLost)})
	}
	if f.Open > 0 {
		cs = append(cs, choice{"4", fmt.Sprintf("%s whose time has not come", format.Plural(f.Open, "user", "users")), of(query.PartOpen)})
	}
	if f.OpenReturned > 0 {
		cs = append(cs, choice{"5", fmt.Sprintf("%s of them who came back already", format.Plural(f.OpenReturned, "user", "users")), of(query.PartOpenReturned)})
	}
	return s.post(chooseMsg{title: format.Clean(f.Label) + "  " + format.Line(f), choices: cs})
}

// ShortHelp and FullHelp list what Update takes now.
func (s *answerScreen) ShortHelp() []key.Binding {
	if s.filter != nil {
		return []key.Binding{bind("enter", "keep", "enter"), bind("esc", "drop", "esc")}
	}
	if s.form != nil {
		return s.form.help()
	}
	if s.ans == nil {
		if s.err != nil {
			return []key.Binding{s.keys.Retry, s.keys.Options}
		}
		return nil
	}
	bs := append([]key.Binding{s.keys.Enter}, s.extra...)
	if len(s.panes) > 1 {
		bs = append(bs, s.keys.Next)
	}
	switch s.pane().(type) {
	case *widget.Chart:
		bs = append(bs, s.keys.Table)
	case *widget.Table:
		bs = append(bs, s.keys.Filter, s.session.keys.w.Sort)
	case *widget.Heat:
		bs = append(bs, s.session.keys.w.Sort)
	}
	return append(bs, s.keys.Options, s.session.keys.Explain, s.session.keys.Export)
}

func (s *answerScreen) FullHelp() [][]key.Binding {
	own := append([]key.Binding{s.keys.Enter, s.keys.Next, s.keys.Prev, s.keys.Table, s.keys.Filter, s.keys.Options, s.session.keys.Ask}, s.extra...)
	if !slices.ContainsFunc(s.extra, func(b key.Binding) bool { return b.Help().Key == s.session.keys.Kept.Help().Key }) {
		own = append(own, s.session.keys.Kept)
	}
	if s.ans == nil && s.err != nil {
		own = append(own, s.keys.Retry)
	}
	out := [][]key.Binding{own}
	if p := s.pane(); p != nil {
		out = append(out, p.Bindings())
	}
	return out
}
