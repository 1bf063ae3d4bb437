package widget

import (
	"dwell/model/query"
	"dwell/tui/format"
)

// NewPane makes the widget that shows a block of an answer.
func NewPane(s *Styles, k Keys, a *query.Answer, b *query.Block) Pane {
	switch b.Kind {
	case query.HeatBlock:
		return NewHeat(s, k, a, b)
	case query.BarBlock:
		return NewBars(s, k, a, b)
	case query.ChartBlock:
		return NewChart(s, k, a, b)
	case query.SpanBlock:
		return NewHistory(s, k, a, b)
	case query.TextBlock:
		return NewText(s, k, b.Title, b.Lines)
	}
	if isFacts(b) {
		return NewFacts(s, k, a, b)
	}
	return BlockTable(s, k, a, b)
}

// BlockTable shows a block as a table: its first column is the rows' labels.
func BlockTable(s *Styles, k Keys, a *query.Answer, b *query.Block) *Table {
	t := NewTable(s, k, b.Title)
	cols, rows := BlockRows(a, b, s.ASCII)
	t.SetRows(cols, rows)
	return t
}

// BlockRows turns a block into columns and rows.
func BlockRows(a *query.Answer, b *query.Block, ascii bool) ([]Column, []Row) {
	n := len(b.Heads)
	for i := range b.Rows {
		n = max(n, len(b.Rows[i].Cells))
	}
	cols := make([]Column, n+1)
	cols[0] = Column{Name: "label"}
	for c := range n {
		if c < len(b.Heads) {
			cols[c+1] = Column{Name: b.Heads[c].Label, Label: b.Heads[c].Label, Right: b.Heads[c].Right}
		}
	}
	rows := make([]Row, len(b.Rows))
	for i := range b.Rows {
		br := &b.Rows[i]
		r := Row{Key: br.Key, Open: br.Open, Cells: make([]string, n+1), Values: make([]*float64, n+1), Figures: make([]int, n+1), Go: make([]string, n+1)}
		if r.Key == "" {
			r.Key = br.Label
		}
		r.Cells[0], r.Figures[0] = br.Label, query.NoFigure
		for c := range n {
			r.Figures[c+1] = query.NoFigure
			if c >= len(br.Cells) {
				continue
			}
			cell := &br.Cells[c]
			r.Cells[c+1] = format.Cell(a, cell, 24, ascii)
			r.Go[c+1] = cell.Go
			if f := cell.Figure; f >= 0 && f < len(a.Figures) && !cell.Blank && cell.Spark == nil {
				r.Figures[c+1] = f
				if !a.Figures[f].None {
					v := a.Figures[f].Value
					r.Values[c+1] = &v
				}
			}
		}
		rows[i] = r
	}
	return cols, rows
}
