package widget

import (
	"math"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"dwell/model/query"
	"dwell/tui/format"
)

// A Heat is a table of figures coloured by value: a cohort triangle. Each cell
// has its number, its colour, and a shade that says the same without colour;
// cells whose time has not wholly come are hatched and never look like a loss.
// The labels are frozen when the cells scroll. The cursor is on one cell, drawn
// between brackets.
type Heat struct {
	styles *Styles
	keys   Keys
	a      *query.Answer
	b      *query.Block

	row, col  int
	top, left int
	w, h      int

	label int // width of the labels
	width int // of one cell, shade included
	max   float64
	cols  int
	fixed int // 1: the first column is a number of users, as the size of a cohort, and stays when the others scroll

	order  []int // of the rows: as the answer has them, or sorted by a column (heatsort.go)
	sortBy int   // that column, -1 if none
	desc   bool
	open   bool // some cells are hatched, which the heading says in words

	tight bool // whole percents in narrow cells, because the block is to be seen whole
	wide  int  // of a cell where it is not tight
	count int  // of a cell of the column that stays where it is
}

// tightCell is the width of a cell of a tight matrix: a shade and "100%".
const tightCell = 5

// NewHeat shows a heat block.
func NewHeat(s *Styles, k Keys, a *query.Answer, b *query.Block) *Heat {
	t := &Heat{styles: s, keys: k, a: a, b: b, width: 5, sortBy: -1}
	t.cols = len(b.Heads)
	for i := range b.Rows {
		t.order = append(t.order, i)
		r := &b.Rows[i]
		t.label = max(t.label, format.Width(format.Clean(r.Label)))
		t.cols = max(t.cols, len(r.Cells))
		for c := range r.Cells {
			t.open = t.open || r.Cells[c].Open
			t.width = max(t.width, format.Width(t.cellText(&r.Cells[c]))+2)
			if s.ASCII {
				t.width = max(t.width, format.Width(t.cellText(&r.Cells[c]))+3)
			}
			if f := t.figure(&r.Cells[c]); f != nil && f.Kind == query.Rate && !f.None && f.Value < 1 {
				t.max = math.Max(t.max, f.Value)
			}
		}
	}
	for i := range b.Heads {
		t.width = max(t.width, min(format.Width(b.Heads[i].Label)+1, 12))
	}
	t.label = min(t.label, 24)
	if first, second := t.figureAt(0, 0), t.figureAt(0, 1); second != nil && second.Kind == query.Rate && (first != nil && first.Kind == query.Count || first == nil && b.Whole) {
		t.fixed = 1
		t.count = format.Width(b.Heads[0].Label) + 1
		for i := range b.Rows {
			if c := t.cell(i, 0); c != nil {
				t.count = max(t.count, format.Width(t.cellText(c))+2)
			}
		}
	}
	t.left, t.wide = t.fixed, t.width
	return t
}

// figureAt is the figure of a cell, nil where there is none.
func (t *Heat) figureAt(r, c int) *query.Figure {
	if x := t.cell(r, c); x != nil {
		return t.figure(x)
	}
	return nil
}

// shown are the columns in the window, the fixed one first.
func (t *Heat) shown() []int {
	var out []int
	if t.fixed > 0 {
		out = append(out, 0)
	}
	for c := t.left; c < min(t.left+t.fit(), t.cols); c++ {
		out = append(out, c)
	}
	return out
}

func (t *Heat) figure(c *query.Cell) *query.Figure {
	if c.Blank || c.Figure < 0 || c.Figure >= len(t.a.Figures) {
		return nil
	}
	return &t.a.Figures[c.Figure]
}

// cellText is the number alone; the hatch beside it says that it is open.
func (t *Heat) cellText(c *query.Cell) string {
	plain := *c
	plain.Open = false
	if f := t.figure(c); t.tight && f != nil && f.Kind == query.Rate && !f.None {
		return strconv.FormatFloat(math.Round(100*f.Value), 'f', 0, 64) + "%"
	}
	s := format.Cell(t.a, &plain, 8, t.styles.ASCII)
	if s == format.None && c.Open {
		return t.styles.Glyphs.Open
	}
	return s
}

// level is the shade of a rate on a scale from 0 to the greatest of the block
// below 1 (the first interval is 1 by definition and would pale the others), -1
// where there is nothing to shade: counts and texts beside the rates.
func (t *Heat) level(c *query.Cell, n int) int {
	f := t.figure(c)
	if f == nil || f.None || f.Kind != query.Rate || n == 0 || t.max <= 0 {
		return -1
	}
	return min(int(f.Value/t.max*float64(n)), n-1)
}

// SetSize gives the room for title, heading and rows. A matrix that is to be seen
// whole gets narrow cells where those, and only those, have room for all of it.
func (t *Heat) SetSize(w, h int) {
	t.w, t.h = w, h
	t.tight, t.width = false, t.wide
	if t.b.Whole && t.fixed > 0 && !t.styles.ASCII && t.fit() < t.cols-t.fixed {
		t.tight, t.width = true, tightCell
		if t.fit() < t.cols-t.fixed {
			t.tight, t.width = false, t.wide
		}
	}
	t.follow()
}

