package query

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model"
)

// eventAnalysis looks at one event name: its days, its users, its properties.
func eventAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "event", Title: "Event", Help: "one event name: events per day, users, and the properties it comes with", ID: NeedsID, IDIs: "event name",
			Keys: keys(coinKeys(), groupKeys(), zoneKeys())},
		plan: func(r *Run) (*Plan, error) { return newEvent(r) },
	}
}

// An eventPlan holds what kernel and layout share. Slots: all events of the name,
// those that fired double, those with an amount, the sum of the amounts, the
// share of users who have one, the events of each bucket of days, the events that have each property.
type eventPlan struct {
	r     *Run
	id    model.NameID
	keys  []string
	twins []int // places of the twin columns among keys
	days  int
	unit  model.PeriodUnit // of the chart
	first model.Period
	units int
	// Money: how the currency is asked for; the place of its column among keys, −1
	// where the data have one; and the currencies this event's amounts are in.
	buys *buying
	coin int
	code string // the one counted
	used *coinage
}

const (
	eventAll = iota
	eventDouble
	eventAmount
	eventSum
	eventShare
	eventCounts
)

func newEvent(r *Run) (*Plan, error) {
	i := r.Info.NameIndex(r.Q.ID)
	if i < 0 {
		var ns []string
		for _, n := range r.Info.Names {
			ns = append(ns, n.Name)
		}
		return nil, noNameError(fmt.Sprintf("no event is named %q%s: the events screen lists the names", r.Q.ID, didYouMean(r.Q.ID, ns)))
	}
	p := &eventPlan{r: r, id: model.NameID(i), days: int(r.AsOf-r.FirstDay) + 1}
	p.unit = chartUnit(p.days)
	p.first = r.Cal.Period(p.unit, r.FirstDay)
	p.units = int(r.Cal.Period(p.unit, r.AsOf)-p.first) + 1
	for _, k := range r.Info.Keys {
		p.keys = append(p.keys, k.Name)
	}
	p.twins = places(r.twinKeys(), p.keys)
	if err := p.money(); err != nil {
		return nil, err
	}
	list := func(f *Figure, _ Part) ([]User, error) { return r.paidIn(strings.TrimPrefix(f.Key, coinKey), p.amount) }
	return &Plan{List: list, Slots: eventCounts + p.units + len(p.keys), JudgeAtT: true, Columns: p.keys, Amounts: true, Kernel: p.kernel, Layout: p.layout}, nil
}

// money settles which currency is added up: that of most amounts of this event,
// which need not be purchases, unless currency= names one.
func (p *eventPlan) money() (err error) {
	r := p.r
	if p.buys, err = r.buying(); err != nil {
		return err
	}
	p.coin = -1
	if p.used, err = r.coinageOf("event "+r.Info.Names[p.id].Name, p.amount); err != nil {
		return err
	}
	if _, one := r.currency(); one || !r.Info.Amounts {
		return nil
	}
	p.coin = slices.Index(p.keys, r.Dict.Columns.Currency)
	if p.code = r.Str("currency"); p.code == "" {
		p.code = p.used.first()
	}
	return nil
}

// amount is what event i has, if it is of the name.
func (p *eventPlan) amount(u *Person, i int) model.Money {
	if u.TL.Amount == nil || u.TL.Name[i] != p.id {
		return model.NoMoney
	}
	return u.TL.Amount[i]
}

// counts says whether event i's amount is in the currency counted.
func (p *eventPlan) counts(tl *model.Timeline, i int) bool {
	return p.coin < 0 || p.code != "" && tl.Props[p.coin].At(&p.r.Info.Keys[p.coin], i) == p.code
}

// chartUnit is the unit in which a range of days is charted: days while they can
// be told apart on a screen, then weeks, then months.
func chartUnit(days int) model.PeriodUnit {
	switch {
	case days <= 200:
		return model.Daily
	case days <= 1400:
		return model.Weekly
	}
	return model.Monthly
}

func (p *eventPlan) kernel() Kernel {
	perUnit, perKey := make([]int64, p.units), make([]int64, len(p.keys))
	return Visit(func(u *Person, h *Hits) {
		tl := u.TL
		var all, double, amounts, added int64
		var sum model.Sum
		clear(perKey)
		from, to := p.units, 0
		for i, d := range u.Days {
			if tl.Name[i] != p.id {
				continue
			}
			all++
			if isDouble(tl, i, p.twins) {
				double++
			}
			if tl.Amount != nil && tl.Amount[i] != model.NoMoney {
				amounts++
				if p.counts(tl, i) {
					added++
					sum.Add(tl.Amount[i])
				}
			}
			if at := int(p.r.Cal.Period(p.unit, d) - p.first); at >= 0 && at < p.units {
				perUnit[at]++
				from, to = min(from, at), max(to, at+1)
			}
			for k := range p.keys {
				if has(tl.Props[k], i) {
					perKey[k]++
				}
			}
		}
		h.Rate(eventShare, all > 0)
		if all == 0 {
			return
		}
		hit := func(slot int, n int64) {
			if n > 0 {
				h.Times(slot, Self, n)
			}
		}
		hit(eventAll, all)
		hit(eventDouble, double)
		hit(eventAmount, amounts)
		if added > 0 {
			if m, err := sum.Money(); err == nil {
				h.Money(eventSum, m)
			} else {
				h.Fail(fmt.Errorf("the amounts of %s: %w", tl.ID, err))
			}
		}
		for at := from; at < to; at++ {
			hit(eventCounts+at, perUnit[at])
			perUnit[at] = 0
		}
		for k, n := range perKey {
			hit(eventCounts+p.units+k, n)
		}
	})
}

