package query_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dwell/model/query"
)

// settings are values of an option, each with what it needs beside it to mean
// anything ("" or KEY=VALUE), that make a question another than the default one on
// the data of the matrix.
func settings(analysis string, k query.KeySpec) (values []string, needs string) {
	steps := "step=open&step=buy&step=open"
	if x, ok := map[string]struct {
		values []string
		needs  string
	}{
		"of": {[]string{"events"}, "key=event.buy.users"}, "key": {[]string{"event.share.users"}, "of=events"},
		"where": {[]string{`country == "DE"`}, ""}, "segment": {[]string{"pros"}, ""}, "zone": {[]string{"America/St_Johns"}, ""},
		"judge": {[]string{"landmark"}, "landmark=2020-05-05&where=recency_days < 9"}, "landmark": {[]string{"2020-05-05"}, map[bool]string{false: "judge=landmark&where=recency_days < 9"}[analysis == "survival"]},
		"start": {[]string{"buy", `open where plan == "pro"`}, ""}, "return": {[]string{"buy"}, ""}, "kind": {[]string{"first-matching", "recurring"}, `start=open where plan == "pro"`},
		"mode": {[]string{"on-or-after", "streak"}, ""}, "brackets": {[]string{"1-3,4-7"}, "mode=bracket"}, "within": {[]string{"60"}, "mode=on-or-after"},
		"returns": {[]string{"2"}, ""}, "round": {[]string{"hour"}, "window=24h"}, "intervals": {[]string{"3"}, ""}, "cohort": {[]string{"week", "month", "quarter"}[map[bool]int{true: 0, false: 1}[analysis == "survival"]:], map[bool]string{true: "by=cohort"}[analysis == "survival"]},
		"unit": {[]string{"week", "month", "quarter"}, ""}, "every": {[]string{"9"}, map[bool]string{false: "unit=custom"}[analysis == "survival"]},
		"step": {[]string{"buy"}, "step=open&step=share"}, "exclude": {[]string{"complain"}, steps}, "between": {[]string{"1-2"}, steps + "&exclude=complain"}, "exclusion": {[]string{"remove"}, steps + "&exclude=complain"},
		"order": {[]string{"any", "exact"}, steps}, "try": {[]string{"best"}, steps}, "grace": {[]string{"2w"}, steps}, "hold": {[]string{"plan"}, steps}, "count": {[]string{"holds"}, steps + "&hold=plan"},
		"breakdown": {[]string{"plan"}, steps}, "attribution": {[]string{"last", "all", "step-2"}, steps + "&breakdown=plan"}, "top": {[]string{"1"}, map[bool]string{true: "by=plan", false: steps + "&breakdown=plan"}[analysis == "survival"]},
		"from": {[]string{"2020-03-01"}, steps}, "to": {[]string{"2020-09-01"}, steps},
		"by": {[]string{"plan", "cohort"}, ""}, "signup": {[]string{"plan"}, ""}, "until": {[]string{"90"}, ""}, "gap": {[]string{"11"}, ""}, "age": {[]string{"20"}, ""},
		"forecast": {[]string{"30"}, ""}, "fit": {[]string{"exponential", "lognormal"}, "forecast=30"}, "spell": {[]string{"2"}, ""},
	}[k.Name]; ok {
		for _, v := range x.values {
			allowed := len(k.Values) == 0 || slices.Contains(k.Values, v)
			if allowed && v != k.Default && !(strings.Contains(v, " where ") && analysis == "survival") {
				values = append(values, v)
			}
		}
		return values, x.needs
	}
	if analysis == "funnel" && k.Name == "window" {
		return []string{"30d", "none"}, steps
	}
	for _, v := range k.Values {
		if v != k.Default {
			values = append(values, v)
		}
	}
	if analysis == "funnel" {
		needs = steps
	}
	return values, needs
}

// idle are options that change nothing beside another one, by right.
var idle = []struct{ analysis, one, other, why string }{
	{"retention", "cohort=month", "unit=month", "cohort=auto is the unit"},
	{"retention", "cohort=quarter", "unit=quarter", "cohort=auto is the unit"},
	{"retention", "intervals=3", "unit=quarter", "the data have no more quarters"},
	{"lifecycle", "new=any", "activity=any", "the first event of any kind is then the first active one"},
	{"lifecycle", "pending=dormant", "unit=day", "the as-of day has ended: no day is open"},
	{"survival", "fit=", "", "the family may be the one that fits best"},
}

