package chart

import (
	"fmt"
	"math"
	"strings"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
)

// yParts is into how many equal parts labels cut so many rows, of two rows each
// at least, and where the axis then ends. An axis of a few whole numbers is cut
// at whole numbers, and made longer for it by a quarter at most: there is no
// 0.67 of a user.
func yParts(c *query.Chart, lo, hi float64, rows int) (parts int, end float64) {
	few := hi-lo < fewWhole && whole(c)
	for _, k := range []int{5, 4, 3, 2} {
		if (rows-1)%k != 0 || (rows-1)/k < 2 {
			continue
		}
		if !few {
			return k, hi
		}
		span := hi - lo
		if longer := math.Ceil(span/float64(k)) * float64(k); longer <= 1.25*span {
			return k, lo + longer
		}
	}
	return 1, hi
}

// fewWhole is from which length on an axis of whole numbers may be cut anywhere:
// a label rounded to a whole number is then less than a row off.
const fewWhole = 20

// whole says whether every value of a chart is a whole number, as counts are.
func whole(c *query.Chart) bool {
	if c.Unit == "share" {
		return false
	}
	for i := range c.Series {
		s := &c.Series[i]
		for _, ys := range [][]float64{s.Y, s.Lo, s.Hi} {
			for _, y := range ys {
				if finite(y) && y != math.Trunc(y) {
					return false
				}
			}
		}
	}
	return true
}

// yLabels are the labels of the rows, "" for rows without one: the ends, and
// evenly between them; never two equal ones.
func yLabels(c *query.Chart, lo, hi float64, rows, parts int) (labels []string, width int) {
	labels = make([]string, rows)
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
	if span >= fewWhole {
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

// labelStep is the distance, in points, between labels that fit side by side.
func labelStep(c *query.Chart, sc scale) int {
	n, widest := Points(c), 1
	for i := 0; i < n; i += max(n/50, 1) {
		widest = max(widest, format.Width(XLabel(c, i)))
	}
	fit := max(sc.cols/(widest+3), 1)
	return max((n+fit-1)/fit, 1)
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
	for i, step := 0, labelStep(c, sc); i < n; i += step {
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
// many lines as they need, at most two; of many lines four, so that a model of
// twelve stages is named whole in 80 cells.
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
			sign := letter(c, i)
			if sign == 0 {
				sign = pick(o.ASCII, '-', '─')
			}
			es = append(es, entry{Line + Class(i), string(sign), format.Clean(s.Name)})
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
	most := 2
	if len(c.Series) > 6 {
		most = 4
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
			if len(lines) == most {
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
