package store

import (
	"bytes"
	"hash/maphash"
	"math"
)

// occurrence counts rows of one content at one user and time.
type occurrence struct {
	known int64 // T
	seen  int64 // in source
	own   int64 // stored by earlier pieces of the load's own source
	// already is how many of this load's rows another source had.
	already int64
	at      uint64 // where a row of this content has its tail, as in packedRow
	source  uint32
	old     bool // that row is a stored one
	begun   bool
	keep    bool // source kept all it brought
}

// stored counts a stored row; sources come in ascending order.
func (k *occurrence) stored(source uint32, keepEqual bool) {
	if k.begun && k.source == source {
		k.seen++
	} else {
		k.known = k.total()
		k.source, k.seen, k.begun = source, 1, true
	}
	k.keep = keepEqual
}

// total is T after the source at hand.
func (k *occurrence) total() int64 {
	switch {
	case !k.begun:
		return 0
	case k.keep:
		return max(k.known, k.seen)
	}
	return k.known + k.seen
}

// close ends the stored sources; the load's own begin.
func (k *occurrence) close() {
	k.known = k.total()
	k.seen, k.begun, k.keep = 0, false, false
}

// contents are the occurrences of one group: a hash table whose keys stay where
// they stand, so that a million different rows of one user and time take steps in
// proportion to their number, and no pointer for the collector to follow.
type contents struct {
	seed  maphash.Seed
	slots []uint64 // half a hash, and number + 1; 0 is free
	list  []occurrence
	steps int64 // slots and hidden rows looked at since the beginning; for tests
}

// keptContents is how many slots are kept from one group to the next.
const keptContents = 1 << 12

// reset empties the table for a group of n rows.
func (t *contents) reset(n int) {
	if t.slots == nil {
		t.seed = maphash.MakeSeed()
	}
	size := 16
	for size < 2*n {
		size *= 2
	}
	if cap(t.slots) < size || cap(t.slots) > keptContents && size <= keptContents {
		t.slots, t.list = make([]uint64, size), make([]occurrence, 0, min(n, keptContents))
	}
	t.slots, t.list = t.slots[:size], t.list[:0]
	clear(t.slots)
}

// of gives the occurrence of a content, which stands at at, a new one if need be;
// it stays where it is until the next call. text is the tail that stands somewhere.
func (t *contents) of(content []byte, at uint64, old bool, text func(*occurrence) []byte) *occurrence {
	h := maphash.Bytes(t.seed, content)
	half, mask := h&^math.MaxUint32, len(t.slots)-1
	for i := int(h) & mask; ; i = (i + 1) & mask {
		t.steps++
		s := t.slots[i]
		if s == 0 {
			t.list = append(t.list, occurrence{at: at, old: old})
			t.slots[i] = half | uint64(len(t.list))
			return &t.list[len(t.list)-1]
		}
		if k := &t.list[uint32(s)-1]; s&^math.MaxUint32 == half && bytes.Equal(text(k), content) {
			return k
		}
	}
}
