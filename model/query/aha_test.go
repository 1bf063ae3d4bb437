package query_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
)

// The aha search against an obvious version (own oracle): behaviour in [0, first),
// outcome strictly after, users who are not due in neither.
func TestAhaAgainstTheObviousVersion(t *testing.T) {
	mem, dict := randomData(t, 41, 200)
	e := over(t, mem, dict)
	people, info := histories(t, mem)
	asOf, err := model.ParseDay("2020-09-01")
	if err != nil {
		t.Fatal(err)
	}
	cal := model.UTC()
	buy := model.NameID(info.NameIndex("buy"))
	const first, within = 20, 40
	a := ask(t, e, "aha@2020-09-01?truncated=keep&first=20&within=40&outcome=buy&least=5&counts=1,2,4&top=1000")
	checked := 0
	for name := range info.Names {
		for _, n := range []int{1, 2, 4} {
			var four [2][2]float64 // did, outcome
			for _, tl := range people {
				start := cal.EventDay(tl, 0)
				if start > asOf || start+first+within > asOf {
					continue
				}
				times, out := 0, 0
				for i := range tl.Time {
					off := int(cal.EventDay(tl, i) - start)
					if off < first && tl.Name[i] == model.NameID(name) {
						times++
					}
					if off > first && off <= first+within && tl.Name[i] == buy {
						out = 1
					}
				}
				did := 0
				if times >= n {
					did = 1
				}
				four[did][out]++
			}
			did, not := four[1][0]+four[1][1], four[0][0]+four[0][1]
			key := "did." + strconv.Itoa(n) + "." + info.Names[name].Name
			f := a.Figure(key + ".above")
			if did < 5 || not < 5 {
				if f != nil {
					t.Errorf("%s: %v did and %v did not, and it is shown", key, did, not)
				}
				continue
			}
			checked++
			want := map[string]float64{
				".above": four[1][1] / did, ".below": four[0][1] / not, ".both": four[1][1],
				".recall": four[1][1] / (four[1][1] + four[0][1]),
				".lift":   (four[1][1] / did) / ((four[1][1] + four[0][1]) / (did + not)),
			}
			for k, w := range want {
				if g := a.Figure(key + k); g == nil || math.Abs(g.Value-w) > 1e-12 {
					t.Errorf("%s%s: %+v, want %v", key, k, g, w)
				}
			}
			if f.N != int64(did) || a.Figure(key+".below").N != int64(not) {
				t.Errorf("%s: %d did and %d did not, want %v and %v", key, f.N, a.Figure(key+".below").N, did, not)
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d behaviours were checked", checked)
	}
	said := false
	for _, w := range a.Warnings {
		said = said || strings.HasPrefix(w.Text, "Correlation, not cause")
	}
	if !said || !strings.Contains(a.Title, "correlation, not cause") {
		t.Error("the screen does not say that it is correlation and not cause")
	}
}

func TestAhaRefusals(t *testing.T) {
	for address, reason := range map[string]string{
		"aha?counts=3,2":    "rising",
		"aha?counts=0":      "whole numbers",
		"aha?counts=1,x":    "whole numbers",
		"aha?first=0":       "from 1",
		"aha?sort=strength": "not one of",
	} {
		if _, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", address, err, reason)
		}
	}
}
