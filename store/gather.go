package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"
)

// A packedRow is one row of a bucket being packed. It holds no pointer: rows are
// moved about a good deal, and each pointer moved is work for the collector.
type packedRow struct {
	time   int64
	num    int64
	at     uint64 // where its tail stands in the bucket's bytes, and how long it is
	user   uint32 // index into bucketRows.users
	source uint32
}

// tailBits hold the length of a tail, which is at most maxTail.
const tailBits = 25

func tailAt(from, size int) uint64 { return uint64(from)<<tailBits | uint64(size) }

// size is the length of the row's tail.
func (r *packedRow) size() int { return int(r.at & (1<<tailBits - 1)) }

// tail gives the row's tail; raw are the bucket's bytes.
func (r *packedRow) tail(raw []byte) []byte { return tailIn(raw, r.at) }

// tailIn gives the tail that tailAt says where it stands.
func tailIn(raw []byte, at uint64) []byte {
	from := int(at >> tailBits)
	return raw[from : from+int(at&(1<<tailBits-1))]
}

// bucketRows is a bucket read back: its rows by user, time and row. Its arrays
// are used again for the next bucket, but for the text of users.
type bucketRows struct {
	raw   []byte
	users []string // sorted
	from  []int    // of each user, the first row; one more at the end
	old   []bool   // of each user, whether an earlier load has it: for the packer to set
	rows  []packedRow
	ids   userTable // the users in order of appearance

	in     []packedRow // as read, a worker's rows one after the other
	runs   []stretch   // of each worker
	starts []int
	order  []rankedUser
	rank   []uint32 // of each user in ids, the place in users
	next   []int
}

// A stretch is rows in ascending order of num.
type stretch struct{ at, end int }

// A rankedUser sorts users; most differ in their first eight bytes.
type rankedUser struct {
	head uint64
	id   uint32
}

// read gathers a bucket from the spill file and from what the workers still hold.
func (r *bucketRows) read(l *loader, b int) error {
	r.raw, r.in, r.runs = r.raw[:0], r.in[:0], r.runs[:0]
	r.ids.reset()
	for _, w := range l.workers {
		var err error
		r.raw, r.starts, err = l.spill.read(b, w.ordinal, r.raw, r.starts[:0])
		if err != nil {
			return err
		}
		r.starts = append(r.starts, len(r.raw))
		r.raw = append(r.raw, w.bufs[b].b...)
		w.bufs[b].b = nil // nobody else reads this bucket
		r.starts = append(r.starts, len(r.raw))
		from := len(r.in)
		for i := range len(r.starts) - 1 {
			if err := r.parse(r.starts[i], r.starts[i+1]); err != nil {
				return err
			}
		}
		if len(r.in) > from {
			r.runs = append(r.runs, stretch{from, len(r.in)})
		}
	}
	r.name()
	r.sort()
	return nil
}

// parse reads the piece that stands in raw[from:to].
func (r *bucketRows) parse(from, to int) error {
	p := pieceReader{b: r.raw[:to], at: from}
	var s spillRow
	for p.next(&s) {
		id := r.ids.number(r.raw, p.user, len(s.user))
		r.in = append(r.in, packedRow{time: s.time, num: s.num, at: tailAt(p.at-len(s.tail), len(s.tail)), user: id, source: s.source})
	}
	if p.bad {
		return damaged(nil, "the spill file is not what was written")
	}
	return nil
}

// name sorts the users and gives them strings, which share one allocation.
func (r *bucketRows) name() {
	r.order = r.order[:0]
	size := 0
	for i := range r.ids.users {
		u := r.ids.text(r.raw, uint32(i))
		size += len(u)
		r.order = append(r.order, rankedUser{headOf(u), uint32(i)})
	}
	slices.SortFunc(r.order, func(a, b rankedUser) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return bytes.Compare(r.ids.text(r.raw, a.id), r.ids.text(r.raw, b.id))
	})
	all := make([]byte, 0, size)
	r.rank = grow(r.rank, len(r.order))
	for i, o := range r.order {
		r.rank[o.id] = uint32(i)
		all = append(all, r.ids.text(r.raw, o.id)...)
	}
	text := string(all)
	r.users = r.users[:0]
	for _, o := range r.order {
		n := len(r.ids.text(r.raw, o.id))
		r.users = append(r.users, text[:n])
		text = text[n:]
	}
	r.old = grow(r.old, len(r.users))
	clear(r.old)
}

