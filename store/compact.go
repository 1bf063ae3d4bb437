package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// Merging of small loads. Every load costs a reader an iterator and a user a
// seek, so loads that follow one another are written as one: chunks, summaries
// and dictionary anew under the next number, then one transaction puts the new
// marker in the place of the old ones. What was loaded when, from which files and
// with which report stays in the new marker (its parts), so that a known file is
// still refused and equal rows are still found; the version's hash, which is of
// the parts, does not change. A reader that began before goes on with the old
// chunks; a crash leaves either the old loads or the new one, and what the other
// has left is rolled back by its intent.

// How many loads in a row are merged while loading. A run is made from the
// newest load backwards and takes in a load of at most twice what it has so far:
// so a row is written again about once for each doubling of the data behind it.
const (
	mergeRun  = 8
	mergeTake = 2
)

// A run is loads of a view that follow one another.
type run struct{ from, to int }

// dueRun is the run that should be merged now; empty if none is long enough.
func dueRun(v *view) run {
	var sum int64
	at := len(v.loads)
	for at > 0 && (at == len(v.loads) || v.loads[at-1].mark.Bytes <= mergeTake*sum) {
		at--
		sum += v.loads[at].mark.Bytes
	}
	if len(v.loads)-at < mergeRun {
		return run{}
	}
	return run{at, len(v.loads)}
}

// Compact merges all loads into one. It says how many there were. It needs the
// data set open for writing, and room on the disk for what it writes before the
// old chunks go.
func (s *Store) Compact(ctx context.Context) (merged int, err error) {
	if s.opt.ReadOnly {
		return 0, fmt.Errorf("%s: %w: merging needs it alone", s.dir, ErrReadOnly)
	}
	s.mu.Lock()
	if s.closed || s.loading {
		defer s.mu.Unlock()
		if s.closed {
			return 0, model.ErrClosed
		}
		return 0, fmt.Errorf("%s: %w", s.dir, ErrBusy)
	}
	s.loading = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.loading = false
		s.mu.Unlock()
	}()
	merged, err = s.merge(ctx, func(v *view) run { return run{0, len(v.loads)} })
	if err == nil && merged > 0 {
		err = s.shrink()
	}
	return merged, err
}

// shrink makes the old chunks leave the disk now, not some day. What marks them as
// gone is still in Badger's memory table, which only closing makes a table of; so
// Badger is closed and opened again, unless somebody reads.
func (s *Store) shrink() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return model.ErrClosed
	}
	if len(s.snaps) == 0 {
		if err := closeBadger(s.db); err != nil {
			return err
		}
		o := badgerOptions(s.dir, false)
		o.CompactL0OnClose = true // Flatten leaves alone what is all in one level
		db, err := openBadger(o)
		if err != nil {
			return explainOpen(s.dir, err)
		}
		s.db = db
	}
	return s.db.Flatten(1)
}

// merge writes the loads that pick chooses as one; s.loading is held.
func (s *Store) merge(ctx context.Context, pick func(*view) run) (merged int, err error) {
	sn, err := s.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer sn.Close()
	snap := sn.(*snapshot)
	if err := snap.enter(); err != nil {
		return 0, err
	}
	defer snap.leave()
	r := pick(snap.view)
	if r.to-r.from < 2 {
		return 0, nil
	}
	m := &merging{st: s, ctx: ctx, txn: snap.txn, all: snap.view, old: snap.view.loads[r.from:r.to]}
	var bytes int64
	for _, l := range m.old {
		bytes += l.mark.Bytes
	}
	if err := s.room(bytes); err != nil {
		return 0, err
	}
	if err := m.run(); err != nil {
		if m.load != 0 && !m.done {
			if _, e := s.dropLoad(m.load); e != nil {
				err = fmt.Errorf("%w (and rolling back: %w)", err, e)
			}
		}
		return 0, noSpace(s.dir, err)
	}
	return len(m.old), nil
}

