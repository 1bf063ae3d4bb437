package widget

import (
	"math"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
)

// Bars shows rows with one figure each as bars. Rows that stand apart (the lost
// beside the living) come under a rule and have no bar: they would flatten the
// others.
type Bars struct {
	styles *Styles
	keys   Keys
	a      *query.Answer
	b      *query.Block

	at, top, w, h       int
	label, value, trail int
	max                 float64
}

// NewBars shows a bar block.
func NewBars(s *Styles, k Keys, a *query.Answer, b *query.Block) *Bars {
	t := &Bars{styles: s, keys: k, a: a, b: b}
	for i := range b.Rows {
		r := &b.Rows[i]
		t.label = max(t.label, format.Width(format.Clean(r.Label)))
		v, str := t.figure(r)
		t.value = max(t.value, format.Width(str))
		t.trail = max(t.trail, format.Width(t.rest(r)))
		if !r.Apart && v > t.max {
			t.max = v
		}
	}
	return t
}

// first is the index of the cell that is drawn as the bar, or -1.
func (t *Bars) first(r *query.Row) int {
	for i := range r.Cells {
		if f := r.Cells[i].Figure; f >= 0 && f < len(t.a.Figures) && r.Cells[i].Spark == nil && !r.Cells[i].Blank {
			return i
		}
	}
	return -1
}

func (t *Bars) figure(r *query.Row) (float64, string) {
	i := t.first(r)
	if i < 0 {
		return math.NaN(), ""
	}
	f := &t.a.Figures[r.Cells[i].Figure]
	if f.None {
		return math.NaN(), format.None
	}
	return f.Value, format.Cell(t.a, &r.Cells[i], 0, t.styles.ASCII)
}

// rest are the cells behind the bar: shares, notes, small bars.
func (t *Bars) rest(r *query.Row) string {
	var out []string
	skip := t.first(r)
	for i := range r.Cells {
		if i != skip {
			if s := format.Cell(t.a, &r.Cells[i], 16, t.styles.ASCII); s != "" {
				out = append(out, s)
			}
		}
	}
	return strings.Join(out, "  ")
}

// SetSize gives the room for title and rows.
func (t *Bars) SetSize(w, h int) { t.w, t.h = w, h; t.follow() }

// Room asks for all rows and the rule; few rows are not worth scrolling.
func (t *Bars) Room(int) (least, wish int) { return min(len(t.b.Rows)+2, 8), len(t.b.Rows) + 2 }

// Title is the block's title.
func (t *Bars) Title() string { return t.b.Title }

// Restyle takes the styles of another theme.
func (t *Bars) Restyle(s *Styles) { t.styles = s }

func (t *Bars) follow() {
	t.at = step(t.at, 0, len(t.b.Rows)-1)
	body := max(t.h-2, 1)
	if t.at < t.top || t.at >= t.top+body {
		t.top = t.at - body/2
	}
	t.top = min(max(t.top, 0), max(len(t.b.Rows)-body, 0))
}

// Key moves the cursor.
func (t *Bars) Key(m tea.KeyMsg) bool {
	k := &t.keys
	switch {
	case key.Matches(m, k.Up):
		t.at--
	case key.Matches(m, k.Down):
		t.at++
	case key.Matches(m, k.PageUp):
		t.at -= max(t.h-2, 1)
	case key.Matches(m, k.PageDown):
		t.at += max(t.h-2, 1)
	case key.Matches(m, k.Top):
		t.at = 0
	case key.Matches(m, k.Bottom):
		t.at = len(t.b.Rows) - 1
	default:
		return false
	}
	t.follow()
	return true
}

// Bindings are the keys the bars take.
func (t *Bars) Bindings() []key.Binding {
	k := &t.keys
	return []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom}
}

// Wheel scrolls by lines.
func (t *Bars) Wheel(n int) { t.at += n; t.follow() }

// Click selects a row.
func (t *Bars) Click(_, y int) bool {
	at := t.top - 1
	for i := t.top; i < len(t.b.Rows) && y > 0; i++ {
		if t.ruled(i) {
			y--
		}
		y--
		if y >= 0 {
			at = i
		}
	}
	if at < t.top {
		return false
	}
	again := at == t.at
	t.at = at
	return again
}

// Target is the row under the cursor: its own address, else its figure.
func (t *Bars) Target() Target {
	tg := Target{Figure: query.NoFigure}
	if t.at >= len(t.b.Rows) {
		return tg
	}
	r := &t.b.Rows[t.at]
	tg.Key, tg.Label, tg.Open = r.Key, r.Label, r.Open
	if i := t.first(r); i >= 0 {
		tg.Figure = r.Cells[i].Figure
	}
	return tg
}

// Yank is the cursor's row.
func (t *Bars) Yank() string {
	if t.at >= len(t.b.Rows) {
		return ""
	}
	r := &t.b.Rows[t.at]
	_, v := t.figure(r)
	return strings.TrimRight(r.Label+"\t"+v+"\t"+t.rest(r), "\t")
}

// ruled says whether a rule stands before row i.
func (t *Bars) ruled(i int) bool {
	return i > 0 && t.b.Rows[i].Apart && !t.b.Rows[i-1].Apart
}

// leastBar is how short bars may become for the sake of their labels.
const leastBar = 14

// View draws title and bars.
func (t *Bars) View(focused bool) string {
	s := t.styles
	note := ""
	if tg := t.Target(); focused && tg.Figure != query.NoFigure {
		if f := &t.a.Figures[tg.Figure]; f.Interval {
			note = format.Line(f)
		}
	}
	lines := []string{title(s, t.b.Title, t.w, focused, note)}
	trail := min(t.trail, max(t.w/3, 0))
	room := t.w - 2 - 2 - t.value - 2
	if trail > 0 {
		room -= trail + 2
	}
	// A name read whole says more than a long bar.
	label := min(t.label, max(t.w/3, room-leastBar, 8))
	room = min(room-label, 48)
	for i := t.top; i < len(t.b.Rows); i++ {
		r := &t.b.Rows[i]
		if t.ruled(i) {
			lines = append(lines, "  "+s.Dim.Render(strings.Repeat(s.Glyphs.Rule, min(label+t.value+4, t.w-2))))
		}
		v, num := t.figure(r)
		bar := ""
		if !r.Apart && t.max > 0 {
			bar = format.Bar(v/t.max, room, s.ASCII)
		}
		prefix := "  "
		if i == t.at && focused {
			prefix = s.Glyphs.Cursor + " "
		}
		head := prefix + format.Pad(format.Clean(r.Label), label, false) + "  " + format.Pad(num, t.value, true)
		switch {
		case i == t.at && focused:
			head = s.Cursor.Render(head)
		case i == t.at:
			head = s.Rest.Render(head)
		}
		tail := ""
		if rest := t.rest(r); rest != "" {
			tail = strings.Repeat(" ", max(room-format.Width(bar), 0)) + "  " + s.Dim.Render(format.Cut(rest, trail))
		}
		if bar != "" && !r.Apart {
			bar = s.Paint(r.Colour, i).Render(bar)
		}
		lines = append(lines, strings.TrimRight(head+"  "+bar+tail, " "))
	}
	if len(t.b.Rows) == 0 {
		lines = append(lines, "  "+s.Dim.Render("nothing here"))
	}
	return clip(lines, t.h)
}
