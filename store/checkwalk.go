package store

import (
	"bytes"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// walk hands every key to entry, in order.
//
// Badger ends an iteration at a bad block without a word. The walk notices, because
// it knows the last key that there must be, says so once, and goes on where the next
// load's part of a bucket begins: one bad block of thousands is reported by what lies
// in it, and all else is checked.
func (c *checker) walk() error {
	var from, last []byte
	for end := c.lastKey(); ; {
		n, err := c.walkFrom(from, &last)
		if err != nil {
			return err
		}
		if bytes.Compare(last, end) >= 0 {
			return nil
		}
		if n > 0 || from == nil {
			c.problem(last, "more must follow and cannot be read: a block of a file in %s is damaged", dirBadger)
		}
		after := last
		if bytes.Compare(from, last) > 0 {
			after = from
		}
		if from = c.stop(after); from == nil {
			return nil
		}
	}
}

// walkFrom hands on what one iteration from a key on reads, how much that was, and
// the last key of it.
func (c *checker) walkFrom(from []byte, last *[]byte) (n int, err error) {
	o := badger.DefaultIteratorOptions
	o.PrefetchValues = false
	it := c.txn.NewIterator(o)
	defer it.Close()
	for it.Seek(from); it.Valid(); it.Next() {
		key := it.Item().KeyCopy(nil)
		if *last != nil && bytes.Compare(*last, key) >= 0 {
			c.problem(key, "it stands after %q", *last)
		}
		*last = key
		n++
		value, err := it.Item().ValueCopy(nil)
		if err != nil {
			c.problem(key, "it cannot be read: %v", err)
			continue
		}
		c.entry(key, value)
		if err := c.ctx.Err(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// lastKey is the greatest key that the tables of the loads promise: a page of
// summaries, or the last marker where there is none.
func (c *checker) lastKey() (last []byte) {
	for _, l := range c.view.loads {
		keys := [][]byte{appendLoadKey(nil, kindMarker, l.mark.Load)}
		for b := range l.table {
			if n := l.table[b].pages; n > 0 {
				keys = append(keys, appendSummaryKey(nil, summaryKey{bucket: b, load: l.mark.Load, page: uint16(n - 1)}))
			}
		}
		last = slices.MaxFunc(append(keys, last), bytes.Compare)
	}
	return last
}

// stop is the first key behind another where a kind of records, or a load's part of a
// bucket, begins; nil if there is none.
func (c *checker) stop(after []byte) []byte {
	if c.stops == nil {
		for _, kind := range []byte{kindTable, kindDict, kindFormat, kindHidden, kindIntent, kindMarker} {
			c.stops = append(c.stops, []byte{kind})
		}
		for _, l := range c.view.loads {
			for b := range buckets {
				c.stops = append(c.stops, appendBucketKey(nil, kindChunk, b, l.mark.Load), appendBucketKey(nil, kindSummary, b, l.mark.Load))
			}
		}
		slices.SortFunc(c.stops, bytes.Compare)
	}
	at, found := slices.BinarySearchFunc(c.stops, after, bytes.Compare)
	if found {
		at++
	}
	if at == len(c.stops) {
		return nil
	}
	return c.stops[at]
}
