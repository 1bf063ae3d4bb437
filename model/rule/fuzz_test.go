package rule

import (
	"errors"
	"testing"

	"dwell/model/measure"
)

// Any text is a rule or an error with a place, never a panic; a rule's canonical
// spelling is a rule again, and the same one.
func FuzzCompile(f *testing.F) {
	for _, src := range []string{
		`stage == "growth" and rate_ratio < 0.7 and country in ["DE", "AT"]`,
		`count("purchase", 30, plan == "pro") >= 2 or revenue_90 > 100`,
		"not known(prop('odd name')) && plan matches '^p' ? age > 3 : events(7, amount > 2 and role(refund)) == 0",
		"first_day >= '2024-02-30' or first(plan) != plan ?? 'x'", "a ?? b", "1 in [1,2]", "{}", "let x = 1; x", "plan[0:1]", "if true { false } else { true }",
		"-max(1, 2 ** 1024) < 1/0", "count(", "#", "'", "a | b()", "plan?.x", "all(1, 2)", "count(plan, {# > 1})", "nil == nil", "1..3", "\x00", "plan == \"\\u00e9\"",
	} {
		f.Add(src)
	}
	s := testSchema(f)
	env := Env{Schema: s, Population: true, SegmentNames: []string{"s"}, Segments: func(name string) (string, bool) {
		return map[string]string{"s": "plan == 'pro' or s"}[name], name == "s"
	}}
	f.Fuzz(func(t *testing.T, src string) {
		r, err := Compile(src, env)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Message == "" {
				t.Fatalf("%q: %v has no place", src, err)
			}
			return
		}
		p := person{}
		row := personRow{p, r.Refs(), s}
		r.Proof(row)
		again, err := Compile(r.Canonical(), env)
		if err != nil {
			t.Fatalf("%q: its canonical spelling %q: %v", src, r.Canonical(), err)
		}
		if again.Canonical() != r.Canonical() || again.Holds(row) != r.Holds(row) {
			t.Fatalf("%q: %q is not the same rule as %q", src, r.Canonical(), again.Canonical())
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, src := range []string{"max(7, round_even(usage))", "usage <= 14 ? 3 : 2", "1/0", "usage_interval()", "events", "'x' == 'x' ? 1 : 2", "count('x')"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		v, err := Number(src, map[string]float64{"usage": 12.5}, nil)
		if err == nil && (v != v || v-v != 0) {
			t.Fatalf("%q is %v", src, v)
		}
	})
}

// A property's value that is read as a number is a finite one.
func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"1", "-2.5", "1e3", "inf", "0x10", "1_000", "", "+", "1e999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, ok := measure.ParseNumber(s); ok && (v != v || v-v != 0) {
			t.Fatalf("%q is %v", s, v)
		}
	})
}
