package query_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/query"
)

// regulars are 40 users from two days in January 2024 on, each active every third day
// for ten weeks: 20 begin with the data, 20 four weeks later. but may change or
// leave out (by "") the row of a user's day.
func regulars(but func(user int, day time.Time) string) (rows []string) {
	for u := range 40 {
		start := time.Date(2024, 1, 1+u%3+28*(u/20), 20, 0, 0, 0, time.UTC)
		for day := start; day.Before(time.Date(2024, 3, 11, 0, 0, 0, 0, time.UTC)); day = day.AddDate(0, 0, 3) {
			name := "open"
			if but != nil {
				name = but(u, day)
			}
			if name != "" {
				rows = append(rows, fmt.Sprintf("u%02d|%s|%s|%s", u, day.Format("2006-01-02 15:04"), name, []string{"free", "pro"}[u%2]))
			}
		}
	}
	return rows
}

// warning is the text of an answer's warning, "" if it has none of the code.
func warning(a *query.Answer, code string) string {
	for _, w := range a.Warnings {
		if w.Code == code {
			return w.Text
		}
	}
	return ""
}

// warned fails unless the answer has the warning with all of the words, or, without
// words, has it not.
func warned(t *testing.T, e *query.Engine, address, code string, words ...string) {
	t.Helper()
	a := ask(t, e, address)
	got := warning(a, code)
	if len(words) == 0 && got != "" {
		t.Errorf("%s warns of %s: %s", address, code, got)
	}
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("%s, %s: %q does not say %q; all: %+v", address, code, got, w, a.Warnings)
		}
	}
}

// The definition lint of SPEC 6.14, each with data that call for it and data that
// do not.
func TestDefinitionLint(t *testing.T) {
	e := events(t, regulars(nil)...)
	early := "retention@2024-02-05?unit=week"

	t.Run("denominators differ", func(t *testing.T) {
		warned(t, e, early, "denominators", "week 0 is of 40", "of the 20")
		warned(t, e, "retention?unit=week&intervals=1", "denominators")
	})
	t.Run("cohort partly open", func(t *testing.T) {
		warned(t, e, "retention@2024-02-05?unit=week&window=24h&cohort=month", "open-cells", "whose time has come", "still open")
		warned(t, e, "retention@2024-02-05?unit=week&intervals=1&eligible=all", "open-cells")
	})
	t.Run("few users", func(t *testing.T) {
		warned(t, e, early, "small-n", "fewer than 30 users")
		warned(t, e, "stages", "small-n")
	})
	t.Run("G below the usage interval", func(t *testing.T) {
		warned(t, e, "retention", "short-gap")
		own := events(t, regulars(nil)...)
		if err := own.ConfirmModel(context.Background(), map[string]float64{"G": 2}, ""); err != nil {
			t.Fatal(err)
		}
		warned(t, own, "retention", "short-gap", "G is 2 days", "usage interval of 3")
		warned(t, own, "survival", "gap-short", "2 days is shorter")
	})
	t.Run("segment knows the future", func(t *testing.T) {
		rule := escape("active_days > 3")
		warned(t, e, "retention?where="+rule, "knows-future")
		warned(t, e, "retention?judge=landmark&landmark=2024-03-01&where="+rule, "knows-future", "before 2024-03-01", "after their start")
		warned(t, e, "retention?of=stages&key=stage.growth", "knows-future")
		warned(t, e, "retention?of=funnel%3Fstep%3Dany%26step%3Dopen&key=step.2", "knows-future", "chosen by what they did")
	})
	t.Run("a rule that holds for nobody on the day of the start", func(t *testing.T) {
		later, never, always := escape("active_days >= 5"), escape("active_days >= 500"), escape("active_days >= 1")
		for _, q := range []string{"retention", "funnel", "activation"} {
			warned(t, e, q+"?where="+later, "judged-at-start", "Nobody met active_days >= 5 on the day of their start", "40 users meet it on 2024-03-", "judge=landmark")
			warned(t, e, q+"?where="+never, "judged-at-start")
			warned(t, e, q+"?where="+always, "judged-at-start")
			warned(t, e, q+"?judge=landmark&landmark=2024-03-01&where="+later, "judged-at-start")
		}
		warned(t, e, "retention?where="+always+"&where="+later, "judged-at-start", "Nobody met active_days >= 5")
		warned(t, e, "stages?where="+later, "judged-at-start")
		// Survival takes no rule of what somebody did; a property that came later it does.
		rows := regulars(nil)
		for i, row := range rows {
			head, _, _ := strings.Cut(strings.ReplaceAll(row, "|open|", "|open/"), "/")
			rows[i] = head + "|" + map[bool]string{true: "pro", false: "free"}[strings.Contains(row, "|2024-03")]
		}
		bought := events(t, rows...)
		warned(t, bought, "survival?where="+escape(`plan == "pro"`), "judged-at-start", "40 users meet it", "or age=DAYS")
		warned(t, bought, "survival?age=7&where="+escape(`plan == "pro"`), "judged-at-start")
		warned(t, bought, "retention?where="+escape(`plan == "free"`), "judged-at-start")
	})
	t.Run("first cohorts truncated", func(t *testing.T) {
		warned(t, e, "retention", "truncated") // starts = "complete"
		mem, dict := randomData(t, 3, 60)
		partial := over(t, mem, dict)
		for _, address := range []string{"retention", "survival", "revenue", "lifecycle"} {
			warned(t, partial, address, "truncated", "may have")
			warned(t, partial, address+"?truncated=keep", "truncated")
		}
	})
	t.Run("the event list changed", func(t *testing.T) {
		march := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
		grown := events(t, regulars(func(u int, day time.Time) string {
			switch {
			case day.Before(march):
				return "open"
			case u%2 == 0:
				return "swipe" // a new kind of event
			}
			return "tap"
		})...)
		warned(t, grown, "retention", "event-list", "open ends on 2024-02-29", "swipe begins on 2024-03-0", "tap begins on 2024-03-0", "% of the events")
		warned(t, grown, "lifecycle", "event-list", "swipe begins")
		warned(t, grown, "stickiness", "event-list", "swipe begins")
		warned(t, grown, "retention?return=open", "event-list", "open ends on")
		warned(t, grown, "funnel?step=open&step=tap", "event-list", "tap begins")
		if got := warning(ask(t, grown, "retention?return=open"), "event-list"); strings.Contains(got, "swipe") {
			t.Errorf("retention to open does not look at swipe: %s", got)
		}
		warned(t, grown, "retention@2024-02-27", "event-list") // nothing of it was known then
		warned(t, grown, "stages", "event-list")
		warned(t, e, "retention", "event-list")
		rare := events(t, append(regulars(nil), "u00|2024-02-01 10:00|refund|", "u01|2024-02-02 10:00|refund|")...)
		warned(t, rare, "retention", "event-list") // two of four hundred may well come late
	})
	t.Run("a day with no data, over several loads", func(t *testing.T) {
		whole := regulars(nil)
		hole := func(rows []string, days ...string) (out []string) {
			for _, r := range rows {
				if !slices.ContainsFunc(days, func(d string) bool { return strings.Contains(r, "|"+d) }) {
					out = append(out, r)
				}
			}
			return out
		}
		warned(t, events(t, hole(whole, "2024-02-10")...), "retention", "empty-day", "no event at all on 2024-02-10")
		half := hole(whole, "2024-02-10", "2024-02-12")
		late := "u00|2024-02-10 10:00|open|free"
		warned(t, loads(t, half, []string{late}), "retention", "empty-day", "no event at all on 2024-02-12")
		warned(t, loads(t, half, []string{late, strings.Replace(late, "02-10", "02-12", 1)}), "lifecycle", "empty-day")
		warned(t, loads(t, half, nil), "lifecycle", "empty-day", "2 days, the first 2024-02-10")
		warned(t, loads(t, half, nil), "lifecycle@2024-02-11", "empty-day", "no event at all on 2024-02-10")
		warned(t, loads(t, half, nil), "lifecycle@2024-02-09", "empty-day")
		warned(t, loads(t, half, nil), "lifecycle@2023-02-09", "empty-day")
	})
	t.Run("a partial last day", func(t *testing.T) {
		cut := events(t, append(regulars(nil), "u00|2024-03-11 09:30|open|free")...)
		warned(t, cut, "retention", "partial-day", "2024-03-11, ends at 10:00 UTC", "@2024-03-10")
		warned(t, cut, "retention@2024-03-10", "partial-day")
		warned(t, e, "retention", "partial-day")                     // it ends at 20:00
		warned(t, cut, "retention?zone=Asia%2FTokyo", "partial-day") // where it is evening
	})
}

