package tui

import (
	"context"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// A suggestion is one line of the palette: what it fills in, and what enter does.
type suggestion struct {
	text, help string
	address    string // goes there; else text is completed or run
}

// A palettePrompt is the line behind ":" with its suggestions.
type palettePrompt struct {
	s       *session
	input   *widget.Input
	cmds    []command
	list    []suggestion
	users   []suggestion
	at      int    // -1: none is chosen, enter runs the line
	asked   string // text that users were last looked up for
	looking bool   // and are still being looked up for
	failure string
}

func newPalettePrompt(a *App) *palettePrompt {
	p := &palettePrompt{s: a.s, input: widget.NewInput(a.s.styles, ":", ""), cmds: a.commands(), at: -1}
	p.input.Hint = "an address, a command, or a user's id"
	p.suggest()
	return p
}

// suggest fills the list for the line as it stands.
func (p *palettePrompt) suggest() {
	line := strings.TrimLeft(p.input.Value(), " ")
	p.at = -1
	p.list = nil
	if at := strings.IndexAny(line, "?&"); at >= 0 {
		p.list = keySuggestions(p.s, line)
		return
	}
	if name, arg, ok := strings.Cut(line, " "); ok {
		for _, c := range p.cmds {
			if c.name == name {
				p.list = argSuggestions(p.s, name, strings.TrimSpace(arg))
				if name != "find" {
					return
				}
			}
		}
		p.list = append(p.list, p.users...)
		return
	}
	var all []suggestion
	for _, sp := range query.Specs() {
		s := suggestion{text: sp.Name, help: sp.Help}
		if sp.ID == query.NeedsID {
			s.text += "/"
		}
		all = append(all, s)
	}
	for _, c := range p.cmds {
		s := suggestion{text: c.name, help: c.help}
		if c.usage != c.name {
			s.text += " "
		}
		all = append(all, s)
	}
	if line == "" {
		p.list = all
		return
	}
	for _, s := range all { // what begins with the line comes before what resembles it
		if strings.HasPrefix(s.text, line) {
			p.list = append(p.list, s)
		}
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].text
	}
	for _, m := range fuzzy.Find(line, names) {
		if !strings.HasPrefix(m.Str, line) {
			p.list = append(p.list, all[m.Index])
		}
	}
	p.list = append(p.list, p.users...)
}

// keySuggestions complete the keys and values of an address that has its "?".
func keySuggestions(s *session, line string) (out []suggestion) {
	cut := strings.LastIndexAny(line, "?&")
	head, last := line[:cut+1], line[cut+1:]
	name := line[:strings.IndexAny(line, "?&")]
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(name, "/")
	for _, sp := range query.Specs() {
		if sp.Name != name {
			continue
		}
		key, value, has := strings.Cut(last, "=")
		for _, k := range sp.Keys {
			if !has {
				if strings.HasPrefix(k.Name, key) {
					out = append(out, suggestion{text: head + k.Name + "=", help: k.Help})
				}
				continue
			}
			if k.Name == key {
				for _, v := range k.Values {
					if strings.HasPrefix(v, value) {
						help := ""
						if v == k.Default {
							help = "the default"
						}
						out = append(out, suggestion{text: head + key + "=" + v, help: help})
					}
				}
				out = append(out, shelvedSuggestions(s, head, k, value)...)
			}
		}
	}
	return out
}

func argSuggestions(s *session, name, arg string) (out []suggestion) {
	switch name {
	case "segment":
		for _, n := range shelved(s, query.KeySpec{Shelf: model.KindSegment}) {
			if strings.HasPrefix(n, arg) {
				out = append(out, suggestion{text: "segment " + n, help: "on the shelf"})
			}
		}
	case "theme":
		for _, t := range Themes() {
			if strings.HasPrefix(string(t), arg) {
				out = append(out, suggestion{text: "theme " + string(t)})
			}
		}
	}
	return out
}

// wanted is the text for which users are looked up, "" if the line is no such text.
func (p *palettePrompt) wanted() string {
	line := strings.TrimSpace(p.input.Value())
	for _, pre := range []string{"find ", "user/"} {
		if rest, ok := strings.CutPrefix(line, pre); ok {
			return strings.TrimSpace(rest)
		}
	}
	if name, _, _ := strings.Cut(line, " "); strings.ContainsAny(line, "?&=") || p.isCommand(name) {
		return ""
	}
	return line
}

func (p *palettePrompt) isCommand(name string) bool { return p.command(name) != nil }

// command is the command of that name, nil if there is none.
func (p *palettePrompt) command(name string) *command {
	for i := range p.cmds {
		if p.cmds[i].name == name {
			return &p.cmds[i]
		}
	}
	return nil
}

// none says why there is nothing to choose, and what enter does.
func (p *palettePrompt) none() string {
	name, _, _ := strings.Cut(strings.TrimLeft(p.input.Value(), " "), " ")
	switch c := p.command(name); {
	case p.failure != "":
		return p.failure
	case c != nil && name != "find":
		return ":" + c.usage + "  " + c.help
	case p.looking:
		return "looking for users who hold this …"
	}
	return "nothing completes this; enter tries it as an address"
}

// found takes the users that hold the text.
func (p *palettePrompt) found(users []query.Found, err error) {
	if cancelled(err) {
		return // another text is looked for by now
	}
	p.users, p.failure, p.looking = nil, "", false
	if err != nil {
		p.failure = err.Error()
		return
	}
	for _, u := range users {
		s := suggestion{text: "user " + p.s.desk.Namer.ID(u.ID), address: query.Query{Analysis: "user", ID: u.ID, AsOf: model.NoDay}.String()}
		if u.By != "id" {
			s.help = u.By + " " + p.s.desk.Namer.Value(u.By, u.Has)
		}
		p.users = append(p.users, s)
	}
	at := p.at
	p.suggest()
	p.at = min(at, len(p.list)-1)
}

