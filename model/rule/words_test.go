package rule

import (
	"math"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/measure"
)

// Every name that completion offers compiles as it is written.
func TestEveryNameOfferedIsARule(t *testing.T) {
	s := testSchema(t)
	env := Env{Schema: s, Population: true, SegmentNames: []string{"trial", "odd one", "plan", "events"},
		Segments: func(string) (string, bool) { return "plan == 'free'", true }}
	names := Names(env)
	seen := map[string]bool{}
	for _, n := range names {
		if seen[n.Kind+n.Name] {
			t.Errorf("%s %s is offered twice", n.Kind, n.Name)
		}
		seen[n.Kind+n.Name] = true
		if n.Help == "" {
			t.Errorf("%s has no help", n.Name)
		}
		if n.Kind == "function" || n.Kind == "stage" || strings.HasPrefix(n.Args, "event,") || strings.HasPrefix(n.Args, "amount or") || strings.HasPrefix(n.Args, "property") {
			continue
		}
		if _, err := Compile("known("+n.Name+")", env); err != nil {
			t.Errorf("known(%s): %v", n.Name, err)
		}
	}
	for _, want := range []string{`prop("odd name")`, `prop("events")`, "plan", `in_segment("odd one")`, `in_segment("plan")`, "trial", "G", `"growth"`, "value_pct"} {
		if !slices.ContainsFunc(names, func(n Name) bool { return n.Name == want }) {
			t.Errorf("%s is not offered", want)
		}
	}
	for _, n := range Names(Env{Schema: s}) {
		if n.Name == "value_pct" {
			t.Error("a stage rule is offered a population measure")
		}
	}
}

