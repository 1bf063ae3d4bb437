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
	"fmt"
	"math"
	"strings"

	"github.com/guptarohit/asciigraph"

	"dwell/model"
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
	rows := o.Height - 2 - len(legend) // axis line and its labels
	if c.YLabel != "" && rows > 4 {
		rows--
	}
	if rows < 3 {
		legend, rows = nil, o.Height-2
	}
	rows = evenRows(min(rows, 24))
	ticks, labelWidth := yLabels(c, lo, hi, rows)
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
	for i := range c.Series {
		g.open(c, i, s, o.ASCII)
	}
	if o.HasCursor {
		g.cursor(c, o.Cursor, s, o.ASCII)
	}

	var out []string
	if c.YLabel != "" && o.Height-2-len(legend) > 4 {
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

// A scale places values on the grid. Row 0 is the top.
type scale struct {
	lo, hi     float64
	rows, cols int // rows is the number of steps: one less than the lines
	x0, x1     float64
}

// height is y in rows from the bottom, in [0, rows].
func (s scale) height(y float64) float64 {
	h := (y - s.lo) / (s.hi - s.lo) * float64(s.rows)
	return math.Min(math.Max(h, 0), float64(s.rows))
}

func (s scale) row(y float64) int { return s.rows - int(math.Round(s.height(y))) }

func (s scale) col(x float64) int {
	if s.x1 <= s.x0 {
		return 0
	}
	c := int(math.Round((x - s.x0) / (s.x1 - s.x0) * float64(s.cols-1)))
	return min(max(c, 0), s.cols-1)
}

func (s scale) markCol(x float64) (int, bool) {
	return s.col(x), finite(x) && x >= s.x0 && x <= s.x1
}

// A grid is the picture as cells.
type grid struct {
	w, h  int
	runes []rune
	class []Class
}

func newGrid(w, h int) *grid {
	g := &grid{w: w, h: h, runes: make([]rune, w*h), class: make([]Class, w*h)}
	for i := range g.runes {
		g.runes[i] = ' '
	}
	return g
}

func (g *grid) put(r, c int, x rune, k Class) {
	if r >= 0 && r < g.h && c >= 0 && c < g.w {
		g.runes[r*g.w+c], g.class[r*g.w+c] = x, k
	}
}

// row writes one line, a style for each run of one class, trailing blanks cut.
func (g *grid) row(r int, o Options) string {
	end := g.w
	for end > 0 && g.runes[r*g.w+end-1] == ' ' {
		end--
	}
	var b strings.Builder
	for i := 0; i < end; {
		j := i
		for j < end && g.class[r*g.w+j] == g.class[r*g.w+i] {
			j++
		}
		run := string(g.runes[r*g.w+i : r*g.w+j])
		if k := g.class[r*g.w+i]; k == Blank {
			b.WriteString(run)
		} else {
			b.WriteString(paint(o, k, run))
		}
		i = j
	}
	return b.String()
}

// closed is the series' value at point i, NaN where there is none or where its
// time has not come.
func closed(s *query.Series, ys []float64, i int) float64 {
	if i >= len(ys) || !finite(ys[i]) || i < len(s.Open) && s.Open[i] {
		return math.NaN()
	}
	return ys[i]
}

// columns brings a series to one value a column, and the least and greatest of
// each column in which several points meet. Between points a line is
// interpolated, or held if the chart is one of steps; a gap stays a gap.
func columns(c *query.Chart, s *query.Series, ys []float64, sc scale) (mid, lo, hi []float64) {
	mid, lo, hi = nans(sc.cols), nans(sc.cols), nans(sc.cols)
	last, lastCol := math.NaN(), -1
	for i := range ys {
		y := closed(s, ys, i)
		col := sc.col(xAt(c, i))
		if math.IsNaN(y) {
			last = y
			continue
		}
		if !math.IsNaN(last) {
			for k := lastCol + 1; k < col; k++ {
				if c.Step {
					mid[k] = last
				} else {
					mid[k] = last + (y-last)*float64(k-lastCol)/float64(col-lastCol)
				}
			}
		}
		if math.IsNaN(lo[col]) {
			lo[col], hi[col] = y, y
		} else {
			lo[col], hi[col] = math.Min(lo[col], y), math.Max(hi[col], y)
		}
		mid[col] = y
		last, lastCol = y, col
	}
	return mid, lo, hi
}

func nans(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}

// band dots the ends of a series' interval.
func (g *grid) band(c *query.Chart, i int, sc scale, ascii bool) {
	s := &c.Series[i]
	for _, ys := range [][]float64{s.Lo, s.Hi} {
		mid, _, _ := columns(c, s, ys, sc)
		for col, y := range mid {
			if !math.IsNaN(y) {
				g.put(sc.row(y), col, pick(ascii, '.', '·'), Band)
			}
		}
	}
}

// asciiSet is asciigraph's character set without a character beyond ASCII.
var asciiSet = asciigraph.CharSet{
	Horizontal: "-", VerticalLine: "|", ArcDownRight: ".", ArcDownLeft: ".", ArcUpRight: "'", ArcUpLeft: "'",
	EndCap: "-", StartCap: "-", UpRight: "+", DownHorizontal: "+",
}

// line lets asciigraph draw one series and copies what it drew. The values are
// rows already (0 … rows), so its ratio is 1 and every series lands on one grid.
func (g *grid) line(c *query.Chart, i int, sc scale, ascii bool) {
	s := &c.Series[i]
	mid, lo, hi := columns(c, s, s.Y, sc)
	// asciigraph draws joints: n values give n-1 columns. The last is doubled.
	data := make([]float64, sc.cols+1)
	any := false
	for k, y := range mid {
		data[k] = y
		if !math.IsNaN(y) {
			data[k], any = sc.height(y), true
		}
	}
	data[sc.cols] = data[sc.cols-1]
	if !any {
		return
	}
	set := asciigraph.DefaultCharSet
	if ascii {
		set = asciiSet
	}
	drawn := asciigraph.Plot(data, asciigraph.Height(sc.rows), asciigraph.LowerBound(0), asciigraph.UpperBound(float64(sc.rows)),
		asciigraph.Offset(3), asciigraph.SeriesChars(set), asciigraph.YAxisValueFormatter(func(float64) string { return "" }))
	for r, line := range strings.Split(drawn, "\n") {
		cells := []rune(line)
		for col := 3; col < len(cells); col++ {
			if cells[col] != ' ' {
				g.put(r, col-3, cells[col], Line+Class(i))
			}
		}
	}
	for col := range mid {
		if math.IsNaN(mid[col]) {
			continue
		}
		lonely := (col == 0 || math.IsNaN(mid[col-1])) && (col == sc.cols-1 || math.IsNaN(mid[col+1]))
		if lonely {
			// asciigraph draws half a cap on each side of a lone point.
			if col > 0 && g.at(sc.row(mid[col]), col-1) == Line+Class(i) {
				g.put(sc.row(mid[col]), col-1, ' ', Blank)
			}
			g.put(sc.row(mid[col]), col, pick(ascii, '*', '•'), Line+Class(i))
		}
		// A crowded column keeps its spike.
		if top, low := sc.row(hi[col]), sc.row(lo[col]); !math.IsNaN(hi[col]) && low > top {
			for r := top; r <= low; r++ {
				if g.at(r, col) != Line+Class(i) {
					g.put(r, col, pick(ascii, '|', '│'), Line+Class(i))
				}
			}
		}
	}
}

func (g *grid) at(r, c int) Class {
	if r < 0 || r >= g.h || c < 0 || c >= g.w {
		return Blank
	}
	return g.class[r*g.w+c]
}

// open sets points whose time has not come apart from the line.
func (g *grid) open(c *query.Chart, i int, sc scale, ascii bool) {
	s := &c.Series[i]
	for k, y := range s.Y {
		if k < len(s.Open) && s.Open[k] && finite(y) {
			g.put(sc.row(y), sc.col(xAt(c, k)), pick(ascii, 'o', '○'), Open)
		}
	}
}

// cursor marks the column of a point, and the point itself on each series.
func (g *grid) cursor(c *query.Chart, at int, sc scale, ascii bool) {
	if at < 0 || at >= Points(c) {
		return
	}
	col := sc.col(xAt(c, at))
	for r := range g.h {
		if k := g.at(r, col); k == Blank || k == Band || k == Marked {
			g.put(r, col, pick(ascii, ':', '┊'), Cursor)
		}
	}
	for i := range c.Series {
		if at < len(c.Series[i].Y) && finite(c.Series[i].Y[at]) {
			g.put(sc.row(c.Series[i].Y[at]), col, pick(ascii, '@', '◉'), Cursor)
		}
	}
}

// yLabels are the labels of the rows, "" for rows without one: the ends, and
// evenly between them as many as have two rows each; never two equal ones.
func yLabels(c *query.Chart, lo, hi float64, rows int) (labels []string, width int) {
	labels = make([]string, rows)
	parts := 1
	for _, k := range []int{5, 4, 3, 2} {
		if (rows-1)%k == 0 && (rows-1)/k >= 2 {
			parts = k
			break
		}
	}
	last := ""
	for k := range parts + 1 {
		r := rows - 1 - k*(rows-1)/parts
		s := axisValue(lo+(hi-lo)*float64(k)/float64(parts), c.Unit, hi-lo)
		if s != last {
			labels[r], last = s, s
			width = max(width, format.Width(s))
		}
	}
	return labels, width
}

// evenRows is the number of rows, at most n, whose steps divide evenly: so that
// the axis can be labelled at more than its ends.
func evenRows(n int) int {
	for k := n; k > n-3 && k > 4; k-- {
		if (k-1)%4 == 0 || (k-1)%3 == 0 && k > 6 || (k-1)%5 == 0 && k > 10 {
			return k
		}
	}
	return n
}

// axisValue writes a value no finer than the axis shows.
func axisValue(v float64, unit string, span float64) string {
	if unit == "share" {
		if span >= 0.05 {
			return fmt.Sprintf("%.0f%%", 100*v)
		}
		return format.Percent(v)
	}
	if span >= 20 {
		v = math.Round(v)
	}
	if span < 1e-6*math.Abs(v) {
		return format.Number(v)
	}
	if math.Abs(v) < span*1e-9 {
		v = 0
	}
	return format.Short(v)
}

// XLabel names point i of the axis.
func XLabel(c *query.Chart, i int) string {
	if i < len(c.Labels) {
		return format.Clean(c.Labels[i])
	}
	x := xAt(c, i)
	if c.Dates {
		return model.Day(x).String()
	}
	return format.Number(x)
}

// xAxis draws the axis with as many labels as fit, and the axis' name after the
// last of them if there is room.
func xAxis(c *query.Chart, sc scale, labelWidth int, o Options) (axis, labels string) {
	n := Points(c)
	bar := []rune(strings.Repeat(string(pick(o.ASCII, '-', '─')), sc.cols))
	room := labelWidth + 2 + sc.cols
	var line strings.Builder
	end := -1 // cells up to here are taken
	write := func(from int, s string) {
		line.WriteString(strings.Repeat(" ", from-max(end, 0)) + s)
		end = from + format.Width(s)
	}
	place := func(i int) {
		s := XLabel(c, i)
		col := labelWidth + 2 + sc.col(xAt(c, i))
		from := min(max(col-format.Width(s)/2, 0), room-format.Width(s))
		if from > end {
			write(from, s)
			bar[sc.col(xAt(c, i))] = pick(o.ASCII, '+', '┬')
		}
	}
	widest := 1
	for i := 0; i < n; i += max(n/50, 1) {
		widest = max(widest, format.Width(XLabel(c, i)))
	}
	fit := max(sc.cols/(widest+3), 1)
	step := max((n+fit-1)/fit, 1)
	for i := 0; i < n; i += step {
		place(i)
	}
	place(n - 1)
	if w := format.Width(c.XLabel); w > 0 && end+2+w <= room {
		write(room-w, c.XLabel)
	}
	corner := string(pick(o.ASCII, '+', '└'))
	return strings.Repeat(" ", labelWidth+1) + corner + string(bar), line.String()
}

// legendOf names the series, the band, the open points and the marks, in as
// many lines as they need, at most two.
func legendOf(c *query.Chart, o Options) []string {
	type entry struct {
		k       Class
		sign, s string
	}
	var es []entry
	band, open := false, false
	for i := range c.Series {
		s := &c.Series[i]
		if len(c.Series) > 1 && s.Name != "" {
			es = append(es, entry{Line + Class(i), string(pick(o.ASCII, '-', '─')), format.Clean(s.Name)})
		}
		band = band || len(s.Lo) > 0
		for k := range s.Open {
			open = open || s.Open[k] && k < len(s.Y) && finite(s.Y[k])
		}
	}
	if band {
		es = append(es, entry{Band, string(pick(o.ASCII, '.', '·')), "interval"})
	}
	if open {
		es = append(es, entry{Open, string(pick(o.ASCII, 'o', '○')), "still open"})
	}
	for _, m := range c.Marks {
		if x := xName(c, m.X); x != "" {
			es = append(es, entry{Marked, string(pick(o.ASCII, ':', '┊')), x + " " + format.Clean(m.Text)})
		}
	}
	var lines []string
	var b strings.Builder
	used := 0
	for _, e := range es {
		w := 4 + format.Width(e.s)
		if used > 0 && used+w > o.Width {
			lines = append(lines, b.String())
			b.Reset()
			used = 0
			if len(lines) == 2 {
				return lines
			}
		}
		b.WriteString(" " + paint(o, e.k, e.sign) + " " + format.Cut(e.s, o.Width-4) + " ")
		used += w
	}
	if used > 0 {
		lines = append(lines, b.String())
	}
	return lines
}

func xName(c *query.Chart, x float64) string {
	if !finite(x) {
		return ""
	}
	if c.Dates {
		return model.Day(x).String()
	}
	return format.Number(x)
}
