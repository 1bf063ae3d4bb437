package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/dgraph-io/badger/v4"
)

// A hidden row is one that a piece of a followed file brought and that was not
// stored, because another source had an equal one. The next piece has to know how
// often the rows before it stood in the file (equality), and the stored ones do not
// tell. So such rows are remembered with the load: their user, time, a hash of their
// content and how many they are. Among rows of one user and millisecond 64 bits tell
// apart whatever occurs.
//
// A piece that begins at byte 0 of a file of which earlier loads are one source with
// it counts the file anew (ingest.Tail does so where those loads left nothing to go
// by): what was remembered before it counts no more, and what it remembers is how
// many rows the file has beyond those stored of it.
type hiddenRow struct {
	user   string
	time   int64 // ms
	hash   uint64
	count  int64
	source uint32 // of the load
}

// hiddenPage is about how long a page of hidden rows gets.
const hiddenPage = 32 << 10

// A hiddenKey is the parsed key of a page of hidden rows.
type hiddenKey struct {
	load   uint32
	bucket int
	page   uint16
}

func appendHiddenPrefix(dst []byte, load uint32, bucket int) []byte {
	return binary.BigEndian.AppendUint16(appendLoadKey(dst, kindHidden, load), uint16(bucket))
}

func appendHiddenKey(dst []byte, k hiddenKey) []byte {
	return binary.BigEndian.AppendUint16(appendHiddenPrefix(dst, k.load, k.bucket), k.page)
}

func parseHiddenKey(b []byte) (hiddenKey, error) {
	if len(b) != 9 || b[0] != kindHidden {
		return hiddenKey{}, badKey(b)
	}
	k := hiddenKey{load: binary.BigEndian.Uint32(b[1:]), bucket: int(binary.BigEndian.Uint16(b[5:])), page: binary.BigEndian.Uint16(b[7:])}
	if k.bucket >= buckets {
		return hiddenKey{}, badKey(b)
	}
	return k, nil
}

// appendHidden writes rows in order of user with room for the envelope: how many,
// then each with its user (no bytes: the one before), time, hash, count and source.
func appendHidden(rows []hiddenRow) []byte {
	dst := binary.AppendUvarint(make([]byte, envelopeLen), uint64(len(rows)))
	user := ""
	for i := range rows {
		r := &rows[i]
		id := r.user
		if id == user {
			id = ""
		}
		user = r.user
		dst = append(binary.AppendUvarint(dst, uint64(len(id))), id...)
		dst = binary.AppendVarint(dst, r.time)
		dst = binary.LittleEndian.AppendUint64(dst, r.hash)
		dst = binary.AppendUvarint(dst, uint64(r.count))
		dst = binary.AppendUvarint(dst, uint64(r.source))
	}
	return dst
}

func decodeHidden(key, rec []byte) ([]hiddenRow, error) {
	d := byteReader{b: rec}
	n := d.int()
	if n > int64(len(rec)) {
		return nil, damaged(key, "it claims %d rows", n)
	}
	out := make([]hiddenRow, 0, n)
	user := ""
	for range n {
		if id := d.bytes(d.int()); len(id) > 0 {
			user = string(id)
		}
		r := hiddenRow{user: user, time: d.signed()}
		if h := d.bytes(8); len(h) == 8 {
			r.hash = binary.LittleEndian.Uint64(h)
		}
		r.count = d.int()
		source := d.int()
		if r.source = uint32(source); user == "" || r.count == 0 || source >= int64(miss) {
			d.bad = true
		}
		out = append(out, r)
	}
	if !d.end() {
		return nil, damaged(key, "it ends early or has bytes left over")
	}
	return out, nil
}

// hidden writes the hidden rows of bucket b, in order of user.
func (p *packer) hidden(b int, rows []hiddenRow) error {
	page := uint16(0)
	for from := 0; from < len(rows); page++ {
		to, size := from, 0
		for to < len(rows) && size < hiddenPage {
			size += len(rows[to].user) + 16
			to++
		}
		key := appendHiddenKey(nil, hiddenKey{load: p.c.load, bucket: b, page: page})
		value := seal(key, appendHidden(rows[from:to]))
		p.bytes += int64(len(value))
		p.pages++
		if err := p.batch.Set(key, value); err != nil {
			return err
		}
		from = to
		if page == ^uint16(0) && from < len(rows) {
			return errors.New("too many rows of one file are in another: load it whole")
		}
	}
	return nil
}

// eachHidden calls fn with the hidden rows of one load's bucket.
func eachHidden(txn *badger.Txn, l *loadView, b int, fn func(*hiddenRow)) error {
	if l.mark.Hidden == 0 {
		return nil
	}
	for e, err := range entries(txn, appendHiddenPrefix(nil, l.mark.Load, b), true) {
		if err != nil {
			return err
		}
		rec, err := unseal(e.key, e.value)
		if err != nil {
			return err
		}
		rows, err := decodeHidden(e.key, rec)
		if err != nil {
			return err
		}
		for i := range rows {
			if int(rows[i].source) >= len(l.mark.Sources) {
				return damaged(e.key, "the load has no source %d", rows[i].source)
			}
			fn(&rows[i])
		}
	}
	return nil
}

