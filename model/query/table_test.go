package query_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dwell/model/query"
)

func TestUsersTable(t *testing.T) {
	mem, dict := randomData(t, 11, 150)
	e := over(t, mem, dict)
	ctx := context.Background()
	for _, sort := range []string{"id", "-id", "recency_days", "-revenue", "plan", "-plan", "first_day", "value_pct"} {
		q, err := query.Parse("users?columns=recency_days,revenue,plan,first_day,value_pct&sort=" + sort)
		if err != nil {
			t.Fatal(err)
		}
		tab, err := e.Table(ctx, q, nil)
		if err != nil {
			t.Fatal(err)
		}
		n, exact := tab.Len()
		if !exact || n == 0 {
			t.Fatalf("%s: %d rows, exact %v", sort, n, exact)
		}
		all, err := tab.Window(ctx, 0, n+10)
		if err != nil || len(all) != n {
			t.Fatalf("%s: %d of %d rows, %v", sort, len(all), n, err)
		}
		name, desc := strings.CutPrefix(sort, "-")
		col := slices.IndexFunc(tab.Heads(), func(h query.TableHead) bool { return h.Name == name })
		for i := range all {
			if at, err := tab.Seek(all[i].Key); err != nil || at != i {
				t.Fatalf("%s: row %d is sought at %d, %v", sort, i, at, err)
			}
			if part, err := tab.Window(ctx, i, 1); err != nil || len(part) != 1 || part[0].Key != all[i].Key {
				t.Fatalf("%s: a window of row %d gives %v, %v", sort, i, part, err)
			}
			if i == 0 {
				continue
			}
			a, b := all[i-1], all[i]
			if desc {
				a, b = b, a
			}
			if all[i].Cells[col] == "" {
				continue // those without a value stand at the end
			}
			if all[i-1].Cells[col] == "" {
				t.Fatalf("%s: row %d has a value after one without", sort, i)
			}
			switch va, vb := a.Values[col], b.Values[col]; {
			case va != nil && vb != nil && *va > *vb:
				t.Errorf("%s: %v before %v", sort, *va, *vb)
			case va == nil && a.Cells[col] > b.Cells[col]:
				t.Errorf("%s: %s before %s", sort, a.Cells[col], b.Cells[col])
			}
		}
		if at, err := tab.Seek("nobody"); err != nil || at < 0 || at > n {
			t.Errorf("%s: nobody is sought at %d, %v", sort, at, err)
		}
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"users?columns=plann", "users?sort=plan,revenue", "users?stage=grown", "users?mark=lat", "users?columns=sum(amount"} {
		q, err := query.Parse(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Table(ctx, q, nil); err == nil || len(err.Error()) < 15 {
			t.Errorf("%s gives %v", bad, err)
		}
	}
}

// TestEveryKindIsExplained explains a figure of each kind of every analysis.
func TestEveryKindIsExplained(t *testing.T) {
	mem, dict := randomData(t, 12, 80)
	e := over(t, mem, dict)
	for _, address := range bare() {
		q, err := query.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		a, err := e.Answer(context.Background(), q, nil)
		if err != nil {
			continue
		}
		kinds := map[query.Kind]bool{}
		for i := range a.Figures {
			f := &a.Figures[i]
			if kinds[f.Kind] || f.N == 0 || f.None {
				continue
			}
			kinds[f.Kind] = true
			x, err := e.Explain(context.Background(), q, f.Key, nil)
			if err != nil {
				t.Errorf("%s %s: %v", address, f.Key, err)
				continue
			}
			heads := map[string]int{}
			for _, l := range x.Lines {
				if strings.TrimSpace(l.Text) == "" {
					t.Errorf("%s %s: nothing stands under %s", address, f.Key, l.Head)
				}
				heads[l.Head]++
			}
			for _, h := range []string{"Definition", "Formula", "Population", "Window", "Zone", "Interval", "Versions"} {
				if heads[h] == 0 {
					t.Errorf("%s %s: nothing is said about %s", address, f.Key, h)
				}
			}
			if heads["For example"] == 0 && f.Kind != query.Read {
				t.Errorf("%s %s (%s, n %d): no user is worked through", address, f.Key, f.Kind, f.N)
			}
		}
	}
}

// A table may ask for more columns than a population keeps, some of them there
// already and some ranked from others.
func TestMoreColumnsThanAreKept(t *testing.T) {
	mem, dict := randomData(t, 12, 40)
	e := over(t, mem, dict)
	ctx := context.Background()
	rows := func(columns ...string) []query.TableRow {
		t.Helper()
		q, err := query.Parse("users?sort=id&columns=" + strings.ReplaceAll(strings.Join(columns, ","), " ", "%20"))
		if err != nil {
			t.Fatal(err)
		}
		tab, err := e.Table(ctx, q, nil)
		if err != nil {
			t.Fatalf("%d columns: %v", len(columns), err)
		}
		defer func() { _ = tab.Close() }()
		all, err := tab.Window(ctx, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	var names []string
	var alone [][]query.TableRow
	ask := func(name string) {
		names = append(names, name)
		alone = append(alone, rows(name))
	}
	ask("activity_pct")
	for d := range 39 {
		ask(fmt.Sprintf("events(%d)", d+1))
	}
	ask("value_score")
	for round := range 2 { // with the last of the columns resident, then the others
		for i, row := range rows(names...) {
			for c, name := range names {
				if got, want := row.Cells[c+1], alone[c][i].Cells[1]; got != want {
					t.Fatalf("round %d: %s of %s is %s, alone %s", round, name, row.Key, got, want)
				}
			}
		}
		slices.Reverse(names)
		slices.Reverse(alone)
	}
}
