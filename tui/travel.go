package tui

import (
	"fmt"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
)

// Time travel: any screen as it would have been known on another day. The as-of
// day is part of the address, so a step is another question, and a step in the
// history.

// A travelKeys are the keys that move the as-of day.
type travelKeys struct{ DayBack, DayOn, WeekBack, WeekOn, MonthBack, MonthOn, Latest key.Binding }

func newTravelKeys() travelKeys {
	return travelKeys{
		DayBack: bind("<", "as of a day earlier", "<"), DayOn: bind(">", "a day later", ">"),
		WeekBack: bind("{", "as of a week earlier", "{"), WeekOn: bind("}", "a week later", "}"),
		MonthBack: bind("(", "as of a month earlier", "("), MonthOn: bind(")", "a month later", ")"),
		Latest: bind("@", "as of the last day", "@"),
	}
}

func (k *travelKeys) all() []key.Binding {
	return []key.Binding{k.DayBack, k.DayOn, k.WeekBack, k.WeekOn, k.MonthBack, k.MonthOn, k.Latest}
}

// travel moves the as-of day of the screen in front; took is false where the key
// is none of these.
func (a *App) travel(m tea.KeyMsg) (cmd tea.Cmd, took bool) {
	k := &a.s.keys.travel
	unit, n := model.Daily, 0
	switch {
	case matches(m, k.DayBack):
		n = -1
	case matches(m, k.DayOn):
		n = 1
	case matches(m, k.WeekBack):
		unit, n = model.Weekly, -1
	case matches(m, k.WeekOn):
		unit, n = model.Weekly, 1
	case matches(m, k.MonthBack):
		unit, n = model.Monthly, -1
	case matches(m, k.MonthOn):
		unit, n = model.Monthly, 1
	case matches(m, k.Latest):
	default:
		return nil, false
	}
	q := a.screen().Place().Query
	switch last := a.s.data; {
	case n == 0 && q.AsOf == model.NoDay, n > 0 && q.AsOf == model.NoDay:
		a.status = statusMsg{text: "this is the last day that holds data: < goes a day back, { a week, ( a month"}
		return nil, true
	case n == 0:
		q.AsOf = model.NoDay
	case last == nil:
		a.status = statusMsg{text: "the data set is not read yet: try again in a moment"}
		return nil, true
	default:
		from := q.AsOf
		if from == model.NoDay {
			from = last.AsOf
		}
		q.AsOf = travelled(from, last.AsOf, unit, n)
	}
	cmd = a.replace(q)
	word := "as of the last day that holds data"
	if q.AsOf != model.NoDay {
		word = fmt.Sprintf("as of %s: nothing later is read; @ goes back to the last day", q.AsOf)
	}
	a.status = statusMsg{text: word}
	return cmd, true
}

// travelled is the day that so many days, weeks or months lie from another; the
// last day and any after it are NoDay, the address's own word for it. A month
// from the 31st ends on its last day.
func travelled(from, last model.Day, unit model.PeriodUnit, n int) model.Day {
	to := from + model.Day(n)
	switch unit {
	case model.Weekly:
		to = from + model.Day(7*n)
	case model.Monthly:
		y, m, d := from.Civil()
		first := model.DayOf(y, m+time.Month(n), 1)
		y, m, _ = first.Civil()
		to = min(first+model.Day(d-1), model.DayOf(y, m+1, 1)-1)
	}
	if to >= last {
		return model.NoDay
	}
	return to
}
