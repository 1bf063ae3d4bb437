package store

import (
	"context"
	"encoding/binary"

	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// askEvery is after how many events a scan asks whether it should stop.
const askEvery = 4096

// Scan calls fn for each user of the split in order of bucket and id. The
// timeline's slices are reused.
func (s *snapshot) Scan(ctx context.Context, split model.Split, f model.Filter, fn func(*model.Timeline) error) (err error) {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	sc := newScanner(ctx, s.txn, s.view, f, fn)
	defer guard(&sc.inFn, &err)
	defer sc.close()
	for b := max(split.From, 0); b < min(split.To, buckets); b++ {
		if err := sc.bucket(b); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// A scanner merges the loads of one split bucket by bucket.
type scanner struct {
	ctx     context.Context
	view    *view
	plan    *readPlan
	cursors []*cursor
	live    []*cursor // those with users left in this bucket
	mix     mixer
	fn      func(*model.Timeline) error
	unasked int
	inFn    bool // fn is running: a panic is its own
}

func newScanner(ctx context.Context, txn *badger.Txn, v *view, f model.Filter, fn func(*model.Timeline) error) *scanner {
	sc := &scanner{ctx: ctx, view: v, plan: v.plan(f), fn: fn}
	for i, l := range v.loads {
		if l.mark.Events > 0 {
			sc.cursors = append(sc.cursors, newCursor(txn, v, i, sc.plan))
		}
	}
	return sc
}

// close closes the iterators and gives the readers' columns to the next scan.
func (sc *scanner) close() {
	for _, c := range sc.cursors {
		c.it.Close()
		sc.view.giveReader(c.read)
	}
}

func (sc *scanner) bucket(b int) error {
	sc.live = sc.live[:0]
	for _, c := range sc.cursors {
		if err := c.start(b); err != nil {
			return err
		}
		if c.ok {
			sc.live = append(sc.live, c)
		}
	}
	for len(sc.live) > 0 {
		if err := sc.user(); err != nil {
			return err
		}
	}
	return nil
}

// user hands out the user with the smallest id and moves on.
func (sc *scanner) user() error {
	id, same := sc.live[0].tl.ID, 1
	for _, c := range sc.live[1:] {
		switch {
		case c.tl.ID < id:
			id, same = c.tl.ID, 1
		case c.tl.ID == id:
			same++
		}
	}
	var tl *model.Timeline
	if same == 1 {
		for _, c := range sc.live {
			if c.tl.ID == id {
				tl = &c.tl
			}
		}
	} else {
		sc.mix.reset()
		for _, c := range sc.live { // in commit order
			if c.tl.ID == id {
				sc.mix.add(&c.tl)
			}
		}
		tl = sc.mix.result()
	}
	if err := sc.hand(tl); err != nil {
		return err
	}
	left := sc.live[:0]
	for _, c := range sc.live {
		if c.tl.ID == id {
			if err := c.next(); err != nil {
				return err
			}
		}
		if c.ok {
			left = append(left, c)
		}
	}
	sc.live = left
	return nil
}

func (sc *scanner) hand(tl *model.Timeline) error {
	if sc.unasked += tl.Len(); sc.unasked >= askEvery {
		sc.unasked = 0
		if err := sc.ctx.Err(); err != nil {
			return err
		}
	}
	sc.plan.apply(tl)
	if tl.Len() == 0 {
		return nil
	}
	sc.inFn = true
	err := sc.fn(tl)
	sc.inFn = false
	return err
}

// A cursor walks the users of one load, one bucket after the other.
type cursor struct {
	it     *badger.Iterator
	load   *loadView
	plan   *readPlan
	maps   loadMaps
	prefix []byte
	row    *bucketRow
	seen   int64 // chunks of this bucket so far
	begun  bool  // the iterator stands somewhere

	read *chunkReader
	user int // in the chunk
	from int // its first event
	more mixer
	tl   model.Timeline // the current user
	ok   bool           // there is one
}

// newCursor walks load i of a view.
func newCursor(txn *badger.Txn, v *view, i int, p *readPlan) *cursor {
	o := badger.DefaultIteratorOptions
	o.PrefetchValues, o.Prefix = false, []byte{kindChunk}
	return &cursor{it: txn.NewIterator(o), load: v.loads[i], plan: p, maps: p.loads[i], read: v.takeReader()}
}

// start moves to the first user of a bucket.
func (c *cursor) start(bucket int) error {
	c.row, c.seen, c.ok = &c.load.table[bucket], 0, false
	if c.row.chunks == 0 {
		return nil
	}
	c.prefix = appendBucketKey(c.prefix[:0], kindChunk, bucket, c.load.mark.Load)
	// Where there is one load, the iterator stands here already: it has come from
	// smaller keys, so the first it finds with the prefix is the bucket's first.
	if !c.begun || !c.it.ValidForPrefix(c.prefix) {
		c.it.Seek(c.prefix)
		c.begun = true
	}
	return c.chunk()
}

// next moves to the next user of the bucket.
func (c *cursor) next() error {
	c.from += int(c.read.counts[c.user])
	c.user++
	if c.user < len(c.read.counts) {
		c.read.timeline(&c.tl, c.user, c.from, c.plan.wish)
		return nil
	}
	return c.chunk()
}

// chunk moves to the first user of the next chunk that the cut does not rule
// out. The end of the bucket is checked against its table: an iteration that
// ended early would otherwise look like fewer users.
func (c *cursor) chunk() error {
	for c.it.ValidForPrefix(c.prefix) {
		skip, err := c.decode()
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		c.user, c.from, c.ok = 0, 0, true
		c.read.timeline(&c.tl, 0, 0, c.plan.wish)
		if c.atPart() {
			return c.join()
		}
		return nil
	}
	c.ok = false
	if c.seen != c.row.chunks {
		return damaged(c.prefix, "%d of its %d chunks can be read", c.seen, c.row.chunks)
	}
	return nil
}

// decode reads the chunk the iterator stands on and moves past it.
func (c *cursor) decode() (skip bool, err error) {
	item := c.it.Item()
	key := item.Key()
	err = item.Value(func(v []byte) error {
		rec, err := unseal(key, v)
		if err != nil {
			return err
		}
		if err := c.read.head.parse(rec); err != nil {
			return damaged(key, "%v", err)
		}
		if skip = c.plan.skips(&c.read.head); skip {
			return nil
		}
		if err := c.read.load(rec); err != nil {
			return damaged(key, "%v", err)
		}
		if err := c.read.decode(c.plan.wish, c.maps); err != nil {
			return damaged(key, "%v", err)
		}
		return nil
	})
	c.seen++
	c.it.Next()
	return skip, err
}

// atPart says that the iterator stands on a further part of the current user.
func (c *cursor) atPart() bool {
	if !c.it.ValidForPrefix(c.prefix) {
		return false
	}
	key := c.it.Item().Key()
	return binary.BigEndian.Uint32(key[len(key)-4:]) != 0
}

// join adds the parts that follow to the current user.
func (c *cursor) join() error {
	c.more.reset()
	first := c.tl.Clone()
	normalise(first)
	c.more.add(first)
	for c.atPart() {
		skip, err := c.decode()
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		var tl model.Timeline
		c.read.timeline(&tl, 0, 0, c.plan.wish)
		part := tl.Clone()
		normalise(part)
		c.more.add(part)
	}
	c.tl = *c.more.result()
	// What read holds now is the last part: one user, all of it handed out.
	c.user, c.from = len(c.read.counts)-1, 0
	return nil
}

// normalise undoes that Clone turns an empty column into a nil one.
func normalise(tl *model.Timeline) {
	for i := range tl.Props {
		if p := &tl.Props[i]; p.Codes == nil && p.Plain == nil {
			p.Codes = make([]uint32, len(tl.Time))
		}
	}
}
