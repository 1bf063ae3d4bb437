package stage

import (
	"strings"
	"testing"

	"dwell/model/measure"
)

// What a rule wants not to hold is missing as "not …", never as the thing itself;
// a number is never written as a power of ten.
func TestMissingUnderNot(t *testing.T) {
	p := &Prover{m: &Machine{model: &Model{Stages: []Stage{{Name: "hot"}, {Name: "top"}}}}}
	for _, c := range []struct {
		clause Clause
		want   string
	}{
		{Clause{Text: `Country == "France"`, Not: true}, `not Country == "France"`},
		{Clause{Text: "spell_active_days >= 4", Not: true, Measure: "spell_active_days", Unit: "days", Op: ">=", Known: true, Value: 6, Bound: 4}, "not spell_active_days >= 4, as 6 is"},
		{Clause{Text: "spell_active_days >= 4", Measure: "spell_active_days", Unit: "days", Op: ">=", Known: true, Value: 3, Bound: 4}, "1 more active day"},
		{Clause{Text: "revenue() >= 24000", Measure: "revenue()", Op: ">=", Known: true, Value: 23999.96, Bound: 24000}, "revenue() >= 24000 instead of 23999.96"},
		{Clause{Text: "drop_p < 0.05", Measure: "drop_p", Op: "<", Known: true, Value: 0.07125, Bound: 0.05}, "drop_p < 0.05 instead of 0.07125"},
	} {
		got := p.missing(&Near{Stage: 1, Missing: []Clause{c.clause}}, measure.State{})
		if got = strings.TrimPrefix(got, "missing for top: "); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
