package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/widget"
)

// A nameLine under an answer takes a name, and has a job do something with it.
// The churn screen saves its model by it, the list of saved models renames one.
type nameLine struct {
	*hub
	input *widget.Input // not nil while a name is typed
	take  func(name string) tea.Cmd
	saves *job
	done  func(what string) tea.Cmd // after the job
}

// askName opens the line.
func (v *nameLine) askName(prompt, value, hint string, take func(string) tea.Cmd) tea.Cmd {
	v.input = widget.NewInput(v.styles, prompt, value)
	v.input.Hint = hint
	v.take = take
	return nil
}

// run starts the job that the name was for.
func (v *nameLine) run(owner Screen, title string, f func(ctx context.Context, p query.Progress) (string, error)) tea.Cmd {
	v.saves.stop()
	var cmd tea.Cmd
	v.saves, cmd = start(v.jobs, owner, title, "events", func(ctx context.Context, p query.Progress) (saved, error) {
		what, err := f(ctx, p)
		return saved{what}, err
	})
	return cmd
}

// line takes what belongs to the line and its job; took is false for the rest.
func (v *nameLine) line(msg tea.Msg) (cmd tea.Cmd, took bool) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		if v.input == nil {
			return nil, false
		}
		switch m := msg; m.Type {
		case tea.KeyEsc:
			v.input = nil
		case tea.KeyEnter:
			name := strings.TrimSpace(v.input.Value())
			v.input = nil
			if name != "" {
				return v.take(name), true
			}
		default:
			v.input.Key(m)
		}
		return nil, true
	case progressMsg:
		if v.saves.owns(msg.job) {
			return v.saves.next, true
		}
	case doneMsg[saved]:
		if !v.saves.owns(msg.job) {
			return nil, true
		}
		v.saves = nil
		switch {
		case cancelled(msg.err):
			return nil, true
		case msg.err != nil:
			return v.complain(msg.err), true
		}
		return tea.Batch(v.say(msg.value.what), v.done(msg.value.what)), true
	}
	return nil, false
}

// free says whether plain keys are for the screen: nothing is typed or chosen.
func (v *nameLine) free() bool { return v.filter == nil && v.form == nil }

// Typing is true while a name is typed.
func (v *nameLine) Typing() bool { return v.input != nil || v.hub.Typing() }

// Leave cancels what runs.
func (v *nameLine) Leave() {
	v.saves.stop()
	v.hub.Leave()
}

// View draws the answer, the line in its last one.
func (v *nameLine) View() string {
	out := v.hub.View()
	if v.input == nil || v.h < 1 {
		return out
	}
	return lastLine(out, v.h, v.input.View(v.w))
}

// lastLine draws a line over the last of a screen of h lines.
func lastLine(screen string, h int, line string) string {
	lines := strings.Split(screen, "\n")
	for len(lines) < h {
		lines = append(lines, "")
	}
	lines[h-1] = line
	return strings.Join(lines[:h], "\n")
}

// lineHelp is the key line while a line is typed.
func lineHelp() []key.Binding {
	return []key.Binding{bind("enter", "take it", "enter"), bind("esc", "leave it", "esc")}
}

// ShortHelp is that of the line being typed, or of the answer.
func (v *nameLine) ShortHelp() []key.Binding {
	if v.input != nil {
		return lineHelp()
	}
	return v.hub.ShortHelp()
}

// A churnScreen is the answer of a churn question: training it, what it is worth,
// and the users it points at. ctrl+s keeps its model by a name.
type churnScreen struct {
	*nameLine
	save key.Binding
}

