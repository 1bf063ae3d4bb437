package query_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model/churn"
	"dwell/model/query"
	"dwell/sample/reference"
)

// A user's parts add to the score, and the parts of a change to the change, for
// every kind of model; a tried value gives what Try gives.
func TestWhatIfAddsUp(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	for _, kind := range []string{"logistic", "boosting", "hazard"} {
		risk := listed(t, e, ask(t, e, "churn?folds=1&model="+kind), "scored")
		for i := 0; i < len(risk); i += 1 + len(risk)/4 {
			id := risk[i].ID
			a := ask(t, e, fmt.Sprintf("whatif/%s?folds=1&model=%s&set=recency_days:3", id, kind))
			if p := a.Figure("now"); p == nil || p.Value != risk[i].Score {
				t.Fatalf("%s %s: %+v, the list has %v", kind, id, p, risk[i].Score)
			}
			logit := func(p float64) float64 { return math.Log(p / (1 - p)) }
			sum, moved, moves := logit(a.Figure("average").Value), 0.0, 0
			for k := range a.Figures {
				f := &a.Figures[k]
				switch {
				case strings.HasPrefix(f.Key, "part."):
					sum += f.Value
				case strings.HasPrefix(f.Key, "moved."):
					moved += f.Value
					moves++
				}
				if k%5 == 0 {
					listed(t, e, a, f.Key)
				}
			}
			if math.Abs(sum-logit(risk[i].Score)) > 1e-9 {
				t.Errorf("%s %s: the parts add to %v of %v", kind, id, sum, logit(risk[i].Score))
			}
			if m := a.Figure("moved"); m != nil && math.Abs(m.Value-moved) > 1e-9 {
				t.Errorf("%s %s: moved by %v, its %d parts by %v", kind, id, m.Value, moves, moved)
			}
			q, err := query.Parse(fmt.Sprintf("whatif/%s?folds=1&model=%s", id, kind))
			if err != nil {
				t.Fatal(err)
			}
			s, err := e.WhatIf(context.Background(), q, nil)
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.Change("recency_days:3")
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Try([]churn.Change{c}).Probability; got != a.Figure("tried").Value {
				t.Errorf("%s %s: tried by hand %v, by address %v", kind, id, got, a.Figure("tried").Value)
			}
			for set, why := range map[string]string{"recency_day:3": "did you mean recency_days", "recency_days:soon": "not a number"} {
				if _, err := s.Change(set); err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("%s: %v, want %q", set, err, why)
				}
			}
		}
	}
}

// Twins are as old as the user, and every figure of theirs opens them; who is not
// scored has neither twins nor a what-if, and hears why.
func TestTwins(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	churned := ask(t, e, "churn?folds=1")
	scored := listed(t, e, churned, "scored")
	a := ask(t, e, "twins/"+scored[0].ID+"?folds=1&k=7")
	if f := a.Figure("twins"); f == nil || f.Value != 7 {
		t.Fatalf("twins: %+v %v", f, a.Blocks)
	}
	for i := range a.Figures {
		listed(t, e, a, a.Figures[i].Key)
	}
	last := 0.0
	for _, row := range a.Blocks[len(a.Blocks)-1].Rows {
		var d float64
		if _, err := fmt.Sscan(row.Cells[1].Text, &d); err != nil || d < last || row.Label == scored[0].ID {
			t.Errorf("%s at %v after %v: %v", row.Label, d, last, err)
		}
		last = d
	}
	for _, u := range listed(t, e, churned, "silent")[:1] {
		for _, what := range []string{"twins/", "whatif/"} {
			a := ask(t, e, what+u.ID+"?folds=1")
			if !strings.Contains(fmt.Sprint(a.Blocks), "ilent for 43 days") {
				t.Errorf("%s%s: %v", what, u.ID, a.Blocks)
			}
		}
	}
}
