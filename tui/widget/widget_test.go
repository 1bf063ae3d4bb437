package widget

import (
	"context"
	"fmt"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
)

// plain are styles that draw nothing: what a widget test looks at is text.
func plain() *Styles { return &Styles{Glyphs: UnicodeGlyphs(), Series: make([]lipgloss.Style, 1)} }

func press(names ...string) (out []tea.KeyMsg) {
	types := map[string]tea.KeyType{"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome, "end": tea.KeyEnd,
		"backspace": tea.KeyBackspace, "ctrl+w": tea.KeyCtrlW, "ctrl+u": tea.KeyCtrlU}
	for _, n := range names {
		if k, ok := types[n]; ok {
			out = append(out, tea.KeyMsg{Type: k})
		} else {
			out = append(out, tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(n)})
		}
	}
	return out
}

func rowsOf(n int) ([]Column, []Row) {
	cols := []Column{{Name: "id", Label: "id"}, {Name: "n", Label: "n", Right: true}, {Name: "word", Label: "word"}}
	var rows []Row
	for i := range n {
		v := float64((i * 7919) % 101)
		r := Row{Key: fmt.Sprint("k", i), Cells: []string{fmt.Sprint("user ", i), fmt.Sprint(v), fmt.Sprint("w", i%3)}, Values: []*float64{nil, &v, nil}}
		if i%10 == 3 {
			r.Values[1], r.Cells[1] = nil, format.None
		}
		rows = append(rows, r)
	}
	return cols, rows
}

// A table of any length against a slice: whatever keys come, the cursor is in
// the table and in the window, and the window is full while there are rows.
func TestTableWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		tb := NewTable(plain(), NewKeys(), "t")
		cols, rows := rowsOf(n)
		tb.SetRows(cols, rows)
		tb.SetSize(rapid.IntRange(5, 90).Draw(t, "w"), rapid.IntRange(3, 40).Draw(t, "h"))
		for _, k := range rapid.SliceOfN(rapid.SampledFrom([]string{"up", "down", "pgdown", "pgup", "g", "G", "left", "right", "s", " ", "$", "0"}), 0, 60).Draw(t, "keys") {
			tb.Key(press(k)[0])
			if n > 0 && (tb.cursor < 0 || tb.cursor >= n || tb.cursor < tb.top || tb.cursor >= tb.top+max(tb.body(), 1)) {
				t.Fatalf("after %s the cursor is %d of %d, the window [%d, %d)", k, tb.cursor, n, tb.top, tb.top+tb.body())
			}
			if full := min(tb.body(), n); min(tb.top+tb.body(), n)-tb.top < full {
				t.Fatalf("the window shows %d rows of %d that fit", n-tb.top, full)
			}
			for _, l := range strings.Split(tb.View(true), "\n") {
				if ansi.StringWidth(l) > tb.w {
					t.Fatalf("a line of %d cells in %d: %q", ansi.StringWidth(l), tb.w, l)
				}
			}
		}
	})
}

// Sorting and filtering keep the cursor on its row.
func TestCursorStaysOnItsRow(t *testing.T) {
	tb := NewTable(plain(), NewKeys(), "t")
	tb.SetRows(rowsOf(100))
	tb.SetSize(60, 20)
	tb.Move(42)
	tb.Key(press("right")[0])
	for _, step := range []string{"s", "s", "s"} {
		tb.Key(press(step)[0])
		if got := tb.Target().Key; got != "k42" {
			t.Fatalf("after %s the cursor is on %s", step, got)
		}
	}
	tb.Filter("w0") // 42 is divisible by 3
	if got := tb.Target().Key; got != "k42" || tb.Len() != 34 {
		t.Errorf("after the filter the cursor is on %s of %d rows", got, tb.Len())
	}
	tb.Filter("nobody")
	if !strings.Contains(tb.View(true), `nothing holds "nobody"`) {
		t.Errorf("an empty filter says nothing:\n%s", tb.View(true))
	}
}

