package tui

import "dwell/model/query"

// newOverview is the outermost screen: who is in the data, how old it is, the
// stages, activity over time. Two columns where there is room for them.
func newOverview(s *session, q query.Query) Screen {
	v := newAnswerScreen(s, q)
	v.columns = 2
	return v
}
