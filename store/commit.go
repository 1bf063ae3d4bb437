package store

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// A commit packs and writes one load.
type commit struct {
	l    *loader
	load uint32
	txn  *badger.Txn // what was there before
	view *view

	plain     []bool   // by key of this load
	keepEqual []bool   // by source of the view
	whole     []uint32 // by source of the view: the first of those that are one with it
	own       uint32   // the same of this load's source, where it continues one; miss if it does not
	piece     bool     // this load is a piece of a stream
	anew      bool     // it begins with the file's first byte though the stream is known
	counted   uint32   // the source from which on the stream's hidden rows count
	oldKeys   []oldKey // the view's keys, in the order of this load's
	calendar  *model.Calendar

	mu      sync.Mutex
	next    int   // bucket
	left    int64 // bytes of rows in buckets not yet taken
	total   int64
	packed  int64
	err     error
	inUse   int64 // bytes of buckets being packed
	room    sync.Cond
	table   [buckets]bucketRow
	digests [buckets]uint64
	tally   tallies
	bytes   int64
	hidden  int64 // pages of hidden rows
}

// oldKey ties a key of the view to one of this load; miss if it has none.
type oldKey struct {
	column int
	key    uint32
}

// Commit packs the rows bucket by bucket and makes them part of the data set.
// Whatever goes wrong, nothing of the load stays, but for ErrUnsynced: then all of it
// does, as far as can be told.
func (l *loader) Commit(q model.Quality, sources []model.SourceInfo) (model.LoadInfo, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended:
		return model.LoadInfo{}, fmt.Errorf("the load has ended")
	case l.active > 0:
		return model.LoadInfo{}, fmt.Errorf("batch %d is missing", l.next)
	case l.err != nil:
		return model.LoadInfo{}, l.err
	}
	if l.next > 0 && l.lastSource >= len(sources) {
		return model.LoadInfo{}, fmt.Errorf("the load has rows of source %d and %d sources", l.lastSource, len(sources))
	}
	l.ended = true
	defer l.end()
	s, err := l.st.Snapshot(l.ctx)
	if err != nil {
		return model.LoadInfo{}, err
	}
	defer s.Close()
	snap := s.(*snapshot)
	if err := snap.enter(); err != nil { // so that closing the store waits
		return model.LoadInfo{}, err
	}
	defer snap.leave()
	c := &commit{l: l, txn: snap.txn, view: snap.view}
	c.room.L = &c.mu
	info, err := c.run(q, sources)
	if err == nil {
		return info, nil
	}
	err = noSpace(l.st.dir, err)
	if c.load != 0 {
		stands, e := l.st.dropLoad(c.load)
		if stands {
			// The next load must not take its number.
			l.st.forget()
			return model.LoadInfo{}, fmt.Errorf("%s: the load: %w: %w; mend the disk or free some room, then load the same again: where the load stands that is refused, and nothing is stored twice", l.st.dir, ErrUnsynced, err)
		}
		if e != nil {
			// The next exclusive open tries again; until then readers go by
			// the marker that is not there.
			err = fmt.Errorf("%w (and rolling back: %w)", err, e)
		}
	}
	return model.LoadInfo{}, err
}

func (c *commit) run(q model.Quality, sources []model.SourceInfo) (model.LoadInfo, error) {
	st := c.l.st
	for _, s := range sources {
		if old, ok := c.view.knownSource(s.Digest); ok {
			return model.LoadInfo{}, fmt.Errorf("%s: %w, as %s: nothing was loaded", sourceName(s.Path), model.ErrKnownSource, sourceName(old.Path))
		}
	}
	// A load before that failed and could not be rolled back either has left chunks
	// under the number that this one takes.
	if err := st.rollback(); err != nil {
		return model.LoadInfo{}, err
	}
	c.prepare()
	if c.own != miss && !c.anew {
		for _, l := range c.view.loads {
			if err := wholeHidden(c.txn, l); err != nil {
				return model.LoadInfo{}, err
			}
		}
	}
	if err := c.begin(); err != nil {
		return model.LoadInfo{}, err
	}
	if err := c.pack(); err != nil {
		return model.LoadInfo{}, err
	}
	digest, err := c.dictionary()
	if err != nil {
		return model.LoadInfo{}, err
	}
	if c.piece && len(sources) == 1 {
		sources = slices.Clone(sources)
		sources[0].Counted = c.known()
	}
	m := c.marker(q, sources, digest)
	if err := c.finish(m); err != nil {
		return model.LoadInfo{}, err
	}
	mendModes(filepath.Join(st.dir, dirBadger))
	// The load stands whatever happens to the ledger, which only has to name no
	// load too many, and to the merging of those before it, which the next load
	// tries again.
	if err := st.renew(); err == nil {
		_, _ = st.merge(c.l.ctx, dueRun)
	}
	return m.Info, nil
}

