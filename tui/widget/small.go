package widget

import (
	"dwell/model/query"
	"dwell/tui/chart"
	"dwell/tui/format"
)

// A zoom says from where a chart is drawn.
type zoom int

const (
	zoomAuto  zoom = iota // without its first point where that squashes the others
	zoomWhole             // from its first point
	zoomNear              // from its second point
)

// near says whether the first point is left out.
func (t *Chart) near() bool {
	switch t.zoom {
	case zoomWhole:
		return false
	case zoomNear:
		return chart.Steep(t.b.Chart)
	}
	return chart.Squashed(t.b.Chart)
}

// toggle leaves the first point out, or brings it back; false where it does not
// tower over the others.
func (t *Chart) toggle() bool {
	if !chart.Steep(t.b.Chart) {
		return false
	}
	if t.near() {
		t.zoom = zoomWhole
	} else {
		t.zoom = zoomNear
	}
	return true
}

// drawn is the chart as it is drawn, and the place of the cursor in it.
func (t *Chart) drawn() (*query.Chart, int) {
	if !t.near() {
		return t.b.Chart, t.at
	}
	c := chart.Near(t.b.Chart)
	c.YLabel += " (z draws it)"
	return c, t.at - 1
}

// spark is the series under the cursor as one line of small bars, between the
// names of its first and last point: what stands where there is no room for a
// chart.
func (t *Chart) spark() string {
	c := t.b.Chart
	if c != nil && c.Unit == "share" && chart.Steep(c) { // 100 % at the start would flatten the rest
		c = chart.Near(c)
	}
	n := chart.Points(c)
	if n == 0 || t.series >= len(c.Series) {
		return "  no points to draw"
	}
	from, to := chart.XLabel(c, 0), chart.XLabel(c, n-1)
	room := t.w - 4 - format.Width(from) - format.Width(to)
	if room < 8 {
		from, to, room = "", "", t.w-4
	}
	bars := format.Spark(c.Series[t.series].Y, room, t.styles.ASCII)
	return "  " + t.styles.Dim.Render(from) + " " + t.paint(chart.Line+chart.Class(t.series), bars) + " " + t.styles.Dim.Render(to)
}

// seek goes to the point of a name.
func (t *Chart) seek(name string) {
	if name == "" {
		return
	}
	for i := range chart.Points(t.b.Chart) {
		if chart.XLabel(t.b.Chart, i) == name {
			t.at = i
			if t.table != nil {
				t.table.Move(i)
			}
			return
		}
	}
}
