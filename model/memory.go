package model

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Memory is a Source, a Shelf and a Cache over slices and maps: the plain
// version that package store is tested against, and the data set of tests. It is
// safe for many goroutines; a snapshot keeps its data version whatever is
// loaded later.
type Memory struct {
	mu    sync.Mutex
	snap  *memSnapshot
	rows  []memRow
	loads []LoadInfo
	srcs  []SourceInfo
	keeps []bool // of each source: it kept rows that another has

	// streams counts the rows of files that are followed, by content; the inner maps
	// are never changed.
	streams map[string]map[[16]byte]int

	words map[string]string // one copy of each string that rows hold

	shelf map[string][]Entry // by kind + "\x00" + name, versions ascending
	gone  map[string]bool
	cache map[string][]byte
	clock int64
}

var (
	_ Source = (*Memory)(nil)
	_ Shelf  = (*Memory)(nil)
	_ Cache  = (*Memory)(nil)
)

// PlainAbove is the number of distinct values above which a property's values
// are kept as plain strings.
const PlainAbove = 65_536

type memRow struct {
	user   string
	time   int64
	dated  bool
	name   string
	amount Money
	props  []memProp // by key, each once, values not empty
	source int
	load   int
	row    int
	id     [16]byte // digest of the content: equal rows have equal ids (DESIGN 5)
}

type memProp struct{ key, value string }

// identify digests the row's content. The digest stands for the content itself,
// whose text for half a million rows would be most of the memory used.
func (r *memRow) identify(buf []byte) []byte {
	buf = strconv.AppendQuote(buf[:0], r.user)
	buf = strconv.AppendInt(append(buf, ' '), r.time, 10)
	buf = strconv.AppendBool(append(buf, ' '), r.dated)
	buf = strconv.AppendQuote(append(buf, ' '), r.name)
	buf = strconv.AppendInt(append(buf, ' '), int64(r.amount), 10)
	for _, p := range r.props {
		buf = strconv.AppendQuote(append(buf, ' '), p.key)
		buf = strconv.AppendQuote(append(buf, '='), p.value)
	}
	sum := sha256.Sum256(buf)
	copy(r.id[:], sum[:])
	return buf
}

// NewMemory is an empty data set.
func NewMemory() *Memory {
	m := &Memory{words: map[string]string{}, streams: map[string]map[[16]byte]int{}, shelf: map[string][]Entry{}, gone: map[string]bool{}, cache: map[string][]byte{}}
	m.snap = m.build()
	return m
}

// Fork is a data set of its own with the same events and an empty shelf and
// cache: many tests can share one costly load.
func (m *Memory) Fork() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := NewMemory()
	f.snap, f.words, f.streams = m.snap, maps.Clone(m.words), maps.Clone(m.streams)
	f.rows, f.loads, f.srcs, f.keeps = slices.Clip(m.rows), slices.Clip(m.loads), slices.Clip(m.srcs), slices.Clip(m.keeps)
	return f
}

// word is the string of b, one copy for all rows; m.mu is held.
func (m *Memory) word(b []byte) string {
	if s, ok := m.words[string(b)]; ok {
		return s
	}
	s := string(b)
	m.words[s] = s
	return s
}

// Begin starts a load.
func (m *Memory) Begin(_ context.Context, plan LoadPlan) (Loader, error) {
	return &memLoader{m: m, plan: plan}, nil
}

type memLoader struct {
	m    *Memory
	plan LoadPlan
	mu   sync.Mutex
	got  map[int][]memRow
	done bool
}

