package query_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// Every figure of a churn answer opens its users, under every definition; the
// users at risk carry the probability that put them there.
func TestChurnFiguresAreLists(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	addresses := []string{"churn?gap=40&horizon=25&at=0.3", "churn?by=stage", "churn", "churn?by=silence&horizon=30", "churn@2024-06-01?event=product_view&gap=20", "churn?event=role:use&gap=30&features=recency_days,active_days(28)", "churn?model=boosting&folds=1", "churn?model=hazard", "churn?goal=purchase&who=active&horizon=30&at=0.2"}
	if testing.Short() {
		addresses = addresses[:2]
	}
	for n, address := range addresses {
		a := ask(t, e, address)
		for i := range a.Figures {
			// Every figure of one question, and of the others each in turn: a
			// list is a pass over the data.
			if n == 0 && !testing.Short() || i%9 == n {
				listed(t, e, a, a.Figures[i].Key)
			}
		}
		risk, scored := a.Figure("at-risk"), a.Figure("scored")
		if risk == nil || scored == nil {
			t.Fatalf("%s: nobody is scored: %v", address, a.Warnings)
		}
		at := 0.5
		if _, v, ok := strings.Cut(address, "at=0."); ok {
			at = float64(v[0]-'0') / 10
		}
		high := 0
		for _, u := range listed(t, e, a, "scored") {
			if !(u.Score > 0 && u.Score < 1) {
				t.Errorf("%s: %s has probability %v", address, u.ID, u.Score)
			}
			if u.Score >= at {
				high++
			}
		}
		if high != int(risk.Value) {
			t.Errorf("%s: %d scored users reach %v, at-risk is %v", address, high, at, risk.Value)
		}
		bands := 0.0
		for i := range a.Figures {
			if strings.HasPrefix(a.Figures[i].Key, "band.") {
				bands += a.Figures[i].Value
			}
		}
		if bands != scored.Value {
			t.Errorf("%s: the bands hold %v users, %v are scored", address, bands, scored.Value)
		}
		if auc := a.Figure("auc"); auc.None || !auc.Interval || auc.Value <= auc.Lo || auc.Value >= auc.Hi || auc.N != int64(a.Figure("tested").Value) {
			t.Errorf("%s: auc %+v", address, auc)
		}
		q := 0
		for i, b := range a.Blocks {
			if b.Name == "quality" {
				q = i
			}
			if b.Name == "bands" && i < q {
				t.Errorf("%s: scores stand before what they are worth", address)
			}
		}
	}
}

// Without cancellations and contracts the lost stage is gap churn with the
// model's G: same users, same outcomes, on days and horizons of all kinds.
func TestChurnByStageIsGapChurn(t *testing.T) {
	mem, dict := some(t, reference.CDNOW)
	e := over(t, mem, dict)
	for _, at := range []string{"", "@1998-05-15"} {
		gap, stage := ask(t, e, "churn"+at), ask(t, e, "churn"+at+"?by=stage")
		for _, key := range []string{"trained", "train.base_rate", "tested", "base_rate", "scored", "silent"} {
			g, s := gap.Figure(key), stage.Figure(key)
			if g == nil || s == nil || g.Value != s.Value || g.N != s.N {
				t.Errorf("%s %s: by gap %+v, by stage %+v", at, key, g, s)
			}
		}
	}
}

