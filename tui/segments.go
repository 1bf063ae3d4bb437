package tui

import (
	"context"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// A segmentsScreen shows how the users divide, and takes rules: n opens a line
// whose rule is counted as it is typed, enter lists its users, ctrl+s saves it
// by name. The count is that of the list.
type segmentsScreen struct {
	*answerScreen
	own   segmentKeys
	rule  *widget.Input // not nil while a rule is typed
	of    string        // saved segment whose rule it was, "" if none
	name  *widget.Input // not nil while its name is
	count *job
	said  string // about the rule as it stands
	bad   bool
	saves *job
}

type segmentKeys struct{ New, From, Remove, Save key.Binding }

func newSegments(s *session, q query.Query) Screen {
	v := &segmentsScreen{answerScreen: newAnswerScreen(s, q),
		own: segmentKeys{New: bind("n", "new rule", "n"), From: bind("N", "edit this row's rule", "N"), Remove: bind("D", "remove saved", "D"), Save: bind("ctrl+s", "save by name", "ctrl+s")}}
	v.columns = 2
	v.extra = []key.Binding{v.own.New, v.own.From, v.own.Remove}
	return v
}

// A ruleMsg comes when nobody has typed for a moment.
type ruleMsg struct {
	screen *segmentsScreen
	rule   string
}

// counted is how many meet a rule.
type counted struct{ n, total int }

// saved says that a segment was saved, or removed.
type saved struct{ what string }

// Update takes the rule line's keys and its counts.
func (v *segmentsScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		switch {
		case v.name != nil:
			return v.nameKey(msg)
		case v.rule != nil:
			return v.ruleKey(msg)
		case v.filter != nil || v.form != nil:
		case matches(msg, v.own.New):
			v.edit("", "")
			return nil
		case matches(msg, v.own.From):
			v.edit(v.ruleUnderCursor(), v.savedUnderCursor())
			return v.preview()
		case matches(msg, v.own.Remove):
			return v.remove()
		}
	case removeMsg:
		if msg.screen == v {
			return v.removeSaved(msg.name)
		}
		return nil
	case ruleMsg:
		if msg.screen == v && v.rule != nil && v.rule.Value() == msg.rule {
			return v.ask(msg.rule)
		}
		return nil
	case doneMsg[counted]:
		if v.count.owns(msg.job) {
			v.count = nil
			v.said, v.bad = fmt.Sprintf("%s of %s (%s)", format.Plural(int64(msg.value.n), "user", "users"), format.Count(int64(msg.value.total)), share(msg.value)), false
			if msg.err != nil {
				v.said, v.bad = msg.err.Error(), true
			}
			v.rule.Hint = ""
		}
		return nil
	case doneMsg[saved]:
		if v.saves.owns(msg.job) {
			v.saves = nil
			if msg.err != nil {
				return v.complain(msg.err)
			}
			v.rule = nil
			return tea.Batch(v.say(msg.value.what), v.post(dataMsg{}))
		}
		return nil
	}
	return v.answerScreen.Update(msg)
}

func share(c counted) string {
	if c.total == 0 {
		return format.None
	}
	return format.Percent(float64(c.n) / float64(c.total))
}

// ruleUnderCursor is the rule of the row under the cursor, to begin with.
func (v *segmentsScreen) ruleUnderCursor() string {
	if p := v.pane(); p != nil && v.ans != nil {
		key := p.Target().Key
		for _, r := range v.blocks[v.focus].Rows {
			if r.Key == key {
				return r.Rule
			}
		}
	}
	return ""
}

// savedUnderCursor is the saved segment under the cursor, "" if it is on none.
func (v *segmentsScreen) savedUnderCursor() string {
	if p := v.pane(); p != nil && v.ans != nil && strings.HasSuffix("."+v.blocks[v.focus].Name, ".saved") {
		return p.Target().Label
	}
	return ""
}

func (v *segmentsScreen) edit(rule, of string) {
	v.of = of
	v.rule = widget.NewInput(v.styles, "rule: ", rule)
	v.rule.Hint = `stage == "growth" and recency_days < 7`
	v.said, v.bad = "the count comes as you type; :measures lists the names", false
}

// preview counts after a moment without keys.
func (v *segmentsScreen) preview() tea.Cmd {
	if strings.TrimSpace(v.rule.Value()) == "" {
		v.count.stop()
		v.said, v.bad = "the count comes as you type; :measures lists the names", false
		return nil
	}
	return v.after(debounce, ruleMsg{v, v.rule.Value()})
}

// ask counts the rule; a newer rule replaces it.
func (v *segmentsScreen) ask(rule string) tea.Cmd {
	e := v.desk.Engine
	v.count.stop()
	var cmd tea.Cmd
	v.count, cmd = start(v.jobs, v, "count the rule", "", func(ctx context.Context, _ query.Progress) (counted, error) {
		n, total, err := e.CountRule(ctx, rule)
		return counted{n, total}, err
	})
	return cmd
}

