package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/tui/format"
	"dwell/tui/widget"
)

// choiceKey takes the keys of the choice that is open: a choice's own key, or the
// arrows and enter.
func (a *App) choiceKey(m tea.KeyMsg) tea.Cmd {
	c := a.chooser
	if matches(m, a.s.keys.Escape) || matches(m, a.s.keys.Quit) {
		a.mode, a.chooser = modeScreen, nil
		return nil
	}
	for i := range c.choices {
		if m.String() == c.choices[i].key {
			return a.chosen(i)
		}
	}
	last := len(c.choices) - 1
	switch {
	case matches(m, a.s.keys.Enter) && last >= 0:
		return a.chosen(min(c.at, last))
	case matches(m, a.s.keys.w.Up):
		c.at = max(c.at-1, 0)
	case matches(m, a.s.keys.w.Down):
		c.at = min(c.at+1, max(last, 0))
	}
	return nil
}

// chosen takes one of the ways.
func (a *App) chosen(i int) tea.Cmd {
	msg := a.chooser.choices[i].msg
	a.mode, a.chooser = modeScreen, nil
	return a.s.post(msg)
}

// chooserClick scrolls with the wheel; a click takes a way.
func (a *App) chooserClick(m tea.MouseMsg) tea.Cmd {
	c := a.chooser
	last := max(len(c.choices)-1, 0)
	switch {
	case m.Button == tea.MouseButtonWheelUp:
		c.at = max(c.at-3, 0)
	case m.Button == tea.MouseButtonWheelDown:
		c.at = min(c.at+3, last)
	case m.Button == tea.MouseButtonLeft && m.Action == tea.MouseActionPress:
		room := c.room(a.body())
		if i := c.top + m.Y - headLines - (a.body() - room - 1); i >= c.top && i < c.top+room && i < len(c.choices) {
			return a.drain(a.chosen(i))
		}
	}
	return nil
}

// room is how many ways are shown in a body of h lines: rule, title and hint
// stand around them.
func (c *chooseMsg) room(h int) int { return max(min(len(c.choices), h-3), 0) }

// view draws the ways over the foot of a body of h lines.
func (c *chooseMsg) view(st *widget.Styles, w, h int) []string {
	room := c.room(h)
	c.top = min(max(c.top, c.at-room+1), c.at)
	out := []string{strings.Repeat(st.Glyphs.Rule, w), st.Accent.Render(" " + format.Cut(c.title, w-2))}
	for i := c.top; i < c.top+room; i++ {
		g := "  "
		if i == c.at {
			g = st.Glyphs.Cursor + " "
		}
		line := format.Cut(g+" "+c.choices[i].key+"  "+c.choices[i].label, w)
		if i == c.at {
			line = st.Cursor.Render(line)
		}
		out = append(out, line)
	}
	hint := "enter, or its key, takes one; esc leaves it"
	if room < len(c.choices) {
		hint += "; there are more above or below"
	}
	return append(out, "   "+st.Dim.Render(format.Cut(hint, w-3)))[:min(h, room+3)]
}
