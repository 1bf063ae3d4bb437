package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// A ScreenFrames is what one screen of a tour took: Update and View of every
// message that reached it, keys and results alike. What lies over a screen (the
// palette, a text, choices, the form of the question's keys, a line being typed)
// counts apart, under its own name.
type ScreenFrames struct {
	Screen string
	Took   []time.Duration
	Work   []time.Duration // of it on a processor; nil where that is not told
	Slow   string          // the message that took longest, by work where that is told
	Bytes  []int           // that each key sends to the terminal
	Wide   string          // the key that sent most

	slowest time.Duration
	widest  int
}

// A tally keeps the times of a tour.
type tally struct {
	of    map[string]*ScreenFrames
	all   []*ScreenFrames
	lines []string // on the terminal
	clock func() time.Duration
}

// add counts one message that took so long and left a frame.
func (t *tally) add(screen, what string, isKey bool, took, work time.Duration, frame string, width int) {
	f := t.of[screen]
	if f == nil {
		f = &ScreenFrames{Screen: screen}
		t.of[screen] = f
		t.all = append(t.all, f)
	}
	f.Took = append(f.Took, took)
	if t.clock != nil {
		f.Work = append(f.Work, work)
		took = work
	}
	if took > f.slowest || f.Slow == "" {
		f.slowest, f.Slow = took, what
	}
	lines := strings.Split(frame, "\n")
	n := sent(t.lines, lines, width)
	t.lines = lines
	if !isKey {
		return
	}
	f.Bytes = append(f.Bytes, n)
	if n > f.widest {
		f.widest, f.Wide = n, what
	}
}

// sent is how many bytes the library's renderer writes to turn one frame into
// another: lines that are as they were cost a line feed, others are written
// whole, and the rest of a short one is erased.
func sent(was, now []string, width int) (n int) {
	for i, l := range now {
		if i < len(was) && was[i] == l {
			n++
			continue
		}
		n += len(l) + 2
		if ansi.StringWidth(l) < width {
			n += len(ansi.EraseLineRight)
		}
	}
	return n + 8 // the cursor goes up and to the left
}

// step gives the session one message and counts what it took.
func (d *headless) step(msg tea.Msg, what string) {
	var work time.Duration
	timed := d.tally != nil && d.tally.clock != nil
	if timed {
		work = d.tally.clock()
	}
	begin := time.Now()
	_, cmd := d.a.Update(msg)
	frame := d.a.View()
	took := time.Since(begin)
	if timed {
		work = d.tally.clock() - work
	}
	if d.tally != nil {
		_, isKey := msg.(tea.KeyMsg)
		d.tally.add(d.a.shows(), what, isKey, took, work, frame, d.a.w)
	}
	d.start(cmd)
}

func (d *headless) resize(size [2]int) {
	d.step(tea.WindowSizeMsg{Width: size[0], Height: size[1]}, fmt.Sprintf("the size %d×%d", size[0], size[1]))
	if d.tally != nil {
		d.tally.lines = nil
	}
}

// rest delivers until nothing is under way any more, timers included.
func (d *headless) rest(ctx context.Context) error {
	for d.out > 0 {
		select {
		case m := <-d.msgs:
			d.deliver(m)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if d.a.crashed != "" {
		return errors.New(d.a.crashed)
	}
	return nil
}

// press takes keys as Tour describes them.
func (d *headless) press(ctx context.Context, keys string) error {
	stop := d.a.at
	for _, k := range strings.Fields(keys) {
		text, typed := strings.CutPrefix(k, "lit:")
		switch {
		case k == "~":
			if err := d.rest(ctx); err != nil {
				return err
			}
		case k == "back":
			if err := d.back(ctx, stop); err != nil {
				return err
			}
		case typed:
			for _, r := range text {
				d.step(pressed(string(r)), "typing "+string(r))
				d.take()
			}
		default:
			d.step(pressed(k), k)
			d.take()
		}
		if d.a.crashed != "" {
			return errors.New(d.a.crashed)
		}
	}
	return d.back(ctx, stop)
}

// back closes what lies over the screen and goes to a step of the history.
func (d *headless) back(ctx context.Context, stop int) error {
	for range 16 {
		if d.a.mode == modeScreen && d.a.over() == "" && !d.a.typing() {
			break
		}
		d.step(pressed("esc"), "esc")
	}
	for range 16 {
		switch {
		case d.a.at > stop:
			d.step(pressed("["), "[")
		case d.a.at < stop:
			d.step(pressed("]"), "]")
		default:
			return d.rest(ctx)
		}
	}
	return fmt.Errorf("the screen does not come back: %s is in front", d.a.address())
}

// shows names what is in front, as a tour counts it.
func (a *App) shows() string {
	switch a.mode {
	case modePalette:
		return "(palette)"
	case modePrompt:
		return "(line)"
	case modePager:
		return "(text over a screen)"
	case modeChoice:
		return "(choices)"
	}
	s := a.screen()
	if s == nil {
		return "(start)"
	}
	if over := a.over(); over != "" {
		return over
	}
	q := s.Place().Query
	switch {
	case a.typing():
		return "(line)"
	case q.Get("of") != "":
		return q.Analysis + " behind a figure"
	}
	return q.Analysis
}

// over names what a screen shows over itself, "" if nothing.
func (a *App) over() string {
	if o, ok := a.screen().(interface{ Over() string }); ok {
		return o.Over()
	}
	return ""
}