func (v *segmentsScreen) ruleKey(m tea.KeyMsg) tea.Cmd {
	rule := strings.TrimSpace(v.rule.Value())
	switch {
	case m.Type == tea.KeyEsc:
		v.rule = nil
		v.count.stop()
	case m.Type == tea.KeyEnter:
		if rule == "" {
			return nil
		}
		q, err := query.Parse(query.Query{Analysis: "users", AsOf: model.NoDay}.With("where", rule).String())
		if err != nil {
			v.said, v.bad = err.Error(), true
			return nil
		}
		return v.open(q.String())
	case matches(m, v.own.Save):
		if rule != "" {
			v.name = widget.NewInput(v.styles, "save as: ", v.of)
			v.name.Hint = "a name; an old segment of that name gets a new version"
		}
	case v.rule.Key(m):
		return v.preview()
	}
	return nil
}

func (v *segmentsScreen) nameKey(m tea.KeyMsg) tea.Cmd {
	switch m.Type {
	case tea.KeyEsc:
		v.name = nil
	case tea.KeyEnter:
		s := query.Segment{Name: strings.TrimSpace(v.name.Value()), Rule: strings.TrimSpace(v.rule.Value())}
		if s.Name == "" {
			return nil // it waits for a name; esc goes back
		}
		v.name = nil
		e := v.desk.Engine
		var cmd tea.Cmd
		v.saves, cmd = start(v.jobs, v, "save segment "+s.Name, "", func(ctx context.Context, _ query.Progress) (saved, error) {
			return saved{"segment " + s.Name + " is saved"}, e.PutSegment(ctx, s)
		})
		return cmd
	default:
		v.name.Key(m)
	}
	return nil
}

// remove takes the saved segment under the cursor off the shelf.
func (v *segmentsScreen) remove() tea.Cmd {
	name := v.savedUnderCursor()
	if name == "" {
		return v.say("this is no saved segment: put the cursor on one")
	}
	return v.post(chooseMsg{title: "remove the segment " + format.Clean(name) + "?", choices: []choice{{"y", "remove it; its versions stay readable on the shelf", removeMsg{v, name}}}})
}

// A removeMsg says that a person means it.
type removeMsg struct {
	screen *segmentsScreen
	name   string
}

func (v *segmentsScreen) removeSaved(name string) tea.Cmd {
	e := v.desk.Engine
	var cmd tea.Cmd
	v.saves, cmd = start(v.jobs, v, "remove segment "+name, "", func(context.Context, query.Progress) (saved, error) {
		all, err := e.Segments()
		if err != nil {
			return saved{}, err
		}
		for _, s := range all {
			if s.Name == name {
				return saved{"segment " + name + " is removed; its versions stay readable"}, e.RemoveSegment(name)
			}
		}
		return saved{}, fmt.Errorf("%q is no saved segment: put the cursor on one", name)
	})
	return cmd
}

// Typing is true while a rule or a name is typed.
func (v *segmentsScreen) Typing() bool {
	return v.rule != nil || v.name != nil || v.answerScreen.Typing()
}

// Leave cancels what runs.
func (v *segmentsScreen) Leave() {
	v.count.stop()
	v.answerScreen.Leave()
}

// View puts the rule line below the answer.
func (v *segmentsScreen) View() string {
	base := v.answerScreen.View()
	if v.rule == nil {
		return base
	}
	lines := strings.Split(base, "\n")
	for len(lines) < v.h {
		lines = append(lines, "")
	}
	st := v.styles
	said, more := st.Dim.Render(format.Cut("  "+v.said, v.w)), 0
	switch {
	case v.bad: // what is wrong with a rule is read in whole
		wrong := format.Wrap(format.Clean("! "+v.said), v.w)
		wrong = wrong[:min(len(wrong), 4)]
		for i, l := range wrong {
			wrong[i] = st.Bad.Render(format.Cut(l, v.w))
		}
		said, more = strings.Join(wrong, "\n"), len(wrong)-1
	case v.count != nil:
		said = st.Dim.Render("  counting …")
	case strings.HasPrefix(v.said, "the "):
	default:
		said = st.Good.Render("  = " + v.said)
	}
	in := v.rule.View(v.w)
	if v.name != nil {
		in = v.name.View(v.w)
	}
	lines = append(lines[:max(v.h-3-more, 0)], st.Dim.Render(strings.Repeat(st.Glyphs.Rule, v.w)), said, in)
	return strings.Join(lines, "\n")
}

// ShortHelp is that of the line while it is open.
func (v *segmentsScreen) ShortHelp() []key.Binding {
	if v.name != nil {
		return []key.Binding{bind("enter", "save", "enter"), bind("esc", "back to the rule", "esc")}
	}
	if v.rule != nil {
		return []key.Binding{bind("enter", "list its users", "enter"), v.own.Save, bind("esc", "close", "esc")}
	}
	return v.answerScreen.ShortHelp()
}
