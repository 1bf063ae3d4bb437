package query_test

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// Every list and cell opens its users with probability and what is at stake; the
// cells hold everybody who is scored, once.
func TestTargets(t *testing.T) {
	mem, dict := some(t, reference.CDNOW)
	e := over(t, mem, dict)
	a := ask(t, e, "targets?folds=1&at=0.0001&features=recency_days,active_days,tenure_days")
	prob := map[string]float64{}
	for _, u := range listed(t, e, ask(t, e, "churn?folds=1&features=recency_days,active_days,tenure_days"), "scored") {
		prob[u.ID] = u.Score
	}
	cells := 0
	tiers, byStage := 0.0, 0.0
	for i := range a.Figures {
		f := &a.Figures[i]
		if strings.HasPrefix(f.Key, "tier.") && f.Kind == query.Count {
			if strings.Contains(f.Key, ".stage.") {
				byStage += f.Value
			} else {
				tiers += f.Value
			}
		}
		in := strings.HasPrefix(f.Key, "grid.")
		if in {
			cells += int(f.Value)
		}
		if !slices.Contains([]string{"grid.high.high", "at-risk", "worth10", "tier.critical"}, f.Key) {
			continue // a list is a pass over the data
		}
		for _, u := range listed(t, e, a, f.Key) {
			if u.Beside != prob[u.ID] || u.Score < 0 || u.Score > 1e6*u.Beside {
				t.Fatalf("%s: %s carries %v and %v, its probability is %v", f.Key, u.ID, u.Score, u.Beside, prob[u.ID])
			}
		}
	}
	if tiers == 0 || byStage != tiers {
		t.Errorf("the tiers have %v users, by stage %v", tiers, byStage)
	}
	scored := a.Figure("scored")
	if cells += int(a.Figure("seasonal").Value); scored == nil || cells != int(scored.Value) || len(prob) != cells {
		t.Errorf("the cells hold %d users, %v are scored, %d have a probability", cells, scored, len(prob))
	}
	if n := a.Figure("worth10").Value; math.Abs(n-scored.Value/10) > 0.02*scored.Value {
		t.Errorf("a tenth of %v is %v", scored.Value, n)
	}
	l, err := e.Table(t.Context(), query.ListQuery(a, "worth10"), nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := l.Window(t.Context(), 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	if h := l.Heads(); h[1].Label != "expected loss" || h[2].Label != "probability" || *rows[0].Values[1] < *rows[4].Values[1] {
		t.Errorf("the list has the columns %v and begins with %v", h, rows[0].Cells)
	}
	// The ready lists are questions that can be asked.
	for _, b := range a.Blocks {
		if b.Name != "ready" {
			continue
		}
		if len(b.Rows) != 3 {
			t.Errorf("%d ready lists", len(b.Rows))
		}
		for _, row := range b.Rows {
			r := ask(t, e, row.Open)
			if f := r.Figure(row.Cells[0].Text); f == nil && !strings.Contains(r.Definition, "Goal") {
				t.Errorf("%s has no list %s: %v", row.Open, row.Cells[0].Text, r.Warnings)
			}
		}
	}
}

// The users to contact are those with the highest expected loss, as many as asked
// for, and what is expected of them is the sum over them; the slider says the same.
func TestContact(t *testing.T) {
	mem, dict := reference.CDNOW(t)
	e := over(t, mem, dict)
	const question = "targets?folds=1&features=recency_days,active_days&worth=to-date&cost=3&success=0.2&at=0.0001"
	a := ask(t, e, question+"&contact=137")
	apart := map[string]bool{}
	for _, u := range listed(t, e, a, "seasonal") {
		apart[u.ID] = true
	}
	all := slices.DeleteFunc(slices.Clone(listed(t, e, a, "scored")), func(u query.User) bool { return apart[u.ID] })
	slices.SortFunc(all, func(a, b query.User) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	want := map[string]bool{}
	var hits, loss, miss float64
	for i, u := range all {
		if math.Abs(u.Beside*u.More.Value-u.Score) > 1e-9*u.Score {
			t.Fatalf("%s: %v × %v is not %v", u.ID, u.Beside, u.More.Value, u.Score)
		}
		if i < 137 {
			want[u.ID] = true
			hits, loss = hits+u.Beside, loss+u.Score
		} else {
			miss += u.Beside
		}
	}
	got := listed(t, e, a, "contact")
	for _, u := range got {
		if !want[u.ID] {
			t.Errorf("%s is contacted with an expected loss of %v", u.ID, u.Score)
		}
	}
	near := func(key string, want float64) {
		t.Helper()
		if f := a.Figure(key); f == nil || math.Abs(f.Value-want) > 1e-9*math.Abs(want) {
			t.Errorf("%s: %+v, want %v", key, f, want)
		}
	}
	near("contact", 137)
	near("contact.hits", hits)
	near("contact.vain", 137-hits)
	near("contact.missed", miss)
	near("contact.loss", loss)
	near("contact.gain", 0.2*loss-3*137)
	q, err := query.Parse(question)
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Reach(t.Context(), q, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := r.At(137)
	if r.Users != len(all) || math.Abs(c.Hits-hits) > 1e-9*hits || math.Abs(c.Gain-(0.2*loss-3*137)) > 1e-6 {
		t.Errorf("the slider says %+v of %d users", c, r.Users)
	}
	best := r.At(r.Best())
	for _, n := range []int{0, best.N - 1, best.N + 1, r.Users, r.Users + 9, -1} {
		if r.At(n).Gain > best.Gain {
			t.Errorf("%d contacts gain %v, the best %d gain %v", n, r.At(n).Gain, best.N, best.Gain)
		}
	}
	// Exactly the list is written, with what it carries.
	l, err := e.Users(t.Context(), a.Query, "contact", nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := query.WriteUsersCSV(&out, l); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 138 || lines[0] != "user,expected loss,probability,value to date,tier,suggested,signal 1,log-odds 1,signal 2,log-odds 2,signal 3,log-odds 3" {
		t.Errorf("%d lines, the first %q", len(lines), lines[0])
	}
	// Each signal stands by itself, in numbers.
	out.Reset()
	if err := query.WriteUsersJSON(&out, l); err != nil {
		t.Fatal(err)
	}
	signals := 0
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var u struct {
			User    string
			Signals []query.Signal
		}
		if err := json.Unmarshal([]byte(line), &u); err != nil {
			t.Fatal(err)
		}
		cells, err := csv.NewReader(strings.NewReader(lines[i+1])).Read()
		if err != nil || u.User != cells[0] || len(u.Signals) > 3 {
			t.Fatalf("%s beside %q: %v", line, cells, err)
		}
		for k, s := range u.Signals {
			signals++
			if s.LogOdds <= 0 || s.Measure == "" || s.Value == nil && s.Is == "" || s.Text != cells[6+2*k] || query.Number(s.LogOdds) != cells[7+2*k] {
				t.Errorf("%s: signal %+v beside %q", u.User, s, cells)
			}
		}
	}
	if signals == 0 {
		t.Error("nobody has a signal")
	}
}

// Who was silent at the same time of the year before, and came back, stands
// apart from those at risk.
func TestSeasonalUsersStandApart(t *testing.T) {
	dict := model.NewDictionary()
	dict.Starts = "complete"
	// A third comes from October to March only, for three years; the others stay or
	// leave for good.
	mem := daily(t, 480, 1180, func(u, d int) float64 {
		_, month, _ := (model.DayOf(2024, 1, 1) + model.Day(d)).Civil()
		switch {
		case u%3 == 0 && month >= time.April && month <= time.September:
			return 0
		case u%3 == 1 && d > 1020+u*7%160:
			return 0
		}
		return 0.08
	})
	a := ask(t, over(t, mem, dict), "targets@2027-03-24?by=silence&gap=45&horizon=60&folds=1&at=0.02&features=recency_days,active_days(28)")
	f := a.Figure("seasonal")
	if f == nil || f.Value == 0 {
		t.Fatalf("nobody is seasonal: %v %v", f, a.Warnings)
	}
	e := over(t, mem, dict)
	winter := func(key string) (in, of int) {
		for _, u := range listed(t, e, a, key) {
			var n int
			if _, err := fmt.Sscanf(u.ID, "u%d", &n); err != nil {
				t.Fatal(err)
			}
			if of++; n%3 == 0 {
				in++
			}
		}
		return in, of
	}
	// All of them stand there, however likely: they are in no other list.
	if all := ask(t, over(t, mem, dict), strings.Replace(a.Query.String(), "at=0.02", "at=0.9", 1)).Figure("seasonal"); all.Value != f.Value {
		t.Errorf("%v are seasonal where at=0.02, %v where at=0.9", f.Value, all.Value)
	}
	in, of := winter("seasonal")
	still, risk := winter("at-risk")
	t.Logf("%d of %d called seasonal come in winter only; of the %d at risk %d do", in, of, risk, still)
	if in < of*4/5 || in < 100 || still > 30 {
		t.Errorf("%d of %d called seasonal come in winter only; of the %d at risk %d do", in, of, risk, still)
	}
}

// A playbook on the shelf decides the tiers; one that cannot be read is said.
func TestPlaybookOnTheShelf(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	const question = "targets?folds=1"
	before := ask(t, e, question)
	if before.Figure("tier.critical") == nil || before.Figure("tier.red") != nil {
		t.Errorf("the default's tiers: %v", before.Blocks)
	}
	if _, err := e.PutPlaybook([]byte("[[tier]]\nname = 7\n"), ""); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a bad playbook: %v", err)
	}
	if _, err := e.PutPlaybook([]byte("[[tier]]\nname = \"red\"\nsuggest = \"ring\"\n"), "ours"); err != nil {
		t.Fatal(err)
	}
	after := ask(t, e, question)
	if f := after.Figure("tier.red"); f == nil || f.Value != after.Figure("scored").Value || after.Figure("tier.critical") != nil {
		t.Errorf("ours: %+v", f)
	}
	for _, u := range listed(t, e, after, "tier.red")[:1] {
		if u.More != nil && u.More.Tier != "red" {
			t.Errorf("%s: %+v", u.ID, u.More)
		}
	}
	if err := e.DropPlaybook(); err != nil {
		t.Fatal(err)
	}
	if again := ask(t, e, question); again.Figure("tier.critical") == nil {
		t.Error("dropped, the default does not hold again")
	}
}

// Where amounts are in several currencies, users are worth what they are in the one
// chosen; without a choice, in that of most amounts, which is said.
func TestTargetsCurrency(t *testing.T) {
	mem, dict := randomData(t, 31, 400)
	one := over(t, mem, dict) // no currency is named: all amounts are alike
	mem, dict = randomData(t, 31, 400)
	dict.Columns.Currency = "country"
	several := over(t, mem, dict)
	const question = "targets?folds=1&features=recency_days,active_days&worth="
	auto := ask(t, several, question+"auto")
	if len(auto.Choices) != 1 || !strings.Contains(warning(auto, "currency"), "this is "+auto.Choices[0].Values[0]) {
		t.Errorf("amounts of several currencies: %v", auto.Warnings)
	}
	for _, c := range auto.Choices[0].Values {
		listed(t, several, auto, "currency."+c)
	}
	for _, worth := range []string{"to-date", "trailing"} {
		all := map[string]float64{}
		for _, u := range listed(t, one, ask(t, one, question+worth), "scored") {
			all[u.ID] = u.More.Value
		}
		users := listed(t, several, ask(t, several, question+worth+"&currency=DE"), "scored")
		some := 0
		for _, u := range users { // each user pays in one currency
			if v := u.More.Value; v != 0 && math.Abs(v-all[u.ID]) > 1e-9*v {
				t.Errorf("%s, %s: %v, and %v in all", worth, u.ID, v, all[u.ID])
			} else if v != 0 {
				some++
			}
		}
		if some == 0 || some == len(users) || len(users) != len(all) {
			t.Errorf("%s: %d of %d scored users have paid in DE, %d are scored in all", worth, some, len(users), len(all))
		}
	}
	q, err := query.Parse("targets?currency=USD")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := several.Answer(t.Context(), q, nil); err == nil || !strings.Contains(err.Error(), "no such currency") {
		t.Error(err)
	}
}
