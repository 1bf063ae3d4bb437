package rule

import (
	"testing"

	"dwell/model"
	"dwell/model/measure"
)

func testSchema(t testing.TB) *measure.Schema {
	t.Helper()
	in := &model.Info{
		Amounts: true,
		Names:   []model.NameInfo{{Name: "open"}, {Name: "purchase"}, {Name: "push sent"}},
		Keys: []model.KeyInfo{
			{Name: "plan", Values: []string{"", "free", "pro", "team"}},
			{Name: "age", Values: []string{"", "31", "7", "44.5"}},
			{Name: "country", Values: []string{"", "DE", "AT", "CN"}},
			{Name: "odd name", Values: []string{"", "x"}},
			{Name: "events", Values: []string{"", "1", "a"}},
			{Name: "paying", Values: []string{"", "true", "false"}},
			{Name: "email", Plain: true},
		},
	}
	d := model.NewDictionary()
	d.Events = map[string]string{"purchase": "purchase", "push sent": "passive"}
	s, err := measure.NewSchema(in, d)
	if err != nil {
		t.Fatal(err)
	}
	return s.WithModel(map[string]float64{"beat": 7, "G": 30, "need": 3, "usage": 5}, []string{"acquisition", "exploration", "growth", "maturity", "churned"})
}

// mustCompile compiles a rule that must be right.
func mustCompile(t testing.TB, src string, env Env) *Rule {
	t.Helper()
	r, err := Compile(src, env)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return r
}