// first is the width of the column that stays.
func (t *Heat) first() int {
	switch {
	case t.fixed == 0:
		return 0
	case t.tight:
		return t.count
	}
	return t.width
}

// widthOf is the width of a column.
func (t *Heat) widthOf(c int) int {
	if c < t.fixed {
		return t.first()
	}
	return t.width
}

// Room asks for all rows.
func (t *Heat) Room(int) (least, wish int) { return 6, len(t.b.Rows) + 2 }

// Title is the block's title.
func (t *Heat) Title() string { return t.b.Title }

// Restyle takes the styles of another theme.
func (t *Heat) Restyle(s *Styles) { t.styles = s }

func (t *Heat) body() int { return max(t.h-2, 1) }

// fit is how many scrolled cells fit beside the labels and the fixed column.
func (t *Heat) fit() int { return max((t.w-2-t.label-t.first())/t.width, 1) }

func (t *Heat) follow() {
	t.row, t.col = step(t.row, 0, len(t.b.Rows)-1), step(t.col, 0, t.cols-1)
	if t.row < t.top || t.row >= t.top+t.body() {
		t.top = t.row - t.body()/2
	}
	t.top = min(max(t.top, 0), max(len(t.b.Rows)-t.body(), 0))
	if t.col >= t.fixed && (t.col < t.left || t.col >= t.left+t.fit()) {
		t.left = t.col - t.fit()/2
	}
	t.left = min(max(t.left, t.fixed), max(t.cols-t.fit(), t.fixed))
}

// Key moves the cursor by cells.
func (t *Heat) Key(m tea.KeyMsg) bool {
	k := &t.keys
	switch {
	case key.Matches(m, k.Up):
		t.row--
	case key.Matches(m, k.Down):
		t.row++
	case key.Matches(m, k.Left):
		t.col--
	case key.Matches(m, k.Right):
		t.col++
	case key.Matches(m, k.PageUp):
		t.row -= t.body()
	case key.Matches(m, k.PageDown):
		t.row += t.body()
	case key.Matches(m, k.Top):
		t.row = 0
	case key.Matches(m, k.Bottom):
		t.row = len(t.b.Rows) - 1
	case key.Matches(m, k.First):
		t.col = 0
	case key.Matches(m, k.Last):
		t.col = t.cols - 1
	case key.Matches(m, k.Sort):
		t.cycleSort()
	default:
		return false
	}
	t.follow()
	return true
}

// Bindings are the keys the heat table takes.
func (t *Heat) Bindings() []key.Binding {
	k := &t.keys
	return []key.Binding{k.Up, k.Down, k.Left, k.Right, k.PageUp, k.PageDown, k.Top, k.Bottom, k.First, k.Last, k.Sort}
}

// Wheel scrolls by lines.
func (t *Heat) Wheel(n int) { t.row += n; t.follow() }

// Click selects a cell.
func (t *Heat) Click(x, y int) bool {
	shown := t.shown()
	r, k := t.top+y-2, (x-2-t.label-t.first()+t.fixed*t.width)/t.width
	if x < 2+t.label+t.first() {
		k = 0
	}
	if y < 2 || r >= len(t.b.Rows) || x < 2+t.label || k >= len(shown) {
		return false
	}
	c := shown[k]
	again := r == t.row && c == t.col
	t.row, t.col = r, c
	return again
}

func (t *Heat) cell(r, c int) *query.Cell {
	if r < 0 || r >= len(t.b.Rows) || c < 0 || c >= len(t.rowAt(r).Cells) {
		return nil
	}
	return &t.rowAt(r).Cells[c]
}

// Target is the figure under the cursor.
func (t *Heat) Target() Target {
	tg := Target{Figure: query.NoFigure}
	if t.row >= len(t.b.Rows) {
		return tg
	}
	tg.Key, tg.Label = t.rowAt(t.row).Key, t.rowAt(t.row).Label
	if t.col < len(t.b.Heads) {
		tg.Column = t.b.Heads[t.col].Label
	}
	if c := t.cell(t.row, t.col); c != nil && !c.Blank {
		tg.Open = c.Go
		if t.figure(c) != nil {
			tg.Figure = c.Figure
		}
	}
	return tg
}

// Yank is the cursor's row.
func (t *Heat) Yank() string {
	if t.row >= len(t.b.Rows) {
		return ""
	}
	r := t.rowAt(t.row)
	out := []string{r.Label}
	for i := range r.Cells {
		out = append(out, format.Cell(t.a, &r.Cells[i], 8, false))
	}
	return strings.Join(out, "\t")
}

