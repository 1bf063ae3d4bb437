package query

import (
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/stat"
)

// valueAnalysis asks what a period brought and why it differs from another:
// revenue as users × orders per user × value per order, and user by user.
func valueAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "value", Title: "Value", Help: "revenue of a period against another: users × orders × value per order, who it came from, ARPU, ARPPU, AOV, and by month", ID: NoID,
			Keys: keys(spanKeys("30 days"), moneyKeys(), []KeySpec{
				{Name: "against", Type: Text, Default: "before", Help: "the period compared with: before (as long, just before), year (the same days a year before), or its first day YYYY-MM-DD"},
				{Name: "unit", Type: Word, Values: units(), Default: "month", Help: "length of the periods listed below"},
			}, groupKeys(), zoneKeys())},
		check: func(q Query) error {
			if err := checkSpan(q); err != nil {
				return err
			}
			if a := q.Value("against"); a != "before" && a != "year" {
				if _, err := model.ParseDay(a); err != nil {
					return fmt.Errorf("against=%s is none of before, year, nor a day YYYY-MM-DD", a)
				}
			}
			return nil
		},
		plan: planValue,
	}
}

// A bridge is what a user's revenue of one period is to that of the other.
type bridge int

const (
	bridgeNew  bridge = iota // first purchase in the period
	bridgeBack               // bought before, not in the earlier period
	bridgeMore
	bridgeSame
	bridgeLess
	bridgeLost   // bought in the earlier period, not in this
	bridgeRefund // bought in neither: refunds of older purchases
	bridges
)

var bridgeKeys = [bridges]string{"new", "back", "more", "same", "less", "lost", "refunds"}
var bridgeNames = [bridges]string{"first purchase ever", "back: bought before, not in the earlier period", "bought in both, for more", "bought in both, for as much", "bought in both, for less", "bought in the earlier period only", "bought in neither: refunds alone"}

// Slots of one period: the two compared, then those by unit.
const (
	valueActive = iota // active users
	valueBuyers        // with a purchase
	valueMoney         // whose amounts add to revenue
	valueOrders        // with their orders
	valueSlots
)

// maxValuePeriods bounds the periods by unit.
const maxValuePeriods = 6000

// A valuePlan holds what kernel and layout share.
type valuePlan struct {
	r           *Run
	buys        *buying
	now, before span
	unit        model.PeriodUnit
	first       model.Period
	periods     int
}

func (p *valuePlan) slot(period, what int) int { return int(bridges) + period*valueSlots + what }

// by is a period by unit; 0 and 1 are the two compared.
func (p *valuePlan) by(i int) int { return 2 + i }

func planValue(r *Run) (*Plan, error) {
	p := &valuePlan{r: r}
	var err error
	if p.now, err = r.span(30); err != nil {
		return nil, err
	}
	if p.before, err = r.against(p.now); err != nil {
		return nil, err
	}
	if p.buys, err = r.buying(); err != nil {
		return nil, err
	}
	if p.unit, err = model.ParseUnit(r.Str("unit")); err != nil {
		return nil, err
	}
	if !p.buys.money {
		return &Plan{Layout: func(b *Builder) error { p.buys.sentence(b); return nil }}, nil
	}
	p.first = r.Cal.Period(p.unit, r.FirstDay)
	if p.periods = int(r.Cal.Period(p.unit, r.AsOf)-p.first) + 1; p.periods > maxValuePeriods {
		return nil, fmt.Errorf("%d periods are too many for figures of each: ask with a longer unit=", p.periods)
	}
	return p.buys.on(&Plan{Slots: p.slot(p.by(p.periods), 0), JudgeAtT: true, Kernel: p.kernel, Layout: p.layout, Explain: p.explain}), nil
}

// against is the period that another is compared with.
func (r *Run) against(now span) (span, error) {
	days := now.to - now.from
	var s span
	switch a := r.Str("against"); a {
	case "before":
		s = span{now.from - days - 1, now.from - 1}
	case "year":
		y, m, d := now.from.Civil()
		s.from = model.DayOf(y-1, m, min(d, 28))
		if d > 28 { // the last day of a shorter month
			_, to := r.Cal.Bounds(model.Monthly, r.Cal.Period(model.Monthly, s.from))
			s.from = min(s.from+model.Day(d-28), to-1)
		}
		s.to = s.from + days
	default:
		from, err := model.ParseDay(a)
		if err != nil {
			return s, fmt.Errorf("against=: %w", err)
		}
		s = span{from, from + days}
	}
	if s.to >= now.from && s.from <= now.to {
		return s, fmt.Errorf("against=%s: the period %s overlaps %s, so that amounts would count in both", r.Str("against"), s, now)
	}
	if s.to > r.AsOf {
		return s, fmt.Errorf("against=%s: the period %s ends after the as-of day %s: nothing is known of it", r.Str("against"), s, r.AsOf)
	}
	return s, nil
}

