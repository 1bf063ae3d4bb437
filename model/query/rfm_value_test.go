package query_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dwell/model"
	"dwell/sample/reference"
)

// rfmFile is the RFM part of a reference file.
type rfmFile struct {
	N      float64                       `json:"n"`
	Scores map[string]map[string]float64 `json:"score_counts_threshold"`
	Cells  map[string]float64            `json:"cells_threshold"`
	Users  []struct {
		ID      string `json:"id"`
		R, F, M float64
		Code    string `json:"threshold_RFM"`
	} `json:"customers"`
}

func readRFM(t *testing.T, file, key string) (out rfmFile) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(reference.Shared(t), "reference", file))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all[key], &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRFMReference compares every score and code with pandas on CDNOW and Online
// Retail.
func TestRFMReference(t *testing.T) {
	for _, c := range []struct {
		name, file, key, address string
		data                     func(testing.TB) (*model.Memory, *model.Dictionary)
	}{
		{"CDNOW", "events_cdnow.json", "rfm", "rfm", reference.CDNOW},
		{"Online Retail", "events_online_retail.json", "rfm_purchase_only", "rfm?amounts=gross&frequency=orders", reference.OnlineRetail},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := readRFM(t, c.file, c.key)
			mem, dict := c.data(t)
			e := over(t, mem, dict)
			a := ask(t, e, c.address)
			is := func(key string, v float64) {
				t.Helper()
				f := a.Figure(key)
				switch {
				case f == nil && v == 0:
				case f == nil:
					t.Errorf("no figure %s, want %v", key, v)
				case f.Value != v:
					t.Errorf("%s: %v, want %v", key, f.Value, v)
				}
			}
			is("scored", want.N)
			for d, scores := range want.Scores {
				for s, n := range scores {
					is("score."+strings.ToLower(d)+s, n)
				}
			}
			sum := 0.0
			for code, n := range want.Cells {
				is("code."+code, n)
				sum += n
			}
			if sum != want.N {
				t.Errorf("the reference's codes add up to %v of %v", sum, want.N)
			}
			for _, u := range want.Users {
				l, err := e.Users(context.Background(), a.Query, "code."+u.Code, nil)
				if err != nil {
					t.Fatal(err)
				}
				found := false
				for _, w := range l.Users {
					found = found || strings.TrimLeft(w.ID, "0") == u.ID && fmt.Sprint(w.Score) == u.Code && math.Abs(w.Beside-u.M) < 1e-6
				}
				if !found {
					t.Errorf("%s is not listed under %s with %v", u.ID, u.Code, u.M)
				}
			}
		})
	}
}

// TestRFMMoves says that the moves' rows are the cells of the earlier day.
func TestRFMMoves(t *testing.T) {
	mem, dict := randomData(t, 11, 120)
	e := over(t, mem, dict)
	a, then := ask(t, e, "rfm@2020-09-01?since=2020-06-15"), ask(t, e, "rfm@2020-06-15")
	rows := map[string]float64{}
	for i := range a.Figures {
		if p := strings.Split(a.Figures[i].Key, "."); p[0] == "move" {
			rows[p[1]] += a.Figures[i].Value
		}
	}
	for i := range then.Figures {
		if p := strings.Split(then.Figures[i].Key, "."); p[0] == "cell" && len(p) == 2 && rows[p[1]] != then.Figures[i].Value {
			t.Errorf("%s: %v on the day itself, %v as the row of the moves", p[1], then.Figures[i].Value, rows[p[1]])
		}
	}
}

