package query_test

import (
	"strings"
	"testing"

	"dwell/model/query"
)

// Of several currencies a question about money counts the most frequent, says so,
// and offers the others: the answer is that of the currency named, no figure counts
// another one, and who has money in each is listed.
func TestMoneyOfSeveralCurrencies(t *testing.T) {
	mem, dict := randomData(t, 31, 90)
	dict.Columns.Currency = "country"
	several := over(t, mem, dict)
	mem, dict = randomData(t, 31, 90)
	one := over(t, mem, dict) // no currency is named: each user pays in one
	coins := []string{"DE", "AT", "東京"}
	for _, tt := range []struct{ address, total string }{
		{"value?against=2020-03-01&from=2020-09-01&to=2020-11-30", "now.revenue"},
		{"rfm?since=2020-08-01", "scored"},
		{"tiers?since=2020-08-01&rule=amount:100,20", "tier.t3"},
		{"typical?days=60", "stage.growth.revenue"},
		{"scorecard?days=120", "stage.maturity.worth"},
		{"event/buy", "sum"},
		{"changed?since=2020-06-01", "moved"},
		{"expected?model=empirical&horizon=30", "buyers"},
	} {
		a := ask(t, several, tt.address)
		if len(a.Choices) != 1 || a.Choices[0].Key != "currency" || len(a.Choices[0].Values) != len(coins) {
			t.Fatalf("%s offers %+v", tt.address, a.Choices)
		}
		first := a.Choices[0].Values[0]
		if !strings.Contains(a.Title, "in "+first) || !strings.Contains(warning(a, "currency"), "this is "+first) {
			t.Errorf("%s: %q, %q", tt.address, a.Title, warning(a, "currency"))
		}
		for _, c := range coins {
			listed(t, several, a, "currency."+c)
			named := ask(t, several, tt.address+"&currency="+escape(c))
			if warning(named, "currency") != "" {
				t.Errorf("%s in %s: %s", tt.address, c, warning(named, "currency"))
			}
			if named.Figure(tt.total) != nil {
				listed(t, several, named, tt.total)
			}
			if c == first {
				alike(t, a, named)
			}
			mine := ask(t, one, tt.address+"&where="+escape(`country == "`+c+`"`))
			if f, g := named.Figure(tt.total), mine.Figure(tt.total); f != nil && g != nil && f.Unit != "users" && f.Value != g.Value {
				t.Errorf("%s in %s: %s is %v, want %v", tt.address, c, tt.total, f.Value, g.Value)
			}
		}
	}
	// Movers bring what they paid in the currency counted.
	for _, c := range coins {
		mine := map[string]string{}
		for _, row := range block(t, ask(t, one, "changed?since=2020-06-01&top=1000&where="+escape(`country == "`+c+`"`)), "movers").Rows {
			mine[row.Key] = row.Cells[3].Text
		}
		for _, row := range block(t, ask(t, several, "changed?since=2020-06-01&top=1000&currency="+escape(c)), "movers").Rows {
			if want, in := mine[row.Key]; in && row.Cells[3].Text != want || !in && row.Cells[3].Text != "0.00" {
				t.Errorf("%s moved and brought %s in %s, want %s", row.Key, row.Cells[3].Text, c, want)
			}
		}
	}
	if a := ask(t, several, "forecast?weeks=3"); len(a.Choices) != 0 || strings.Contains(a.Title, " in ") {
		t.Errorf("a forecast of buyers is of all currencies: %s", a.Title)
	}
}

// alike says that two answers have the same figures.
func alike(t *testing.T, a, b *query.Answer) {
	t.Helper()
	if len(a.Figures) != len(b.Figures) {
		t.Errorf("%s has %d figures, %s %d", a.Address, len(a.Figures), b.Address, len(b.Figures))
		return
	}
	for i := range a.Figures {
		if x, y := a.Figures[i], b.Figures[i]; x.Key != y.Key || x.Value != y.Value || x.N != y.N {
			t.Errorf("%s: %s is %v of %d, and %s %v of %d in %s", a.Address, x.Key, x.Value, x.N, y.Key, y.Value, y.N, b.Address)
		}
	}
}
