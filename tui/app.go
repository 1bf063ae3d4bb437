package tui

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
	_ "dwell/tui/quiet" // ends Bubble Tea's question to the terminal before it is put
	"dwell/tui/widget"
)

// The smallest terminal in which every screen works.
const (
	MinWidth  = 60
	MinHeight = 20
)

// A mode says who has the keys.
type mode int

const (
	modeScreen  mode = iota // the screen in front, after the global keys
	modePalette             // the command line
	modePrompt              // a line for one purpose: a file name
	modePager               // text over the screen: help, messages, an explanation
	modeChoice              // one of several ways
)

// An App is the only tea.Model: it owns what is common to all screens.
type App struct {
	s    *session
	opt  Options
	out  *output
	dark bool

	w, h  int
	mode  mode
	mouse bool
	frame string // what View shows: drawn in Update, so that a panic is caught in one place

	hist []entry
	at   int

	palette  *palettePrompt
	prompt   *prompt
	pager    *pager
	chooser  *chooseMsg
	status   statusMsg
	messages []message
	explain  *job // fills the pager
	find     *job // fills the palette

	answer   answerSwallower // of the terminal to the question for its background
	quitting bool
	crashed  string // the report of a panic
}

// An entry is one step of the history.
type entry struct {
	address string
	screen  Screen // nil once it is far back: it is made again from its address
	parent  int    // index of the entry it was drilled into from, or -1
}

// A message is one line of :messages.
type message struct {
	at   time.Time
	text string
	bad  bool
}

const (
	keepScreens  = 24
	keepMessages = 500
)

func newApp(ctx context.Context, desk *Desk, o Options, out *output) *App {
	if desk.Namer == nil {
		desk.Namer = Clear{}
	}
	if desk.Now == nil {
		desk.Now = time.Now
	}
	a := &App{opt: o, out: out, dark: true, at: -1, mouse: o.Mouse}
	a.s = &session{desk: desk, keys: newKeyMap(), jobs: newJobs(ctx, desk.Now, 100*time.Millisecond),
		after: func(d time.Duration, m tea.Msg) tea.Cmd {
			return tea.Tick(d, func(time.Time) tea.Msg { return m })
		}}
	a.restyle()
	return a
}

// restyle builds the styles of the theme in force.
func (a *App) restyle() {
	a.s.styles = newStyles(newRenderer(a.out, a.opt.Profile, a.dark), a.opt.Theme, a.dark, a.opt.ASCII)
}

// Init reads what the data set is and opens the first screen.
func (a *App) Init() tea.Cmd {
	return tea.Batch(a.readData(), a.goTo(a.opt.address, false))
}

func (a *App) readData() tea.Cmd {
	e := a.s.desk.Engine
	_, cmd := start(a.s.jobs, nil, "read the data set", "", func(ctx context.Context, _ query.Progress) (*query.Data, error) { return e.Data(ctx) })
	return cmd
}

// View is the frame that Update drew.
func (a *App) View() string { return a.frame }

// Update takes one message. A panic below it, in drawing too, ends the program
// in order: jobs cancelled, terminal restored, report kept.
func (a *App) Update(msg tea.Msg) (self tea.Model, cmd tea.Cmd) {
	defer func() {
		if r := recover(); r != nil {
			a.crashed = fmt.Sprintf("%v\n\naddress: %s\nmessage: %T\nsize: %d×%d\n\n%s", r, a.address(), msg, a.w, a.h, debug.Stack())
			a.s.jobs.close()
			a.frame = ""
			self, cmd = a, tea.Quit
		}
	}()
	cmd = a.update(msg)
	a.frame = a.draw()
	return a, cmd
}

func (a *App) update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(tea.KeyMsg); ok {
		return a.keys(m)
	}
	return a.drain(a.handle(msg))
}

// drain takes what screens have posted meanwhile.
func (a *App) drain(cmd tea.Cmd) tea.Cmd {
	for len(a.s.posted) > 0 {
		m := a.s.posted[0]
		a.s.posted = a.s.posted[1:]
		if c := a.handle(m); c != nil {
			cmd = tea.Batch(cmd, c)
		}
	}
	return cmd
}

