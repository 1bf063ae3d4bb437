package query

import (
	"slices"

	"dwell/model"
	"dwell/model/measure"
)

// A contractDay is one paid period of a user.
type contractDay struct {
	day, end model.Day   // paid from, and to but not including
	until    model.Day   // brings something until then: end, or the day it was given back or replaced
	monthly  model.Money // a month's worth
	paid     model.Money // in all
	plan     string
	chain    int // periods that follow one another; 0 the user's first
}

// cut says that the period was given back or replaced before its end.
func (c *contractDay) cut() bool { return c.until < c.end }

// due is the day by which a renewal is expected.
func (c *contractDay) due(grace model.Day) model.Day {
	if c.cut() {
		return c.until
	}
	return c.end + grace
}

// A contractReader reads one person after the other; it belongs to one goroutine.
//
// Data seldom say which payments belong to one subscription. Payments for the same
// plan do; one for another plan, while the first is paid for, takes its place (an
// upgrade, whose old period ends that day), until a payment for the old plan shows
// that both go on side by side. Plans first paid for on one day stand side by side.
// What is paid on one day for one end and plan adds up; an early renewal, up to a
// week before the end, pays from the end. Money back for about all that is left of
// a period, or for all that was paid, ends it that day; less is a favour, which
// changes no contract.
type contractReader struct {
	all    []contractDay // by day of payment
	chains int
	part   []contractDay
}

// renewedEarly is how many days before its end a period may be renewed.
const renewedEarly = 7

// enoughBack is the share of what is left of a period that ends it when given back.
const enoughBack = 0.9

// of is a person's paid periods up to the as-of day, by day of payment; it is valid
// until the next call.
func (k *contractReader) of(p *mrrPlan, u *Person) []contractDay {
	k.all, k.chains = k.all[:0], 0
	key := p.r.Info.Key(p.column)
	for i, d := range u.Days {
		if d > p.r.AsOf {
			break
		}
		if u.TL.Amount == nil || u.TL.Amount[i] == model.NoMoney {
			continue
		}
		if c := p.buys.coin; c >= 0 && u.TL.Props[c].At(p.buys.keys[c], i) != p.buys.code {
			continue
		}
		plan := ""
		if p.plan >= 0 {
			plan = u.TL.Props[p.plan].At(p.planKey, i)
		}
		role := p.r.Role(u, i)
		if role&model.Refund != 0 {
			if m := p.r.net(u, i); m < 0 {
				k.back(d, -m, plan)
			}
			continue
		}
		v := u.TL.Props[p.place].At(key, i)
		if role&model.Purchase == 0 || v == "" {
			continue
		}
		end := model.NoDay
		if p.until {
			end = measure.PaidUntil(v, p.r.Cal)
		} else {
			end = measure.PaidFor(v, d)
		}
		if end != model.NoDay && end > d {
			k.pay(d, end, u.TL.Amount[i], plan)
		}
	}
	return k.all
}

// pay adds a payment.
func (k *contractReader) pay(d, end model.Day, amount model.Money, plan string) {
	c := contractDay{day: d, end: end, until: end, paid: amount, plan: plan}
	last := k.last(func(o *contractDay) bool { return o.plan == plan })
	if last != nil && !last.cut() && last.end > d && last.end <= d+renewedEarly && end > last.end {
		c.day = last.end // an early renewal
	}
	var err error
	if c.monthly, err = monthly(amount, int(end-c.day)); err != nil {
		return // money back, or a sum beyond all measure: no contract
	}
	if last != nil && last.day == c.day && last.end == c.end && !last.cut() {
		last.monthly += c.monthly // each under a tenth of what fits
		last.paid += c.paid
		return
	}
	switch {
	case last != nil && last.cut() && k.replaced(last) && last.end+renewedEarly >= d:
		// The old plan goes on beside the one that seemed to take its place.
		last.until, c.chain = last.end, last.chain
		for i := range k.all {
			if o := &k.all[i]; o.plan != plan && o.chain == last.chain && o.day >= last.day {
				o.chain = k.chains
			}
		}
		k.chains++
	case last != nil && last.until >= d-renewedEarly:
		c.chain = last.chain
		if last.until > c.day {
			last.until = c.day // paid anew within the period: the latest holds
		}
	default:
		c.chain = k.begins(d)
	}
	k.all = append(k.all, c)
}

// begins is the chain of a first payment for a plan: that of the plans whose place
// it takes, which end, or of what has ended; a new one beside what began that day.
func (k *contractReader) begins(d model.Day) int {
	beside, chain := false, -1
	for i := range k.all {
		o := &k.all[i]
		switch {
		case o.until <= d:
			if !k.open(o.chain, d) && chain < 0 {
				chain = o.chain
			}
		case o.day >= d:
			beside = true
		default:
			o.until, chain = d, o.chain
		}
	}
	if beside || chain < 0 {
		chain = k.chains
		k.chains++
	}
	return chain
}

// open says that a chain is paid for on a day.
func (k *contractReader) open(chain int, d model.Day) bool {
	return k.last(func(o *contractDay) bool { return o.chain == chain && o.day <= d && d < o.until }) != nil
}

// replaced says that another plan took a period's place on the day it ends.
func (k *contractReader) replaced(c *contractDay) bool {
	return k.last(func(o *contractDay) bool { return o.plan != c.plan && o.day == c.until && o.chain == c.chain }) != nil
}

// back gives money back: for a period of the plan, or, where the refund names none,
// for the latest.
func (k *contractReader) back(d model.Day, m model.Money, plan string) {
	c := k.last(func(o *contractDay) bool {
		return o.until > d && (plan == "" || o.plan == plan)
	})
	if c == nil {
		return
	}
	left := c.paid.Float() * float64(c.end-max(d, c.day)) / float64(c.end-c.day)
	if m >= c.paid || m.Float() >= enoughBack*left {
		c.until = max(d, c.day)
	}
}

// last is the latest period that is meant, or nil.
func (k *contractReader) last(is func(*contractDay) bool) *contractDay {
	for i := len(k.all) - 1; i >= 0; i-- {
		if is(&k.all[i]) {
			return &k.all[i]
		}
	}
	return nil
}

// chain is one chain's periods, by day; valid until the next call.
func (k *contractReader) chain(n int) []contractDay {
	k.part = k.part[:0]
	for _, c := range k.all {
		if c.chain == n {
			k.part = append(k.part, c)
		}
	}
	slices.SortStableFunc(k.part, func(a, b contractDay) int { return int(a.day - b.day) })
	return k.part
}

// on is what a user's contracts bring a month on a day, and whether any began
// before: of each plan the latest period that has begun.
func on(cs []contractDay, day, grace model.Day) (m model.Money, ever bool) {
	for i := range cs {
		c := &cs[i]
		if c.day > day {
			continue
		}
		ever = true
		if c.until <= day && (c.cut() || c.end+grace <= day) {
			continue
		}
		later := false
		for j := range cs {
			o := &cs[j]
			later = later || o.chain == c.chain && o.day <= day && (o.day > c.day || o.day == c.day && j > i)
		}
		if !later {
			m += c.monthly
		}
	}
	return m, ever
}
