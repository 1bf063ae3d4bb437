package store

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// A packedRow is one row of a bucket being packed.
type packedRow struct {
	time   int64
	num    int64
	tail   []byte
	user   uint32 // index into bucketRows.users
	source uint32
}

// bucketRows is a bucket read back: its rows by user, time and row.
type bucketRows struct {
	raw    []byte
	starts []int
	users  []string // sorted
	from   []int    // of each user, the first row; one more at the end
	rows   []packedRow
	ids    map[string]uint32
}

// read gathers a bucket from the spill file and from what the workers still hold.
func (r *bucketRows) read(l *loader, b int) error {
	var err error
	r.raw, r.starts, err = l.spill.read(b, r.raw[:0], r.starts[:0])
	if err != nil {
		return err
	}
	r.starts = append(r.starts, len(r.raw))
	r.rows = r.rows[:0]
	r.users = r.users[:0]
	r.ids = map[string]uint32{}
	for i := range len(r.starts) - 1 {
		if err := r.parse(r.raw[r.starts[i]:r.starts[i+1]]); err != nil {
			return err
		}
	}
	for _, w := range l.workers {
		if err := r.parse(w.bufs[b].b); err != nil {
			return err
		}
	}
	r.sort()
	return nil
}

func (r *bucketRows) parse(b []byte) error {
	p := pieceReader{d: byteReader{b: b}}
	var s spillRow
	for p.next(&s) {
		id, ok := r.ids[string(s.user)]
		if !ok {
			id = uint32(len(r.users))
			u := string(s.user)
			r.ids[u] = id
			r.users = append(r.users, u)
		}
		r.rows = append(r.rows, packedRow{time: s.time, num: s.num, tail: s.tail, user: id, source: s.source})
	}
	if p.d.bad {
		return damaged(nil, "the spill file is not what was written")
	}
	return nil
}

// sort puts rows in order of user, time and row number: users by counting, for
// they are few, and each user's rows only if they are not in order already, as
// they mostly are.
func (r *bucketRows) sort() {
	order := make([]uint32, len(r.users))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(r.users[a], r.users[b]) })
	rank := make([]uint32, len(order))
	users := make([]string, len(order))
	for i, o := range order {
		rank[o], users[i] = uint32(i), r.users[o]
	}
	r.users = users
	r.from = grow(r.from, len(users)+1)
	clear(r.from)
	for i := range r.rows {
		r.rows[i].user = rank[r.rows[i].user]
		r.from[r.rows[i].user+1]++
	}
	for i := 1; i < len(r.from); i++ {
		r.from[i] += r.from[i-1]
	}
	next := slices.Clone(r.from)
	out := make([]packedRow, len(r.rows))
	for i := range r.rows {
		u := r.rows[i].user
		out[next[u]] = r.rows[i]
		next[u]++
	}
	r.rows = out
	byTime := func(a, b packedRow) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.num, b.num)) }
	for u := range users {
		if part := r.rows[r.from[u]:r.from[u+1]]; !slices.IsSortedFunc(part, byTime) {
			slices.SortFunc(part, byTime)
		}
	}
}

// A packer turns buckets into chunks and summaries; one goroutine uses it.
type packer struct {
	c     *commit
	batch *badger.WriteBatch
	rows  bucketRows
	equal equality
	old   *scanner // of the loads before, to compare with; nil if there are none

	write  chunkWriter
	chunk  chunkRows
	cols   []propRows // by key, for the chunk at hand
	used   []uint32   // keys that the chunk at hand has
	weight int
	ratio  float64 // bytes of a chunk for each of weight
	part   uint32
	sums   []summary
	digest *xxhash.Digest
	row    bucketRow
	bytes  int64
	pages  int64 // of hidden rows
}

