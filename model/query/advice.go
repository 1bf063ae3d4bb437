package query

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/stage"
)

// adviceAnalysis looks for what speaks for changing the stage model: a changed
// repurchase cycle, value in maturity that no longer grows, a jump in everyone's
// activity, numbers that the data now suggest otherwise (SPEC R2.17–R2.19).
// Nothing is changed by it: each proposal is an edit to be opened.
func adviceAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "advice", Title: "Recalibration advice", Help: "what speaks for changing the stage model, with old and new figures and who would move; nothing is changed", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "cycle", Type: Word, Values: []string{"auto", "purchase", "activity"}, Default: "auto", Help: "gaps between days of purchase, or of any activity; auto: of purchase where the data have any"},
			}, zoneKeys())},
		plan: planAdvice,
	}
}

// Slots of the advice: the users behind each of its figures.
const (
	advEarly   = iota // a gap started in the early window
	advLate           // in the late one
	advMature         // mature and active in a closed month
	advStalled        // mature for longer than the shorter maturity proposed
	advPresent        // present in a week
	advRegular        // with three active days: behind the usage interval
	advUsers          // with an active day
	advLives          // whose life says something of the hazard of loss
	advSlots          // and from here on, by variant: the users under it
)

// An adviser is the kernel: it counts what the advice is made from.
type adviser struct {
	p    *advicePlan
	rep  *Staging
	cal  *stage.Recalibrator
	sug  *stage.Suggester
	ages *stage.Boundaries
	days []model.Day
	buy  []model.Day
}

type advicePlan struct {
	r        *Run
	buys     bool // the cycle is of purchases
	money    bool
	mature   int // the stage of maturity
	explore  int // the stage of exploration
	shorter  int // days of maturity proposed
	longest  int // days of maturity now
	needs    model.Filter
	proposed []proposal
}

func planAdvice(r *Run) (*Plan, error) {
	m := r.machine.Model()
	p := &advicePlan{r: r, explore: exploring(m), mature: maturing(m)}
	switch r.Str("cycle") {
	case "purchase":
		p.buys = true
	case "auto":
		p.buys = r.sells()
	}
	_, p.money = r.hasMoney()
	_, p.longest = r.machine.Dwell(p.mature)
	if p.longest == 0 {
		p.longest = sourceMaturity
	}
	p.shorter = int(math.Round(float64(p.longest) * 9 / 12))
	p.needs = r.machine.Widen(model.Filter{Until: r.Cut, Amounts: p.money || r.Roles.NeedsAmount()})
	if _, err := r.Staging(p.needs); err != nil {
		return nil, err
	}
	return &Plan{
		Slots: advSlots + len(m.Variants), Columns: p.needs.Columns, Amounts: p.needs.Amounts,
		Kernel: func() Kernel {
			rep, _ := r.Staging(p.needs) // tried above
			return &adviser{p: p, rep: rep, cal: stage.NewRecalibrator(r.FirstDay, r.AsOf), sug: stage.NewSuggester(r.Schema, r.AsOf), ages: stage.NewBoundaries()}
		},
		Layout: p.layout, List: p.list,
	}, nil
}

// sourceMaturity is the longest maturity of the source work: twelve months.
const sourceMaturity = 365

// exploring is the stage named exploration, else the one after the first.
func exploring(m *stage.Model) int {
	if i := m.Index("exploration"); i >= 0 {
		return i
	}
	return min(m.First()+1, len(m.Stages)-1)
}

// maturing is the stage named maturity or loyalty, else the last of the living.
func maturing(m *stage.Model) int {
	for _, name := range []string{"maturity", "loyalty"} {
		if i := m.Index(name); i >= 0 {
			return i
		}
	}
	for i := len(m.Stages) - 1; i > 0; i-- {
		if i != m.Lost() {
			return i
		}
	}
	return 0
}

// sells says whether any event of the data is a purchase.
func (r *Run) sells() bool {
	return slices.ContainsFunc(r.Info.Names, func(n model.NameInfo) bool {
		return r.Roles.Of(model.NameID(r.Info.NameIndex(n.Name)), model.NoMoney)&model.Purchase != 0
	})
}

