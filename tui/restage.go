package tui

import (
	"context"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/widget"
)

// A restageScreen shows what another stage model would do to everybody, and
// puts it in force with one key and a note. Leaving it leaves nothing behind.
type restageScreen struct {
	*answerScreen
	accept key.Binding
	churn  key.Binding
	note   *widget.Input
	saves  *job
}

func newRestage(s *session, q query.Query) Screen {
	v := &restageScreen{answerScreen: newAnswerScreen(s, q), accept: bind("w", "put this model in force", "w"), churn: bind("K", "effect on the churn model", "K")}
	v.extra = []key.Binding{v.accept, v.churn}
	return v
}

// Update takes the note and the key that asks for it.
func (v *restageScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		switch {
		case v.note != nil:
			return v.noteKey(msg)
		case v.filter == nil && v.form == nil && matches(msg, v.churn):
			word := "yes"
			if v.q.Get("churn") == word {
				word = "no"
			}
			q, err := query.Parse(v.q.With("churn", word).String())
			if err != nil {
				return v.complain(err)
			}
			return v.post(replaceMsg{q: q})
		case v.filter == nil && v.form == nil && v.ans != nil && matches(msg, v.accept):
			v.note = widget.NewInput(v.styles, "note: ", "")
			v.note.Hint = "why; kept with the version. enter puts the model in force, esc does not"
			return nil
		}
	case progressMsg:
		if v.saves.owns(msg.job) {
			return v.saves.next
		}
	case doneMsg[saved]:
		if v.saves.owns(msg.job) {
			v.saves = nil
			if msg.err != nil {
				return v.complain(msg.err)
			}
			v.say(msg.value.what)
			v.post(outMsg{from: v}) // there is nothing left to compare
			return v.post(dataMsg{})
		}
		return nil
	}
	return v.answerScreen.Update(msg)
}

func (v *restageScreen) noteKey(m tea.KeyMsg) tea.Cmd {
	switch m.Type {
	case tea.KeyEsc:
		v.note = nil
	case tea.KeyEnter:
		note, e, q := strings.TrimSpace(v.note.Value()), v.desk.Engine, v.q
		q.AsOf = model.NoDay
		v.note = nil
		var cmd tea.Cmd
		v.saves, cmd = start(v.jobs, v, "put the stage model in force", "", func(ctx context.Context, _ query.Progress) (saved, error) {
			n, err := e.AcceptModel(ctx, q, note)
			return saved{fmt.Sprintf("the stage model is in force as version %d", n)}, err
		})
		return cmd
	default:
		v.note.Key(m)
	}
	return nil
}

// Typing is true while a note is typed.
func (v *restageScreen) Typing() bool { return v.note != nil || v.answerScreen.Typing() }

// View draws the answer, the note's line in its last one.
func (v *restageScreen) View() string {
	out := v.answerScreen.View()
	if v.note == nil || v.h < 1 {
		return out
	}
	return lastLine(out, v.h, v.note.View(v.w))
}

// ShortHelp is that of the line being typed, or of the answer.
func (v *restageScreen) ShortHelp() []key.Binding {
	if v.note != nil {
		return lineHelp()
	}
	return v.answerScreen.ShortHelp()
}
