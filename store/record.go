package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"dwell/model"
)

// buckets is model.Buckets; it is part of the layout.
const buckets = model.Buckets

// A marker makes a load part of the data set. It is JSON inside its envelope: a
// load has one, and a person who looks for trouble can read it.
type marker struct {
	Load     uint32
	Info     model.LoadInfo
	Sources  []model.SourceInfo
	Events   int64
	NewUsers int64 // users that no earlier load has
	Chunks   int64
	Pages    int64 // of summaries
	Bytes    int64 // of chunks and summaries
	First    int64 // ms; 0 if Events is 0
	Last     int64
	Dated    bool
	// Dates and Clock are as in model.Info; absent in the markers of earlier
	// programs, of which some say in AllDated that every event is a date.
	Dates, Clock *model.Reach `json:",omitempty"`
	AllDated     bool         `json:",omitempty"`
	Amounts      bool
	Names        int
	Keys         []keyMeta

	// KeepEqual is the option the load was made with; the occurrence rule needs
	// it again at the next load.
	KeepEqual bool
	// Digest is of every chunk and dictionary: equal files loaded into equal
	// data sets have equal digests, whatever worker read which block.
	Digest string

	// Hidden is how many pages of hidden rows the load has.
	Hidden int64 `json:",omitempty"`

	// Order is the load's place among the others; 0 is its own number.
	Order uint32 `json:",omitempty"`
	// Parts are the loads that were merged into this one, in their order; none:
	// it is a load itself.
	Parts []part `json:",omitempty"`
}

// A part is what stays of a load that was merged with others.
type part struct {
	Info      model.LoadInfo
	Sources   []model.SourceInfo
	KeepEqual bool
	Digest    string
}

// reach is where the dates alone and the times of day lie; of an earlier
// program's marker that does not tell them apart, both lie anywhere.
func (m *marker) reach() (dates, clock model.Reach) {
	if m.Events == 0 {
		return dates, clock
	}
	if m.Dates != nil && m.Clock != nil {
		return *m.Dates, *m.Clock
	}
	whole := model.Reach{First: m.First, Last: m.Last, Any: true}
	if m.Dated {
		dates = whole
	}
	if !m.AllDated {
		clock = whole
	}
	return dates, clock
}

func (m *marker) order() uint32 {
	if m.Order != 0 {
		return m.Order
	}
	return m.Load
}

// parts are the loads that a marker stands for.
func (m *marker) parts() []part {
	if m.Parts != nil {
		return m.Parts
	}
	return []part{{Info: m.Info, Sources: m.Sources, KeepEqual: m.KeepEqual, Digest: m.Digest}}
}

// keyMeta describes one property key of a load.
type keyMeta struct {
	Plain  bool // stored as plain strings
	Values int  // entries of its dictionary, "" among them; 0 if Plain
}

func encodeMarker(m *marker) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return append(make([]byte, envelopeLen), body...), nil
}

func decodeMarker(key, value []byte) (*marker, error) {
	load, err := parseLoadKey(key, kindMarker)
	if err != nil {
		return nil, err
	}
	rec, err := unseal(key, value)
	if err != nil {
		return nil, err
	}
	m := &marker{}
	if err := json.Unmarshal(rec, m); err != nil {
		return nil, damaged(key, "%v", err)
	}
	if m.Load != load || m.Events < 0 || m.Names < 0 {
		return nil, damaged(key, "it does not describe load %d", load)
	}
	return m, nil
}

// A bucketRow is what the bucket table says about one bucket of one load.
type bucketRow struct {
	events, users, newUsers, chunks, pages int64
	first, last                            int64 // ms; 0 without events
}

func (r bucketRow) String() string {
	return fmt.Sprintf("%d events of %d users (%d new) from %d to %d in %d chunks and %d pages of summaries", r.events, r.users, r.newUsers, r.first, r.last, r.chunks, r.pages)
}

// appendTable writes the bucket table with room for its envelope.
func appendTable(rows *[buckets]bucketRow) []byte {
	dst := make([]byte, envelopeLen, envelopeLen+buckets*8)
	for i := range rows {
		r := &rows[i]
		dst = binary.AppendUvarint(dst, uint64(r.events))
		if r.events == 0 {
			continue
		}
		for _, v := range []int64{r.users, r.newUsers, r.chunks, r.pages} {
			dst = binary.AppendUvarint(dst, uint64(v))
		}
		dst = binary.AppendVarint(dst, r.first)
		dst = binary.AppendUvarint(dst, uint64(r.last-r.first))
	}
	return dst
}

func decodeTable(key, value []byte) (*[buckets]bucketRow, error) {
	rec, err := unseal(key, value)
	if err != nil {
		return nil, err
	}
	d := byteReader{b: rec}
	rows := &[buckets]bucketRow{}
	for i := range rows {
		r := &rows[i]
		if r.events = d.int(); r.events == 0 {
			continue
		}
		r.users, r.newUsers, r.chunks, r.pages = d.int(), d.int(), d.int(), d.int()
		r.first = d.signed()
		r.last = r.first + d.int()
	}
	if !d.end() {
		return nil, damaged(key, "it ends early or has bytes left over")
	}
	return rows, nil
}

