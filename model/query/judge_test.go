package query

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"dwell/model"
)

// TestJudgeAtStartSeesNothingLater judges each user on a day of their own, and
// holds the verdict against the population of that day, which reads nothing
// later (own oracle).
func TestJudgeAtStartSeesNothingLater(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 1))
	mem := model.NewMemory()
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	b := &model.Batch{Props: []model.BatchCol{{Key: "plan"}}}
	for i := range 900 {
		b.Line = append(b.Line, int64(i+1))
		b.User = append(b.User, fmt.Appendf(nil, "u%d", rng.IntN(40)))
		b.Time = append(b.Time, int64(18_000+rng.IntN(300))*86_400_000+rng.Int64N(86_400_000))
		b.Event = append(b.Event, []byte([]string{"open", "buy"}[rng.IntN(2)]))
		b.Props[0].Values = append(b.Props[0].Values, []byte([]string{"", "free", "pro"}[rng.IntN(3)]))
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: 900}, []model.SourceInfo{{Path: "x", Digest: "x"}}); err != nil {
		t.Fatal(err)
	}
	e, err := New(mem, mem, nil, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, rule := range []string{`plan == "pro"`, `active_days >= 5`, `stage != "acquisition"`, `count("buy", 60) > 1 and recency_days < 3`} {
		q, err := Query{Analysis: "retention", AsOf: model.NoDay}.With("where", rule).Check()
		if err != nil {
			t.Fatal(err)
		}
		st, err := e.hold(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.newRun(ctx, st, q, nil)
		if err != nil {
			t.Fatal(err)
		}
		js, err := r.judging(false)
		if err != nil {
			t.Fatal(err)
		}
		needs := js.widen(r, Needs{})
		j, err := js.judge(r, needs)
		if err != nil {
			t.Fatal(err)
		}
		yes := 0
		for u := range 40 {
			id := fmt.Sprintf("u%d", u)
			tl, err := r.Snap.User(ctx, id, model.Filter{Until: r.Cut, Columns: needs.Columns, Amounts: needs.Amounts})
			if err != nil {
				t.Fatal(err)
			}
			days := r.Cal.Days(nil, &tl)
			j.fresh = true
			for _, at := range []int{0, len(days) / 3, len(days) / 2} {
				got := j.at(&tl, days[at]) == 1
				past, err := e.newRun(ctx, st, Query{Analysis: "users", AsOf: days[at]}, nil)
				if err != nil {
					t.Fatal(err)
				}
				pop, err := past.Population()
				if err != nil {
					t.Fatal(err)
				}
				in, err := past.match(pop, rule)
				if err != nil {
					t.Fatal(err)
				}
				if want := in.Get(pop.Row(id)); got != want {
					t.Fatalf("%s on %s by %s: judged %v, the population of that day says %v", id, days[at], rule, got, want)
				}
				if got {
					yes++
				}
			}
		}
		if yes == 0 || yes == 120 {
			t.Errorf("%s held for %d of 120: the test tells nothing", rule, yes)
		}
		if err := st.drop(); err != nil {
			t.Error(err)
		}
	}
}
