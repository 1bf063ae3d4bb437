package query_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
)

// randomData is a small product: users with a start, a rhythm, a death and
// properties that change, from one seed.
func randomData(t testing.TB, seed uint64, users int) (*model.Memory, *model.Dictionary) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	b := &model.Batch{}
	props := map[string]*model.BatchCol{}
	keys := []string{"plan", "country", "odd name", "mail"}
	for _, k := range keys {
		props[k] = &model.BatchCol{Key: k}
	}
	add := func(user, name string, at int64, amount model.Money, vals map[string]string) {
		b.Line = append(b.Line, int64(len(b.Time)+1))
		b.User = append(b.User, []byte(user))
		b.Time = append(b.Time, at)
		b.Event = append(b.Event, []byte(name))
		b.Amount = append(b.Amount, amount)
		for _, k := range keys {
			props[k].Values = append(props[k].Values, []byte(vals[k]))
		}
	}
	const day = 86_400_000
	begin := int64(model.DayOf(2020, 1, 1)) * day
	names := []string{"open", "open", "open", "buy", "ad", "share", "complain", "refund", "cancel"}
	for u := range users {
		id := fmt.Sprintf("u%03d", u)
		at := begin + int64(rng.IntN(200))*day
		gap := 1 + rng.IntN(40)
		end := begin + int64(60+rng.IntN(300))*day
		for at < end {
			vals := map[string]string{"plan": []string{"free", "pro", ""}[rng.IntN(3)], "country": []string{"DE", "AT", "東京"}[u%3]}
			if rng.IntN(4) == 0 {
				vals["odd name"] = fmt.Sprint(rng.IntN(60))
				vals["mail"] = fmt.Sprintf("Person%d@Example.org", u)
			}
			name := names[rng.IntN(len(names))]
			amount := model.NoMoney
			if name == "buy" || name == "refund" {
				amount = model.Money(1+rng.IntN(9000)) * 10_000
			}
			for range 1 + rng.IntN(2) { // double firing now and then
				add(id, name, at, amount, vals)
			}
			at += int64(rng.IntN(2*gap)+1)*day/2 + int64(rng.IntN(day/3))
		}
	}
	for _, k := range keys {
		b.Props = append(b.Props, *props[k])
	}
	mem := model.NewMemory()
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: int64(b.Len())}, []model.SourceInfo{{Path: "random.csv", Digest: fmt.Sprint(seed), Rows: int64(b.Len())}}); err != nil {
		t.Fatal(err)
	}
	d := model.NewDictionary()
	for name, role := range map[string]string{"buy": "purchase", "ad": "passive", "share": "social", "complain": "complaint", "refund": "refund", "cancel": "cancel"} {
		d.Events[name] = role
	}
	d.Columns.Plan = "plan"
	d.Columns.Searchable = []string{"mail"}
	return mem, d
}

// samples are values to try for a key: enough to take each branch.
func samples(k query.KeySpec) []string {
	switch k.Type {
	case query.Word:
		return k.Values
	case query.Int:
		return []string{"1", "7", "30"}
	case query.Float:
		return []string{"0.25", "0.5"}
	case query.DayType:
		return []string{"2020-05-05"}
	case query.RuleType:
		return []string{`plan == "pro"`, `active_days >= 3 and recency_days < 60`, `stage == "growth" or country in ["AT", "東京"]`}
	case query.Address:
		return []string{"stages"}
	}
	if v, ok := map[string][]string{
		"segment": {"pros", "late ones"}, "by": {"plan", "cohort", "active_days", `prop("odd name")`, "first_day", "value_pct", "contract_open", "marks", "tiers"},
		"value": {"orders"}, "tiers": {"10,50,90"}, "columns": {"stage,plan,value_pct,sum(amount, 30)"}, "sort": {"-revenue", "id", "plan"},
		"stage": {"growth"}, "mark": {"silent", "resurrected"}, "find": {"u00", "PERSON1"}, "key": {"stage.growth"}, "zone": {"America/New_York"},
		"count": {"active_days(60)", "revenue"}, "since": {"yesterday", "month", "load", "2020-04-01"}, "user": {"u003", "u011"}, "property": {"plan"}, "event": {"buy"}, "features": {"recency_days,active_days"},
		"window": {"30d", "none"}, "grace": {"2s"}, "hold": {"plan"}, "breakdown": {"plan", "odd name"}, "between": {"1-2"}, "currency": {"amount"}, "exclude": {"ad", "complain"},
		"against": {"before", "year", "2020-02-01"}, "rule": {"amount:500,50", "share:0.2,0.5"}, "names": {"a,b,c"}, "horizon": {"12m", "8w", "90"},
		"signup": {"plan"}, "on": {"active_days", "plan,events"},
	}[k.Name]; ok {
		return v
	}
	return []string{"active", "buy", "role:purchase", "any"}
}

