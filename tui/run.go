package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"
)

// Options are what a session knows of its terminal.
type Options struct {
	In      io.Reader
	Out     io.Writer
	Profile termenv.Profile // ProfileOf the environment
	Theme   Theme
	ASCII   bool
	Mouse   bool
	Mute    bool // never ask the terminal anything

	address string
}

// Run shows the explorer from an address until the person quits, and returns
// the address that was on screen last. The terminal is restored whatever
// happens; after a panic the error says where the report lies.
func Run(ctx context.Context, desk *Desk, o Options, address string) (last string, err error) {
	if o.Theme == "" {
		o.Theme = Auto
	}
	if o.Profile == termenv.Ascii || o.Theme == Mono {
		o.Mute = true // colours that are not drawn need no background
	}
	o.address = address
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &output{w: o.Out}
	a := newApp(ctx, desk, o, out)
	// Signals end ctx. The library's own handler waits for a loop that has ended with it,
	// and the program would never end.
	opts := []tea.ProgramOption{tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithInput(o.In), tea.WithOutput(out.forProgram()), tea.WithAltScreen(), tea.WithFPS(30)}
	if o.Mouse {
		opts = append(opts, tea.WithMouseCellMotion())
	}
	_, err = tea.NewProgram(a, opts...).Run()
	cancel()
	a.s.jobs.close()
	switch {
	case a.hurry:
	case a.crashed != "":
		a.s.jobs.waitFor(2 * time.Second) // a worker may hang on what has faulted
	default:
		a.s.jobs.wait()
	}
	if desk.Remember != nil && a.crashed == "" {
		desk.Remember(a.address()) // not a screen that faults: it would fault again
	}
	if a.crashed == "" && errors.Is(err, tea.ErrProgramPanic) {
		a.crashed = err.Error()
	}
	if a.crashed != "" {
		return a.address(), crashError(desk, a.crashed)
	}
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil || errors.Is(err, tea.ErrInterrupted) {
		err = nil // told to stop from outside: that is an end like another
	}
	return a.address(), err
}

// crashError keeps the report and says where.
func crashError(desk *Desk, report string) error {
	what, _, _ := strings.Cut(report, "\n")
	if desk.Crash == nil {
		return fmt.Errorf("a fault in the program ended it: %s\n%s", what, report)
	}
	path, err := desk.Crash(report)
	if err != nil {
		return fmt.Errorf("a fault in the program ended it: %s (its report could not be kept: %w)\n%s", what, err, report)
	}
	return fmt.Errorf("a fault in the program ended it: %s; the report is in %s", what, path)
}

// An output lets the program's renderer and the session's own sequences (the
// clipboard, the question for the background) share a terminal without one
// landing within the other.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

// A terminalFile is what the library needs to see in an output to learn its size.
type terminalFile interface {
	io.ReadWriteCloser
	Fd() uintptr
}

type sharedTerminal struct {
	terminalFile
	o *output
}

func (s sharedTerminal) Write(p []byte) (int, error) { return s.o.Write(p) }

func (o *output) forProgram() io.Writer {
	if f, ok := o.w.(terminalFile); ok {
		return sharedTerminal{f, o}
	}
	return o
}

// backgroundMsg is the terminal's answer.
type backgroundMsg struct{ dark bool }

// askBackground asks the terminal for its background once the first frame is
// out. The answer comes as keys; whoever never answers has lost nothing.
func (a *App) askBackground() tea.Cmd {
	if a.opt.Mute {
		return nil
	}
	a.answer.until = a.s.desk.Now().Add(answerWithin)
	a.answer.now = a.s.desk.Now
	out := a.out
	return tea.Tick(300*time.Millisecond, func(time.Time) tea.Msg {
		// If it cannot be written there will be no answer, which is allowed for.
		_, _ = io.WriteString(out, "\x1b]11;?\x1b\\")
		return nil
	})
}

// answerWithin is how long keys are looked at for the terminal's answer.
const answerWithin = 3 * time.Second

// An answerSwallower takes the terminal's answer out of the keys:
// ESC ] 11;rgb:RRRR/GGGG/BBBB, ended by BEL or ESC \. The library reads it as
// alt+], letters, and ctrl+g or alt+\.
type answerSwallower struct {
	until  time.Time
	now    func() time.Time
	inside bool
	text   strings.Builder
	dark   bool
	known  bool
}

// swallow says whether the key belongs to the answer.
func (s *answerSwallower) swallow(m tea.KeyMsg) bool {
	if s.now == nil {
		return false
	}
	if !s.inside {
		if s.now().After(s.until) {
			s.now = nil
			return false
		}
		s.inside = m.Type == tea.KeyRunes && m.Alt && string(m.Runes) == "]"
		return s.inside
	}
	end := m.Type == tea.KeyCtrlG || m.Alt && string(m.Runes) == `\`
	if !end && m.Type == tea.KeyRunes && s.text.Len()+len(m.Runes) < 64 {
		s.text.WriteString(string(m.Runes))
		return true
	}
	s.inside, s.now = false, nil
	s.dark, s.known = isDark(s.text.String())
	return end
}

// take is the answer, once.
func (s *answerSwallower) take() (dark, ok bool) {
	ok, s.known = s.known, false
	return s.dark, ok
}

// isDark reads 11;rgb:RRRR/GGGG/BBBB (one to four digits each).
func isDark(s string) (dark, ok bool) {
	_, rgb, found := strings.Cut(s, "rgb:")
	if !found {
		return false, false
	}
	var c [3]float64
	for i, part := range strings.SplitN(rgb, "/", 3) {
		var v uint64
		if n, err := fmt.Sscanf(part, "%x", &v); n != 1 || err != nil || len(part) > 4 {
			return false, false
		}
		c[i] = float64(v) / (float64(uint64(1)<<(4*len(part))) - 1)
	}
	return 0.299*c[0]+0.587*c[1]+0.114*c[2] < 0.5, true
}