// loads is an engine over two loads of rows.
func loads(t *testing.T, parts ...[]string) *query.Engine {
	t.Helper()
	mem := model.NewMemory()
	for n, rows := range parts {
		if len(rows) == 0 {
			continue
		}
		load(t, mem, fmt.Sprintf("part%d.csv", n), rows)
	}
	d := model.NewDictionary()
	d.Starts = "complete"
	return over(t, mem, d)
}

// Where everybody was first seen in the first G days the rule for the left truncated
// would leave nobody: it is off, in every analysis, and each says so.
func TestNobodyIsLeftOutWhereAllCameEarly(t *testing.T) {
	asked := map[string]string{ // the figure of all users the analysis takes in
		"retention?unit=week": "users", "survival": "users", "cox?age=3&on=active_days": "users", "loyalty?within=20": "users",
		"transitions": "new", "dwell": "stays.acquisition", "lifecycle": "week.2024-01-01.new", "activation": "started", "aha?within=14": "base",
	}
	early := slices.DeleteFunc(regulars(nil), func(row string) bool { return row >= "u20" })
	mem := model.NewMemory()
	load(t, mem, "rows.csv", early)
	e := over(t, mem, model.NewDictionary())
	for address, key := range asked {
		a := ask(t, e, address)
		f := a.Figure(key)
		if f == nil || f.N != 20 {
			t.Errorf("%s of 20 users, all early: %s is %+v", address, key, f)
		}
		if got := warning(a, "truncated"); !strings.Contains(got, "nobody is left out") && !strings.Contains(got, "none can be left out") {
			t.Errorf("%s does not say that the rule is off: %q", address, got)
		}
	}
	// One later user, and the rule is on.
	load(t, mem, "later.csv", []string{"v|2024-02-02 08:00|open|free", "v|2024-02-05 08:00|open|free"})
	if err := e.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"survival", "dwell", "lifecycle", "loyalty?within=20"} {
		key := asked[address]
		if f := ask(t, e, address).Figure(key); f == nil || f.N > 1 {
			t.Errorf("%s with one later user: %s is %+v", address, key, f)
		}
	}
	if f := ask(t, e, "survival@2024-02-01").Figure("users"); f == nil || f.N != 20 {
		t.Errorf("the day before the later user came survival has %+v", f)
	}
}
