package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
)

// An entry is one step of the history.
type entry struct {
	address string
	screen  Screen   // nil once it is far back, or of older data: it is made again from its address
	parent  int      // index of the entry it was drilled into from, or -1
	kept    keepsake // where one stood on the screen that is to be made again
}

// keepScreens is how many screens stay alive behind the one in front.
const keepScreens = 24

// escape: what is open in the screen first, then out to where one came from.
func (a *App) escape() tea.Cmd {
	if e, ok := a.screen().(escaper); ok && e.Escape() {
		return nil
	}
	if j := a.stoppable(); j != nil {
		j.stop()
		j.halted = true
		a.status = statusMsg{text: "stopped: " + j.title}
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

// stoppable is the youngest job of the app that a person asked for.
func (a *App) stoppable() (out *job) {
	for _, j := range a.s.jobs.live {
		if j.asked && !j.halted && (out == nil || j.id > out.id) {
			out = j
		}
	}
	return out
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
	a.stay()
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

// stay gives up the way to a user who is still being looked for: one has gone
// elsewhere.
func (a *App) stay() {
	a.going.stop()
	a.going = nil
}

// forget drops the screen of a step; its address stays, and where one stood on it.
func (a *App) forget(i int) {
	s := a.hist[i].screen
	if s == nil {
		return
	}
	if k, ok := s.(keeper); ok {
		a.hist[i].kept = k.Kept()
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
	a.stay()
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
		if k, ok := a.screen().(keeper); ok {
			k.Keep(a.hist[i].kept)
		}
	}
	return a.arrive()
}

// arrive sizes and starts the screen in front.
func (a *App) arrive() tea.Cmd {
	s := a.screen()
	s.SetSize(a.w, a.body())
	return s.Init()
}

// replace changes the address of the screen in front without a step out: what
// sort, filter and as-of do. Where one stood is handed on.
func (a *App) replace(q query.Query) tea.Cmd {
	parent, was, before := a.hist[a.at].parent, a.at, a.screen()
	cmd := a.goTo(q.String(), false)
	if a.at == was {
		return cmd
	}
	a.hist[a.at].parent = parent
	from, had := before.(keeper)
	to, takes := a.screen().(keeper)
	if had && takes && before.Place().Query.Analysis == q.Analysis {
		to.Keep(from.Kept())
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
