package text

import (
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
)

func answer() *query.Answer {
	return &query.Answer{
		Title: "Retention in week N", Definition: "Share of a cohort active in week N.", Address: "retention?unit=week",
		AsOf: model.DayOf(2011, 12, 9), Zone: "UTC",
		Figures: []query.Figure{
			{Key: "a", Label: "a", Kind: query.Rate, Value: 0.5, N: 10}, {Key: "b", Label: "b", Kind: query.Rate, Value: 0.25, N: 10},
			{Key: "c", Label: "c", Kind: query.Count, Value: 1234}, {Key: "d", Label: "d", Kind: query.Count, Value: 617}, {Key: "e", Label: "e", Kind: query.Count, Value: 99999},
		},
		Blocks: []query.Block{
			{Kind: query.HeatBlock, Title: "Cohorts", Heads: []query.Head{{Label: "w0", Right: true}, {Label: "w1", Right: true}},
				Rows: []query.Row{{Label: "2011-11-28", Cells: []query.Cell{{Figure: 0}, {Figure: 1, Open: true}}}, {Label: "2011-12-05", Cells: []query.Cell{{Figure: 0}, {Figure: query.NoFigure, Blank: true}}}}},
			{Kind: query.BarBlock, Title: "Stages", Rows: []query.Row{{Label: "growth", Cells: []query.Cell{{Figure: 2}}}, {Label: "maturity", Cells: []query.Cell{{Figure: 3}}}, {Label: "churned", Apart: true, Cells: []query.Cell{{Figure: 4}}}}},
			{Kind: query.TextBlock, Title: "Why", Lines: []string{"because \x1b[2J of it"}},
			{Kind: query.SpanBlock, Title: "History", Spans: []query.Span{{From: 0, To: 10, Stage: 0, Name: "acquisition"}, {From: 10, To: 40, Stage: 1, Name: "exploration"}},
				Rows: []query.Row{{Label: "acquisition"}, {Label: "exploration"}}},
		},
		Warnings: []query.Warning{{Text: "9 users: need 30 for an interval"}},
	}
}

func TestWrite(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, answer(), 60); err != nil {
		t.Fatal(err)
	}
	want := `Retention in week N
as of 2011-12-09 · UTC · retention?unit=week

Cohorts
               w0      w1
2011-11-28  50.0%  25.0%~
2011-12-05  50.0%

Stages
growth     1,234  ████████████████████████████████████████
maturity     617  ████████████████████
- - - - - - - - -
churned   99,999

Why
because ·[2J of it

History
░░░░░░░░░░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
acquisition    exploration
acquisition
exploration

~ still open: not everybody's time has come; never counted
as lost

! 9 users: need 30 for an interval

Share of a cohort active in week N.
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

// No line is wider than asked for, whatever the width, and ASCII is ASCII.
func TestWriteFits(t *testing.T) {
	for _, w := range []int{24, 40, 60, 80, 200} {
		for _, ascii := range []bool{false, true} {
			var b strings.Builder
			if err := WriteWith(&b, answer(), w, Options{ASCII: ascii}); err != nil {
				t.Fatal(err)
			}
			for _, l := range strings.Split(b.String(), "\n") {
				if format.Width(l) > w && !strings.Contains(l, "retention?unit") {
					t.Errorf("%d cells in %d: %q", format.Width(l), w, l)
				}
				for _, r := range l {
					if ascii && r > 126 {
						t.Errorf("%q is not ASCII in %q", r, l)
					}
				}
			}
		}
	}
}

func TestRows(t *testing.T) {
	var b strings.Builder
	rows := NewRows(&b, []query.TableHead{{Label: "user"}, {Label: "events", Right: true}, {Label: "a very long heading that does not fit"}}, 30)
	for _, c := range [][]string{{"日本", "7", "x"}, {"ann", "12,345", "y"}} {
		if err := rows.Row(query.TableRow{Cells: c}); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if want := "user  events\n日本       7\nann   12,345\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