// bucket packs bucket b and gives its row of the table.
func (p *packer) bucket(b int) (bucketRow, uint64, error) {
	p.row, p.sums = bucketRow{}, p.sums[:0]
	p.ratio = 0.4
	p.digest = xxhash.New()
	if err := p.rows.read(p.c.l, b); err != nil {
		return bucketRow{}, 0, err
	}
	if len(p.rows.rows) == 0 {
		return bucketRow{}, 0, nil
	}
	if err := p.readOld(b); err != nil {
		return bucketRow{}, 0, err
	}
	for u, id := range p.rows.users {
		rows := p.rows.rows[p.rows.from[u]:p.rows.from[u+1]]
		if rows = p.equal.keep(p.c, id, rows); len(rows) > 0 {
			if err := p.user(b, id, rows); err != nil {
				return bucketRow{}, 0, err
			}
		}
	}
	if err := p.flush(b); err != nil {
		return bucketRow{}, 0, err
	}
	if err := p.hidden(b, p.equal.out); err != nil {
		return bucketRow{}, 0, err
	}
	return p.row, p.digest.Sum64(), p.summaries(b)
}

// user adds the kept rows of one user.
func (p *packer) user(b int, id string, rows []packedRow) error {
	s := summary{id: id, events: int64(len(rows)), first: rows[0].time, last: rows[len(rows)-1].time}
	if p.row.events == 0 || s.first < p.row.first {
		p.row.first = s.first
	}
	if p.row.events == 0 || s.last > p.row.last {
		p.row.last = s.last
	}
	p.row.events += s.events
	p.row.users++
	if !p.equal.known[id] {
		p.row.newUsers++
	}
	p.sums = append(p.sums, s)
	if len(rows) > impossibleDay {
		p.equal.impossible(p.c, rows)
	}

	weight := 0
	for i := range rows {
		weight += rowWeight(&rows[i])
	}
	if len(rows) <= partEvents && weight <= partWeight {
		if p.weight > 0 && (float64(p.weight+weight)*p.ratio > chunkTarget*1.25 || len(p.chunk.time)+len(rows) > partEvents) {
			if err := p.flush(b); err != nil {
				return err
			}
		}
		p.add(id, rows)
		if float64(p.weight)*p.ratio >= chunkTarget {
			return p.flush(b)
		}
		return nil
	}
	// A user too long for a chunk: parts of its own.
	if err := p.flush(b); err != nil {
		return err
	}
	for len(rows) > 0 {
		n, weight := 0, 0
		for n < len(rows) && n < partEvents && (n == 0 || weight+rowWeight(&rows[n]) <= partWeight) {
			weight += rowWeight(&rows[n])
			n++
		}
		part := p.part
		p.add(id, rows[:n])
		if err := p.flush(b); err != nil {
			return err
		}
		p.part, rows = part+1, rows[n:]
	}
	p.part = 0
	return nil
}

// partWeight bounds what a chunk is made from, unless one row alone is heavier.
const partWeight = 512 << 10

// rowWeight foretells what a row adds to a chunk; it depends on the row alone,
// so that the same load is cut into the same chunks every time.
func rowWeight(r *packedRow) int { return 6 + len(r.tail) }

// add appends rows of one user to the chunk at hand.
func (p *packer) add(id string, rows []packedRow) {
	k := &p.chunk
	k.users = append(k.users, id)
	k.counts = append(k.counts, int32(len(rows)))
	c := p.c
	for i := range rows {
		r := &rows[i]
		p.weight += rowWeight(r)
		t := parseTail(r.tail)
		n := len(k.time)
		k.time = append(k.time, r.time)
		k.name = append(k.name, t.name)
		k.source = append(k.source, r.source)
		k.amount = append(k.amount, t.amount)
		dated := uint32(0)
		if t.dated {
			dated = 1
		}
		k.dated = append(k.dated, dated)
		for {
			key, code, plain, ok := t.next()
			if !ok {
				break
			}
			p.property(c, key, n, code, plain)
		}
		p.equal.tally(t.name, r.time, t.dated, t.amount)
	}
}

// property sets one value of event n of the chunk at hand.
func (p *packer) property(c *commit, key uint32, n int, code uint32, plain []byte) {
	for len(p.cols) <= int(key) {
		p.cols = append(p.cols, propRows{key: uint32(len(p.cols))})
	}
	col := &p.cols[key]
	if c.plain[key] {
		if col.plain == nil {
			p.used = append(p.used, key)
			col.plain = make([]string, 0, n+64)
		}
		for len(col.plain) < n {
			col.plain = append(col.plain, "")
		}
		if plain != nil {
			col.plain = append(col.plain, string(plain))
		} else {
			col.plain = append(col.plain, c.l.values[key].list[code])
		}
		return
	}
	if len(col.codes) == 0 {
		p.used = append(p.used, key)
	}
	for len(col.codes) < n {
		col.codes = append(col.codes, 0)
	}
	col.codes = append(col.codes, code)
}

