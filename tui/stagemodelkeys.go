package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/widget"
)

// listKey takes the keys of the list and of the lines typed into it.
func (v *modelScreen) listKey(m tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case v.note != nil:
		return v.noteKey(m), true
	case v.editing != nil:
		return v.editKey(m), true
	case v.filter != nil || v.form != nil:
		return nil, false
	case matches(m, v.session.keys.Next, v.session.keys.Prev):
		v.rules = !v.rules
		return nil, true
	case v.rules || v.state == nil:
		return nil, false
	}
	return v.settingKey(m)
}

func (v *modelScreen) settingKey(m tea.KeyMsg) (tea.Cmd, bool) {
	k := &v.session.keys.w
	page := max(v.high-6, 1)
	switch {
	case matches(m, k.Up):
		v.at = max(v.at-1, 0)
	case matches(m, k.Down):
		v.at = min(v.at+1, len(v.items)-1)
	case matches(m, k.PageUp):
		v.at = max(v.at-page, 0)
	case matches(m, k.PageDown):
		v.at = min(v.at+page, len(v.items)-1)
	case matches(m, k.Top):
		v.at = 0
	case matches(m, k.Bottom):
		v.at = len(v.items) - 1
	case matches(m, v.own.Change) && v.at < len(v.items):
		v.editing = widget.NewInput(v.styles, v.items[v.at].path+" = ", v.value(v.items[v.at]))
		v.editing.Hint = "empty takes the suggestion, or the setting, away"
	case matches(m, v.own.Suggest):
		for _, it := range v.items {
			if it.suggested != "" && it.suggested != it.value {
				v.changed[it.path] = it.suggested
			}
		}
		return v.show(), true
	case matches(m, v.own.Open):
		if len(v.changed) == 0 {
			return v.say("nothing is changed: enter changes a setting, m shows other models"), true
		}
		return v.open(v.restage().String()), true
	case matches(m, v.own.Others):
		return v.others(), true
	case matches(m, v.own.Log):
		return v.versions(), true
	case matches(m, v.own.Revert):
		v.preview.stop()
		v.changed, v.effect, v.failure = map[string]string{}, nil, nil
	case matches(m, v.own.Save):
		v.note = widget.NewInput(v.styles, "note: ", "")
		v.note.Hint = "why; kept with the version. enter puts it in force, esc does not"
	default:
		return nil, false
	}
	return nil, true
}

func (v *modelScreen) value(it setting) string {
	if x, ok := v.changed[it.path]; ok {
		return x
	}
	return it.value
}

func (v *modelScreen) editKey(m tea.KeyMsg) tea.Cmd {
	it := v.items[v.at]
	switch m.Type {
	case tea.KeyEsc:
		v.editing = nil
	case tea.KeyEnter:
		s := strings.TrimSpace(v.editing.Value())
		if s == "" && it.suggested != "" {
			s = it.suggested
		}
		v.editing = nil
		v.changed[it.path] = s
		if s == it.value {
			delete(v.changed, it.path)
		}
		if names := v.madeFrom(it.path); names != "" && v.changed[it.path] != "" {
			v.say(names + " by formula from " + it.path + ": as they are until changed too")
		}
		return v.show()
	default:
		v.editing.Key(m)
	}
	return nil
}

// madeFrom names the numbers whose formula reads another and that an edit of it
// leaves alone: numbers are frozen, so that no edit does more than it says.
func (v *modelScreen) madeFrom(path string) string {
	var names []string
	for _, it := range v.items {
		_, kept := v.changed[it.path]
		words := strings.FieldsFunc(it.formula, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if !kept && it.path != path && slices.Contains(words, path) {
			names = append(names, it.path)
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0] + " is made"
	}
	return strings.Join(names, ", ") + " are made"
}

// restage is the question what the changes would do.
func (v *modelScreen) restage() query.Query {
	var with []string
	for _, it := range v.items {
		if x, ok := v.changed[it.path]; ok {
			with = append(with, it.path+"="+x)
		}
	}
	return query.Query{Analysis: "restage", AsOf: v.q.AsOf}.With("with", with...)
}

// show works the effect of the changes out; a newer change replaces it.
func (v *modelScreen) show() tea.Cmd {
	v.preview.stop()
	v.effect, v.failure = nil, nil
	if len(v.changed) == 0 || v.state == nil {
		v.preview = nil
		return nil
	}
	e, q := v.desk.Engine, v.restage()
	var cmd tea.Cmd
	v.preview, cmd = start(v.jobs, v, "what the change does", "events", func(ctx context.Context, p query.Progress) (*query.Answer, error) {
		return e.Answer(ctx, q, p)
	})
	return cmd
}

// noteKey takes the note, and with it the changes.
func (v *modelScreen) noteKey(m tea.KeyMsg) tea.Cmd {
	switch m.Type {
	case tea.KeyEsc:
		v.note = nil
	case tea.KeyEnter:
		note := strings.TrimSpace(v.note.Value())
		v.note = nil
		return v.save(note)
	default:
		v.note.Key(m)
	}
	return nil
}

// save puts the changes in force as a new version; without changes it confirms
// the numbers as they stand.
func (v *modelScreen) save(note string) tea.Cmd {
	e, q, changes := v.desk.Engine, v.restage(), len(v.changed)
	q.AsOf = model.NoDay
	var cmd tea.Cmd
	v.saves, cmd = start(v.jobs, v, "put the stage model in force", "", func(ctx context.Context, _ query.Progress) (saved, error) {
		if changes == 0 {
			return saved{"the stage model's numbers are confirmed"}, e.ConfirmModel(ctx, nil, note)
		}
		n, err := e.AcceptModel(ctx, q, note)
		return saved{fmt.Sprintf("the stage model is changed, and in force as version %d", n)}, err
	})
	return cmd
}
