package query_test

import (
	"math"
	"strings"
	"testing"

	"dwell/model/query"
)

// Amounts of several currencies are never added up: each currency's revenue is that
// of its own users (here each user pays in one), over everybody who started.
func TestRevenueByCurrency(t *testing.T) {
	mem, dict := randomData(t, 31, 90)
	one := over(t, mem, dict) // no currency is named: all amounts are alike
	mem, dict = randomData(t, 31, 90)
	dict.Columns.Currency = "country"
	several := over(t, mem, dict)
	at := "revenue?unit=month&truncated=keep"
	all := ask(t, several, at)
	if warning(all, "currencies") == "" {
		t.Error("nothing says that there are several currencies")
	}
	sum := 0.0
	for _, c := range []string{"DE", "AT", "東京"} {
		mine := ask(t, one, at+"&where="+escape(`country == "`+c+`"`))
		alone := ask(t, several, at+"&currency="+escape(c))
		for _, key := range []string{"month.0.cumulative", "month.3.cumulative", "month.6.revenue"} {
			want := mine.Figure(key).Value
			for _, f := range []*query.Figure{all.Figure(c + "." + key), alone.Figure(key)} {
				if f == nil || math.Abs(f.Value-want) > 1e-6 || f.Unit != c {
					t.Errorf("%s %s: %+v, want %v", c, key, f, want)
				}
			}
		}
		f, g, n := all.Figure(c+".month.3.value"), mine.Figure("month.3.cumulative"), all.Figure(c+".month.3.users")
		if math.Abs(f.Value-g.Value/n.Value) > 1e-9 || n.Value != all.Figure("AT.month.3.users").Value {
			t.Errorf("%s: %v per user, want %v over %v", c, f.Value, g.Value, n.Value)
		}
		sum += all.Figure("currency." + c).Value
		if !strings.Contains(alone.Title, "in "+c) {
			t.Error(alone.Title)
		}
		// Revenue retention is of one currency too.
		if x, y := all.Figure(c+".month.2.retention"), mine.Figure("month.2.retention"); x.None != y.None {
			t.Errorf("%s: %+v, %+v", c, x, y)
		}
	}
	if payers := ask(t, several, at).Figure("users").Value; sum > payers || sum == 0 {
		t.Errorf("%v users pay in one of the currencies, %v started", sum, payers)
	}
	for i := range all.Figures {
		if i%7 == 0 {
			listed(t, several, all, all.Figures[i].Key)
		}
	}
	for address, reason := range map[string]string{"revenue?currency=USD": "there are"} {
		q, err := query.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := several.Answer(t.Context(), q, nil); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
