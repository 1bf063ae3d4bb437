package format

import (
	"math"

	"dwell/model/query"
)

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// Spark draws values as one line of small bars, n cells wide: each cell is the
// greatest of the values that fall into it, so that a spike is never lost. A
// value of 0 is the lowest bar; a missing one is blank.
func Spark(ys []float64, n int, ascii bool) string {
	if n <= 0 || len(ys) == 0 {
		return ""
	}
	marks := []rune("▁▂▃▄▅▆▇█")
	if ascii {
		marks = []rune("_.:-=+*#")
	}
	n = min(n, len(ys))
	cells := make([]float64, n)
	top := math.Inf(-1)
	for i := range cells {
		cells[i] = math.NaN()
		for _, y := range ys[i*len(ys)/n : (i+1)*len(ys)/n] {
			if isFinite(y) && (math.IsNaN(cells[i]) || y > cells[i]) {
				cells[i] = y
			}
		}
		if isFinite(cells[i]) {
			top = math.Max(top, cells[i])
		}
	}
	out := make([]rune, n)
	for i, y := range cells {
		switch {
		case math.IsNaN(y):
			out[i] = ' '
		case y <= 0 || top <= 0:
			out[i] = marks[0]
		default:
			// Anything above zero is seen to be above zero.
			out[i] = marks[min(1+int(y/top*float64(len(marks)-1)-1e-9), len(marks)-1)]
		}
	}
	return string(out)
}

// Bar draws a value as a bar of up to n cells in eighths, at least one eighth
// if it is above zero.
func Bar(share float64, n int, ascii bool) string {
	if n <= 0 || !(share > 0) {
		return ""
	}
	share = math.Min(share, 1)
	if ascii {
		k := max(int(math.Round(share*float64(n))), 1)
		return repeat('#', k)
	}
	eighths := max(int(math.Round(share*float64(n)*8)), 1)
	out := repeat('█', eighths/8)
	if r := eighths % 8; r > 0 {
		out += string([]rune("▏▎▍▌▋▊▉")[r-1])
	}
	return out
}

func repeat(r rune, n int) string {
	out := make([]rune, n)
	for i := range out {
		out[i] = r
	}
	return string(out)
}

// OpenMark follows a value whose time has not wholly come.
const OpenMark = "~"

// Cell writes a cell of an answer in plain text: its figure, its text, or its
// sparkline in at most spark cells. A figure that is still open carries
// OpenMark; one of which nothing is known yet is drawn as "··", never as 0.
func Cell(a *query.Answer, c *query.Cell, spark int, ascii bool) string {
	switch {
	case c.Blank:
		return ""
	case c.Spark != nil:
		return Spark(c.Spark, spark, ascii)
	case c.Figure != query.NoFigure && c.Figure >= 0 && c.Figure < len(a.Figures):
		f := &a.Figures[c.Figure]
		s := Figure(f)
		if c.Open {
			if s == None {
				return "··"
			}
			return s + OpenMark
		}
		return s
	}
	if c.Open && c.Text == "" {
		return "··"
	}
	s := Clean(c.Text)
	if c.Open {
		s += OpenMark
	}
	return s
}