func (a *App) handle(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.MouseMsg:
		return a.click(msg)
	case tea.WindowSizeMsg:
		first := a.w == 0
		a.w, a.h = msg.Width, msg.Height
		for i := range a.hist {
			if a.hist[i].screen != nil {
				a.hist[i].screen.SetSize(a.w, a.body())
			}
		}
		if first && a.opt.Theme == Auto {
			return a.askBackground()
		}
		return nil
	case jobMessage:
		return a.jobs(msg)
	case openMsg:
		a.mode = modeScreen
		return a.goTo(msg.address, true)
	case replaceMsg:
		cmd := a.replace(msg.q)
		if k, ok := a.screen().(keeper); ok {
			k.Keep(msg.stay)
		}
		return cmd
	case statusMsg:
		a.tell(msg)
		return nil
	case copyMsg:
		return a.copy(msg)
	case chooseMsg:
		a.mode, a.chooser = modeChoice, &msg
		return nil
	case showMsg:
		a.showPager(format.Clean(msg.title), msg.lines)
		return nil
	case dataMsg:
		return a.changed()
	case backgroundMsg:
		a.setDark(msg.dark)
		return nil
	case findMsg:
		return a.runFind(msg)
	}
	if s := a.screen(); s != nil {
		return s.Update(msg)
	}
	return nil
}

// jobs is the road of results: to the screen whose job they name.
func (a *App) jobs(msg jobMessage) tea.Cmd {
	if p, ok := msg.(progressMsg); ok {
		j := a.s.jobs.live[p.job]
		a.s.jobs.note(p)
		switch {
		case j == nil:
			return nil
		case j.owner == nil:
			return j.next
		}
		return j.owner.Update(p)
	}
	end, ok := msg.(endMessage)
	if !ok {
		return nil
	}
	j := a.s.jobs.end(end)
	if j == nil {
		return nil
	}
	if err := end.failure(); err != nil && !cancelled(err) {
		a.keep(message{at: a.s.desk.Now(), text: j.title + ": " + err.Error(), bad: true})
	}
	if j.owner != nil {
		return j.owner.Update(msg)
	}
	return a.own(msg)
}

// own takes the results of the app's own jobs.
func (a *App) own(msg jobMessage) tea.Cmd {
	switch m := msg.(type) {
	case doneMsg[*query.Data]:
		if m.err != nil && !cancelled(m.err) {
			a.status = statusMsg{text: m.err.Error(), bad: true}
			return nil
		}
		a.s.data = m.value
	case doneMsg[*query.Explanation]:
		if a.explain.owns(m.job) && a.mode == modePager {
			a.explain = nil
			a.pager.explain(m.value, m.err)
			a.pager.resize(a.w, a.body())
		}
	case doneMsg[[]query.Found]:
		if a.find.owns(m.job) && a.mode == modePalette {
			a.find = nil
			a.palette.found(m.value, m.err)
		}
	case doneMsg[exported]:
		if m.err == nil {
			a.tell(statusMsg{text: "written to " + m.value.path})
		} else if !cancelled(m.err) {
			a.tell(statusMsg{text: m.err.Error(), bad: true})
		}
	case doneMsg[goUser]:
		if m.err != nil {
			a.status = statusMsg{text: m.err.Error(), bad: true}
			return nil
		}
		return a.goTo(query.Query{Analysis: "user", ID: m.value.id, AsOf: model.NoDay}.String(), true)
	case doneMsg[loaded]:
		return a.afterLoad(m)
	}
	return nil
}

// tell shows a sentence in the status line and keeps it.
func (a *App) tell(m statusMsg) {
	a.status = m
	a.keep(message{at: a.s.desk.Now(), text: m.text, bad: m.bad})
}

func (a *App) keep(m message) {
	if a.messages = append(a.messages, m); len(a.messages) > keepMessages {
		a.messages = a.messages[1:]
	}
}