// Visit counts one user.
func (v *adviser) Visit(u *Person, h *Hits) {
	r, id := v.p.r, u.TL.ID
	v.sug.Add(u.TL)
	v.days = r.ActiveDays(v.days[:0], u)
	if len(v.days) > 0 {
		h.Hit(advUsers, Self)
	}
	if len(v.days) >= 3 {
		h.Hit(advRegular, Self)
	}
	gaps := v.days
	if v.p.buys {
		v.buy = v.buy[:0]
		for i, d := range u.Days {
			if (len(v.buy) == 0 || v.buy[len(v.buy)-1] != d) && r.Role(u, i)&model.Purchase != 0 {
				v.buy = append(v.buy, d)
			}
		}
		gaps = v.buy
	}
	early, late := v.cal.Cycle(id, gaps)
	if early {
		h.Hit(advEarly, Self)
	}
	if late {
		h.Hit(advLate, Self)
	}
	if v.cal.Activity(id, v.days) {
		h.Hit(advPresent, Self)
	}
	hist := v.rep.To(u.TL, r.AsOf)
	v.life(u, hist, h)
	if k := hist.Variant(r.AsOf); k > 0 {
		h.Hit(advSlots+k-1, Self)
	}
	if hist.Now() == v.p.mature && int(r.AsOf-hist.Since()) > v.p.shorter {
		h.Hit(advStalled, Self)
	}
	if v.p.money && v.months(u, hist) {
		h.Hit(advMature, Self)
	}
}

// months counts what the user brought in the months that found them mature.
func (v *adviser) months(u *Person, hist *stage.History) (any bool) {
	r := v.p.r
	for k, from := range v.cal.MonthFrom {
		if hist.On(from-1) != v.p.mature {
			continue
		}
		to := r.AsOf + 1
		if k+1 < len(v.cal.MonthFrom) {
			to = v.cal.MonthFrom[k+1]
		}
		i, _ := slices.BinarySearch(v.days, from)
		if i == len(v.days) || v.days[i] >= to {
			continue
		}
		var sum model.Sum
		for i, d := range u.Days {
			if d >= from && d < to {
				sum.Add(r.net(u, i))
			}
		}
		v.cal.Month(u.TL.ID, k, sum)
		any = true
	}
	return any
}

// Merge takes the next split's counts.
func (v *adviser) Merge(next Kernel) error {
	o, ok := next.(*adviser)
	if !ok {
		return fmt.Errorf("the advice was merged with %T", next)
	}
	v.cal.Merge(o.cal)
	v.sug.Merge(o.sug)
	v.ages.Merge(o.ages)
	return nil
}

// A proposal is one edit that the data speak for.
type proposal struct {
	key  string   // of the advice: cycle, arpu, activity, param.G
	with []string // settings of the edit
	text string   // what it changes: "exploration 14–180 → 12–150 days"
}

func (p *advicePlan) query(x proposal) Query {
	q := Query{Analysis: "restage", AsOf: p.r.Q.AsOf}.With("with", x.with...)
	if z := p.r.Q.Get("zone"); z != "" {
		q = q.With("zone", z)
	}
	return q
}

// scaled is the edit that changes a stage's dwell by a factor, in whole days.
func (p *advicePlan) scaled(key string, i int, factor float64) (proposal, bool) {
	s := p.r.machine.Model().Stages[i]
	lo, hi := p.r.machine.Dwell(i)
	x := proposal{key: key}
	scale := func(n int) int { return max(1, int(math.Round(float64(n)*factor))) }
	var words []string
	for _, d := range []struct {
		setting, word string
		n             int
	}{{"min_dwell", "least", lo}, {"max_dwell", "most", hi}} {
		if d.n > 0 && scale(d.n) != d.n {
			x.with = append(x.with, fmt.Sprintf("%s.%s=%d", s.Name, d.setting, scale(d.n)))
			words = append(words, fmt.Sprintf("%s %d → %d days", d.word, d.n, scale(d.n)))
		}
	}
	x.text = s.Label() + ": " + strings.Join(words, ", ")
	return x, len(x.with) > 0
}

// list gives the users who would move under a proposal.
func (p *advicePlan) list(f *Figure, _ Part) ([]User, error) {
	key, _ := strings.CutPrefix(f.Key, "moves.")
	if err := p.prepare(); err != nil {
		return nil, err
	}
	for _, x := range p.proposed {
		if x.key == key {
			a, err := p.r.within(p.query(x))
			if err != nil {
				return nil, err
			}
			l, err := p.r.eng.behind(p.r.Ctx, p.r.st, a, "moved", p.r.progress)
			if err != nil {
				return nil, err
			}
			return l.Users, nil
		}
	}
	return nil, fmt.Errorf("the advice has no proposal %q", key)
}

// prepare finds the proposals again for a list: it lays the advice out without
// keeping it.
func (p *advicePlan) prepare() error {
	if p.proposed != nil {
		return nil
	}
	plan, err := planAdvice(p.r)
	if err != nil {
		return err
	}
	b := &Builder{Run: p.r, slots: plan.Slots, A: &Answer{Query: p.r.Q, AsOf: p.r.AsOf}}
	if b.hits, b.state, err = p.r.events(plan, nil); err != nil {
		return err
	}
	v, ok := b.state.(*adviser)
	if !ok {
		return fmt.Errorf("there is nobody to give advice about")
	}
	_, err = p.weigh(v)
	return err
}
