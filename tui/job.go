package tui

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
)

// Long work is a job: a command with a context, a number and a progress report.
// A job closes over values, never over a screen; what it found reaches the
// screen as a message that names the job, and a screen takes it only if the job
// is still its own. The registry (jobs) belongs to the app and is touched in
// Update alone; workers touch their context and a channel of one.

// A job is the handle a screen keeps.
type job struct {
	id          int
	title       string
	unit        string // of the progress: events, rows …
	began       time.Time
	done, total int64
	cancel      context.CancelFunc
	next        tea.Cmd // waits for the next report
	owner       Screen  // nil: the app
	asked       bool    // for by the person, of the app: esc stops it
	halted      bool    // by esc; its end is on its way
	quiet       bool    // brings what is on screen up to date: esc leaves the screen, not the job
}

// owns says whether a message speaks of this job; false for a nil job.
func (j *job) owns(id int) bool { return j != nil && j.id == id }

// stop cancels; a nil job is stopped already.
func (j *job) stop() {
	if j != nil {
		j.cancel()
	}
}

// A jobMessage names the job it comes from.
type jobMessage interface{ jobNumber() int }

// progressMsg is a report; reports nobody took are dropped, and the done message
// carries the truth.
type progressMsg struct {
	job         int
	done, total int64
}

// doneMsg is a job's end. A cancelled job ends with err wrapping context.Canceled.
type doneMsg[T any] struct {
	job   int
	value T
	err   error
}

func (m progressMsg) jobNumber() int { return m.job }
func (m doneMsg[T]) jobNumber() int  { return m.job }
func (m doneMsg[T]) failure() error  { return m.err }

// A failed job's message tells its error without its type.
type endMessage interface {
	jobMessage
	failure() error
}

func cancelled(err error) bool { return errors.Is(err, context.Canceled) }

// jobs is the registry.
type jobs struct {
	ctx  context.Context
	last int
	live map[int]*job
	past []pastJob // newest last, at most keepPast
	now  func() time.Time
	pace time.Duration // between two reports that reach the screen

	mu      sync.Mutex
	running sync.WaitGroup
	closed  bool
}

// A pastJob is a line of :jobs.
type pastJob struct {
	title string
	took  time.Duration
	end   string // done, cancelled, or the error
}

const keepPast = 200

func newJobs(ctx context.Context, now func() time.Time, pace time.Duration) *jobs {
	return &jobs{ctx: ctx, live: map[int]*job{}, now: now, pace: pace}
}

// enter lets a worker begin unless the program is ending.
func (js *jobs) enter() bool {
	js.mu.Lock()
	defer js.mu.Unlock()
	if js.closed {
		return false
	}
	js.running.Add(1)
	return true
}

// close cancels every job and refuses new ones; wait returns when the last
// worker has.
func (js *jobs) close() {
	js.mu.Lock()
	js.closed = true
	js.mu.Unlock()
	for _, j := range js.live {
		j.cancel()
	}
}

func (js *jobs) wait() { js.running.Wait() }

// waitFor is wait, but not for ever.
func (js *jobs) waitFor(d time.Duration) {
	done := make(chan struct{})
	go func() {
		js.wait()
		close(done)
	}()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// ofScreens says whether a screen waits for a job.
func (js *jobs) ofScreens() bool {
	for _, j := range js.live {
		if j.owner != nil {
			return true
		}
	}
	return false
}

// aside runs what nobody waits for, as closing a table that a worker may still
// be reading; quitting waits for it.
func (js *jobs) aside(f func()) {
	if !js.enter() {
		return
	}
	go func() {
		defer js.running.Done()
		f()
	}()
}

// errPanic wraps what a worker panicked with.
var errPanic = errors.New("a fault in the program stopped this: please report it with the text below")

// start registers a job and gives the command that runs it. work is given the
// job's context and a report that never blocks.
func start[T any](js *jobs, owner Screen, title, unit string, work func(context.Context, query.Progress) (T, error)) (*job, tea.Cmd) {
	js.last++
	ctx, cancel := context.WithCancel(js.ctx)
	j := &job{id: js.last, title: title, unit: unit, began: js.now(), cancel: cancel, owner: owner}
	js.live[j.id] = j
	id, pace := j.id, js.pace
	reports := make(chan progressMsg, 1)
	ended := make(chan struct{})
	report := func(done, total int64) {
		select {
		case reports <- progressMsg{id, done, total}:
		default: // the last report is still waiting: this one is dropped
		}
	}
	first := true
	j.next = func() tea.Msg {
		if !first && pace > 0 {
			// A slow link shows a few reports a second, not thousands.
			t := time.NewTimer(pace)
			defer t.Stop()
			select {
			case <-t.C:
			case <-ended:
				return nil
			}
		}
		first = false
		select {
		case m := <-reports:
			return m
		case <-ended:
			return nil
		}
	}
	run := func() (msg tea.Msg) {
		defer close(ended)
		defer cancel()
		if !js.enter() {
			return doneMsg[T]{job: id, err: context.Canceled}
		}
		defer js.running.Done()
		defer func() {
			if r := recover(); r != nil {
				msg = doneMsg[T]{job: id, err: fmt.Errorf("%w\n%v\n%s", errPanic, r, debug.Stack())}
			}
		}()
		v, err := work(ctx, report)
		if err == nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		return doneMsg[T]{job: id, value: v, err: err}
	}
	return j, tea.Batch(run, j.next)
}

// note keeps a job's progress for the status line and :jobs.
func (js *jobs) note(m progressMsg) {
	if j := js.live[m.job]; j != nil {
		j.done, j.total = m.done, m.total
	}
}

// end takes a job off the list of the living and returns it.
func (js *jobs) end(m endMessage) *job {
	j := js.live[m.jobNumber()]
	if j == nil {
		return nil
	}
	delete(js.live, j.id)
	p := pastJob{title: j.title, took: js.now().Sub(j.began), end: "done"}
	if err := m.failure(); cancelled(err) {
		p.end = "cancelled"
	} else if err != nil {
		p.end = err.Error()
	}
	if js.past = append(js.past, p); len(js.past) > keepPast {
		js.past = js.past[1:]
	}
	return j
}