func TestSpellAndEquals(t *testing.T) {
	s := testSchema(t)
	for _, tt := range []struct{ key, value, want string }{
		{"plan", "pro", `plan == "pro"`},
		{"odd name", `a"b\c` + "\n", `prop("odd name") == "a\"b\\c\n"`},
		{"events", "1", `prop("events") == "1"`},
		{"plan", "", "not known(plan)"},
	} {
		got := Equals(tt.key, tt.value, s)
		if got != tt.want {
			t.Errorf("Equals(%q, %q) = %s, want %s", tt.key, tt.value, got, tt.want)
		}
		r := mustCompile(t, got, Env{Schema: s})
		if tt.value == "" {
			continue
		}
		// The text that the parser reads is the value that was meant.
		test := r.node.(*textTest).test
		if !test(tt.value) || test(tt.value+" ") {
			t.Errorf("%s does not test for %q", got, tt.value)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"recency_days", "revenue", "rate_ratio", "plan", "aov"}
	for in, want := range map[string]string{"recencydays": "recency_days", "revnue": "revenue", "Plan": "plan", "paln": "plan", "xyz": "", "rate": "rate_ratio", "": "", "avo": "aov"} {
		if got := Nearest(in, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abc", "abc", 0}, {"ca", "abc", 3}} {
		if got := distance([]rune(tt.a), []rune(tt.b)); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestMeasureReadsWhatRefsWrite(t *testing.T) {
	s := testSchema(t)
	env := Env{Schema: s, Population: true}
	for src, want := range map[string]string{
		"revenue_90": "revenue(90) number", "active_days( 28 )": "active_days(28) number", "plan": `prop("plan") text`,
		"first(plan)": `first("plan") text`, "prop('odd name')": `prop("odd name") text`, "count('open', 30)": `count("open", 30) number`,
		"count(purchase)": "count(purchase) number", "first_day": "first_day day", "active_today": "active_today yes/no", "stage": "stage text",
		"sum(amount, 2*beat, plan == 'pro')": `sum(amount, 14, plan == "pro") number`, "sum(age)": `sum("age") number`, "distinct(event, 7)": "distinct(event, 7) number",
		"value_pct": "value_pct number", "events(plan == 'pro' and role(purchase) and event != 'open' and amount > 1.5)": `events(plan == "pro" and role(purchase) and event != "open" and amount > 1.5) number`,
	} {
		r, typ, err := Measure(src, env)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := r.String() + " " + typ.String(); got != want {
			t.Errorf("%s is %s, want %s", src, got, want)
		}
		if again, _, err := Measure(r.String(), env); err != nil || again.String() != r.String() {
			t.Errorf("%s reads back as %s, %v", r, again, err)
		}
	}
	for _, src := range []string{"recency_days + 1", "1", "plan == 'pro'", "", "growth"} {
		if r, _, err := Measure(src, env); err == nil {
			t.Errorf("%q is the measure %s", src, r)
		}
	}
}

// A condition on events sees the event, and nothing of the user.
func TestConditionsOnEvents(t *testing.T) {
	s := testSchema(t)
	env := Env{Schema: s, Refs: &measure.Refs{}}
	day := int64(86_400_000)
	tl := &model.Timeline{
		Time:   []int64{day, 2 * day, 3 * day, 4 * day},
		Name:   []model.NameID{0, 1, 1, 2},
		Amount: []model.Money{model.NoMoney, 20 * model.Unit, -5 * model.Unit, model.NoMoney},
	}
	for src, want := range map[string]float64{
		"events(plan == 'pro')": 2, "events(plan != 'pro')": 1, "events(not (plan == 'pro'))": 2, "events(not known(plan))": 1,
		"events(role(purchase))": 1, "events(role(refund))": 1, "events(role(passive) or amount > 10)": 2, "events(event == 'purchase')": 2,
		"events(event startsWith 'p')": 3, "events(age > 8)": 2, "events(email contains '@')": 1, "count('purchase', 30, amount < 0)": 1,
		"count(purchase, amount < 0)": 0, "sum(amount, plan == 'pro')": 15, "events(amount >= need)": 1, "events(prop('odd name') == 'x')": 1,
		"active_days(plan == 'free')": 0, "days_since(purchase, plan == 'pro')": 3, "events(paying)": 1, "events(paying == false)": 1, "revenue(plan == 'pro')": 15,
	} {
		ref, _, err := Measure(src, env)
		if err != nil {
			t.Error(err)
			continue
		}
		set, err := measure.Compile([]measure.Ref{ref}, s)
		if err != nil {
			t.Error(err)
			continue
		}
		f := set.Filter()
		tl.Props = nil
		for _, key := range f.Columns {
			tl.Props = append(tl.Props, map[string]model.Column{
				"plan": {Codes: []uint32{0, 2, 2, 1}}, "age": {Codes: []uint32{1, 2, 3, 0}}, "odd name": {Codes: []uint32{0, 0, 0, 1}},
				"paying": {Codes: []uint32{1, 2, 0, 0}}, "email": {Plain: []string{"", "a@b", "x", ""}},
			}[key])
		}
		cur := set.NewCursor()
		cur.Reset(tl)
		cur.At(5, measure.State{})
		if got, ok := cur.Value(0); !ok || got != want {
			t.Errorf("%s = %v %v, want %v", src, got, ok, want)
		}
	}
}

func TestProofTellsWhatDecides(t *testing.T) {
	s := testSchema(t)
	r := mustCompile(t, "recency_days >= G and (active_today or overdue > 2) and not (plan == 'pro')", Env{Schema: s})
	p := person{"recency_days": 12.0, "active_today": false, "overdue": 2.5, "plan": "free"}
	var got []string
	for _, c := range r.Proof(personRow{p, r.Refs(), s}) {
		mark := " "
		if c.Decides {
			mark = "*"
		}
		is := "no"
		if c.Holds {
			is = "yes"
		}
		got = append(got, mark+c.Text+" "+is)
	}
	want := []string{"*recency_days >= G no", " active_today no", " overdue > 2 yes", ` plan == "pro" no`}
	if !slices.Equal(got, want) {
		t.Errorf("proof %q,\n want %q", got, want)
	}
	c := r.Proof(personRow{p, r.Refs(), s})[0]
	if by, ok := c.Short(); !ok || by != 18 {
		t.Errorf("short by %v %v, want 18 more days", by, ok)
	}
	p["recency_days"] = 40.0
	got = nil
	for _, c := range r.Proof(personRow{p, r.Refs(), s}) {
		if c.Decides {
			got = append(got, c.Text)
		}
	}
	if want := []string{"recency_days >= G", "overdue > 2", `plan == "pro"`}; !slices.Equal(got, want) {
		t.Errorf("decisive %q, want %q", got, want)
	}
}

func TestSharedSlotsAndMissingColumns(t *testing.T) {
	s := testSchema(t)
	env := Env{Schema: s, Refs: &measure.Refs{}}
	a := mustCompile(t, "recency_days > 3 and plan == 'pro'", env)
	b := mustCompile(t, "plan == 'free' or recency_days < orders_30", env)
	if !slices.Equal(a.Slots(), []int{0, 1}) || !slices.Equal(b.Slots(), []int{0, 1, 2}) || env.Refs.Len() != 3 {
		t.Errorf("slots %v and %v of %v", a.Slots(), b.Slots(), env.Refs.All())
	}
	err := b.EvalColumns(ColumnList{}, 10, measure.NewBits(10))
	if err == nil || !strings.Contains(err.Error(), "no column for") {
		t.Errorf("without columns: %v", err)
	}
	people := []person{{"recency_days": 5.0, "plan": "pro"}}
	cols := columnsOf(t, people, env.Refs.All(), s)
	if err := a.EvalColumns(cols, 2, measure.NewBits(2)); err == nil || !strings.Contains(err.Error(), "rows") {
		t.Errorf("a column too short: %v", err)
	}
	out := measure.NewBits(1)
	if err := a.EvalColumns(cols, 1, out); err != nil || !out.Get(0) {
		t.Errorf("the one row: %v %v", out.Get(0), err)
	}
}

func TestNotesOnValuesThatNobodyHas(t *testing.T) {
	env := Env{Schema: testSchema(t), Segments: func(name string) (string, bool) { return "plan in ['pro', 'teem']", name == "s" }}
	for src, want := range map[string]string{
		"plan == 'pro' and email == 'nobody@x'": "", "country != 'de'": `no event has country "de": did you mean "DE"?`, "plan < 'z'": "",
		"plan == 'xyz'": `no event has plan "xyz": there are free, pro, team`, "in_segment(s)": `no event has plan "teem": did you mean "team"?`,
		"events(plan == 'prp') > 2": `no event has plan "prp": did you mean "pro"?`,
	} {
		if got := strings.Join(mustCompile(t, src, env).Notes(), "|"); got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

func TestCrossing(t *testing.T) {
	for _, tt := range []struct {
		diff, slope float64
		want        model.Day
	}{
		{-18, 1, 118}, {0, 1, 101}, {3, 1, measure.Never}, {3, -1, 103}, {-0.5, 1. / 7, 104}, {-1e300, 1, measure.Never}, {-1, math.SmallestNonzeroFloat64, measure.Never},
	} {
		if got := crossing(100, tt.diff, tt.slope); got != tt.want {
			t.Errorf("crossing(%v, %v) = %v, want %v", tt.diff, tt.slope, int32(got), int32(tt.want))
		}
	}
}
