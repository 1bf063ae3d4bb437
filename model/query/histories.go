package query

import (
	"slices"

	"dwell/model"
	"dwell/model/stage"
)

// A historian gives the kernels of a plan each person's stage history. It is
// made before the scan, so that the scan reads what replay needs.
type historian struct {
	r    *Run
	need model.Filter
}

// historian prepares replay beside a kernel that reads more columns itself.
func (r *Run) historian(columns ...string) (*historian, error) {
	f := r.machine.Widen(model.Filter{Columns: slices.Clone(columns), Amounts: r.Roles.NeedsAmount()})
	if _, err := r.Staging(f); err != nil {
		return nil, err
	}
	return &historian{r, f}, nil
}

// on gives a plan the needs of replay.
func (h *historian) on(p *Plan) *Plan {
	p.Columns, p.Amounts = h.need.Columns, p.Amounts || h.need.Amounts
	return p
}

// staging is a replayer for one goroutine.
func (h *historian) staging() *Staging {
	s, _ := h.r.Staging(h.need) // tried when the historian was made
	return s
}

// A stay is one user's time in one stage: the days [from, to), or until the
// as-of day where it still goes on.
type stay struct {
	stage    int
	from, to model.Day
	ended    bool
	by       *stage.EntryInfo // the rule that ended it; nil while it goes on
	next     int              // the stage entered then
}

// days is how long the stay has lasted.
func (s stay) days() int { return int(s.to - s.from) }

// stays appends a history's stays up to a day, by time; that of a day's passing
// stage is empty and left out. Transitions after the day are not known.
func stays(dst []stay, h *stage.History, entries []stage.EntryInfo, until model.Day) []stay {
	for i, t := range h.Transitions {
		if t.Day > until {
			break
		}
		s := stay{stage: int(t.To), from: t.Day, to: until + 1, next: stage.NoStage}
		if i+1 < len(h.Transitions) && h.Transitions[i+1].Day <= until {
			n := h.Transitions[i+1]
			s.to, s.ended, s.by, s.next = n.Day, true, &entries[n.Entry], int(n.To)
		} else {
			s.to = until // still there: observed for so long
		}
		if s.ended && s.to == s.from {
			continue
		}
		dst = append(dst, s)
	}
	return dst
}

// lives carries a stay through Hits.Value: its days doubled, one more where it
// has ended. life reads it back.
func lifeValue(days int, ended bool) float64 {
	v := 2 * float64(days)
	if ended {
		v++
	}
	return v
}

func lifeOf(v float64) (days int, ended bool) {
	n := int(v)
	return n / 2, n%2 == 1
}

// net is what event i adds to revenue: purchases up, refunds down whichever way
// their amount is written, as the measure revenue has it.
func (r *Run) net(p *Person, i int) model.Money {
	if p.TL.Amount == nil || p.TL.Amount[i] == model.NoMoney {
		return model.NoMoney
	}
	m := p.TL.Amount[i]
	switch role := r.Roles.Of(p.TL.Name[i], m); {
	case role&model.Refund != 0 && m > 0:
		return -m
	case role&(model.Refund|model.Purchase) != 0:
		return m
	}
	return model.NoMoney
}

// hasMoney says whether sums of amounts mean something, and in which currency.
func (r *Run) hasMoney() (unit string, ok bool) {
	unit, ok = r.currency()
	return unit, ok && r.Info.Amounts
}

// eachRow visits the population's rows that the question is about, with the
// groups of each as a bit each: for layouts that rank users.
func (r *Run) eachRow(pop *Population, visit func(row int, mask uint64)) error {
	j, err := r.judging(true)
	if err != nil {
		return err
	}
	among, err := r.behindOf()
	if err != nil {
		return err
	}
	for row := range pop.Len() {
		if row%8192 == 0 && r.Ctx.Err() != nil {
			return r.Ctx.Err()
		}
		if among != nil && !among.has(pop.ID(row)) {
			continue
		}
		mask := r.everybody()
		if j != nil {
			mask = j.mask(row)
		}
		if mask != 0 {
			visit(row, mask)
		}
	}
	return nil
}
