package tui

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// A modelScreen shows the numbers of the stage model in force: what the data
// suggest, with the evidence, and what a changed number would do to the stages,
// before anything is saved. Its answer (the rules of the stages) stands below.
type modelScreen struct {
	*answerScreen
	own     modelKeys
	state   *query.ModelState
	read    *job
	preview *job
	saves   *job
	changed map[string]float64 // numbers not saved yet
	effect  []query.StageChange
	failure error
	at      int
	editing *widget.Input
	rules   bool // the keys move in the rules below instead
}

type modelKeys struct{ Change, Suggest, Confirm, Revert key.Binding }

func newModelScreen(s *session, q query.Query) Screen {
	v := &modelScreen{answerScreen: newAnswerScreen(s, q), changed: map[string]float64{},
		own: modelKeys{Change: bind("enter", "change number", "enter"), Suggest: bind("a", "take all suggestions", "a"),
			Confirm: bind("w", "confirm and save", "w"), Revert: bind("u", "undo changes", "u")}}
	v.skip = func(b *query.Block) bool { return b.Name == "params" } // they stand above, to be changed
	return v
}

// Init reads the model and the answer.
func (v *modelScreen) Init() tea.Cmd {
	return tea.Batch(v.answerScreen.Init(), v.readModel())
}

func (v *modelScreen) readModel() tea.Cmd {
	if v.read != nil || v.state != nil {
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
	v.preview.stop()
	v.answerScreen.Leave()
}

// Update takes the editor's keys, and results.
func (v *modelScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		if v.editing != nil {
			return v.editKey(msg)
		}
		if v.filter == nil && v.form == nil && matches(msg, v.session.keys.Next, v.session.keys.Prev) {
			v.rules = !v.rules
			return nil
		}
		if !v.rules && v.form == nil && v.filter == nil && v.state != nil {
			if cmd, took := v.numberKey(msg); took {
				return cmd
			}
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
			v.state, v.failure = msg.value, msg.err
			if msg.err != nil {
				v.state = nil
			}
			v.SetSize(v.w, v.h+v.numbersHeight())
		}
		return nil
	case doneMsg[[]query.StageChange]:
		if v.preview.owns(msg.job) {
			v.preview = nil
			v.effect, v.failure = msg.value, msg.err
		}
		return nil
	case doneMsg[saved]:
		if v.saves.owns(msg.job) {
			v.saves = nil
			if msg.err != nil {
				return v.complain(msg.err)
			}
			v.changed, v.effect, v.state = map[string]float64{}, nil, nil
			v.say(msg.value.what)
			return v.post(dataMsg{})
		}
		return nil
	case dataMsg:
		v.state = nil
		return tea.Batch(v.answerScreen.Update(msg), v.readModel())
	}
	return v.answerScreen.Update(msg)
}

func (v *modelScreen) numberKey(m tea.KeyMsg) (tea.Cmd, bool) {
	k := &v.session.keys.w
	ps := v.state.Params
	switch {
	case matches(m, k.Up):
		v.at = max(v.at-1, 0)
	case matches(m, k.Down):
		v.at = min(v.at+1, len(ps)-1)
	case matches(m, v.own.Change) && v.at < len(ps):
		v.editing = widget.NewInput(v.styles, ps[v.at].Name+" = ", query.Number(v.value(v.at)))
		v.editing.Hint = "a number; empty takes the suggestion back"
	case matches(m, v.own.Suggest):
		for _, p := range ps {
			if p.HasSuggestion && p.Suggested != p.Value {
				v.changed[p.Name] = p.Suggested
			}
		}
		return v.show(), true
	case matches(m, v.own.Revert):
		v.changed, v.effect = map[string]float64{}, nil
	case matches(m, v.own.Confirm):
		return v.save(), true
	default:
		return nil, false
	}
	return nil, true
}

func (v *modelScreen) value(i int) float64 {
	p := v.state.Params[i]
	if x, ok := v.changed[p.Name]; ok {
		return x
	}
	return p.Value
}

func (v *modelScreen) editKey(m tea.KeyMsg) tea.Cmd {
	p := v.state.Params[v.at]
	switch m.Type {
	case tea.KeyEsc:
		v.editing = nil
	case tea.KeyEnter:
		s := strings.TrimSpace(v.editing.Value())
		if s == "" {
			v.editing = nil
			delete(v.changed, p.Name)
			if p.HasSuggestion {
				v.changed[p.Name] = p.Suggested
			}
			return v.show()
		}
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			v.editing.Hint = fmt.Sprintf("%q is not a number", s)
			return nil
		}
		v.editing = nil
		v.changed[p.Name] = x
		if x == p.Value {
			delete(v.changed, p.Name)
		}
		return v.show()
	default:
		v.editing.Key(m)
	}
	return nil
}

// show works the effect of the changes out; a newer change replaces it.
func (v *modelScreen) show() tea.Cmd {
	v.preview.stop()
	v.effect, v.failure = nil, nil
	if len(v.changed) == 0 {
		v.preview = nil
		return nil
	}
	e, params := v.desk.Engine, copyOf(v.changed)
	var cmd tea.Cmd
	v.preview, cmd = start(v.jobs, v, "what the change does", "events", func(ctx context.Context, p query.Progress) ([]query.StageChange, error) {
		return e.PreviewModel(ctx, params, p)
	})
	return cmd
}