// dictPage is about how many bytes of strings a dictionary page holds.
const dictPage = 16 << 10

// appendStringPage writes strings with room for the envelope.
func appendStringPage(vals []string) []byte {
	dst := binary.AppendUvarint(make([]byte, envelopeLen), uint64(len(vals)))
	for _, v := range vals {
		dst = append(binary.AppendUvarint(dst, uint64(len(v))), v...)
	}
	return dst
}

func decodeStringPage(key, rec []byte) ([]string, error) {
	d := byteReader{b: rec}
	n := d.int()
	if n > int64(len(rec)) {
		return nil, damaged(key, "it claims %d entries", n)
	}
	out := make([]string, 0, n)
	for range n {
		out = append(out, string(d.bytes(d.int())))
	}
	if !d.end() {
		return nil, damaged(key, "it ends early or has bytes left over")
	}
	return out, nil
}

// appendCountPage writes counts with room for the envelope.
func appendCountPage(counts []int64) []byte {
	dst := binary.AppendUvarint(make([]byte, envelopeLen), uint64(len(counts)))
	for _, v := range counts {
		dst = binary.AppendUvarint(dst, uint64(v))
	}
	return dst
}

func decodeCountPage(key, rec []byte) ([]int64, error) {
	d := byteReader{b: rec}
	n := d.int()
	if n > int64(len(rec)) {
		return nil, damaged(key, "it claims %d entries", n)
	}
	out := make([]int64, 0, n)
	for range n {
		out = append(out, d.int())
	}
	if !d.end() {
		return nil, damaged(key, "it ends early or has bytes left over")
	}
	return out, nil
}

// A summary is one user in one load.
type summary struct {
	id          string
	events      int64
	first, last int64
}

// summaryPage is about how long a page of summaries gets.
const summaryPage = 64 << 10

// appendSummaries writes users, in order of id, with room for the envelope:
// count, then ids column-wise with shared prefixes, then counts and times.
func appendSummaries(users []summary) []byte {
	dst := binary.AppendUvarint(make([]byte, envelopeLen), uint64(len(users)))
	prev := ""
	for i := range users {
		id := users[i].id
		shared := commonPrefix(prev, id)
		dst = binary.AppendUvarint(dst, uint64(shared))
		dst = append(binary.AppendUvarint(dst, uint64(len(id)-shared)), id[shared:]...)
		prev = id
	}
	for i := range users {
		dst = binary.AppendUvarint(dst, uint64(users[i].events))
		dst = binary.AppendVarint(dst, users[i].first)
		dst = binary.AppendUvarint(dst, uint64(users[i].last-users[i].first))
	}
	return dst
}

// A summaryReader walks the ids of a page without an allocation for each.
type summaryReader struct {
	d    byteReader
	left int64
	id   []byte
}

func (r *summaryReader) reset(rec []byte) error {
	r.d = byteReader{b: rec}
	r.left = r.d.int()
	r.id = r.id[:0]
	if r.d.bad || r.left > int64(len(rec)) {
		return errShort
	}
	return nil
}

// next moves to the next id, valid until the call after.
func (r *summaryReader) next() (id []byte, ok bool) {
	if r.left == 0 {
		return nil, false
	}
	r.left--
	shared := r.d.int()
	if shared > int64(len(r.id)) {
		r.d.bad = true
		return nil, false
	}
	r.id = append(r.id[:shared], r.d.bytes(r.d.int())...)
	if r.d.bad || len(r.id) == 0 || len(r.id) > maxUser {
		r.d.bad = true
		return nil, false
	}
	return r.id, true
}

// decodeSummaries reads a whole page.
func decodeSummaries(rec []byte) ([]summary, error) {
	var r summaryReader
	if err := r.reset(rec); err != nil {
		return nil, err
	}
	out := make([]summary, 0, r.left)
	for {
		id, ok := r.next()
		if !ok {
			break
		}
		out = append(out, summary{id: string(id)})
	}
	for i := range out {
		s := &out[i]
		s.events, s.first = r.d.int(), r.d.signed()
		s.last = s.first + r.d.int()
	}
	if !r.d.end() {
		return nil, errShort
	}
	return out, nil
}

// A byteReader reads numbers and strings from a record; after the first that is
// not there it gives zeros and bad is set.
type byteReader struct {
	b   []byte
	bad bool
}

func (d *byteReader) int() int64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > math.MaxInt64 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return int64(v)
}

func (d *byteReader) signed() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *byteReader) bytes(n int64) []byte {
	if n > int64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

// end says that everything was read and nothing was missing.
func (d *byteReader) end() bool { return !d.bad && len(d.b) == 0 }
