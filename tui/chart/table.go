package chart

import (
	"dwell/model/query"
	"dwell/tui/format"
)

// Table is the chart as a block of rows: one row a point, one column a series,
// and its interval where it has one. Points whose time has not come carry "~".
// Row keys are the points' indices as the axis writes them.
func Table(c *query.Chart, a *query.Answer) query.Block {
	b := query.Block{Kind: query.TableBlock, Heads: nil}
	for i := range c.Series {
		name := c.Series[i].Name
		if name == "" {
			name = c.YLabel
		}
		b.Heads = append(b.Heads, query.Head{Label: name, Right: true})
		if len(c.Series[i].Lo) > 0 {
			b.Heads = append(b.Heads, query.Head{Label: "interval", Right: true})
		}
	}
	for p := range Points(c) {
		label := XLabel(c, p)
		row := query.Row{Key: label, Label: label}
		for i := range c.Series {
			s := &c.Series[i]
			cell := query.Cell{Figure: query.NoFigure, Text: format.None}
			if p < len(s.Figures) && s.Figures[p] != query.NoFigure && a != nil && s.Figures[p] < len(a.Figures) {
				cell = query.Cell{Figure: s.Figures[p]}
			} else if p < len(s.Y) && finite(s.Y[p]) {
				cell.Text = format.Value(s.Y[p], c.Unit)
			}
			if p < len(s.Open) && s.Open[p] {
				cell.Open = true
			}
			row.Cells = append(row.Cells, cell)
			if len(s.Lo) > 0 {
				iv := query.Cell{Figure: query.NoFigure}
				if p < len(s.Lo) && p < len(s.Hi) && finite(s.Lo[p]) && finite(s.Hi[p]) {
					iv.Text = format.Value(s.Lo[p], c.Unit) + "–" + format.Value(s.Hi[p], c.Unit)
				}
				row.Cells = append(row.Cells, iv)
			}
		}
		b.Rows = append(b.Rows, row)
	}
	return b
}
