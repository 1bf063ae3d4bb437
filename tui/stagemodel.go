package tui

import (
	"context"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/widget"
)

// A modelScreen shows every setting of the stage model in force: its numbers,
// with what the data suggest, its dwells, rules and marks. Each is changed in
// place; what the changes would do to everybody is worked out beside, by the
// question restage?with=…, before anything is saved. The newest edit wins. The
// rules as tables stand below.
type modelScreen struct {
	*answerScreen
	own     modelKeys
	state   *query.ModelState
	renews  bool // the state is of older data
	items   []setting
	read    *job
	preview *job
	saves   *job
	changed map[string]string // settings not saved yet, by path
	effect  *query.Answer     // what they would do
	failure error
	at      int
	editing *widget.Input
	note    *widget.Input // asked before changes are saved
	rules   bool          // the keys move in the tables below instead
	high    int           // lines of the settings
}

// A setting is one line of the list.
type setting struct {
	path, value         string
	suggested, evidence string // of a number
	formula             string // that made the number from others
}

type modelKeys struct{ Change, Suggest, Open, Others, Log, Save, Revert key.Binding }

func newModelScreen(s *session, q query.Query) Screen {
	v := &modelScreen{answerScreen: newAnswerScreen(s, q), changed: map[string]string{},
		own: modelKeys{Change: bind("enter", "change", "enter"), Suggest: bind("a", "take all suggestions", "a"),
			Open: bind("p", "who would move", "p"), Others: bind("m", "other models", "m"), Log: bind("v", "versions", "v"),
			Save: bind("w", "put in force", "w"), Revert: bind("u", "undo changes", "u")}}
	v.skip = func(b *query.Block) bool { return b.Name == "params" || b.Name == "file" } // they stand above, to be changed
	return v
}

// Init reads the model and the answer.
func (v *modelScreen) Init() tea.Cmd {
	return tea.Batch(v.answerScreen.Init(), v.readModel(), v.show())
}

func (v *modelScreen) readModel() tea.Cmd {
	if v.read != nil || v.state != nil && !v.renews {
		return nil
	}
	e := v.desk.Engine
	var cmd tea.Cmd
	v.read, cmd = start(v.jobs, v, "read the stage model", "events", func(ctx context.Context, p query.Progress) (*query.ModelState, error) {
		return e.Model(ctx, p)
	})
	return cmd
}

// Leave cancels what runs.
func (v *modelScreen) Leave() {
	v.read.stop()
	v.read = nil
	v.preview.stop()
	v.answerScreen.Leave()
}

// Update takes the editor's keys, and results.
func (v *modelScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		if cmd, took := v.listKey(msg); took {
			return cmd
		}
	case progressMsg:
		for _, j := range []*job{v.read, v.preview, v.saves} {
			if j.owns(msg.job) {
				return j.next
			}
		}
	case doneMsg[*query.ModelState]:
		if v.read.owns(msg.job) {
			v.read = nil
			v.take(msg.value, msg.err)
		}
		return nil
	case doneMsg[*query.Answer]:
		if v.preview.owns(msg.job) {
			v.preview = nil
			if !cancelled(msg.err) {
				v.effect, v.failure = msg.value, msg.err
			}
			return nil
		}
	case doneMsg[saved]:
		if v.saves.owns(msg.job) {
			v.saves = nil
			if msg.err != nil {
				return v.complain(msg.err)
			}
			v.preview.stop() // of changes that are none any more
			v.preview, v.changed, v.effect, v.state = nil, map[string]string{}, nil, nil
			v.say(msg.value.what)
			return v.post(dataMsg{})
		}
		return nil
	case dataMsg:
		v.read.stop()
		v.read, v.renews = nil, true // what is listed stands until it is read anew
		return tea.Batch(v.answerScreen.Update(msg), v.readModel())
	}
	return v.answerScreen.Update(msg)
}

// take lists the settings of the model that was read.
func (v *modelScreen) take(m *query.ModelState, err error) {
	v.renews = false
	if v.state, v.failure = m, err; err != nil {
		v.state = nil
		return
	}
	at := ""
	if v.at < len(v.items) {
		at = v.items[v.at].path
	}
	v.items = nil
	for _, s := range m.Settings {
		if s.Value == "the first event" { // a start has nothing to change
			continue
		}
		it := setting{path: s.Path, value: s.Value}
		for _, p := range m.Params {
			if p.Name == s.Path {
				it.evidence = p.Evidence
				if f, ok := strings.CutPrefix(p.Evidence, query.ByFormula); ok {
					it.formula = f
				}
				if p.HasSuggestion {
					it.suggested = query.Number(p.Suggested)
				}
			}
		}
		v.items = append(v.items, it)
	}
	// Numbers first: they are what is changed most.
	slices.SortStableFunc(v.items, func(a, b setting) int {
		rank := func(s setting) int {
			switch {
			case s.evidence != "":
				return 0
			case s.path == "name" || s.path == "title":
				return 2
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	if i := slices.IndexFunc(v.items, func(s setting) bool { return s.path == at }); i >= 0 {
		v.at = i
	} else {
		v.at, v.editing = min(v.at, max(len(v.items)-1, 0)), nil
	}
	v.SetSize(v.w, v.h+v.high)
}

// Typing is true while a setting or a note is typed.
func (v *modelScreen) Typing() bool {
	return v.editing != nil || v.note != nil || v.answerScreen.Typing()
}

// SetSize gives the settings their lines and the answer the rest.
func (v *modelScreen) SetSize(w, h int) {
	v.high = min(3, h)
	if v.state != nil {
		v.high = min(len(v.items)+6, max(h*3/5, min(h, 10)))
	}
	v.answerScreen.SetSize(w, max(h-v.high, 0))
}

// ShortHelp is that of the part that has the keys.
func (v *modelScreen) ShortHelp() []key.Binding {
	switch {
	case v.editing != nil || v.note != nil:
		return []key.Binding{bind("enter", "take it", "enter"), bind("esc", "leave it", "esc")}
	case v.rules || v.state == nil:
		return v.answerScreen.ShortHelp()
	}
	return []key.Binding{v.own.Change, v.own.Open, v.own.Save, v.own.Revert, v.own.Suggest, v.own.Others, v.own.Log, v.session.keys.Next}
}

// FullHelp is that of the part that has the keys, too.
func (v *modelScreen) FullHelp() [][]key.Binding {
	if v.rules || v.state == nil {
		return v.answerScreen.FullHelp()
	}
	k := &v.session.keys
	return [][]key.Binding{{v.own.Change, v.own.Suggest, v.own.Open, v.own.Save, v.own.Revert, v.own.Others, v.own.Log,
		k.w.Up, k.w.Down, k.w.PageUp, k.w.PageDown, k.w.Top, k.w.Bottom, k.Next, k.Prev}}
}

// View draws the settings above the rules.
func (v *modelScreen) View() string {
	if v.form != nil {
		return v.viewed(v.rules || v.state == nil)
	}
	lines := v.settings()
	for len(lines) < v.high {
		lines = append(lines, "")
	}
	return strings.Join(lines[:v.high], "\n") + "\n" + v.viewed(v.rules || v.state == nil)
}
