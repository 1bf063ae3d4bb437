package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// User reads one user by seeking the chunk of each load that would hold it.
func (s *snapshot) User(ctx context.Context, id string, f model.Filter) (tl model.Timeline, err error) {
	if err := s.enter(); err != nil {
		return model.Timeline{}, err
	}
	defer s.leave()
	var never bool
	defer guard(&never, &err)
	if err := ctx.Err(); err != nil {
		return model.Timeline{}, err
	}
	if id == "" || len(id) > maxUser {
		return model.Timeline{}, fmt.Errorf("%w: %q", model.ErrNoUser, id)
	}
	lk := newLookup(s.txn, s.view, id, f)
	defer lk.close(s.view)
	if err := lk.all(s.view); err != nil {
		return model.Timeline{}, err
	}
	if len(lk.mix.parts) == 0 {
		if lk.found {
			return model.Timeline{ID: id, IDs: []string{id}, Props: make([]model.Column, len(f.Columns))}, nil
		}
		return model.Timeline{}, fmt.Errorf("%w: %q", model.ErrNoUser, id)
	}
	tl = *lk.mix.result()
	lk.plan.apply(&tl)
	return tl, nil
}

// A lookup gathers one user's chunks over the loads.
type lookup struct {
	txn    *badger.Txn
	plan   *readPlan
	id     string
	bucket int
	it     *badger.Iterator // backwards over the bucket's chunks, of all loads
	read   *chunkReader
	parts  []*model.Timeline // of the load at hand, last first
	mix    mixer
	found  bool // even if the cut leaves nothing
}

func newLookup(txn *badger.Txn, v *view, id string, f model.Filter) *lookup {
	lk := &lookup{txn: txn, plan: v.plan(f), id: id, bucket: model.BucketOf([]byte(id)), read: v.takeReader()}
	o := badger.DefaultIteratorOptions
	o.PrefetchValues, o.Reverse = false, true
	// One iterator for all loads: to make one costs as much as several seeks.
	o.Prefix = binary.BigEndian.AppendUint16([]byte{kindChunk}, uint16(lk.bucket))
	lk.it = txn.NewIterator(o)
	return lk
}

func (lk *lookup) close(v *view) {
	lk.it.Close()
	v.giveReader(lk.read)
}

// all looks into every load, in the order of their numbers: Badger's iterator goes on
// from where it stood where it meets a bad block, and there, before what is looked for,
// that hides nothing. A merged load has a greater number than those loaded after it.
func (lk *lookup) all(v *view) error {
	var order []int
	for i, l := range v.loads {
		if l.table[lk.bucket].chunks > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(v.loads[a].mark.Load, v.loads[b].mark.Load) })
	parts := make([][]*model.Timeline, len(v.loads))
	for _, i := range order {
		lk.parts = nil
		if err := lk.load(v.loads[i], lk.plan.loads[i]); err != nil {
			return err
		}
		parts[i] = lk.parts
	}
	for _, p := range parts {
		for _, tl := range slices.Backward(p) {
			lk.mix.add(tl)
		}
	}
	return nil
}

// load finds what one load has of the user.
func (lk *lookup) load(l *loadView, maps loadMaps) error {
	prefix := appendBucketKey(nil, kindChunk, lk.bucket, l.mark.Load)
	// The last part this user can have: the greatest key up to it is the chunk
	// whose first user is this one or the nearest before.
	lk.it.Seek(appendChunkKey(nil, chunkKey{bucket: lk.bucket, load: l.mark.Load, user: lk.id, part: 1<<32 - 1}))
	if !lk.it.ValidForPrefix(prefix) {
		return lk.absent(l, prefix, 0)
	}
	k, err := parseChunkKey(lk.it.Item().Key())
	if err != nil {
		return err
	}
	var chunks, events int64
	for {
		n, err := lk.chunk(lk.it.Item(), maps)
		if err != nil {
			return err
		}
		chunks++
		if n == 0 {
			return lk.absent(l, prefix, chunks)
		}
		events += n
		if k.part == 0 {
			break
		}
		part := k.part
		if lk.it.Next(); !lk.it.ValidForPrefix(prefix) {
			return damaged(prefix, "part %d of user %q is missing", part-1, lk.id)
		}
		if k, err = parseChunkKey(lk.it.Item().Key()); err != nil {
			return err
		}
		if k.user != lk.id || k.part != part-1 {
			return damaged(prefix, "part %d of user %q is missing", part-1, lk.id)
		}
	}
	// Parts have chunks of their own, so only such a user can have one more, in a block
	// that Badger has left out without a word.
	if len(lk.read.ids) > 1 || chunks == l.table[lk.bucket].chunks {
		return nil
	}
	want, err := eventsOf(lk.txn, l, lk.bucket, lk.id)
	if err != nil {
		return err
	}
	if events != want {
		return damaged(prefix, "%d of the %d events of user %q can be read", events, want, lk.id)
	}
	return nil
}

// chunk takes the user's part of one chunk and gives its events: 0 if the user is not
// there.
func (lk *lookup) chunk(item *badger.Item, maps loadMaps) (events int64, err error) {
	key := item.KeyCopy(nil)
	err = item.Value(func(v []byte) error {
		rec, err := unseal(key, v)
		if err != nil {
			return err
		}
		if err := lk.read.load(rec); err != nil {
			return damaged(key, "%v", err)
		}
		u := slices.Index(lk.read.ids, lk.id)
		if u < 0 {
			return nil
		}
		events, lk.found = int64(lk.read.counts[u]), true
		if lk.plan.skips(&lk.read.head) {
			return nil
		}
		if err := lk.read.decode(lk.plan.wish, maps); err != nil {
			return damaged(key, "%v", err)
		}
		from := 0
		for _, n := range lk.read.counts[:u] {
			from += int(n)
		}
		var tl model.Timeline
		lk.read.timeline(&tl, u, from, lk.plan.wish)
		own := tl.Clone() // the reader's arrays are used again
		normalise(own)
		lk.parts = append(lk.parts, own)
		return nil
	})
	return events, err
}

// absent is called where a load does not seem to have the user, after so many of its
// chunks were read: only if all chunks of the bucket can be read is that so.
func (lk *lookup) absent(l *loadView, prefix []byte, read int64) error {
	want := l.table[lk.bucket].chunks
	if read == want {
		return nil // of a small load, the one it has
	}
	var n int64
	for _, err := range entries(lk.txn, prefix, false) {
		if err != nil {
			return err
		}
		n++
	}
	if n != want {
		return damaged(prefix, "%d of its %d chunks can be read", n, want)
	}
	return nil
}
