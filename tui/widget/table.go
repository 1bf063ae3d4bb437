package widget

import (
	"context"
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
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

func (t *Table) setCols(cols []Column) {
	same := len(cols) == len(t.cols)
	for i := 0; same && i < len(cols); i++ {
		same = cols[i].Name == t.cols[i].Name
	}
	if same { // a column somebody hid stays hidden
		for i := range cols {
			cols[i].Hidden = t.cols[i].Hidden
		}
	} else {
		t.width = make([]int, len(cols))
		t.col, t.left, t.sortBy = 0, 1, -1
	}
	t.cols = cols
	for i := range cols {
		t.width[i] = max(t.width[i], format.Width(cols[i].Label)+1)
	}
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

// Want is the next page that the window needs and that nobody has asked for.
func (t *Table) Want() (from, n int, ok bool) {
	if t.static || t.n == 0 {
		return 0, 0, false
	}
	first, last := t.top/Page, min(t.top+max(t.body(), 1)-1, t.n-1)/Page
	for _, p := range []int{first, last, t.cursor / Page} {
		if t.pages[p] == nil && !t.asked[p] {
			t.asked[p] = true
			return p * Page, Page, true
		}
	}
	return 0, 0, false
}

// Fill brings the rows of a page. A page without rows ends the table there: its
// length was an estimate.
func (t *Table) Fill(from int, rows []Row) {
	p := from / Page
	delete(t.asked, p)
	if rows == nil {
		rows = []Row{}
	}
	if _, had := t.pages[p]; !had {
		t.used = append(t.used, p)
	}
	t.pages[p] = rows
	for i := range rows {
		t.widen(&rows[i])
	}
	if len(rows) < Page && from+len(rows) < t.n {
		t.SetLen(from+len(rows), true)
	}
	for len(t.used) > keepPages {
		delete(t.pages, t.used[0])
		t.used = t.used[1:]
	}
}

// Refuse forgets that a page was asked for, after its job failed or was cancelled.
func (t *Table) Refuse(from int) { delete(t.asked, from/Page) }

func (t *Table) widen(r *Row) {
	for i := range r.Cells {
		if i < len(t.width) {
			t.width[i] = min(max(t.width[i], format.Width(format.Clean(r.Cells[i]))), widest)
		}
	}
}

// At is row i, or nil while its page is not there.
func (t *Table) At(i int) *Row {
	if i < 0 || i >= t.n {
		return nil
	}
	if t.static {
		return &t.rows[t.order[i]]
	}
	p := t.pages[i/Page]
	if k := i % Page; k < len(p) {
		return &p[k]
	}
	return nil
}

// Filter keeps the rows of a static table that hold the text, case ignored.
func (t *Table) Filter(s string) {
	at := t.Target().Key
	t.filter = s
	t.arrange(at)
}

// FilterText is the filter in force.
func (t *Table) FilterText() string { return t.filter }

// SortedBy names the column a static table is sorted by, "" if none.
func (t *Table) SortedBy() (name string, desc bool) {
	if t.sortBy < 0 || t.sortBy >= len(t.cols) {
		return "", false
	}
	return t.cols[t.sortBy].Name, t.desc
}

// ShowSort draws the sort sign of a table that is sorted by its source.
func (t *Table) ShowSort(name string, desc bool) {
	t.sortBy = -1
	for i := range t.cols {
		if t.cols[i].Name == name {
			t.sortBy, t.desc = i, desc
		}
	}
}

// ColumnName is the column under the cursor.
func (t *Table) ColumnName() string {
	if t.col < len(t.cols) {
		return t.cols[t.col].Name
	}
	return ""
}

// arrange filters and sorts the rows of a static table and finds the cursor's
// row again.
func (t *Table) arrange(at string) {
	if !t.static {
		return
	}
	t.order = t.order[:0]
	want := strings.ToLower(t.filter)
	for i := range t.rows {
		if want == "" || rowHolds(&t.rows[i], want) {
			t.order = append(t.order, i)
		}
	}
	if t.sortBy >= 0 && t.sortBy < len(t.cols) {
		c, desc := t.sortBy, t.desc
		sort.SliceStable(t.order, func(i, j int) bool { return rowLess(&t.rows[t.order[i]], &t.rows[t.order[j]], c, desc) })
	}
	t.n = len(t.order)
	t.cursor = step(t.cursor, 0, t.n-1)
	if at != "" {
		for i, o := range t.order {
			if t.rows[o].Key == at {
				t.cursor = i
				break
			}
		}
	}
	t.follow()
}

func rowHolds(r *Row, want string) bool {
	for _, c := range r.Cells {
		if strings.Contains(strings.ToLower(c), want) {
			return true
		}
	}
	return false
}

// rowLess compares numbers as numbers; rows without a value come last either way.
func rowLess(a, b *Row, c int, desc bool) bool {
	av, bv := valueOf(a, c), valueOf(b, c)
	if av != nil || bv != nil {
		if av == nil || bv == nil {
			return bv == nil
		}
		if desc {
			return *av > *bv
		}
		return *av < *bv
	}
	as, bs := cellOf(a, c), cellOf(b, c)
	if desc {
		return as > bs
	}
	return as < bs
}

func valueOf(r *Row, c int) *float64 {
	if c < len(r.Values) && r.Values[c] != nil && !math.IsNaN(*r.Values[c]) {
		return r.Values[c]
	}
	return nil
}

func cellOf(r *Row, c int) string {
	if c < len(r.Cells) {
		return r.Cells[c]
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

// SetSize gives the room for title, heading and rows.
func (t *Table) SetSize(w, h int) { t.w, t.h = w, h; t.follow(); t.reveal() }

// Room asks for all rows, and four lines at least.
func (t *Table) Room(int) (least, wish int) { return 5, max(t.n, 1) + t.above() }

// Title is the name of the table.
func (t *Table) Title() string { return t.name }

// Restyle takes the styles of another theme.
func (t *Table) Restyle(s *Styles) { t.styles = s }

// Marks are the keys of the marked rows, sorted.
func (t *Table) Marks() []string {
	var out []string
	for k := range t.marks {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

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
		shown := t.shown()
		if len(shown) > 0 && shown[len(shown)-1] >= t.col {
			break
		}
		t.left++
	}
	if t.col == 0 {
		t.left = 1
	}
}

// shown are the columns that fit, the frozen first one included.
func (t *Table) shown() []int {
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
			break
		}
		out = append(out, c)
		used += w
	}
	return out
}

// frozen is the width of the first column: at most a third of the room, unless
// it stands alone.
func (t *Table) frozen() int {
	if len(t.cols) == 1 {
		return max(t.w-2, 1)
	}
	return min(t.width[0], max(t.w/3, 12))
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
