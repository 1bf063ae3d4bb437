package tui

import (
	"context"
	"fmt"
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
)

// An expectedScreen is what users are expected to bring. ctrl+s keeps its fit by a
// name, and another key lists the kept ones.
type expectedScreen struct {
	*nameLine
	save key.Binding
}

func newExpected(s *session, q query.Query) Screen {
	h := valueHub(s, q)
	h.ways = append(h.ways, shortcut{bind("w", "saved fits", "w"), to("fits")})
	v := &expectedScreen{nameLine: &nameLine{hub: h, done: func(string) tea.Cmd { return nil }}, save: bind("ctrl+s", "save the fit", "ctrl+s")}
	v.extra = append([]key.Binding{v.save}, append(v.extra, h.ways[len(h.ways)-1].key)...)
	return v
}

// Update takes the name and the key that asks for it.
func (v *expectedScreen) Update(msg tea.Msg) tea.Cmd {
	if cmd, took := v.line(msg); took {
		return cmd
	}
	if m, ok := msg.(tea.KeyMsg); ok && v.free() && v.ans != nil && matches(m, v.save) {
		if name := v.q.Get("saved"); name != "" {
			return v.say(fmt.Sprintf("%q is a saved fit already", name))
		}
		return v.askName("save as: ", "", "a name; enter saves the fit, esc does not", v.keep)
	}
	return v.hub.Update(msg)
}

// keep saves the fit under a name that is free, or as a new version of that name.
func (v *expectedScreen) keep(name string) tea.Cmd {
	e, q := v.desk.Engine, v.q
	return v.run(v, "save the fit "+name, func(ctx context.Context, p query.Progress) (string, error) {
		names, err := e.Named(model.KindExpected)
		if err != nil {
			return "", err
		}
		what := fmt.Sprintf("the fit is saved as %q; w lists the saved fits", name)
		if slices.Contains(names, name) {
			what = fmt.Sprintf("the fit is saved as a new version of %q; the old one stays on the shelf", name)
		}
		return what, e.SaveExpected(ctx, q, name, "", p)
	})
}

// A fitsScreen lists the saved fits: enter foretells by one from the data as they
// are, D takes it off the shelf.
type fitsScreen struct {
	*nameLine
	remove key.Binding
}

func newFits(s *session, q query.Query) Screen {
	h := &hub{newAnswerScreen(s, q), []shortcut{{bind("E", "fit another", "E"), to("expected")}, {bind("v", "saved churn models", "v"), to("churnmodels")}}}
	v := &fitsScreen{nameLine: &nameLine{hub: h}, remove: bind("D", "remove", "D")}
	v.done = func(string) tea.Cmd { return v.post(dataMsg{}) }
	v.extra = []key.Binding{v.remove, h.ways[0].key, h.ways[1].key}
	return v
}

// Update takes the key of the list, and asks it anew after a change.
func (v *fitsScreen) Update(msg tea.Msg) tea.Cmd {
	if cmd, took := v.line(msg); took {
		return cmd
	}
	if m, ok := msg.(tea.KeyMsg); ok && v.free() && matches(m, v.remove) {
		name := v.chosen()
		if name == "" {
			return v.say("there is no saved fit here")
		}
		e := v.desk.Engine
		return v.run(v, "remove the fit "+name, func(context.Context, query.Progress) (string, error) {
			return fmt.Sprintf("the fit %q is removed; its versions stay in the shelf's folder", name), e.RemoveExpected(name)
		})
	}
	return v.hub.Update(msg)
}
