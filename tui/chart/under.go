package chart

import (
	"strings"

	"dwell/model/query"
	"dwell/tui/format"
)

// Rows of numbers under the axis: how many users stand behind each part of a
// curve. A number stands below the label of its point; where it would touch the
// one before, it is left out. A name takes at most nameWidth cells of the margin.
const (
	nameWidth = 14
	maxUnder  = 8 // rows: more would leave no room for the picture
)

// underRows are the rows that are drawn in a picture of a height.
func underRows(c *query.Chart, height int) []query.AxisRow {
	return c.Under[:min(len(c.Under), maxUnder, max(height-2*MinHeight, (height-MinHeight)/2, 0))]
}

// margin is the width of the axis' labels, made wide enough for the rows' names.
func margin(rows []query.AxisRow, labels int) int {
	for _, r := range rows {
		labels = max(labels, min(format.Width(format.Clean(r.Name)), nameWidth))
	}
	return labels
}

// underLine is one row.
func underLine(c *query.Chart, r query.AxisRow, sc scale, labels int) string {
	var b strings.Builder
	b.WriteString(format.Pad(format.Cut(format.Clean(r.Name), labels), labels, true))
	end, room := labels, labels+2+sc.cols
	place := func(i int) {
		if i < 0 || i >= len(r.Values) || !finite(r.Values[i]) {
			return
		}
		s := format.Short(r.Values[i])
		from := min(max(labels+2+sc.col(xAt(c, i))-format.Width(s)/2, labels+1), room-format.Width(s))
		if from > end {
			b.WriteString(strings.Repeat(" ", from-end) + s)
			end = from + format.Width(s)
		}
	}
	n := Points(c)
	for i, step := 0, labelStep(c, sc); i < n; i += step {
		place(i)
	}
	place(n - 1)
	return b.String()
}
