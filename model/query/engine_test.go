package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"dwell/model"
	"dwell/model/query"
)

// bare are the addresses of all analyses without options.
func bare() (out []string) {
	for _, s := range query.Specs() {
		if s.Name == "compare" || s.Name == "reconcile" {
			continue // they must be told what to compare
		}
		for _, id := range ids(s) {
			out = append(out, s.Name+id)
		}
	}
	return out
}

func TestEmptyDataAndFarDays(t *testing.T) {
	empty := over(t, model.NewMemory(), model.NewDictionary())
	mem, dict := randomData(t, 1, 1)
	one := over(t, mem, dict)
	for _, address := range bare() {
		for name, e := range map[string]*query.Engine{"empty": empty, "one user": one} {
			for _, day := range []string{"", "@1970-01-01", "@2020-01-01", "@2090-12-31"} {
				q, err := query.Parse(address + day)
				if err != nil {
					t.Fatalf("%s: %v", address, err)
				}
				if _, err := e.Answer(context.Background(), q, nil); err != nil && strings.Contains(err.Error(), "fault of the program") {
					t.Errorf("%s over %s: %v", address+day, name, err)
				}
			}
		}
	}
}

// asked answers every analysis and gives the answers as JSON by address.
func asked(t *testing.T, e *query.Engine, suffix string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, address := range bare() {
		q, err := query.Parse(address + suffix)
		if err != nil {
			t.Fatal(err)
		}
		a, err := e.Answer(context.Background(), q, nil)
		if err != nil {
			out[address] = err.Error()
			continue
		}
		b := *a
		b.Data = model.Version{}
		body, err := json.Marshal(&b)
		if err != nil {
			t.Errorf("%s cannot be kept in the cache: %v", address, err)
		}
		var back query.Answer
		if err := json.Unmarshal(body, &back); err != nil {
			t.Errorf("%s cannot be read from the cache: %v", address, err)
		}
		if again, err := json.Marshal(&back); err != nil || string(again) != string(body) {
			t.Errorf("%s changes on its way through the cache: %v", address, err)
		}
		out[address] = string(body)
	}
	return out
}

// difference is where two texts part.
func difference(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	cut := func(s string) string { return s[max(0, i-120):min(len(s), i+120)] }
	return "\n" + cut(a) + "\n" + cut(b)
}

func TestWorkersChangeNothing(t *testing.T) {
	mem, dict := randomData(t, 2, few(60, 300))
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	var got []map[string]string
	for _, n := range []int{1, 5} {
		e, err := query.New(mem, mem, nil, query.Options{Workers: n})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, asked(t, e, ""))
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	for k, v := range got[0] {
		if got[1][k] != v {
			t.Errorf("%s: one worker and five do not agree: %s", k, difference(v, got[1][k]))
		}
	}
}

