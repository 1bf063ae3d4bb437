package widget

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
)

// Key moves the cursor, marks and, in a static table, sorts.
func (t *Table) Key(m tea.KeyMsg) bool {
	k := &t.keys
	page := max(t.body(), 1)
	switch {
	case key.Matches(m, k.Up):
		t.Move(t.cursor - 1)
	case key.Matches(m, k.Down):
		t.Move(t.cursor + 1)
	case key.Matches(m, k.PageUp):
		t.Move(t.cursor - page)
	case key.Matches(m, k.PageDown):
		t.Move(t.cursor + page)
	case key.Matches(m, k.Top):
		t.Move(0)
	case key.Matches(m, k.Bottom):
		t.Move(t.n - 1)
	case key.Matches(m, k.Left):
		t.shift(-1)
	case key.Matches(m, k.Right):
		t.shift(1)
	case key.Matches(m, k.First):
		t.col, t.left = 0, 1
	case key.Matches(m, k.Last):
		t.col = max(len(t.cols)-1, 0)
		t.shift(0)
	case key.Matches(m, k.Mark):
		if r := t.At(t.cursor); r != nil {
			if t.marks[r.Key] {
				delete(t.marks, r.Key)
			} else {
				t.marks[r.Key] = true
			}
			t.Move(t.cursor + 1)
		}
	case key.Matches(m, k.Sort) && t.static:
		t.cycleSort()
	default:
		return false
	}
	return true
}

// cycleSort: numbers first descending, text first ascending, then the other
// way, then the source's own order.
func (t *Table) cycleSort() {
	at := t.Target().Key
	first := t.col < len(t.cols) && t.cols[t.col].Right
	switch {
	case t.sortBy != t.col:
		t.sortBy, t.desc = t.col, first
	case t.desc == first:
		t.desc = !first
	default:
		t.sortBy = -1
	}
	t.arrange(at)
}

// shift moves the column cursor and scrolls until it is seen.
func (t *Table) shift(n int) {
	c := t.col + n
	for c > 0 && c < len(t.cols) && t.cols[c].Hidden {
		c += max(min(n, 1), -1) | 1
	}
	if c < 0 || c >= len(t.cols) {
		return
	}
	t.col = c
	t.reveal()
}

func (t *Table) reveal() {
	if t.col > 0 && t.col < t.left {
		t.left = t.col
	}
	for t.col > 0 && t.left < t.col {
		shown := t.fitting(0)
		if len(shown) > 0 && shown[len(shown)-1] >= t.col {
			break
		}
		t.left++
	}
	if t.col == 0 {
		t.left = 1
	}
}

// Wheel scrolls by lines, the cursor with it.
func (t *Table) Wheel(n int) { t.Move(t.cursor + n) }

// Click selects the row at line y; a second click on it opens it.
func (t *Table) Click(x, y int) bool {
	if y < t.above() {
		return false
	}
	i := t.top + y - t.above()
	if i >= t.n {
		return false
	}
	again := i == t.cursor
	t.cursor = i
	at := 2
	for _, c := range t.shown() {
		w := t.width[c] + 2
		if c == 0 {
			w = t.frozen() + 2
		}
		if x < at+w {
			t.col = c
			break
		}
		at += w
	}
	return again
}

// Target is the row under the cursor; a cell with a figure or address of its
// own wins over the row's where the column cursor stands on it.
func (t *Table) Target() Target {
	tg := Target{Figure: query.NoFigure}
	r := t.At(t.cursor)
	if r == nil {
		return tg
	}
	tg.Key, tg.Label, tg.Open = r.Key, cellOf(r, 0), r.Open
	if t.col < len(t.cols) {
		tg.Column = t.cols[t.col].Label
	}
	if t.col > 0 {
		if t.col < len(r.Go) && r.Go[t.col] != "" {
			tg.Open = r.Go[t.col]
			return tg
		}
		if t.col < len(r.Figures) && r.Figures[t.col] != query.NoFigure {
			tg.Figure, tg.Open = r.Figures[t.col], ""
			return tg
		}
	}
	if tg.Open == "" {
		for _, f := range r.Figures {
			if f != query.NoFigure {
				tg.Figure = f
				break
			}
		}
	} else {
		// the row leads elsewhere, but its first figure can still be explained
		for _, f := range r.Figures {
			if f != query.NoFigure {
				tg.Figure = f
				break
			}
		}
	}
	return tg
}

// Yank is the row under the cursor, its cells parted by tabs.
func (t *Table) Yank() string {
	r := t.At(t.cursor)
	if r == nil {
		return ""
	}
	return strings.Join(r.Cells, "\t")
}

// Bindings are the keys the table takes.
func (t *Table) Bindings() []key.Binding {
	k := &t.keys
	return []key.Binding{k.Up, k.Down, k.Left, k.Right, k.PageUp, k.PageDown, k.Top, k.Bottom, k.First, k.Last, k.Mark, k.Sort}
}
