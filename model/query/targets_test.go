package query_test

import (
	"math"
	"strings"
	"testing"

	"dwell/model/query"
	"dwell/sample/reference"
)

// Every list and cell opens its users with probability and what is at stake; the
// cells hold everybody who is scored, once.
func TestTargets(t *testing.T) {
	mem, dict := some(t, reference.CDNOW)
	e := over(t, mem, dict)
	a := ask(t, e, "targets?folds=1&features=recency_days,active_days,tenure_days")
	prob := map[string]float64{}
	for _, u := range listed(t, e, ask(t, e, "churn?folds=1&features=recency_days,active_days,tenure_days"), "scored") {
		prob[u.ID] = u.Score
	}
	cells := 0
	for i := range a.Figures {
		f := &a.Figures[i]
		in := strings.HasPrefix(f.Key, "grid.")
		if in {
			cells += int(f.Value)
		}
		if in && !strings.HasPrefix(f.Key, "grid.high") {
			continue // a list is a pass over the data
		}
		for _, u := range listed(t, e, a, f.Key) {
			if u.Beside != prob[u.ID] || u.Score < 0 || u.Score > 1e6*u.Beside {
				t.Fatalf("%s: %s carries %v and %v, its probability is %v", f.Key, u.ID, u.Score, u.Beside, prob[u.ID])
			}
		}
	}
	scored := a.Figure("scored")
	if scored == nil || cells != int(scored.Value) || len(prob) != cells {
		t.Errorf("the cells hold %d users, %v are scored, %d have a probability", cells, scored, len(prob))
	}
	if n := a.Figure("worth10").Value; math.Abs(n-scored.Value/10) > 0.02*scored.Value {
		t.Errorf("a tenth of %v is %v", scored.Value, n)
	}
	l, err := e.Table(t.Context(), query.ListQuery(a, "worth10"), nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := l.Window(t.Context(), 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	if h := l.Heads(); h[1].Label != "expected loss" || h[2].Label != "probability" || *rows[0].Values[1] < *rows[4].Values[1] {
		t.Errorf("the list has the columns %v and begins with %v", h, rows[0].Cells)
	}
	// The ready lists are questions that can be asked.
	for _, b := range a.Blocks {
		if b.Name != "ready" {
			continue
		}
		if len(b.Rows) != 3 {
			t.Errorf("%d ready lists", len(b.Rows))
		}
		for _, row := range b.Rows {
			r := ask(t, e, row.Open)
			if f := r.Figure(row.Cells[0].Text); f == nil && !strings.Contains(r.Definition, "Goal") {
				t.Errorf("%s has no list %s: %v", row.Open, row.Cells[0].Text, r.Warnings)
			}
		}
	}
}