// A valueKernel adds what intervals of ratios over users need, by group.
type valueKernel struct {
	p     *valuePlan
	read  *buyer
	ratio [][2][3]stat.Pair // [group][period]: ARPU, ARPPU, AOV
	back  [][2]model.Sum    // [group][period]: refunds, below 0
	days  []model.Day
	tally []valueTally // of the person being visited, by period
}

// A valueTally is one person's period.
type valueTally struct {
	active, bought, paid bool
	orders               int64
	spent, back          model.Sum
}

func (p *valuePlan) kernel() Kernel {
	return &valueKernel{p: p, read: p.buys.reader(), ratio: make([][2][3]stat.Pair, len(p.r.Groups)), back: make([][2]model.Sum, len(p.r.Groups)), tally: make([]valueTally, p.by(p.periods))}
}

// Visit adds one person's periods.
func (k *valueKernel) Visit(u *Person, h *Hits) {
	p := k.p
	clear(k.tally)
	k.days = p.r.ActiveDays(k.days[:0], u)
	for _, d := range k.days {
		k.each(d, func(t *valueTally) { t.active = true })
	}
	first := model.NoDay
	for _, b := range k.read.read(u, p.r.AsOf) {
		if b.bought && first == model.NoDay {
			first = b.day
		}
		k.each(b.day, func(t *valueTally) {
			t.bought, t.paid = t.bought || b.bought, true
			t.orders += int64(b.orders)
			t.spent.Merge(b.spent)
			t.back.Merge(b.back)
		})
	}
	for i := range k.tally {
		t := &k.tally[i]
		if t.active {
			h.Hit(p.slot(i, valueActive), Self)
		}
		if t.bought {
			h.Hit(p.slot(i, valueBuyers), Self)
		}
		if !t.paid {
			continue
		}
		m, err := t.spent.Money()
		if err != nil {
			h.Fail(fmt.Errorf("the amounts of %s: %w", u.TL.ID, err))
			return
		}
		h.Money(p.slot(i, valueMoney), m)
		if t.orders > 0 {
			h.Times(p.slot(i, valueOrders), Self, t.orders)
		}
	}
	k.bridge(u, h, first)
	if !h.list {
		k.ratios(h)
	}
}

// each visits the person's periods that hold a day.
func (k *valueKernel) each(d model.Day, do func(*valueTally)) {
	p := k.p
	for i, s := range []span{p.now, p.before} {
		if d >= s.from && d <= s.to {
			do(&k.tally[i])
		}
	}
	do(&k.tally[p.by(int(p.r.Cal.Period(p.unit, d)-p.first))])
}

// bridge says what the person adds to the change.
func (k *valueKernel) bridge(u *Person, h *Hits, first model.Day) {
	now, before := &k.tally[0], &k.tally[1]
	if !now.paid && !before.paid {
		return
	}
	a, err := before.spent.Money()
	b, err2 := now.spent.Money()
	if err != nil || err2 != nil {
		return // has failed already
	}
	kind := bridgeRefund
	switch {
	case now.bought && before.bought && b > a:
		kind = bridgeMore
	case now.bought && before.bought && b < a:
		kind = bridgeLess
	case now.bought && before.bought:
		kind = bridgeSame
	case now.bought && first >= k.p.now.from:
		kind = bridgeNew
	case now.bought:
		kind = bridgeBack
	case before.bought:
		kind = bridgeLost
	}
	var d model.Sum
	d.Add(b)
	d.Add(-a)
	m, err := d.Money()
	if err != nil {
		h.Fail(fmt.Errorf("the amounts of %s: %w", u.TL.ID, err))
		return
	}
	h.Money(int(kind), m)
}

func (k *valueKernel) ratios(h *Hits) {
	for i := range 2 {
		t := &k.tally[i]
		if !t.active && !t.paid {
			continue
		}
		spent, n := t.spent.Float(), [3]float64{0, 0, float64(t.orders)}
		if t.active {
			n[0] = 1
		}
		if t.bought {
			n[1] = 1
		}
		for g := range k.ratio {
			if h.mask>>g&1 == 0 {
				continue
			}
			k.back[g][i].Merge(t.back)
			for j, of := range n {
				k.ratio[g][i][j].Add(spent, of)
			}
		}
	}
}

// Merge adds the next split's users.
func (k *valueKernel) Merge(next Kernel) error {
	o := next.(*valueKernel)
	for g := range k.ratio {
		for i := range k.ratio[g] {
			k.back[g][i].Merge(o.back[g][i])
			for j := range k.ratio[g][i] {
				k.ratio[g][i][j].Merge(o.ratio[g][i][j])
			}
		}
	}
	return nil
}

// shown are the periods by unit that have anything in a group, the first to the
// last of them.
func (p *valuePlan) shown(b *Builder) []int {
	var out []int
	for i := range p.periods {
		if b.N(p.slot(p.by(i), valueActive), Self)+b.N(p.slot(p.by(i), valueMoney), Self) > 0 {
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		return nil
	}
	all := make([]int, 0, out[len(out)-1]-out[0]+1)
	for i := out[0]; i <= out[len(out)-1]; i++ {
		all = append(all, i)
	}
	return slices.Clip(all)
}
