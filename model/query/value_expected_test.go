package query_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dwell/model/query"
	"dwell/sample/reference"
)

// TestExpectedReference compares fits, P(alive), purchases and customer lifetime
// value of all 23,570 CDNOW customers with lifetimes.
func TestExpectedReference(t *testing.T) {
	body, err := os.ReadFile(filepath.Join(reference.Shared(t), "reference", "btyd_cdnow_lifetimes.json"))
	if err != nil {
		t.Fatal(err)
	}
	type customer struct {
		ID    string  `json:"id"`
		Alive float64 `json:"p_alive"`
		CLV   float64 `json:"clv_12m"`
	}
	var want struct {
		BG struct {
			Parameters map[string]float64 `json:"parameters"`
			LL         float64            `json:"log_likelihood"`
			Alive      float64            `json:"p_alive_sum"`
			Next39     struct {
				Sum float64 `json:"sum"`
			} `json:"expected_purchases_next_39"`
			Customers []customer `json:"customers"`
		} `json:"bgnbd_master_calibration_to_1997-09-30"`
		Spend struct {
			Parameters map[string]float64 `json:"parameters"`
			LL         float64            `json:"log_likelihood"`
			CLV        struct {
				Sum float64 `json:"sum"`
			} `json:"clv_12_months_discount_0.01_per_month"`
			Customers []customer `json:"customers"`
		} `json:"gamma_gamma_master_calibration_to_1997-09-30"`
	}
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatal(err)
	}
	mem, dict := reference.CDNOW(t)
	e := over(t, mem, dict)
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance*math.Max(1, math.Abs(want)) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	a := ask(t, e, "expected@1997-09-30?model=bg&horizon=39w")
	for name, v := range want.BG.Parameters {
		near(name, a.Figure("fit."+name).Value, v, 1e-3)
	}
	for name, v := range want.Spend.Parameters {
		near(name, a.Figure("fit.spend_"+name).Value, v, 1e-3)
	}
	near("log-likelihood", a.Figure("fit.log_likelihood").Value, want.BG.LL, 1e-7)
	near("spend log-likelihood", a.Figure("fit.spend_log_likelihood").Value, want.Spend.LL, 1e-7)
	near("P(alive)", a.Figure("alive").Value, want.BG.Alive, 1e-3)
	near("purchases in 39 weeks", a.Figure("purchases").Value, want.BG.Next39.Sum, 1e-3)

	a = ask(t, e, "expected@1997-09-30?model=bg&horizon=12m&discount=0.01")
	near("value in 12 months", a.Figure("value").Value, want.Spend.CLV.Sum, 1e-3)
	l, err := e.Users(context.Background(), a.Query, "value", nil)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i := range l.Users {
		at[strings.TrimLeft(l.Users[i].ID, "0")] = i
	}
	for i, c := range want.BG.Customers {
		u := l.Users[at[c.ID]]
		near("P(alive) of "+c.ID, u.Beside, c.Alive, 1e-3)
		near("value of "+c.ID, u.Score, want.Spend.Customers[i].CLV, 1e-3)
	}
}

// TestExpectedNeverCertain says that by default nobody is alive for certain, the
// one-time buyers of two years ago least of all (V9).
func TestExpectedNeverCertain(t *testing.T) {
	mem, dict := reference.CDNOW(t)
	e := over(t, mem, dict)
	a := ask(t, e, "expected")
	l, err := e.Users(context.Background(), a.Query, "buyers", nil)
	if err != nil {
		t.Fatal(err)
	}
	once := 0
	for _, u := range l.Users {
		if u.Beside >= 1 {
			t.Fatalf("%s is alive for certain", u.ID)
		}
		if u.Beside < 0.5 {
			once++
		}
	}
	if once == 0 {
		t.Error("nobody is more likely gone than not")
	}
}

// TestExpectedFallsBack says what happens where no model can be fitted: like buyers
// stand in where there are thirty, and a sentence where there are not.
func TestExpectedFallsBack(t *testing.T) {
	mem, dict := randomData(t, 21, 45)
	e := over(t, mem, dict)
	a := ask(t, e, "expected?truncated=keep&horizon=60")
	if !strings.Contains(a.Title, "empirical curve") {
		t.Errorf("45 users are modelled: %s", a.Title)
	}
	for _, w := range a.Warnings {
		if strings.Contains(w.Text, "NaN") {
			t.Error(w.Text)
		}
	}
	mem, dict = randomData(t, 21, 6)
	a = ask(t, over(t, mem, dict), "expected?truncated=keep")
	if f := a.Figure("buyers"); f != nil && f.Value != 0 {
		t.Errorf("something is foretold of %v of six users", f.Value)
	}
}

// TestExpectedValues says that other rooms are told what the list says.
func TestExpectedValues(t *testing.T) {
	mem, dict := randomData(t, 31, 300)
	query.WorthIsTheList(t, over(t, mem, dict), 120)
}

// A sum of what a model expects is no count: its explanation may not say so.
func TestExpectedSumIsAnEstimate(t *testing.T) {
	mem, dict := randomData(t, 31, 300)
	x, err := over(t, mem, dict).Explain(t.Context(), ask(t, over(t, mem, dict), "expected").Query, "value", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range x.Lines {
		if l.Head == "Interval" && strings.Contains(l.Text, "nothing is estimated") {
			t.Errorf("%s: %s", l.Head, l.Text)
		}
	}
}
