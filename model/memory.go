package model

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
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
	props  map[string]string
	source int
	load   int
	row    int
}

// identity is the row's content: what makes two rows equal (DESIGN 5).
func (r *memRow) identity() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %d %t %q %d", r.user, r.time, r.dated, r.name, r.amount)
	for _, k := range sortedKeys(r.props) {
		fmt.Fprintf(&b, " %q=%q", k, r.props[k])
	}
	return b.String()
}

// NewMemory is an empty data set.
func NewMemory() *Memory {
	m := &Memory{shelf: map[string][]Entry{}, gone: map[string]bool{}, cache: map[string][]byte{}}
	m.snap = m.build()
	return m
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
	rows := make([]memRow, b.Len())
	for i := range rows {
		r := memRow{user: string(b.User[i]), time: b.Time[i], name: string(b.Event[i]), amount: NoMoney, source: b.Source, props: map[string]string{}}
		if b.Dated != nil {
			r.dated = b.Dated[i]
		}
		if b.Amount != nil {
			r.amount = b.Amount[i]
		}
		for _, c := range b.Props {
			if len(c.Values[i]) > 0 {
				r.props[c.Key] = string(c.Values[i])
			}
		}
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
	// Occurrences already stored, per content, in the source that has most.
	stored := map[string]int{}
	perSource := map[string]int{}
	count := func(r *memRow) {
		id := r.identity()
		k := fmt.Sprint(r.source, " ", id)
		perSource[k]++
		stored[id] = max(stored[id], perSource[k])
	}
	for i := range m.rows {
		count(&m.rows[i])
	}
	var add []memRow
	seen := map[string]int{} // per source of this load and content
	row := 0
	for seq := range len(l.got) {
		rows, ok := l.got[seq]
		if !ok {
			return LoadInfo{}, fmt.Errorf("batch %d is missing", seq)
		}
		for _, r := range rows {
			r.load, r.row, r.source = len(m.loads), row, base+r.source
			row++
			id := r.identity()
			k := fmt.Sprint(r.source, " ", id)
			seen[k]++
			if seen[k] > 1 {
				if l.plan.Dedupe {
					q.Dropped++
					continue
				}
				q.Equal++
			}
			if !l.plan.KeepEqual && seen[k] <= stored[id] {
				q.Already++
				continue
			}
			add = append(add, r)
			count(&r)
		}
	}
	q.Stored = int64(len(add))
	users := map[string]bool{}
	for i := range add {
		users[add[i].user] = true
	}
	load := LoadInfo{ID: uint32(len(m.loads) + 1), At: l.plan.At, Mapping: l.plan.Mapping, Zone: l.plan.Zone, Users: int64(len(users)), Quality: q}
	for _, s := range sources {
		s.Load = len(m.loads)
		m.srcs = append(m.srcs, s)
	}
	m.loads = append(m.loads, load)
	m.rows = append(m.rows, add...)
	m.snap = m.build()
	l.done = true
	return load, nil
}

func (l *memLoader) Abort() error { l.got = nil; return nil }

// memSnapshot is immutable once built.
type memSnapshot struct {
	info  Info
	users []memUser // by bucket, then id
	byID  map[string]int
}

type memUser struct {
	bucket int
	tl     Timeline // every column
}

// build makes a snapshot of the rows so far; m.mu is held, or m is new.
func (m *Memory) build() *memSnapshot {
	s := &memSnapshot{byID: map[string]int{}}
	in := &s.info
	in.Loads = slices.Clone(m.loads)
	in.Sources = slices.Clone(m.srcs)
	in.Version.Ordinal = uint64(len(m.loads))
	in.Events = int64(len(m.rows))

	names, keys := map[string]int{}, map[string]int{}
	vals := []map[string]uint32{}
	sum := sha256.New()
	for i := range m.rows {
		r := &m.rows[i]
		fmt.Fprintln(sum, r.identity())
		if _, ok := names[r.name]; !ok {
			names[r.name] = len(in.Names)
			in.Names = append(in.Names, NameInfo{Name: r.name})
		}
		in.Names[names[r.name]].Count++
		for _, k := range sortedKeys(r.props) {
			if _, ok := keys[k]; !ok {
				keys[k] = len(in.Keys)
				in.Keys = append(in.Keys, KeyInfo{Name: k, Values: []string{""}})
				vals = append(vals, map[string]uint32{"": 0})
			}
			ki := keys[k]
			if _, ok := vals[ki][r.props[k]]; !ok {
				vals[ki][r.props[k]] = uint32(len(in.Keys[ki].Values))
				in.Keys[ki].Values = append(in.Keys[ki].Values, r.props[k])
			}
		}
		if i == 0 || r.time < in.First {
			in.First = r.time
		}
		if i == 0 || r.time > in.Last {
			in.Last = r.time
		}
		in.Dated = in.Dated || r.dated
		in.Amounts = in.Amounts || r.amount != NoMoney
	}
	in.Version.Hash = hex.EncodeToString(sum.Sum(nil))[:16]
	for i := range in.Keys {
		if len(in.Keys[i].Values) > PlainAbove {
			in.Keys[i].Plain, in.Keys[i].Values = true, nil
		}
	}

	order := make([]int, len(m.rows))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool {
		x, y := &m.rows[order[a]], &m.rows[order[b]]
		return cmp.Or(cmp.Compare(BucketOf([]byte(x.user)), BucketOf([]byte(y.user))), cmp.Compare(x.user, y.user),
			cmp.Compare(x.time, y.time), cmp.Compare(x.load, y.load), cmp.Compare(x.row, y.row)) < 0
	})
	for _, o := range order {
		r := &m.rows[o]
		u, ok := s.byID[r.user]
		if !ok {
			u = len(s.users)
			s.byID[r.user] = u
			s.users = append(s.users, memUser{bucket: BucketOf([]byte(r.user)), tl: Timeline{ID: r.user, IDs: []string{r.user}, Props: make([]Column, len(in.Keys))}})
		}
		tl := &s.users[u].tl
		tl.Time = append(tl.Time, r.time)
		if in.Dated {
			tl.Dated = append(tl.Dated, r.dated)
		}
		tl.Name = append(tl.Name, NameID(names[r.name]))
		tl.Amount = append(tl.Amount, r.amount)
		tl.Source = append(tl.Source, SourceID(r.source))
		for k := range in.Keys {
			c := &tl.Props[k]
			if in.Keys[k].Plain {
				c.Plain = append(c.Plain, r.props[in.Keys[k].Name])
			} else {
				c.Codes = append(c.Codes, vals[k][r.props[in.Keys[k].Name]])
			}
		}
	}
	in.Users = int64(len(s.users))
	return s
}

