package query

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"dwell/model"
	"dwell/model/stage"
)

// A state is what questions are asked of: one snapshot of the data, read through
// the dictionary and the stage model as they stood on the shelf. It is closed
// when the last run that uses it has ended after a Reload.
type state struct {
	snap     model.Snapshot
	info     *model.Info
	dict     *model.Dictionary
	dictHash string
	data     *Data
	users    atomic.Int64 // runs, and 1 for the engine
	pops     populations

	model   *stage.Model   // with its numbers
	machine *stage.Machine // compiled

	churns    churns    // models trained on it
	expecteds expecteds // repeat-buying models fitted to it
	worths    worths    // what each user is expected to bring
	coinages  sync.Map  // *coinage by as-of day and zone
	pasts     pastsKept // what retention keeps of each user

	suggesting sync.Mutex
	suggested  *stage.Suggestion
	ofVariants sync.Map // *stage.Suggestion of the users of a variant, by its cache key
	counted    *census  // made with the suggestion, or when first asked for

	finding sync.Mutex
	found   *findIndex // made when first searched
	ids     *idIndex   // likewise
	manyIDs bool       // too many for an index
}

// hold takes the current state for a run, opening the data if nobody has; drop
// gives it back.
func (e *Engine) hold(ctx context.Context, p Progress) (*state, error) {
	if st := e.current(); st != nil {
		return st, nil
	}
	select {
	case e.opening <- struct{}{}:
		defer func() { <-e.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if st := e.current(); st != nil { // somebody else has opened it meanwhile
		return st, nil
	}
	st, err := e.open(ctx, p)
	if err != nil {
		return nil, err
	}
	st.users.Add(1)
	e.mu.Lock()
	e.now = st
	e.mu.Unlock()
	return st, nil
}

// current is the current state with one more user, or nil.
func (e *Engine) current() *state {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.now != nil {
		e.now.users.Add(1)
	}
	return e.now
}

func (s *state) drop() error {
	if s.users.Add(-1) == 0 {
		return s.snap.Close()
	}
	return nil
}

// Reload takes a new snapshot of the data, the dictionary and the stage model:
// after a load, or after a change on the shelf. Runs that have begun keep what
// they began with.
func (e *Engine) Reload(ctx context.Context) error {
	st, err := e.open(ctx, nil)
	if err != nil {
		return err
	}
	e.mu.Lock()
	old := e.now
	e.now = st
	clear(e.answers)
	e.recent = nil
	e.mu.Unlock()
	if old != nil {
		return old.drop()
	}
	return nil
}

// Close gives the data back when the last run has ended.
func (e *Engine) Close() error {
	e.mu.Lock()
	old := e.now
	e.now = nil
	e.mu.Unlock()
	if old != nil {
		return old.drop()
	}
	return nil
}

func (e *Engine) open(ctx context.Context, p Progress) (*state, error) {
	snap, err := e.src.Snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("the data set cannot be read: %w", err)
	}
	dict, body, err := e.Dictionary()
	if err != nil {
		return nil, errors.Join(err, snap.Close())
	}
	m, err := e.shelfModel()
	if err != nil {
		return nil, errors.Join(err, snap.Close())
	}
	st, err := guarded(func() (*state, error) { return newState(ctx, e, snap, dict, body, m, p) })
	if err != nil {
		return nil, errors.Join(err, snap.Close())
	}
	return st, nil
}

func newState(ctx context.Context, e *Engine, snap model.Snapshot, dict *model.Dictionary, body []byte, m *stage.Model, p Progress) (*state, error) {
	st := &state{snap: snap, info: snap.Info(), dict: dict, dictHash: hashOf(body)}
	st.pops.build = make(chan struct{}, 1)
	st.churns.build = make(chan struct{}, 1)
	st.expecteds.build = make(chan struct{}, 1)
	st.users.Store(1)
	if err := st.staged(ctx, e, m, p); err != nil {
		return nil, err
	}
	return st, nil
}

// lastDay is the last local day that holds data; day 0 if there is none.
func lastDay(in *model.Info, cal *model.Calendar) model.Day {
	_, last, _ := in.Days(cal)
	return last
}

// firstDay is the local day of the first event; day 0 if there is none.
func firstDay(in *model.Info, cal *model.Calendar) model.Day {
	first, _, _ := in.Days(cal)
	return first
}

// hashOf is a short name for a definition's text.
func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:6])
}

// Data is what the engine stands on now.
func (e *Engine) Data(ctx context.Context) (*Data, error) {
	st, err := e.hold(ctx, nil)
	if err != nil {
		return nil, err
	}
	return st.data, st.drop()
}

// Dictionary is the dictionary on the shelf, and its text; a new one if there is
// none yet.
func (e *Engine) Dictionary() (*model.Dictionary, []byte, error) {
	entry, err := e.shelf.Get(model.KindDictionary, model.KindDictionary, 0)
	if errors.Is(err, model.ErrNoEntry) {
		d := model.NewDictionary()
		return d, d.Format(), nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the dictionary cannot be read: %w", err)
	}
	d, err := model.ParseDictionary(entry.Body)
	return d, entry.Body, err
}