// View draws title, heading and cells.
func (t *Heat) View(focused bool) string {
	s := t.styles
	lines := []string{title(s, t.b.Title, t.w, focused, t.note())}
	var b strings.Builder
	b.WriteString(format.Pad(t.legend(), 2+t.label, false))
	last := min(t.left+t.fit(), t.cols)
	for _, c := range t.shown() {
		h := ""
		if c < len(t.b.Heads) {
			h = t.b.Heads[c].Label
		}
		if c == t.sortBy {
			h = ansi.Truncate(h, t.widthOf(c)-3, "") + t.sortSign()
		}
		if c == t.left && t.left > t.fixed {
			h = s.Glyphs.Left + h
		}
		if c == last-1 && last < t.cols {
			h += s.Glyphs.Right
		}
		if t.tight {
			h = ansi.Truncate(h, t.widthOf(c)-1, "")
		}
		b.WriteString(format.Pad(h, t.widthOf(c), true))
	}
	lines = append(lines, s.Head.Render(b.String()))
	for r := t.top; r < min(t.top+t.body(), len(t.b.Rows)); r++ {
		lines = append(lines, t.line(r, focused))
	}
	if len(t.b.Rows) == 0 {
		lines = append(lines, "  "+s.Dim.Render("no cohorts"))
	}
	return clip(lines, t.h)
}

// line draws a row; neighbours of one shade share their style, because colours
// are most of a heat table's bytes.
func (t *Heat) line(r int, focused bool) string {
	s := t.styles
	row := t.rowAt(r)
	prefix := "  "
	if r == t.row && focused {
		prefix = s.Glyphs.Cursor + " "
	}
	label := prefix + format.Pad(format.Clean(row.Label), t.label, false)
	if r == t.row && focused {
		label = s.Cursor.Render(label)
	}
	var out, run strings.Builder
	level := -1
	flush := func() {
		if run.Len() == 0 {
			return
		}
		if level >= 0 && level < len(s.Heat) {
			out.WriteString(s.Heat[level].Render(run.String()))
		} else {
			out.WriteString(run.String())
		}
		run.Reset()
	}
	for _, c := range t.shown() {
		cell := t.cell(r, c)
		if cell == nil || cell.Blank {
			if level != -1 {
				flush()
				level = -1
			}
			if r == t.row && c == t.col { // the cursor is never lost, be there nothing under it
				flush()
				out.WriteString(t.cursorStyle(focused).Render(format.Pad("[ ]", t.widthOf(c), true)))
				continue
			}
			run.WriteString(strings.Repeat(" ", t.widthOf(c)))
			continue
		}
		shade := " "
		if k := t.level(cell, len(s.Glyphs.Shades)); k >= 0 {
			shade = s.Glyphs.Shades[k]
		}
		if cell.Open {
			shade = s.Glyphs.Open
		}
		num := t.cellText(cell)
		if r == t.row && c == t.col {
			flush()
			level = -1
			if t.tight && format.Width(num)+2 > t.widthOf(c) {
				num = strings.TrimSuffix(num, "%")
			}
			out.WriteString(t.cursorStyle(focused).Render(format.Pad("["+num+"]", t.widthOf(c), true)))
			continue
		}
		if k := t.level(cell, len(s.Heat)); k != level {
			flush()
			level = k
		}
		if s.ASCII { // a full stop or a plus must not read as part of the number
			shade += " "
		}
		run.WriteString(format.Pad(shade+num, t.widthOf(c)-1, true) + " ")
	}
	flush()
	return label + strings.TrimRight(out.String(), " ")
}

// note is the figure under the cursor in words, or why there is none.
func (t *Heat) note() string {
	if tg := t.Target(); tg.Figure != query.NoFigure {
		return format.Line(&t.a.Figures[tg.Figure])
	}
	if c := t.cell(t.row, t.col); len(t.b.Rows) == 0 || c != nil && !c.Blank {
		return ""
	}
	cells := t.rowAt(t.row).Cells
	for c := t.col + 1; c < len(cells); c++ {
		if !cells[c].Blank {
			return "no figure here"
		}
	}
	if a := t.a.Query.Analysis; t.col > 0 && (a == "retention" || a == "revenue") { // ages that nobody of the row has reached
		return "not there yet: nobody's time has come"
	}
	return "no figure here"
}

// legend says what the hatch is, where cells have it.
func (t *Heat) legend() string {
	if !t.open {
		return ""
	}
	for _, words := range []string{" still open", " open"} {
		if l := t.styles.Glyphs.Open + words; format.Width(l) <= 2+t.label {
			return l
		}
	}
	return ""
}

func (t *Heat) cursorStyle(focused bool) lipgloss.Style {
	if focused {
		return t.styles.Cell
	}
	return t.styles.Rest
}

// ToFirstRate puts the cursor on the first column that holds a rate.
func (t *Heat) ToFirstRate() {
	for c := range t.cols {
		if f := t.cell(0, c); f != nil {
			if x := t.figure(f); x != nil && x.Kind == query.Rate {
				t.col = c // SetSize scrolls to it
				return
			}
		}
	}
}
