package widget

import (
	"math"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/chart"
	"dwell/tui/format"
)

// A Chart shows a chart with a cursor on its points: left and right walk along
// the axis, up and down change the series, and the figure under the cursor
// opens like any other. As a table (Flip) it is the same figures in rows.
type Chart struct {
	styles *Styles
	keys   Keys
	a      *query.Answer
	b      *query.Block

	at, series int
	w, h       int
	table      *Table // not nil: shown as a table
	zoom       zoom
	short      bool // room is short: a line of small bars will do
}

// NewChart shows a chart block.
func NewChart(s *Styles, k Keys, a *query.Answer, b *query.Block) *Chart {
	return &Chart{styles: s, keys: k, a: a, b: b, at: max(chart.Points(b.Chart)-1, 0)}
}

// Flip turns the chart into its table and back.
func (t *Chart) Flip() {
	if t.table != nil {
		t.at = min(t.table.Cursor(), max(chart.Points(t.b.Chart)-1, 0))
		t.table = nil
		return
	}
	if t.b.Chart == nil {
		return
	}
	b := chart.Table(t.b.Chart, t.a)
	b.Title = t.b.Title
	t.table = BlockTable(t.styles, t.keys, t.a, &b)
	t.table.SetSize(t.w, t.h)
	t.table.Move(t.at)
}

// Flipped says whether the chart is shown as a table.
func (t *Chart) Flipped() bool { return t.table != nil }

// SetSize gives the room for title and chart.
func (t *Chart) SetSize(w, h int) {
	t.w, t.h = w, h
	if t.table != nil {
		t.table.SetSize(w, h)
	}
}

// Fold says whether room is short.
func (t *Chart) Fold(short bool) { t.short = short }

// Room asks for a chart that can be read, and is glad of more; where room is
// short, for a line of small bars under its title.
func (t *Chart) Room(int) (least, wish int) {
	if t.short && t.table == nil {
		return 2, 2
	}
	return 8, 18
}

// Title is the block's title.
func (t *Chart) Title() string { return t.b.Title }

// Restyle takes the styles of another theme.
func (t *Chart) Restyle(s *Styles) {
	t.styles = s
	if t.table != nil {
		t.table.Restyle(s)
	}
}

// Key walks along the points.
func (t *Chart) Key(m tea.KeyMsg) bool {
	if t.table != nil {
		return t.table.Key(m)
	}
	k := &t.keys
	last := chart.Points(t.b.Chart) - 1
	switch {
	case key.Matches(m, k.Left):
		t.at = step(t.at, -1, last)
	case key.Matches(m, k.Right):
		t.at = step(t.at, 1, last)
	case key.Matches(m, k.Up):
		t.series = step(t.series, -1, t.lines()-1)
	case key.Matches(m, k.Down):
		t.series = step(t.series, 1, t.lines()-1)
	case key.Matches(m, k.Top), key.Matches(m, k.First):
		t.at = 0
	case key.Matches(m, k.Bottom), key.Matches(m, k.Last):
		t.at = max(last, 0)
	case key.Matches(m, k.Zoom):
		return t.toggle()
	case key.Matches(m, k.PageUp):
		t.at = step(t.at, -10, last)
	case key.Matches(m, k.PageDown):
		t.at = step(t.at, 10, last)
	default:
		return false
	}
	return true
}

func (t *Chart) lines() int {
	if t.b.Chart == nil {
		return 0
	}
	return len(t.b.Chart.Series)
}

// Bindings are the keys the chart takes.
func (t *Chart) Bindings() []key.Binding {
	if t.table != nil {
		return t.table.Bindings()
	}
	k := &t.keys
	out := []key.Binding{k.Left, k.Right, k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom}
	if chart.Steep(t.b.Chart) {
		out = append(out, k.Zoom)
	}
	return out
}

// Wheel walks along the axis.
func (t *Chart) Wheel(n int) {
	if t.table != nil {
		t.table.Wheel(n)
		return
	}
	t.at = step(t.at, n, chart.Points(t.b.Chart)-1)
}

// Click on a table's row selects it; on a chart it only takes the focus.
func (t *Chart) Click(x, y int) bool {
	return t.table != nil && t.table.Click(x, y)
}

// Target is the figure behind the point under the cursor.
func (t *Chart) Target() Target {
	if t.table != nil {
		tg := t.table.Target()
		if tg.Figure == query.NoFigure {
			tg.Figure = t.figureAt(t.table.Cursor())
		}
		return tg
	}
	tg := Target{Figure: t.figureAt(t.at)}
	if t.b.Chart != nil {
		tg.Label = chart.XLabel(t.b.Chart, t.at)
		tg.Key = tg.Label
	}
	return tg
}

func (t *Chart) figureAt(at int) int {
	if t.series < t.lines() {
		if fs := t.b.Chart.Series[t.series].Figures; at < len(fs) && fs[at] >= 0 && fs[at] < len(t.a.Figures) {
			return fs[at]
		}
	}
	return query.NoFigure
}

// Yank is the point under the cursor.
func (t *Chart) Yank() string {
	if t.table != nil {
		return t.table.Yank()
	}
	return strings.TrimSpace(t.point())
}

// point writes the point under the cursor as one line.
func (t *Chart) point() string {
	c := t.b.Chart
	if c == nil || t.series >= len(c.Series) {
		return ""
	}
	s := &c.Series[t.series]
	out := chart.XLabel(c, t.at)
	if s.Name != "" && len(c.Series) > 1 {
		out += " " + format.Clean(s.Name)
	}
	if f := t.figureAt(t.at); f != query.NoFigure {
		return out + "  " + format.Line(&t.a.Figures[f])
	}
	if t.at < len(s.Y) && !math.IsNaN(s.Y[t.at]) {
		return out + "  " + format.Value(s.Y[t.at], c.Unit)
	}
	return out + "  " + format.None
}

// View draws title and chart.
func (t *Chart) View(focused bool) string {
	if t.table != nil {
		return t.table.View(focused)
	}
	s := t.styles
	note := ""
	if chart.Points(t.b.Chart) > 0 {
		note = t.point()
	}
	lines := []string{title(s, t.b.Title, t.w, focused, note)}
	if t.h-1 < chart.MinHeight {
		return clip(append(lines, t.spark()), t.h)
	}
	c, at := t.drawn()
	lines = append(lines, chart.Lines(c, chart.Options{Width: t.w, Height: t.h - 1, ASCII: s.ASCII,
		Cursor: at, HasCursor: focused, Paint: t.paint})...)
	return clip(lines, t.h)
}

func (t *Chart) paint(c chart.Class, text string) string {
	s := t.styles
	switch c {
	case chart.Axis, chart.Band:
		return s.Dim.Render(text)
	case chart.Open:
		return s.Warn.Render(text)
	case chart.Cursor:
		return s.Accent.Render(text)
	case chart.Marked:
		return s.Dim.Render(text)
	}
	if c >= chart.Line {
		return s.Series[int(c-chart.Line)%len(s.Series)].Render(text)
	}
	return text
}
