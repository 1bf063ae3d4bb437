package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model/query"
	"dwell/sample/reference"
)

// The documented rules of SPEC 2 for funnels, each by people who part it from ours.
func TestFunnelPresets(t *testing.T) {
	e := events(t,
		// Longest path from the second entry; the first one's window has no c.
		"late|2024-03-01 13:00|a|", "late|2024-03-01 13:30|a|", "late|2024-03-01 13:45|b|", "late|2024-03-01 14:15|c|",
		// A plain conversion.
		"same|2024-03-01 10:00|a|", "same|2024-03-01 10:10|b|", "same|2024-03-01 10:20|c|",
		// An excluded event between b and c.
		"out|2024-03-01 10:00|a|", "out|2024-03-01 10:10|b|", "out|2024-03-01 10:15|x|", "out|2024-03-01 10:20|c|",
		// An excluded event between a and b.
		"early|2024-03-01 10:00|a|", "early|2024-03-01 10:05|x|", "early|2024-03-01 10:10|b|", "early|2024-03-01 10:20|c|",
		// Entered half an hour before the end: open.
		"open|2024-03-01 23:40|a|", "none|2024-03-01 10:00|y|",
	)
	at := "funnel?step=a&step=b&step=c&window=1h"
	for _, c := range []struct {
		extra, key string
		want       float64
		n          int64
	}{
		{"", "step.1", 5, 5},
		{"", "step.3.overall", 0.75, 4}, // open is in neither side; late's first try fails
		{"&preset=amplitude", "step.3.overall", 0.8, 5},
		{"&preset=mixpanel", "step.3.overall", 0.6, 5},
		{"&preset=posthog", "step.3.overall", 0.8, 5},
		{"&exclude=x", "step.2.overall", 0.75, 4},
		{"&exclude=x", "step.3.overall", 0.25, 4},
		{"&exclude=x&preset=mixpanel", "step.2.overall", 0.6, 5},
		{"&exclude=x&preset=mixpanel", "step.3.overall", 0.2, 5},
		{"&exclude=x&preset=posthog", "step.3.overall", 2.0 / 3, 3}, // out and early are not in the funnel at all
		{"&exclude=x&preset=posthog", "removed", 2, 2},
		{"&exclude=x&between=2-3", "step.3.overall", 0.5, 4},
		{"&exclude=x&between=1-2", "step.2.overall", 0.75, 4},
		{"&exclude=x&between=1-2", "step.3.overall", 0.5, 4},
		{"&exclude=x&between=1-3", "step.3.overall", 0.25, 4},
		{"&exclude=x&between=2-3&preset=posthog", "removed", 1, 1},
		{"&exclude=x&exclude=y&between=1-2&between=2-3", "stopped", 1, 1},
	} {
		a := ask(t, e, at+c.extra)
		f := a.Figure(c.key)
		if f == nil || math.Abs(f.Value-c.want) > 1e-12 || f.N != c.n {
			t.Errorf("%s %s: %+v, want %v of %d", a.Address, c.key, f, c.want, c.n)
			continue
		}
		listed(t, e, a, c.key)
	}
	if a := ask(t, e, at+"&preset=mixpanel"); !strings.Contains(a.Title, "as mixpanel counts") || !strings.Contains(a.Definition, "2 seconds") || !strings.Contains(a.Definition, "up to 2 s before") {
		t.Errorf("%s: %s", a.Title, a.Definition)
	}
	if a := ask(t, e, at+"&exclude=x&between=2-3"); !strings.Contains(a.Definition, "x between steps 2 and 3") {
		t.Error(a.Definition)
	}
	for address, reason := range map[string]string{
		"funnel?preset=amplitude&try=best":                                           "leave try= out",
		"funnel?preset=posthog&eligible=closed":                                      "leave eligible= out",
		"funnel?preset=mixpanel&exclusion=remove":                                    "leave exclusion= out",
		"funnel?between=1-2":                                                         "name the events with exclude=",
		"funnel?step=a&step=b&exclude=x&between=2-3":                                 "steps 1 to 2",
		"funnel?step=a&step=b&exclude=x&between=2-1":                                 "the earlier first",
		"funnel?step=a&step=b&exclude=x&exclude=y&exclude=z&between=1-2&between=1-2": "one for each",
		"retention?preset=heap":                                                      "not one of",
	} {
		if _, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", address, err, reason)
		}
	}
}

// Each product's funnel against ours, on real data: every rule that parts them has
// its users, and the parts add to the difference.
func TestReconcileFunnels(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	ours := "funnel?step=home&step=catalog&step=cart&window=1d&exclude=product_view"
	for _, preset := range []string{"amplitude", "mixpanel", "posthog"} {
		for _, key := range []string{"step.2.overall", "step.3", "step.3.overall"} {
			a := ask(t, e, fmt.Sprintf("reconcile?figure=%s&a=%s&b=%s", key, escape(ours), escape(ours+"&preset="+preset)))
			for _, of := range []string{"", "of."} {
				if a.Figure(of+"a") == nil {
					continue
				}
				sum := 0.0
				for i := range a.Figures {
					f := &a.Figures[i]
					switch {
					case !strings.HasPrefix(f.Key, of+"by."):
					case strings.HasSuffix(f.Key, ".joined"):
						sum += f.Value
						listed(t, e, a, f.Key)
					default:
						sum -= f.Value
						listed(t, e, a, f.Key)
					}
				}
				if want := a.Figure(of+"b").Value - a.Figure(of+"a").Value; sum != want {
					t.Errorf("%s %s: parts add to %v, the difference is %v", preset, of+key, sum, want)
				}
			}
		}
	}
}
