package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"dwell/model"
)

// equality decides which rows of a bucket are new (DESIGN 5). Inside one source
// all equal rows are kept and counted, or all but the first dropped; across
// sources the k-th equal row of one matches the k-th of the other.
//
// With T rows of one content known so far, a source's k-th such row is new
// exactly if k > T, and afterwards T is max(T, its own count): so the number
// stored is the greatest number in any one source, in whatever order they come.
// T need not be stored: a source that keeps what it brings (--keep-equal) has
// its own count, and any other has added what it has beyond T.
//
// The pieces of a file that is followed are one source over several loads: a piece
// goes on counting where the pieces before it ended, with what those stored and what
// they hid (hiddenRow). Each piece adds to T what it stores, whatever was loaded
// between two of them.
type equality struct {
	old   map[string][]oldRow // of users that an earlier load has: their rows in this load's time range, by time
	arena []byte

	hidden map[string][]hiddenRow // of pieces before, by user, in order of time and hash
	out    []hiddenRow            // of this load
	text   []byte

	raw     []byte // what the tails of rows stand in
	occ     contents
	order   []int
	drop    []bool
	quality tallies
}

// oldRow is a stored row in this load's own numbering.
type oldRow struct {
	time   int64
	at     uint64 // its tail in the arena
	source uint32 // in the view
}

// tallies are the counts of the quality report that only the store knows, and
// the figures of the marker.
type tallies struct {
	stored, already, dropped, equal int64
	impossible                      int64
	names                           []int64
	dates, clock                    model.Reach
	amounts                         bool
}

func (e *equality) reset() {
	e.old, e.arena = map[string][]oldRow{}, nil
	e.hidden, e.out = map[string][]hiddenRow{}, e.out[:0]
}

// tally counts one stored row.
func (e *equality) tally(name uint32, at int64, dated bool, amount model.Money) {
	q := &e.quality
	for len(q.names) <= int(name) {
		q.names = append(q.names, 0)
	}
	q.names[name]++
	q.stored++
	if dated {
		q.dates.Take(at)
	} else {
		q.clock.Take(at)
	}
	q.amounts = q.amounts || amount != model.NoMoney
}

// keep removes from one user's rows, in order of time and row, those that are
// not new.
func (e *equality) keep(c *commit, id string, rows []packedRow) []packedRow {
	old := e.old[id]
	e.drop = grow(e.drop, len(rows))
	clear(e.drop)
	dropped := false
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && rows[j].time == rows[i].time {
			j++
		}
		for len(old) > 0 && old[0].time < rows[i].time {
			old = old[1:]
		}
		n := 0
		for n < len(old) && old[n].time == rows[i].time {
			n++
		}
		if j > i+1 || n > 0 {
			dropped = e.group(c, id, rows[i:j], old[:n], e.drop[i:j]) || dropped
		}
		i = j
	}
	if !dropped {
		return rows
	}
	out := rows[:0]
	for i := range rows {
		if !e.drop[i] {
			out = append(out, rows[i])
		}
	}
	return out
}

// group judges the rows of one user and time against the stored ones, marking
// those to drop.
func (e *equality) group(c *commit, id string, rows []packedRow, old []oldRow, drop []bool) (any bool) {
	if len(old) == 0 && len(rows) <= 8 && allDifferent(rows, e.raw) {
		return false // by far the most frequent group
	}
	e.occ.reset(len(old) + len(rows))
	for i := range old { // in order of source
		o := &old[i]
		k := e.occ.of(tailIn(e.arena, o.at), o.at, true, e.tailOf)
		k.stored(o.source, c.keepEqual[o.source])
		if c.whole[o.source] == c.own {
			k.own++
		}
	}
	for i := range e.occ.list {
		e.occ.list[i].close()
	}
	e.order = e.order[:0]
	for i := range rows {
		e.order = append(e.order, i)
	}
	slices.SortStableFunc(e.order, func(a, b int) int { return cmp.Compare(rows[a].source, rows[b].source) })
	q := &e.quality
	for _, i := range e.order {
		k := e.occ.of(rows[i].tail(e.raw), rows[i].at, false, e.tailOf)
		if !k.begun || k.source != rows[i].source {
			k.known, k.seen = max(k.known, k.seen), 0
			k.source, k.begun = rows[i].source, true
			if c.own != miss && !c.anew {
				k.seen = k.own + e.hiddenOf(c, id, &rows[i])
			}
		}
		if k.seen > 0 {
			if c.l.plan.Dedupe {
				q.dropped++
				drop[i], any = true, true
				continue
			}
			q.equal++
		}
		if k.seen++; k.seen <= k.known && !c.l.plan.KeepEqual {
			q.already++
			k.already++
			drop[i], any = true, true
		}
	}
	if c.piece && any {
		e.hide(c, id, rows[0].time)
	}
	return any
}

