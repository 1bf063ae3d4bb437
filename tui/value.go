package tui

import "dwell/model/query"

// The questions about value lead to one another, as one question of value raises
// the next: what moved revenue, what users bring by age, who buys how, what is
// expected of them, in which tier they stand, what subscriptions bring, and what
// the next weeks will.
var valueWays = []struct{ key, help, analysis string }{
	{"v", "revenue's change", "value"},
	{"d", "value to date", "revenue"},
	{"f", "RFM", "rfm"},
	{"p", "expected value", "expected"},
	{"b", "value tiers", "tiers"},
	{"k", "clusters", "clusters"},
	{"m", "recurring revenue", "mrr"},
	{"n", "next weeks", "forecast"},
}

// narrowing are the keys that say of whom and in what money, which the next
// question takes over where it has them.
var narrowing = []string{"where", "segment", "of", "key", "currency", "amounts", "zone", "truncated"}

// ofSame asks another analysis of the same users on the same day.
func ofSame(analysis string) func(query.Query) string {
	return func(q query.Query) string {
		out := query.Query{Analysis: analysis, AsOf: q.AsOf}
		for _, sp := range query.Specs() {
			for _, k := range narrowing {
				if sp.Name == analysis && sp.Key(k) != nil && len(q.All(k)) > 0 {
					out = out.With(k, q.All(k)...)
				}
			}
		}
		return out.String()
	}
}

// newValue is an answer about value with keys to the others.
func newValue(s *session, q query.Query) Screen { return valueHub(s, q) }

// valueHub is an answer about value with the keys that lead to the others.
func valueHub(s *session, q query.Query) *hub {
	v := &hub{answerScreen: newAnswerScreen(s, q)}
	for _, w := range valueWays {
		if w.analysis != q.Analysis {
			v.ways = append(v.ways, shortcut{bind(w.key, w.help, w.key), ofSame(w.analysis)})
		}
	}
	for _, w := range v.ways {
		v.extra = append(v.extra, w.key)
	}
	return v
}
