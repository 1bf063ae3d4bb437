package tui

import "dwell/model/query"

// newScreen makes the screen of an address. An analysis that is not named here
// is shown by its blocks alone, so that a new analysis needs no screen.
func newScreen(s *session, q query.Query) Screen {
	switch q.Analysis {
	case "overview":
		return newOverview(s, q)
	case "events", "properties", "property", "event":
		return newEvents(s, q)
	case "segments":
		return newSegments(s, q)
	case "retention":
		return newRetention(s, q)
	case "lifecycle":
		return newLifecycle(s, q)
	case "model":
		return newModelScreen(s, q)
	case "restage":
		return newRestage(s, q)
	case "churn":
		return newChurn(s, q)
	case "churnmodels":
		return newChurnModels(s, q)
	case "expected":
		return newExpected(s, q)
	case "fits":
		return newFits(s, q)
	case "value", "revenue", "rfm", "clusters", "tiers", "mrr", "forecast":
		return newValue(s, q)
	case "targets":
		return newTargets(s, q)
	case "whatif":
		return newWhatIf(s, q)
	case "user":
		return newUser(s, q)
	}
	for _, sp := range query.Specs() {
		if sp.Name == q.Analysis && sp.Windowed {
			return newTableScreen(s, q)
		}
	}
	return newAnswerScreen(s, q)
}
