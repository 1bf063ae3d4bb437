package query_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/query"
	"dwell/sample/reference"
)

// A user's risk is the score of the list, and its reasons add up to it; a model
// in the cache says the same without a second training.
func TestRiskOfAUser(t *testing.T) {
	mem, dict := reference.Ecom(t)
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var before *query.Risk
	for range 2 {
		e, err := query.New(mem, mem, mem, query.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		a := ask(t, e, "churn")
		scored := map[string]bool{}
		for i, u := range listed(t, e, a, "scored") {
			scored[u.ID] = true
			if i%50 != 0 {
				continue
			}
			k, err := e.Risk(ctx, u.ID, model.NoDay, nil)
			if err != nil {
				t.Fatal(err)
			}
			sum := k.Average
			for _, rs := range k.Reasons {
				sum += rs.LogOdds
			}
			if !k.Scored || k.Probability != u.Score || math.Abs(1/(1+math.Exp(-sum))-u.Score) > 1e-12 || k.BaseRate != a.Figure("base_rate").Value {
				t.Errorf("%s: risk %+v, the list says %v", u.ID, k, u.Score)
			}
			if i == 0 && before != nil && (before.Probability != k.Probability || before.Verdict != k.Verdict) {
				t.Errorf("from the cache %v %q, trained %v %q", k.Probability, k.Verdict, before.Probability, before.Verdict)
			}
			if i == 0 {
				before = k
			}
		}
		for i, u := range listed(t, e, a, "silent") {
			if k, err := e.Risk(ctx, u.ID, model.NoDay, nil); i%20 == 0 && (err != nil || k.Scored || !strings.Contains(k.Why, "silent for 43 days") || scored[u.ID]) {
				t.Errorf("%s is silent: %+v, %v", u.ID, k, err)
			}
		}
		if _, err := e.Risk(ctx, "nobody", model.NoDay, nil); err == nil {
			t.Error("nobody has a risk")
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A saved model names its question, data and quality, and can be read back.
func TestChurnModelIsSaved(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	q, err := query.Parse("churn?gap=30&horizon=30")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SaveChurn(context.Background(), q, "spring", "first try", nil); err != nil {
		t.Fatal(err)
	}
	list, err := e.ChurnModels()
	if err != nil || len(list) != 1 || list[0].Name != "spring" {
		t.Fatalf("saved models: %v, %v", list, err)
	}
	s, err := churn.ParseSaved(list[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	a := ask(t, e, "churn?gap=30&horizon=30")
	if s.Data != a.Data.Hash || s.Question.Gap != 30 || s.Quality.AUC != a.Figure("auc").Value || s.Quality.Users != int(a.Figure("tested").Value) || s.Test != "2024-05-30" {
		t.Errorf("saved %+v", s)
	}
	// Asked of the same day it is the same model, and the test says it has seen
	// nothing of what it is tested on.
	again := ask(t, e, "churn?saved=spring")
	for _, key := range []string{"auc", "tested", "base_rate", "scored", "at-risk"} {
		if f, g := a.Figure(key), again.Figure(key); g == nil || g.Value != f.Value || g.N != f.N {
			t.Errorf("saved %s: %+v, trained %+v", key, g, f)
		}
	}
	listed(t, e, again, "at-risk")
	if strings.Contains(fmt.Sprint(again.Warnings), "saved-overlap") {
		t.Error("a model tested a horizon after its own outcomes is said to know them")
	}
	if early := ask(t, e, "churn@2024-06-10?saved=spring"); !strings.Contains(fmt.Sprint(early.Warnings), "saved-overlap") {
		t.Error("a model tested on days that it learned from is not said to know them")
	}
	if err := e.SaveChurn(context.Background(), q, "", "", nil); err == nil {
		t.Error("a model without a name was saved")
	}
}

// A goal's figures against events read the slow way, for everyone who can be
// asked about.
func TestGoalLabels(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	snap, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	const gap, horizon = 25, 30
	for _, who := range []string{"leads", "active", "silent", "all"} {
		a := ask(t, e, fmt.Sprintf("churn?goal=purchase&who=%s&gap=%d&horizon=%d", who, gap, horizon))
		cut := a.AsOf - horizon
		tested, reached := 0, 0
		err := snap.Scan(context.Background(), model.Split{From: 0, To: model.Buckets}, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
			last, before, after := model.Day(-1), false, false
			for i := range tl.Time {
				d := model.Day(tl.Time[i] / 86_400_000)
				buys := snap.Info().Names[tl.Name[i]].Name == "purchase"
				if d <= cut {
					last, before = max(last, d), before || buys
				} else if d <= cut+horizon {
					after = after || buys
				}
			}
			silent := last < 0 || cut-last >= gap
			if last < 0 || who == "silent" && !silent || (who == "leads" || who == "active") && silent || who == "leads" && before {
				return nil
			}
			tested++
			if after {
				reached++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if f := a.Figure("base_rate"); f.N != int64(tested) || math.Abs(f.Value*float64(tested)-float64(reached)) > 1e-9 {
			t.Errorf("%s: base rate %v of %d, the slow way %d of %d", who, f.Value, f.N, reached, tested)
		}
		if strings.Contains(a.Title, "Churn") {
			t.Errorf("the title of a goal is %q", a.Title)
		}
	}
}

// The earlier cut-offs of a back-test are the answers that would have been given
// then.
func TestBackTestIsThePast(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	const question = "gap=20&horizon=25&features=recency_days,tenure_days,active_days(28)"
	now := ask(t, e, "churn?"+question)
	then := ask(t, e, fmt.Sprintf("churn@%s?%s", now.AsOf-25, question))
	f, g := now.Figure(fmt.Sprintf("fold.%s.auc", now.AsOf-50)), then.Figure("auc")
	if f == nil || g == nil || f.Value != g.Value || f.N != g.N || f.Lo != g.Lo {
		t.Errorf("the back-test has %+v, the answer of that day %+v", f, g)
	}
	if ask(t, e, "churn?folds=1&"+question).Figure("auc").Value != now.Figure("auc").Value {
		t.Error("the back-test changes the model")
	}
}

// A property that decides is found, whichever way it is written, and a value of
// it that nobody had in training meets nobody.
func TestChurnByProperty(t *testing.T) {
	dict := model.NewDictionary()
	dict.Starts = "complete"
	mem := daily(t, 900, 120, func(u, d int) float64 {
		if u%3 == 0 && rand.New(rand.NewPCG(uint64(u), uint64(d/30))).Float64() < 0.8 {
			return 0
		}
		return 0.3
	})
	add(t, mem, func(b *model.Batch) {
		col := model.BatchCol{Key: "country"}
		for u := range 900 {
			b.User = append(b.User, fmt.Appendf(nil, "u%04d", u))
			b.Event = append(b.Event, []byte("open"))
			b.Time = append(b.Time, int64(model.DayOf(2024, 1, 2))*86_400_000)
			b.Line = append(b.Line, int64(u))
			col.Values = append(col.Values, []byte([]string{"FR", "DE", "AT"}[u%3]))
		}
		b.Props = append(b.Props, col)
	})
	e := over(t, mem, dict)
	for _, kind := range []string{"logistic", "boosting"} {
		a := ask(t, e, "churn?by=silence&gap=40&horizon=20&features=country,tenure_days&model="+kind)
		if f := a.Figure("auc"); f == nil || f.Lo < 0.6 {
			t.Errorf("%s: the country decides, and the AUC is %+v: %v", kind, f, a.Warnings)
		}
		if kind == "logistic" {
			if f := a.Figure("coef.country.FR"); f == nil || f.Value <= 0 {
				t.Errorf("users of FR leave, and its coefficient is %+v", f)
			}
		}
	}
}