func ids(spec query.Spec) []string {
	if spec.ID == query.NoID {
		return []string{""}
	}
	out := map[string][]string{"user": {"/u003", "/u011"}, "event": {"/buy", "/open"}, "property": {"/plan", "/odd%20name"}, "measure": {"/active_days", "/stage", "/last_day", "/value_score", "/active_today"}, "restage": {"/purchase5", "/activity4"}}[spec.Name]
	if spec.ID == query.OptionalID {
		out = append(out, "")
	}
	return out
}

// TestFiguresAreTheirLists is the figure property of the design over every
// analysis, each option and each pair of options: the question works or is
// refused with a reason, and every figure is its list.
func TestFiguresAreTheirLists(t *testing.T) {
	mem, dict := randomData(t, 7, few(20, 60))
	e := over(t, mem, dict)
	ctx := context.Background()
	for _, s := range []query.Segment{{Name: "pros", Rule: `plan == "pro"`}, {Name: "late ones", Rule: `pros or overdue > 1.5`}} {
		if err := e.PutSegment(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, spec := range query.Specs() {
		t.Run(spec.Name, func(t *testing.T) {
			var opts []string
			for _, k := range spec.Keys {
				for _, v := range samples(k) {
					opts = append(opts, k.Name+"="+escape(v))
				}
			}
			for _, id := range ids(spec) {
				head := spec.Name + id
				try(t, e, head, few(5, 40), rng)
				try(t, e, head+"@2020-06-15", few(2, 12), rng)
				for i, a := range opts {
					try(t, e, head+"?"+a, few(1, 8), rng)
					for _, b := range opts[i+1:] {
						// Every pair is asked for; of most, a figure or two is opened.
						if testing.Short() && rng.IntN(100) > 0 {
							continue
						}
						try(t, e, head+"?"+a+"&"+b, 1, rng)
					}
				}
			}
		})
	}
}

// try asks one question and opens some of its figures. A refusal must be a
// sentence; a fault of the program is no refusal.
func try(t *testing.T, e *query.Engine, address string, open int, rng *rand.Rand) {
	t.Helper()
	reason := func(err error) {
		if s := err.Error(); len(s) < 15 || strings.Contains(s, "fault of the program") || strings.Contains(s, "asks nobody") {
			t.Errorf("%s: %v", address, err)
		}
	}
	q, err := query.Parse(address)
	if err != nil {
		reason(err)
		return
	}
	if back, err := query.Parse(q.String()); err != nil || back.String() != q.String() {
		t.Errorf("%s: is written %s and read back as %s, %v", address, q, back, err)
	}
	a, err := e.Answer(context.Background(), q, nil)
	if err != nil {
		reason(err)
		return
	}
	seen := map[string]bool{}
	for i := range a.Figures {
		if k := a.Figures[i].Key; seen[k] {
			t.Errorf("%s: two figures are called %s", address, k)
		} else {
			seen[k] = true
		}
	}
	for _, bl := range a.Blocks {
		for _, row := range bl.Rows {
			for _, c := range row.Cells {
				if c.Figure != query.NoFigure && (c.Figure < 0 || c.Figure >= len(a.Figures)) {
					t.Errorf("%s: block %s, row %s shows figure %d of %d", address, bl.Name, row.Key, c.Figure, len(a.Figures))
				}
			}
		}
	}
	for range min(open, len(a.Figures)) {
		f := a.Figures[rng.IntN(len(a.Figures))]
		users := listed(t, e, a, f.Key)
		if q.Analysis == "users" || f.Kind == query.Read || rng.IntN(4) > 0 {
			continue
		}
		// The list has an address of its own, with as many rows.
		l, err := query.Parse(query.ListQuery(a, f.Key).String())
		if err != nil {
			t.Errorf("%s %s: its list: %v", address, f.Key, err)
			continue
		}
		b, err := e.Answer(context.Background(), l, nil)
		if err != nil {
			t.Errorf("%s: %v", l, err)
		} else if n := int(b.Figure("users").Value); n != len(users) {
			t.Errorf("%s: %d users, the figure has %d", l, n, len(users))
		}
	}
}

func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}
