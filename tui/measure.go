package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"
)

// Frames drives a session without a terminal, as dwell bench does: it opens an
// address at 120×40, waits until it is drawn, and then presses each key once,
// timing Update and View together. Whatever the keys start (a window of rows, a
// preview) runs beside them, as it does for a person, and its results are drawn
// between two keys.
func Frames(ctx context.Context, desk *Desk, address string, keys []string) ([]time.Duration, error) {
	d := newSession(ctx, desk, address)
	defer d.close()
	if err := d.settle(ctx); err != nil {
		return nil, err
	}
	if d.a.crashed != "" {
		return nil, errors.New(d.a.crashed)
	}
	var out []time.Duration
	for _, k := range keys {
		begin := time.Now()
		_, cmd := d.a.Update(pressed(k))
		_ = d.a.View()
		out = append(out, time.Since(begin))
		d.start(cmd)
		d.take()
		if d.a.crashed != "" {
			return nil, errors.New(d.a.crashed)
		}
	}
	return out, ctx.Err()
}

// Hold opens a session at an address and keeps it until close is called: what a
// further session of a process takes is measured around it.
func Hold(ctx context.Context, desk *Desk, address string) (close func(), err error) {
	d := newSession(ctx, desk, address)
	if err := d.settle(ctx); err != nil {
		d.close()
		return nil, err
	}
	return d.close, nil
}

// A headless session runs its commands in goroutines and draws nowhere.
type headless struct {
	a      *App
	cancel context.CancelFunc
	ctx    context.Context
	msgs   chan tea.Msg
	out    int // commands under way
	tally  *tally
}

func newSession(ctx context.Context, desk *Desk, address string) *headless {
	ctx, cancel := context.WithCancel(ctx)
	own := *desk
	a := newApp(ctx, &own, Options{Out: io.Discard, Profile: termenv.ANSI256, Theme: Dark, Mute: true, address: address}, &output{w: io.Discard})
	d := &headless{a: a, cancel: cancel, ctx: ctx, msgs: make(chan tea.Msg, 64)}
	d.start(a.Init())
	_, cmd := a.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
	d.start(cmd)
	return d
}

// pressed is the message of a key by its name.
func pressed(k string) tea.KeyMsg {
	named := map[string]tea.KeyType{"pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "up": tea.KeyUp, "down": tea.KeyDown,
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "backspace": tea.KeyBackspace}
	if t, ok := named[k]; ok {
		return tea.KeyMsg{Type: t}
	}
	if k == "space" {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
}

// start runs a command beside the session; a batch is many.
func (d *headless) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	d.out++
	go func() {
		select {
		case d.msgs <- cmd():
		case <-d.ctx.Done():
		}
	}()
}

// deliver hands one message to the session; a batch's commands are started.
func (d *headless) deliver(msg tea.Msg) {
	d.out--
	switch m := msg.(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range m {
			d.start(c)
		}
	default:
		// A sequence is of the library's own type, a list of commands: begun
		// together here, for nothing that is measured needs their order.
		if v := reflect.ValueOf(msg); v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[tea.Cmd]() {
			for i := range v.Len() {
				d.start(v.Index(i).Interface().(tea.Cmd))
			}
			return
		}
		d.step(msg, messageName(msg))
	}
}

// messageName is what a tour calls a result.
func messageName(msg tea.Msg) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", msg), "tui.")
}

// take delivers what has come.
func (d *headless) take() {
	for {
		select {
		case m := <-d.msgs:
			d.deliver(m)
		default:
			return
		}
	}
}

// settle delivers until no job is left.
func (d *headless) settle(ctx context.Context) error {
	for d.out > 0 {
		select {
		case m := <-d.msgs:
			d.deliver(m)
		case <-ctx.Done():
			return ctx.Err()
		}
		if len(d.a.s.jobs.live) == 0 && d.a.s.data != nil {
			d.take()
			return nil
		}
	}
	return nil
}

func (d *headless) close() {
	d.a.s.jobs.close()
	d.cancel()
	d.a.s.jobs.wait()
}