// Numbers sort as numbers, and rows without one come last either way.
func TestSortPutsMissingLast(t *testing.T) {
	tb := NewTable(plain(), NewKeys(), "t")
	tb.SetRows(rowsOf(50))
	tb.SetSize(60, 60)
	tb.Key(press("right")[0])
	for range 2 { // descending, then ascending
		tb.Key(press("s")[0])
		_, desc := tb.SortedBy()
		var last *float64
		for i := range tb.Len() {
			v := tb.At(i).Values[1]
			switch {
			case v == nil && i < 45:
				t.Fatalf("a missing value at %d, desc %v", i, desc)
			case v != nil && last != nil && (desc && *v > *last || !desc && *v < *last):
				t.Fatalf("row %d is out of order, desc %v", i, desc)
			}
			last = v
		}
	}
}

// source is a RowSource of a million rows that counts what it is asked for.
type source struct{ n, asked int }

func (s *source) Len() (int, bool) { return s.n, true }
func (s *source) Window(_ context.Context, from, n int) (out []Row, err error) {
	s.asked++
	for i := from; i < min(from+n, s.n); i++ {
		out = append(out, Row{Key: fmt.Sprint(i), Cells: []string{fmt.Sprint("row ", i)}})
	}
	return out, nil
}
func (s *source) Seek(key string) (i int, err error) { _, err = fmt.Sscan(key, &i); return i, err }

var _ RowSource = (*source)(nil)

// A million rows: pages are fetched only where somebody looks, and few are kept.
func TestMillionRows(t *testing.T) {
	src := &source{n: 1_000_000}
	tb := NewTable(plain(), NewKeys(), "t")
	tb.SetSource([]Column{{Name: "id", Label: "id"}}, src.n, true)
	tb.SetSize(80, 40)
	fetch := func() {
		for {
			from, n, ok := tb.Want()
			if !ok {
				return
			}
			rows, err := src.Window(t.Context(), from, n)
			if err != nil {
				t.Fatal(err)
			}
			tb.Fill(from, rows)
		}
	}
	fetch()
	for range 20_000 {
		tb.Key(press("pgdown")[0])
		fetch()
		if !strings.Contains(tb.View(true), fmt.Sprint("row ", tb.Cursor())) {
			t.Fatalf("row %d is not drawn", tb.Cursor())
		}
	}
	if len(tb.pages) > keepPages || src.asked > 20_000*38/Page+100 {
		t.Errorf("%d pages kept, %d asked for", len(tb.pages), src.asked)
	}
	tb.Key(press("G")[0])
	fetch()
	if !strings.Contains(tb.View(true), "row 999999") {
		t.Error("the last row is not drawn")
	}
}

// A key held down at the edge moves the window by half a page, not by a line.
func TestJumpsHalfAPage(t *testing.T) {
	tb := NewTable(plain(), NewKeys(), "t")
	tb.SetRows(rowsOf(1000))
	tb.SetSize(60, 42)
	moved, was := 0, tb.top
	for range 400 {
		tb.Key(press("down")[0])
		if tb.top != was {
			moved++
			was = tb.top
		}
	}
	if moved > 400/20+1 {
		t.Errorf("the window moved %d times in 400 steps", moved)
	}
}

func TestWideNamesKeepColumnsStraight(t *testing.T) {
	tb := NewTable(plain(), NewKeys(), "t")
	cols := []Column{{Name: "id", Label: "id"}, {Name: "x", Label: "x", Right: true}}
	var rows []Row
	for i, id := range []string{"plain", "用户名字", "👩‍👩‍👧", "e\u0301clair", "\x1b[31mred", "משתמש", "a\tb"} {
		rows = append(rows, Row{Key: fmt.Sprint(i), Cells: []string{id, "X"}})
	}
	tb.SetRows(cols, rows)
	tb.SetSize(40, 20)
	for _, l := range strings.Split(tb.View(true), "\n")[2:9] {
		at := strings.LastIndex(l, "X")
		if w := ansi.StringWidth(l[:at]); w != 2+tb.width[0]+2+tb.width[1]-1 {
			t.Errorf("the column stands at %d in %q", w, l)
		}
		if strings.Contains(l, "\x1b") {
			t.Errorf("an id moves the cursor: %q", l)
		}
	}
}

func heatBlock() (*query.Answer, *query.Block) {
	a := &query.Answer{}
	b := &query.Block{Kind: query.HeatBlock, Title: "cohorts"}
	for c := range 8 {
		b.Heads = append(b.Heads, query.Head{Label: fmt.Sprint("w", c)})
	}
	for r := range 8 {
		row := query.Row{Key: fmt.Sprint(r), Label: fmt.Sprint("c", r)}
		for c := range 8 - r {
			a.Figures = append(a.Figures, query.Figure{Key: fmt.Sprintf("%d.%d", r, c), Kind: query.Rate, Value: 1 / float64(c+1), N: 10})
			row.Cells = append(row.Cells, query.Cell{Figure: len(a.Figures) - 1, Open: c == 7-r})
		}
		b.Rows = append(b.Rows, row)
	}
	return a, b
}

