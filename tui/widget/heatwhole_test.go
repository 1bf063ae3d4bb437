package widget

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"dwell/model/query"
)

// A matrix of twelve stages is whole at 80 cells, with whole percents; where there
// is room it has its decimals, and where even narrow cells do not fit it scrolls.
func TestHeatWhole(t *testing.T) {
	a, b := &query.Answer{}, &query.Block{Kind: query.HeatBlock, Title: "moves", Whole: true, Heads: []query.Head{{Label: "at risk", Right: true}, {Label: "stayed", Right: true}}}
	for i := range 12 {
		b.Heads = append(b.Heads, query.Head{Label: fmt.Sprintf("s%02d", i), Right: true})
		row := query.Row{Key: fmt.Sprint(i), Label: fmt.Sprintf("s%02d", i), Cells: []query.Cell{{Figure: query.NoFigure, Text: "4372"}}}
		for k := range 13 {
			row.Cells = append(row.Cells, query.Cell{Figure: len(a.Figures)})
			a.Figures = append(a.Figures, query.Figure{Kind: query.Rate, Value: float64(k) / 12, N: 4372})
		}
		b.Rows = append(b.Rows, row)
	}
	h := NewHeat(plain(), NewKeys(), a, b)
	h.SetSize(80, 20)
	for range 13 {
		h.Key(press("right")[0])
	}
	v := h.View(true)
	lines := strings.Split(v, "\n")
	for _, want := range []string{"at risk stay  s00", " s11", "▓67%", "█92%", "[100]"} {
		if !strings.Contains(v, want) {
			t.Errorf("no %q in\n%s", want, v)
		}
	}
	for _, l := range lines {
		if ansi.StringWidth(l) > 80 {
			t.Errorf("%d cells: %s", ansi.StringWidth(l), l)
		}
	}
	for column, want := range []string{"at risk", "stayed", "s00", "s01"} {
		head := want[:min(len(want), 7)]
		if column == 1 {
			head = "stay"
		}
		x := strings.Index(lines[1], head) + len(head) - 1
		h.Click(x, 4)
		if got := h.Target(); got.Column != want || got.Label != "s02" {
			t.Errorf("a click on cell %d selects %s of %s, want %s of s02", x, got.Column, got.Label, want)
		}
	}
	h.SetSize(140, 20)
	if v := h.View(true); !strings.Contains(v, "66.7%") || !strings.Contains(v, "s11") {
		t.Errorf("with room the decimals are missing:\n%s", v)
	}
	h.SetSize(60, 20)
	if v := h.View(true); !strings.Contains(v, "›") || !strings.Contains(v, "8.3%") {
		t.Errorf("too narrow for all of it, it does not scroll:\n%s", v)
	}
}
