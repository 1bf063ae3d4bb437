package tui

import (
	"fmt"
	"math"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
)

// settings draws the list of settings, and below it what a change would do.
func (v *modelScreen) settings() []string {
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
	if n := len(v.changed); n > 0 {
		word = fmt.Sprintf("%s, not in force: p shows who moves, w puts it in force, u undoes", changes(n))
	}
	lines := []string{format.Cut(st.Head.Render("  Settings of "+v.state.Name)+"  "+st.Dim.Render(word), w)}
	below := v.below()
	room := max(v.high-1-len(below), 1)
	from := max(min(v.at-room/2, len(v.items)-room), 0)
	wide := 10
	for _, it := range v.items {
		wide = max(wide, min(format.Width(it.path), max(w/3, 12)))
	}
	for i := from; i < min(from+room, len(v.items)); i++ {
		it, g, mark := v.items[i], "  ", " "
		if i == v.at && !v.rules {
			g = st.Glyphs.Cursor + " "
		}
		if _, ok := v.changed[it.path]; ok {
			mark = "*"
		}
		line := g + padded(it.path, wide) + mark + " "
		if it.evidence != "" {
			line += format.Pad(v.value(it), 8, true)
			if it.suggested != "" {
				line += "  suggested " + format.Pad(it.suggested, 6, true)
			}
			line += "  " + it.evidence
		} else {
			line += v.value(it)
		}
		line = format.Cut(line, w)
		if i == v.at && !v.rules {
			line = st.Cursor.Render(line)
		}
		lines = append(lines, line)
	}
	return append(lines, below...)
}

func changes(n int) string {
	if n == 1 {
		return "1 change"
	}
	return fmt.Sprintf("%d changes", n)
}

// below is the line being typed, and the effect.
func (v *modelScreen) below() (lines []string) {
	st, w := v.styles, v.w
	switch {
	case v.note != nil:
		lines = append(lines, v.note.View(w))
	case v.editing != nil:
		lines = append(lines, v.editing.View(w))
	}
	switch {
	case v.failure != nil:
		for _, l := range format.Wrap("! "+v.failure.Error(), max(w-2, 20)) {
			lines = append(lines, st.Bad.Render(format.Cut(l, w)))
		}
	case v.preview != nil:
		lines = append(lines, st.Dim.Render("  staging everybody by the changed model …"))
	case v.effect != nil:
		lines = append(lines, restageLines(v.effect, w)...)
	}
	return lines[:min(len(lines), max(v.high-3, 1))]
}

// restageLines say what a change does: how many move, each stage before → after,
// the conversions to the next stage that it changes, and how well the stages part
// what users do next.
func restageLines(a *query.Answer, w int) []string {
	value := func(key string) (float64, bool) {
		f := a.Figure(key)
		if f == nil || f.None {
			return 0, false
		}
		return f.Value, true
	}
	var parts []string
	if f := a.Figure("moved"); f != nil {
		parts = append(parts, fmt.Sprintf("%s of %s users move", format.Count(int64(math.Round(f.Value*float64(f.N)))), format.Count(f.N)))
	}
	for i := range a.Figures {
		name, ok := strings.CutPrefix(a.Figures[i].Key, "now.")
		if !ok {
			continue
		}
		is, _ := value("then." + name)
		parts = append(parts, changeOf(query.StageChange{Stage: name, Before: int64(a.Figures[i].Value), After: int64(is)}))
	}
	for i := range a.Figures {
		name, ok := strings.CutPrefix(a.Figures[i].Key, "onward.now.")
		was, had := value("onward.now." + name)
		is, has := value("onward.then." + name)
		if was, is := onwardShare(was), onwardShare(is); ok && had && has && was != is {
			parts = append(parts, fmt.Sprintf("onward from %s %s → %s", name, was, is))
		}
	}
	if was, ok := value("separation.now"); ok {
		if is, ok := value("separation.then"); ok {
			parts = append(parts, fmt.Sprintf("the stages part later activity %.1f %% → %.1f %%", 100*was, 100*is))
		}
	}
	return wrapped(parts, w)
}

func onwardShare(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }

// effectLines say what a change does to the stages: before → after.
func effectLines(cs []query.StageChange, w int) []string {
	var parts []string
	for _, c := range cs {
		parts = append(parts, changeOf(c))
	}
	return wrapped(parts, w)
}

func changeOf(c query.StageChange) string {
	s := fmt.Sprintf("%s %s → %s", c.Stage, format.Count(c.Before), format.Count(c.After))
	switch d := c.After - c.Before; {
	case d > 0:
		s += " (+" + format.Count(d) + ")"
	case d < 0:
		s += " (" + format.Count(d) + ")"
	}
	return s
}

func wrapped(parts []string, w int) []string {
	lines := format.Wrap(strings.Join(parts, "  ·  "), max(w-4, 20))
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

// choiceKeys are the keys of a list to choose from.
const choiceKeys = "123456789abcdefgh"

// others offers the models that there are, to be looked at first.
func (v *modelScreen) others() tea.Cmd {
	all, err := v.desk.Engine.Models()
	if err != nil {
		return v.complain(err)
	}
	var cs []choice
	for _, m := range all {
		if m.InForce && m.Older == 0 || m.Broken != "" || len(cs) == len(choiceKeys) {
			continue
		}
		label := fmt.Sprintf("%s, %d stages: %s", m.Name, len(m.Stages), m.Title)
		if m.Note != "" {
			label += " (" + m.Note + ")"
		}
		cs = append(cs, choice{key: choiceKeys[len(cs) : len(cs)+1], label: label, msg: openMsg{address: query.Query{Analysis: "restage", ID: m.Name, AsOf: v.q.AsOf}.String()}})
	}
	return v.post(chooseMsg{title: "what would another model do?", choices: cs})
}

// versions offers the versions of the model in force.
func (v *modelScreen) versions() tea.Cmd {
	all, err := v.desk.Engine.ModelLog(v.state.Name)
	if err != nil || len(all) == 0 {
		return v.say("this model has no versions yet: the first change makes one")
	}
	var cs []choice
	for _, m := range all {
		if len(cs) == len(choiceKeys) {
			break
		}
		label := fmt.Sprintf("version %d  %s", m.Version, m.Note)
		if m.InForce {
			label += "  (in force)"
		}
		q := query.Query{Analysis: "restage", ID: m.Name, AsOf: v.q.AsOf}.With("version", fmt.Sprint(m.Version))
		cs = append(cs, choice{key: choiceKeys[len(cs) : len(cs)+1], label: label, msg: openMsg{address: q.String()}})
	}
	return v.post(chooseMsg{title: "versions of " + v.state.Name + ": which one would do what?", choices: cs})
}

// padded cuts and fills a text to so many cells.
func padded(s string, w int) string { return format.Pad(format.Cut(s, w), w, false) }
