package store

import (
	"context"
	"fmt"

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
	lk := &lookup{txn: s.txn, plan: s.view.plan(f), id: id, bucket: model.BucketOf([]byte(id))}
	for i, l := range s.view.loads {
		if l.table[lk.bucket].chunks == 0 {
			continue
		}
		if err := lk.load(l, lk.plan.loads[i]); err != nil {
			return model.Timeline{}, err
		}
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
	read   chunkReader
	mix    mixer
	found  bool // even if the cut leaves nothing
}

// load adds what one load has of the user.
func (lk *lookup) load(l *loadView, maps loadMaps) error {
	o := badger.DefaultIteratorOptions
	o.PrefetchValues, o.Reverse = false, true
	o.Prefix = appendBucketKey(nil, kindChunk, lk.bucket, l.mark.Load)
	it := lk.txn.NewIterator(o)
	defer it.Close()
	// The last part this user can have: the greatest key up to it is the chunk
	// whose first user is this one or the nearest before.
	it.Seek(appendChunkKey(nil, chunkKey{bucket: lk.bucket, load: l.mark.Load, user: lk.id, part: 1<<32 - 1}))
	if !it.ValidForPrefix(o.Prefix) {
		return lk.absent(l, o.Prefix)
	}
	k, err := parseChunkKey(it.Item().Key())
	if err != nil {
		return err
	}
	first := len(lk.mix.parts)
	for {
		hit, err := lk.chunk(it.Item(), maps)
		if err != nil {
			return err
		}
		if !hit {
			return lk.absent(l, o.Prefix)
		}
		if k.part == 0 {
			break
		}
		part := k.part
		if it.Next(); !it.ValidForPrefix(o.Prefix) {
			return damaged(o.Prefix, "part %d of user %q is missing", part-1, lk.id)
		}
		if k, err = parseChunkKey(it.Item().Key()); err != nil {
			return err
		}
		if k.user != lk.id || k.part != part-1 {
			return damaged(o.Prefix, "part %d of user %q is missing", part-1, lk.id)
		}
	}
	// Parts came last first.
	for i, j := first, len(lk.mix.parts)-1; i < j; i, j = i+1, j-1 {
		lk.mix.parts[i], lk.mix.parts[j] = lk.mix.parts[j], lk.mix.parts[i]
	}
	return nil
}

// chunk adds the user from one chunk, if it is there.
func (lk *lookup) chunk(item *badger.Item, maps loadMaps) (hit bool, err error) {
	key := item.KeyCopy(nil)
	err = item.Value(func(v []byte) error {
		rec, err := unseal(key, v)
		if err != nil {
			return err
		}
		if err := lk.read.load(rec); err != nil {
			return damaged(key, "%v", err)
		}
		from := 0
		for u, id := range lk.read.ids {
			if id != lk.id {
				from += int(lk.read.counts[u])
				continue
			}
			hit, lk.found = true, true
			if lk.plan.skips(&lk.read.head) {
				return nil
			}
			if err := lk.read.decode(lk.plan.wish, maps); err != nil {
				return damaged(key, "%v", err)
			}
			var tl model.Timeline
			lk.read.timeline(&tl, u, from, lk.plan.wish)
			own := tl.Clone() // the reader's arrays are used again
			normalise(own)
			lk.mix.add(own)
			return nil
		}
		return nil
	})
	return hit, err
}

// absent is called where a load does not seem to have the user: only if all
// chunks of the bucket can be read is that so.
func (lk *lookup) absent(l *loadView, prefix []byte) error {
	var n int64
	for _, err := range entries(lk.txn, prefix, false) {
		if err != nil {
			return err
		}
		n++
	}
	if want := l.table[lk.bucket].chunks; n != want {
		return damaged(prefix, "%d of its %d chunks can be read", n, want)
	}
	return nil
}
