package chart

import (
	"fmt"

	"dwell/model/query"
	"dwell/tui/format"
)

// Steep says whether a chart begins at its peak and could be drawn without its
// first point: a retention curve is 100 % at the start by definition.
func Steep(c *query.Chart) bool {
	if c == nil || len(c.Series) == 0 || Points(c) < 4 {
		return false
	}
	for i := range c.Series {
		s := &c.Series[i]
		if len(s.Y) == 0 || !finite(s.Y[0]) || rest(s) > s.Y[0] {
			return false
		}
	}
	return true
}

// Squashed says whether the first points would squash the rest into the lower
// half: shares that begin at 100 % and stay below half of it.
func Squashed(c *query.Chart) bool {
	if c == nil || c.Unit != "share" || !Steep(c) {
		return false
	}
	for i := range c.Series {
		if s := &c.Series[i]; s.Y[0] < 0.99 || rest(s) >= 0.5 {
			return false
		}
	}
	return true
}

// rest is the greatest value of a series, its band included, after its first point.
func rest(s *query.Series) float64 {
	top := 0.0
	for _, ys := range [][]float64{s.Y, s.Hi} {
		for i := 1; i < len(ys); i++ {
			if finite(ys[i]) {
				top = max(top, ys[i])
			}
		}
	}
	return top
}

// Near is the chart from its second point on; the name of its y axis says what
// was left out. The chart itself is not changed.
func Near(c *query.Chart) *query.Chart {
	n := *c
	first := format.Short(c.Series[0].Y[0])
	if c.Unit == "share" {
		first = axisValue(c.Series[0].Y[0], c.Unit, 1)
	}
	n.YLabel = fmt.Sprintf("from %s on; %s is %s", XLabel(c, 1), XLabel(c, 0), first)
	if c.YLabel != "" {
		n.YLabel = c.YLabel + " " + n.YLabel
	}
	n.X = make([]float64, Points(c)-1) // an axis without positions counts from 0
	for i := range n.X {
		n.X[i] = xAt(c, i+1)
	}
	n.Labels = tail(c.Labels)
	n.Series = make([]query.Series, len(c.Series))
	for i, s := range c.Series {
		n.Series[i] = query.Series{Name: s.Name, Y: tail(s.Y), Lo: tail(s.Lo), Hi: tail(s.Hi), Open: tail(s.Open), Figures: tail(s.Figures)}
	}
	n.Under = make([]query.AxisRow, len(c.Under))
	for i, u := range c.Under {
		n.Under[i] = query.AxisRow{Name: u.Name, Values: tail(u.Values)}
	}
	return &n
}

// tail is a list without its first entry.
func tail[T any](xs []T) []T {
	if len(xs) == 0 {
		return nil
	}
	return xs[1:]
}