// place is where in users an id stands; ok is false if it is not among them.
func (r *bucketRows) place(id []byte) (u int, ok bool) {
	num, _, ok := r.ids.find(r.raw, id)
	if !ok {
		return 0, false
	}
	return int(r.rank[num]), true
}

// isOld says whether an id is one of the users and known of an earlier load.
func (r *bucketRows) isOld(id string) bool {
	u, ok := r.place([]byte(id))
	return ok && r.old[u]
}

// headOf is the first eight bytes as a number that sorts as they do.
func headOf(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var head [8]byte
	copy(head[:], b)
	return binary.BigEndian.Uint64(head[:])
}

// sort puts rows in order of user, time and row number. Each worker's rows are in
// the order of the file: merged, they need only be dealt out to their users, which
// is by counting, and sorted for those whose rows the file does not have in order
// of time.
func (r *bucketRows) sort() {
	r.from = grow(r.from, len(r.users)+1)
	clear(r.from)
	for i := range r.in {
		u := r.rank[r.in[i].user]
		r.in[i].user = u
		r.from[u+1]++
	}
	for i := 1; i < len(r.from); i++ {
		r.from[i] += r.from[i-1]
	}
	r.next = append(r.next[:0], r.from...)
	r.rows = grow(r.rows, len(r.in))
	for len(r.runs) > 0 {
		r.deal()
	}
	for u := range r.users {
		if part := r.rows[r.from[u]:r.from[u+1]]; !inOrder(part) {
			slices.SortFunc(part, func(a, b packedRow) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.num, b.num)) })
		}
	}
}

// deal gives the rows that come first in the file to their users: those of one run
// up to the next row of another.
func (r *bucketRows) deal() {
	first, until := 0, int64(math.MaxInt64)
	for i := 1; i < len(r.runs); i++ {
		switch num, best := r.in[r.runs[i].at].num, r.in[r.runs[first].at].num; {
		case num < best:
			first, until = i, best
		case num < until:
			until = num
		}
	}
	run := &r.runs[first]
	for {
		row := &r.in[run.at]
		r.rows[r.next[row.user]] = *row
		r.next[row.user]++
		if run.at++; run.at == run.end {
			r.runs = slices.Delete(r.runs, first, first+1)
			return
		}
		if r.in[run.at].num >= until {
			return
		}
	}
}

func inOrder(rows []packedRow) bool {
	for i := 1; i < len(rows); i++ {
		if a, b := &rows[i-1], &rows[i]; a.time > b.time || a.time == b.time && a.num > b.num {
			return false
		}
	}
	return true
}

// A userTable numbers the user ids of a bucket in order of appearance: a hash
// table whose keys stay where they stand in the bucket's bytes.
type userTable struct {
	seed  maphash.Seed
	slots []uint64 // half a hash, and number + 1; 0 is free
	users []userPlace
}

type userPlace struct{ from, size uint64 }

func (t *userTable) reset() {
	if t.slots == nil {
		t.seed, t.slots = maphash.MakeSeed(), make([]uint64, 1<<9)
	}
	clear(t.slots)
	t.users = t.users[:0]
}

func (t *userTable) text(raw []byte, id uint32) []byte {
	u := &t.users[id]
	return raw[u.from : u.from+u.size]
}

// find gives the number of an id, or the free slot where it would stand.
func (t *userTable) find(raw, id []byte) (num uint32, slot int, known bool) {
	h := maphash.Bytes(t.seed, id)
	half, mask := h&^math.MaxUint32, len(t.slots)-1
	for i := int(h) & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			return 0, i, false
		}
		if num := uint32(s) - 1; s&^math.MaxUint32 == half && string(t.text(raw, num)) == string(id) {
			return num, i, true
		}
	}
}

// number gives the id that stands in raw its number.
func (t *userTable) number(raw []byte, from, size int) uint32 {
	id := raw[from : from+size]
	num, slot, known := t.find(raw, id)
	if known {
		return num
	}
	num = uint32(len(t.users))
	t.users = append(t.users, userPlace{uint64(from), uint64(size)})
	t.slots[slot] = maphash.Bytes(t.seed, id)&^math.MaxUint32 | uint64(num+1)
	if 2*len(t.users) > len(t.slots) {
		t.widen(raw)
	}
	return num
}

// widen doubles the table.
func (t *userTable) widen(raw []byte) {
	t.slots = make([]uint64, 2*len(t.slots))
	for i := range t.users {
		id := t.text(raw, uint32(i))
		_, slot, _ := t.find(raw, id)
		t.slots[slot] = maphash.Bytes(t.seed, id)&^math.MaxUint32 | uint64(i+1)
	}
}