// wholeHidden says whether all pages of hidden rows of a load can be read: eachHidden
// would not notice that the last of a bucket lies in a block that Badger leaves out.
func wholeHidden(txn *badger.Txn, l *loadView) error {
	if l.mark.Hidden == 0 {
		return nil
	}
	var n int64
	prefix := appendLoadKey(nil, kindHidden, l.mark.Load)
	for _, err := range entries(txn, prefix, false) {
		if err != nil {
			return err
		}
		n++
	}
	if n != l.mark.Hidden {
		return damaged(prefix, "%d of its %d pages can be read", n, l.mark.Hidden)
	}
	return nil
}

// readHidden gathers what the pieces before this load brought of its users.
func (p *packer) readHidden(b int) error {
	if p.c.own == miss || p.c.anew {
		return nil
	}
	for _, l := range p.c.view.loads {
		if err := eachHidden(p.c.txn, l, b, func(r *hiddenRow) {
			s := l.sources.table[r.source]
			if p.c.whole[s] == p.c.own && s >= p.c.counted && p.rows.isOld(r.user) {
				p.equal.hidden[r.user] = append(p.equal.hidden[r.user], *r)
			}
		}); err != nil {
			return err
		}
	}
	for _, rows := range p.equal.hidden {
		slices.SortFunc(rows, orderHidden)
	}
	return nil
}

// hiddenOf is how many rows of this content the pieces before have hidden.
func (e *equality) hiddenOf(c *commit, id string, row *packedRow) (n int64) {
	rows := e.hidden[id]
	if rows == nil {
		return 0
	}
	i, there := slices.BinarySearchFunc(rows, row.time, func(r hiddenRow, at int64) int { return cmp.Compare(r.time, at) })
	if !there {
		return 0
	}
	want := hiddenRow{time: row.time, hash: e.contentHash(c, row.tail(e.raw))}
	more, _ := slices.BinarySearchFunc(rows[i:], want, orderHidden)
	for _, r := range rows[i+more:] {
		e.occ.steps++
		if orderHidden(r, want) != 0 {
			break
		}
		n += r.count
	}
	return n
}

// orderHidden is the order of one user's hidden rows.
func orderHidden(a, b hiddenRow) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.hash, b.hash))
}

// hide remembers the rows of one group that were not stored, of a piece.
func (e *equality) hide(c *commit, id string, at int64) {
	from := len(e.out)
	for i := range e.occ.list {
		k := &e.occ.list[i]
		n := k.already
		if c.anew {
			n -= k.own // they stand in the file, and are stored of it
		}
		if n > 0 {
			e.out = append(e.out, hiddenRow{user: id, time: at, hash: e.contentHash(c, e.tailOf(k)), count: n})
		}
	}
	slices.SortFunc(e.out[from:], func(a, b hiddenRow) int { return cmp.Compare(a.hash, b.hash) })
}

// contentHash hashes a tail of this load by its strings, so that another load, which
// numbers them otherwise, has the same.
func (e *equality) contentHash(c *commit, b []byte) uint64 {
	t := parseTail(b)
	type prop struct {
		key   string
		value []byte
	}
	var props []prop
	for {
		key, code, plain, ok := t.next()
		if !ok {
			break
		}
		if plain == nil {
			plain = []byte(c.l.values[key].list[code])
		}
		props = append(props, prop{c.l.keys.list[key], plain})
	}
	slices.SortFunc(props, func(a, b prop) int { return strings.Compare(a.key, b.key) })
	name := c.l.names.list[t.name]
	buf := append(binary.AppendUvarint(e.text[:0], uint64(len(name))), name...)
	buf = binary.AppendVarint(buf, int64(t.amount))
	if t.dated {
		buf = append(buf, 1)
	} else {
		buf = append(buf, 0)
	}
	for _, p := range props {
		buf = append(binary.AppendUvarint(buf, uint64(len(p.key))), p.key...)
		buf = append(binary.AppendUvarint(buf, uint64(len(p.value))), p.value...)
	}
	e.text = buf
	return xxhash.Sum64(buf)
}

// hiddenRows are the hidden rows of a bucket of the old loads, under the numbers that
// their sources have in the merged one.
func (m *merging) hiddenRows(b int) ([]hiddenRow, error) {
	var out []hiddenRow
	for _, l := range m.view.loads {
		if err := eachHidden(m.txn, l, b, func(r *hiddenRow) {
			row := *r
			row.source = m.source[l.sources.table[r.source]]
			out = append(out, row)
		}); err != nil {
			return nil, err
		}
	}
	order := func(a, b hiddenRow) int {
		return cmp.Or(strings.Compare(a.user, b.user), cmp.Compare(a.time, b.time), cmp.Compare(a.source, b.source), cmp.Compare(a.hash, b.hash))
	}
	slices.SortFunc(out, order)
	sum := out[:0]
	for _, r := range out {
		if n := len(sum); n > 0 && order(sum[n-1], r) == 0 {
			sum[n-1].count += r.count
		} else {
			sum = append(sum, r)
		}
	}
	return sum, nil
}

// known says that after this load the data set knows of every row of the load's
// stream how often it stands in the file: see model.SourceInfo.Counted.
func (c *commit) known() bool {
	if !c.piece || c.own == miss || c.anew {
		return c.piece
	}
	return c.view.info.Counted(c.l.plan.Sources[0].Stream)
}
