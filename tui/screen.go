package tui

import (
	"context"
	"io"
	"time"

	"github.com/charmbracelet/bubbles/help"
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/widget"
)

// A Screen is one full view of one address. Screens are pointers: Update changes
// the receiver. A screen never holds another; it asks to leave with openMsg.
type Screen interface {
	Init() tea.Cmd
	Update(tea.Msg) tea.Cmd
	View() string              // a pure function of the fields
	SetSize(width, height int) // the room left by header, status and help
	help.KeyMap                // the help shows exactly what Update accepts

	Place() Place
	Leave() // cancels what runs for the screen alone
}

// A Place is what the header says of a screen.
type Place struct {
	Query    query.Query
	Crumb    string // short: retention, user 17850
	Title    string // with the mode in it
	AsOf     string
	Zone     string
	Group    string // rule or segment in force
	Warnings int
}

// What a screen may offer beside: the app asks by these.
type (
	typist    interface{ Typing() bool }          // a text input has the keys
	escaper   interface{ Escape() bool }          // takes esc itself: clears, cancels
	yanker    interface{ Yank() string }          // y
	explainer interface{ Explain() (key string) } // e: the figure under the cursor
	exporter  interface{ Export() []export }      // x
	keeper    interface {
		Kept() keepsake
		Keep(keepsake)
	} // hands on where it stood to the same question asked in another way
	waiter interface {
		Await(tea.KeyMsg) bool
	} // the key is for what is still being worked out
	failer interface {
		Failed() bool
	} // what was worked out failed
	closer    interface{ Close() }          // gives back what it holds, before it is dropped
	describer interface{ About() []string } // i: definition and warnings
)

// A keepsake is where a person stood on a screen: the part with the focus, and of
// each part, by the name of its block, cursor, marks, columns and sort.
type keepsake struct {
	focus string
	parts map[string]widget.Held
}

// An export is one way to write what a screen shows.
type export struct {
	name  string // proposed file name, its ending says the format
	write func(ctx context.Context, w io.Writer) error
}

// Messages between screens and the app.
type (
	// openMsg goes to an address; from is the screen that was left by drilling in.
	openMsg struct{ address string }
	// replaceMsg asks the question of the screen in front in another way: another
	// sort, another filter, another unit. What the screen kept goes on with it:
	// cursors, marks, hidden columns.
	replaceMsg struct{ q query.Query }
	// outMsg says that the screen in front is done: it goes where esc would lead.
	outMsg struct{ from Screen }
	// addressMsg says that the screen in front has answered its question in another
	// way by itself: it shows another address now.
	addressMsg struct {
		from Screen
		q    query.Query
	}
	// statusMsg shows a sentence and keeps it under :messages.
	statusMsg struct {
		text string
		bad  bool
	}
	// chooseMsg asks which of several ways to take.
	chooseMsg struct {
		title   string
		choices []choice
		at, top int // the cursor, and the first that is shown
	}
	// showMsg shows text over the screen.
	showMsg struct {
		title string
		lines []string
	}
	// dataMsg says that data, dictionary or model have changed.
	dataMsg struct{}
	// restyleMsg says that the theme has changed.
	restyleMsg struct{}
	// copyMsg puts text on the clipboard of whoever sits at the terminal.
	copyMsg struct{ text, what string }
)

// A choice is one way: a key, what it does, and the message it sends.
type choice struct {
	key, label string
	msg        tea.Msg
}

// A session is what every screen is handed.
type session struct {
	desk   *Desk
	keys   keyMap
	styles *widget.Styles // replaced whole when the theme changes
	jobs   *jobs
	// after sends a message later; tests make it at once.
	after func(time.Duration, tea.Msg) tea.Cmd
	data  *query.Data // as last read; nil until then

	posted []tea.Msg // to the app, taken before the next key
}

// post hands the app a message at once. A command would bring it too, but after
// the keys that were typed behind it, and those belong to what it opens.
func (s *session) post(m tea.Msg) tea.Cmd {
	s.posted = append(s.posted, m)
	return nil
}

func (s *session) open(address string) tea.Cmd { return s.post(openMsg{address: address}) }
func (s *session) say(text string) tea.Cmd     { return s.post(statusMsg{text: text}) }
func (s *session) complain(err error) tea.Cmd  { return s.post(statusMsg{text: err.Error(), bad: true}) }

// debounce is how long a preview waits for the next key.
const debounce = 120 * time.Millisecond

// matches is key.Matches, shorter.
func matches(m tea.KeyMsg, b ...key.Binding) bool { return key.Matches(m, b...) }
