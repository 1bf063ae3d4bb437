package widget

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"dwell/model/query"
)

// The size of a cohort stands beside its label however far one scrolls, and a
// click lands on the cell that is drawn there.
func TestHeatKeepsTheSizeOfACohort(t *testing.T) {
	a, b := &query.Answer{}, &query.Block{Kind: query.HeatBlock, Title: "cohorts", Heads: []query.Head{{Label: "users", Right: true}}}
	for c := range 20 {
		b.Heads = append(b.Heads, query.Head{Label: fmt.Sprint("w", c), Right: true})
	}
	for r := range 3 {
		row := query.Row{Key: fmt.Sprint(r), Label: fmt.Sprint("cohort ", r)}
		for c := range 21 {
			f := query.Figure{Key: fmt.Sprintf("%d.%d", r, c), Kind: query.Rate, Value: float64(c) / 21, N: 700}
			if c == 0 {
				f.Kind, f.Value = query.Count, float64(700+r)
			}
			row.Cells = append(row.Cells, query.Cell{Figure: len(a.Figures)})
			a.Figures = append(a.Figures, f)
		}
		b.Rows = append(b.Rows, row)
	}
	h := NewHeat(plain(), NewKeys(), a, b)
	h.SetSize(60, 6)
	for range 25 {
		h.Key(press("right")[0])
	}
	lines := strings.Split(h.View(true), "\n")
	if !strings.Contains(lines[1], "users") || !strings.Contains(lines[1], "‹") || !strings.Contains(lines[1], "w19") || !strings.Contains(lines[3], "701") {
		t.Errorf("scrolled to the end:\n%s", h.View(true))
	}
	at := strings.Index(ansi.Strip(lines[1]), "users")
	h.Click(at+3, 3)
	if f := h.Target().Figure; a.Figures[f].Key != "1.0" {
		t.Errorf("a click on the size is on %s:\n%s", a.Figures[f].Key, h.View(true))
	}
	h.Click(58, 4)
	if f := h.Target().Figure; a.Figures[f].Kind != query.Rate || !strings.HasPrefix(a.Figures[f].Key, "2.") {
		t.Errorf("a click on the last column is on %s", a.Figures[f].Key)
	}
}

// Sliders fit any width, say which way one went, and mark what has moved.
func TestSliders(t *testing.T) {
	for _, w := range []int{60, 80, 99, 200} {
		s := NewSliders(plain(), NewKeys(), "what if")
		s.Bars = true
		for i := range 12 {
			s.Slides = append(s.Slides, Slide{Key: fmt.Sprint(i), Label: "用户日本語 a long measure's name " + fmt.Sprint(i), Least: 0, Most: 100, Own: float64(i), Now: float64(i), Usual: 50,
				OwnText: fmt.Sprint(i), Part: float64(i%5) - 2, Figure: query.NoFigure})
		}
		s.SetSize(w, 8)
		for _, k := range press("down", "right", "right", "left") {
			if !s.Key(k) {
				t.Errorf("%v is not taken", k)
			}
		}
		steps, reset, all := s.Nudged()
		if steps != 1 || reset || all || s.At() != 1 {
			t.Errorf("nudged by %d %v %v on %d", steps, reset, all, s.At())
		}
		if steps, _, _ := s.Nudged(); steps != 0 {
			t.Error("a nudge is told twice")
		}
		s.Slides[1].Now, s.Slides[1].Text = 90, "90"
		v := s.View(true)
		for _, l := range strings.Split(v, "\n") {
			if ansi.StringWidth(l) > w {
				t.Errorf("%d cells of %d: %q", ansi.StringWidth(l), w, l)
			}
		}
		if w >= 60 && (!strings.Contains(v, "1→90") || !strings.Contains(v, "○") || !strings.Contains(v, "●")) {
			t.Errorf("at %d the move is not seen:\n%s", w, v)
		}
	}
}
