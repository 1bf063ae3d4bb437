package query

import (
	"fmt"
	"math"
	"strings"

	"dwell/model"
	"dwell/model/value"
)

func (p *valuePlan) layout(b *Builder) error {
	b.A.Title = "Value · " + p.now.String() + " against " + p.before.String() + p.buys.title() + " · " + p.r.Cal.Zone
	b.A.Definition = fmt.Sprintf("Revenue (%s) of a period against another: buyers × orders per buyer × value per order (%s), whose parts add up to the change exactly, and user by user. ARPU is revenue over the period's active users, ARPPU over its buyers, AOV over its orders; value to date by age and cohort is revenue.", p.buys.moneyNote(), p.buys.orderNote())
	for g := range b.Groups() {
		b.Group(g)
		if err := p.group(b); err != nil {
			return err
		}
	}
	if p.before.from < p.r.FirstDay {
		b.Warn("before-data", "The earlier period begins before the data do, on %s: what it lacks is not known to be nothing.", p.r.FirstDay)
	}
	if err := b.coins(p.buys.code); err != nil {
		return err
	}
	b.Block(Block{Kind: TableBlock, Name: "more", Title: "More about value", Rows: []Row{
		{Key: "revenue", Label: "value to date by age and cohort, revenue retention", Open: p.r.link(p.carry("revenue"))},
		{Key: "mrr", Label: "recurring revenue of subscriptions and its movements", Open: p.r.link(p.carry("mrr"))},
		{Key: "tiers", Label: "value tiers, and who moved between them", Open: p.r.link(p.carry("tiers"))},
		{Key: "rfm", Label: "recency, frequency, monetary", Open: p.r.link(p.carry("rfm"))},
		{Key: "expected", Label: "value expected from now on", Open: p.r.link(p.carry("expected"))},
		{Key: "forecast", Label: "the next weeks: buyers and stages", Open: p.r.link(p.carry("forecast"))},
	}})
	return nil
}

// carry is another question about the same users in the same money.
func (p *valuePlan) carry(analysis string) Query {
	q := Query{Analysis: analysis, AsOf: p.r.Q.AsOf}
	spec, err := find(analysis)
	if err != nil {
		return q
	}
	for _, k := range []string{"where", "segment", "amounts", "currency", "zone"} {
		if v := p.r.Q.All(k); len(v) > 0 && spec.Key(k) != nil {
			q = q.With(k, v...)
		}
	}
	return q
}

// valueFigures are the figures of one period.
type valueFigures struct{ active, buyers, revenue, orders, arpu, arppu, aov int }

func (p *valuePlan) figures(b *Builder, period int, key, label string) valueFigures {
	f := valueFigures{
		active:  b.Count(p.slot(period, valueActive), key+".active", label+", active users"),
		buyers:  b.Count(p.slot(period, valueBuyers), key+".buyers", label+", buyers"),
		revenue: b.Sum(p.slot(period, valueMoney), key+".revenue", label+", revenue", p.buys.unit),
		orders:  b.Rows(p.slot(period, valueOrders), key+".orders", label+", orders"),
	}
	b.Fig(f.orders).Unit = "orders"
	over := func(slot int, of float64, key, label string) int {
		v := 0.0
		if of > 0 {
			v = b.Fig(f.revenue).Value / of
		}
		return b.Stat(slot, key, label, v, of <= 0, p.buys.unit)
	}
	f.arpu = over(p.slot(period, valueActive), b.Fig(f.active).Value, key+".arpu", label+", revenue per active user (ARPU)")
	f.arppu = over(p.slot(period, valueBuyers), b.Fig(f.buyers).Value, key+".arppu", label+", revenue per buyer (ARPPU)")
	f.aov = over(p.slot(period, valueOrders), b.Fig(f.orders).Value, key+".aov", label+", value per order (AOV)")
	return f
}

