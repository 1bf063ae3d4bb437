package tui

import (
	"context"
	"fmt"
	"sort"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// A command is what the palette does beside going to addresses.
type command struct {
	name, usage, help string
	run               func(arg string) tea.Cmd
}

// commands are declared once: palette, completion and help read them.
func (a *App) commands() []command {
	return []command{
		{"asof", "asof DAY", "ask the question of this screen as of another day", a.setAsOf},
		{"where", "where RULE", "ask it of the users who meet a rule; alone: of all", func(arg string) tea.Cmd { return a.setKey("where", arg) }},
		{"segment", "segment NAME", "ask it of a saved segment; alone: of all", func(arg string) tea.Cmd { return a.setKey("segment", arg) }},
		{"set", "set KEY=VALUE", "change another key of the address", a.setAny},
		{"find", "find TEXT", "a user, by id or searchable property", func(string) tea.Cmd { return nil }},
		{"load", "load FILE…", "bring files into the data set", a.load},
		{"export", "export [NAME]", "write what is shown to a .txt, .csv or .json file", a.exportKey},
		{"reload", "reload", "read data, dictionary and model anew", func(string) tea.Cmd { return a.reload() }},
		{"jobs", "jobs", "what runs and what has run", func(string) tea.Cmd { a.showPager("jobs", a.jobLines()); return nil }},
		{"messages", "messages", "all that was said here, errors in full", func(string) tea.Cmd { a.showPager("messages", a.messageLines()); return nil }},
		{"theme", "theme NAME", "auto, light, dark or mono", a.themeCommand},
		{"ascii", "ascii", "signs beyond ASCII on or off", func(string) tea.Cmd { a.opt.ASCII = !a.opt.ASCII; a.setTheme(a.opt.Theme); return nil }},
		{"mouse", "mouse", "wheel and click on or off", func(string) tea.Cmd { return a.toggleMouse() }},
		{"help", "help", "all keys that work here", func(string) tea.Cmd { a.showPager("keys", a.helpLines()); return nil }},
		{"quit", "quit", "end the program", func(string) tea.Cmd { return a.quit() }},
	}
}

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
	at      int // -1: none is chosen, enter runs the line
	asked   string
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
		p.list = keySuggestions(line)
		return
	}
	if name, arg, ok := strings.Cut(line, " "); ok {
		for _, c := range p.cmds {
			if c.name == name {
				p.list = argSuggestions(name, strings.TrimSpace(arg))
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
func keySuggestions(line string) (out []suggestion) {
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
			}
		}
	}
	return out
}

