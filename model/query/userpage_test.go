package query_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// lines writes a block as a test reads it.
func lines(a *query.Answer, b *query.Block) []string {
	out := slices.Clone(b.Lines)
	for _, r := range b.Rows {
		line := []string{r.Label}
		for _, c := range r.Cells {
			if c.Figure != query.NoFigure {
				line = append(line, query.Number(a.Figures[c.Figure].Value))
			} else {
				line = append(line, c.Text)
			}
		}
		out = append(out, strings.Join(line, " | "))
	}
	return out
}

// Customer 17850 of Online Retail, counted in the file by a script apart from the
// program: 312 rows, 35 invoices of which C543611 is a cancellation, 5,288.63 in
// all, purchases on 1 and 2 December 2010 only.
func TestUserPage(t *testing.T) {
	mem, dict := reference.OnlineRetail(t)
	e := over(t, mem, dict)
	a := ask(t, e, "user/17850")
	for key, want := range map[string]float64{"events": 312, "event.purchase": 312, "measure.orders": 34, "measure.revenue": 5288.63, "measure.active_days": 2} {
		if f := a.Figure(key); f == nil || f.Value != want {
			t.Errorf("%s: %+v, want %v", key, f, want)
		}
		if users := listed(t, e, a, key); users[0].ID != "17850" {
			t.Errorf("%s is of %+v", key, users)
		}
	}
	now := lines(a, block(t, a, "now"))
	if len(now) == 0 || !strings.HasPrefix(now[0], "Churned since 2011-03-23 (261 days). ") || !strings.Contains(now[0], "since 2010-12-02") {
		t.Errorf("now: %q", now)
	}
	if got := lines(a, block(t, a, "trouble")); len(got) != 1 || !strings.HasPrefix(got[0], "2011-02-10 14:38:00 | refund | purchase | 15 | -102.58 | InvoiceNo C543611") {
		t.Errorf("trouble: %q", got)
	}
	if got := lines(a, block(t, a, "summary")); len(got) > 8 || !slices.Contains(got, "34 orders, revenue 5288.63.") || !slices.Contains(got, "1 refund, the last on 2011-02-10.") {
		t.Errorf("summary: %q", got)
	}
	// Every address on the page is one.
	for _, b := range a.Blocks {
		for _, r := range b.Rows {
			for _, at := range append([]string{r.Open}, goes(r)...) {
				if at == "" {
					continue
				}
				q, err := query.Parse(at)
				if err != nil || q.String() != at {
					t.Errorf("%s, %s: %q is no address: %v", b.Name, r.Label, at, err)
				}
			}
		}
	}
	// As of a day in the past nothing later is told.
	a = ask(t, e, "user/17850@2010-12-05")
	if got := lines(a, block(t, a, "now")); !strings.HasPrefix(got[0], "Acquisition since 2010-12-01 (4 days)") {
		t.Errorf("as of 2010-12-05: %q", got)
	}
	for _, b := range a.Blocks {
		if s := strings.Join(lines(a, &b), "\n"); strings.Contains(s, "2011-") {
			t.Errorf("as of 2010-12-05 block %s knows later days:\n%s", b.Name, s)
		}
	}
	a = ask(t, e, "user/17850@2010-11-01")
	if got := lines(a, block(t, a, "now")); got[0] != "17850 has no event up to 2010-11-01." {
		t.Errorf("before the first event: %q", got)
	}
	q, _ := query.Parse("user/nobody")
	if _, err := e.Answer(context.Background(), q, nil); !errors.Is(err, model.ErrNoUser) {
		t.Errorf("nobody: %v", err)
	}
}

func goes(r query.Row) (out []string) {
	for _, c := range r.Cells {
		out = append(out, c.Go)
	}
	return out
}

