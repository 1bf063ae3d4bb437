package query

import (
	"fmt"
	"slices"
	"strings"
)

// A preset is the documented rules of another product (SPEC 2), so that an analyst
// can meet the number of its dashboard and then see, with reconcile, what parts it
// from ours.
type preset struct {
	name  string
	rules string              // for the title and the explanation
	sets  func(Query) []Param // the keys it settles, given the others
}

// presets are the products whose rules are documented well enough to follow.
//
// Amplitude: 24-hour windows; for daily retention times are first rounded down to
// the hour; a week is 7 and a month 30 days. Mixpanel: multiples of 24 hours from
// the person's own time (day 1 = hours 24–48, week 1 = days 7–14, month 1 = days
// 30–60), and interval 0 asks for the return event within it. PostHog: calendar
// intervals in the project's zone, interval 0 100 % by construction. None knows
// left truncation.
func presets() []preset {
	return []preset{
		{"amplitude", "Amplitude's rules: 24-hour windows from the start, for days rounded down to the hour; a week is 7 days, a month 30", func(q Query) []Param {
			round := "none"
			if q.Value("unit") == "day" {
				round = "hour"
			}
			return []Param{{"window", "24h"}, {"round", round}, {"zero", "start"}, {"truncated", "keep"}}
		}},
		{"mixpanel", "Mixpanel's rules: 24-hour windows from the start without rounding, a month is 30 days; interval 0 asks for a return within it", func(Query) []Param {
			return []Param{{"window", "24h"}, {"round", "none"}, {"zero", "again"}, {"truncated", "keep"}}
		}},
		{"posthog", "PostHog's rules: calendar intervals in the zone; interval 0 is everybody", func(Query) []Param {
			return []Param{{"window", "calendar"}, {"round", "none"}, {"zero", "start"}, {"truncated", "keep"}}
		}},
	}
}

func presetWords() []string {
	out := []string{"none"}
	for _, p := range presets() {
		out = append(out, p.name)
	}
	return out
}

// presetKeys are the keys that every preset settles.
func presetKeys() []string { return []string{"window=", "round=", "zero=", "truncated="} }

func presetOf(q Query) *preset {
	for _, p := range presets() {
		if p.name == q.Get("preset") {
			return &p
		}
	}
	return nil
}

// withPreset is the query with the preset's rules written out in its own keys.
func withPreset(q Query) Query {
	p := presetOf(q)
	if p == nil {
		return q
	}
	for _, k := range p.sets(q) {
		q = q.With(k.Key, k.Value)
	}
	return q.With("preset")
}

// checkPreset refuses keys that a preset settles: one of the two would be ignored.
func checkPreset(q Query) error {
	p := presetOf(q)
	if p == nil {
		return nil
	}
	for _, k := range q.Params {
		if slices.Contains(presetKeys(), k.Key+"=") {
			return fmt.Errorf("preset=%s settles %s: leave %s= out, or leave the preset out and give the keys yourself", p.name, strings.Join(presetKeys(), ", "), k.Key)
		}
	}
	return nil
}
