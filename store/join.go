package store

import (
	"encoding/hex"
	"slices"

	"github.com/cespare/xxhash/v2"

	"dwell/model"
)

// Following a file makes a small load of every few lines. Merged, the pieces of one
// follow become one part with one source and one report, or a data set that has
// been fed for a week would carry thousands of them.

// join lists the parts of the merged load, pieces of one follow as one.
func (m *merging) join() {
	for _, l := range m.old {
		for _, p := range l.mark.parts() {
			if n := len(m.parts); n > 0 && oneStream(&m.parts[n-1], &p) {
				m.parts[n-1].take(&p)
				m.counts[len(m.counts)-1].joint = true
				m.source = append(m.source, uint32(len(m.counts)-1))
				continue
			}
			p.Sources = slices.Clone(p.Sources)
			for range p.Sources {
				m.source = append(m.source, uint32(len(m.counts)))
				m.counts = append(m.counts, count{})
			}
			m.parts = append(m.parts, p)
		}
	}
}

// sourceOf is the number of event i's source, whose user it counts.
func (m *merging) sourceOf(tl *model.Timeline, i int) uint32 {
	s := m.source[tl.Source[i]]
	if c := &m.counts[s]; c.last != tl.ID {
		c.last = tl.ID
		c.users++
	}
	return s
}

// counted puts the users of joint parts into their reports.
func (m *merging) counted() {
	s := 0
	for i := range m.parts {
		if c := &m.counts[s]; c.joint {
			m.parts[i].Info.Users = c.users
		}
		s += len(m.parts[i].Sources)
	}
}

// oneStream says that b continues a.
func oneStream(a, b *part) bool {
	return len(a.Sources) == 1 && len(b.Sources) == 1 && a.Sources[0].Stream != "" &&
		a.Sources[0].Stream == b.Sources[0].Stream && a.Sources[0].Bytes <= b.Sources[0].From &&
		a.Info.Mapping == b.Info.Mapping && a.Info.Zone == b.Info.Zone && a.KeepEqual == b.KeepEqual
}

// take adds the piece that follows.
func (p *part) take(o *part) {
	s, t := &p.Sources[0], &o.Sources[0]
	s.Path, s.Digest, s.Bytes, s.Rows, s.Counted = t.Path, t.Digest, t.Bytes, s.Rows+t.Rows, t.Counted
	h := xxhash.New()
	_, _ = h.WriteString(p.Digest + o.Digest) // never fails
	p.Digest = hex.EncodeToString(h.Sum(nil))
	p.Info.At = o.Info.At
	p.Info.Quality = joinQuality(p.Info.Quality, o.Info.Quality)
}

// joinQuality adds up the reports of two pieces, within the bounds of one.
func joinQuality(a, b model.Quality) model.Quality {
	a.Read += b.Read
	a.Stored += b.Stored
	a.Already += b.Already
	a.Dropped += b.Dropped
	a.Equal += b.Equal
	a.Ambiguous += b.Ambiguous
	a.Missing += b.Missing
	a.Future += b.Future
	a.Unordered += b.Unordered
	a.Rounded += b.Rounded
	a.BadUTF8 += b.BadUTF8
	a.Impossible += b.Impossible
	a.Rejected = slices.Clone(a.Rejected)
	for _, r := range b.Rejected {
		i := slices.IndexFunc(a.Rejected, func(o model.Reject) bool { return o.Reason == r.Reason })
		if i < 0 {
			a.Rejected = append(a.Rejected, r)
			continue
		}
		o := &a.Rejected[i]
		o.Count += r.Count
		o.Lines = append(slices.Clone(o.Lines), r.Lines[:min(len(r.Lines), max(model.MaxRejectLines-len(o.Lines), 0))]...)
	}
	a.EmptyDays = append(slices.Clone(a.EmptyDays), b.EmptyDays...)
	slices.Sort(a.EmptyDays)
	if a.EmptyDays = slices.Compact(a.EmptyDays); len(a.EmptyDays) > model.MaxEmptyDays {
		a.EmptyDays = a.EmptyDays[:model.MaxEmptyDays]
	}
	a.Types = slices.Clone(a.Types)
	for _, t := range b.Types {
		i := slices.IndexFunc(a.Types, func(o model.KeyTypes) bool { return o.Key == t.Key })
		if i < 0 {
			a.Types = append(a.Types, t)
			continue
		}
		o := &a.Types[i]
		o.Text, o.Number, o.Bool, o.Time, o.Null, o.Compound = o.Text+t.Text, o.Number+t.Number, o.Bool+t.Bool, o.Time+t.Time, o.Null+t.Null, o.Compound+t.Compound
	}
	return a
}