func newChurn(s *session, q query.Query) Screen {
	same := func(analysis string) func(query.Query) string { // the same question, asked another thing
		return func(q query.Query) string {
			out := query.Query{Analysis: analysis, AsOf: q.AsOf}
			for _, p := range q.Params {
				if p.Key != "at" && p.Key != "folds" {
					out = out.With(p.Key, q.All(p.Key)...)
				}
			}
			return out.String()
		}
	}
	h := &hub{newAnswerScreen(s, q), []shortcut{
		{bind("w", "whom to act on", "w"), same("targets")},
		{bind("v", "saved models", "v"), to("churnmodels")},
	}}
	v := &churnScreen{nameLine: &nameLine{hub: h, done: func(string) tea.Cmd { return nil }}, save: bind("ctrl+s", "save the model", "ctrl+s")}
	v.extra = []key.Binding{v.save, h.ways[0].key, h.ways[1].key}
	return v
}

// Update takes the name and the key that asks for it.
func (v *churnScreen) Update(msg tea.Msg) tea.Cmd {
	if cmd, took := v.line(msg); took {
		return cmd
	}
	if m, ok := msg.(tea.KeyMsg); ok && v.free() && v.ans != nil && matches(m, v.save) {
		if name := v.q.Get("saved"); name != "" {
			return v.say(fmt.Sprintf("%q is a saved model already: v lists them, and n there gives another name", name))
		}
		return v.askName("save as: ", "", "a name; enter saves the model, esc does not", v.keep)
	}
	return v.hub.Update(msg)
}

// keep saves the model, which is trained already, under a name that is free, or
// as a new version of the model of that name.
func (v *churnScreen) keep(name string) tea.Cmd {
	e, q := v.desk.Engine, v.q
	return v.run(v, "save the churn model "+name, func(ctx context.Context, p query.Progress) (string, error) {
		names, err := e.Named(model.KindChurn)
		if err != nil {
			return "", err
		}
		what := fmt.Sprintf("the model is saved as %q; v lists the saved models", name)
		if slices.Contains(names, name) {
			what = fmt.Sprintf("the model is saved as a new version of %q; the old one stays on the shelf", name)
		}
		return what, e.SaveChurn(ctx, q, name, "", p)
	})
}

// A churnModelsScreen lists the saved models: enter tests one on the data as they
// are, n gives it another name, D takes it off the shelf.
type churnModelsScreen struct {
	*nameLine
	rename, remove key.Binding
}

func newChurnModels(s *session, q query.Query) Screen {
	h := &hub{newAnswerScreen(s, q), []shortcut{{bind("K", "train another", "K"), to("churn")}}}
	v := &churnModelsScreen{nameLine: &nameLine{hub: h}, rename: bind("n", "new name", "n"), remove: bind("D", "remove", "D")}
	v.done = func(string) tea.Cmd { return v.post(dataMsg{}) }
	v.extra = []key.Binding{v.rename, v.remove, h.ways[0].key}
	return v
}

// Update takes the keys of the list, and asks it anew after a change.
func (v *churnModelsScreen) Update(msg tea.Msg) tea.Cmd {
	if cmd, took := v.line(msg); took {
		return cmd
	}
	if m, ok := msg.(tea.KeyMsg); ok && v.free() && matches(m, v.rename, v.remove) {
		name := v.chosen()
		if name == "" {
			return v.say("there is no saved model here")
		}
		e := v.desk.Engine
		if matches(m, v.remove) {
			return v.run(v, "remove the churn model "+name, func(context.Context, query.Progress) (string, error) {
				return fmt.Sprintf("the model %q is removed; its versions stay in the shelf's folder", name), e.RemoveChurn(name)
			})
		}
		return v.askName("new name: ", name, "enter renames the model, esc does not", func(to string) tea.Cmd {
			return v.run(v, "rename the churn model "+name, func(context.Context, query.Progress) (string, error) {
				return fmt.Sprintf("the model %q is called %q now", name, to), e.RenameChurn(name, to)
			})
		})
	}
	return v.hub.Update(msg)
}

// chosen is what is under the cursor, "" if there is nothing.
func (v *nameLine) chosen() string {
	p := v.pane()
	if p == nil || v.ans == nil || v.focus >= len(v.blocks) {
		return ""
	}
	for _, r := range v.blocks[v.focus].Rows {
		if r.Key == p.Target().Key {
			return r.Key
		}
	}
	return ""
}
