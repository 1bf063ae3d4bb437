package query_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/model/stat"
	"dwell/model/survival"
)

// All spells pooled are the union of the first ones, the second ones and so on,
// each walked day by day; lists name each.
func TestPooledSpells(t *testing.T) {
	mem, dict := randomData(t, 57, 60)
	dict.Starts = "complete"
	e := over(t, mem, dict)
	usual := func(name string) bool { return name == "open" || name == "buy" || name == "share" }
	for _, c := range []struct {
		address string
		gap     int
		origin  func(model.Day) model.Day
	}{
		{"survival?spells=all&gap=12&every=10", 12, func(s model.Day) model.Day { return s }},
		{"survival?spells=all&gap=12&age=9&every=10", 12, func(s model.Day) model.Day { return s + 9 }},
	} {
		a := ask(t, e, c.address)
		var all []walked
		for n := 1; ; n++ {
			some := walkLives(t, mem, dict, c.gap, n, usual, a.AsOf, c.origin)
			if all = append(all, some...); len(walkLives(t, mem, dict, c.gap, n, usual, a.AsOf, func(s model.Day) model.Day { return s })) == 0 {
				break
			}
		}
		var lives []survival.Life
		people := map[string][]survival.Life{}
		for _, w := range all {
			lives = append(lives, w.life)
			people[w.id] = append(people[w.id], w.life)
		}
		want, err := survival.Estimated(lives, stat.Level)
		if err != nil {
			t.Fatal(err)
		}
		f := a.Figure("users")
		if f.Kind != query.Pairs || int64(f.Value) != want.N || len(people) == len(lives) {
			t.Fatalf("%s: %+v, want %d spells of %d users", a.Address, f, want.N, len(people))
		}
		for _, day := range []float64{20, 40, 80} {
			s, _ := want.Curve.At(day)
			f := a.Figure(fmt.Sprintf("day.%v.survival", day))
			if math.Abs(f.Value-s) > 1e-12 || f.N != want.AtRisk(day) || f.Method != "user bootstrap 95 %" || f.Lo > f.Value || f.Hi < f.Value {
				t.Errorf("%s day %v: %+v, want %v of %d", a.Address, day, f, s, want.AtRisk(day))
			}
		}
		for i := range a.Figures {
			listed(t, e, a, a.Figures[i].Key)
		}
		if warning(a, "clustered") == "" || !strings.Contains(a.Title, "user-spells, not users") {
			t.Errorf("%s: %+v", a.Title, a.Warnings)
		}
	}
	by := ask(t, e, "survival?spells=all&gap=12&by=plan")
	if by.Figure("logrank.p") != nil || by.Figure("by.pro.users").Value+by.Figure("by.free.users").Value > ask(t, e, "survival?spells=all&gap=12").Figure("users").Value {
		t.Errorf("%+v", by.Figures)
	}
}

// A contract's end is walked day by day: what is paid and known on each day.
func walkContracts(events []contractEvent, grace int, asOf model.Day, purchases, paid bool) (out []string) {
	open, cancelled, start := false, false, model.NoDay
	until := model.NoDay // first day that is not paid
	for day := events[0].day; day <= asOf; day++ {
		for _, ev := range events {
			if ev.day != day {
				continue
			}
			switch {
			case ev.cancel:
				cancelled = open
			case paid && ev.days > 0:
				if end := day + model.Day(ev.days); !open {
					open, start, cancelled, until = true, day, false, end
				} else if end > until {
					until, cancelled = end, false
				}
			case !paid && (ev.buys || !purchases):
				if !open {
					open, start = true, day
				}
				cancelled = false
			}
		}
		if !open {
			continue
		}
		covered := paid && day < until
		if !paid {
			covered = !cancelled
		}
		if covered || paid && !cancelled && int(day-until)+1 < grace {
			continue
		}
		out = append(out, fmt.Sprintf("%s churned on day %d", start, int(day-start)))
		open, cancelled = false, false
	}
	if open {
		out = append(out, fmt.Sprintf("%s holds on day %d", start, int(asOf-start)))
	}
	return out
}

type contractEvent struct {
	day    model.Day
	days   int // paid for; 0: none
	buys   bool
	cancel bool
}

