package widget

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
)

// Facts are a block of one value a row: how many users, which days, how old. It
// is a table where there is room. Where there is none it folds: the same rows
// stand beside each other in two or three lines, without a title, and left and
// right go from one to the next. So the few numbers that everybody knows by heart
// do not push the chart off a small screen.
type Facts struct {
	*Table
	folded bool
}

// NewFacts shows a block of rows with one cell each.
func NewFacts(s *Styles, k Keys, a *query.Answer, b *query.Block) *Facts {
	return &Facts{Table: BlockTable(s, k, a, b)}
}

// isFacts says whether a block is one: rows with one value each, under no heading.
func isFacts(b *query.Block) bool {
	return b.Kind == query.TableBlock && len(b.Heads) == 1 && b.Heads[0].Label == "" && len(b.Rows) > 1
}

// Fold says whether room is short.
func (f *Facts) Fold(short bool) { f.folded = short }

// Room is all of it, folded or not: a table of a few rows is not worth scrolling.
func (f *Facts) Room(width int) (least, wish int) {
	if !f.folded {
		return f.Table.Room(width)
	}
	n := len(f.fold(width))
	return n, n
}

// item is a row as it stands in a line: the cursor's place, label and value.
func (f *Facts) item(i int) string {
	r := f.At(i)
	if r == nil {
		return ""
	}
	return format.Clean(strings.TrimSpace(cellOf(r, 0) + " " + cellOf(r, 1)))
}

// fold lays the rows out: the row indices of each line.
func (f *Facts) fold(width int) (lines [][]int) {
	used := 0
	for i := range f.Len() {
		w := format.Width(f.item(i)) + 3
		if len(lines) == 0 || used+w > width {
			lines, used = append(lines, nil), 0
		}
		last := len(lines) - 1
		lines[last], used = append(lines[last], i), used+w
	}
	return lines
}

// View draws the table, or the folded lines.
func (f *Facts) View(focused bool) string {
	if !f.folded || f.Len() == 0 {
		return f.Table.View(focused)
	}
	var out []string
	for _, row := range f.fold(f.w) {
		var b strings.Builder
		for k, i := range row {
			if k > 0 {
				b.WriteByte(' ')
			}
			text := format.Cut(f.item(i), f.w-2)
			if i == f.Cursor() && focused {
				b.WriteString(f.styles.Accent.Render(f.styles.Glyphs.Cursor + " " + text))
			} else {
				b.WriteString("  " + text)
			}
		}
		out = append(out, b.String())
	}
	return clip(out, f.h)
}

// Key moves the cursor: folded, sideways as well.
func (f *Facts) Key(m tea.KeyMsg) bool {
	if f.folded {
		switch {
		case key.Matches(m, f.keys.Left):
			f.Move(f.Cursor() - 1)
			return true
		case key.Matches(m, f.keys.Right):
			f.Move(f.Cursor() + 1)
			return true
		}
	}
	return f.Table.Key(m)
}

// Click selects the row at a place; a second click on it opens it.
func (f *Facts) Click(x, y int) bool {
	if !f.folded {
		return f.Table.Click(x, y)
	}
	lines := f.fold(f.w)
	if y < 0 || y >= len(lines) {
		return false
	}
	at := 0
	for _, i := range lines[y] {
		if at += format.Width(f.item(i)) + 3; x < at {
			again := i == f.Cursor()
			f.Move(i)
			return again
		}
	}
	return false
}