func copyOf(m map[string]float64) map[string]float64 {
	out := make(map[string]float64, len(m))
	for k, x := range m {
		out[k] = x
	}
	return out
}

// save confirms the numbers as they stand on screen.
func (v *modelScreen) save() tea.Cmd {
	e, params := v.desk.Engine, copyOf(v.changed)
	if len(params) == 0 {
		params = nil
	}
	var cmd tea.Cmd
	v.saves, cmd = start(v.jobs, v, "confirm the stage model", "", func(ctx context.Context, _ query.Progress) (saved, error) {
		return saved{"the stage numbers are confirmed and in force"}, e.ConfirmModel(ctx, params, "confirmed on screen")
	})
	return cmd
}

// Typing is true while a number is typed.
func (v *modelScreen) Typing() bool { return v.editing != nil || v.answerScreen.Typing() }

// numbersHeight is how many lines the numbers take.
func (v *modelScreen) numbersHeight() int {
	if v.state == nil {
		return 3
	}
	return min(len(v.state.Params)+5, 14)
}

// SetSize gives the numbers their lines and the answer the rest.
func (v *modelScreen) SetSize(w, h int) {
	v.answerScreen.SetSize(w, max(h-v.numbersHeight(), 0))
}

// View draws the numbers above the rules.
func (v *modelScreen) View() string {
	if v.form != nil {
		return v.answerScreen.View()
	}
	lines := v.numbers()
	n := v.numbersHeight()
	for len(lines) < n {
		lines = append(lines, "")
	}
	return strings.Join(lines[:n], "\n") + "\n" + v.answerScreen.View()
}

func (v *modelScreen) numbers() []string {
	st, w := v.styles, v.w
	if v.state == nil {
		if v.failure != nil {
			return []string{st.Bad.Render(format.Cut("  the stage model cannot be read: "+v.failure.Error(), w))}
		}
		return []string{"  reading the stage model …"}
	}
	word := "suggested, not confirmed: w confirms"
	if v.state.Confirmed {
		word = "confirmed"
	}
	if len(v.changed) > 0 {
		word = "changed, not saved: w saves, u undoes"
	}
	lines := []string{st.Head.Render("  Numbers of "+v.state.Name) + "  " + st.Dim.Render(word)}
	room := v.numbersHeight() - 4
	from := max(min(v.at-room/2, len(v.state.Params)-room), 0)
	for i := from; i < min(from+room, len(v.state.Params)); i++ {
		p := v.state.Params[i]
		g, mark := "  ", " "
		if i == v.at && !v.rules {
			g = st.Glyphs.Cursor + " "
		}
		if _, ok := v.changed[p.Name]; ok {
			mark = "*"
		}
		suggested := format.None
		if p.HasSuggestion {
			suggested = format.Number(p.Suggested)
		}
		line := format.Cut(g+format.Pad(p.Name, 10, false)+format.Pad(format.Number(v.value(i)), 9, true)+mark+" suggested "+format.Pad(suggested, 8, true)+"  "+p.Evidence, w)
		if i == v.at && !v.rules {
			line = st.Cursor.Render(line)
		}
		lines = append(lines, line)
	}
	switch {
	case v.editing != nil:
		lines = append(lines, v.editing.View(w))
	case v.failure != nil:
		lines = append(lines, st.Bad.Render(format.Cut("! "+v.failure.Error(), w)))
	case v.preview != nil:
		lines = append(lines, st.Dim.Render("  working out what this does …"))
	case len(v.effect) > 0:
		lines = append(lines, effectLines(v.effect, w)...)
	}
	return lines
}

// effectLines say what a change does to the stages: before → after.
func effectLines(cs []query.StageChange, w int) []string {
	var parts []string
	for _, c := range cs {
		d := c.After - c.Before
		s := fmt.Sprintf("%s %s → %s", c.Stage, format.Count(c.Before), format.Count(c.After))
		switch {
		case d > 0:
			s += " (+" + format.Count(d) + ")"
		case d < 0:
			s += " (" + format.Count(d) + ")"
		}
		parts = append(parts, s)
	}
	lines := format.Wrap(strings.Join(parts, "  ·  "), max(w-4, 20))
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

// ShortHelp is that of the part that has the keys.
func (v *modelScreen) ShortHelp() []key.Binding {
	switch {
	case v.editing != nil:
		return []key.Binding{bind("enter", "take it", "enter"), bind("esc", "leave it", "esc")}
	case v.rules || v.state == nil:
		return v.answerScreen.ShortHelp()
	}
	return []key.Binding{v.own.Change, v.own.Suggest, v.own.Confirm, v.own.Revert, v.session.keys.Next}
}

// FullHelp is that of the part that has the keys, too.
func (v *modelScreen) FullHelp() [][]key.Binding {
	if v.rules || v.state == nil {
		return v.answerScreen.FullHelp()
	}
	k := &v.session.keys
	return [][]key.Binding{{v.own.Change, v.own.Suggest, v.own.Confirm, v.own.Revert, k.w.Up, k.w.Down, k.Next, k.Prev}}
}
