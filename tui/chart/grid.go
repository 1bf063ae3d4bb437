package chart

import (
	"math"
	"strings"

	"github.com/guptarohit/asciigraph"

	"dwell/model/query"
)

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
