package rule

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/measure"
)

// lifeSchema is a data set with contracts, for rules over real timelines.
func lifeSchema(t interface{ Fatal(...any) }) *measure.Schema {
	in := &model.Info{
		Amounts: true,
		Names:   []model.NameInfo{{Name: "open"}, {Name: "purchase"}, {Name: "push"}, {Name: "cancel"}},
		Keys: []model.KeyInfo{
			{Name: "plan", Values: []string{"", "free", "pro"}},
			{Name: "score", Values: []string{"", "3", "14", "0.5"}},
			{Name: "paid_until", Values: []string{"", "2024-03-20", "2024-05-02", "2024-03-12"}},
		},
	}
	d := model.NewDictionary()
	d.Zone = "America/New_York"
	d.Events = map[string]string{"purchase": "purchase", "push": "passive", "cancel": "cancel"}
	d.Columns.PaidUntil = "paid_until"
	s, err := measure.NewSchema(in, d)
	if err != nil {
		t.Fatal(err)
	}
	return s.WithModel(map[string]float64{"beat": 5, "G": 30, "need": 3}, []string{"a", "b", "churned"})
}

func drawLife(t *rapid.T) *model.Timeline {
	tl := &model.Timeline{ID: "u", Props: make([]model.Column, 3)}
	at := int64(model.DayOf(2024, 2, 20)) * 86_400_000
	for range rapid.IntRange(1, 60).Draw(t, "events") {
		at += rapid.OneOf(rapid.Int64Range(0, 3*86_400_000), rapid.Int64Range(0, 30*86_400_000)).Draw(t, "gap")
		tl.Time = append(tl.Time, at)
		tl.Name = append(tl.Name, model.NameID(rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3}).Draw(t, "name")))
		tl.Amount = append(tl.Amount, model.Money(rapid.Int64Range(-5, 50).Draw(t, "amount"))*model.Unit)
		tl.Props[0].Codes = append(tl.Props[0].Codes, uint32(rapid.IntRange(0, 2).Draw(t, "plan")))
		tl.Props[1].Codes = append(tl.Props[1].Codes, uint32(rapid.IntRange(0, 3).Draw(t, "score")))
		tl.Props[2].Codes = append(tl.Props[2].Codes, uint32(max(0, rapid.IntRange(-6, 3).Draw(t, "paid"))))
	}
	return tl
}

func drawCondition(t *rapid.T, depth int) string {
	if depth > 0 && rapid.IntRange(0, 2).Draw(t, "join") > 0 {
		a, b := drawCondition(t, depth-1), drawCondition(t, depth-1)
		return fmt.Sprintf(rapid.SampledFrom([]string{"(%s and %s)", "(%s or %s)", "(not (%s) or %s)", "(%[1]s ? %[2]s : not (%[1]s))", "((%s) == (%s))"}).Draw(t, "op"), a, b)
	}
	num := rapid.SampledFrom([]string{"recency_days", "tenure_days", "active_days(14)", "beats_active_4", "base_active", "recent_active", "rate_ratio",
		"drop_p", "overdue", "dwell_days", "max_dwell", "days_since('purchase')", "count('open', 30)", "revenue_30", "active_share(20)", "active_share",
		"sessions_7", "spell_active_days", "sum(amount, 9, plan == 'pro')", "distinct(plan, 12)", "aov_20", "gap_median_days",
		"(recency_days - 2 * dwell_days)", "(tenure_days / 3)", "(recency_days * overdue)", "max(recency_days, dwell_days)", "(overdue ?? 2)",
		"(tenure_days > 40 ? recency_days : dwell_days)", "-recency_days", "(100 / (recency_days - 3))", "(score * recency_days)"})
	bare := []string{"active_today", "cancelled_today", "contract_open", "plan == 'pro'", "known(rate_ratio)", "known(100 / (recency_days - 3))",
		"recency_days in [3, 9, 30]", "overdue in [1, 2.5]", "first(plan) == plan", "stage == 'b'",
		"(contract_open ? plan : first(plan)) == 'pro'", "known(active_today ? plan : first(plan))", "(plan ?? 'x') contains 'p'", "true", "score > 3", "known(plan)"}
	if rapid.IntRange(0, 3).Draw(t, "bare") == 0 {
		return rapid.SampledFrom(bare).Draw(t, "condition")
	}
	op := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "op")
	right := rapid.SampledFrom([]string{"0", "1", "2", "3", "14", "30", "G", "G/2", "0.7", "0.05", "max_dwell"}).Draw(t, "right")
	if rapid.IntRange(0, 5).Draw(t, "both") == 0 {
		right = num.Draw(t, "right")
	}
	return "(" + num.Draw(t, "left") + " " + op + " " + right + ")"
}

