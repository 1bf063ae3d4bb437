package widget

import (
	"fmt"
	"strings"

	"dwell/tui/format"
)

// body is the number of rows in the window.
func (t *Table) body() int { return t.h - t.above() }

// above is the number of lines over the rows: the title, and the heading if any
// column has one.
func (t *Table) above() int {
	if t.headless() {
		return 1
	}
	return 2
}

func (t *Table) headless() bool {
	for i := range t.cols {
		if t.cols[i].Label != "" {
			return false
		}
	}
	return true
}

// shown are the columns that fit, the frozen first one included, and a column of
// text that fits in part.
func (t *Table) shown() []int { return t.fitting(partly) }

// partly is the least room in which a column of text is shown cut.
const partly = 12

// fitting are the columns that fit, and the next if it is of text and has so many
// cells at least; 0 wants all of it.
func (t *Table) fitting(partly int) []int {
	if len(t.cols) == 0 {
		return nil
	}
	out := []int{0}
	used := 2 + t.frozen()
	for c := t.left; c < len(t.cols); c++ {
		if t.cols[c].Hidden {
			continue
		}
		w := t.width[c] + 2
		if used+w > t.w && len(out) > 1 {
			if !t.cols[c].Right && partly > 0 && t.w-used-2 >= partly {
				out = append(out, c)
			}
			break
		}
		out = append(out, c)
		used += w
	}
	return out
}

// frozen is the width of the first column: what the others leave, and a third of
// the room at least.
func (t *Table) frozen() int {
	if len(t.cols) == 1 {
		return max(t.w-2, 1)
	}
	left := t.w - 2
	for c := 1; c < len(t.cols); c++ {
		if !t.cols[c].Hidden {
			left -= t.width[c] + 2
		}
	}
	return min(t.width[0], max(t.w/3, 12, left))
}

// View draws title, heading and rows.
func (t *Table) View(focused bool) string {
	s := t.styles
	lines := []string{title(s, t.name, t.w, focused, t.position())}
	if !t.headless() {
		lines = append(lines, t.heading())
	}
	shown := t.shown()
	for i := t.top; i < min(t.top+max(t.body(), 0), t.n); i++ {
		lines = append(lines, t.line(i, shown, focused))
	}
	if t.n == 0 {
		none := "nothing here"
		if t.filter != "" {
			none = fmt.Sprintf("nothing holds %q: esc clears the filter", t.filter)
		}
		lines = append(lines, "  "+s.Dim.Render(format.Cut(none, t.w-2)))
	}
	return clip(lines, t.h)
}

// position says where the cursor is: short, because every key rewrites it.
func (t *Table) position() string {
	if t.n == 0 {
		return t.note
	}
	of := format.Count(int64(t.n))
	if !t.exact {
		of = "about " + of
	}
	p := format.Count(int64(t.cursor+1)) + "/" + of
	if len(t.marks) > 0 {
		p += fmt.Sprintf(" %s%d", t.styles.Glyphs.Mark, len(t.marks))
	}
	if t.filter != "" {
		p += " /" + format.Clean(t.filter)
	}
	if t.note != "" {
		p += " " + t.styles.Glyphs.Dot + " " + t.note
	}
	return p
}

// last widens the last column on the right to the room that is left, if it holds
// text: evidence and definitions are long.
func (t *Table) last(c int, shown []int, w, used int) int {
	if c != 0 && !t.cols[c].Right && c == shown[len(shown)-1] && !t.hiddenRight(c) {
		return max(t.w-used, w)
	}
	return w
}

func (t *Table) heading() string {
	g := t.styles.Glyphs
	var b strings.Builder
	b.WriteString("  ")
	shown := t.shown()
	for i, c := range shown {
		w := t.width[c]
		if c == 0 {
			w = t.frozen()
		} else {
			b.WriteString("  ")
		}
		label := t.cols[c].Label
		if c == t.sortBy {
			if t.desc {
				label += g.Down
			} else {
				label += g.Up
			}
		}
		if i == 1 && t.left > 1 {
			label = g.Left + label
		}
		if i == len(shown)-1 && t.hiddenRight(c) {
			label += g.Right
		}
		b.WriteString(format.Pad(label, w, t.cols[c].Right))
	}
	return t.styles.Head.Render(format.Cut(strings.TrimRight(b.String(), " "), t.w))
}

func (t *Table) hiddenRight(c int) bool {
	for c++; c < len(t.cols); c++ {
		if !t.cols[c].Hidden {
			return true
		}
	}
	return false
}

// line draws a row: one style for the whole of it, and one for the selected
// cell of the selected row.
func (t *Table) line(i int, shown []int, focused bool) string {
	s := t.styles
	r := t.At(i)
	sel := i == t.cursor
	prefix := "  "
	if sel && focused {
		prefix = s.Glyphs.Cursor + " "
	}
	if r == nil {
		return prefix + s.Dim.Render("…")
	}
	if t.marks[r.Key] {
		if sel && focused {
			prefix = s.Glyphs.Cursor + s.Glyphs.Mark
		} else {
			prefix = " " + s.Glyphs.Mark
		}
	}
	var before, cell, after strings.Builder
	at := &before
	at.WriteString(prefix)
	used := 2
	for _, c := range shown {
		w := t.width[c]
		if c == 0 {
			w = t.frozen()
		} else {
			if used+2 >= t.w {
				break
			}
			at.WriteString("  ")
			used += 2
		}
		w = t.last(c, shown, min(w, t.w-used), used)
		used += max(w, 0)
		text := format.Pad(format.Clean(cellOf(r, c)), w, t.cols[c].Right)
		if sel && focused && c == t.col {
			cell.WriteString(text)
			at = &after
			continue
		}
		at.WriteString(text)
	}
	switch {
	case sel && focused:
		a := strings.TrimRight(after.String(), " ")
		if a == "" {
			return s.Cursor.Render(before.String()) + s.Cell.Render(cell.String())
		}
		return s.Cursor.Render(before.String()) + s.Cell.Render(cell.String()) + s.Cursor.Render(a)
	case sel:
		return s.Rest.Render(strings.TrimRight(before.String(), " "))
	case t.marks[r.Key]:
		return s.Marked.Render(strings.TrimRight(before.String(), " "))
	}
	return strings.TrimRight(before.String(), " ")
}
