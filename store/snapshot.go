package store

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// A snapshot is one data version under one read transaction. Close waits for
// reads under way: Badger unmaps its files, and a read after that is a fault
// that nothing can catch.
type snapshot struct {
	st   *Store
	txn  *badger.Txn
	view *view

	mu     sync.Mutex
	idle   sync.Cond
	busy   int
	closed bool
}

var _ model.Snapshot = (*snapshot)(nil)

// enter begins a read; every enter that succeeds needs a leave.
func (s *snapshot) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return model.ErrClosed
	}
	s.busy++
	return nil
}

func (s *snapshot) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	if s.busy == 0 {
		s.idle.Broadcast()
	}
}

// Close waits for reads under way; it is harmless the second time.
func (s *snapshot) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	for s.busy > 0 {
		s.idle.Wait()
	}
	s.mu.Unlock()
	if first {
		s.txn.Discard()
		s.st.mu.Lock()
		delete(s.st.snaps, s)
		s.st.mu.Unlock()
	}
	return nil
}

// Info describes the data version.
func (s *snapshot) Info() *model.Info { return &s.view.info }

// Splits divides the users by events.
func (s *snapshot) Splits(n int) []model.Split { return s.view.splits(n) }

// guard turns a panic into an error that names damage: Badger indexes into
// blocks it has mapped, and a block that is not what was written can send it
// outside. A panic of fn, the caller's own, is not ours to swallow.
func guard(inCallback *bool, err *error) {
	p := recover()
	if p == nil {
		return
	}
	if *inCallback {
		panic(p)
	}
	if re, ok := p.(runtime.Error); ok {
		*err = fmt.Errorf("%w: %v; run dwell check, then restore a backup or load the files again into a new directory", ErrDamaged, re)
		return
	}
	*err = fmt.Errorf("%w: %v", ErrDamaged, p)
}

// A readPlan is a filter made ready for a view.
type readPlan struct {
	filter model.Filter
	wish   columnWish
	names  []bool // by Info.Names: wanted; nil means all
	loads  []loadMaps

	// If ranged, chunks without an event in [from, to] (ms) are stepped over.
	ranged   bool
	from, to int64
}

func (v *view) plan(f model.Filter) *readPlan {
	p := &readPlan{filter: f, wish: columnWish{names: !f.NoNames || f.Names != nil, amounts: f.Amounts, sources: f.Sources, dated: v.info.Dated}}
	if f.Names != nil {
		p.names = make([]bool, len(v.info.Names))
		for _, n := range f.Names {
			if i := v.info.NameIndex(n); i >= 0 {
				p.names[i] = true
			}
		}
	}
	for _, l := range v.loads {
		m := loadMaps{names: l.names, sources: l.sources}
		for _, name := range f.Columns {
			m.columns = append(m.columns, l.column(&v.info, name))
		}
		p.loads = append(p.loads, m)
	}
	return p
}

// column says how property name is read from a load.
func (l *loadView) column(in *model.Info, name string) columnMap {
	info := in.Key(name)
	m := columnMap{plain: info != nil && info.Plain}
	if i, ok := l.byKey[name]; ok {
		k := &l.keys[i]
		m.have, m.key, m.codes, m.strs = true, uint32(i), k.codes, k.values
	}
	return m
}

// skips says that no event of a chunk passes the cut.
func (p *readPlan) skips(h *chunkHead) bool {
	if p.ranged && (h.last < p.from || h.first > p.to) {
		return true
	}
	cut := p.filter.Until
	return !cut.Allows(h.first, false) && (!p.wish.dated || !cut.Allows(h.first, true))
}

// apply cuts a timeline down, in its own arrays, to what the filter lets through.
func (p *readPlan) apply(tl *model.Timeline) {
	cut := p.filter.Until
	if p.names == nil && (len(tl.Time) == 0 || cut == model.NoCut) {
		return
	}
	j := 0
	for i := range tl.Time {
		if p.names != nil && !p.names[tl.Name[i]] || !cut.Allows(tl.Time[i], tl.IsDated(i)) {
			continue
		}
		if i != j {
			moveEvent(tl, j, i)
		}
		j++
	}
	if j < len(tl.Time) {
		trim(tl, j)
	}
}

func moveEvent(tl *model.Timeline, to, from int) {
	tl.Time[to] = tl.Time[from]
	if tl.Name != nil {
		tl.Name[to] = tl.Name[from]
	}
	if tl.Dated != nil {
		tl.Dated[to] = tl.Dated[from]
	}
	if tl.Amount != nil {
		tl.Amount[to] = tl.Amount[from]
	}
	if tl.Source != nil {
		tl.Source[to] = tl.Source[from]
	}
	for i := range tl.Props {
		if p := &tl.Props[i]; p.Plain != nil {
			p.Plain[to] = p.Plain[from]
		} else {
			p.Codes[to] = p.Codes[from]
		}
	}
}

func trim(tl *model.Timeline, n int) {
	tl.Time = tl.Time[:n]
	if tl.Name != nil {
		tl.Name = tl.Name[:n]
	}
	if tl.Dated != nil {
		tl.Dated = tl.Dated[:n]
	}
	if tl.Amount != nil {
		tl.Amount = tl.Amount[:n]
	}
	if tl.Source != nil {
		tl.Source = tl.Source[:n]
	}
	for i := range tl.Props {
		if p := &tl.Props[i]; p.Plain != nil {
			p.Plain = p.Plain[:n]
		} else {
			p.Codes = p.Codes[:n]
		}
	}
}
