package store

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dgraph-io/badger/v4"
)

// Find gives the ids that hold text, letter case ignored: those that start with
// it first, each group in key order. It reads the summaries alone, twice if fn
// wants more than the first group, so that it needs no memory for the ids.
func (s *snapshot) Find(ctx context.Context, text string, fn func(id string) bool) (err error) {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	f := &finder{ctx: ctx, txn: s.txn, view: s.view, low: []byte(strings.ToLower(text)), fn: fn}
	defer guard(&f.inFn, &err)
	for _, f.prefix = range []bool{true, false} {
		for b := range buckets {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.view.events[b] == 0 {
				continue
			}
			if more, err := f.bucket(b); !more || err != nil {
				return err
			}
		}
		if text == "" {
			break // everything starts with nothing
		}
	}
	return ctx.Err()
}

type finder struct {
	ctx    context.Context
	txn    *badger.Txn
	view   *view
	low    []byte
	prefix bool
	fold   []byte
	hits   []string
	fn     func(string) bool
	inFn   bool
}

// bucket hands out the hits of one bucket; those of several loads are sorted
// and made distinct, one load's come sorted.
func (f *finder) bucket(b int) (more bool, err error) {
	f.hits = f.hits[:0]
	loads := 0
	for _, l := range f.view.loads {
		if l.table[b].pages == 0 {
			continue
		}
		loads++
		if err := eachID(f.txn, l, b, func(id []byte) {
			if f.match(id) {
				f.hits = append(f.hits, string(id))
			}
		}); err != nil {
			return false, err
		}
	}
	if loads > 1 {
		f.hits = sortedDistinct(f.hits)
	}
	for _, id := range f.hits {
		f.inFn = true
		more := f.fn(id)
		f.inFn = false
		if !more {
			return false, nil
		}
	}
	return true, nil
}

// match says whether an id belongs to the group at hand.
func (f *finder) match(id []byte) bool {
	f.fold = f.fold[:0]
	for _, c := range id {
		if c >= utf8.RuneSelf {
			f.fold = append(f.fold[:0], strings.ToLower(string(id))...)
			break
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		f.fold = append(f.fold, c)
	}
	if f.prefix {
		return bytes.HasPrefix(f.fold, f.low)
	}
	return bytes.Index(f.fold, f.low) > 0
}

// eachID calls fn with the ids of one bucket of one load, in order; they are
// valid until fn returns.
func eachID(txn *badger.Txn, l *loadView, b int, fn func(id []byte)) error {
	var r summaryReader
	for page := range l.table[b].pages {
		key := appendSummaryKey(nil, summaryKey{bucket: b, load: l.mark.Load, page: uint16(page)})
		value, err := getSealed(txn, key)
		if err != nil {
			return err
		}
		rec, err := unseal(key, value)
		if err != nil {
			return err
		}
		if err := r.reset(rec); err != nil {
			return damaged(key, "%v", err)
		}
		for {
			id, ok := r.next()
			if !ok {
				break
			}
			fn(id)
		}
		if r.d.bad {
			return damaged(key, "%v", errShort)
		}
	}
	return nil
}

// eventsOf is how many events the summaries say that a user of the bucket has in one
// load.
func eventsOf(txn *badger.Txn, l *loadView, b int, id string) (int64, error) {
	var r summaryReader
	for page := range l.table[b].pages {
		key := appendSummaryKey(nil, summaryKey{bucket: b, load: l.mark.Load, page: uint16(page)})
		value, err := getSealed(txn, key)
		if err != nil {
			return 0, err
		}
		rec, err := unseal(key, value)
		if err != nil {
			return 0, err
		}
		if err := r.reset(rec); err != nil {
			return 0, damaged(key, "%v", err)
		}
		at, n := -1, 0
		for {
			user, ok := r.next()
			if !ok {
				break
			}
			if string(user) == id {
				at = n
			}
			n++
		}
		var events int64
		for range at + 1 { // the counts follow, with two times each
			events = r.d.int()
			r.d.signed()
			r.d.int()
		}
		if r.d.bad {
			return 0, damaged(key, "%v", errShort)
		}
		if at >= 0 {
			return events, nil
		}
	}
	return 0, damaged(appendBucketKey(nil, kindSummary, b, l.mark.Load), "user %q is not among them", id)
}

// sortedDistinct sorts ids and drops repeated ones.
func sortedDistinct(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}
