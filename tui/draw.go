package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/x/ansi"

	"dwell/model/query"
	"dwell/tui/format"
)

// Lines above and below the screen's body: breadcrumbs and title, status and help.
const (
	headLines = 2
	footLines = 2
)

// body is the height left to the screen.
func (a *App) body() int { return max(a.h-headLines-footLines, 0) }

// small says whether the terminal has too little room for any screen.
func (a *App) small() bool { return a.w < MinWidth || a.h < MinHeight }

// draw makes the frame: no more lines than the terminal has, none wider.
func (a *App) draw() string {
	if a.opt.ASCII {
		return format.ASCII(a.frameLines())
	}
	return a.frameLines()
}

func (a *App) frameLines() string {
	if a.w == 0 || a.h == 0 {
		return ""
	}
	if a.small() {
		return fitLines([]string{
			format.Cut(fmt.Sprintf("dwell needs %d×%d cells; this", MinWidth, MinHeight), a.w),
			format.Cut(fmt.Sprintf("terminal has %d×%d. q quits.", a.w, a.h), a.w)}, a.w, a.h)
	}
	lines := []string{a.crumbs(), a.titleLine()}
	lines = append(lines, a.middle()...)
	lines = append(lines, a.statusLine(), a.helpLine())
	return fitLines(lines, a.w, a.h)
}

// fitLines cuts lines to the width and their number to the height.
func fitLines(lines []string, w, h int) string {
	if len(lines) > h {
		lines = lines[:h]
	}
	for i, l := range lines {
		if ansi.StringWidth(l) > w {
			lines[i] = ansi.Truncate(l, w, "")
		}
	}
	return strings.Join(lines, "\n")
}

// middle is the body: the screen, or what lies over it.
func (a *App) middle() []string {
	var v string
	switch {
	case a.mode == modePager:
		v = a.pager.text.View(true)
	case a.mode == modePalette:
		v = a.palette.View(a.w, a.body())
	case a.screen() != nil:
		v = a.screen().View()
	}
	lines := strings.Split(v, "\n")
	for len(lines) < a.body() {
		lines = append(lines, "")
	}
	lines = lines[:a.body()]
	if l := a.saidLines(); len(l) > 1 { // a long sentence is read where it is said
		for i, x := range l[:len(l)-1] {
			lines[len(lines)-len(l)+1+i] = x
		}
	}
	if a.mode == modeChoice {
		over := a.chooser.view(a.s.styles, a.w, len(lines))
		copy(lines[len(lines)-len(over):], over)
	}
	return lines
}

// crumbs is the trail from the outermost screen to this one, and the data set.
func (a *App) crumbs() string {
	st := a.s.styles
	sep := " " + st.Glyphs.Right + " "
	var trail []string
	for i := a.at; i >= 0; i = a.hist[i].parent {
		trail = append([]string{crumbOf(a.s, &a.hist[i])}, trail...)
	}
	if len(trail) > 0 && trail[0] != home {
		trail = append([]string{home}, trail...)
	}
	right := a.s.desk.Name
	if d := a.s.data; d != nil {
		right += " " + st.Glyphs.Dot + " " + format.Age(d.AsOf, a.s.desk.Now())
	}
	left := strings.Join(trail, sep)
	room := a.w - format.Width(right) - 3
	for len(trail) > 2 && format.Width(left) > room {
		trail = append([]string{"…"}, trail[2:]...)
		left = strings.Join(trail, sep)
	}
	left = format.Cut(left, max(room, 10))
	gap := max(a.w-format.Width(left)-format.Width(right)-1, 1)
	return st.Dim.Render(left) + strings.Repeat(" ", gap) + st.Dim.Render(right)
}

func crumbOf(s *session, e *entry) string {
	if e.screen != nil {
		return e.screen.Place().Crumb
	}
	if q, err := query.Parse(e.address); err == nil {
		return crumb(s, q)
	}
	return e.address
}

// crumb is the short name of an address: its analysis and id.
func crumb(s *session, q query.Query) string {
	c := q.Analysis
	if q.ID != "" {
		id := q.ID
		if q.Analysis == "user" {
			id = s.desk.Namer.ID(id)
		}
		c += " " + format.Clean(id)
		if q.Analysis == "user" && len(q.Params) > 0 { // a page behind the user's own
			c += " " + q.Params[0].Key + " " + format.Clean(q.Params[0].Value)
		}
	} else if q.Get("of") != "" {
		c += " of " + format.Clean(q.Get("key"))
	}
	return format.Cut(c, 40)
}

// titleLine names the question with its day, zone and group.
func (a *App) titleLine() string {
	if a.screen() == nil {
		return ""
	}
	st, p := a.s.styles, a.screen().Place()
	dot := " " + st.Glyphs.Dot + " "
	right := ""
	add := func(s string) {
		if s == "" || strings.Contains(p.Title, s) { // the title may have said it
			return
		}
		if right != "" {
			right += dot
		}
		right += s
	}
	if p.AsOf != "" {
		add("as of " + p.AsOf)
	}
	add(p.Zone)
	add(format.Clean(p.Group))
	right = format.Cut(right, a.w/2)
	left := format.Cut(p.Title, a.w-format.Width(right)-2)
	gap := max(a.w-format.Width(left)-format.Width(right)-1, 1)
	return st.Head.Render(left) + strings.Repeat(" ", gap) + st.Dim.Render(right)
}

// statusLine is the prompt, the last sentence, or what is running; beside these, how a
// followed file stands.
func (a *App) statusLine() string {
	switch a.mode {
	case modePalette:
		return a.palette.input.View(a.w)
	case modePrompt:
		return a.prompt.input.View(a.w)
	}
	return a.besides(a.said())
}