// A merging writes some loads as one.
type merging struct {
	st   *Store
	ctx  context.Context
	txn  *badger.Txn
	all  *view
	old  []*loadView
	view *view // of the old loads alone
	load uint32
	done bool // the new marker stands

	parts  []part   // of the new marker: see join
	source []uint32 // by source of view: its number among the parts' sources
	counts []count  // by that number
}

// A count is the users of a source, each once.
type count struct {
	users int64
	last  string
	joint bool // made of several parts
}

func (m *merging) run() (err error) {
	var never bool
	defer guard(&never, &err)
	var marks []*marker
	for _, l := range m.old {
		marks = append(marks, l.mark)
	}
	if m.view, err = viewOf(m.txn, marks); err != nil {
		return err
	}
	for _, l := range m.old {
		if err := wholeHidden(m.txn, l); err != nil {
			return err
		}
	}
	for _, l := range m.all.loads {
		m.load = max(m.load, l.mark.Load+1)
	}
	m.join()
	c := m.commit()
	if err := c.begin(); err != nil {
		return err
	}
	if err := m.pack(c); err != nil {
		return err
	}
	digest, err := c.dictionary()
	if err != nil {
		return err
	}
	if err := m.swap(c.marker(model.Quality{}, nil, digest)); err != nil {
		return err
	}
	for _, l := range m.old {
		if _, err := m.st.dropLoad(l.mark.Load); err != nil {
			return err
		}
	}
	return nil
}

// commit is a commit of rows that are stored already: numbered as the view of the
// old loads numbers them, and judged no more.
func (m *merging) commit() *commit {
	l := &loader{st: m.st, ctx: m.ctx, names: newNumbering(), keys: newNumbering(), plan: model.LoadPlan{KeepEqual: true}}
	in := &m.view.info
	for i := range in.Names {
		l.names.list = append(l.names.list, in.Names[i].Name)
	}
	c := &commit{l: l, load: m.load, txn: m.txn, view: &view{}, calendar: model.UTC()}
	for i := range in.Keys {
		k := &in.Keys[i]
		l.keys.list = append(l.keys.list, k.Name)
		values := &numbering{list: k.Values}
		if k.Plain {
			values.list = []string{""}
		}
		l.values = append(l.values, values)
		c.plain = append(c.plain, k.Plain)
	}
	return c
}

// pack writes the buckets one after the other: who merges is in no hurry, and
// memory holds one user at a time.
func (m *merging) pack(c *commit) error {
	in := &m.view.info
	f := model.Filter{Until: model.NoCut, Amounts: true, Sources: true}
	for i := range in.Keys {
		f.Columns = append(f.Columns, in.Keys[i].Name)
	}
	p := &packer{c: c, batch: m.st.db.NewWriteBatch()}
	defer p.batch.Cancel()
	var rows []packedRow
	var arena []byte
	b := 0
	sc := newScanner(m.ctx, m.txn, m.view, f, func(tl *model.Timeline) error {
		rows, arena = rows[:0], arena[:0]
		for i := range tl.Time {
			from := len(arena)
			arena = appendStored(arena, tl, i)
			rows = append(rows, packedRow{time: tl.Time[i], num: int64(i), source: m.sourceOf(tl, i), at: tailAt(from, len(arena)-from)})
		}
		p.equal.raw = arena
		return p.user(b, tl.ID, rows)
	})
	defer sc.close()
	for b = range buckets {
		var newUsers int64
		for _, l := range m.old {
			newUsers += l.table[b].newUsers
		}
		p.row, p.sums, p.ratio, p.digest = bucketRow{}, p.sums[:0], 0.4, xxhash.New()
		if err := sc.bucket(b); err != nil {
			return err
		}
		if err := p.flush(b); err != nil {
			return err
		}
		if len(p.sums) > 0 {
			if err := p.summaries(b); err != nil {
				return err
			}
			c.digests[b] = p.digest.Sum64()
		}
		hidden, err := m.hiddenRows(b)
		if err != nil {
			return err
		}
		if err := p.hidden(b, hidden); err != nil {
			return err
		}
		p.row.newUsers = newUsers
		c.table[b] = p.row
		if err := m.ctx.Err(); err != nil {
			return err
		}
		if m.st.opt.Packing != nil {
			m.st.opt.Packing(int64(b)+1, buckets)
		}
	}
	if err := p.batch.Flush(); err != nil {
		return err
	}
	c.tally.add(&p.equal.quality)
	c.bytes += p.bytes
	c.hidden += p.pages
	return nil
}