// prepare works out what all buckets share.
func (c *commit) prepare() {
	c.load = 1
	for _, l := range c.view.loads {
		c.load = max(c.load, l.mark.Load+1)
		for _, p := range l.mark.parts() {
			for range p.Sources {
				c.keepEqual = append(c.keepEqual, p.KeepEqual)
			}
		}
	}
	c.follow()
	for _, v := range c.l.values {
		c.plain = append(c.plain, v.full.Load())
	}
	for i := range c.view.info.Keys {
		o := oldKey{column: i, key: miss}
		if id, ok := c.l.keys.ids[c.view.info.Keys[i].Name]; ok {
			o.key = id
		}
		c.oldKeys = append(c.oldKeys, o)
	}
	slices.SortFunc(c.oldKeys, func(a, b oldKey) int { return cmp.Compare(a.key, b.key) })
	var err error
	if c.calendar, err = model.NewCalendar(c.l.plan.Zone); err != nil {
		c.calendar = model.UTC()
	}
	for b := range buckets {
		c.left += c.l.bucketSize(b)
	}
	c.total = c.left
}

// follow finds the sources that are one: the pieces of a file that is followed, and
// what a load of the whole file had of it.
func (c *commit) follow() {
	first := map[string]uint32{}
	for i, s := range c.view.info.Sources {
		name := s.Stream
		if name == "" {
			name = s.Digest
		}
		at, ok := first[name]
		if !ok || name == "" {
			at = uint32(i)
			first[name] = at
		}
		c.whole = append(c.whole, at)
	}
	c.own = miss
	src := c.l.plan.Sources
	if c.piece = len(src) == 1 && src[0].Stream != ""; !c.piece {
		return
	}
	at, ok := first[src[0].Stream]
	if !ok {
		return
	}
	c.own, c.anew = at, src[0].From == 0
	for i, s := range c.view.info.Sources {
		if c.whole[i] == at && s.Stream != "" && s.From == 0 {
			c.counted = uint32(i)
		}
	}
}

// bucketSize is how many bytes of rows a bucket has.
func (l *loader) bucketSize(b int) int64 {
	n := l.spill.bucketSize(b)
	for _, w := range l.workers {
		n += int64(len(w.bufs[b].b))
	}
	return n
}

// begin writes the intent, by which a rollback finds the load.
func (c *commit) begin() error {
	key := appendLoadKey(nil, kindIntent, c.load)
	value := seal(key, make([]byte, envelopeLen))
	if err := c.l.st.db.Update(func(txn *badger.Txn) error { return txn.Set(key, value) }); err != nil {
		return err
	}
	return c.l.st.sync()
}

// pack runs the packers until no bucket is left.
func (c *commit) pack() error {
	n := c.l.st.opt.Workers
	if n <= 0 {
		n = min(runtime.GOMAXPROCS(0), 4)
	}
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := c.worker(); err != nil {
				c.mu.Lock()
				c.err = cmp.Or(c.err, err)
				c.mu.Unlock()
				c.room.Broadcast()
			}
		})
	}
	wg.Wait()
	return c.err
}

func (c *commit) worker() (err error) {
	var never bool
	defer guard(&never, &err)
	p := &packer{c: c, batch: c.l.st.db.NewWriteBatch()}
	defer p.batch.Cancel()
	if c.view.info.Events > 0 {
		f := model.Filter{Until: model.NoCut, Amounts: true, Sources: true}
		for i := range c.view.info.Keys {
			f.Columns = append(f.Columns, c.view.info.Keys[i].Name)
		}
		p.old = newScanner(c.l.ctx, c.txn, c.view, f, nil)
		p.old.plan.ranged = true
		defer p.old.close()
	}
	for {
		b, size, err := c.takeBucket()
		if err != nil {
			return err
		}
		if b == buckets {
			break
		}
		row, digest, err := p.bucket(b)
		c.give(b, size, row, digest)
		if err != nil {
			return err
		}
	}
	if err := p.batch.Flush(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.add(&p.equal.quality)
	c.bytes += p.bytes
	c.hidden += p.pages
	return nil
}

// takeBucket gives the next bucket with its size once there is room in the
// budget: a bucket takes about four times its spilled bytes while it is packed.
// One too large for the budget is packed alone.
func (c *commit) takeBucket() (b int, size int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if c.err != nil {
			return 0, 0, c.err
		}
		if err := c.l.ctx.Err(); err != nil {
			return 0, 0, err
		}
		for c.next < buckets && c.l.bucketSize(c.next) == 0 {
			c.next++
		}
		if c.next == buckets {
			return buckets, 0, nil
		}
		size = 4 * c.l.bucketSize(c.next)
		if c.inUse == 0 || c.inUse+size <= c.l.st.opt.Memory/2 {
			break
		}
		c.room.Wait()
	}
	// Packed, the rest takes at most what it takes now.
	if err := c.l.st.room(c.left); err != nil {
		return 0, 0, err
	}
	b = c.next
	c.next++
	c.inUse += size
	c.left -= size / 4
	return b, size, nil
}

func (c *commit) give(b int, size int64, row bucketRow, digest uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.table[b], c.digests[b] = row, digest
	c.inUse -= size
	c.packed += size / 4
	if c.l.st.opt.Packing != nil {
		c.l.st.opt.Packing(c.packed, c.total)
	}
	c.room.Broadcast()
}

func (t *tallies) add(o *tallies) {
	t.stored += o.stored
	t.already += o.already
	t.dropped += o.dropped
	t.equal += o.equal
	t.impossible += o.impossible
	t.dates.Join(o.dates)
	t.clock.Join(o.clock)
	t.amounts = t.amounts || o.amounts
	for len(t.names) < len(o.names) {
		t.names = append(t.names, 0)
	}
	for i, n := range o.names {
		t.names[i] += n
	}
}

// sourceName is what a source is called in a sentence: "-" is standard input.
func sourceName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}
