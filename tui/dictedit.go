package tui

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/widget"
)

func (d *dictionary) key(m tea.KeyMsg) tea.Cmd {
	switch {
	case d.dict == nil:
		return nil
	case d.input != nil:
		return d.inputKey(m)
	case d.roles != nil:
		return d.roleKey(m)
	case matches(m, d.keys.Up):
		d.at = max(d.at-1, 0)
	case matches(m, d.keys.Down):
		d.at = min(d.at+1, len(d.lines)-1)
	case matches(m, d.session.keys.w.PageUp):
		d.at = max(d.at-10, 0)
	case matches(m, d.session.keys.w.PageDown):
		d.at = min(d.at+10, len(d.lines)-1)
	case matches(m, d.keys.Change):
		l := d.lines[d.at]
		if l.group != "event" {
			d.input = widget.NewInput(d.styles, l.name+" = ", d.value(l))
			d.input.Hint = d.hint(l)
			return nil
		}
		words := model.RoleNames()
		d.roles, d.several = make([]bool, len(words)), false
		for _, w := range strings.Split(d.value(l), "+") {
			if i := slices.Index(words, strings.TrimSpace(w)); i >= 0 {
				d.roles[i] = true
				d.role = i
			}
		}
	case matches(m, d.keys.Save):
		return d.write()
	}
	return nil
}

func (d *dictionary) inputKey(m tea.KeyMsg) tea.Cmd {
	switch m.Type {
	case tea.KeyEsc:
		d.input = nil
	case tea.KeyEnter:
		l := d.lines[d.at]
		old := d.value(l)
		d.set(l, strings.TrimSpace(d.input.Value()))
		if _, err := model.ParseDictionary(d.dict.Format()); err != nil {
			d.set(l, old)
			d.failure = err
			return nil
		}
		d.input = nil
		return d.show()
	default:
		d.input.Key(m)
	}
	return nil
}

// roleKey sets and clears the meanings of an event name.
func (d *dictionary) roleKey(m tea.KeyMsg) tea.Cmd {
	words := model.RoleNames()
	switch {
	case matches(m, d.keys.Up):
		d.role = max(d.role-1, 0)
	case matches(m, d.keys.Down):
		d.role = min(d.role+1, len(words)-1)
	case matches(m, d.keys.Toggle):
		d.roles[d.role] = !d.roles[d.role]
		d.several = true
	case matches(m, d.keys.Change):
		var on []string
		for i, w := range words {
			if d.roles[i] {
				on = append(on, w)
			}
		}
		if !d.several { // enter alone takes the word under the cursor
			on = []string{words[d.role]}
		}
		if len(on) == 0 {
			on = []string{"use"} // which an event without a meaning is
		}
		l := d.lines[d.at]
		old := d.value(l)
		d.set(l, strings.Join(on, "+"))
		if _, err := d.copy(); err != nil { // some meanings do not go together
			d.set(l, old)
			d.failure = err
			return nil
		}
		d.roles = nil
		return d.show()
	}
	return nil
}

// escape closes what is open; true if that is the editor itself.
func (d *dictionary) escape() bool {
	switch {
	case d.input != nil:
		d.input = nil
	case d.roles != nil:
		d.roles = nil
	default:
		return true
	}
	return false
}

func (d *dictionary) dirty() bool { return d.dict != nil && string(d.dict.Format()) != d.saved }

// copy is the edited dictionary as a value of its own: a job must not see later
// edits.
func (d *dictionary) copy() (*model.Dictionary, error) { return model.ParseDictionary(d.dict.Format()) }

// show works out what the change does to the stages.
func (d *dictionary) show() tea.Cmd {
	d.preview.stop()
	d.effect, d.failure, d.preview = nil, nil, nil
	if !d.dirty() {
		return nil
	}
	edited, err := d.copy()
	if err != nil {
		d.failure = err
		return nil
	}
	e := d.desk.Engine
	var cmd tea.Cmd
	d.preview, cmd = start(d.jobs, d.owner, "what the change does", "events", func(ctx context.Context, p query.Progress) ([]query.StageChange, error) {
		return e.PreviewDictionary(ctx, edited, p)
	})
	return cmd
}

func (d *dictionary) write() tea.Cmd {
	if !d.dirty() {
		return d.say("nothing has changed")
	}
	edited, err := d.copy()
	if err != nil {
		d.failure = err
		return nil
	}
	e := d.desk.Engine
	var cmd tea.Cmd
	d.save, cmd = start(d.jobs, d.owner, "save the dictionary", "", func(ctx context.Context, _ query.Progress) (saved, error) {
		return saved{"the dictionary is saved; no file was read again"}, e.PutDictionary(ctx, edited, "edited on screen")
	})
	return cmd
}
