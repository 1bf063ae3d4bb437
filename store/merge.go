package store

import "dwell/model"

// A mixer puts one user's events from several chunks or loads into one
// timeline, in arrays it uses again.
type mixer struct {
	tl    model.Timeline   // the result's arrays, kept at full length
	out   model.Timeline   // the result
	parts []model.Timeline // each with a Props of its own
	at    []int
}

// reset forgets what was added.
func (m *mixer) reset() { m.parts = m.parts[:0] }

// add takes a timeline; its slices have to stay until mix.
func (m *mixer) add(tl *model.Timeline) {
	if len(m.parts) < cap(m.parts) {
		m.parts = m.parts[:len(m.parts)+1]
	} else {
		m.parts = append(m.parts, model.Timeline{})
	}
	p := &m.parts[len(m.parts)-1]
	props := append(p.Props[:0], tl.Props...)
	*p = *tl
	p.Props = props
}

// mix gives all events in order of time, equal times in the order of add.
func (m *mixer) mix() *model.Timeline {
	first := &m.parts[0]
	m.clear(first)
	dated := false
	for i := range m.parts {
		dated = dated || m.parts[i].Dated != nil
	}
	// Loads are mostly one after the other in time: whole parts can be copied.
	sorted := true
	for i := 1; i < len(m.parts); i++ {
		a, b := m.parts[i-1].Time, m.parts[i].Time
		sorted = sorted && a[len(a)-1] <= b[0]
	}
	if sorted {
		for i := range m.parts {
			m.copy(&m.parts[i], 0, m.parts[i].Len(), dated)
		}
		return &m.tl
	}
	m.at = grow(m.at, len(m.parts))
	clear(m.at)
	for {
		best := -1
		for i := range m.parts {
			if m.at[i] < len(m.parts[i].Time) && (best < 0 || m.parts[i].Time[m.at[i]] < m.parts[best].Time[m.at[best]]) {
				best = i
			}
		}
		if best < 0 {
			return &m.tl
		}
		m.copy(&m.parts[best], m.at[best], m.at[best]+1, dated)
		m.at[best]++
	}
}

// clear empties the result but keeps its arrays; like says which columns it has.
func (m *mixer) clear(like *model.Timeline) {
	t := &m.tl
	t.ID, t.IDs = like.ID, like.IDs
	t.Time, t.Name = t.Time[:0], t.Name[:0]
	t.Dated, t.Amount, t.Source = t.Dated[:0], t.Amount[:0], t.Source[:0]
	for len(t.Props) < len(like.Props) {
		t.Props = append(t.Props, model.Column{})
	}
	t.Props = t.Props[:len(like.Props)]
	for i := range t.Props {
		p := &t.Props[i]
		p.Codes, p.Plain = p.Codes[:0], p.Plain[:0]
	}
}

// copy appends events [from, to) of a part.
func (m *mixer) copy(p *model.Timeline, from, to int, dated bool) {
	t := &m.tl
	t.Time = append(t.Time, p.Time[from:to]...)
	if p.Name != nil {
		t.Name = append(t.Name, p.Name[from:to]...)
	}
	if dated {
		if p.Dated != nil {
			t.Dated = append(t.Dated, p.Dated[from:to]...)
		} else {
			t.Dated = append(t.Dated, make([]bool, to-from)...)
		}
	}
	if p.Amount != nil {
		t.Amount = append(t.Amount, p.Amount[from:to]...)
	}
	if p.Source != nil {
		t.Source = append(t.Source, p.Source[from:to]...)
	}
	for i := range p.Props {
		if p.Props[i].Plain != nil {
			t.Props[i].Plain = append(t.Props[i].Plain, p.Props[i].Plain[from:to]...)
		} else {
			t.Props[i].Codes = append(t.Props[i].Codes, p.Props[i].Codes[from:to]...)
		}
	}
}

// result is mix with the columns that no part has as nil, as Timeline promises;
// it stays until the next one.
func (m *mixer) result() *model.Timeline {
	t, out := m.mix(), &m.out
	props := append(out.Props[:0], t.Props...)
	*out = *t
	out.Props = props
	for i := range props {
		if len(props[i].Plain) > 0 {
			props[i].Codes = nil
		} else {
			props[i].Plain = nil
		}
	}
	if len(out.Name) == 0 {
		out.Name = nil
	}
	if len(out.Dated) == 0 {
		out.Dated = nil
	}
	if len(out.Amount) == 0 {
		out.Amount = nil
	}
	if len(out.Source) == 0 {
		out.Source = nil
	}
	return out
}
