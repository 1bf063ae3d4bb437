package tui

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
	_ "dwell/tui/quiet" // ends Bubble Tea's question to the terminal before it is put
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
	going    *job // leads to the user who was looked for, unless one goes elsewhere
	follow   follower

	ahead    []tea.KeyMsg // typed before the screen in front could take them
	catching bool         // they are being handed on

	answer   answerSwallower // of the terminal to the question for its background
	quitting bool
	hurry    bool   // asked to quit twice: nothing is waited for
	crashed  string // the report of a panic
}

// A message is one line of :messages.
type message struct {
	at   time.Time
	text string
	bad  bool
}

const keepMessages = 500

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
	a.s.keys.Suspend.SetEnabled(desk.Suspend != nil)
	a.s.keys.Update.SetEnabled(desk.News != nil)
	a.s.keys.Follow.SetEnabled(desk.News != nil)
	a.follow.auto = desk.Auto
	return a
}

// restyle builds the styles of the theme in force.
func (a *App) restyle() {
	a.s.styles = newStyles(newRenderer(a.out, a.opt.Profile, a.dark), a.opt.Theme, a.dark, a.opt.ASCII)
}

// Init reads what the data set is and opens the first screen.
func (a *App) Init() tea.Cmd {
	return tea.Batch(a.readData(), a.goTo(a.opt.address, false), a.awaitNews())
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
	cmd := a.drain(a.handle(msg))
	return tea.Batch(cmd, a.catchUp())
}

// keepAhead bounds the keys that wait for a screen.
const keepAhead = 256

// awaits says whether a key is for what the screen in front still works out, or
// stands behind one that is. Such keys are typed ahead: they are kept.
func (a *App) awaits(m tea.KeyMsg) bool {
	if a.s.keys.isAside(m) {
		return false
	}
	w, ok := a.screen().(waiter)
	return ok && w.Await(m) || len(a.ahead) > 0 && !a.catching
}

// catchUp hands on what was typed ahead, as far as it can be taken now. Keys that
// were meant for an answer that failed are dropped: r or o would act on the failure.
func (a *App) catchUp() tea.Cmd {
	var cmds []tea.Cmd
	a.catching = true
	defer func() { a.catching = false }()
	for len(a.ahead) > 0 {
		if f, ok := a.screen().(failer); ok && f.Failed() || a.quitting {
			a.ahead = nil
			break
		}
		m := a.ahead[0]
		if a.mode == modeScreen && !a.typing() && a.awaits(m) {
			break
		}
		a.ahead = a.ahead[1:]
		cmds = append(cmds, a.drain(a.key(m)))
	}
	return tea.Batch(cmds...)
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
		return a.replace(msg.q)
	case outMsg:
		if a.screen() != msg.from {
			return nil
		}
		said := a.status
		cmd := a.escape()
		a.status = said
		return cmd
	case addressMsg:
		if a.screen() == msg.from {
			a.hist[a.at].address = msg.q.String()
		}
		return nil
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
	case newsMsg:
		return a.news(msg.News)
	case resumedMsg:
		return a.resumed(msg)
	case newsTick:
		a.follow.waits = false
		return a.showByItself()
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
		return tea.Batch(j.owner.Update(msg), a.showByItself())
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
	case doneMsg[kept]:
		if m.err != nil {
			a.tell(statusMsg{text: m.err.Error(), bad: true})
		} else {
			a.tell(statusMsg{text: "kept as " + m.value.name + ": :bookmarks goes there"})
		}
	case doneMsg[[]choice]:
		switch {
		case m.err != nil:
			a.tell(statusMsg{text: m.err.Error(), bad: true})
		case len(m.value) == 0:
			a.tell(statusMsg{text: "nothing has been kept yet: :bookmark NAME keeps this screen"})
		default:
			a.mode, a.chooser = modeChoice, &chooseMsg{title: "bookmarks", choices: m.value}
		}
	case doneMsg[goUser]:
		if !a.going.owns(m.job) {
			return nil // meanwhile one has gone elsewhere
		}
		a.going = nil
		if m.err != nil && !cancelled(m.err) {
			a.status = statusMsg{text: m.err.Error(), bad: true}
		}
		if m.err != nil {
			return nil
		}
		return a.goTo(query.Query{Analysis: "user", ID: m.value.id, AsOf: model.NoDay}.String(), true)
	case doneMsg[newsRead]:
		return a.afterNews(m)
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