func TestContractChurn(t *testing.T) {
	const users = 80
	rng := rand.New(rand.NewPCG(5, 6))
	begin := model.DayOf(2023, 1, 1)
	all := make([][]contractEvent, users)
	var rows []string
	for u := range all {
		day := begin + model.Day(rng.IntN(60))
		for day < begin+400 {
			ev := contractEvent{day: day}
			name := "open"
			switch rng.IntN(5) {
			case 0, 1, 2:
				name, ev.buys, ev.days = "buy", true, []int{30, 30, 10}[rng.IntN(3)]
			case 3:
				name, ev.cancel = "cancel", true
			}
			plan := ""
			if ev.days > 0 {
				plan = fmt.Sprint(ev.days)
			}
			all[u] = append(all[u], ev)
			rows = append(rows, fmt.Sprintf("u%03d|%s 12:00|%s|%s", u, day, name, plan))
			day += model.Day(rng.IntN(45))
		}
	}
	for _, c := range []struct {
		period bool
		grace  int
	}{{true, 1}, {true, 8}, {false, 1}} {
		mem := model.NewMemory()
		load(t, mem, "contracts.csv", rows)
		d := model.NewDictionary()
		d.Starts = "complete"
		d.Events["buy"], d.Events["cancel"] = "purchase", "cancel"
		if c.period {
			d.Columns.Period = "plan"
		}
		e := over(t, mem, d)
		rule := "churn=contract"
		if c.period {
			rule += fmt.Sprintf("&gap=%d", c.grace)
		}
		address := "survival?spells=all&" + rule
		a := ask(t, e, address)
		var want []string
		var first []survival.Life
		for u := range all {
			spells := walkContracts(all[u], c.grace, a.AsOf, true, c.period)
			for i, s := range spells {
				want = append(want, fmt.Sprintf("u%03d %s", u, s))
				var day, how string
				n := 0
				if fmt.Sscanf(s, "%s %s on day %d", &day, &how, &n); i == 0 {
					first = append(first, survival.Life{Time: float64(n), Died: how == "churned", Count: 1})
				}
			}
		}
		var got []string
		for key, how := range map[string]string{"died": "churned", "censored": "holds"} {
			for _, x := range listed(t, e, a, key) {
				y, m, d := int(x.Times/10000), int(x.Times/100%100), int(x.Times%100)
				got = append(got, fmt.Sprintf("%s %04d-%02d-%02d %s", x.ID, y, m, d, how))
			}
		}
		for i, w := range want {
			want[i] = strings.Join(strings.Fields(w)[:3], " ")
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: %d spells, want %d; the first that differs is %v", address, len(got), len(want), firstDifference(got, want))
		}
		// The first contracts' curve is that of the walked lives.
		one := ask(t, e, "survival?every=15&"+rule)
		est, err := survival.Estimated(first, stat.Level)
		if err != nil {
			t.Fatal(err)
		}
		for _, day := range []float64{15, 30, 60} {
			s, _ := est.Curve.At(day)
			if f := one.Figure(fmt.Sprintf("day.%v.survival", day)); f == nil || math.Abs(f.Value-s) > 1e-12 {
				t.Errorf("%s day %v: %+v, want %v", one.Address, day, f, s)
			}
		}
		if !strings.Contains(one.Title, "churn is") || !strings.Contains(one.Definition, "contract") || strings.Contains(one.Title, "without any activity") {
			t.Errorf("the title does not print the definition: %s", one.Title)
		}
		ask(t, e, "cox?churn=contract&age=20")
	}
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] + " against " + b[i]
		}
	}
	return cmp.Or(strings.Join(a[min(len(a), len(b)):], ", "), strings.Join(b[min(len(a), len(b)):], ", "))
}

// Contracts paid until a date that each row carries: shortened, renewed on the very
// day, cancelled and taken back, run out.
func TestContractPaidUntil(t *testing.T) {
	mem := model.NewMemory()
	load(t, mem, "paid.csv", []string{
		"runs out|2024-01-01 09:00|buy|2024-02-01",
		"renews on the day|2024-01-01 09:00|buy|2024-02-01", "renews on the day|2024-02-01 23:00|buy|2024-03-01",
		"renews a day late|2024-01-01 09:00|buy|2024-02-01", "renews a day late|2024-02-02 23:00|buy|2024-03-01",
		"is shortened|2024-01-01 09:00|buy|2024-06-01", "is shortened|2024-01-20 09:00|change|2024-01-25",
		"cancels|2024-01-01 09:00|buy|2024-03-01", "cancels|2024-01-10 09:00|cancel|",
		"takes it back|2024-01-01 09:00|buy|2024-02-01", "takes it back|2024-01-10 09:00|cancel|", "takes it back|2024-01-20 09:00|buy|2024-06-01",
		"never pays|2024-01-05 09:00|open|", "last|2024-04-01 20:00|open|",
	})
	d := model.NewDictionary()
	d.Starts, d.Columns.PaidUntil = "complete", "plan"
	d.Events["buy"], d.Events["cancel"] = "purchase", "cancel"
	e := over(t, mem, d)
	for day, who := range map[string]string{"2024-01-25": "is shortened", "2024-02-01": "renews a day late, runs out", "2024-03-01": "cancels, renews on the day"} {
		d, err := model.ParseDay(day)
		if err != nil {
			t.Fatal(err)
		}
		n := int(d - model.DayOf(2024, 1, 1))
		a := ask(t, e, fmt.Sprintf("survival?churn=contract&every=1&until=%d", n))
		var ids []string
		for _, u := range listed(t, e, a, fmt.Sprintf("day.%d.died", n)) {
			ids = append(ids, u.ID)
		}
		if got := strings.Join(ids, ", "); got != who {
			t.Errorf("churned on %s: %s, want %s", day, got, who)
		}
	}
	a := ask(t, e, "survival?churn=contract")
	if a.Figure("users").Value != 6 || a.Figure("left.unstarted").Value != 2 {
		t.Errorf("%+v", a.Figures)
	}
	for address, reason := range map[string]string{
		"survival?churn=contract&activity=purchase": "leave it out",
		"survival?churn=contract&start=buy":         "leave start= out",
		"survival?spells=all&spell=2":               "give one",
		"survival?spells=all&forecast=30":           "not",
		"survival?signup=plan&truncated=keep":       "leave truncated= out",
	} {
		if _, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", address, err, reason)
		}
	}
	bare, none := randomData(t, 3, 20)
	none.Events["cancel"] = "passive"
	q, _ := query.Parse("survival?churn=contract")
	if _, err := over(t, bare, none).Answer(context.Background(), q, nil); err == nil || !strings.Contains(err.Error(), "paid_until or period") {
		t.Errorf("without contracts: %v", err)
	}
}
