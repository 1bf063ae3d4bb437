package query

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"dwell/model"
)

// splits is into how many ranges the persons are cut, whatever the number of
// workers: results are merged in split order, so that floating sums are the
// same with one worker as with sixteen.
const splits = 64

// Needs says what a pass reads (Run.Scan); see Plan for the fields.
type Needs struct {
	Names   []string
	Columns []string
	Amounts bool
	Sources bool
}

// A Fault is a panic of the computation, turned into an error: a fault of the
// program, not of the question. Its sentence is for the screen, its Stack for
// the log.
type Fault struct {
	Value any // as recovered
	Stack []byte
}

// Error is one sentence.
func (e *Fault) Error() string {
	return fmt.Sprintf("the computation stopped on a fault of the program: %v (the log has the place)", e.Value)
}

// Scan calls visit for every person up to the as-of day who has an event the
// needs let through. fresh makes one accumulator for each split; visit fills it
// and done receives the accumulators in split order, one at a time, so that they
// can be merged into one result. visit is called by several goroutines with
// different accumulators. A split that fails is read a second time into a fresh
// accumulator, never into a half-filled one; a panic becomes an error.
func Scan[T any](r *Run, needs Needs, fresh func() T, visit func(acc T, p *Person) error, done func(acc T) error) error {
	f := model.Filter{Until: r.Cut, Names: needs.Names, Columns: needs.Columns, Sources: needs.Sources, Amounts: needs.Amounts || r.Roles.NeedsAmount()}
	parts := r.Snap.Splits(splits)
	ctx, cancel := context.WithCancel(r.Ctx)
	defer cancel()

	results := make([]chan T, len(parts))
	for i := range results {
		results[i] = make(chan T, 1)
	}
	var (
		next   atomic.Int64
		read   atomic.Int64
		first  error
		once   sync.Once
		wg     sync.WaitGroup
		ticket = make(chan struct{}, 2*r.eng.workers()) // bounds accumulators that wait for their turn
	)
	fail := func(err error) { once.Do(func() { first = err; cancel() }) }
	one := func(i int) (acc T, err error) {
		for try := range 2 {
			acc = fresh()
			var n int64
			if n, err = scanSplit(ctx, r, parts[i], f, func(p *Person) error { return visit(acc, p) }, &read); err == nil {
				return acc, nil
			}
			read.Add(-n)
			var pe *Fault
			if try == 1 || ctx.Err() != nil || errors.As(err, &pe) || !errors.Is(err, errRead) {
				break
			}
		}
		return acc, err
	}
	for range min(r.eng.workers(), len(parts)) {
		wg.Go(func() {
			for {
				select {
				case ticket <- struct{}{}:
				case <-ctx.Done():
					return
				}
				i := int(next.Add(1)) - 1
				if i >= len(parts) {
					return
				}
				acc, err := one(i)
				if err != nil {
					fail(err)
					return
				}
				results[i] <- acc
			}
		})
	}
	var err error
	for i := range parts {
		select {
		case acc := <-results[i]:
			if err = done(acc); err != nil {
				fail(err)
			}
			<-ticket
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	cancel()
	wg.Wait()
	switch {
	case r.Ctx.Err() != nil:
		return r.Ctx.Err()
	case first != nil:
		return first
	}
	return err
}

// errRead marks failures of the source, which may pass: the split is read again.
var errRead = errors.New("the data could not be read")

// scanSplit visits one split's persons, and reports how many events it read.
func scanSplit(ctx context.Context, r *Run, s model.Split, f model.Filter, visit func(*Person) error, read *atomic.Int64) (n int64, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Fault{v, debug.Stack()}
		}
	}()
	var (
		p      Person
		days   []model.Day
		told   int64
		inside error
	)
	err = r.Snap.Scan(ctx, s, f, func(tl *model.Timeline) error {
		days = r.Cal.Days(days[:0], tl)
		model.InDayOrder(days, tl)
		p = Person{TL: tl, Days: days, Row: -1}
		inside = visit(&p)
		n += int64(tl.Len())
		if n-told >= 8192 {
			r.tell(read.Add(n - told))
			told = n
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return inside
	})
	r.tell(read.Add(n - told))
	if err != nil && inside == nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errRead, err)
	}
	return n, err
}

// tell reports progress, in events read of all events.
func (r *Run) tell(done int64) {
	if r.progress != nil {
		r.progress(min(done, r.Info.Events), r.Info.Events)
	}
}

// workers is how many goroutines one run uses: one processor is left to the
// screen.
func (e *Engine) workers() int {
	if e.opt.Workers > 0 {
		return e.opt.Workers
	}
	return max(1, runtime.GOMAXPROCS(0)-1)
}