// The base rate against purchases read the slow way.
func TestChurnLabelsOnCDNOW(t *testing.T) {
	mem, dict := some(t, reference.CDNOW)
	e := over(t, mem, dict)
	a := ask(t, e, "churn?gap=100&horizon=60")
	snap, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	cut := a.AsOf - 60
	tested, churned := 0, 0
	err = snap.Scan(context.Background(), model.Split{From: 0, To: model.Buckets}, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
		bought := map[model.Day]bool{}
		for i := range tl.Time {
			bought[model.Day(tl.Time[i]/86_400_000)] = true
		}
		silence := func(d model.Day) int {
			for n := 0; n < 1000; n++ {
				if bought[d-model.Day(n)] {
					return n
				}
			}
			return -1
		}
		if s := silence(cut); s < 40 || s >= 100 {
			return nil
		}
		tested++
		for d := cut + 1; d <= cut+60; d++ {
			if silence(d) >= 100 {
				churned++
				return nil
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f := a.Figure("base_rate")
	if int(f.N) != tested || math.Abs(f.Value*float64(tested)-float64(churned)) > 1e-9 {
		t.Errorf("base rate %v of %d, the slow way %d of %d", f.Value, f.N, churned, tested)
	}
}

// What the test's users are worth does not depend on later events, nor on the
// number of workers.
func TestChurnReadsNothingLater(t *testing.T) {
	mem, dict := reference.Ecom(t)
	before := ask(t, over(t, mem, dict), "churn@2024-05-20?gap=30&horizon=30")
	cutMem, _ := reference.Ecom(t)
	add(t, cutMem, func(b *model.Batch) {
		for i := range 400 {
			b.User = append(b.User, fmt.Appendf(nil, "late-%d", i%40))
			b.Event = append(b.Event, []byte("catalog"))
			b.Time = append(b.Time, int64(model.DayOf(2024, 5, 22))*86_400_000+int64(i)*3_600_000)
			b.Line = append(b.Line, int64(i))
		}
	})
	if _, err := cutMem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	e, err := query.New(cutMem, cutMem, nil, query.Options{Workers: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	after := ask(t, e, "churn@2024-05-20?gap=30&horizon=30&features=recency_days,tenure_days,active_days(28)")
	again := ask(t, over(t, mem, dict), "churn@2024-05-20?gap=30&horizon=30&features=recency_days,tenure_days,active_days(28)")
	for _, f := range again.Figures {
		if strings.HasPrefix(f.Key, "rule30.") {
			continue // its windows are four beats, and the beat is suggested from all data
		}
		g := after.Figure(f.Key)
		if g == nil || g.Value != f.Value || g.N != f.N || g.Lo != f.Lo {
			t.Errorf("%s: %v with later events, %v without", f.Key, g, f)
		}
	}
	if before.Figure("tested").Value != again.Figure("tested").Value {
		t.Error("the features changed who is tested")
	}
}

// add loads one more batch of rows.
func add(t *testing.T, mem *model.Memory, fill func(b *model.Batch)) {
	t.Helper()
	var b model.Batch
	fill(&b)
	l, err := mem.Begin(context.Background(), model.LoadPlan{Zone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: int64(b.Len())}, []model.SourceInfo{{Path: "more"}}); err != nil {
		t.Fatal(err)
	}
}

// daily makes n users whose activity on each day is drawn by chance.
func daily(t *testing.T, n, days int, rate func(user, day int) float64) *model.Memory {
	t.Helper()
	mem := model.NewMemory()
	rng := rand.New(rand.NewPCG(3, 3))
	add(t, mem, func(b *model.Batch) {
		for u := range n {
			for d := range days {
				if d > 0 && rng.Float64() >= rate(u, d) {
					continue
				}
				b.User = append(b.User, fmt.Appendf(nil, "u%04d", u))
				b.Event = append(b.Event, []byte("open"))
				b.Time = append(b.Time, int64(model.DayOf(2024, 1, 1))*86_400_000+int64(d)*86_400_000)
				b.Line = append(b.Line, int64(len(b.Line)+1))
			}
		}
	})
	return mem
}

// Where nothing can be said, a sentence says why, and no score is given.
func TestChurnRefusals(t *testing.T) {
	dict := model.NewDictionary()
	dict.Starts = "complete"
	always := func(int, int) float64 { return 1 }
	for _, tc := range []struct {
		name    string
		mem     *model.Memory
		address string
		why     string
	}{
		{"ten users", daily(t, 10, 100, func(u, d int) float64 { return 0.2 }), "churn?gap=20&horizon=20", "too few users"},
		{"nobody leaves", daily(t, 200, 100, always), "churn?gap=20&horizon=20", "none of 200 users churned"},
		{"nobody is left", daily(t, 200, 100, func(u, d int) float64 {
			if u == 0 {
				return 1
			}
			return 0
		}), "churn?gap=20&horizon=20", "too few users"},
		{"perfectly told apart", daily(t, 200, 90, func(u, d int) float64 {
			if u%2 == 0 || d < 60 && d%3 == 0 {
				return 1
			}
			return 0
		}), "churn?gap=20&horizon=20&by=silence&features=active_days(28)", ""},
	} {
		e := over(t, tc.mem, dict)
		q, err := query.Parse(tc.address)
		if err != nil {
			t.Fatal(err)
		}
		a, err := e.Answer(context.Background(), q, nil)
		if err != nil {
			if tc.why == "" || !strings.Contains(err.Error(), tc.why) {
				t.Errorf("%s: %v, want %q", tc.name, err, tc.why)
			}
			continue
		}
		text := ""
		for _, w := range a.Warnings {
			if w.Code == "no-model" {
				text = w.Text
			}
		}
		if text == "" || !strings.Contains(text, tc.why) || a.Figure("auc") != nil || a.Figure("at-risk") != nil || a.Figure("scored") != nil {
			t.Errorf("%s: %q, want %q and no score", tc.name, text, tc.why)
		}
	}

	e := over(t, daily(t, 50, 100, func(u, d int) float64 { return 0.1 }), dict)
	for address, why := range map[string]string{
		"churn?horizon=3000&gap=5":                            "ask for a horizon of at most 49",
		"churn?gap=0":                                         "whole number from 1",
		"churn@2025-01-01":                                    "the data end on 2024-04-09",
		"churn?at=1.5":                                        "above 0 and below 1",
		"churn?by=stage&gap=3":                                "has no say with by=stage",
		"churn?by=stage&event=open":                           "has no say with by=stage",
		"churn?event=opn":                                     "did you mean open",
		"churn?features=recencydays":                          "recency_days",
		"churn?features=first_day":                            "must be a number",
		"churn?features=revenue":                              "no event has an amount",
		"churn?who=active":                                    "name the goal",
		"churn?goal=open&by=silence":                          "leave one out",
		"churn?goal=opn":                                      "did you mean open",
		"churn?model=hazard&goal=open":                        "own rhythm",
		"churn?model=forest":                                  "boosting",
		"churn?saved=spring":                                  "no model has been saved",
		"churn?saved=spring&gap=4":                            "has no say with saved=",
		"churn?where=event%20%3E%203":                         "no measure",
		"churn?where=events%20%3E%203&where=events%20%3E%202": "where",
		"churn?monotone=recency_days:up":                      "boosted trees",
		"churn?model=boosting&monotone=recency_days:sideways": "up or down",
		"churn?model=boosting&monotone=recency:up":            "did you mean",
	} {
		q, err := query.Parse(address)
		if err == nil {
			_, err = e.Answer(context.Background(), q, nil)
		}
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", address, err, why)
		}
	}
}

// On data in which leaving has nothing to do with the past, the answer says in
// words that the model is no better than guessing.
func TestChurnOnNullDataSaysSo(t *testing.T) {
	dict := model.NewDictionary()
	dict.Starts = "complete"
	// Everybody is active every tenth day; who has none in a horizon is drawn
	// anew for each, by a hash of user and horizon.
	mem := daily(t, 1500, 100, func(u, d int) float64 {
		if d%10 != 0 {
			return 0
		}
		if h := rand.New(rand.NewPCG(uint64(u), uint64(d/20))); h.Float64() < 0.3 {
			return 0
		}
		return 1
	})
	a := ask(t, over(t, mem, dict), "churn?by=silence&gap=60&horizon=19&features=tenure_days,active_days(28)")
	said := false
	for _, w := range a.Warnings {
		said = said || w.Code == "no-better-than-guessing" && strings.Contains(w.Text, "No better than guessing") || w.Code == "no-model"
	}
	if f := a.Figure("auc"); !said {
		t.Errorf("null data: auc %+v, warnings %v", f, a.Warnings)
	}
}