// keys splits what arrived in one read into single keys, unless a text input has
// the focus or it is a paste. esc and j in one read arrive as alt+j.
func (a *App) keys(m tea.KeyMsg) tea.Cmd {
	if a.answer.swallow(m) {
		if dark, ok := a.answer.take(); ok {
			a.setDark(dark)
		}
		return nil
	}
	if m.Type != tea.KeyRunes || m.Paste || len(m.Runes) < 2 && !m.Alt || a.typing() && !m.Alt {
		return a.drain(a.key(m))
	}
	if a.typing() {
		return a.drain(a.key(m)) // alt and a letter edits the line
	}
	var cmds []tea.Cmd
	if m.Alt {
		cmds = append(cmds, a.drain(a.key(tea.KeyMsg{Type: tea.KeyEsc})))
	}
	for _, r := range m.Runes {
		k := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}
		if r == ' ' {
			k.Type = tea.KeySpace
		}
		cmds = append(cmds, a.drain(a.key(k)))
	}
	return tea.Batch(cmds...)
}

// typing says whether a text input has the keys.
func (a *App) typing() bool {
	if a.mode == modePalette || a.mode == modePrompt {
		return true
	}
	t, ok := a.screen().(typist)
	return a.mode == modeScreen && ok && t.Typing()
}

// key is one key: to whoever has the keys in this mode.
func (a *App) key(m tea.KeyMsg) tea.Cmd {
	k := &a.s.keys
	if matches(m, k.Kill) {
		return a.quit()
	}
	if a.small() {
		if matches(m, k.Quit) {
			return a.quit()
		}
		return nil
	}
	switch a.mode {
	case modePalette:
		return a.paletteKey(m)
	case modePrompt:
		return a.promptKey(m)
	case modePager:
		return a.pagerKey(m)
	case modeChoice:
		return a.choiceKey(m)
	}
	s := a.screen()
	if s == nil {
		if matches(m, k.Quit) {
			return a.quit()
		}
		return nil
	}
	if a.typing() {
		return s.Update(m)
	}
	a.status = statusMsg{}
	switch {
	case matches(m, k.Quit):
		return a.quit()
	case matches(m, k.Help):
		a.showPager("keys", a.helpLines())
	case matches(m, k.Palette):
		a.mode, a.palette = modePalette, newPalettePrompt(a)
	case matches(m, k.Back):
		return a.show(a.at - 1)
	case matches(m, k.Forward):
		return a.show(a.at + 1)
	case matches(m, k.Escape):
		return a.escape()
	case matches(m, k.YankAddress):
		return a.copy(copyMsg{text: a.address(), what: "address"})
	case matches(m, k.Yank):
		if y, ok := s.(yanker); ok {
			if t := y.Yank(); t != "" {
				return a.copy(copyMsg{text: t, what: "row"})
			}
		}
		a.status = statusMsg{text: "there is no row to copy here"}
	case matches(m, k.Explain):
		return a.explainKey()
	case matches(m, k.Export):
		return a.exportKey("")
	case matches(m, k.About):
		if d, ok := s.(describer); ok {
			a.showPager(s.Place().Title, d.About())
		}
	case matches(m, k.Mouse):
		return a.toggleMouse()
	default:
		return s.Update(m)
	}
	return nil
}

// escape: what is open in the screen first, then out to where one came from.
func (a *App) escape() tea.Cmd {
	if e, ok := a.screen().(escaper); ok && e.Escape() {
		return nil
	}
	if p := a.hist[a.at].parent; p >= 0 {
		return a.show(p)
	}
	if a.screen().Place().Query.Analysis != home {
		return a.goTo(home, false)
	}
	a.status = statusMsg{text: "this is the outermost screen: q quits"}
	return nil
}

// home is the address of the outermost screen.
const home = "overview"

func (a *App) screen() Screen {
	if a.at < 0 || a.at >= len(a.hist) {
		return nil
	}
	return a.hist[a.at].screen
}

func (a *App) address() string {
	if a.at < 0 || a.at >= len(a.hist) {
		return a.opt.address
	}
	return a.hist[a.at].address
}

