package store

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// A view is one data version: its committed loads with the way from each load's
// own numbering to that of the whole. It is immutable once built and shared by
// the snapshots of that version.
type view struct {
	info   model.Info
	loads  []*loadView
	events [buckets]int64
	spare  sync.Pool // of *chunkReader
}

// takeReader gives a reader whose columns may have served another scan: a pass
// makes one scan for each of many splits, and would make them all again.
func (v *view) takeReader() *chunkReader {
	if r, ok := v.spare.Get().(*chunkReader); ok {
		return r
	}
	return &chunkReader{}
}

// giveReader is for a reader that nobody reads with any more.
func (v *view) giveReader(r *chunkReader) {
	clear(r.head.sections) // they point into Badger's files
	v.spare.Put(r)
}

// A loadView is one committed load as a view sees it.
type loadView struct {
	mark    *marker
	table   *[buckets]bucketRow
	names   codeMap
	sources codeMap
	keys    []keyView
	byKey   map[string]int
}

// A keyView is one property key of a load.
type keyView struct {
	name   string
	plain  bool     // stored as plain strings
	global int      // index into Info.Keys
	codes  codeMap  // to Info.Keys[global].Values, if that is coded
	values []string // by the load's own ids, "" first; nil if stored plain
}

// readView reads markers, tables and dictionaries as the transaction sees them;
// Badger's panics on damaged blocks are errors.
func readView(txn *badger.Txn) (v *view, err error) {
	var never bool
	defer guard(&never, &err)
	marks, err := readMarkers(txn)
	if err != nil {
		return nil, err
	}
	return viewOf(txn, marks)
}

// readMarkers gives the committed loads in commit order.
func readMarkers(txn *badger.Txn) ([]*marker, error) {
	var out []*marker
	for e, err := range entries(txn, []byte{kindMarker}, true) {
		if err != nil {
			return nil, err
		}
		m, err := decodeMarker(e.key, e.value)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *marker) int { return cmp.Compare(a.order(), b.order()) })
	return out, nil
}

// viewOf is a view of these loads alone.
func viewOf(txn *badger.Txn, marks []*marker) (*view, error) {
	v := &view{}
	b := &viewBuilder{view: v, names: map[string]uint32{}, keys: map[string]int{}}
	for _, m := range marks {
		if err := b.add(txn, m); err != nil {
			return nil, err
		}
	}
	b.finish()
	return v, nil
}

type viewBuilder struct {
	view  *view
	names map[string]uint32
	keys  map[string]int
	vals  []map[string]uint32 // of each key; nil once it is plain
}

func (b *viewBuilder) add(txn *badger.Txn, m *marker) error {
	in := &b.view.info
	lv := &loadView{mark: m, byKey: map[string]int{}}
	key := appendLoadKey(nil, kindTable, m.Load)
	value, err := getSealed(txn, key)
	if err != nil {
		return err
	}
	if lv.table, err = decodeTable(key, value); err != nil {
		return err
	}
	d, err := readDictionary(txn, m)
	if err != nil {
		return err
	}

	lv.names = codeMap{limit: uint32(len(d.names)), table: make([]uint32, len(d.names))}
	for i, n := range d.names {
		id, ok := b.names[n]
		if !ok {
			id = uint32(len(in.Names))
			b.names[n] = id
			in.Names = append(in.Names, model.NameInfo{Name: n})
		}
		in.Names[id].Count += d.counts[i]
		lv.names.table[i] = id
	}
	lv.sources = codeMap{limit: uint32(len(m.Sources)), table: make([]uint32, len(m.Sources))}
	for i := range m.Sources {
		lv.sources.table[i] = uint32(len(in.Sources) + i)
	}
	for _, p := range m.parts() {
		for _, s := range p.Sources {
			s.Load = len(in.Loads)
			in.Sources = append(in.Sources, s)
		}
		in.Loads = append(in.Loads, p.Info)
	}
	for i, name := range d.keys {
		lv.byKey[name] = i
		lv.keys = append(lv.keys, b.addKey(name, m.Keys[i].Plain, d.values[i]))
	}

	if m.Events > 0 {
		dates, clock := m.reach()
		in.Dates.Join(dates)
		in.Clock.Join(clock)
		if in.Events == 0 || m.First < in.First {
			in.First = m.First
		}
		if in.Events == 0 || m.Last > in.Last {
			in.Last = m.Last
		}
	}
	in.Events += m.Events
	in.Users += m.NewUsers
	in.Dated = in.Dated || m.Dated
	in.Amounts = in.Amounts || m.Amounts
	for i := range lv.table {
		b.view.events[i] += lv.table[i].events
	}
	b.view.loads = append(b.view.loads, lv)
	return nil
}

