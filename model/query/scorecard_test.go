package query_test

import (
	"context"
	"math"
	"testing"

	"dwell/model/query"
)

// Value to date, over all stages, is the revenue of all users, and each stage's is
// that of its own list; buyers are those of the period with a purchase, and ARPPU
// divides the stage's revenue by them.
func TestScorecardMoney(t *testing.T) {
	mem, dict := randomData(t, 8, 60)
	dict.Columns.Currency = "" // the amounts of these data are of one kind
	e := over(t, mem, dict)
	ctx := context.Background()
	q, err := query.Parse("users?columns=revenue,stage")
	if err != nil {
		t.Fatal(err)
	}
	tab, err := e.Table(ctx, q, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := tab.Len()
	rows, err := tab.Window(ctx, 0, n)
	if err == nil {
		err = tab.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	for _, r := range rows {
		if v := r.Values[1]; v != nil { // after the user's id
			want[r.Cells[2]] += *v
		}
	}
	a := ask(t, e, "scorecard?days=100000")
	bought := listed(t, e, ask(t, e, "actions?count=orders"), "users")
	all := map[string]bool{}
	for _, u := range bought {
		all[u.ID] = true
	}
	for _, r := range block(t, a, "scorecard").Rows {
		f := a.Figure("stage." + r.Key + ".worth")
		if math.Abs(f.Value-want[r.Label]) > 1e-6 {
			t.Errorf("%s has brought %v so far, its users %v", r.Key, f.Value, want[r.Label])
		}
		buyers, rev, arppu := a.Figure("stage."+r.Key+".buyers"), a.Figure("stage."+r.Key+".revenue"), a.Figure("stage."+r.Key+".arppu")
		for _, u := range listed(t, e, a, buyers.Key) {
			if !all[u.ID] {
				t.Errorf("%s is a buyer of %s without a purchase", u.ID, r.Key)
			}
		}
		if buyers.N > 0 && math.Abs(arppu.Value*float64(buyers.N)-rev.Value) > 1e-6 {
			t.Errorf("%s: %v of %d buyers, revenue %v", r.Key, arppu.Value, buyers.N, rev.Value)
		}
	}
}