// goTo opens an address as a new step of the history; drilled says that the
// screen in front is where esc leads back to.
func (a *App) goTo(address string, drilled bool) tea.Cmd {
	q, err := query.Parse(address)
	if err != nil {
		a.tell(statusMsg{text: err.Error(), bad: true})
		if a.at < 0 && address != home { // the first address was wrong: there must be a screen all the same
			return a.goTo(home, false)
		}
		return nil
	}
	parent := -1
	if drilled && a.at >= 0 {
		parent = a.at
	}
	canonical := q.String()
	if a.at >= 0 && a.hist[a.at].address == canonical {
		return nil
	}
	if s := a.screen(); s != nil {
		s.Leave()
	}
	for i := a.at + 1; i < len(a.hist); i++ {
		a.forget(i)
	}
	a.hist = append(a.hist[:a.at+1], entry{address: canonical, screen: newScreen(a.s, q), parent: parent})
	a.at = len(a.hist) - 1
	if far := a.at - keepScreens; far >= 0 {
		a.forget(far)
	}
	return a.arrive()
}

// forget drops the screen of a step; its address stays.
func (a *App) forget(i int) {
	s := a.hist[i].screen
	if s == nil {
		return
	}
	s.Leave()
	if c, ok := s.(closer); ok {
		c.Close()
	}
	a.hist[i].screen = nil
}

// show goes to a step of the history.
func (a *App) show(i int) tea.Cmd {
	if i < 0 || i >= len(a.hist) {
		a.status = statusMsg{text: "there is nothing further that way"}
		return nil
	}
	if s := a.screen(); s != nil {
		s.Leave()
	}
	a.at = i
	if a.hist[i].screen == nil {
		q, err := query.Parse(a.hist[i].address)
		if err != nil {
			a.tell(statusMsg{text: err.Error(), bad: true})
			return nil
		}
		a.hist[i].screen = newScreen(a.s, q)
	}
	return a.arrive()
}

// arrive sizes and starts the screen in front.
func (a *App) arrive() tea.Cmd {
	s := a.screen()
	s.SetSize(a.w, a.body())
	if a.s.desk.Remember != nil {
		a.s.desk.Remember(a.hist[a.at].address)
	}
	return s.Init()
}

// replace changes the address of the screen in front without a step out: what
// sort, filter and as-of do.
func (a *App) replace(q query.Query) tea.Cmd {
	parent, was := a.hist[a.at].parent, a.at
	cmd := a.goTo(q.String(), false)
	if a.at != was {
		a.hist[a.at].parent = parent
	}
	return cmd
}

// changed tells the screen in front that the data are others now. Screens in
// the history are made anew when somebody comes back to them.
func (a *App) changed() tea.Cmd {
	cmds := []tea.Cmd{a.readData()}
	for i := range a.hist {
		switch s := a.hist[i].screen; {
		case s == nil:
		case i == a.at:
			cmds = append(cmds, s.Update(dataMsg{}))
		default:
			a.forget(i)
		}
	}
	return tea.Batch(cmds...)
}

// setTheme changes the colours of all screens.
func (a *App) setTheme(t Theme) {
	a.opt.Theme = t
	a.restyle()
	for i := range a.hist {
		if s := a.hist[i].screen; s != nil {
			s.Update(restyleMsg{})
		}
	}
}

func (a *App) setDark(dark bool) {
	if dark != a.dark {
		a.dark = dark
		a.setTheme(a.opt.Theme)
	}
}

func (a *App) toggleMouse() tea.Cmd {
	a.mouse = !a.mouse
	if a.mouse {
		a.status = statusMsg{text: "the mouse selects and scrolls; M gives it back to the terminal"}
		return tea.EnableMouseCellMotion
	}
	a.status = statusMsg{text: "the mouse belongs to the terminal again"}
	return tea.DisableMouse
}

// click gives a mouse event to the screen in front, in the screen's own cells.
func (a *App) click(m tea.MouseMsg) tea.Cmd {
	if a.small() {
		return nil
	}
	if a.mode == modePager {
		switch m.Button {
		case tea.MouseButtonWheelUp:
			a.pager.text.Wheel(-3)
		case tea.MouseButtonWheelDown:
			a.pager.text.Wheel(3)
		}
		return nil
	}
	if a.mode != modeScreen || a.screen() == nil {
		return nil
	}
	if m.Y -= headLines; m.Y < 0 || m.Y >= a.body() {
		return nil
	}
	return a.screen().Update(m)
}

