package query

import (
	"fmt"

	"dwell/model"
	"dwell/model/retention"
	"dwell/model/stat"
)

// revenueAnalysis asks what users bring by age: revenue of each interval after the
// start, its sum so far (value to date by age), and which share of their first
// interval's revenue users keep bringing.
func revenueAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "revenue", Title: "Revenue by age", Help: "value to date by age and cohort, revenue of each interval after the start, and revenue retention", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "amounts", Type: Word, Values: []string{"net", "gross"}, Default: "net", Help: "purchases less refunds, or purchases alone"},
				{Name: "currency", Type: Text, Help: "only amounts in this currency; left out: the most frequent currencies, each by itself, for amounts of several are never added up"},
			}, cohortKeys(), groupKeys(), judgeKeys(), truncatedKeys(), zoneKeys())},
		check: func(q Query) error {
			d, err := cohortQuery(q)
			if err != nil {
				return err
			}
			if d.Each {
				return fmt.Errorf("kind=recurring would count a user's revenue once for each start: ask by first-ever or first-matching starts")
			}
			_, err = retention.New(d)
			return err
		},
		plan: planRevenue,
	}
}

// A revenuePlan holds what kernel and layout share.
//
// Slots: the counts, the users with money in each currency of the data where there
// are several, then for each currency shown: for the pool without the left
// truncated, the pool with them and each cohort its size, and for each column the
// closed users, the open ones, revenue of the interval, revenue so far, and revenue
// of interval 0 of the same users.
type revenuePlan struct {
	*cohorts
	money revenueMoney
	gross bool // purchases alone
}

const (
	revenueTruncated = iota
	revenueKept
	revenueCounts
)

const (
	revenueUsers = iota // closed
	revenueOpen
	revenueIn
	revenueCum
	revenueBase
	revenueSlots
)

// block is where a pool or cohort of a currency begins: 0 and 1 are the pools.
func (p *revenuePlan) block(cur, i int) int {
	return revenueCounts + len(p.money.values) + (cur*(2+p.rows)+i)*(1+revenueSlots*len(p.cols))
}
func (p *revenuePlan) slot(cur, i, c, which int) int {
	return p.block(cur, i) + 1 + revenueSlots*c + which
}

func planRevenue(r *Run) (*Plan, error) {
	def, err := cohortQuery(r.Q)
	if err != nil {
		return nil, err
	}
	def.SeenBefore = r.seenBefore()
	def.Return = func(*model.Timeline, int) bool { return false } // only what has closed is asked of the reader
	p := &revenuePlan{gross: r.Str("amounts") == "gross"}
	if !r.Info.Amounts {
		return nil, fmt.Errorf("no event has an amount: name the column of amounts when the file is loaded")
	}
	needs := Needs{Amounts: true}
	if p.money, err = r.revenueMoney(&needs); err != nil {
		return nil, err
	}
	if p.cohorts, err = newCohorts(r, def, &needs); err != nil {
		return nil, err
	}
	return &Plan{Slots: p.block(len(p.money.shown), 0), Columns: needs.Columns, Amounts: true,
		Kernel: func() Kernel {
			k := &revenueKernel{p: p, reader: p.reader(), value: map[int]*stat.Pair{}, kept: map[int]*stat.Pair{}, paid: make([]bool, len(p.money.values))}
			for range p.money.shown {
				k.sums = append(k.sums, make([]model.Sum, len(p.cols)))
			}
			return k
		},
		Layout: p.layout, Explain: p.explain}, nil
}

// A revenueKernel adds users' revenue by interval, and what intervals of means and
// ratios over users need: by group and slot.
type revenueKernel struct {
	p      *revenuePlan
	reader *retention.Reader
	value  map[int]*stat.Pair // revenue so far, a user
	kept   map[int]*stat.Pair // revenue of the interval against that of interval 0
	sums   [][]model.Sum      // of the person being visited, by currency and interval
	paid   []bool             // of the person being visited, by currency of the data
}

// Visit adds one person's revenue.
func (k *revenueKernel) Visit(u *Person, h *Hits) {
	p := k.p
	lives := k.reader.Read(u.TL, u.Days)
	for i := range lives {
		l := &lives[i]
		h.In(p.r.At(u, l.Start))
		if h.Outside() {
			continue
		}
		for _, sums := range k.sums {
			clear(sums)
		}
		clear(k.paid)
		for e := range u.TL.Time {
			m := p.r.net(u, e)
			if m == model.NoMoney || p.gross && p.r.Role(u, e)&model.Purchase == 0 {
				continue
			}
			at, ok := k.reader.Place(u.TL, *l, e)
			if !ok {
				continue
			}
			value, cur := p.money.of(u.TL, e)
			if value >= 0 {
				k.paid[value] = true
			}
			if cur >= 0 && at < len(p.cols) {
				k.sums[cur][at].Add(m)
			}
		}
		for value, paid := range k.paid {
			if paid {
				h.Hit(revenueCounts+value, Self)
			}
		}
		row := 2 + int(l.Cohort-p.first)
		if l.Truncated {
			h.Hit(revenueTruncated, Self)
			k.life(l, h, 1, row)
		} else {
			h.Hit(revenueKept, Self)
			k.life(l, h, 0, 1, row)
		}
	}
}

func (k *revenueKernel) life(l *retention.Life, h *Hits, blocks ...int) {
	for cur := range k.sums {
		k.currency(l, h, cur, blocks)
	}
}

func (k *revenueKernel) currency(l *retention.Life, h *Hits, cur int, blocks []int) {
	p, sums := k.p, k.sums[cur]
	var cum model.Sum
	money := make([]model.Money, 0, 64)
	totals := make([]model.Money, 0, 64)
	for c := range l.Cells {
		cum.Merge(sums[c])
		m, err := sums[c].Money()
		t, err2 := cum.Money()
		if err != nil || err2 != nil {
			h.Fail(model.ErrOverflow)
			return
		}
		money, totals = append(money, m), append(totals, t)
	}
	for _, b := range blocks {
		h.Hit(p.block(cur, b), Self)
		for c, cell := range l.Cells {
			if !cell.Closed() {
				h.Hit(p.slot(cur, b, c, revenueOpen), Self)
				continue
			}
			h.Hit(p.slot(cur, b, c, revenueUsers), Self)
			h.Money(p.slot(cur, b, c, revenueIn), money[c])
			h.Money(p.slot(cur, b, c, revenueCum), totals[c])
			h.Money(p.slot(cur, b, c, revenueBase), money[0])
			if h.list {
				continue
			}
			for g := range h.n {
				if h.mask>>g&1 != 0 {
					at := g*h.slots + p.slot(cur, b, c, 0)
					pairAt(k.value, at).Add(totals[c].Float(), 1)
					pairAt(k.kept, at).Add(money[c].Float(), money[0].Float())
				}
			}
		}
	}
}

func pairAt(m map[int]*stat.Pair, at int) *stat.Pair {
	p := m[at]
	if p == nil {
		p = &stat.Pair{}
		m[at] = p
	}
	return p
}

// Merge adds the next split's users.
func (k *revenueKernel) Merge(next Kernel) error {
	o := next.(*revenueKernel)
	for at, p := range o.value {
		pairAt(k.value, at).Merge(*p)
	}
	for at, p := range o.kept {
		pairAt(k.kept, at).Merge(*p)
	}
	return nil
}
