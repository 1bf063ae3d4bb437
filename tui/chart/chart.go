// Package chart draws series as text, with asciigraph for the lines.
//
// asciigraph panics on an empty series and on infinities, draws a constant
// series as one row, loses spikes when it interpolates, and without a height
// draws as many rows as the values are apart. So nothing reaches it unprepared:
// values are checked, every series is brought to one value a column (with the
// least and the greatest of a crowded column kept and drawn as an upright), and
// scaled to rows beforehand, so that asciigraph's own rounding has nothing left
// to decide. Bands are drawn first, dotted; points whose time has not come stand
// apart, never joined to the line, so that no curve ends in a false drop.
//
// A chart is drawn without colour into cells; Options.Paint gives each kind of
// cell its style. What a chart shows can be had as a table (Table), and one
// point can be marked with a cursor (Options.Cursor).
//
//	for _, line := range chart.Lines(c, chart.Options{Width: 72, Height: 10}) {
//		fmt.Println(line)
//	}
package chart

import (
	"math"

	"dwell/model/query"
	"dwell/tui/format"
)

// A Class says what a cell of the picture belongs to.
type Class int

const (
	Blank  Class = iota
	Axis         // axis lines, ticks and their labels
	Band         // of an interval
	Open         // a point whose time has not come
	Marked       // a dated note
	Cursor       // the column of the cursor
	Line         // Line+i is series i
)

// Options say how to draw.
type Options struct {
	Width, Height int  // cells of the whole picture, axes and legend included
	ASCII         bool // no character beyond ASCII
	Cursor        int  // index of the point to mark, if HasCursor
	HasCursor     bool
	Paint         func(Class, string) string // nil: no styles
}

// The least room in which a chart is drawn; below it Lines says so.
const (
	MinWidth  = 24
	MinHeight = 5
)

// Points is the number of points of a chart: the length of its longest series.
func Points(c *query.Chart) int {
	n := 0
	if c != nil {
		for i := range c.Series {
			n = max(n, len(c.Series[i].Y))
		}
	}
	return n
}

// Lines draws the chart in at most o.Height lines of at most o.Width cells. A
// chart without a single finite point gives one line that says so.
func Lines(c *query.Chart, o Options) []string {
	if Points(c) == 0 {
		return []string{format.Cut("no points to draw", o.Width)}
	}
	if o.Width < MinWidth || o.Height < MinHeight {
		return []string{format.Cut("too small for a chart: t shows it as a table", o.Width)}
	}
	lo, hi, ok := bounds(c)
	if !ok {
		return []string{format.Cut("no point has a value yet", o.Width)}
	}
	legend := legendOf(c, o)
	under := underRows(c, o.Height)
	rows := o.Height - 2 - len(legend) - len(under) // axis line and its labels
	if c.YLabel != "" && rows > 4 {
		rows--
	}
	if rows < 3 {
		legend, under, rows = nil, nil, o.Height-2
	}
	rows = evenRows(min(rows, 24))
	parts, hi := yParts(c, lo, hi, rows)
	ticks, labelWidth := yLabels(c, lo, hi, rows, parts)
	labelWidth = margin(under, labelWidth)
	width := o.Width - labelWidth - 2
	if width < 8 {
		return []string{format.Cut("too small for a chart: t shows it as a table", o.Width)}
	}
	g := newGrid(width, rows)
	s := scale{lo: lo, hi: hi, rows: rows - 1, cols: width, x0: xAt(c, 0), x1: xAt(c, Points(c)-1)}

	for i := range c.Series {
		g.band(c, i, s, o.ASCII)
	}
	for _, m := range c.Marks {
		if col, ok := s.markCol(m.X); ok {
			for r := range rows {
				g.put(r, col, pick(o.ASCII, ':', '┊'), Marked)
			}
		}
	}
	for i := range c.Series {
		g.line(c, i, s, o.ASCII)
	}
	g.letters(c, s)
	for i := range c.Series {
		g.open(c, i, s, o.ASCII)
	}
	if o.HasCursor {
		g.cursor(c, o.Cursor, s, o.ASCII)
	}

	var out []string
	if c.YLabel != "" && o.Height-2-len(legend)-len(under) > 4 {
		out = append(out, paint(o, Axis, format.Cut(c.YLabel, o.Width)))
	}
	for r := range rows {
		edge := pick(o.ASCII, '|', '┤')
		if ticks[r] == "" {
			edge = pick(o.ASCII, '|', '│')
		}
		out = append(out, paint(o, Axis, format.Pad(ticks[r], labelWidth, true)+" "+string(edge))+g.row(r, o))
	}
	axis, labels := xAxis(c, s, labelWidth, o)
	out = append(out, paint(o, Axis, axis), paint(o, Axis, labels))
	for _, r := range under {
		out = append(out, paint(o, Axis, underLine(c, r, s, labelWidth)))
	}
	return append(out, legend...)
}

func paint(o Options, c Class, s string) string {
	if o.Paint == nil || s == "" {
		return s
	}
	return o.Paint(c, s)
}

func pick(ascii bool, a, u rune) rune {
	if ascii {
		return a
	}
	return u
}

// finite is false for NaN and the infinities.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// bounds are the least and greatest value that must fit, bands included, made
// wider where they are equal. Shares near their ends keep the ends as bounds.
func bounds(c *query.Chart) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	take := func(ys []float64) {
		for _, y := range ys {
			if finite(y) {
				lo, hi, ok = math.Min(lo, y), math.Max(hi, y), true
			}
		}
	}
	for i := range c.Series {
		take(c.Series[i].Y)
		take(c.Series[i].Lo)
		take(c.Series[i].Hi)
	}
	if !ok {
		return 0, 0, false
	}
	if c.Zero || c.Unit == "share" && lo >= 0 && lo < 0.5*hi {
		lo, hi = math.Min(lo, 0), math.Max(hi, 0)
	}
	if lo == hi {
		switch {
		case lo > 0 && c.Zero, lo == 0:
			lo, hi = 0, math.Max(hi, 1)
		default:
			pad := math.Max(math.Abs(lo)*0.1, 1e-9)
			if whole(c) {
				pad = math.Max(math.Round(pad), 1)
			}
			lo, hi = lo-pad, hi+pad
		}
	}
	if !finite(hi - lo) { // the range itself overflows
		lo, hi = lo/2, hi/2
	}
	return lo, hi, true
}

// xAt is the position of point i on the axis: its X, or its index.
func xAt(c *query.Chart, i int) float64 {
	if i < len(c.X) && finite(c.X[i]) {
		return c.X[i]
	}
	return float64(i)
}
