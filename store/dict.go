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
	// maxValues is how many distinct values all keys may have together; beyond it
	// each key with more than fewValues of them is plain. Thousands of columns of
	// different values would otherwise be numbered up to valueLimit each.
	maxValues = 1 << 19
	fewValues = 1 << 8
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
// front of a map, so that the few values that fill a column cost a comparison of
// three numbers.
//
// The table grows with the strings, for there is one for each worker and property,
// and a load may have thousands of properties.
type stringCache struct {
	slots []cacheSlot // 1 << (64 - shift)
	shift uint8
	ids   map[string]uint32
}

// The sizes of the table, as shifts of a hash: 16 slots at first, 512 at most.
const (
	fewSlots  = 60
	mostSlots = 55
)

// A cacheSlot knows the id of a string of 1 to 16 bytes by its ends; size 0 is free.
type cacheSlot struct {
	ends
	id uint32
}

// ends are a string's first and last bytes, which overlap in one shorter than 16;
// with the size they are all of it.
type ends struct {
	first, last uint64
	size        uint32
}

func newStringCache() *stringCache {
	c := &stringCache{ids: map[string]uint32{}}
	c.resize(fewSlots)
	return c
}

func (c *stringCache) resize(shift uint8) {
	c.slots, c.shift = make([]cacheSlot, 1<<(64-shift)), shift
}

func endsOf(b []byte) ends {
	switch n := len(b); {
	case n >= 8:
		return ends{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:]), uint32(n)}
	case n >= 4:
		return ends{uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:])), uint32(n)}
	case n > 0:
		return ends{uint64(b[0]), uint64(b[n/2])<<8 | uint64(b[n-1]), uint32(n)}
	}
	return ends{}
}

func (e ends) hash() uint64 {
	return (e.first ^ e.last*3 + uint64(e.size)) * 0x9E3779B97F4A7C15
}

// find gives the id of b, or miss.
func (c *stringCache) find(b []byte) uint32 {
	e := endsOf(b)
	slot := &c.slots[e.hash()>>c.shift]
	if slot.ends == e && e.size-1 < 16 {
		return slot.id
	}
	id, ok := c.ids[string(b)]
	if !ok {
		return miss
	}
	*slot = cacheSlot{e, id}
	return id
}

// keep remembers an id that the load gave, by the load's own string: workers share
// one copy of it.
func (c *stringCache) keep(s string, id uint32) {
	c.ids[s] = id
	if c.shift > mostSlots && 4*len(c.ids) > len(c.slots) {
		c.resize(max(c.shift-2, mostSlots))
	}
}

// tooMany is ErrTooMany with what there is too much of.
func tooMany(what string, limit int) error {
	return fmt.Errorf("%w: more than %d %s; is the right column taken for it?", ErrTooMany, limit, what)
}