func TestUserProofs(t *testing.T) {
	mem, dict := randomData(t, 11, 30)
	e := over(t, mem, dict)
	changes := 0
	for _, u := range listed(t, e, ask(t, e, "overview"), "users") {
		id := "user/" + u.ID
		a := ask(t, e, id)
		h := block(t, a, "history")
		// Intervals are gap-free and end with the as-of day.
		for i, s := range h.Spans {
			if s.To <= s.From || i > 0 && s.From != h.Spans[i-1].To || i == len(h.Spans)-1 && s.To != a.AsOf+1 {
				t.Errorf("%s: spans %+v", id, h.Spans)
			}
		}
		for i, r := range h.Rows {
			p := ask(t, e, r.Open)
			changes++
			if got := lines(p, block(t, p, "proof")); got[0] != r.Cells[4].Text {
				t.Errorf("%s, change %d: the proof says %q, the history %q", id, i+1, got[0], r.Cells[4].Text)
			}
			if i == 0 {
				continue
			}
			for _, c := range block(t, p, "clauses").Rows {
				if c.Cells[2].Text != "yes" {
					t.Errorf("%s, change %d: %q did not hold", id, i+1, c.Label)
				}
			}
		}
		q, err := query.Parse(fmt.Sprintf("%s?proof=%d", id, len(h.Rows)+1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Answer(context.Background(), q, nil); err == nil || !strings.Contains(err.Error(), "of stage up to") {
			t.Errorf("a proof too many: %v", err)
		}
		// The stage of the page is the stage of the list.
		stage := h.Spans[len(h.Spans)-1].Name
		users := listed(t, e, ask(t, e, "stages"), "stage."+stage)
		if !slices.ContainsFunc(users, func(x query.User) bool { return "user/"+x.ID == id }) {
			t.Errorf("%s is in %s on the page and not in the list", id, stage)
		}
	}
	if changes < 40 {
		t.Errorf("only %d changes were proved", changes)
	}
}

// Jumps open the user's rows where they say.
func TestUserJumps(t *testing.T) {
	e := smallWorld(t)
	a := ask(t, e, "user/ann")
	rows := table(t, e, "rows?user=ann")
	for _, r := range block(t, a, "jumps").Rows {
		q, err := query.Parse(r.Open)
		if err != nil {
			t.Fatal(err)
		}
		at, err := rows.Seek(q.Get("at"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := rows.Window(context.Background(), at, 1)
		if err != nil || len(got) == 1 && got[0].Cells[0][:10] < r.Label {
			t.Errorf("%s (%s) opens on %v, %v", r.Label, r.Cells[0].Text, got, err)
		}
	}
}

func TestOverview(t *testing.T) {
	mem, dict := reference.CDNOW(t)
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return time.Date(1998, 7, 11, 9, 0, 0, 0, time.UTC) }
	e, err := query.New(mem, mem, nil, query.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	a := ask(t, e, "overview")
	// 23,570 customers with 69,659 purchases (data/cdnow/README).
	for key, want := range map[string]float64{"users": 23570, "events": 69659} {
		if f := a.Figure(key); f == nil || f.Value != want {
			t.Errorf("%s: %+v, want %v", key, f, want)
		}
	}
	var sum float64
	rows := block(t, a, "stages").Rows
	for _, r := range rows {
		f := a.Figures[r.Cells[0].Figure]
		sum += f.Value
		if got := listed(t, e, a, f.Key); float64(len(got)) != f.Value {
			t.Errorf("%s", f.Key)
		}
	}
	if sum != 23570 || len(rows) != 5 || !rows[4].Apart || rows[0].Apart {
		t.Errorf("stages: %d rows add to %v, the lost apart: %v", len(rows), sum, rows[4].Apart)
	}
	if got := strings.Join(lines(a, block(t, a, "facts")), "\n"); !strings.Contains(got, "its end is | 10 days old") || !strings.Contains(got, "1997-01-01 to 1998-06-30, 546 days") {
		t.Errorf("facts:\n%s", got)
	}
	if got := block(t, a, "quality").Lines[0]; got != "last load: 69,659 rows read, 69,659 stored" {
		t.Errorf("quality: %q", got)
	}
	suggested := false
	for _, w := range a.Warnings {
		suggested = suggested || w.Code == "model-suggested"
	}
	if !suggested || !strings.Contains(block(t, a, "params").Title, "suggested, not confirmed") {
		t.Error("nothing says that the stage parameters are suggestions")
	}
	chart := block(t, a, "active").Chart
	if n := len(chart.X); n != 79 || len(chart.Series[0].Y) != n || !chart.Series[0].Open[n-1] || chart.Series[0].Open[n-2] {
		t.Errorf("%d weeks, open at the end: %v", n, chart.Series[0].Open)
	}
	listed(t, e, a, "week.1997-02-03")
	// The same figure on two screens is the same number (SPEC C2).
	l := ask(t, e, "lifecycle?unit=week")
	for i, label := range chart.Labels {
		if f := l.Figure("week." + label + ".active"); f == nil || f.Value != chart.Series[0].Y[i] {
			t.Errorf("week %s: overview %v, lifecycle %+v", label, chart.Series[0].Y[i], f)
		}
	}
}

func TestEmptyDataSet(t *testing.T) {
	mem := model.NewMemory()
	e := over(t, mem, model.NewDictionary())
	for _, address := range []string{"overview", "events", "properties", "rows", "quality", "retention", "lifecycle"} {
		q, err := query.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Answer(context.Background(), q, nil); err != nil {
			t.Errorf("%s on an empty data set: %v", address, err)
		}
	}
}
