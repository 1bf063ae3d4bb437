package query

import "dwell/model"

// A view shows a person's events of some names only.
type view struct {
	tl    model.Timeline
	days  []model.Day
	keep  []int
	props []model.Column
}

// cut narrows the person to the events of the names; false if there is none.
func (v *view) cut(p *Person, names map[model.NameID]bool) bool {
	full := p.TL
	v.keep = v.keep[:0]
	for i, n := range full.Name {
		if names[n] {
			v.keep = append(v.keep, i)
		}
	}
	if len(v.keep) == 0 {
		return false
	}
	v.tl.ID, v.tl.IDs = full.ID, full.IDs
	v.tl.Time = picked(v.tl.Time, full.Time, v.keep)
	v.tl.Dated = picked(v.tl.Dated, full.Dated, v.keep)
	v.tl.Name = picked(v.tl.Name, full.Name, v.keep)
	v.tl.Amount = picked(v.tl.Amount, full.Amount, v.keep)
	v.tl.Source = picked(v.tl.Source, full.Source, v.keep)
	if len(v.props) < len(full.Props) {
		v.props = make([]model.Column, len(full.Props))
	}
	v.tl.Props = v.props[:len(full.Props)]
	for i := range full.Props {
		v.tl.Props[i].Codes = picked(v.tl.Props[i].Codes, full.Props[i].Codes, v.keep)
		v.tl.Props[i].Plain = picked(v.tl.Props[i].Plain, full.Props[i].Plain, v.keep)
	}
	v.days = picked(v.days, p.Days, v.keep)
	p.TL, p.Days = &v.tl, v.days
	return true
}

// picked is the kept elements of a column; nil stays nil.
func picked[T any](dst, src []T, keep []int) []T {
	if src == nil {
		return nil
	}
	dst = dst[:0]
	for _, i := range keep {
		dst = append(dst, src[i])
	}
	return dst
}

// overRows runs the plan's kernel over the population: counting, or collecting
// the users of a target. Groups are judged on the as-of day.
func (r *Run) overRows(plan *Plan, t *target) (*Hits, error) {
	h := newHits(len(r.Groups), plan.RowSlots, plan.Values)
	if t != nil {
		h = &Hits{slots: plan.RowSlots, n: len(r.Groups), list: true, group: t.group, slot: t.slot, part: t.part}
	}
	if plan.Rows == nil {
		return h, nil
	}
	pop, err := r.Population()
	if err != nil {
		return nil, err
	}
	if plan.Before != nil {
		if err := plan.Before(pop); err != nil {
			return nil, err
		}
	}
	j, err := r.judging(true)
	if err != nil {
		return nil, err
	}
	among, err := r.behindOf()
	if err != nil {
		return nil, err
	}
	all := r.everybody()
	for row := range pop.Len() {
		if t != nil && t.limit > 0 && len(h.users) >= t.limit {
			h.users = h.users[:t.limit]
			break
		}
		if row%8192 == 0 && r.Ctx.Err() != nil {
			return nil, r.Ctx.Err()
		}
		if among != nil && !among.has(pop.ID(row)) {
			continue
		}
		h.mask = all
		if j != nil {
			if h.mask = j.mask(row); h.mask == 0 {
				continue
			}
		}
		if h.list {
			h.id = ""
		}
		n := len(h.users)
		plan.Rows(pop, row, h)
		for i := n; i < len(h.users); i++ {
			h.users[i].ID = pop.ID(row) // made only for those who are listed
		}
		if h.err != nil {
			return nil, h.err
		}
	}
	return h, nil
}