// quit cancels every job and waits for the workers, in a command: the screen
// stays alive meanwhile. Asked twice, it does not wait.
func (a *App) quit() tea.Cmd {
	if a.quitting {
		return tea.Quit
	}
	a.quitting = true
	js := a.s.jobs
	for i := range a.hist {
		if c, ok := a.hist[i].screen.(closer); ok {
			c.Close()
		}
	}
	js.close()
	a.status = statusMsg{text: "stopping what runs …"}
	return func() tea.Msg {
		js.wait()
		return tea.QuitMsg{}
	}
}

// choiceKey takes the keys of the choice that is open.
func (a *App) choiceKey(m tea.KeyMsg) tea.Cmd {
	c := a.chooser
	if matches(m, a.s.keys.Escape) || matches(m, a.s.keys.Quit) {
		a.mode, a.chooser = modeScreen, nil
		return nil
	}
	for i := range c.choices {
		if m.String() == c.choices[i].key || i == 0 && matches(m, a.s.keys.Enter) {
			a.mode, a.chooser = modeScreen, nil
			return a.s.post(c.choices[i].msg)
		}
	}
	return nil
}

// explainKey explains the figure under the cursor, over the screen.
func (a *App) explainKey() tea.Cmd {
	x, ok := a.screen().(explainer)
	if !ok {
		a.status = statusMsg{text: "there is no figure to explain here"}
		return nil
	}
	key := x.Explain()
	if key == "" {
		a.status = statusMsg{text: "no figure is under the cursor"}
		return nil
	}
	q, e := a.screen().Place().Query, a.s.desk.Engine
	a.showPager("explain "+key, []string{"working …"})
	var cmd tea.Cmd
	a.explain.stop()
	a.explain, cmd = start(a.s.jobs, nil, "explain "+key, "events", func(ctx context.Context, p query.Progress) (*query.Explanation, error) {
		return e.Explain(ctx, q, key, p)
	})
	return cmd
}

func (a *App) showPager(title string, lines []string) {
	a.mode = modePager
	a.pager = newPager(a.s, title, lines)
	a.pager.resize(a.w, a.body())
}

func (a *App) pagerKey(m tea.KeyMsg) tea.Cmd {
	k := &a.s.keys
	switch {
	case matches(m, k.Escape), matches(m, k.Quit), matches(m, k.Help), matches(m, k.Enter):
		a.explain.stop()
		a.mode, a.explain, a.pager = modeScreen, nil, nil
	case matches(m, k.Yank):
		return a.copy(copyMsg{text: a.pager.text.Yank(), what: "text"})
	default:
		if address := a.pager.link(m); address != "" {
			a.pager = nil
			return a.s.open(address)
		}
		a.pager.text.Key(m)
	}
	return nil
}

// A pager shows text over the screen; numbered links lead on.
type pager struct {
	title string
	text  *widget.Text
	links []string
}

func newPager(s *session, title string, lines []string) *pager {
	return &pager{title: title, text: widget.NewText(s.styles, s.keys.w, title, lines)}
}

func (p *pager) resize(w, h int) { p.text.SetSize(w, h) }

// link is the address behind a digit, "" if none.
func (p *pager) link(m tea.KeyMsg) string {
	s := m.String()
	if len(s) == 1 && s[0] >= '1' && s[0] <= '9' && int(s[0]-'1') < len(p.links) {
		return p.links[s[0]-'1']
	}
	return ""
}

// explain fills the pager with what a figure is.
func (p *pager) explain(x *query.Explanation, err error) {
	if err != nil {
		p.text.SetLines([]string{err.Error()})
		return
	}
	lines := []string{explainTitle(x), ""}
	for _, l := range x.Lines {
		head := l.Head
		if l.Go != "" && len(p.links) < 9 {
			p.links = append(p.links, l.Go)
			head += fmt.Sprintf("  [%d opens it]", len(p.links))
		}
		lines = append(lines, head)
		for _, t := range strings.Split(l.Text, "\n") {
			lines = append(lines, "  "+t)
		}
		lines = append(lines, "")
	}
	p.text.SetLines(lines)
}
