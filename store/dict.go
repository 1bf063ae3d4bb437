package store

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"dwell/model"
)

// Limits of what one load numbers. They bound memory whatever the input: a
// column taken for the event by mistake would otherwise number every row.
const (
	maxNames      = 1 << 20
	maxKeys       = 1 << 14
	maxValueBytes = 8 << 20 // of one key's distinct values; beyond it the key is plain
)

// miss marks a string a worker has not seen; plainValue one that is stored as
// itself because its key is plain.
const (
	miss       = ^uint32(0)
	plainValue = miss - 1
)

// A numbering gives the strings of one load their ids in file order: it is
// added to only by the batch whose turn it is.
type numbering struct {
	ids   map[string]uint32
	list  []string
	bytes int
	// full is set once the key has too many values: no string is added after,
	// so that any worker may read ids.
	full atomic.Bool
}

func newNumbering() *numbering { return &numbering{ids: map[string]uint32{}} }

// add numbers b, or gives plainValue if the numbering is full. limit is how many
// ids there may be.
func (n *numbering) add(b []byte, limit int) uint32 {
	if id, ok := n.ids[string(b)]; ok {
		return id
	}
	if n.full.Load() {
		return plainValue
	}
	if len(n.list) >= limit || n.bytes+len(b) > maxValueBytes && limit == valueLimit {
		n.full.Store(true)
		return plainValue
	}
	s, id := string(b), uint32(len(n.list))
	n.ids[s] = id
	n.list = append(n.list, s)
	n.bytes += len(s)
	return id
}

// valueLimit is how many ids the values of a key may have, absent among them.
const valueLimit = model.PlainAbove + 1

// newValues is the numbering of a key's values: 0 is "", absent.
func newValues() *numbering {
	n := newNumbering()
	n.add(nil, 1)
	return n
}

// A stringCache is one worker's own way from strings to ids: a small table in
// front of a map, so that the few values that fill a column cost a comparison.
type stringCache struct {
	slots [512]cacheSlot
	ids   map[string]cacheSlot
}

type cacheSlot struct {
	s  string
	id uint32
}

func newStringCache() *stringCache { return &stringCache{ids: map[string]cacheSlot{}} }

// slotOf hashes length and both ends; a collision costs a look into the map.
func slotOf(b []byte) uint32 {
	var x uint64
	switch n := len(b); {
	case n >= 8:
		x = binary.LittleEndian.Uint64(b) ^ binary.LittleEndian.Uint64(b[n-8:])*3 + uint64(n)
	case n >= 4:
		x = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	case n > 0:
		x = uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16 + uint64(n)<<24
	}
	return uint32((x * 0x9E3779B97F4A7C15) >> 55)
}

// find gives the id of b, or miss.
func (c *stringCache) find(b []byte) uint32 {
	slot := &c.slots[slotOf(b)]
	if slot.s == string(b) && len(b) > 0 {
		return slot.id
	}
	if known, ok := c.ids[string(b)]; ok {
		*slot = known
		return known.id
	}
	return miss
}

// keep remembers an id that the load gave.
func (c *stringCache) keep(b []byte, id uint32) {
	known := cacheSlot{s: string(b), id: id}
	c.ids[known.s] = known
	c.slots[slotOf(b)] = known
}

// tooMany is ErrTooMany with what there is too much of.
func tooMany(what string, limit int) error {
	return fmt.Errorf("%w: more than %d %s; is the right column taken for it?", ErrTooMany, limit, what)
}