// TestCacheKeepsAnswers asks through the Cache port with two engines.
func TestCacheKeepsAnswers(t *testing.T) {
	mem, dict := randomData(t, 2, 40)
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	var got [2]map[string]string
	for i := range got {
		e, err := query.New(mem, mem, mem, query.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		got[i] = asked(t, e, "")
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	if !reflect.DeepEqual(got[0], got[1]) {
		t.Error("an answer from the cache differs from the one that was computed")
	}
}

// TestNothingLaterIsRead appends events after the as-of day: no answer that
// depends on the data alone may change. The stage model's numbers are frozen
// first, for suggestions are made from all the data and say so.
func TestNothingLaterIsRead(t *testing.T) {
	mem, dict := randomData(t, 5, 80)
	e := over(t, mem, dict)
	if err := e.ConfirmModel(context.Background(), nil, ""); err != nil {
		t.Fatal(err)
	}
	const at = "@2020-06-01"
	before := asked(t, e, at)
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	b := &model.Batch{}
	for i, user := range []string{"u001", "u002", "newcomer"} {
		b.Line = append(b.Line, int64(i+1))
		b.User = append(b.User, []byte(user))
		b.Time = append(b.Time, int64(model.DayOf(2020, 6, 2))*86_400_000)
		b.Event = append(b.Event, []byte("buy"))
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: 3}, []model.SourceInfo{{Path: "later.csv", Digest: "later"}}); err != nil {
		t.Fatal(err)
	}
	if err := e.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	after := asked(t, e, at)
	for k, v := range before {
		// quality reports loads, and model and stages the evidence of suggestions:
		// these are about the data set, not about the day.
		switch k {
		case "quality", "model", "stages", "overview":
			continue
		}
		if after[k] != v {
			t.Errorf("%s: events after the day changed it: %s", k, difference(v, after[k]))
		}
	}
}

func TestCancelAndShare(t *testing.T) {
	mem, dict := randomData(t, 6, 50)
	e := over(t, mem, dict)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q, err := query.Parse("retention")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Answer(ctx, q, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled question gave %v", err)
	}
	// One of two askers leaves; the other still gets the answer.
	var wg sync.WaitGroup
	leaving, leave := context.WithCancel(context.Background())
	wg.Go(func() { _, _ = e.Answer(leaving, q, func(int64, int64) { leave() }) })
	wg.Go(func() {
		if a, err := e.Answer(context.Background(), q, nil); err != nil || len(a.Figures) == 0 {
			t.Errorf("the asker who stayed got %v", err)
		}
	})
	wg.Wait()
	leave()
}

func TestConfirmChangesTheModel(t *testing.T) {
	mem, dict := randomData(t, 8, 60)
	e := over(t, mem, dict)
	ctx := context.Background()
	m, err := e.Model(ctx, nil)
	if err != nil || m.Confirmed {
		t.Fatalf("a fresh model: %+v, %v", m, err)
	}
	change, err := e.PreviewModel(ctx, map[string]float64{"G": 400}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ConfirmModel(ctx, map[string]float64{"G": 400}, "wider"); err != nil {
		t.Fatal(err)
	}
	after, err := e.Model(ctx, nil)
	if err != nil || !after.Confirmed || after.Hash == m.Hash {
		t.Fatalf("a confirmed model: %+v, %v", after, err)
	}
	a := ask(t, e, "stages")
	for _, c := range change {
		if f := a.Figure("stage." + c.Stage); int64(f.Value) != c.After {
			t.Errorf("%s: the preview said %d, it became %v", c.Stage, c.After, f.Value)
		}
	}
	if err := e.ConfirmModel(ctx, map[string]float64{"H": 4}, ""); err == nil {
		t.Error("a number the model does not have was set")
	}
	d2 := *dict
	d2.Events = map[string]string{"open": "passive"}
	before := map[string]int64{}
	for _, c := range change {
		before[c.Stage] = c.After
	}
	preview, err := e.PreviewDictionary(ctx, &d2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.PutDictionary(ctx, &d2, ""); err != nil {
		t.Fatal(err)
	}
	a = ask(t, e, "stages")
	for _, c := range preview {
		if c.Before != before[c.Stage] {
			t.Errorf("%s: the preview starts from %d, not %d", c.Stage, c.Before, before[c.Stage])
		}
		if f := a.Figure("stage." + c.Stage); int64(f.Value) != c.After {
			t.Errorf("%s: the preview said %d, it became %v", c.Stage, c.After, f.Value)
		}
	}
}

func TestCountRuleEqualsTheList(t *testing.T) {
	mem, dict := randomData(t, 9, 90)
	e := over(t, mem, dict)
	ctx := context.Background()
	for _, rule := range []string{`plan == "pro"`, `active_days(30) > 0`, `value_pct >= 50`, `country == "東京" and not (stage == "churned")`, `sum(amount, 90, plan == "pro") > 10`} {
		n, total, err := e.CountRule(ctx, rule)
		if err != nil || n == 0 || total != int(ask(t, e, "stages").Figure("users").Value) {
			t.Errorf("%s: %d of %d, %v", rule, n, total, err)
			continue
		}
		a := ask(t, e, "users?where="+escape(rule))
		if f := a.Figure("users"); int(f.Value) != n {
			t.Errorf("%s: counted %d, listed %v", rule, n, f.Value)
		}
		rows := 0
		for _, err := range e.Rows(ctx, a.Query, nil) {
			if err != nil {
				t.Fatal(err)
			}
			rows++
		}
		if rows != n {
			t.Errorf("%s: counted %d, %d rows", rule, n, rows)
		}
	}
	if _, _, err := e.CountRule(ctx, `plann == "pro"`); err == nil || !strings.Contains(err.Error(), "plan") {
		t.Errorf("a wrong name gave %v", err)
	}
}

func TestFind(t *testing.T) {
	mem, dict := randomData(t, 10, 120)
	e := over(t, mem, dict)
	ctx := context.Background()
	got, err := e.Find(ctx, "U01", 100)
	if err != nil || len(got) < 7 || got[0].By != "id" {
		t.Errorf("ids that start with u01: %v, %v", got, err)
	}
	got, err = e.Find(ctx, "person11", 100)
	if err != nil || len(got) == 0 {
		t.Fatalf("mails that start with person11: %v, %v", got, err)
	}
	for _, f := range got {
		if f.By != "mail" || !strings.HasPrefix(f.Has, "Person11") {
			t.Errorf("found %+v", f)
		}
	}
	if all, err := e.Find(ctx, "example.org", 1000); err != nil || len(all) < 70 {
		t.Errorf("mails that hold example.org: %d, %v", len(all), err)
	}
	if some, err := e.Find(ctx, "example.org", 7); err != nil || len(some) != 7 {
		t.Errorf("at most seven: %d, %v", len(some), err)
	}
	if none, err := e.Find(ctx, "nobody has this", 7); err != nil || len(none) != 0 {
		t.Errorf("nobody: %v, %v", none, err)
	}
}
