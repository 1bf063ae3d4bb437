package widget

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
)

// TestFactsFold: folded, the rows stand side by side within the width, every one
// is reached sideways and by click, and opens what it opens as a table.
func TestFactsFold(t *testing.T) {
	a := &query.Answer{Figures: []query.Figure{{Key: "users", Kind: query.Count, Value: 4372, Unit: "users"}}}
	b := &query.Block{Kind: query.TableBlock, Title: "the data", Heads: []query.Head{{Right: true}}, Rows: []query.Row{
		{Key: "users", Label: "users", Cells: []query.Cell{{Figure: 0}}},
		{Key: "range", Label: "range", Cells: []query.Cell{{Figure: query.NoFigure, Text: "2010-12-01 to 2011-12-09, 374 days"}}},
		{Key: "loads", Label: "loaded from", Cells: []query.Cell{{Figure: query.NoFigure, Text: "1 file"}}, Open: "quality"},
	}}
	p, ok := NewPane(plain(), NewKeys(), a, b).(*Facts)
	if !ok {
		t.Fatal("a block of facts is not shown as one")
	}
	for _, w := range []int{24, 60, 80} {
		p.Fold(true)
		least, wish := p.Room(w)
		if least != wish {
			t.Errorf("%d cells: folded it wants %d to %d lines", w, least, wish)
		}
		p.SetSize(w, wish)
		p.Move(0)
		var keys []string
		for range 3 {
			keys = append(keys, p.Target().Key)
			for _, l := range strings.Split(p.View(true), "\n") {
				if format.Width(l) > w {
					t.Errorf("%d cells: %q is wider", w, l)
				}
			}
			p.Key(tea.KeyMsg{Type: tea.KeyRight})
		}
		if got := strings.Join(keys, " "); got != "users range loads" {
			t.Errorf("%d cells: right goes by %s", w, got)
		}
		if tg := p.Target(); tg.Open != "quality" {
			t.Errorf("the last opens %q", tg.Open)
		}
		if p.Click(3, 0); p.Target().Key != "users" || p.Target().Figure != 0 {
			t.Errorf("%d cells: a click on the first selects %+v", w, p.Target())
		}
		if !p.Click(3, 0) {
			t.Error("a second click does not open it")
		}
	}
	if p.Fold(false); !strings.Contains(p.View(true), "the data") {
		t.Error("unfolded it is no table")
	}
}