// tailOf is the content that an occurrence counts.
func (e *equality) tailOf(k *occurrence) []byte {
	if k.old {
		return tailIn(e.arena, k.at)
	}
	return tailIn(e.raw, k.at)
}

func allDifferent(rows []packedRow, raw []byte) bool {
	for i := range rows {
		for j := range i {
			if bytes.Equal(rows[i].tail(raw), rows[j].tail(raw)) {
				return false
			}
		}
	}
	return true
}

// remember keeps an earlier load's rows of one user, in this load's numbering.
// A row with a string this load does not have cannot equal one of its rows, nor can
// one longer than they may be.
func (e *equality) remember(c *commit, tl *model.Timeline, lo, hi int64) {
	var rows []oldRow
	for i := range tl.Time {
		if tl.Time[i] < lo || tl.Time[i] > hi {
			continue
		}
		from := len(e.arena)
		if !e.appendOld(c, tl, i) || len(e.arena)-from > maxTail {
			e.arena = e.arena[:from]
			continue
		}
		rows = append(rows, oldRow{time: tl.Time[i], source: uint32(tl.Source[i]), at: tailAt(from, len(e.arena)-from)})
	}
	slices.SortStableFunc(rows, func(a, b oldRow) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.source, b.source))
	})
	if rows != nil {
		e.old[tl.ID] = rows
	}
}

// appendOld writes event i as a tail of this load; false if it cannot be one.
func (e *equality) appendOld(c *commit, tl *model.Timeline, i int) bool {
	in := &c.view.info
	name, ok := c.l.names.ids[in.Names[tl.Name[i]].Name]
	if !ok {
		return false
	}
	amount := model.NoMoney
	if tl.Amount != nil {
		amount = tl.Amount[i]
	}
	e.arena = appendTailHead(e.arena, name, tl.IsDated(i), amount)
	n := uint64(0)
	for k := range tl.Props {
		if p := &tl.Props[k]; p.Plain != nil && p.Plain[i] != "" || p.Plain == nil && p.Codes[i] != 0 {
			n++
		}
	}
	e.arena = binary.AppendUvarint(e.arena, n)
	for _, o := range c.oldKeys { // in the order of this load's keys
		p := &tl.Props[o.column]
		var value string
		if p.Plain != nil {
			value = p.Plain[i]
		} else if code := p.Codes[i]; code != 0 {
			value = in.Keys[o.column].Values[code]
		}
		if value == "" {
			continue
		}
		if o.key == miss {
			return false
		}
		if id, ok := c.l.values[o.key].ids[value]; ok {
			e.arena = appendTailCode(e.arena, o.key, id)
		} else if c.plain[o.key] {
			e.arena = appendTailPlain(e.arena, o.key, value)
		} else {
			return false
		}
	}
	return true
}

// impossibleDay is how many events on one day no person can have (SPEC R3.11).
const impossibleDay = 10_000

// impossible counts a user with more than that on some day of the parse zone.
func (e *equality) impossible(c *commit, rows []packedRow) {
	n, last := 0, model.NoDay
	for i := range rows {
		tl := model.Timeline{Time: []int64{rows[i].time}}
		if t := parseTail(rows[i].tail(e.raw)); t.dated {
			tl.Dated = []bool{true}
		}
		if d := c.calendar.EventDay(&tl, 0); d != last {
			n, last = 0, d
		}
		if n++; n > impossibleDay {
			e.quality.impossible++
			return
		}
	}
}
