package query

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"dwell/model/measure"
)

// baseMeasures are the columns that every population has: what lists show, and
// what marks and filters mostly ask for.
func baseMeasures() []measure.Ref {
	var out []measure.Ref
	for _, n := range []string{
		"stage", "dwell_days", "max_dwell", "high_water", "spell", "first_day", "last_day", "tenure_days", "recency_days",
		"active_days", "events", "orders", "revenue", "overdue", "gap_median_days", "base_active", "rate_ratio", "drop_p",
	} {
		out = append(out, measure.Of(n))
	}
	return out
}

// baseRefs are the base measures that the data can feed.
func (r *Run) baseRefs() (refs []measure.Ref) {
	for _, ref := range baseMeasures() {
		if _, err := measure.Compile([]measure.Ref{ref}, r.Schema); err == nil {
			refs = append(refs, ref)
		}
	}
	return refs
}

// keptExtra is how many columns beyond the base a population keeps.
const keptExtra = 24

// populations keeps the last two populations of a state, and lets one be built
// at a time.
type populations struct {
	mu    sync.Mutex
	kept  []*Population // most recently used first
	build chan struct{} // of one
}

// keptPopulations is how many days are resident at most.
const keptPopulations = 2

// Population is everybody on the run's as-of day, built if it is not resident.
func (r *Run) Population() (*Population, error) {
	ps := &r.st.pops
	if p := ps.find(r); p != nil {
		return p, nil
	}
	select {
	case ps.build <- struct{}{}:
		defer func() { <-ps.build }()
	case <-r.Ctx.Done():
		return nil, r.Ctx.Err()
	}
	if p := ps.find(r); p != nil { // another run has built it meanwhile
		return p, nil
	}
	p, err := r.makePopulation(r.baseRefs())
	if err != nil {
		return nil, err
	}
	ps.mu.Lock()
	ps.kept = append([]*Population{p}, ps.kept...)
	if len(ps.kept) > keptPopulations {
		ps.kept = ps.kept[:keptPopulations]
	}
	ps.mu.Unlock()
	return p, nil
}

// makePopulation takes the population from the cache, or reads everybody.
func (r *Run) makePopulation(refs []measure.Ref) (*Population, error) {
	if r.cachable() {
		if body, ok := r.eng.cache.Recall(r.popKey()); ok {
			if p, err := decodePopulation(r, refs, body); err == nil {
				return p, nil // else it is damaged, and derived: it is made again
			}
		}
	}
	p, cols, err := readColumns(r, nil, refs)
	if err != nil {
		return nil, err
	}
	for i, c := range cols {
		p.cols[refs[i].String()] = c
	}
	if r.cachable() {
		r.eng.cache.Keep(r.popKey(), p.encode(refs))
	}
	return p, nil
}

// find is the resident population of the run's day and calendar.
func (ps *populations) find(r *Run) *Population {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for i, p := range ps.kept {
		if p.Day == r.AsOf && p.Schema.Cal.Zone == r.Cal.Zone {
			ps.kept = slices.Insert(slices.Delete(ps.kept, i, i+1), 0, p)
			return p
		}
	}
	return nil
}

// Columns gives the columns of measures, computing in one scan those that are
// not there yet. Population measures are ranked from the measure they rank.
//
// What is asked for is held from the first look on: more columns than a population
// keeps may be asked for at once, and putting the last by would drop the first.
func (p *Population) Columns(r *Run, refs []measure.Ref) ([]*measure.Column, error) {
	out := make([]*measure.Column, len(refs))
	bases := make([]*measure.Ref, len(refs)) // of population measures
	held := map[string]*measure.Column{}
	var want []measure.Ref // user measures to be read
	add := func(ref measure.Ref) {
		key := ref.String()
		if held[key] != nil || slices.ContainsFunc(want, func(w measure.Ref) bool { return w.String() == key }) {
			return
		}
		if c := p.col(ref); c != nil {
			held[key] = c
			return
		}
		want = append(want, ref)
	}
	for i, ref := range refs {
		base, err := ranked(ref)
		if err != nil {
			return nil, err
		}
		if bases[i] = base; base == nil {
			add(ref)
		} else if out[i] = p.col(ref); out[i] == nil {
			add(*base)
		}
	}
	tenure := p.col(measure.Of("tenure_days")) // which every population has
	if want = p.recallColumns(r, want, held); len(want) > 0 {
		_, cols, err := readColumns(r, p, want)
		if err != nil {
			return nil, err
		}
		for i, c := range cols {
			held[want[i].String()] = c
			p.store(want[i], c)
			r.keepColumn(want[i], c)
		}
	}
	for i, ref := range refs {
		switch {
		case out[i] != nil:
		case bases[i] == nil:
			out[i] = held[ref.String()]
		default:
			out[i], _ = measure.Rank(ref.Name, held[bases[i].String()], tenure)
			p.store(ref, out[i])
		}
	}
	return out, nil
}