// addKey numbers a key and its values; values is nil if the load stores it plain.
func (b *viewBuilder) addKey(name string, plain bool, values []string) keyView {
	in := &b.view.info
	g, ok := b.keys[name]
	if !ok {
		g = len(in.Keys)
		b.keys[name] = g
		in.Keys = append(in.Keys, model.KeyInfo{Name: name, Values: []string{""}})
		b.vals = append(b.vals, map[string]uint32{"": 0})
	}
	kv := keyView{name: name, plain: plain, global: g, values: values}
	if plain {
		b.vals[g] = nil
	}
	if b.vals[g] == nil {
		return kv
	}
	kv.codes = codeMap{limit: uint32(len(values)), table: make([]uint32, len(values))}
	for i, v := range values {
		id, ok := b.vals[g][v]
		if !ok {
			id = uint32(len(in.Keys[g].Values))
			b.vals[g][v] = id
			in.Keys[g].Values = append(in.Keys[g].Values, v)
		}
		kv.codes.table[i] = id
	}
	if len(in.Keys[g].Values)-1 > model.PlainAbove {
		b.vals[g] = nil
	}
	return kv
}

// finish settles what depends on all loads.
func (b *viewBuilder) finish() {
	in := &b.view.info
	for g := range in.Keys {
		if b.vals[g] == nil {
			in.Keys[g].Plain, in.Keys[g].Values = true, nil
		}
	}
	h := xxhash.New()
	for _, l := range b.view.loads {
		for _, p := range l.mark.parts() {
			fmt.Fprintln(h, p.Digest)
		}
		for i := range l.keys {
			l.keys[i].codes.limit = uint32(len(l.keys[i].values))
			if in.Keys[l.keys[i].global].Plain {
				l.keys[i].codes.table = nil
			} else {
				l.keys[i].values = nil // the table is all that is needed
			}
		}
	}
	in.Version = model.Version{Ordinal: uint64(len(in.Loads)), Hash: hex.EncodeToString(h.Sum(nil))}
}

// A dictionary is the strings of one load by their ids.
type dictionary struct {
	names  []string
	counts []int64
	keys   []string
	values [][]string // of each key, "" first; nil if it is plain
}

// readDictionary reads and checks the dictionary of a load.
func readDictionary(txn *badger.Txn, m *marker) (*dictionary, error) {
	d := &dictionary{values: make([][]string, len(m.Keys))}
	for i, k := range m.Keys {
		if !k.Plain {
			d.values[i] = append(make([]string, 0, k.Values), "")
		}
	}
	for e, err := range entries(txn, appendLoadKey(nil, kindDict, m.Load), true) {
		if err != nil {
			return nil, err
		}
		if err := d.page(e); err != nil {
			return nil, err
		}
	}
	key := appendLoadKey(nil, kindMarker, m.Load)
	switch {
	case len(d.names) != m.Names || len(d.counts) != m.Names:
		return nil, damaged(key, "it names %d event names and the dictionary holds %d", m.Names, len(d.names))
	case len(d.keys) != len(m.Keys):
		return nil, damaged(key, "it names %d properties and the dictionary holds %d", len(m.Keys), len(d.keys))
	}
	for i, k := range m.Keys {
		if !k.Plain && len(d.values[i]) != k.Values {
			return nil, damaged(key, "property %q has %d values and the dictionary holds %d", d.keys[i], k.Values, len(d.values[i]))
		}
	}
	return d, nil
}

// page adds one page, which has to follow on the one before.
func (d *dictionary) page(e entry) error {
	k, err := parseDictKey(e.key)
	if err != nil {
		return err
	}
	rec, err := unseal(e.key, e.value)
	if err != nil {
		return err
	}
	if k.kind == dictCounts {
		if int(k.first) != len(d.counts) {
			return damaged(e.key, "the page before it is missing")
		}
		counts, err := decodeCountPage(e.key, rec)
		d.counts = append(d.counts, counts...)
		return err
	}
	vals, err := decodeStringPage(e.key, rec)
	if err != nil {
		return err
	}
	to := &d.names
	switch k.kind {
	case dictKeys:
		to = &d.keys
	case dictValues:
		if int(k.key) >= len(d.values) || d.values[k.key] == nil {
			return damaged(e.key, "the load has no such coded property")
		}
		to = &d.values[k.key]
	}
	if int(k.first) != len(*to) {
		return damaged(e.key, "the page before it is missing")
	}
	*to = append(*to, vals...)
	return nil
}

// splits divides the buckets into at most n ranges with about equally many
// events.
func (v *view) splits(n int) []model.Split {
	n = min(max(n, 1), buckets)
	if v.info.Events == 0 {
		return model.CutSplits(n)
	}
	var out []model.Split
	var done int64
	from := 0
	for b := range buckets {
		done += v.events[b]
		// Close a range where its share is reached, leaving a bucket for each
		// range still to come.
		if k := int64(len(out) + 1); done >= v.info.Events*k/int64(n) && len(out) < n-1 || buckets-b-1 == n-len(out)-1 && len(out) < n-1 {
			out = append(out, model.Split{From: from, To: b + 1})
			from = b + 1
		}
	}
	return append(out, model.Split{From: from, To: buckets})
}

// knownSource finds a source with this digest.
func (v *view) knownSource(digest string) (model.SourceInfo, bool) {
	for _, s := range v.info.Sources {
		if digest != "" && strings.EqualFold(s.Digest, digest) {
			return s, true
		}
	}
	return model.SourceInfo{}, false
}
