package widget

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
)

// A Text shows lines, wrapped to its width and scrolled.
type Text struct {
	styles *Styles
	keys   Keys
	name   string
	raw    []string
	lines  []string
	top    int
	w, h   int
}

// NewText shows lines under a title; without one it has no heading.
func NewText(s *Styles, k Keys, name string, lines []string) *Text {
	return &Text{styles: s, keys: k, name: name, raw: lines}
}

// SetLines replaces the lines.
func (t *Text) SetLines(lines []string) { t.raw = lines; t.wrap() }

// SetSize gives the room for title and lines.
func (t *Text) SetSize(w, h int) { t.w, t.h = w, h; t.wrap() }

func (t *Text) wrap() {
	t.lines = t.lines[:0]
	for _, l := range t.raw {
		t.lines = append(t.lines, t.wrapped(l, t.w)...)
	}
	t.scroll(0)
}

// wrapped breaks a line and keeps its indentation.
func (t *Text) wrapped(l string, w int) []string {
	body := strings.TrimLeft(l, " ")
	in := len(l) - len(body)
	var out []string
	for _, s := range strings.Split(body, "\n") {
		for _, p := range format.Wrap(format.Clean(s), max(w-2-in, 10)) {
			out = append(out, strings.Repeat(" ", in)+p)
		}
	}
	return out
}

func (t *Text) head() int {
	if t.name == "" {
		return 0
	}
	return 1
}

// Room asks for all lines.
func (t *Text) Room(width int) (least, wish int) {
	n := 0
	for _, l := range t.raw {
		n += len(t.wrapped(l, width))
	}
	return min(n+t.head(), 4), n + t.head()
}

// Title is the block's title.
func (t *Text) Title() string { return t.name }

// Restyle takes the styles of another theme.
func (t *Text) Restyle(s *Styles) { t.styles = s }

func (t *Text) scroll(n int) {
	t.top = min(max(t.top+n, 0), max(len(t.lines)-(t.h-t.head()), 0))
}

// Key scrolls.
func (t *Text) Key(m tea.KeyMsg) bool {
	k := &t.keys
	page := max(t.h-t.head(), 1)
	switch {
	case key.Matches(m, k.Up):
		t.scroll(-1)
	case key.Matches(m, k.Down):
		t.scroll(1)
	case key.Matches(m, k.PageUp):
		t.scroll(-page)
	case key.Matches(m, k.PageDown):
		t.scroll(page)
	case key.Matches(m, k.Top):
		t.top = 0
	case key.Matches(m, k.Bottom):
		t.scroll(len(t.lines))
	default:
		return false
	}
	return true
}

// Bindings are the keys the text takes.
func (t *Text) Bindings() []key.Binding {
	k := &t.keys
	return []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom}
}

// Wheel scrolls by lines.
func (t *Text) Wheel(n int) { t.scroll(n) }

// Click does nothing but take the focus.
func (t *Text) Click(int, int) bool { return false }

// Target is nothing: text opens nothing.
func (t *Text) Target() Target { return Target{Figure: query.NoFigure} }

// Yank is all of the text.
func (t *Text) Yank() string { return strings.Join(t.raw, "\n") }

// View draws title and lines.
func (t *Text) View(focused bool) string {
	var out []string
	if t.name != "" {
		note := ""
		if body := t.h - 1; len(t.lines) > body && body > 0 {
			note = format.Count(int64(min(t.top+body, len(t.lines)))) + "/" + format.Count(int64(len(t.lines)))
		}
		out = append(out, title(t.styles, t.name, t.w, focused, note))
	}
	for i := t.top; i < len(t.lines); i++ {
		out = append(out, "  "+t.lines[i])
	}
	return clip(out, t.h)
}
