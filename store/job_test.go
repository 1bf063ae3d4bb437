package store

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
	"dwell/model/query"
)

// A gate is a data set whose next scan, once armed, is stopped in its midst until
// something else has happened.
type gate struct {
	*Store
	mu    sync.Mutex
	seen  int    // users until it happens
	midst func() // nil: nothing
}

func (g *gate) Snapshot(ctx context.Context) (model.Snapshot, error) {
	s, err := g.Store.Snapshot(ctx)
	return gated{s, g}, err
}

// arm has midst run when so many users have been handed out.
func (g *gate) arm(after int, midst func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen, g.midst = after, midst
}

func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock() // the other scans of the job wait meanwhile
	if g.midst == nil {
		return
	}
	if g.seen--; g.seen < 0 {
		g.midst()
		g.midst = nil
	}
}

type gated struct {
	model.Snapshot
	g *gate
}

func (s gated) Scan(ctx context.Context, split model.Split, f model.Filter, fn func(*model.Timeline) error) error {
	return s.Snapshot.Scan(ctx, split, f, func(tl *model.Timeline) error {
		s.g.pass()
		return fn(tl)
	})
}

// lifeRows are half a year in the lives of some users; the n-th load adds more users,
// and later days of those before.
func lifeRows(n int) (rows []modeltest.Row) {
	const day = 86_400_000
	for u := range 40 + 7*n {
		for k := range 9 + u%5 {
			r := modeltest.Row{User: fmt.Sprint("user", u), Event: "open", Amount: model.NoMoney,
				Time: int64(19_700+20*n+u%60+k*(1+u%17))*day + int64(n*1000+k)}
			switch {
			case k == 0 && n == 1:
				r.Event = "signup"
			case k%3 == 2:
				r.Event, r.Amount = "purchase", model.Money(1+u%9)*1_000_000
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// A job that has begun before a load commits answers from the data version it began
// with to its end, and so does every list opened behind its figures; the next question
// after a reload sees the new one. The load is committed, and the loads merged, in the
// midst of the job's own scan.
func TestJobsSeeOneVersion(t *testing.T) {
	d := open(t, Options{})
	ctx := context.Background()
	n := 0
	load := func() {
		n++
		if _, err := modeltest.Load(t, d, loadPlan(n), lifeRows(n), 1); err != nil {
			t.Error(err)
		}
	}
	load()
	engineOn := func(src model.Source) *query.Engine {
		t.Helper()
		e, err := query.New(src, d.Shelf(), nil, query.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		if _, err := e.Data(ctx); err != nil {
			t.Fatal(err)
		}
		return e
	}
	dict := model.NewDictionary()
	dict.Events["signup"], dict.Events["purchase"] = "signup", "purchase"
	if _, err := d.Shelf().Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	ask := func(e *query.Engine, q query.Query) (*query.Answer, string) {
		t.Helper()
		a, err := e.Answer(ctx, q, nil)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		return a, string(text)
	}
	addresses := []string{"retention", "funnel?step=signup&step=purchase", "users", "lifecycle", "survival?spells=all", "overview", "revenue", "stages", "properties", "churn"}
	if testing.Short() {
		addresses = addresses[:4]
	}
	for i, address := range addresses {
		q, err := query.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		g := &gate{Store: d.Store}
		e := engineOn(g)
		_, before := ask(engineOn(d.Store), q)
		fired := false
		g.arm(7+3*i, func() {
			fired = true
			load()
			if i%2 == 0 {
				if _, err := d.Compact(ctx); err != nil {
					t.Error(err)
				}
			}
		})
		a, during := ask(e, q)
		if !fired {
			t.Errorf("%s: no load came into its midst", address)
		}
		if during != before {
			t.Errorf("%s: a load in its midst changed the answer from\n%.300s\nto\n%.300s", address, before, during)
		}
		lists := 0
		for _, f := range a.Figures {
			if f.Kind != query.Count || f.Value == 0 || f.None {
				continue
			}
			l, err := e.Users(ctx, q, f.Key, nil)
			if err != nil || float64(len(l.Users)) != f.Value {
				t.Errorf("%s: %s is %v and its list after the load has %d users: %v", address, f.Key, f.Value, len(l.Users), err)
			}
			if lists++; lists == 3 {
				break
			}
		}
		_, want := ask(engineOn(d.Store), q)
		if err := e.Reload(ctx); err != nil {
			t.Fatal(err)
		}
		if _, after := ask(e, q); after != want || after == before {
			t.Errorf("%s: after a reload it is not that of the new version: it was\n%.300s\nis\n%.300s\nwant\n%.300s", address, before, after, want)
		}
	}
}