// Open cells are hatched, the cursor stands between brackets, and without
// colours shades still rise with the value.
func TestHeat(t *testing.T) {
	a, b := heatBlock()
	h := NewHeat(plain(), NewKeys(), a, b)
	h.SetSize(100, 12)
	v := h.View(true)
	for _, want := range []string{"[100.0%]", "█50.0%", "░14.3%", "╱12.5%"} {
		if !strings.Contains(v, want) {
			t.Errorf("no %s in\n%s", want, v)
		}
	}
	h.Key(press("right")[0])
	if got := h.Target(); got.Figure != 1 || got.Column != "w1" || got.Label != "c0" {
		t.Errorf("the cursor is on %+v", got)
	}
	h.SetSize(30, 5)
	for range 7 {
		h.Key(press("right")[0])
	}
	if !strings.Contains(h.View(true), "‹") {
		t.Errorf("scrolled to the right without a sign:\n%s", h.View(true))
	}
}

func TestBarsStandApart(t *testing.T) {
	a := &query.Answer{Figures: []query.Figure{{Kind: query.Count, Value: 10}, {Kind: query.Count, Value: 5}, {Kind: query.Count, Value: 1000}}}
	b := &query.Block{Kind: query.BarBlock, Title: "stages", Rows: []query.Row{
		{Key: "a", Label: "a", Cells: []query.Cell{{Figure: 0}}}, {Key: "b", Label: "b", Cells: []query.Cell{{Figure: 1}}}, {Key: "c", Label: "churned", Apart: true, Cells: []query.Cell{{Figure: 2}}}}}
	t1 := NewBars(plain(), NewKeys(), a, b)
	t1.SetSize(60, 10)
	lines := strings.Split(t1.View(true), "\n")
	if n, m := strings.Count(lines[1], "█"), strings.Count(lines[2], "█"); n < 20 || m != n/2 {
		t.Errorf("bars of %d and %d cells for 10 and 5:\n%s", n, m, t1.View(true))
	}
	if strings.Contains(lines[4], "█") || !strings.Contains(lines[3], "─") {
		t.Errorf("the lost must stand apart, without a bar:\n%s", t1.View(true))
	}
	t1.Click(3, 4)
	if t1.Target().Key != "c" {
		t.Errorf("a click below the rule selects %s", t1.Target().Key)
	}
}

func TestTimeBar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var spans []query.Span
		day := model.Day(15000)
		for i := range rapid.IntRange(1, 30).Draw(t, "spans") {
			n := model.Day(rapid.IntRange(1, 400).Draw(t, "days"))
			spans = append(spans, query.Span{From: day, To: day + n, Stage: i % 5, Name: "stage"})
			day += n
		}
		n := rapid.IntRange(4, 120).Draw(t, "cells")
		sum := 0
		for _, w := range format.SpanWidths(spans, n) {
			if w < 0 || w == 0 && len(spans) <= n {
				t.Fatalf("a span of %d cells", w)
			}
			sum += w
		}
		if sum != n {
			t.Fatalf("%d cells, want %d", sum, n)
		}
		for _, l := range TimeBar(plain(), spans, n, len(spans)-1) {
			if format.Width(l) > n {
				t.Fatalf("a line of %d cells in %d", format.Width(l), n)
			}
		}
	})
}

func TestInput(t *testing.T) {
	in := NewInput(plain(), ": ", "ab")
	for _, k := range press("left", "x", "end", "日本", "backspace", "home", "y") {
		in.Key(k)
	}
	if in.Value() != "yaxb日" {
		t.Errorf("the line holds %q", in.Value())
	}
	in.Set("where stage")
	for _, k := range press("ctrl+w") {
		in.Key(k)
	}
	if in.Value() != "where " {
		t.Errorf("ctrl+w leaves %q", in.Value())
	}
	in.Set(strings.Repeat("long ", 60))
	if w := ansi.StringWidth(in.View(40)); w > 40 {
		t.Errorf("a line of %d cells in 40", w)
	}
}
