package query

import (
	"errors"
	"fmt"
	"math"

	"dwell/model"
	"dwell/model/value"
)

// mrrAnalysis asks for the monthly recurring revenue of subscriptions at the end
// of each period, what moved it, and how contracts renew.
func mrrAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "mrr", Title: "Recurring revenue", Help: "monthly recurring revenue of subscriptions: new, expansion, contraction, churn, reactivation; renewals, and the value of a contract", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "unit", Type: Word, Values: []string{"month", "quarter", "year"}, Default: "month", Help: "length of the periods between which movements are told"},
				{Name: "currency", Type: Text, Help: coinHelp},
				{Name: "grace", Type: Int, Default: "0", Help: "days after a paid period in which a late renewal is no churn"},
			}, groupKeys(), truncatedKeys(), zoneKeys())},
		plan: planMRR,
	}
}

// Slots of MRR: everybody who ever paid for a period; then for each period its
// end's MRR and the movements; then for each length of contract the value expected
// of the open ones and, for each renewal, the rate of those who renewed.
const (
	mrrEver = iota
	mrrOpen // paid on the as-of day
	mrrCounts
)

const mrrSlots = 1 + int(value.Movements)

// maxRenewals bounds the renewals that are told apart.
const maxRenewals = 60

// contractLengths tell contracts apart by the days of their first paid period:
// renewals are counted in periods, which must be alike to be counted together.
var contractLengths = [...]struct {
	most int // days
	key  string
}{{10, "weekly"}, {45, "monthly"}, {135, "quarterly"}, {270, "half-yearly"}, {1 << 30, "yearly"}}

// lengthOf is the class of a contract.
func lengthOf(cs []contractDay) (class int) {
	for int(cs[0].end-cs[0].day) > contractLengths[class].most {
		class++
	}
	return class
}

// contractAhead is how far ahead the value of contracts is looked at, in days.
const contractAhead = 365

// An mrrPlan holds what kernel and layout share.
type mrrPlan struct {
	r       *Run
	buys    *buying
	column  string   // paid_until or period
	columns []string // it, and the plan
	until   bool     // it is paid_until
	place   int      // among the scan's columns
	plan    int      // likewise of the column that tells subscriptions apart; −1: none
	planKey *model.KeyInfo
	grace   model.Day
	unit    model.PeriodUnit
	first   model.Period
	periods int
	seen    model.Day // contracts that begin before it may be older; NoDay: none

	renewed [len(contractLengths)]value.Contracts // of everybody, whatever groups are shown
	fits    [len(contractLengths)]*value.Contract // nil where none is to be had: why says so
	why     [len(contractLengths)]string
}

func (p *mrrPlan) at(period, what int) int  { return mrrCounts + period*mrrSlots + what }
func (p *mrrPlan) expected(class int) int   { return p.at(p.periods, 0) + class*(1+maxRenewals) }
func (p *mrrPlan) renewal(class, i int) int { return p.expected(class) + 1 + i }

func planMRR(r *Run) (*Plan, error) {
	p := &mrrPlan{r: r, grace: model.Day(min(r.Int("grace"), maxDays)), seen: r.seenBefore()}
	var err error
	if p.buys, err = r.buying(); err != nil {
		return nil, err
	}
	if p.unit, err = model.ParseUnit(r.Str("unit")); err != nil {
		return nil, err
	}
	cols := r.Dict.Columns
	switch {
	case cols.PaidUntil != "" && r.Info.Key(cols.PaidUntil) != nil:
		p.column, p.until = cols.PaidUntil, true
	case cols.Period != "" && r.Info.Key(cols.Period) != nil:
		p.column = cols.Period
	}
	why := ""
	switch {
	case p.column == "":
		why = "No event says for which period it pays, so there are no subscriptions to tell of: where there are, name the column of the paid period in the dictionary (paid_until or period)."
	case !p.buys.money:
		why = p.buys.why
	}
	if why != "" {
		return &Plan{Layout: func(b *Builder) error {
			b.Block(Block{Kind: TextBlock, Name: "none", Title: "—", Lines: []string{why}})
			return nil
		}}, nil
	}
	p.first = r.Cal.Period(p.unit, r.FirstDay)
	p.periods = int(r.Cal.Period(p.unit, r.AsOf)-p.first) + 1
	p.place = len(p.buys.columns)
	p.columns, p.plan = []string{p.column}, -1
	for _, c := range []string{cols.Plan, cols.Item} {
		if p.planKey = r.Info.Key(c); c != "" && p.planKey != nil && c != p.column {
			p.columns, p.plan = append(p.columns, c), p.place+1
			break
		}
	}
	if err := p.fit(); err != nil {
		return nil, err
	}
	n := p.buys.needs(p.columns...)
	return &Plan{Slots: p.expected(len(contractLengths)), Columns: n.Columns, Amounts: true, JudgeAtT: true, List: r.coinList, Kernel: p.kernel, Layout: p.layout, Explain: p.explain}, nil
}

// end is the last day of a period, or the as-of day in the one that is open.
func (p *mrrPlan) end(i int) model.Day {
	_, to := p.r.Cal.Bounds(p.unit, p.first+model.Period(i))
	return min(to-1, p.r.AsOf)
}

