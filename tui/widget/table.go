package widget

import (
	"context"
	"sort"

	"dwell/tui/format"
)

// A Column is one column of a table; the first is frozen when the others scroll.
type Column struct {
	Name   string // what it is called in rules and addresses
	Label  string
	Right  bool
	Hidden bool
}

// A Row is one row of a table. Cells are cleaned and cut when they are drawn.
type Row struct {
	Key     string
	Open    string
	Cells   []string
	Values  []*float64 // for sorting; nil entries and missing ones sort last
	Figures []int      // behind each cell, NoFigure where none; may be shorter
	Go      []string   // address behind each cell; may be shorter
}

// A RowSource is a table of any length. Window and Seek may take long: screens
// call them from jobs, never from Update or View.
type RowSource interface {
	Len() (n int, exact bool)
	Window(ctx context.Context, from, n int) ([]Row, error)
	Seek(key string) (int, error)
}

// Page is how many rows are fetched at once; the table keeps keepPages of them.
const (
	Page      = 200
	keepPages = 60
	widest    = 40 // cells of a column, unless it is the only one
)

// A Table shows a window of a table of any length. Rows come in pages: View
// draws those that are there, Want names the next one that is missing, Fill
// brings it. A table of known rows (SetRows) has them all.
//
// The cursor is kept by key: whatever is sorted, filtered or loaded, it stays on
// its row while that row exists. At the edge the window jumps by half a page, so
// that a key held down rewrites two lines a step and not the whole screen.
type Table struct {
	styles *Styles
	keys   Keys
	name   string
	note   string

	cols  []Column
	width []int // of each column, growing with the rows seen

	rows   []Row // all of them, if static
	order  []int // static: indices into rows after filter and sort
	static bool
	filter string
	sortBy int // column, or -1
	desc   bool

	n     int
	exact bool
	pages map[int][]Row
	asked map[int]bool
	used  []int // pages, least recently filled first

	cursor, top int
	col, left   int // column under the cursor; first scrolled column shown
	marks       map[string]bool
	held        *Held // to be put back once there are columns

	w, h int
}

// NewTable is an empty table.
func NewTable(s *Styles, k Keys, name string) *Table {
	return &Table{styles: s, keys: k, name: name, sortBy: -1, left: 1, marks: map[string]bool{}, pages: map[int][]Row{}, asked: map[int]bool{}}
}

// SetRows gives a table all its rows. Cursor, sort and filter are kept.
func (t *Table) SetRows(cols []Column, rows []Row) {
	at := t.Target().Key
	t.static, t.exact = true, true
	t.setCols(cols)
	t.rows = rows
	for i := range rows {
		t.widen(&rows[i])
	}
	t.arrange(at)
}

// SetSource starts over with a table whose rows come by Fill.
func (t *Table) SetSource(cols []Column, n int, exact bool) {
	t.static = false
	t.setCols(cols)
	t.n, t.exact = n, exact
	t.pages, t.asked, t.used = map[int][]Row{}, map[int]bool{}, nil
	t.cursor = step(t.cursor, 0, n-1)
	t.top = step(t.top, 0, n-1)
}

// Renew starts over like SetSource with the cursor on row at, which stays on its line
// of the window as far as there are rows.
func (t *Table) Renew(cols []Column, n int, exact bool, at int) {
	line := t.Line()
	t.SetSource(cols, n, exact)
	t.cursor = step(at, 0, n-1)
	t.top = min(max(t.cursor-line, 0), max(n-max(t.body(), 1), 0))
}

// Line is how far below the first row of the window the cursor stands, and Body how
// many rows the window has.
func (t *Table) Line() int { return t.cursor - t.top }

func (t *Table) Body() int { return max(t.body(), 1) }

func (t *Table) setCols(cols []Column) {
	same := len(cols) == len(t.cols)
	for i := 0; same && i < len(cols); i++ {
		same = cols[i].Name == t.cols[i].Name
	}
	for i := range cols { // a column somebody hid stays hidden
		for k := range t.cols {
			if t.cols[k].Name == cols[i].Name && i > 0 {
				cols[i].Hidden = t.cols[k].Hidden
			}
		}
	}
	if !same {
		t.width = make([]int, len(cols))
		t.col, t.left, t.sortBy = 0, 1, -1
	}
	t.cols = cols
	for i := range cols {
		t.width[i] = max(t.width[i], format.Width(cols[i].Label)+1)
	}
	t.putBack()
}

// SetName and SetNote change the title and what stands beside it.
func (t *Table) SetName(s string) { t.name = s }

func (t *Table) SetNote(s string) { t.note = s }

// Columns are the table's columns; Show hides or shows one by name.
func (t *Table) Columns() []Column { return t.cols }

func (t *Table) Show(name string, shown bool) {
	for i := range t.cols {
		if t.cols[i].Name == name && i > 0 {
			t.cols[i].Hidden = !shown
		}
	}
}

// Len is the number of rows after the filter.
func (t *Table) Len() int { return t.n }

// SetLen mends the length as it becomes known.
func (t *Table) SetLen(n int, exact bool) { t.n, t.exact = n, exact; t.cursor = step(t.cursor, 0, n-1) }

// ColumnName is the column under the cursor.
func (t *Table) ColumnName() string {
	if t.col < len(t.cols) {
		return t.cols[t.col].Name
	}
	return ""
}

// Cursor is the index of the selected row; Move puts it elsewhere.
func (t *Table) Cursor() int { return t.cursor }

func (t *Table) Move(i int) {
	t.cursor = step(i, 0, t.n-1)
	t.follow()
}

// follow brings the cursor into the window: by half a page, not by a line.
func (t *Table) follow() {
	body := max(t.body(), 1)
	if t.cursor < t.top || t.cursor >= t.top+body {
		if t.cursor < t.top && t.cursor >= t.top-body || t.cursor >= t.top+body && t.cursor < t.top+2*body {
			half := max(body/2, 1)
			for t.cursor < t.top {
				t.top -= half
			}
			for t.cursor >= t.top+body {
				t.top += half
			}
		} else {
			t.top = t.cursor - body/2
		}
	}
	t.top = min(max(t.top, 0), max(t.n-body, 0))
}

// SetSize gives the room for title, heading and rows.
func (t *Table) SetSize(w, h int) { t.w, t.h = w, h; t.follow(); t.reveal() }

// Room asks for all rows, and four lines at least.
func (t *Table) Room(int) (least, wish int) { return 5, max(t.n, 1) + t.above() }

// Title is the name of the table.
func (t *Table) Title() string { return t.name }

// Restyle takes the styles of another theme.
func (t *Table) Restyle(s *Styles) { t.styles = s }

// SetMarks marks the rows with these keys, whether they have been read or not.
func (t *Table) SetMarks(keys []string) {
	for _, k := range keys {
		t.marks[k] = true
	}
}

// Marks are the keys of the marked rows, sorted.
func (t *Table) Marks() []string {
	var out []string
	for k := range t.marks {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
