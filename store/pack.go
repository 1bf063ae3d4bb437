package store

import (
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

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
	p.equal.raw = p.rows.raw
	if err := p.readOld(b); err != nil {
		return bucketRow{}, 0, err
	}
	for u, id := range p.rows.users {
		rows := p.rows.rows[p.rows.from[u]:p.rows.from[u+1]]
		if rows = p.equal.keep(p.c, id, rows); len(rows) > 0 {
			if err := p.user(b, id, rows); err != nil {
				return bucketRow{}, 0, err
			}
			if !p.rows.old[u] {
				p.row.newUsers++
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
func rowWeight(r *packedRow) int { return 6 + r.size() }

// add appends rows of one user to the chunk at hand.
func (p *packer) add(id string, rows []packedRow) {
	k, c, raw := &p.chunk, p.c, p.equal.raw
	n := len(k.time)
	k.users = append(k.users, id)
	k.counts = append(k.counts, int32(len(rows)))
	k.time, k.name, k.source = longer(k.time, len(rows)), longer(k.name, len(rows)), longer(k.source, len(rows))
	k.amount, k.dated = longer(k.amount, len(rows)), longer(k.dated, len(rows))
	for _, key := range p.used {
		p.cols[key].extend(c.plain[key], len(rows))
	}
	for i := range rows {
		r := &rows[i]
		p.weight += rowWeight(r)
		t := parseTail(r.tail(raw))
		k.time[n+i], k.name[n+i], k.source[n+i], k.amount[n+i] = r.time, t.name, r.source, t.amount
		k.dated[n+i] = 0
		if t.dated {
			k.dated[n+i] = 1
		}
		for {
			key, code, plain, ok := t.next()
			if !ok {
				break
			}
			if col := p.column(key, n+len(rows)); col.plain == nil {
				col.codes[n+i] = code
			} else if plain != nil {
				col.plain[n+i] = string(plain)
			} else {
				col.plain[n+i] = c.l.values[key].list[code]
			}
		}
		p.equal.tally(t.name, r.time, t.dated, t.amount)
	}
}

// column gives the column of a key, begun with n absent values if it is not in use.
func (p *packer) column(key uint32, n int) *propRows {
	for len(p.cols) <= int(key) {
		p.cols = append(p.cols, propRows{key: uint32(len(p.cols))})
	}
	col := &p.cols[key]
	if len(col.codes) == 0 && col.plain == nil {
		p.used = append(p.used, key)
		col.extend(p.c.plain[key], n)
	}
	return col
}

// extend appends n absent values.
func (r *propRows) extend(plain bool, n int) {
	if plain {
		r.plain = append(r.plain, make([]string, n)...)
		return
	}
	from := len(r.codes)
	r.codes = longer(r.codes, n)
	clear(r.codes[from:])
}

// longer appends n values that the caller sets.
func longer[T any](s []T, n int) []T { return slices.Grow(s, n)[:len(s)+n] }

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

// set writes one record and adds it to the digest, without key and envelope: they
// depend on the load's number, and a file's digest must not depend on what was loaded
// before it.
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
	some := false
	for _, l := range p.c.view.loads {
		if err := eachID(p.c.txn, l, b, func(id []byte) {
			if u, ok := p.rows.place(id); ok {
				p.rows.old[u], some = true, true
			}
		}); err != nil {
			return err
		}
	}
	if p.c.l.plan.KeepEqual || !some {
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
		if p.rows.isOld(tl.ID) {
			p.equal.remember(p.c, tl, lo, hi)
		}
		return nil
	}
	return p.old.bucket(b)
}