func TestErrorsNameThePlaceAndTheNearestName(t *testing.T) {
	env := Env{Schema: testSchema(t), SegmentNames: []string{"trial users"}, Segments: func(name string) (string, bool) {
		src, ok := map[string]string{"trial users": "plan == 'free'", "a": "b", "b": "a and true", "bad": "plnn == 1"}[name]
		return src, ok
	}}
	for _, tt := range []struct{ src, want string }{
		{"recncy_days > 3", "there is no measure, property or segment recncy_days: did you mean recency_days? (line 1, column 1)"},
		{"true and\n plna == 'pro'", "there is no measure, property or segment plna: did you mean plan? (line 2, column 2)"},
		{"plan == pro", `nothing is called pro; a text stands in quotes: plan == "pro" (line 1, column 9)`},
		{"growth != stage", `nothing is called growth; a text stands in quotes: "growth" != stage (line 1, column 1)`},
		{"count('open', 30, plan == pro) > 1", `nothing is called pro; a text stands in quotes: plan == "pro" (line 1, column 27)`},
		{"events > pro", "there is no measure, property or segment pro"},
		{"stage == 'growht'", `no stage is called "growht": did you mean "growth"? (line 1, column 7)`},
		{"stage in ['growth', 'matur']", `no stage is called "matur": did you mean "maturity"? (line 1, column 21)`},
		{"count('purchse') > 1", `no event is called "purchse": did you mean "purchase"? (line 1, column 7)`},
		{"count(purchse) > 1", "purchse is no meaning of events: did you mean purchase? (line 1, column 7)"},
		{"count('refund') > 1", `no event is called "refund"; for events with that meaning write count(refund), without quotes (line 1, column 7)`},
		{"count('open', 0) > 1", "a window is a whole number of days from 1 to 36525, not 0 (line 1, column 15)"},
		{"count('open', 30, recency_days > 3) > 1", "recency_days is about a user; a condition on events sees the event's own properties, amount, event and role(…) (line 1, column 19)"},
		{"count", "count needs arguments: count(event, [days], [where]) (line 1, column 1)"},
		{"count() > 1", `count needs an event: count("name") or count(purchase) (line 1, column 1)`},
		{"plan > 3", `plan cannot be read as a number: it holds texts such as "free" (line 1, column 1)`},
		{"recency_days == 'x'", `recency_days is a number and "x" is a text: they cannot be compared (line 1, column 14)`},
		{"recency_days", "recency_days is a number, where a condition is needed: compare it with something (line 1, column 1)"},
		{"first_day > '2011-13-01'", `"2011-13-01" is not a day: write it YYYY-MM-DD, as 2011-12-09 (line 1, column 13)`},
		{"value_pct > 90", "value_pct ranks a user among all: a stage rule may use a user's own measures only, or one user's new events would move another's past (line 1, column 1)"},
		{"in_segment('trail users')", `no segment is called "trail users": did you mean "trial users"? (line 1, column 1)`},
		{"a", `the segment "b" cannot be used: segments name each other in a circle: a → b → a (line 1, column 1)`},
		{"bad", `the segment "bad" cannot be used: there is no measure, property or segment plnn: did you mean plan? (line 1, column 1) (line 1, column 1)`},
		{"", "the rule is empty: write a condition such as recency_days < 30 (line 1, column 1)"},
		{"plan = 'pro'", "= compares nothing: write == to compare (line 1, column 6)"},
		{`events > 5 plan == "pro"`, "plan does not fit here: join two conditions with and or or, and mind the brackets (line 1, column 12)"},
		{"events >> 5", "> does not fit here (line 1, column 9)"},
		{`plan == "pro`, "a text has no closing quote (line 1, column 13)"},
		{"plan ==", "the rule ends too early: something is missing here (line 1, column 7)"},
		{"plan == ''", `a missing text is not "": write known(…) or not known(…) (line 1, column 6)`},
		{"plan matches '('", "this is no regular expression: error parsing regexp: missing closing ): `(` (line 1, column 14)"},
		{"a.b > 1", `a name has no parts here: write prop("a.b") for a property whose name holds a dot (line 1, column 3)`},
		{"len(plan) > 1", "there is no measure or function len"},
		{"events(event == 'purchse') > 1", `no event is called "purchse": did you mean "purchase"? (line 1, column 14)`},
		{"active_days(28, 3) > 1", "3 is a number, where a condition is needed"},
		{"recency_days(3) > 1", "recency_days takes no arguments"},
	} {
		_, err := Compile(tt.src, env)
		if err == nil {
			t.Errorf("%q compiled", tt.src)
			continue
		}
		if got := err.Error(); got != tt.want && !(len(got) > len(tt.want) && got[:len(tt.want)] == tt.want) {
			t.Errorf("%q:\n got %s\nwant %s", tt.src, got, tt.want)
		}
	}
}

func TestNumber(t *testing.T) {
	names := map[string]float64{"usage": 12.5, "beat": 12}
	calls := map[string]func() (float64, error){"usage_interval": func() (float64, error) { return 45, nil }}
	for src, want := range map[string]float64{
		"max(7, round_even(usage))": 12, "usage <= 14 ? 3 : 2": 3, "max(28, 2*beat)": 28, "max(56, 4*beat)": 56,
		"usage_interval()": 45, "-beat + 2**3": -4, "min(1, 2) + abs(-3) + floor(1.5) + ceil(1.5)": 7, "usage in [12.5] ? 1 : 0": 1,
	} {
		got, err := Number(src, names, calls)
		if err != nil || got != want {
			t.Errorf("%s = %v, %v; want %v", src, got, err, want)
		}
	}
	for _, src := range []string{"1/0", "beet", "usage_intervall()", "events > 1 ? 1 : 2", "'x'", "max()", "usage +"} {
		if v, err := Number(src, names, calls); err == nil {
			t.Errorf("%s = %v, want an error", src, v)
		} else {
			t.Log(err)
		}
	}
	n, k, err := NumberNames("max(7, round_even(usage)) + usage_interval() * beat")
	if err != nil || len(n) != 2 || n[0] != "usage" || len(k) != 1 || k[0] != "usage_interval" {
		t.Errorf("names %v, calls %v, %v", n, k, err)
	}
}