// Visiting event days and the days that Next names must see every change that
// visiting every day sees.
func TestNextMissesNoChange(t *testing.T) {
	s := lifeSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		env := Env{Schema: s, Refs: &measure.Refs{}}
		var rules []*Rule
		for range 6 {
			rules = append(rules, mustRule(t, drawCondition(t, 2), env))
		}
		rules = append(rules, mustRule(t, "(recency_days >= G or cancelled_today) and not contract_open", env),
			mustRule(t, "base_active >= 14 and rate_ratio < 0.7 and drop_p < 0.05", env),
			mustRule(t, "stage != 'churned' and recency_days >= G/2", env), mustRule(t, "dwell_days > max_dwell", env))
		set, err := measure.Compile(env.Refs.All(), s)
		if err != nil {
			t.Fatal(err)
		}
		tl := drawLife(t)
		first := s.Cal.EventDay(tl, 0)
		st := measure.State{Stage: 1, Since: first, SpellFrom: first, MaxDwell: rapid.SampledFrom([]int{0, 20}).Draw(t, "max")}
		f := model.Filter{Columns: []string{"plan", "score", "paid_until"}, Amounts: true}
		every, err := set.NewCursorFor(f)
		if err != nil {
			t.Fatal(err)
		}
		jump, err := set.NewCursorFor(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			every.Reset(tl)
			jump.Reset(tl)
			next, said := first, false
			for day := first; day < first+300; day++ {
				every.At(day, st)
				if day == min(next, jump.NextEvent()) {
					jump.At(day, st)
					said = r.Holds(jump)
					if next = r.Next(jump); next <= day {
						t.Fatalf("%s: on %s the next day is %s", r, day, next)
					}
				}
				if is := r.Holds(every); is != said {
					t.Fatalf("%s is %v on %s, said on %s to stay so until %s", r, is, day, jump.Day(), next)
				}
			}
		}
	})
}

func mustRule(t interface{ Fatal(...any) }, src string, env Env) *Rule {
	r, err := Compile(src, env)
	if err != nil {
		t.Fatal(src, err)
	}
	return r
}

// Silence alone must not cost a visit a day.
func TestNextSkipsQuietDays(t *testing.T) {
	s := lifeSchema(t)
	env := Env{Schema: s}
	r := mustCompile(t, "(recency_days >= G or cancelled_today) and not contract_open", env)
	set, err := measure.Compile(r.Refs(), s)
	if err != nil {
		t.Fatal(err)
	}
	cur := set.NewCursor()
	day := model.DayOf(2024, 2, 20)
	cur.Reset(&model.Timeline{ID: "u", Time: []int64{int64(day)*86_400_000 + 43_200_000}, Name: []model.NameID{0},
		Amount: []model.Money{model.NoMoney}, Props: []model.Column{{Codes: []uint32{0}}}})
	cur.At(day, measure.State{})
	if got := r.Next(cur); got != day+30 {
		t.Errorf("after the only event the rule asks for %s, want %s", got, day+30)
	}
	cur.At(day+30, measure.State{})
	if got := r.Next(cur); !r.Holds(cur) || got != day+31 && got != measure.Never {
		t.Errorf("at G the rule holds %v and asks for %s", r.Holds(cur), got)
	}
	cur.At(day+31, measure.State{})
	if got := r.Next(cur); got != measure.Never {
		t.Errorf("past G the rule asks for %s", got)
	}
}
