package query_test

import (
	"context"
	"math"
	"testing"

	"dwell/model/churn"
	"dwell/model/query"
	"dwell/sample/reference"
)

// Every measure that can be nudged stays within what training users had, reaches
// both ends, is written as set= reads it, and its parts with the average add to
// the score, whatever the model.
func TestNudges(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	for _, kind := range []string{"logistic", "boosting"} {
		id := listed(t, e, ask(t, e, "churn?folds=1&model="+kind), "scored")[3].ID
		q, err := query.Parse("whatif/" + id + "?folds=1&model=" + kind)
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.WhatIf(context.Background(), q, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Question() == "" || s.Verdict() == "" || !(s.BaseRate() > 0) {
			t.Errorf("%s: %q %q %v", kind, s.Question(), s.Verdict(), s.BaseRate())
		}
		ns := s.Nudges()
		if len(ns) < 5 {
			t.Fatalf("%s: %d nudges", kind, len(ns))
		}
		for i := range ns {
			n := &ns[i]
			if len(n.Words) == 0 && (n.Own < n.Least || n.Own > n.Most || !(n.Step > 0)) {
				t.Errorf("%s: own %v of %v to %v by %v", n.Name, n.Own, n.Least, n.Most, n.Step)
			}
			for _, way := range []int{-1, 1} {
				v := n.Own
				for range 60 {
					to := n.Move(v, way)
					if to < n.Least || to > n.Most || (to-v)*float64(way) < 0 {
						t.Fatalf("%s: %v moves by %d to %v", n.Name, v, way, to)
					}
					if to == v {
						break
					}
					v = to
					if back, ok := n.At(s, n.Set(v)); !ok || math.Abs(back-v) > 1e-5*math.Abs(v) {
						t.Errorf("%s: %s reads as %v", n.Name, n.Set(v), back)
					}
				}
				if end := map[int]float64{-1: n.Least, 1: n.Most}[way]; v != end {
					t.Errorf("%s: by %d it ends at %v, not at %v", n.Name, way, v, end)
				}
				ch, err := s.Change(n.Set(v))
				if err != nil {
					t.Fatal(err)
				}
				trial := s.Try([]churn.Change{ch})
				sum := s.Model.Average()
				for _, p := range s.Parts(&trial) {
					sum += p
				}
				if math.Abs(sum-trial.LogOdds) > 1e-9 {
					t.Errorf("%s %s: parts add to %v of %v", kind, n.Set(v), sum, trial.LogOdds)
				}
			}
		}
	}
}