// Snapshot is the data version as it stands.
func (m *Memory) Snapshot(context.Context) (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.snap, nil
}

func (s *memSnapshot) Info() *Info { return &s.info }

func (s *memSnapshot) Close() error { return nil }

func (s *memSnapshot) Splits(n int) []Split { return CutSplits(n) }

func (s *memSnapshot) Scan(ctx context.Context, split Split, f Filter, fn func(*Timeline) error) error {
	for i := range s.users {
		if b := s.users[i].bucket; b < split.From || b >= split.To {
			continue
		}
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		tl := s.cut(&s.users[i].tl, f)
		if tl.Len() == 0 {
			continue
		}
		if err := fn(&tl); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *memSnapshot) User(ctx context.Context, id string, f Filter) (Timeline, error) {
	i, ok := s.byID[id]
	if !ok {
		return Timeline{}, fmt.Errorf("%w: %q", ErrNoUser, id)
	}
	return s.cut(&s.users[i].tl, f), ctx.Err()
}

func (s *memSnapshot) Find(ctx context.Context, text string, fn func(string) bool) error {
	low := strings.ToLower(text)
	for _, prefix := range []bool{true, false} {
		for i := range s.users {
			id := strings.ToLower(s.users[i].tl.ID)
			if !strings.Contains(id, low) || strings.HasPrefix(id, low) != prefix {
				continue
			}
			if !fn(s.users[i].tl.ID) {
				return nil
			}
		}
	}
	return ctx.Err()
}

// cut copies what the filter lets through.
func (s *memSnapshot) cut(full *Timeline, f Filter) Timeline {
	tl := Timeline{ID: full.ID, IDs: full.IDs, Props: make([]Column, len(f.Columns))}
	for i := range full.Time {
		if !f.Until.Allows(full.Time[i], full.IsDated(i)) {
			continue
		}
		if f.Names != nil && !slices.Contains(f.Names, s.info.Names[full.Name[i]].Name) {
			continue
		}
		tl.Time = append(tl.Time, full.Time[i])
		tl.Name = append(tl.Name, full.Name[i])
		if full.Dated != nil {
			tl.Dated = append(tl.Dated, full.Dated[i])
		}
		if f.Amounts {
			tl.Amount = append(tl.Amount, full.Amount[i])
		}
		if f.Sources {
			tl.Source = append(tl.Source, full.Source[i])
		}
		for c, key := range f.Columns {
			k := slices.IndexFunc(s.info.Keys, func(ki KeyInfo) bool { return ki.Name == key })
			switch {
			case k < 0:
				tl.Props[c].Codes = append(tl.Props[c].Codes, 0)
			case s.info.Keys[k].Plain:
				tl.Props[c].Plain = append(tl.Props[c].Plain, full.Props[k].Plain[i])
			default:
				tl.Props[c].Codes = append(tl.Props[c].Codes, full.Props[k].Codes[i])
			}
		}
	}
	return tl
}

// List, Get, Put and Remove make Memory a Shelf; its clock counts calls.
func (m *Memory) List(kind string) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Entry
	for _, k := range sortedKeys(m.shelf) {
		if v := m.shelf[k]; v[0].Kind == kind && !m.gone[k] {
			out = append(out, v[len(v)-1])
		}
	}
	return out, nil
}

// Get gives one version; 0 is the newest.
func (m *Memory) Get(kind, name string, version int) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := kind + "\x00" + name
	v := m.shelf[k]
	if version == 0 && !m.gone[k] {
		version = len(v)
	}
	if version < 1 || version > len(v) {
		return Entry{}, fmt.Errorf("%w: %s %q", ErrNoEntry, kind, name)
	}
	return v[version-1], nil
}

// Put stores the next version.
func (m *Memory) Put(kind, name string, body []byte, note string) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := kind + "\x00" + name
	m.clock++
	e := Entry{Kind: kind, Name: name, Version: len(m.shelf[k]) + 1, Note: note, At: m.clock, Body: slices.Clone(body)}
	m.shelf[k] = append(m.shelf[k], e)
	delete(m.gone, k)
	return e, nil
}

// Remove takes an entry off the shelf.
func (m *Memory) Remove(kind, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := kind + "\x00" + name
	if len(m.shelf[k]) == 0 || m.gone[k] {
		return fmt.Errorf("%w: %s %q", ErrNoEntry, kind, name)
	}
	m.gone[k] = true
	return nil
}

// Recall and Keep make Memory a Cache.
func (m *Memory) Recall(key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.cache[key]
	return b, ok
}

// Keep stores derived bytes.
func (m *Memory) Keep(key string, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cache[key] = slices.Clone(body)
}
