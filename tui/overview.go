package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
)

// A shortcut is a key of a screen that goes to an address.
type shortcut struct {
	key     key.Binding
	address func(q query.Query) string
}

// A hub is an answer with keys that lead on to other questions.
type hub struct {
	*answerScreen
	ways []shortcut
}

// to asks another analysis of the same day.
func to(analysis string) func(query.Query) string {
	return func(q query.Query) string { return query.Query{Analysis: analysis, AsOf: q.AsOf}.String() }
}

// newOverview is the outermost screen: who is in the data, how old it is, the
// stages, activity over time. Two columns where there is room for them. m opens
// the stage model's numbers, to confirm or change them; capitals lead to the
// other screens.
func newOverview(s *session, q query.Query) Screen {
	v := &hub{newAnswerScreen(s, q), []shortcut{
		{bind("u", "users", "u"), to("users")},
		{bind("R", "retention", "R"), to("retention")},
		{bind("L", "lifecycle", "L"), to("lifecycle")},
		{bind("K", "churn", "K"), to("churn")},
		{bind("V", "value", "V"), to("value")},
		{bind("S", "segments", "S"), to("segments")},
		{bind("T", "whom to act on", "T"), to("targets")},
		{bind("N", "next weeks", "N"), to("forecast")},
		{bind("E", "events", "E"), to("events")},
		{bind("m", "stage numbers", "m"), func(query.Query) string { return query.Query{Analysis: "model", AsOf: model.NoDay}.String() }},
	}}
	v.columns = 2
	for _, w := range v.ways {
		v.extra = append(v.extra, w.key)
	}
	return v
}

// Update takes the ways on.
func (v *hub) Update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(tea.KeyMsg); ok && !v.Typing() && v.form == nil {
		for _, w := range v.ways {
			if matches(m, w.key) {
				return v.open(w.address(v.q))
			}
		}
	}
	return v.answerScreen.Update(msg)
}