// flush writes the chunk at hand.
func (p *packer) flush(b int) error {
	k := &p.chunk
	if len(k.time) == 0 {
		return nil
	}
	slices.Sort(p.used)
	k.props = k.props[:0]
	for _, key := range p.used {
		col := &p.cols[key]
		for p.c.plain[key] && len(col.plain) < len(k.time) {
			col.plain = append(col.plain, "")
		}
		for !p.c.plain[key] && len(col.codes) < len(k.time) {
			col.codes = append(col.codes, 0)
		}
		if p.c.plain[key] {
			k.props = append(k.props, propRows{key: key, plain: col.plain})
		} else {
			k.props = append(k.props, propRows{key: key, codes: col.codes})
		}
	}
	key := appendChunkKey(nil, chunkKey{bucket: b, load: p.c.load, user: k.users[0], part: p.part})
	value := seal(key, p.write.append(k))
	p.ratio = min(max(float64(len(value))/float64(p.weight), 0.02), 2)
	if err := p.set(key, value); err != nil {
		return err
	}
	p.row.chunks++
	for _, key := range p.used {
		p.cols[key].codes, p.cols[key].plain = p.cols[key].codes[:0], nil
	}
	p.used, p.weight, p.part = p.used[:0], 0, 0
	*k = chunkRows{users: k.users[:0], counts: k.counts[:0], time: k.time[:0], dated: k.dated[:0], name: k.name[:0],
		amount: k.amount[:0], source: k.source[:0], props: k.props[:0]}
	return nil
}

// set writes one record and adds it to the digest. The checksum inside value
// covers key and record, so that is all the digest needs; but not the load's
// number, or a file's digest would depend on what was loaded before it.
func (p *packer) set(key, value []byte) error {
	p.bytes += int64(len(value))
	p.digest.Write(value[envelopeLen:])
	return p.batch.Set(key, value)
}

// summaries writes the summaries of the bucket in pages.
func (p *packer) summaries(b int) error {
	for from := 0; from < len(p.sums); {
		to, size := from, 0
		for to < len(p.sums) && size < summaryPage {
			size += len(p.sums[to].id) + 16
			to++
		}
		key := appendSummaryKey(nil, summaryKey{bucket: b, load: p.c.load, page: uint16(p.row.pages)})
		value := seal(key, appendSummaries(p.sums[from:to]))
		p.bytes += int64(len(value))
		if err := p.batch.Set(key, value); err != nil {
			return err
		}
		p.row.pages++
		from = to
	}
	return nil
}

// readOld reads what the loads before hold of this bucket's users: who is known,
// and the rows that may equal a new one.
func (p *packer) readOld(b int) error {
	p.equal.reset()
	if p.old == nil {
		return nil
	}
	for _, l := range p.c.view.loads {
		if err := eachID(p.c.txn, l, b, func(id []byte) {
			if _, ok := p.rows.ids[string(id)]; ok {
				p.equal.known[string(id)] = true
			}
		}); err != nil {
			return err
		}
	}
	if p.c.l.plan.KeepEqual || len(p.equal.known) == 0 {
		return nil
	}
	if err := p.readHidden(b); err != nil {
		return err
	}
	lo, hi := p.rows.rows[0].time, p.rows.rows[0].time
	for i := range p.rows.rows {
		lo, hi = min(lo, p.rows.rows[i].time), max(hi, p.rows.rows[i].time)
	}
	p.old.plan.from, p.old.plan.to = lo, hi
	p.old.fn = func(tl *model.Timeline) error {
		if p.equal.known[tl.ID] {
			p.equal.remember(p.c, tl, lo, hi)
		}
		return nil
	}
	return p.old.bucket(b)
}