func argSuggestions(name, arg string) (out []suggestion) {
	if name == "theme" {
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

func (p *palettePrompt) isCommand(name string) bool {
	for _, c := range p.cmds {
		if c.name == name {
			return true
		}
	}
	return false
}

// found takes the users that hold the text.
func (p *palettePrompt) found(users []query.Found, err error) {
	p.users, p.failure = nil, ""
	if err != nil {
		if !cancelled(err) {
			p.failure = err.Error()
		}
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
		line := format.Pad(format.Clean(s.text), wide, false) + "  " + s.help
		if i == p.at {
			g = st.Glyphs.Cursor + " "
			lines = append(lines, st.Cursor.Render(format.Cut(g+line, w)))
			continue
		}
		lines = append(lines, format.Cut(g+line, w))
	}
	if len(p.list) == 0 {
		none := "nothing completes this; enter tries it as an address"
		if p.failure != "" {
			none = p.failure
		}
		lines = append(lines, "  "+st.Dim.Render(format.Cut(none, w-2)))
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
	p.users = nil
	p.suggest()
	if want := p.wanted(); want != "" && want != p.asked {
		p.asked = want
		return a.s.after(debounce, findMsg{want})
	}
	return nil
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
	_, cmd := start(a.s.jobs, nil, "find "+want, "", func(ctx context.Context, _ query.Progress) (goUser, error) {
		users, err := e.Find(ctx, want, 1)
		if err == nil && len(users) == 0 {
			err = fmt.Errorf("no user's id or searchable property holds %q, and it is no address: : lists what can be asked", want)
		}
		if err != nil {
			return goUser{}, err
		}
		return goUser{users[0].ID}, nil
	})
	return cmd
}

type goUser struct{ id string }

// setAsOf asks the question in front as of another day.
func (a *App) setAsOf(arg string) tea.Cmd {
	q := a.screen().Place().Query
	if arg == "" {
		q.AsOf = model.NoDay
		return a.replace(q)
	}
	d, err := model.ParseDay(arg)
	if err != nil {
		a.tell(statusMsg{text: err.Error(), bad: true})
		return nil
	}
	q.AsOf = d
	return a.replace(q)
}

func (a *App) setKey(key, value string) tea.Cmd {
	q := a.screen().Place().Query
	if value == "" {
		return a.replace(q.With(key))
	}
	return a.replace(q.With(key, value))
}

func (a *App) setAny(arg string) tea.Cmd {
	key, value, ok := strings.Cut(arg, "=")
	if !ok || key == "" {
		a.tell(statusMsg{text: "write :set KEY=VALUE, as :set unit=week; " + a.keysOf(), bad: true})
		return nil
	}
	return a.setKey(strings.TrimSpace(key), strings.TrimSpace(value))
}

// keysOf names the keys of the question in front.
func (a *App) keysOf() string {
	var names []string
	for _, sp := range query.Specs() {
		if sp.Name == a.screen().Place().Query.Analysis {
			for _, k := range sp.Keys {
				names = append(names, k.Name)
			}
		}
	}
	sort.Strings(names)
	return "this screen has " + strings.Join(names, ", ")
}

func (a *App) themeCommand(arg string) tea.Cmd {
	t, err := ParseTheme(arg)
	if err != nil || arg == "" {
		a.tell(statusMsg{text: "write :theme auto, light, dark or mono", bad: true})
		return nil
	}
	a.setTheme(t)
	return nil
}

func (a *App) reload() tea.Cmd {
	e := a.s.desk.Engine
	_, cmd := start(a.s.jobs, nil, "reload", "", func(ctx context.Context, _ query.Progress) (loaded, error) {
		return loaded{engine: e, summary: "read anew"}, e.Reload(ctx)
	})
	return cmd
}

// loaded is what a load brings.
type loaded struct {
	engine  Engine
	summary string
}

func (a *App) load(arg string) tea.Cmd {
	load := a.s.desk.Load
	switch {
	case load == nil:
		a.tell(statusMsg{text: "this session cannot load files: use dwell load FILE", bad: true})
		return nil
	case arg == "":
		a.tell(statusMsg{text: "write :load FILE…, with blanks between the files", bad: true})
		return nil
	}
	paths := strings.Fields(arg)
	_, cmd := start(a.s.jobs, nil, "load "+arg, "bytes", func(ctx context.Context, p query.Progress) (loaded, error) {
		e, summary, err := load(ctx, paths, p)
		return loaded{e, summary}, err
	})
	return cmd
}

func (a *App) afterLoad(m doneMsg[loaded]) tea.Cmd {
	if m.value.engine != nil {
		a.s.desk.Engine = m.value.engine
	}
	if m.err != nil {
		a.status = statusMsg{text: m.err.Error(), bad: true}
	} else {
		a.tell(statusMsg{text: m.value.summary})
	}
	return a.changed()
}

func (a *App) jobLines() []string {
	var out []string
	for id := 1; id <= a.s.jobs.last; id++ {
		if j := a.s.jobs.live[id]; j != nil {
			out = append(out, "running  "+strings.TrimSuffix(progressLine(j), "  esc cancels"))
		}
	}
	if len(out) == 0 {
		out = append(out, "nothing is running")
	}
	out = append(out, "")
	for i := len(a.s.jobs.past) - 1; i >= 0; i-- {
		p := a.s.jobs.past[i]
		out = append(out, fmt.Sprintf("%8.1f s  %s: %s", p.took.Seconds(), p.title, p.end))
	}
	return out
}

func (a *App) messageLines() []string {
	var out []string
	for i := len(a.messages) - 1; i >= 0; i-- {
		m := a.messages[i]
		sign := "  "
		if m.bad {
			sign = "! "
		}
		for k, l := range strings.Split(m.text, "\n") {
			if k == 0 {
				out = append(out, m.at.Format("15:04:05 ")+sign+l)
			} else {
				out = append(out, "           "+l)
			}
		}
	}
	if len(out) == 0 {
		out = append(out, "nothing has been said yet")
	}
	return out
}
