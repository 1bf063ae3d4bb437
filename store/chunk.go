package store

import (
	"encoding/binary"
	"math"
	"slices"

	"dwell/model"
)

// A chunk is whole users of one bucket and load, in order of id, each with its
// events in order of time and row. Behind the envelope stand
//
//	users, events        uvarint
//	base, span           varint, uvarint: earliest time (ms), distance to the latest
//	sections             uvarint, then for each its tag and length, uvarints
//	the sections' bytes  one after the other
//
// so that a reader takes the columns it wants and steps over the rest.
const (
	tagUsers  = 0 // directory: shared prefix with the id before, rest, events
	tagTimes  = 1
	tagNames  = 2
	tagDated  = 3 // absent: no date alone
	tagAmount = 4 // absent: no amounts
	tagSource = 5
	tagProps  = 8 // + 2 × key, + 1 if the column holds plain strings
)

const (
	// chunkTarget is about how long a chunk gets: long enough that the columns
	// pay, short enough that one user is read in well under a millisecond.
	chunkTarget = 16 << 10
	// partEvents is how many events of one user a chunk takes at most; a user
	// with more is cut into parts.
	partEvents = 1 << 15
	// maxUser is the longest user id, in bytes: a key has to hold it.
	maxUser = model.MaxUser
)

// chunkRows is what a chunk is written from, column by column.
type chunkRows struct {
	users  []string
	counts []int32 // events of each user
	time   []int64
	dated  []uint32 // 0 or 1
	name   []uint32
	amount []model.Money
	source []uint32
	props  []propRows // in key order, only those that some event has
}

// propRows is one property of a chunk; exactly one of the slices is used.
type propRows struct {
	key   uint32
	codes []uint32 // 0 absent
	plain []string // "" absent
}

// A chunkWriter encodes chunks; it is used by one goroutine.
type chunkWriter struct {
	col     columnWriter
	body    []byte
	ends    []int
	tags    []uint64
	scratch []uint32
}

// append writes rows as a chunk with room for its envelope. There is at least
// one event.
func (w *chunkWriter) append(r *chunkRows) []byte {
	w.body, w.ends, w.tags = w.body[:0], w.ends[:0], w.tags[:0]
	if len(w.scratch) < len(r.time) {
		w.scratch = make([]uint32, len(r.time))
	}
	base, last := slices.Min(r.time), slices.Max(r.time)

	prev := ""
	for i, u := range r.users {
		shared := commonPrefix(prev, u)
		w.body = binary.AppendUvarint(w.body, uint64(shared))
		w.body = binary.AppendUvarint(w.body, uint64(len(u)-shared))
		w.body = append(w.body, u[shared:]...)
		w.body = binary.AppendUvarint(w.body, uint64(r.counts[i]))
		prev = u
	}
	w.end(tagUsers)
	w.body = appendTimes(w.body, r.time, r.counts, base)
	w.end(tagTimes)
	w.body = w.col.appendCodes(w.body, r.name)
	w.end(tagNames)
	if slices.Contains(r.dated, 1) {
		w.body = w.col.appendCodes(w.body, r.dated)
		w.end(tagDated)
	}
	at := len(w.body)
	if w.body = w.col.appendAmounts(w.body, r.amount, w.scratch); len(w.body) > at {
		w.end(tagAmount)
	}
	w.body = w.col.appendCodes(w.body, r.source)
	w.end(tagSource)
	for i := range r.props {
		p := &r.props[i]
		tag := tagProps + 2*uint64(p.key)
		if p.plain != nil {
			w.body = w.col.appendStrings(w.body, p.plain, w.scratch)
			tag++
		} else {
			w.body = w.col.appendCodes(w.body, p.codes)
		}
		w.end(tag)
	}

	out := make([]byte, envelopeLen, envelopeLen+len(w.body)+32+8*len(w.ends))
	out = binary.AppendUvarint(out, uint64(len(r.users)))
	out = binary.AppendUvarint(out, uint64(len(r.time)))
	out = binary.AppendVarint(out, base)
	out = binary.AppendUvarint(out, uint64(last-base))
	out = binary.AppendUvarint(out, uint64(len(w.ends)))
	from := 0
	for i, end := range w.ends {
		out = binary.AppendUvarint(out, w.tags[i])
		out = binary.AppendUvarint(out, uint64(end-from))
		from = end
	}
	return append(out, w.body...)
}