// ranked is the user measure that a population measure ranks; nil if ref is a
// user measure itself.
func ranked(ref measure.Ref) (base *measure.Ref, err error) {
	f, _, ok := measure.Lookup(ref.Name)
	if !ok {
		return nil, fmt.Errorf("there is no measure %q", ref.Name)
	}
	if f.Kind != measure.Population {
		return nil, nil
	}
	b := f.Ranks
	return &b, nil
}

func (p *Population) col(ref measure.Ref) *measure.Column {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := ref.String()
	if i := slices.Index(p.extra, key); i >= 0 {
		p.extra = append(slices.Delete(p.extra, i, i+1), key)
	}
	return p.cols[key]
}

func (p *Population) store(ref measure.Ref, c *measure.Column) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := ref.String()
	if p.cols[key] == nil {
		p.extra = append(p.extra, key)
	}
	p.cols[key] = c
	for len(p.extra) > keptExtra {
		delete(p.cols, p.extra[0])
		p.extra = p.extra[1:]
	}
}

// Bytes is what the population holds in memory.
func (p *Population) Bytes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := cap(p.ids) + 4*cap(p.ends) + 4*cap(p.buckets) + 4*cap(p.byID)
	for _, c := range p.cols {
		n += c.Bytes()
	}
	for _, s := range p.orders {
		n += 4 * cap(s.rows)
	}
	return n
}

// A sorting is all rows in the order of one column.
type sorting struct {
	key  string
	rows []int32
}

// keptSortings is how many orders a population keeps, at 4 bytes a user each.
const keptSortings = 4

// ByID is all rows in the order of their ids.
func (p *Population) ByID() []int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID == nil {
		p.byID = p.rowsByID()
	}
	return p.byID
}

// rowsByID sorts all rows by their ids. Most ids differ in the eight bytes after
// what all begin with, which fit in a number: the ids themselves, spread over
// memory, are compared only where they do not.
func (p *Population) rowsByID() []int32 {
	same := 0 // bytes that all ids begin with
	if p.Len() > 0 {
		first := p.id(0)
		same = len(first)
		for row := range p.Len() {
			same = sharedLen(first[:same], p.id(row))
		}
	}
	items := make([]sortItem, p.Len())
	for row := range items {
		var head [8]byte
		copy(head[:], p.id(row)[same:])
		items[row] = sortItem{binary.BigEndian.Uint64(head[:]), int32(row)}
	}
	items = sortKeyed(items)
	for from := 0; from < len(items); {
		to := from + 1
		for to < len(items) && items[to].key == items[from].key {
			to++
		}
		if to > from+1 {
			slices.SortFunc(items[from:to], func(a, b sortItem) int { return bytes.Compare(p.id(int(a.row)), p.id(int(b.row))) })
		}
		from = to
	}
	return rowsOf(items)
}

// sharedLen is how many bytes a and b begin with alike.
func sharedLen(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func rowsOf(items []sortItem) []int32 {
	rows := make([]int32, len(items))
	for i := range items {
		rows[i] = items[i].row
	}
	return rows
}

func allRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// Sorted is all rows by a column, ascending or descending; rows without a value
// come last either way, equal values in the order of ids.
func (p *Population) Sorted(ctx context.Context, c *measure.Column, desc bool) ([]int32, error) {
	key := c.Ref.String()
	if desc {
		key = "-" + key
	}
	p.mu.Lock()
	for _, s := range p.orders {
		if s.key == key {
			p.mu.Unlock()
			return s.rows, nil
		}
	}
	p.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var places []uint64
	if c.Type == measure.Text {
		places = textPlaces(c.Dict)
	}
	// One number a row that sorts as the value does. Rows come by id and stay so
	// where values are equal.
	byID := p.ByID()
	items := make([]sortItem, 0, len(byID))
	var none []int32
	for _, row := range byID {
		v, known := c.At(int(row))
		if !known {
			none = append(none, row)
			continue
		}
		k := orderedBits(v)
		if places != nil {
			k = places[int(v)]
		}
		if desc {
			k = ^k
		}
		items = append(items, sortItem{k, row})
	}
	rows := append(rowsOf(sortKeyed(items)), none...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.orders = append(p.orders, sorting{key, rows})
	if len(p.orders) > keptSortings {
		p.orders = p.orders[1:]
	}
	return rows, nil
}

// orderedBits maps a number to bits that compare as the number does.
func orderedBits(v float64) uint64 {
	b := math.Float64bits(v)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// textPlaces is the place of each text of a dictionary in alphabetical order.
func textPlaces(dict []string) []uint64 {
	at := allRows(len(dict))
	slices.SortFunc(at, func(a, b int32) int { return strings.Compare(dict[a], dict[b]) })
	out := make([]uint64, len(dict))
	for place, code := range at {
		out[code] = uint64(place)
	}
	return out
}
