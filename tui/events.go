package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
)

// An eventsScreen is the developer's: what is in the data, name by name and
// property by property. d opens the dictionary at the name under the cursor, and
// shows what a changed meaning does to the stages before it is saved.
type eventsScreen struct {
	*answerScreen
	edit key.Binding
	dict *dictionary // not nil while it is open
}

func newEvents(s *session, q query.Query) Screen {
	v := &eventsScreen{answerScreen: newAnswerScreen(s, q), edit: bind("d", "dictionary", "d")}
	v.extra = []key.Binding{v.edit}
	return v
}

// Update gives keys to the dictionary while it is open, and takes its results.
func (v *eventsScreen) Update(msg tea.Msg) tea.Cmd {
	if v.dict != nil {
		if cmd, took := v.dict.update(msg); took {
			if v.dict.closed {
				v.dict = nil
			}
			return cmd
		}
	}
	if m, ok := msg.(tea.KeyMsg); ok && v.dict == nil && !v.Typing() && v.form == nil && matches(m, v.edit) {
		at := ""
		if p := v.pane(); p != nil {
			at = p.Target().Key
		}
		var cmd tea.Cmd
		v.dict, cmd = newDictionary(v.session, v, at)
		v.dict.resize(v.w, v.h)
		return cmd
	}
	return v.answerScreen.Update(msg)
}

// SetSize sizes both.
func (v *eventsScreen) SetSize(w, h int) {
	v.answerScreen.SetSize(w, h)
	if v.dict != nil {
		v.dict.resize(w, h)
	}
}

// Typing is true while something is typed.
func (v *eventsScreen) Typing() bool {
	return v.dict != nil && v.dict.input != nil || v.answerScreen.Typing()
}

// Over names what lies over the answer, "" if nothing does.
func (v *eventsScreen) Over() string {
	if v.dict != nil {
		return "(dictionary)"
	}
	return v.answerScreen.Over()
}

// Escape closes what is open in the dictionary, then the dictionary.
func (v *eventsScreen) Escape() bool {
	if v.dict == nil {
		return v.answerScreen.Escape()
	}
	if v.dict.escape() {
		v.dict.leave()
		v.dict = nil
	}
	return true
}

// Leave cancels what runs.
func (v *eventsScreen) Leave() {
	if v.dict != nil {
		v.dict.leave()
	}
	v.answerScreen.Leave()
}

// View shows the dictionary over the answer.
func (v *eventsScreen) View() string {
	if v.dict != nil {
		return v.dict.view()
	}
	return v.answerScreen.View()
}

// ShortHelp is that of what is open.
func (v *eventsScreen) ShortHelp() []key.Binding {
	if v.dict != nil {
		return v.dict.help()
	}
	return v.answerScreen.ShortHelp()
}

// FullHelp too.
func (v *eventsScreen) FullHelp() [][]key.Binding {
	if v.dict != nil {
		return [][]key.Binding{v.dict.help()}
	}
	return v.answerScreen.FullHelp()
}
