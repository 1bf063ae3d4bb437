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
)

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
		sum.Write(r.id[:])
		if _, ok := names[r.name]; !ok {
			names[r.name] = len(in.Names)
			in.Names = append(in.Names, NameInfo{Name: r.name})
		}
		in.Names[names[r.name]].Count++
		for _, p := range r.props {
			ki, ok := keys[p.key]
			if !ok {
				ki = len(in.Keys)
				keys[p.key] = ki
				in.Keys = append(in.Keys, KeyInfo{Name: p.key, Values: []string{""}})
				vals = append(vals, map[string]uint32{"": 0})
			}
			if _, ok := vals[ki][p.value]; !ok {
				vals[ki][p.value] = uint32(len(in.Keys[ki].Values))
				in.Keys[ki].Values = append(in.Keys[ki].Values, p.value)
			}
		}
		if i == 0 || r.time < in.First {
			in.First = r.time
		}
		if i == 0 || r.time > in.Last {
			in.Last = r.time
		}
		in.Dated = in.Dated || r.dated
		if r.dated {
			in.Dates.Take(r.time)
		} else {
			in.Clock.Take(r.time)
		}
		in.Amounts = in.Amounts || r.amount != NoMoney
	}
	in.Version.Hash = hex.EncodeToString(sum.Sum(nil))[:16]
	for i := range in.Keys {
		if len(in.Keys[i].Values) > PlainAbove {
			in.Keys[i].Plain, in.Keys[i].Values = true, nil
		}
	}

	perUser := map[string][]int{} // rows in order of load and row, as they stand
	for i := range m.rows {
		perUser[m.rows[i].user] = append(perUser[m.rows[i].user], i)
	}
	for id := range perUser {
		s.users = append(s.users, memUser{bucket: BucketOf([]byte(id)), tl: Timeline{ID: id, IDs: []string{id}}})
	}
	slices.SortFunc(s.users, func(x, y memUser) int {
		return cmp.Or(cmp.Compare(x.bucket, y.bucket), cmp.Compare(x.tl.ID, y.tl.ID))
	})
	for u := range s.users {
		tl := &s.users[u].tl
		s.byID[tl.ID] = u
		order := perUser[tl.ID]
		slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(m.rows[x].time, m.rows[y].time) })
		tl.alloc(in, len(order))
		for i, o := range order {
			r := &m.rows[o]
			tl.Time[i], tl.Name[i], tl.Amount[i], tl.Source[i] = r.time, NameID(names[r.name]), r.amount, SourceID(r.source)
			if in.Dated {
				tl.Dated[i] = r.dated
			}
			for _, p := range r.props {
				k := keys[p.key]
				if in.Keys[k].Plain {
					tl.Props[k].Plain[i] = p.value
				} else {
					tl.Props[k].Codes[i] = vals[k][p.value]
				}
			}
		}
	}
	in.Users = int64(len(s.users))
	return s
}

// alloc makes every column of n events.
func (tl *Timeline) alloc(in *Info, n int) {
	tl.Time, tl.Name = make([]int64, n), make([]NameID, n)
	tl.Amount, tl.Source = make([]Money, n), make([]SourceID, n)
	if in.Dated {
		tl.Dated = make([]bool, n)
	}
	tl.Props = make([]Column, len(in.Keys))
	for k := range in.Keys {
		if in.Keys[k].Plain {
			tl.Props[k].Plain = make([]string, n)
		} else {
			tl.Props[k].Codes = make([]uint32, n)
		}
	}
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
	from := sort.Search(len(s.users), func(i int) bool { return s.users[i].bucket >= split.From })
	cut := s.cutter(f)
	var tl Timeline // its slices are reused, as the port says
	for i := from; i < len(s.users) && s.users[i].bucket < split.To; i++ {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		cut(&s.users[i].tl, &tl)
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
	var tl Timeline
	s.cutter(f)(&s.users[i].tl, &tl)
	return tl, ctx.Err()
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

// cutter resolves a filter once; the function copies what it lets through from
// a full timeline into one whose slices it reuses.
func (s *memSnapshot) cutter(f Filter) func(full, tl *Timeline) {
	var want []bool
	if f.Names != nil {
		want = make([]bool, len(s.info.Names))
		for i := range want {
			want[i] = slices.Contains(f.Names, s.info.Names[i].Name)
		}
	}
	col := make([]int, len(f.Columns))
	for c, key := range f.Columns {
		col[c] = slices.IndexFunc(s.info.Keys, func(ki KeyInfo) bool { return ki.Name == key })
	}
	return func(full, tl *Timeline) {
		tl.ID, tl.IDs = full.ID, full.IDs
		tl.Time, tl.Name, tl.Dated = tl.Time[:0], tl.Name[:0], tl.Dated[:0]
		tl.Amount, tl.Source = tl.Amount[:0], tl.Source[:0]
		if len(tl.Props) != len(col) {
			tl.Props = make([]Column, len(col))
		}
		for c := range tl.Props {
			tl.Props[c].Codes, tl.Props[c].Plain = tl.Props[c].Codes[:0], tl.Props[c].Plain[:0]
		}
		for i := range full.Time {
			if !f.Until.Allows(full.Time[i], full.IsDated(i)) || want != nil && !want[full.Name[i]] {
				continue
			}
			tl.Time = append(tl.Time, full.Time[i])
			if !f.NoNames {
				tl.Name = append(tl.Name, full.Name[i])
			}
			if full.Dated != nil {
				tl.Dated = append(tl.Dated, full.Dated[i])
			}
			if f.Amounts {
				tl.Amount = append(tl.Amount, full.Amount[i])
			}
			if f.Sources {
				tl.Source = append(tl.Source, full.Source[i])
			}
			for c, k := range col {
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
	}
}