// View lists the suggestions, the nearest ones last above the line.
func (p *palettePrompt) View(w, h int) string {
	st := p.s.styles
	from := 0
	if p.at >= h {
		from = p.at - h + 1
	}
	var lines []string
	wide := 0
	for _, s := range p.list {
		wide = max(wide, format.Width(s.text))
	}
	wide = min(wide, w/2)
	for i := from; i < min(len(p.list), from+h); i++ {
		s := p.list[i]
		g := "  "
		line := format.Clean(s.text)
		if s.help != "" {
			line = format.Pad(line, wide, false) + "  " + s.help
		}
		if i == p.at {
			g = st.Glyphs.Cursor + " "
			lines = append(lines, st.Cursor.Render(format.Cut(g+line, w)))
			continue
		}
		lines = append(lines, format.Cut(g+line, w))
	}
	if len(p.list) == 0 {
		lines = append(lines, "  "+st.Dim.Render(format.Cut(format.Clean(p.none()), w-2)))
	}
	return strings.Join(lines, "\n")
}

// findMsg comes when nobody has typed for a moment.
type findMsg struct{ text string }

// paletteKey is one key of the command line.
func (a *App) paletteKey(m tea.KeyMsg) tea.Cmd {
	p := a.palette
	switch m.Type {
	case tea.KeyEsc:
		a.closePalette()
		return nil
	case tea.KeyUp, tea.KeyCtrlP:
		p.at = max(p.at-1, -1)
		return nil
	case tea.KeyDown, tea.KeyCtrlN:
		p.at = min(p.at+1, len(p.list)-1)
		return nil
	case tea.KeyTab:
		if len(p.list) > 0 {
			p.input.Set(p.list[max(p.at, 0)].text)
			p.suggest()
		}
		return nil
	case tea.KeyEnter:
		return a.runLine()
	case tea.KeyBackspace:
		if p.input.Value() == "" {
			a.closePalette()
			return nil
		}
	}
	if !p.input.Key(m) {
		return nil
	}
	want := p.wanted()
	if want == p.asked { // a blank behind it, or a cursor moved: the users stand
		p.suggest()
		return nil
	}
	p.asked, p.users, p.failure, p.looking = want, nil, "", want != ""
	p.suggest()
	if want == "" {
		return nil
	}
	return a.s.after(debounce, findMsg{want})
}

func (a *App) closePalette() {
	a.find.stop()
	a.mode, a.palette, a.find = modeScreen, nil, nil
}

// runFind looks users up, if the line still asks for them.
func (a *App) runFind(m findMsg) tea.Cmd {
	if a.mode != modePalette || a.palette.wanted() != m.text {
		return nil
	}
	e := a.s.desk.Engine
	a.find.stop()
	var cmd tea.Cmd
	a.find, cmd = start(a.s.jobs, nil, "find "+m.text, "", func(ctx context.Context, _ query.Progress) ([]query.Found, error) {
		return e.Find(ctx, m.text, 30)
	})
	return cmd
}

// runLine does what the line, or the chosen suggestion, says.
func (a *App) runLine() tea.Cmd {
	p := a.palette
	line := strings.TrimSpace(p.input.Value())
	if p.at >= 0 && p.at < len(p.list) {
		s := p.list[p.at]
		if s.address != "" {
			a.closePalette()
			return a.goTo(s.address, true)
		}
		if strings.HasSuffix(s.text, " ") || strings.HasSuffix(s.text, "/") || strings.HasSuffix(s.text, "=") {
			p.input.Set(s.text) // it still needs a word
			p.suggest()
			return nil
		}
		line = s.text
	}
	if line == "" {
		a.closePalette()
		return nil
	}
	name, arg, _ := strings.Cut(line, " ")
	for _, c := range p.cmds {
		if c.name == name && c.name != "find" {
			a.closePalette()
			return c.run(strings.TrimSpace(arg))
		}
	}
	if q, err := query.Parse(line); err == nil {
		a.closePalette()
		return a.goTo(q.String(), a.at >= 0)
	}
	if want := p.wanted(); want != "" && p.asked == want && a.find == nil && len(p.users) > 0 {
		a.closePalette()
		return a.goTo(p.users[0].address, true)
	}
	if want := p.wanted(); want != "" { // typed faster than the look-up: go as soon as it is known
		a.closePalette()
		return a.goFound(want)
	}
	if len(p.list) > 0 && p.list[0].address == "" && !strings.ContainsAny(line, "?&/@ ") {
		p.input.Set(p.list[0].text)
		p.suggest()
		return nil
	}
	_, err := query.Parse(line)
	a.closePalette()
	a.tell(statusMsg{text: err.Error(), bad: true})
	return nil
}

// goFound looks a user up and goes there, or completes an analysis' name.
func (a *App) goFound(want string) tea.Cmd {
	e := a.s.desk.Engine
	a.going.stop()
	var cmd tea.Cmd
	a.going, cmd = start(a.s.jobs, nil, "find "+want, "", func(ctx context.Context, _ query.Progress) (goUser, error) {
		users, err := e.Find(ctx, want, 1)
		if err == nil && len(users) == 0 {
			err = fmt.Errorf("no user's id or searchable property holds %q, and it is no address: : lists what can be asked", want)
		}
		if err != nil {
			return goUser{}, err
		}
		return goUser{users[0].ID}, nil
	})
	a.going.asked = true
	return cmd
}

type goUser struct{ id string }