// TestValueAddsUp says that the parts of a change are the change, over users and
// over factors, and that the periods' figures are those of a slow count.
func TestValueAddsUp(t *testing.T) {
	mem, dict := randomData(t, 5, 150)
	e := over(t, mem, dict)
	for _, address := range []string{"value", "value@2020-08-01", "value@2020-08-01?days=60&amounts=gross", "value?from=2020-05-01&to=2020-05-31&against=2020-03-01", "value?where=plan%20%3D%3D%20%22pro%22&days=90"} {
		a := ask(t, e, address)
		v := func(key string) float64 {
			f := a.Figure(key)
			if f == nil {
				return 0
			}
			return f.Value
		}
		change := v("now.revenue") - v("before.revenue")
		users := 0.0
		for _, k := range []string{"new", "back", "more", "same", "less", "lost", "refunds"} {
			users += v("users." + k)
		}
		parts := v("split.buyers") + v("split.frequency") + v("split.order_value") + v("split.refunds")
		for what, got := range map[string]float64{"users": users, "factors": parts, "total": v("split.total")} {
			if math.Abs(got-change) > 1e-9*math.Max(1, math.Abs(v("now.revenue"))) {
				t.Errorf("%s: %s add up to %v of %v", address, what, got, change)
			}
		}
	}
}

// TestValueOnlineRetail compares monthly revenue of purchases with the growth of
// the cohort table's total in the reference, which knows gross amounts.
func TestValueOnlineRetail(t *testing.T) {
	mem, dict := reference.OnlineRetail(t)
	e := over(t, mem, dict)
	a := ask(t, e, "value?amounts=gross")
	sum, orders := 0.0, 0.0
	for i := range a.Figures {
		if k := a.Figures[i].Key; strings.HasPrefix(k, "month.") && strings.HasSuffix(k, ".revenue") {
			sum += a.Figures[i].Value
		} else if strings.HasPrefix(k, "month.") && strings.HasSuffix(k, ".orders") {
			orders += a.Figures[i].Value
		}
	}
	w := newWalker(t, "events_online_retail.json")
	if want := w.want["/purchase_only/revenue"]; math.Abs(sum-want) > 1e-6 {
		t.Errorf("revenue by month adds up to %v, want %v", sum, want)
	}
	// Every invoice is an order once, in the month in which it began.
	if want := w.want["/purchase_only/summary/events"]; orders != want {
		t.Errorf("orders by month add up to %v, want %v invoices", orders, want)
	}
}

// TestTiersAgree says that tiers are what segments and crosstab call tiers, that a
// past day gives the rows of the moves, and that a tier's rule finds its users.
func TestTiersAgree(t *testing.T) {
	mem, dict := randomData(t, 9, 140)
	e := over(t, mem, dict)
	x := ask(t, e, "crosstab?by=tiers&tiers=30,60")
	for _, extra := range []string{"", "&value=orders"} {
		a := ask(t, e, "tiers?tiers=30,60&since=2020-07-01"+extra)
		then := ask(t, e, "tiers@2020-07-01?tiers=30,60"+extra)
		for i, seg := range []string{"p0-30", "p30-60", "p60-100"} {
			key := fmt.Sprintf("tier.t%d", i+1)
			if extra == "" && a.Figure(key).Value != x.Figure("segment."+seg).Value {
				t.Errorf("%s: %v, crosstab has %v", key, a.Figure(key).Value, x.Figure("segment."+seg).Value)
			}
			row := 0.0
			for j := range a.Figures {
				if p := strings.Split(a.Figures[j].Key, "."); p[0] == "move" && p[1] == fmt.Sprintf("t%d", i+1) {
					row += a.Figures[j].Value
				}
			}
			if row != then.Figure(key).Value {
				t.Errorf("%s: %v on the day itself, %v as the row of the moves", key, then.Figure(key).Value, row)
			}
		}
	}
	for _, address := range []string{"tiers?tiers=30,60", "tiers?rule=amount:100,20", "tiers?rule=share:0.1,0.4"} {
		a := ask(t, e, address)
		for _, bl := range a.Blocks {
			for _, row := range bl.Rows {
				if bl.Name != "tiers" || row.Rule == "" {
					continue
				}
				n := ask(t, e, "users?where="+escape(row.Rule)).Figure("users").Value
				if want := a.Figure("tier." + row.Key).Value; n != want {
					t.Errorf("%s: the rule %q finds %v users, the tier has %v", address, row.Rule, n, want)
				}
			}
		}
	}
}