// has says whether event i has the property.
func has(c model.Column, i int) bool {
	switch {
	case c.Plain != nil:
		return c.Plain[i] != ""
	case c.Codes != nil:
		return c.Codes[i] != 0
	}
	return false
}

func (p *eventPlan) layout(b *Builder) error {
	r := p.r
	name := r.Info.Names[p.id].Name
	b.A.Title = fmt.Sprintf("Event %s · meaning: %s · %s", name, r.Roles.Name(p.id), r.Cal.Zone)
	b.A.Definition = fmt.Sprintf("Events named %s up to the as-of day; the chart counts them per %s.", name, p.unit)
	chart := &Chart{XLabel: p.unit.String(), YLabel: "events", Unit: "events", Dates: true, Zero: true}
	for i := range p.units {
		from, _ := r.Cal.Bounds(p.unit, p.first+model.Period(i))
		chart.X = append(chart.X, float64(max(from, r.FirstDay)))
		chart.Labels = append(chart.Labels, r.Cal.PeriodLabel(p.unit, p.first+model.Period(i)))
	}
	_, to := r.Cal.Bounds(p.unit, p.first+model.Period(p.units-1))
	if len(p.used.coins) > 0 && p.code != "" {
		b.A.Title += " · in " + p.code
	}
	rows := question("rows", "event", name)
	totals := Block{Kind: TableBlock, Name: "totals", Title: "in all", Heads: []Head{{"", true}}}
	props := Block{Kind: TableBlock, Name: "properties", Title: "properties it comes with", Heads: []Head{{"events", true}, {"share", true}, {"users", true}}}
	for g := range b.Groups() {
		b.Group(g)
		add := func(key, label string, i int, open string) {
			totals.Rows = append(totals.Rows, Row{Key: b.Key(key), Label: b.label(label), Cells: []Cell{b.Cell(i)}, Open: open})
		}
		add("events", "events", b.Rows(eventAll, "events", "events named "+name), r.link(rows))
		add("users", "users", b.Count(eventAll, "users", "users with "+name), "")
		add("share", "of all users", b.Rate(eventShare, "share", "share of users with "+name), "")
		add("double", "double firing", b.Rows(eventDouble, "double", "events that share "+r.doubleWords()+" with another"), r.link(rows.With("double", "yes")))
		if b.N(eventAmount, Self) > 0 {
			add("amounts", "with an amount", b.Rows(eventAmount, "amounts", "events with an amount"), "")
			switch {
			case p.coin < 0:
				add("sum", "sum of the amounts", b.Sum(eventSum, "sum", "sum of the amounts", p.buys.unit), "")
			case p.code != "":
				add("sum", "sum of the amounts in "+p.code, b.Sum(eventSum, "sum", "sum of the amounts in "+p.code, p.code), "")
			case p.buys.why != "":
				b.Warn("no-sum", "No sum is shown. %s", p.buys.why)
			default:
				b.Warn("no-sum", "No sum is shown: none of these amounts names its currency.")
			}
		}
		s := Series{Name: r.Groups[g].Label(), Open: make([]bool, p.units)}
		if b.Groups() == 1 {
			s.Name = name
		}
		for i := range p.units {
			f := b.Rows(eventCounts+i, p.unit.String()+"."+chart.Labels[i], name+", "+p.unit.String()+" "+chart.Labels[i])
			s.Y, s.Figures = append(s.Y, b.Fig(f).Value), append(s.Figures, f)
		}
		s.Open[p.units-1] = to-1 > r.AsOf
		chart.Series = append(chart.Series, s)
		all := b.TimesOf(eventAll, Self)
		order := make([]int, len(p.keys))
		for k := range order {
			order[k] = k
		}
		sortBy(order, func(k int) (int64, string) { return -b.TimesOf(eventCounts+p.units+k, Self), p.keys[k] })
		for _, k := range order {
			slot := eventCounts + p.units + k
			if b.N(slot, Self) == 0 {
				continue
			}
			i := b.Rows(slot, "property."+p.keys[k], name+" with "+p.keys[k])
			who := b.Count(slot, "property."+p.keys[k]+".users", "users who have "+p.keys[k]+" on "+name)
			props.Rows = append(props.Rows, Row{Key: b.Key(p.keys[k]), Label: b.label(p.keys[k]), Open: r.link(Query{Analysis: "property", ID: p.keys[k]}.With("event", name)),
				Cells: []Cell{b.Cell(i), TextCell(percent(b.TimesOf(slot, Self), all)), b.Cell(who)}})
		}
	}
	if slices.ContainsFunc(chart.Series, func(s Series) bool { return s.Open[p.units-1] }) {
		b.Warn("open-period", "the last %s is still open", p.unit)
	}
	b.Block(totals)
	b.Block(Block{Kind: ChartBlock, Name: "days", Title: name + " per " + p.unit.String(), Chart: chart})
	b.Block(props)
	b.coinsOf(p.used, p.code)
	return nil
}

// percent writes a share of two counts; "—" of nothing.
func percent(n, of int64) string {
	if of == 0 {
		return "—"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// currency is the unit of sums of amounts: the one currency of the data, or
// "amount" where none is named. ok is false where there are several: sums never
// mix them.
func (r *Run) currency() (unit string, ok bool) {
	key := r.Info.Key(r.Dict.Columns.Currency)
	switch {
	case r.Dict.Columns.Currency == "" || key == nil:
		return "amount", true
	case key.Plain || len(key.Values) > 2:
		return "", false
	case len(key.Values) == 2:
		return key.Values[1], true
	}
	return "amount", true
}
