package query_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"dwell/model"
)

// planData holds payments and refunds, each "user day amount plan paid-until"; an
// amount below 0 is money back, and "-" is no value.
func planData(t *testing.T, lines ...string) (*model.Memory, *model.Dictionary) {
	t.Helper()
	b := &model.Batch{Props: []model.BatchCol{{Key: "paid_until"}, {Key: "plan"}}}
	for _, l := range append(lines, "other 2021-12-31 0 - -") {
		f := strings.Fields(l)
		d, err := model.ParseDay(f[1])
		if err != nil {
			t.Fatal(err)
		}
		x, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		m, _ := model.MoneyOf(x)
		name := "pay"
		switch {
		case x < 0:
			name = "refund"
		case x == 0:
			name, m = "open", model.NoMoney
		}
		b.Line = append(b.Line, int64(len(b.Line)+1))
		b.User = append(b.User, []byte(f[0]))
		b.Time = append(b.Time, int64(d)*86_400_000+int64(len(b.Line)))
		b.Event = append(b.Event, []byte(name))
		b.Amount = append(b.Amount, m)
		for i, v := range []string{f[4], f[3]} {
			b.Props[i].Values = append(b.Props[i].Values, []byte(strings.Trim(v, "-")))
		}
	}
	mem := model.NewMemory()
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: int64(b.Len())}, []model.SourceInfo{{Path: "plans.csv", Digest: "plans", Rows: int64(b.Len())}}); err != nil {
		t.Fatal(err)
	}
	d := model.NewDictionary()
	d.Starts = "complete"
	d.Events["pay"], d.Events["refund"] = "purchase", "refund"
	d.Columns.PaidUntil, d.Columns.Plan = "paid_until", "plan"
	return mem, d
}

// TestContracts works through subscriptions by hand, each alone: the MRR at the ends
// of the first months.
func TestContracts(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  []float64 // of January 2021 and on
	}{
		{"an upgrade within a paid month", []string{"u 2021-01-15 10 basic 2021-02-15", "u 2021-01-25 30 pro 2021-02-25", "u 2021-02-25 30 pro 2021-03-25"}, []float64{30, 30, 0}},
		{"an addition, ended before the rest", []string{
			"u 2021-01-08 10 basic 2021-02-08", "u 2021-01-20 25 more 2021-02-20", "u 2021-02-08 10 basic 2021-03-08", "u 2021-02-20 25 more 2021-03-20",
			"u 2021-03-08 10 basic 2021-04-08", "u 2021-04-08 10 basic 2021-05-08"}, []float64{35, 35, 10, 10, 0}},
		{"two plans begun on one day", []string{"u 2021-01-08 10 basic 2021-02-08", "u 2021-01-08 25 more 2021-03-08", "u 2021-02-08 10 basic 2021-03-08"}, []float64{22.5, 22.5, 0}},
		{"given back at once", []string{"u 2021-01-10 10 basic 2021-02-10", "u 2021-01-12 -10 basic -"}, []float64{0, 0}},
		{"a year, the rest given back", []string{"u 2021-01-10 120 year 2022-01-10", "u 2021-04-10 -90 year -"}, []float64{10, 10, 10, 0}},
		{"a favour", []string{"u 2021-01-10 10 basic 2021-02-10", "u 2021-01-12 -2 basic -", "u 2021-02-10 10 basic 2021-03-10"}, []float64{10, 10, 0}},
		{"bought, given back and bought smaller in a day", []string{"u 2021-01-01 10 basic 2021-02-01", "u 2021-02-01 20 pro 2021-03-01", "u 2021-02-01 -20 pro -", "u 2021-02-01 10 basic 2021-03-01"}, []float64{10, 10, 0}},
		{"a pause", []string{"u 2021-01-05 10 basic 2021-02-05", "u 2021-03-20 10 basic 2021-04-20"}, []float64{10, 0, 10, 0}},
		{"a plan changed after a pause", []string{"u 2021-01-05 10 basic 2021-02-05", "u 2021-03-20 30 pro 2021-04-20"}, []float64{10, 0, 30, 0}},
	} {
		mem, dict := planData(t, c.lines...)
		a := ask(t, over(t, mem, dict), "mrr")
		before := 0.0
		for i, want := range c.want {
			label := "month.2021-0" + strconv.Itoa(i+1)
			f := a.Figure(label + ".mrr")
			if f == nil {
				if want != 0 {
					t.Errorf("%s: no %s", c.name, label)
				}
				continue
			}
			moved := 0.0
			for _, m := range []string{"new", "expansion", "contraction", "churn", "reactivation"} {
				moved += a.Figure(label + "." + m).Value
			}
			if f.Value != want || moved != want-before {
				t.Errorf("%s: %s has %v after movements of %v, want %v after %v", c.name, label, f.Value, moved, want, want-before)
			}
			before = want
		}
	}
}
