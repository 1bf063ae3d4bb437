package widget

import (
	"strings"
	"testing"

	"dwell/model/query"
)

// cohorts is a triangle of three cohorts of which the last two are not as old,
// and whose last known week is open.
func cohorts() (*query.Answer, *query.Block) {
	a := &query.Answer{Query: query.Query{Analysis: "retention"}}
	b := &query.Block{Kind: query.HeatBlock, Title: "by week", Heads: []query.Head{{Label: "users"}, {Label: "w1"}, {Label: "w2"}}}
	row := func(key string, n float64, shares ...float64) {
		r := query.Row{Key: key, Label: key}
		add := func(f query.Figure, open bool) {
			r.Cells = append(r.Cells, query.Cell{Figure: len(a.Figures), Open: open})
			a.Figures = append(a.Figures, f)
		}
		add(query.Figure{Kind: query.Count, Value: n}, false)
		for i, s := range shares {
			add(query.Figure{Kind: query.Rate, Value: s, N: int64(n)}, key == "2024-01-22" && i == 0)
		}
		for len(r.Cells) < len(b.Heads) {
			r.Cells = append(r.Cells, query.Cell{Figure: query.NoFigure, Blank: true})
		}
		b.Rows = append(b.Rows, r)
	}
	row("all", 600, .5, .25)
	row("2024-01-01", 100, .6, .2)
	row("2024-01-08", 200, .3, .4)
	row("2024-01-15", 120, .9)
	row("2024-01-22", 180, .1)
	return a, b
}

func TestHeatSort(t *testing.T) {
	a, b := cohorts()
	h := NewHeat(plain(), NewKeys(), a, b)
	h.SetSize(60, 20)
	order := func() string {
		var out []string
		for _, l := range strings.Split(h.View(true), "\n")[2:] {
			if f := strings.Fields(strings.TrimPrefix(l, "▸")); len(f) > 0 {
				out = append(out, strings.TrimPrefix(f[0], "2024-01-"))
			}
		}
		return strings.Join(out, " ")
	}
	keys := func(names ...string) {
		for _, n := range names {
			if !h.Key(press(n)[0]) {
				t.Fatalf("the heat table does not take %s", n)
			}
		}
	}
	keys("right", "down", "down") // 2024-01-08, w1
	for _, c := range []struct{ key, want, sign string }{
		{"s", "all 15 01 08 22", "w1▼"},
		{"s", "all 22 08 01 15", "w1▲"},
		{"s", "all 01 08 15 22", "w1"},
		{"right", "all 01 08 15 22", "w2"},
		{"s", "all 08 01 15 22", "w2▼"}, // without a value: last, as they stood
		{"s", "all 01 08 15 22", "w2▲"},
	} {
		keys(c.key)
		if got := order(); got != c.want || !strings.Contains(h.View(true), c.sign+"\n") && !strings.Contains(h.View(true), c.sign+" ") {
			t.Errorf("%s: rows %s, want %s and %s in\n%s", c.key, got, c.want, c.sign, h.View(true))
		}
		if tg := h.Target(); tg.Label != "2024-01-08" {
			t.Errorf("the cursor went to %s", tg.Label)
		}
	}
	was := h.Hold()
	other := NewHeat(plain(), NewKeys(), a, b)
	other.SetSize(60, 20)
	other.Restore(was)
	if other.View(true) != h.View(true) {
		t.Errorf("handed on it is\n%s\nwas\n%s", other.View(true), h.View(true))
	}
}

// What the hatch is stands beside it, and the cursor is seen where no figure is.
func TestHeatSaysWhatIsOpen(t *testing.T) {
	a, b := cohorts()
	h := NewHeat(plain(), NewKeys(), a, b)
	h.SetSize(60, 20)
	if v := h.View(true); !strings.Contains(v, "╱ still open ") {
		t.Errorf("no legend of the hatch in\n%s", v)
	}
	for _, k := range []string{"G", "$"} {
		h.Key(press(k)[0])
	}
	if v := h.View(true); !strings.Contains(v, "[ ]") || !strings.Contains(v, "nobody's time has come") {
		t.Errorf("the cursor on a cell without a figure is lost in\n%s", v)
	}
	for i := range b.Rows {
		for c := range b.Rows[i].Cells {
			b.Rows[i].Cells[c].Open = false
		}
	}
	h = NewHeat(plain(), NewKeys(), a, b)
	h.SetSize(60, 20)
	if v := h.View(true); strings.Contains(v, "open") {
		t.Errorf("nothing is open here:\n%s", v)
	}
}