func (p *valuePlan) group(b *Builder) error {
	k := b.Kernel().(*valueKernel)
	now, was := p.figures(b, 0, "now", "in the period"), p.figures(b, 1, "before", "before")
	for i, f := range []valueFigures{now, was} {
		for j, at := range []int{f.arpu, f.arppu, f.aov} {
			b.interval(at, &k.ratio[b.group][i][j])
		}
	}
	bl := Block{Kind: TableBlock, Name: b.Key("periods"), Title: b.label("the two periods"), Heads: []Head{{"now", true}, {"before", true}, {"change", true}, {"now, 95 %", true}, {"before, 95 %", true}}}
	line := func(key, label string, n, w int) {
		change := "—"
		if a, c := b.Fig(w), b.Fig(n); !a.None && !c.None && a.Value != 0 {
			change = signed(100*(c.Value/a.Value-1), 1) + " %"
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(n), b.Cell(w), TextCell(change), TextCell(b.Fig(n).between()), TextCell(b.Fig(w).between())}})
	}
	line("revenue", "revenue", now.revenue, was.revenue)
	line("active", "active users", now.active, was.active)
	line("buyers", "buyers", now.buyers, was.buyers)
	line("orders", "orders", now.orders, was.orders)
	line("arpu", "ARPU: revenue per active user", now.arpu, was.arpu)
	line("arppu", "ARPPU: revenue per buyer", now.arppu, was.arppu)
	line("aov", "AOV: value per order", now.aov, was.aov)
	b.Block(bl)
	if err := p.split(b, now, was); err != nil {
		return err
	}
	p.bridges(b)
	p.units(b)
	return nil
}

// takings are a period's totals as the decomposition reads them.
func (p *valuePlan) takings(b *Builder, period int) (t value.Takings, err error) {
	k := b.Kernel().(*valueKernel)
	net, err := b.SumOf(p.slot(period, valueMoney)).Money()
	if err != nil {
		return t, err
	}
	back, err := k.back[b.group][period].Money()
	if err != nil {
		return t, err
	}
	return value.Takings{Users: b.N(p.slot(period, valueOrders), Self), Orders: b.TimesOf(p.slot(period, valueOrders), Self), Gross: net - back, Refunded: -back}, nil
}

// split shows what buyers, orders per buyer, value per order and refunds add to
// the change.
func (p *valuePlan) split(b *Builder, now, was valueFigures) error {
	after, err := p.takings(b, 0)
	if err != nil {
		return err
	}
	before, err := p.takings(b, 1)
	if err != nil {
		return err
	}
	c, err := value.Split(before, after)
	if err != nil {
		return err
	}
	bl := Block{Kind: TableBlock, Name: b.Key("split"), Title: b.label("what the change of revenue is made of"), Heads: []Head{{"before", true}, {"now", true}, {"adds to the change", true}, {"of the change", true}}}
	ratio := func(x float64, of int64) string {
		if of == 0 {
			return "—"
		}
		return fixed(x/float64(of), 3)
	}
	for _, l := range []struct {
		key, label, was, now string
		part                 model.Money
	}{
		{"buyers", "buyers with an order", count(before.Users), count(after.Users), c.Users},
		{"frequency", "orders per buyer", ratio(float64(before.Orders), before.Users), ratio(float64(after.Orders), after.Users), c.Orders},
		{"order_value", "value per order, before refunds", ratio(before.Gross.Float(), before.Orders), ratio(after.Gross.Float(), after.Orders), c.Amount},
		{"refunds", "refunds", before.Refunded.String(), after.Refunded.String(), c.Refund},
	} {
		if l.key == "refunds" && before.Refunded == 0 && after.Refunded == 0 {
			continue
		}
		at := b.Stat(p.slot(0, valueMoney), "split."+l.key, "change of revenue by "+l.label, l.part.Float(), false, p.buys.unit)
		share := "—"
		if c.Total != 0 {
			share = signed(100*l.part.Float()/c.Total.Float(), 1) + " %"
		}
		bl.Rows = append(bl.Rows, Row{Key: l.key, Label: l.label, Cells: []Cell{TextCell(l.was), TextCell(l.now), b.Cell(at), TextCell(share)}})
	}
	total := b.Stat(p.slot(0, valueMoney), "split.total", "change of revenue", c.Total.Float(), false, p.buys.unit)
	bl.Rows = append(bl.Rows, Row{Key: "total", Label: "revenue", Cells: []Cell{b.Cell(was.revenue), b.Cell(now.revenue), b.Cell(total), TextCell("")}})
	b.Block(bl)
	return nil
}