func (w *chunkWriter) end(tag uint64) {
	w.tags = append(w.tags, tag)
	w.ends = append(w.ends, len(w.body))
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// A chunkHead is the start of a chunk, read without touching its columns.
type chunkHead struct {
	users, events int
	first, last   int64
	sections      []section

	arena []byte // scratch of decodeUsers
	ends  []int
}

type section struct {
	tag  uint64
	size int64
	body []byte
}

// parse reads the head of a record; the sections point into it.
func (h *chunkHead) parse(rec []byte) error {
	d := byteReader{b: rec}
	users, events := d.int(), d.int()
	base, span, n := d.signed(), d.int(), d.int()
	if d.bad || n > int64(len(d.b)) || users == 0 || users > events || base+span < base {
		return errShort
	}
	h.first, h.last = base, base+span
	h.sections = h.sections[:0]
	last := int64(-1)
	for range n {
		tag, size := d.int(), d.int()
		if d.bad || tag > math.MaxUint32*2 || tag <= last {
			return errShort
		}
		last = tag
		h.sections = append(h.sections, section{tag: uint64(tag), size: size})
	}
	for i := range h.sections {
		h.sections[i].body = d.bytes(h.sections[i].size)
	}
	if !d.end() {
		return errShort
	}
	// Every event has at least a byte of time and every user three of the
	// directory: so damage cannot ask for more memory than a chunk's worth.
	if events > int64(len(h.section(tagTimes))) || users > int64(len(h.section(tagUsers))) || h.section(tagNames) == nil || h.section(tagSource) == nil {
		return errShort
	}
	h.users, h.events = int(users), int(events)
	return nil
}

// section is the body of a tag, nil if the chunk does not have it.
func (h *chunkHead) section(tag uint64) []byte {
	for i := range h.sections {
		if h.sections[i].tag == tag {
			return h.sections[i].body
		}
	}
	return nil
}

// decodeUsers appends ids and event counts. The ids share one allocation.
func (h *chunkHead) decodeUsers(ids []string, counts []int32) ([]string, []int32, error) {
	src := h.section(tagUsers)
	arena, ends := h.arena[:0], h.ends[:0]
	defer func() { h.arena, h.ends = arena, ends }()
	prev, total := 0, 0 // where the id before starts
	for range h.users {
		shared, a := binary.Uvarint(src)
		if a <= 0 || shared > uint64(len(arena)-prev) {
			return ids, counts, errShort
		}
		size, b := binary.Uvarint(src[a:])
		if b <= 0 || size > uint64(len(src)-a-b) || shared+size > maxUser || shared+size == 0 {
			return ids, counts, errShort
		}
		start := len(arena)
		arena = append(arena, arena[prev:prev+int(shared)]...)
		arena = append(arena, src[a+b:a+b+int(size)]...)
		src = src[a+b+int(size):]
		n, c := binary.Uvarint(src)
		if c <= 0 || n == 0 || n > uint64(h.events-total) {
			return ids, counts, errShort
		}
		src, prev, total = src[c:], start, total+int(n)
		ends = append(ends, len(arena))
		counts = append(counts, int32(n))
	}
	if len(src) != 0 || total != h.events {
		return ids, counts, errShort
	}
	all, from := string(arena), 0
	for _, end := range ends {
		ids = append(ids, all[from:end])
		from = end
	}
	return ids, counts, nil
}
