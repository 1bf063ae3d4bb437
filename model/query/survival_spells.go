package query

import (
	"errors"

	"dwell/model"
	"dwell/model/measure"
)

// A spell is a time without churn: from its first day to the day of the churn, or
// to the as-of day.
type spell struct {
	start model.Day
	last  model.Day // of activity, or the end of what is paid
	end   model.Day
	died  bool
}

// The words of churn=.
const (
	churnByGap      = "gap"
	churnByContract = "contract"
)

// errNoContracts refuses the end of contracts as churn.
var errNoContracts = errors.New("there are no contracts: name the column paid_until or period in the dictionary, or give events the meaning cancel")

// contractColumns finds what a contract is read from: paid_until, else period of
// the dictionary, else cancellations alone. It is refused where there is none.
func (d *lifeDef) contractColumns(needs *Needs) error {
	cols := d.r.Dict.Columns
	d.paid = -1
	for _, name := range []string{cols.PaidUntil, cols.Period} {
		if name == "" || d.r.Info.Key(name) == nil || d.paid >= 0 {
			continue
		}
		var err error
		if d.paid, err = d.r.column(name, needs); err != nil {
			return err
		}
		d.paidKey, d.paidUntil = d.r.Info.Key(name), name == cols.PaidUntil
	}
	for i := range d.r.Info.Names {
		role := d.r.Roles.Name(model.NameID(i))
		d.cancels = d.cancels || role&model.Cancel != 0
		d.purchases = d.purchases || role&model.Purchase != 0
	}
	if d.paid < 0 && !d.cancels {
		return errNoContracts
	}
	needs.Amounts = needs.Amounts || d.r.Roles.NeedsAmount()
	return nil
}

// gapSpells appends the spells that silence parts: from the first event that begins
// a life, and after each churn from the next active day.
func (k *lifeReader) gapSpells(dst []spell, p *Person) []spell {
	d := k.def
	start := model.NoDay
	k.days = k.days[:0]
	for i, day := range p.Days {
		if start == model.NoDay && d.start.match(p.TL, i) {
			start = day
		}
		if start != model.NoDay && d.active.match(p.TL, i) && (len(k.days) == 0 || k.days[len(k.days)-1] != day) {
			k.days = append(k.days, day)
		}
	}
	if start == model.NoDay {
		return dst
	}
	s := spell{start: start, last: start}
	for _, day := range k.days {
		if day-s.last > d.gap {
			s.end, s.died = s.last+d.gap, true
			dst = append(dst, s)
			s = spell{start: day}
		}
		s.last = day
	}
	return append(dst, d.running(s, s.last+d.gap))
}

// running is the last spell: it has died if its churn falls due by the as-of day.
func (d *lifeDef) running(s spell, due model.Day) spell {
	s.end = d.r.AsOf
	if due <= d.r.AsOf {
		s.end, s.died = due, true
	}
	return s
}

// contractSpells appends the spells in which a contract holds.
//
// What is paid for ends on a day that is no longer paid itself: the last paid_until
// seen, or the latest end of the periods bought. The churn is on that day if the
// contract was cancelled, else on the gap-th day without a contract (gap 1: that day
// too); who pays on the very day has not churned, and paying again takes a
// cancellation back. Without either column a contract holds from the first purchase
// (the first event where nothing is a purchase) until a cancellation, whose day is
// the churn's.
func (k *lifeReader) contractSpells(dst []spell, p *Person) []spell {
	d := k.def
	const forever = model.Day(1 << 30)
	var s spell
	open, cancelled, end := false, false, forever
	due := func() model.Day {
		switch {
		case cancelled || end == forever:
			return end
		}
		return end + d.gap - 1
	}
	for i, day := range p.Days {
		if open && due() < day {
			s.last, s.end, s.died = end, due(), true
			dst, open = append(dst, s), false
		}
		role := d.r.Role(p, i)
		until, pays := forever, false
		switch {
		case d.paid >= 0:
			v := p.TL.Props[d.paid].At(d.paidKey, i)
			if v == "" {
				break
			}
			if d.paidUntil {
				until = measure.PaidUntil(v, d.r.Cal)
			} else if until = model.NoDay; role&model.Purchase != 0 {
				until = measure.PaidFor(v, day)
			}
			pays = until != model.NoDay
		case role&model.Cancel == 0:
			pays = role&model.Purchase != 0 || !d.purchases
		}
		switch {
		case pays && !open && until > day:
			s, end, open, cancelled = spell{start: day}, until, true, false
		case pays && open && d.paidUntil:
			// The last value seen holds: a contract may be shortened, but not into the past.
			cancelled = cancelled && until <= end
			end = max(until, day)
		case pays && open && until > end:
			end, cancelled = until, false
		}
		if role&model.Cancel != 0 && open {
			cancelled = true
			if end == forever {
				end = day
			}
			end = max(end, day)
		}
	}
	if !open {
		return dst
	}
	s.last = end
	return append(dst, d.running(s, due()))
}

// spells are the person's, in order; none where no life has begun.
func (k *lifeReader) spells(p *Person) []spell {
	k.found = k.found[:0]
	if k.def.contract {
		k.found = k.contractSpells(k.found, p)
	} else {
		k.found = k.gapSpells(k.found, p)
	}
	return k.found
}