// bridges show whom the change came from: the sums add up to it exactly.
func (p *valuePlan) bridges(b *Builder) {
	bl := Block{Kind: TableBlock, Name: b.Key("users"), Title: b.label("whom the change came from"), Heads: []Head{{"change", true}, {"users", true}}}
	for i := range bridges {
		if i == bridgeRefund && b.N(int(i), Self) == 0 {
			continue
		}
		sum := b.Sum(int(i), "users."+bridgeKeys[i], bridgeNames[i]+", change of revenue", p.buys.unit)
		n := b.Count(int(i), "users."+bridgeKeys[i]+".n", bridgeNames[i])
		bl.Rows = append(bl.Rows, Row{Key: bridgeKeys[i], Label: bridgeNames[i], Cells: []Cell{b.Cell(sum), b.Cell(n)}})
	}
	b.Block(bl)
}

// units is a line a period, with ARPU and ARPPU as a chart.
func (p *valuePlan) units(b *Builder) {
	word := p.unit.String()
	per := &Chart{XLabel: word, YLabel: "revenue per user", Unit: p.buys.unit, Dates: true, Zero: true, Series: []Series{{Name: "ARPPU (buyers)"}, {Name: "ARPU (active users)"}, {Name: "AOV (orders)"}}}
	bl := Block{Kind: TableBlock, Name: b.Key("units"), Title: b.label("by " + word), Heads: []Head{{"revenue", true}, {"buyers", true}, {"orders", true}, {"ARPU", true}, {"ARPPU", true}, {"AOV", true}}}
	for _, i := range p.shown(b) {
		at := p.first + model.Period(i)
		label := p.r.Cal.PeriodLabel(p.unit, at)
		f := p.figures(b, p.by(i), word+"."+label, label)
		from, to := p.r.Cal.Bounds(p.unit, at)
		open := to-1 > p.r.AsOf || from < p.r.FirstDay
		row := Row{Key: label, Label: label}
		for _, c := range []int{f.revenue, f.buyers, f.orders, f.arpu, f.arppu, f.aov} {
			cell := b.Cell(c)
			cell.Open = open
			row.Cells = append(row.Cells, cell)
		}
		bl.Rows = append(bl.Rows, row)
		per.X = append(per.X, float64(from))
		for s, c := range []int{f.arppu, f.arpu, f.aov} {
			y := b.Fig(c).Value
			if b.Fig(c).None {
				y = math.NaN()
			}
			per.Series[s].Y, per.Series[s].Open, per.Series[s].Figures = append(per.Series[s].Y, y), append(per.Series[s].Open, open), append(per.Series[s].Figures, c)
		}
	}
	if len(bl.Rows) == 0 {
		return
	}
	b.Block(Block{Kind: ChartBlock, Name: b.Key("per"), Title: b.label("ARPU, ARPPU and AOV by " + word), Chart: per})
	b.Block(bl)
}

func (p *valuePlan) explain(f *Figure) []ExplainLine {
	var text string
	switch at := (f.Slot - int(bridges)) % valueSlots; {
	case f.Slot < int(bridges):
		text = "revenue of the user in the period less that in the earlier one; over all the lines the sum is the change of revenue exactly"
	case f.Kind == Stat && at == valueMoney:
		text = "what moving this factor alone from then to now changes, the mean over all orders in which the factors can be moved (Shapley value), so that the parts add up to the change exactly; the list is of those whose amounts make the period's revenue"
	case f.Kind == Stat:
		text = "revenue of the period ÷ the users (orders) of the period; refunds of the period count, whoever has them. The interval is of a ratio of sums over users (linearized)"
	case f.Kind == Sum:
		text = "amounts of the period, added exactly: " + p.buys.moneyNote()
	case at == valueOrders:
		text = "orders that began in the period: " + p.buys.orderNote()
	default:
		return nil
	}
	return []ExplainLine{{Head: "Formula", Text: text}, {Head: "Window", Text: p.now.String() + ", against " + p.before.String()}}
}

// signed writes a number with its sign.
func signed(x float64, digits int) string {
	s := fixed(x, digits)
	if x > 0 && strings.Trim(s, "0.") != "" {
		s = "+" + s
	}
	return s
}