// appendStored writes event i of a stored timeline as a row's tail.
func appendStored(dst []byte, tl *model.Timeline, i int) []byte {
	amount := model.NoMoney
	if tl.Amount != nil {
		amount = tl.Amount[i]
	}
	dst = appendTailHead(dst, uint32(tl.Name[i]), tl.IsDated(i), amount)
	n := uint64(0)
	for k := range tl.Props {
		if p := &tl.Props[k]; p.Plain != nil && p.Plain[i] != "" || p.Plain == nil && p.Codes[i] != 0 {
			n++
		}
	}
	dst = binary.AppendUvarint(dst, n)
	for k := range tl.Props {
		switch p := &tl.Props[k]; {
		case p.Plain != nil && p.Plain[i] != "":
			dst = appendTailPlain(dst, uint32(k), p.Plain[i])
		case p.Plain == nil && p.Codes[i] != 0:
			dst = appendTailCode(dst, uint32(k), p.Codes[i])
		}
	}
	return dst
}

// swap puts the new marker in the place of the old ones, in one transaction.
// The ledger must never name a load that does not stand: until the swap is on
// disk it names neither.
func (m *merging) swap(mark *marker) error {
	mark.Order = m.old[0].mark.order()
	m.counted()
	mark.Parts = m.parts
	for _, p := range mark.Parts {
		mark.Sources = append(mark.Sources, p.Sources...)
	}
	if err := m.st.sync(); err != nil {
		return err
	}
	if err := m.ctx.Err(); err != nil {
		return err
	}
	rest := &view{loads: slices.DeleteFunc(slices.Clone(m.all.loads), func(l *loadView) bool { return slices.Contains(m.old, l) })}
	if err := m.st.create.ledger(m.st.dir, rest); err != nil {
		return err
	}
	value, err := encodeMarker(mark)
	if err != nil {
		return err
	}
	key := appendLoadKey(nil, kindMarker, m.load)
	err = m.st.db.Update(func(txn *badger.Txn) error {
		if err := txn.Set(key, seal(key, value)); err != nil {
			return err
		}
		for _, l := range m.old {
			gone := appendLoadKey(nil, kindIntent, l.mark.Load)
			if err := txn.Set(gone, seal(gone, make([]byte, envelopeLen))); err != nil {
				return err
			}
			if err := txn.Delete(appendLoadKey(nil, kindMarker, l.mark.Load)); err != nil {
				return err
			}
		}
		return txn.Delete(appendLoadKey(nil, kindIntent, m.load))
	})
	m.st.forget() // the loads it knows may be gone
	if err != nil {
		return err
	}
	m.done = true
	if err := m.st.sync(); err != nil {
		return fmt.Errorf("the merging: %w: %w; mend the disk or free some room, then run dwell check: either the loads stand as they were, or merged", ErrUnsynced, err)
	}
	mendModes(filepath.Join(m.st.dir, dirBadger))
	return m.st.renew()
}

// renew forgets the view, so that the next snapshot reads the markers as they
// stand, and writes the ledger from it.
func (s *Store) renew() error {
	s.forget()
	sn, err := s.Snapshot(context.Background())
	if err != nil {
		return err
	}
	defer sn.Close()
	return s.create.ledger(s.dir, sn.(*snapshot).view)
}

// forget makes the next snapshot read the markers as they stand.
func (s *Store) forget() {
	s.mu.Lock()
	s.view = nil
	s.mu.Unlock()
}