func isIdle(analysis, one, other string) bool {
	for _, x := range idle {
		if x.analysis == analysis && strings.HasPrefix(one, x.one) && strings.HasPrefix(other, x.other) {
			return true
		}
	}
	return false
}

// TestNoOptionIsIgnored is the option matrix (SPEC C19): every option, alone and
// beside every other, makes another answer or is refused with a reason. An option
// that is taken and changes nothing would leave its reader with a wrong belief.
func TestNoOptionIsIgnored(t *testing.T) {
	mem, dict := randomData(t, 77, 24)
	e := over(t, mem, dict)
	ctx := context.Background()
	if err := e.PutSegment(ctx, query.Segment{Name: "pros", Rule: `plan == "pro"`}); err != nil {
		t.Fatal(err)
	}
	// answer is all that a reader sees but the address; refused is why there is none.
	answer := func(address string) (body, refused string) {
		q, err := query.Parse(address)
		if err != nil {
			return "", err.Error()
		}
		a, err := e.Answer(ctx, q, nil)
		if err != nil {
			return "", err.Error()
		}
		c := *a
		c.Query, c.Address = query.Query{}, ""
		out, err := json.Marshal([]any{c.Title, c.Definition, c.AsOf, c.Zone, c.Figures, c.Blocks, c.Warnings})
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(out), strings.TrimPrefix(address, "?"), ""), ""
	}
	for _, name := range []string{"retention", "lifecycle", "funnel", "survival", "stickiness"} {
		t.Run(name, func(t *testing.T) {
			var spec query.Spec
			for _, s := range query.Specs() {
				if s.Name == name {
					spec = s
				}
			}
			// An option with what it needs; the question is asked with both, with what is
			// needed alone, and the same beside every other option.
			type option struct {
				key, value string
				needs      []string
			}
			var opts []option
			bodies := map[string][2]string{}
			asked := func(params []string) (body, refused string) {
				var parts []string
				seen := map[string]bool{}
				for _, p := range params {
					if key, value, _ := strings.Cut(p, "="); !seen[p] || key == "step" {
						seen[p] = true
						parts = append(parts, key+"="+escape(value))
					}
				}
				address := name + "?" + strings.Join(parts, "&")
				if x, ok := bodies[address]; ok {
					return x[0], x[1]
				}
				body, refused = answer(strings.TrimSuffix(address, "?"))
				bodies[address] = [2]string{body, refused}
				return body, refused
			}
			for _, k := range spec.Keys {
				values, needs := settings(name, k)
				if len(values) == 0 {
					t.Errorf("no value of %s= is tried", k.Name)
				}
				for _, v := range values {
					o := option{key: k.Name, value: v}
					if needs != "" {
						o.needs = strings.Split(needs, "&")
					}
					opts = append(opts, o)
					param := o.key + "=" + o.value
					body, refused := asked(append(slices.Clone(o.needs), param))
					without, _ := asked(o.needs)
					switch {
					case refused != "":
						t.Errorf("%s with %q: refused, though it has what it needs: %s", param, needs, refused)
					case body == without:
						t.Errorf("%s with %q answers as without it", param, needs)
					}
				}
			}
			pairs, refusals := 0, 0
			for i, a := range opts {
				for k, b := range opts[i+1:] {
					if a.key == b.key && a.key != "step" || (i+k)%few(5, 1) != 0 {
						continue
					}
					one, two := a.key+"="+a.value, b.key+"="+b.value
					// Of a key that one needs and the other is, the other's value holds.
					var shared []string
					for _, p := range append(slices.Clone(a.needs), b.needs...) {
						key, _, _ := strings.Cut(p, "=")
						if key == a.key && key != "step" || key == b.key && key != "step" || key == "step" && slices.Contains(a.needs, p) && len(shared) >= len(a.needs) {
							continue
						}
						shared = append(shared, p)
					}
					body, refused := asked(append(slices.Clone(shared), one, two))
					pairs++
					if refused != "" {
						refusals++
						if len(refused) < 15 || strings.Contains(refused, "fault of the program") {
							t.Errorf("%s and %s: refused with %q", one, two, refused)
						}
						continue
					}
					for _, x := range [][2]string{{one, two}, {two, one}} {
						if without, why := asked(append(slices.Clone(shared), x[1])); why == "" && body == without && !isIdle(name, x[0], x[1]) {
							t.Errorf("%s beside %s changes nothing (with %q)", x[0], x[1], shared)
						}
					}
				}
			}
			t.Logf("%s: %d options, %d pairs, %d refused with a reason", name, len(opts), pairs, refusals)
		})
	}
}
