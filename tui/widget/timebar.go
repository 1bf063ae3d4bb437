package widget

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
)

// TimeBar draws a stage history as one line of n cells, a line of names below
// it, and a line that points out span number at, unless that is negative.
func TimeBar(s *Styles, spans []query.Span, n, at int) []string {
	if len(spans) == 0 || n < 4 {
		return nil
	}
	widths := format.SpanWidths(spans, n)
	var bar strings.Builder
	point, last := "", 0
	for i, w := range widths {
		k := max(spans[i].Stage, 0)
		bar.WriteString(s.Paint(spans[i].Colour, k).Render(strings.Repeat(format.SpanSign(k, s.ASCII), w)))
		if i == at {
			point = strings.Repeat(" ", last) + strings.Repeat(s.Glyphs.Up, w)
		}
		last += w
	}
	return []string{bar.String(), s.Dim.Render(format.SpanNames(spans, widths)), s.Accent.Render(point)}
}

// A History is a table of intervals with its time bar above it; the bar points
// out the row under the cursor.
type History struct {
	styles *Styles
	b      *query.Block
	table  *Table
	w, h   int
}

// NewHistory shows a block of intervals.
func NewHistory(s *Styles, k Keys, a *query.Answer, b *query.Block) *History {
	t := &History{styles: s, b: b, table: BlockTable(s, k, a, b)}
	t.table.Move(len(b.Rows) - 1)
	return t
}

func (t *History) bar() int {
	if len(t.b.Spans) == 0 {
		return 0
	}
	return 3
}

// Title is the block's title.
func (t *History) Title() string { return t.b.Title }

// SetSize gives the room for bar and table.
func (t *History) SetSize(w, h int) {
	t.w, t.h = w, h
	t.table.SetSize(w, max(h-t.bar(), 0))
}

// Room asks for the bar and all rows.
func (t *History) Room(w int) (least, wish int) {
	least, wish = t.table.Room(w)
	return least + t.bar(), wish + t.bar()
}

// Key moves in the table.
func (t *History) Key(m tea.KeyMsg) bool { return t.table.Key(m) }

// Wheel scrolls the table.
func (t *History) Wheel(n int) { t.table.Wheel(n) }

// Click selects a row of the table.
func (t *History) Click(x, y int) bool {
	if y == 0 {
		return false
	}
	return t.table.Click(x, y-t.bar())
}

// Target is the row under the cursor.
func (t *History) Target() Target { return t.table.Target() }

// Yank is the row under the cursor.
func (t *History) Yank() string { return t.table.Yank() }

// Bindings are the keys of the table.
func (t *History) Bindings() []key.Binding { return t.table.Bindings() }

// Restyle takes the styles of another theme.
func (t *History) Restyle(s *Styles) { t.styles = s; t.table.Restyle(s) }

// View draws title, bar and table.
func (t *History) View(focused bool) string {
	lines := strings.Split(t.table.View(focused), "\n")
	if t.bar() == 0 || len(lines) == 0 {
		return clip(lines, t.h)
	}
	at := -1
	if key := t.table.Target().Key; key != "" {
		for i := range t.b.Rows {
			if t.b.Rows[i].Key == key && i < len(t.b.Spans) {
				at = i
			}
		}
	}
	out := []string{lines[0]}
	for _, l := range TimeBar(t.styles, t.b.Spans, t.w-2, at) {
		out = append(out, "  "+l)
	}
	for len(out) < 1+t.bar() {
		out = append(out, "")
	}
	return clip(append(out, lines[1:]...), t.h)
}

// Cursor, Len and Move are those of the table.
func (t *History) Cursor() int { return t.table.Cursor() }
func (t *History) Len() int    { return t.table.Len() }
func (t *History) Move(i int)  { t.table.Move(i) }