// monthly is a month's worth of an amount that pays for so many days. Periods
// within three days of whole months are taken for whole months.
func monthly(m model.Money, days int) (model.Money, error) {
	if k := math.Round(float64(days) / (365.25 / 12)); k >= 1 && math.Abs(float64(days)-k*365.25/12) <= 3 {
		return value.Monthly(m, int(k), 0)
	}
	return value.Monthly(m, 0, days)
}

func (p *mrrPlan) kernel() Kernel {
	var read contractReader
	return Visit(func(u *Person, h *Hits) {
		cs := read.of(p, u)
		if len(cs) == 0 {
			return
		}
		h.Hit(mrrEver, Self)
		now, _ := on(cs, p.r.AsOf, p.grace)
		if now > 0 {
			h.Money(mrrOpen, now)
		}
		before, ever := model.Money(0), false
		for i := range p.periods {
			m, any := on(cs, p.end(i), p.grace)
			if m > 0 {
				h.Money(p.at(i, 0), m)
			}
			if kind, ok := value.Move(before, m, ever); ok {
				h.Money(p.at(i, 1+int(kind)), m-before)
			}
			before, ever = m, ever || any
		}
		p.renewals(read.chain(0), h)
		p.worth(&read, now, h)
	})
}

// renewals hits, for each renewal that fell due, whether it came.
func (p *mrrPlan) renewals(cs []contractDay, h *Hits) {
	n, left, ok := p.opportunities(cs)
	if !ok {
		return
	}
	class := lengthOf(cs)
	for i := range min(n, maxRenewals) {
		h.Rate(p.renewal(class, i), !left || i+1 < n)
	}
	if !left && n < maxRenewals {
		h.OpenRate(p.renewal(class, n), false)
	}
}

// opportunities is how often a user could renew, and whether the last was not
// taken; what comes after a contract that ended is another. ok is false for
// contracts that may have begun before the data: nobody knows their number.
func (p *mrrPlan) opportunities(cs []contractDay) (n int, left, ok bool) {
	if p.seen != model.NoDay && cs[0].day < p.seen {
		return 0, false, false
	}
	for i := range cs {
		due := cs[i].due(p.grace)
		switch {
		case i+1 < len(cs) && cs[i+1].day <= due:
			n++
		case due <= p.r.AsOf:
			return n + 1, true, true
		default:
			return n, false, true
		}
	}
	return n, false, true
}

// fit fits a shifted beta-geometric to each length of contract.
func (p *mrrPlan) fit() error {
	type acc struct {
		of   [len(contractLengths)]value.Contracts
		read contractReader
	}
	n := p.buys.needs(p.columns...)
	err := Scan(p.r, n, func() *acc { return &acc{} },
		func(a *acc, u *Person) error {
			if len(a.read.of(p, u)) == 0 {
				return nil
			}
			cs := a.read.chain(0)
			if t, left, ok := p.opportunities(cs); ok {
				return a.of[lengthOf(cs)].Add(min(t, mostOpportunities), left && t <= mostOpportunities)
			}
			return nil
		},
		func(a *acc) error {
			for i := range a.of {
				p.renewed[i].Merge(&a.of[i])
			}
			return nil
		})
	if err != nil {
		return err
	}
	for i := range p.renewed {
		p.fits[i], err = value.FitContract(&p.renewed[i], value.Options{Stop: func() bool { return p.r.Ctx.Err() != nil }})
		switch {
		case errors.Is(err, value.ErrStopped):
			return p.r.Ctx.Err()
		case err != nil:
			p.fits[i], p.why[i] = nil, err.Error()
		}
	}
	return nil
}

// mostOpportunities bounds the renewals that a fit tells apart: a century of weeks.
const mostOpportunities = 5200

// worth is what open contracts are expected to bring in a year beyond the period
// that is paid: each later period with the chance that all renewals up to it come.
func (p *mrrPlan) worth(read *contractReader, now model.Money, h *Hits) {
	if now <= 0 {
		return
	}
	var sums [len(contractLengths)]float64
	var open [len(contractLengths)]bool
	for chain := range read.chains {
		cs := read.chain(chain)
		class := lengthOf(cs)
		fit := p.fits[class]
		n, left, ok := p.opportunities(cs)
		if !ok || left || fit == nil {
			continue
		}
		open[class] = true
		last := cs[len(cs)-1]
		length := int(last.end - last.day)
		if due := (contractAhead - int(last.end-p.r.AsOf) + length - 1) / length; due > 0 { // periods that begin within the year
			sums[class] += last.paid.Float() * fit.Periods(n, due, 0)
		}
	}
	for class, yes := range open {
		if m, ok := model.MoneyOf(sums[class]); ok && yes {
			h.Money(p.expected(class), m)
		}
	}
}

// spans are the periods from the first with a contract on.
func (p *mrrPlan) spans(b *Builder) []int {
	for i := range p.periods {
		if b.N(p.at(i, 0), Self) > 0 {
			out := make([]int, 0, p.periods-i)
			for ; i < p.periods; i++ {
				out = append(out, i)
			}
			return out
		}
	}
	return nil
}

func (p *mrrPlan) columnNote() string {
	if p.until {
		return fmt.Sprintf("a payment pays until %s", p.column)
	}
	return fmt.Sprintf("a payment pays for %s", p.column)
}
