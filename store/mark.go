package store

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/cespare/xxhash/v2"
	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// dictionary writes dictionaries and bucket table and gives the load's digest.
func (c *commit) dictionary() (string, error) {
	h := xxhash.New()
	for _, d := range c.digests {
		h.Write(binary.BigEndian.AppendUint64(nil, d))
	}
	batch := c.l.st.db.NewWriteBatch()
	defer batch.Cancel()
	put := func(key, value []byte) error {
		h.Write(value[envelopeLen:])
		return batch.Set(key, seal(key, value))
	}
	l := c.l
	for len(c.tally.names) < len(l.names.list) {
		c.tally.names = append(c.tally.names, 0)
	}
	if err := c.strings(put, dictNames, 0, 0, l.names.list); err != nil {
		return "", err
	}
	if err := c.strings(put, dictKeys, 0, 0, l.keys.list); err != nil {
		return "", err
	}
	for k, v := range l.values {
		if !c.plain[k] {
			if err := c.strings(put, dictValues, uint32(k), 1, v.list[1:]); err != nil {
				return "", err
			}
		}
	}
	for from := 0; from < len(c.tally.names); from += dictPage / 4 {
		to := min(from+dictPage/4, len(c.tally.names))
		key := appendDictKey(nil, dictKey{load: c.load, kind: dictCounts, first: uint32(from)})
		if err := put(key, appendCountPage(c.tally.names[from:to])); err != nil {
			return "", err
		}
	}
	key := appendLoadKey(nil, kindTable, c.load)
	if err := batch.Set(key, seal(key, appendTable(&c.table))); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), batch.Flush()
}

// strings writes one list of the dictionary in pages; its first id is first.
func (c *commit) strings(put func(key, value []byte) error, kind byte, key uint32, first int, list []string) error {
	for from := 0; from < len(list); {
		to, size := from, 0
		for to < len(list) && size < dictPage {
			size += len(list[to]) + 2
			to++
		}
		k := appendDictKey(nil, dictKey{load: c.load, kind: kind, key: key, first: uint32(first + from)})
		if err := put(k, appendStringPage(list[from:to])); err != nil {
			return err
		}
		from = to
	}
	return nil
}

func (c *commit) marker(q model.Quality, sources []model.SourceInfo, digest string) *marker {
	q.Stored, q.Already, q.Dropped, q.Equal = c.tally.stored, c.tally.already, c.tally.dropped, c.tally.equal
	q.Impossible = c.tally.impossible
	plan := &c.l.plan
	m := &marker{
		Load:    c.load,
		Info:    model.LoadInfo{ID: c.load, At: plan.At, Mapping: plan.Mapping, Zone: plan.Zone, Quality: q},
		Sources: sources, Bytes: c.bytes, Dated: c.tally.dates.Any, Dates: &c.tally.dates, Clock: &c.tally.clock, Amounts: c.tally.amounts,
		Names: len(c.l.names.list), KeepEqual: plan.KeepEqual, Digest: digest,
		Hidden: c.hidden,
	}
	for k, v := range c.l.values {
		meta := keyMeta{Plain: c.plain[k]}
		if !meta.Plain {
			meta.Values = len(v.list)
		}
		m.Keys = append(m.Keys, meta)
	}
	for i := range c.table {
		r := &c.table[i]
		if r.events == 0 {
			continue
		}
		if m.Events == 0 || r.first < m.First {
			m.First = r.first
		}
		if m.Events == 0 || r.last > m.Last {
			m.Last = r.last
		}
		m.Events += r.events
		m.Info.Users += r.users
		m.NewUsers += r.newUsers
		m.Chunks += r.chunks
		m.Pages += r.pages
	}
	return m
}

// finish syncs what was written and then, alone, the marker.
func (c *commit) finish(m *marker) error {
	db := c.l.st.db
	if err := c.l.st.sync(); err != nil {
		return err
	}
	if err := c.l.ctx.Err(); err != nil {
		return err // the last moment at which a cancelled load is not one
	}
	value, err := encodeMarker(m)
	if err != nil {
		return err
	}
	key := appendLoadKey(nil, kindMarker, c.load)
	err = db.Update(func(txn *badger.Txn) error {
		if err := txn.Set(key, seal(key, value)); err != nil {
			return err
		}
		return txn.Delete(appendLoadKey(nil, kindIntent, c.load))
	})
	if err != nil {
		return err
	}
	return c.l.st.sync()
}
