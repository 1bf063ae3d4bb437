package query

import (
	"fmt"
	"slices"
	"strings"
)

// A preset is the documented rules of another product (SPEC 2), so that an analyst
// can meet the number of its dashboard and then see, with reconcile, what parts it
// from ours. What a chart of that product leaves to its user (a funnel's window, the
// events) is left to ours.
type preset struct {
	name  string
	rules string              // for the title and the explanation
	sets  func(Query) []Param // the keys it settles, given the others
}

// presets are the products whose rules for an analysis are documented well enough
// to follow; none for most analyses.
//
// Retention. Amplitude: 24-hour windows; for daily retention times are first rounded
// down to the hour; a week is 7 and a month 30 days. Mixpanel: multiples of 24 hours
// from the person's own time (day 1 = hours 24–48, week 1 = days 7–14, month 1 =
// days 30–60), and interval 0 asks for the return event within it. PostHog: calendar
// intervals in the project's zone, interval 0 100 % by construction. None knows left
// truncation.
//
// Funnels. Amplitude counts each user's earliest longest path. Mixpanel: the window
// runs from the first entry and no later one resets it, steps within 2 seconds are
// interchangeable, an excluded event leaves the steps before it. PostHog: the
// furthest of all tries, and an excluded event takes the person out of the funnel.
// None knows open users: who has entered is in the denominator at once.
func presets(analysis string) []preset {
	switch analysis {
	case "retention":
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
	case "funnel":
		return []preset{
			{"amplitude", "Amplitude's rules: the earliest longest path of each user; all who entered count, open or not; the window is the chart's own", func(Query) []Param {
				return []Param{{"try", "best"}, {"grace", "0s"}, {"exclusion", "stop"}, {"eligible", "all"}}
			}},
			{"mixpanel", "Mixpanel's rules: the window runs from the first entry and is not reset (7 days unless set); in this order, steps within 2 seconds are interchangeable; an excluded event leaves the steps before it; all who entered count, open or not", func(q Query) []Param {
				grace := "0s"
				if q.Value("order") == "this" {
					grace = "2s"
				}
				return []Param{{"try", "first"}, {"grace", grace}, {"exclusion", "stop"}, {"eligible", "all"}}
			}},
			{"posthog", "PostHog's rules: the furthest of all tries; an excluded event takes the person out of the funnel; all who entered count, open or not; the window is the chart's own", func(q Query) []Param {
				exclusion := "stop"
				if q.Get("exclude") != "" {
					exclusion = "remove"
				}
				return []Param{{"try", "best"}, {"grace", "0s"}, {"exclusion", exclusion}, {"eligible", "all"}}
			}},
		}
	}
	return nil
}

// presetKey is the key preset= of an analysis that has presets.
func presetKey(analysis string) KeySpec {
	words := []string{"none"}
	for _, p := range presets(analysis) {
		words = append(words, p.name)
	}
	return KeySpec{Name: "preset", Type: Word, Values: words, Default: "none", Help: "the documented rules of another product, to meet a dashboard's number; it settles " + strings.Join(presetKeys(analysis), ", ")}
}

// presetKeys are the keys that every preset of an analysis settles.
func presetKeys(analysis string) []string {
	if analysis == "funnel" {
		return []string{"try=", "grace=", "exclusion=", "eligible="}
	}
	return []string{"window=", "round=", "zero=", "truncated="}
}

func presetOf(q Query) *preset {
	for _, p := range presets(q.Analysis) {
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
		if slices.Contains(presetKeys(q.Analysis), k.Key+"=") {
			return fmt.Errorf("preset=%s settles %s: leave %s= out, or leave the preset out and give the keys yourself", p.name, strings.Join(presetKeys(q.Analysis), ", "), k.Key)
		}
	}
	return nil
}