func (l *memLoader) Add(b *Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.got == nil {
		l.got = map[int][]memRow{}
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	rows := make([]memRow, b.Len())
	keys := make([]string, len(b.Props))
	order := make([]int, len(b.Props))
	cells := 0
	for c := range b.Props {
		keys[c], order[c] = l.m.word([]byte(b.Props[c].Key)), c
		cells += len(b.Props[c].Values)
	}
	slices.SortFunc(order, func(x, y int) int { return strings.Compare(keys[x], keys[y]) })
	props := make([]memProp, 0, cells) // one array for the whole batch
	var buf []byte
	for i := range rows {
		r := memRow{user: l.m.word(b.User[i]), time: b.Time[i], name: l.m.word(b.Event[i]), amount: NoMoney, source: b.Source}
		if b.Dated != nil {
			r.dated = b.Dated[i]
		}
		if b.Amount != nil {
			r.amount = b.Amount[i]
		}
		first := len(props)
		for _, c := range order {
			if v := b.Props[c].Value(i); len(v) > 0 {
				props = append(props, memProp{keys[c], l.m.word(v)})
			}
		}
		r.props = props[first:len(props):len(props)]
		buf = r.identify(buf)
		rows[i] = r
	}
	if _, twice := l.got[b.Seq]; twice {
		return fmt.Errorf("batch %d was added twice", b.Seq)
	}
	l.got[b.Seq] = rows
	return nil
}

func (l *memLoader) Commit(q Quality, sources []SourceInfo) (LoadInfo, error) {
	m := l.m
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range sources {
		for _, old := range m.srcs {
			if s.Digest != "" && s.Digest == old.Digest {
				return LoadInfo{}, fmt.Errorf("%s: %w as %s", s.Path, ErrKnownSource, old.Path)
			}
		}
	}
	base := len(m.srcs)
	known := m.occurrences()
	stream, before := "", map[[16]byte]int{}
	if len(sources) == 1 && sources[0].Stream != "" {
		sources = slices.Clone(sources)
		src := &sources[0]
		stream, src.Counted = src.Stream, src.From == 0 || m.snap.Info().Counted(src.Stream)
		if src.From > 0 {
			before = m.streamed(stream)
		}
	}
	var rows []memRow
	for seq := range len(l.got) {
		batch, ok := l.got[seq]
		if !ok {
			return LoadInfo{}, fmt.Errorf("batch %d is missing", seq)
		}
		for _, r := range batch {
			r.load, r.row, r.source = len(m.loads), len(rows), base+r.source
			rows = append(rows, r)
		}
	}
	// One source after the other, each against those before it.
	slices.SortStableFunc(rows, func(a, b memRow) int { return cmp.Compare(a.source, b.source) })
	var add []memRow
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].source == rows[0].source {
			n++
		}
		seen := maps.Clone(before)
		for _, r := range rows[:n] {
			if l.plan.Dedupe && seen[r.id] > 0 {
				q.Dropped++
				continue
			}
			if seen[r.id]++; seen[r.id] > 1 {
				q.Equal++
			}
			if !l.plan.KeepEqual && seen[r.id] <= known[r.id] {
				q.Already++
				continue
			}
			add = append(add, r)
		}
		for id, k := range seen {
			known[id] = max(known[id], k)
		}
		if stream != "" {
			m.streams[stream] = seen
		}
		rows = rows[n:]
	}
	slices.SortStableFunc(add, func(a, b memRow) int { return cmp.Compare(a.row, b.row) })
	q.Stored = int64(len(add))
	users := map[string]bool{}
	for i := range add {
		users[add[i].user] = true
	}
	load := LoadInfo{ID: uint32(len(m.loads) + 1), At: l.plan.At, Mapping: l.plan.Mapping, Zone: l.plan.Zone, Users: int64(len(users)), Quality: q}
	for _, s := range sources {
		s.Load = len(m.loads)
		m.srcs = append(m.srcs, s)
		m.keeps = append(m.keeps, l.plan.KeepEqual)
	}
	q.Impossible = impossibleDays(add, l.plan.Zone)
	load.Quality = q
	m.loads = append(m.loads, load)
	m.rows = append(m.rows, add...)
	m.snap = m.build()
	l.done = true
	return load, nil
}

// streamed counts the rows of a stream so far, by content. What an ordinary load of
// the file had is counted as far as it was stored.
func (m *Memory) streamed(stream string) map[[16]byte]int {
	if seen, ok := m.streams[stream]; ok {
		return seen
	}
	seen := map[[16]byte]int{}
	for i := range m.rows {
		if r := &m.rows[i]; m.srcs[r.source].Digest == stream {
			seen[r.id]++
		}
	}
	return seen
}

// occurrences is how many rows of each content are known: the greatest number
// in any one source. A source that kept what it brought has its own number; any
// other added what it had beyond those before it.
func (m *Memory) occurrences() map[[16]byte]int {
	var per []map[[16]byte]int
	for i := range m.rows {
		r := &m.rows[i]
		for len(per) <= r.source {
			per = append(per, map[[16]byte]int{})
		}
		per[r.source][r.id]++
	}
	known := map[[16]byte]int{}
	for src, ids := range per {
		for id, n := range ids {
			if src < len(m.keeps) && m.keeps[src] {
				known[id] = max(known[id], n)
			} else {
				known[id] += n
			}
		}
	}
	return known
}

// impossibleDays counts users with more than 10,000 rows on one day of the zone
// (SPEC R3.11); without a zone, of UTC.
func impossibleDays(rows []memRow, zone string) int64 {
	cal, err := NewCalendar(zone)
	if err != nil {
		cal = UTC()
	}
	type userDay struct {
		user string
		day  Day
	}
	n, users := map[userDay]int{}, map[string]bool{}
	for i := range rows {
		d := cal.Day(rows[i].time)
		if rows[i].dated {
			d = floorDay(rows[i].time)
		}
		k := userDay{rows[i].user, d}
		if n[k]++; n[k] > 10_000 {
			users[k.user] = true
		}
	}
	return int64(len(users))
}

func (l *memLoader) Abort() error { l.got = nil; return nil }
