package tui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"

	"dwell/model"
	"dwell/model/query"
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
		{"bookmark", "bookmark NAME", "keep this address under a name", a.bookmark},
		{"bookmarks", "bookmarks", "go to an address that was kept", func(string) tea.Cmd { return a.bookmarks() }},
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
	said := "the theme is " + string(t)
	if a.opt.Profile == termenv.Ascii {
		said += "; this terminal is shown no colours (NO_COLOR, TERM=dumb, or no terminal at all)"
	}
	a.tell(statusMsg{text: said})
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
		a.tell(statusMsg{text: `write :load FILE…, with blanks between the files, and "a name" with blanks in quotes`, bad: true})
		return nil
	case strings.HasPrefix(arg, "--") || strings.Contains(arg, " --"):
		a.tell(statusMsg{text: "a file is loaded here as the earlier ones were: one that needs options is loaded with dwell load", bad: true})
		return nil
	}
	paths, ok := fileNames(arg)
	if !ok {
		a.tell(statusMsg{text: "a quote around a file's name is not closed", bad: true})
		return nil
	}
	j, cmd := start(a.s.jobs, nil, "load "+arg, "bytes", func(ctx context.Context, p query.Progress) (loaded, error) {
		e, summary, err := load(ctx, paths, p)
		return loaded{e, summary}, err
	})
	j.asked = true
	return cmd
}

// fileNames takes a line apart at its blanks, as a shell does: a name with blanks
// stands in quotes of either kind, or has a backslash before each blank. Any other
// backslash is a part of its name, as on Windows. ok is false if a quote is open.
func fileNames(line string) (names []string, ok bool) {
	var name strings.Builder
	begun, quote := false, rune(0)
	rs := []rune(line)
	for i := 0; i < len(rs); i++ {
		switch r := rs[i]; {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			name.WriteRune(r)
		case r == '"' || r == '\'':
			quote, begun = r, true
		case r == '\\' && i+1 < len(rs) && strings.ContainsRune(` "'`, rs[i+1]):
			i++
			name.WriteRune(rs[i])
			begun = true
		case r == ' ' || r == '\t':
			if begun {
				names = append(names, name.String())
			}
			name.Reset()
			begun = false
		default:
			name.WriteRune(r)
			begun = true
		}
	}
	if begun {
		names = append(names, name.String())
	}
	return names, quote == 0
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

// kept says that a bookmark was saved.
type kept struct{ name string }

// bookmark keeps the address in front on the shelf.
func (a *App) bookmark(name string) tea.Cmd {
	shelf, address := a.s.desk.Shelf, a.address()
	switch {
	case shelf == nil:
		a.tell(statusMsg{text: "this session has no shelf to keep bookmarks on", bad: true})
		return nil
	case name == "":
		a.tell(statusMsg{text: "write :bookmark NAME", bad: true})
		return nil
	}
	_, cmd := start(a.s.jobs, nil, "bookmark "+name, "", func(context.Context, query.Progress) (kept, error) {
		_, err := shelf.Put(model.KindBookmark, name, []byte(address+"\n"), "")
		return kept{name}, err
	})
	return cmd
}

// bookmarks lists what was kept, newest first, nine at most: the palette takes
// any address.
func (a *App) bookmarks() tea.Cmd {
	shelf := a.s.desk.Shelf
	if shelf == nil {
		a.tell(statusMsg{text: "this session has no shelf to keep bookmarks on", bad: true})
		return nil
	}
	_, cmd := start(a.s.jobs, nil, "bookmarks", "", func(context.Context, query.Progress) ([]choice, error) {
		entries, err := shelf.List(model.KindBookmark)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(entries, func(x, y model.Entry) int { return cmp.Compare(y.At, x.At) })
		var out []choice
		for i, e := range entries[:min(len(entries), 9)] {
			address := strings.TrimSpace(string(e.Body))
			out = append(out, choice{key: fmt.Sprint(i + 1), label: e.Name + "  " + address, msg: openMsg{address}})
		}
		return out, nil
	})
	return cmd
}