// said is the last sentence, or what is running.
func (a *App) said() string {
	st := a.s.styles
	if l := a.saidLines(); len(l) > 0 {
		return l[len(l)-1]
	}
	if n := a.newsLine(); n != "" {
		return st.Warn.Render(format.Cut(n, a.w))
	}
	if j := a.newest(); j != nil && !(a.follow.auto && (j.quiet || j.owner == nil && !j.asked)) {
		return st.Dim.Render(format.Cut(progressLine(j), a.w))
	}
	if s := a.screen(); s != nil && s.Place().Warnings > 0 {
		return st.Warn.Render(fmt.Sprintf("! %s: i shows them", format.Plural(int64(s.Place().Warnings), "warning", "warnings")))
	}
	return ""
}

// saidMost is over how many lines a sentence may go.
const saidMost = 4

// saidLines is the last sentence, over several lines if it needs them: the last
// of them is the status line. Nil where nothing was said.
func (a *App) saidLines() []string {
	if a.status.text == "" || a.mode == modePalette || a.mode == modePrompt {
		return nil
	}
	said, all := firstLine(a.status.text), "  (:messages has all of it)"
	if a.status.bad {
		said = "! " + said
	}
	said = format.Clean(said)
	if format.Width(said) <= a.w || a.typing() { // what is typed stays in sight
		return []string{a.saidStyle(format.Cut(said, a.w))}
	}
	lines, most := format.Wrap(said, a.w), min(saidMost, max(a.body()/2, 1))
	if len(lines) > most {
		lines = lines[:most]
		lines[most-1] = format.Cut(lines[most-1], a.w-format.Width(all)) + all
	}
	for i, l := range lines {
		lines[i] = a.saidStyle(format.Cut(l, a.w))
	}
	return lines
}

func (a *App) saidStyle(line string) string {
	if a.status.bad {
		return a.s.styles.Bad.Render(line)
	}
	return line
}

func firstLine(s string) string {
	l, rest, more := strings.Cut(s, "\n")
	if more && strings.TrimSpace(rest) != "" {
		return l + "  (:messages has all of it)"
	}
	return l
}

// newest is the youngest job that runs.
func (a *App) newest() *job {
	var out *job
	for _, j := range a.s.jobs.live {
		if out == nil || j.id > out.id {
			out = j
		}
	}
	return out
}

// progressLine says how far a job is, in real things.
func progressLine(j *job) string {
	s := j.title + " …"
	switch {
	case j.total > 0:
		s += fmt.Sprintf(" %s of %s %s (%d%%)", format.Count(j.done), format.Count(j.total), j.unit, 100*min(j.done, j.total)/j.total)
	case j.done > 0:
		s += " " + format.Count(j.done) + " " + j.unit
	}
	if j.quiet || j.owner == nil && !j.asked { // what the program does by itself ends by itself
		return s
	}
	return s + "  esc cancels"
}

// helpLine lists the keys that do something now, as many as fit; where some do
// not, the last is the one that shows them all.
func (a *App) helpLine() string {
	k := &a.s.keys
	var bs []key.Binding
	switch a.mode {
	case modePalette:
		return a.s.styles.Dim.Render(format.Cut("enter go  tab complete  ↑/↓ choose  esc close", a.w))
	case modePrompt:
		return a.s.styles.Dim.Render("enter do it  esc leave it")
	case modePager:
		return a.s.styles.Dim.Render("esc close  ↑/↓ scroll  y copy")
	case modeChoice:
		return ""
	}
	if s := a.screen(); s != nil {
		if t, ok := s.(typist); ok && t.Typing() {
			bs = s.ShortHelp()
		} else {
			bs = append(s.ShortHelp(), k.Escape, k.Palette, k.Help, k.Quit)
		}
	}
	const gap = "  "
	var hints []string
	for _, x := range bs {
		if x.Enabled() {
			hints = append(hints, x.Help().Key+" "+x.Help().Desc)
		}
	}
	line, last := strings.Join(hints, gap), ""
	if format.Width(line) > a.w {
		room := a.w
		if help := k.Help.Help().Key + " " + k.Help.Help().Desc; slices.Contains(hints, help) {
			last = help
			room -= format.Width(help)
		}
		line = ""
		for _, h := range hints {
			if h == last || format.Width(line+h+gap) > room {
				break
			}
			line += h + gap
		}
	}
	line = strings.TrimSuffix(line+last, gap)
	return a.s.styles.Dim.Render(line)
}

// helpLines is the full help: the live key maps of screen and app, nothing else.
func (a *App) helpLines() []string {
	k := &a.s.keys
	var out []string
	group := func(name string, bs []key.Binding) {
		out = append(out, name)
		for _, b := range bs {
			if b.Enabled() && b.Help().Key != "" {
				out = append(out, "  "+format.Pad(b.Help().Key, 14, false)+" "+b.Help().Desc)
			}
		}
		out = append(out, "")
	}
	if s := a.screen(); s != nil {
		for i, bs := range s.FullHelp() {
			name := "this screen"
			if i > 0 {
				name = "the part with the cursor"
			}
			group(name, bs)
		}
	}
	group("everywhere", []key.Binding{k.Escape, k.Back, k.Forward, k.Palette, k.Help, k.Yank, k.YankAddress, k.Explain, k.Export, k.About, k.Mouse, k.Update, k.Follow, k.Suspend, k.Quit, k.Kill})
	group("time travel", k.travel.all())
	out = append(out, "behind : (an address, or a command)")
	for _, c := range a.commands() {
		out = append(out, "  "+format.Pad(c.usage, 18, false)+" "+c.help)
	}
	return out
}
