package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"dwell/model"
)

// reserve is the room on disk that a load leaves untouched, for Badger's logs
// and for the tables that compaction writes before it removes the old ones.
const reserve = 128 << 20

// Begin starts a load. It fails with ErrReadOnly, ErrBusy or ErrNoSpace.
func (s *Store) Begin(ctx context.Context, plan model.LoadPlan) (model.Loader, error) {
	if s.opt.ReadOnly {
		return nil, fmt.Errorf("%s: %w: a load needs it alone", s.dir, ErrReadOnly)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, model.ErrClosed
	}
	if s.loading {
		return nil, fmt.Errorf("%s: %w", s.dir, ErrBusy)
	}
	var need int64
	for _, src := range plan.Sources {
		need += src.Bytes
	}
	// Packed, a file takes about a third of its size, and as much again while it
	// is spilled; compressed files more.
	if err := s.room(need); err != nil {
		return nil, err
	}
	l := &loader{st: s, ctx: ctx, plan: plan, names: newNumbering(), keys: newNumbering()}
	l.turn.L = &l.mu
	l.stop = context.AfterFunc(ctx, func() { l.fail(ctx.Err()) })
	s.loading = true
	return l, nil
}

// room checks that need bytes fit beside the reserve.
func (s *Store) room(need int64) error {
	free, err := s.opt.Free(s.dir)
	if err != nil {
		return nil // a file system that cannot say is not a reason to refuse
	}
	if want := uint64(max(need, 0)) + reserve; free < want {
		return fmt.Errorf("%s: %w: %d MiB are free and %d MiB are needed; free some, or name another directory with --db",
			s.dir, ErrNoSpace, free>>20, (want+1<<20-1)>>20)
	}
	return nil
}

// A loader takes the rows of one load: each Add resolves strings to ids, waits
// for its turn to number the new ones, and appends the rows to the pieces of its
// worker.
type loader struct {
	st   *Store
	ctx  context.Context
	plan model.LoadPlan
	stop func() bool

	mu   sync.Mutex
	turn sync.Cond
	next int // the Seq whose turn it is
	rows int64
	// lastSource is the greatest source any row names.
	lastSource int
	err        error // the first failure; every later call gives it
	ended      bool  // committed or aborted
	active     int   // calls of Add under way
	free       []*loadWorker
	workers    []*loadWorker

	// Added to only by the batch whose turn it is, under mu.
	names  *numbering
	keys   *numbering
	values []*numbering // of each key
	coded  int          // values numbered so far, of all keys

	spill spill
}

var _ model.Loader = (*loader)(nil)

// A loadWorker is what one Add at a time uses: its caches and its pieces.
type loadWorker struct {
	ordinal int // in loader.workers
	names   *stringCache
	keys    map[string]uint32
	values  []*stringCache // of each key
	nums    []*numbering   // of each key: the load's own
	bufs    [buckets]pieceWriter
	bytes   int64

	// Of the batch at hand.
	nameIDs []uint32
	cols    []batchColumn
	sparse  sparseCells
	tail    []byte
}

// batchColumn is one property of the batch at hand.
type batchColumn struct {
	key  uint32
	vals [][]byte
	at   []int32 // their rows; nil: all
	ids  []uint32
	nums *numbering
	miss bool
}

// Add takes one batch.
func (l *loader) Add(b *model.Batch) error {
	if err := checkBatch(b, len(l.plan.Sources)); err != nil {
		return l.fail(err)
	}
	w, err := l.worker()
	if err != nil {
		return err
	}
	defer l.give(w)
	w.resolve(b)
	first, err := l.number(w, b)
	if err != nil {
		return err
	}
	if err := w.rows(b, first); err != nil {
		return l.fail(err)
	}
	if w.bytes >= l.share() {
		if err := l.st.room(w.bytes); err != nil {
			return l.fail(err)
		}
		if err := l.spill.write(l.st.dir, w.ordinal, &w.bufs); err != nil {
			return l.fail(noSpace(l.st.dir, err))
		}
		w.bytes = 0
	}
	return nil
}

// noSpace gives a full disk its own sentence.
func noSpace(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%s: %w: %w; free some, or name another directory with --db", dir, ErrNoSpace, err)
	}
	return err
}

// share is what one worker's pieces may take: a quarter of the budget in all.
func (l *loader) share() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.st.opt.Memory/4/int64(max(len(l.workers), 2)), 16<<10)
}

// fail records the first failure, wakes who waits, and gives that failure.
func (l *loader) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	l.turn.Broadcast()
	return l.err
}

func checkBatch(b *model.Batch, sources int) error {
	n := b.Len()
	if len(b.User) != n || len(b.Event) != n || b.Dated != nil && len(b.Dated) != n || b.Amount != nil && len(b.Amount) != n {
		return fmt.Errorf("batch %d has columns of different lengths", b.Seq)
	}
	if b.Source < 0 || b.Source >= max(sources, 1) {
		return fmt.Errorf("batch %d names source %d of %d", b.Seq, b.Source, sources)
	}
	for i := range n {
		if len(b.User[i]) == 0 || len(b.User[i]) > maxUser || len(b.Event[i]) == 0 {
			return fmt.Errorf("batch %d, row %d: a user id has 1 to %d bytes and an event a name", b.Seq, i, maxUser)
		}
	}
	for i := range b.Props {
		p := &b.Props[i]
		if p.At == nil && len(p.Values) != n || p.At != nil && !ascending(p.At, len(p.Values), n) {
			return fmt.Errorf("batch %d has columns of different lengths", b.Seq)
		}
	}
	return nil
}

// ascending says that at are so many rows of n, each once.
func ascending(at []int32, want, n int) bool {
	for i, r := range at {
		if r < 0 || int(r) >= n || i > 0 && at[i-1] >= r {
			return false
		}
	}
	return len(at) == want
}

func (l *loader) worker() (*loadWorker, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	if l.ended {
		return nil, errors.New("the load has ended")
	}
	l.active++
	if n := len(l.free); n > 0 {
		w := l.free[n-1]
		l.free = l.free[:n-1]
		return w, nil
	}
	w := &loadWorker{ordinal: len(l.workers), names: newStringCache(), keys: map[string]uint32{}}
	l.workers = append(l.workers, w)
	return w, nil
}

func (l *loader) give(w *loadWorker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, w)
	l.active--
	l.turn.Broadcast() // Abort may be waiting
}

// Abort forgets the load, waiting for calls of Add under way to notice.
func (l *loader) Abort() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil
	}
	l.ended = true
	if l.err == nil {
		l.err = errors.New("the load was aborted")
	}
	l.turn.Broadcast()
	for l.active > 0 {
		l.turn.Wait()
	}
	l.end()
	return nil
}

// end gives back what a load holds; no Add is under way.
func (l *loader) end() {
	l.stop()
	l.spill.remove()
	l.free, l.workers = nil, nil
	l.st.mu.Lock()
	l.st.loading = false
	l.st.mu.Unlock()
}
