package query

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// A flight is one run that several askers wait for. It runs under its own
// context, which ends when the last asker has gone: one who leaves does not stop
// the others.
type flight struct {
	cancel context.CancelFunc
	done   chan struct{}
	answer *Answer
	err    error

	mu      sync.Mutex
	waiting int
	told    map[int]Progress
	ids     int
}

func (f *flight) tell(done, total int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.told {
		p(done, total)
	}
}

// share runs one question, or waits for the run of the same question that is
// already under way. finish is called once this caller's state is not needed.
func (e *Engine) share(ctx context.Context, key string, p Progress, run func(context.Context, Progress) (*Answer, error), finish func() error) (*Answer, error) {
	e.mu.Lock()
	f, running := e.flights[key]
	if running {
		running = f.join()
	}
	if !running {
		inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f = &flight{cancel: cancel, done: make(chan struct{}), waiting: 1, told: map[int]Progress{}}
		e.flights[key] = f
		go e.fly(inner, key, f, run, finish)
	}
	e.mu.Unlock()
	if running {
		if err := finish(); err != nil {
			return nil, err
		}
	}
	id := f.listen(p)
	defer f.leave(id)
	select {
	case <-f.done:
		return f.answer, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fly waits for a free place, runs and tells the result.
func (e *Engine) fly(ctx context.Context, key string, f *flight, run func(context.Context, Progress) (*Answer, error), finish func() error) {
	defer f.cancel()
	select {
	case e.jobs <- struct{}{}:
		f.answer, f.err = guarded(func() (*Answer, error) { return run(ctx, f.tell) })
		<-e.jobs
	case <-ctx.Done():
		f.err = ctx.Err()
	}
	if err := finish(); err != nil && f.err == nil {
		f.err = fmt.Errorf("after the answer: %w", err)
	}
	e.mu.Lock()
	if e.flights[key] == f {
		delete(e.flights, key)
	}
	e.mu.Unlock()
	close(f.done)
}

// guarded turns a panic into an error.
func guarded[T any](fn func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Fault{p, debug.Stack()}
		}
	}()
	return fn()
}

// join adds an asker; false if the flight has been given up.
func (f *flight) join() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == 0 {
		return false
	}
	f.waiting++
	return true
}

func (f *flight) listen(p Progress) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids++
	if p != nil {
		f.told[f.ids] = p
	}
	return f.ids
}

func (f *flight) leave(id int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.told, id)
	f.waiting--
	if f.waiting == 0 {
		f.cancel()
	}
}
