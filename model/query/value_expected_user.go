package query

import (
	"fmt"
	"slices"
	"strconv"

	"dwell/model"
	"dwell/model/stat"
	"dwell/model/value"
)

// expectedBlock is what is expected of the page's user, with its interval. A model
// that is not there yet is fitted for it where the data are small enough.
func (u *userLife) expectedBlock(b *Builder) error {
	r := u.r
	q := Query{Analysis: "expected", AsOf: r.Q.AsOf}
	if z := r.Q.Get("zone"); z != "" {
		q = q.With("zone", z)
	}
	in, err := r.eng.newRun(r.Ctx, r.st, q, r.progress)
	if err != nil {
		return err
	}
	set, err := in.expectedSetting()
	if err != nil {
		return nil // nothing is a purchase: there is nothing to say
	}
	days := set.buys.reader().read(u.buying(set.buys), r.AsOf)
	if _, ok := set.shopper(days, r.AsOf); !ok {
		return nil
	}
	ahead, err := horizonOf(in.Str("horizon"), in.Str("discount"))
	if err != nil {
		return err
	}
	block := func(lines ...string) {
		b.Block(Block{Kind: TextBlock, Name: "expected", Title: "value expected", Lines: lines})
	}
	if r.Info.Events > trainWithin {
		if known, err := in.fittedBefore(&set, r.AsOf); err != nil || !known {
			block("No model has been fitted yet: open expected to fit and test one.")
			return err
		}
	}
	t, err := in.foretelling(&set, r.AsOf, ahead)
	if err != nil {
		return err
	}
	e, ok := t.foreteller(&set).of(days)
	if !ok {
		block("Nothing is foretold: " + t.silent() + ".")
		return nil
	}
	u.expectedTable(b, t, e, set.buys.unit, q)
	return nil
}

// buying is the page's person with the columns that a buyer reads, in its order.
func (u *userLife) buying(b *buying) *Person {
	tl := u.tl
	tl.Props = nil
	for _, c := range b.columns {
		at := slices.IndexFunc(u.r.Info.Keys, func(k model.KeyInfo) bool { return k.Name == c })
		tl.Props = append(tl.Props, u.tl.Props[at])
	}
	return &Person{TL: &tl, Days: u.days, Row: -1}
}

func (u *userLife) expectedTable(b *Builder, t *foretelling, e estimate, unit string, q Query) {
	open := u.r.link(q)
	bl := Block{Kind: TableBlock, Name: "expected", Title: "value expected in " + horizonNote(t.ahead) + ", by " + t.name(), Heads: []Head{{"", true}, {"95 % interval", true}, {"80 % of such buyers", true}}}
	// What the estimate may be off by, and what one such buyer may do, are not the
	// same: the second is far wider.
	times, sums := "—", "—"
	if e.modelled {
		var spend *value.Spend
		if e.valued && t.SpendWhy == "" {
			spend = t.Spend
		}
		may := t.Repeat.Range(spend, e.history, e.history.Repeats, e.mean, t.ahead, 0.8, 1)
		times = fmt.Sprintf("%.0f–%.0f", may.Purchases.Lo, may.Purchases.Hi)
		if spend != nil {
			sums = fmt.Sprintf("%.2f–%.2f", may.Worth.Lo, may.Worth.Hi)
		}
	}
	add := func(key, label string, v float64, unit string, iv stat.Interval, known bool, may string) {
		f := Figure{Key: "expected." + key, Label: label, Kind: Stat, Value: v, Unit: unit, N: 1}
		between := "—"
		if known {
			f.Lo, f.Hi, f.Interval, f.Method = iv.Lo, iv.Hi, true, "delta method 95 %, of the estimate"
			between = f.between()
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Open: open, Cells: []Cell{b.Cell(b.Own(f)), TextCell(between), TextCell(may)}})
	}
	if e.sure {
		iv, ok := t.Repeat.AliveInterval(e.history, stat.Level)
		add("alive", "P(alive)", e.alive, "share", iv, ok, "")
	}
	bare := e
	bare.valued = false
	iv, ok := t.interval(bare)
	add("purchases", "purchases expected", e.purchases, "purchases", iv, ok, times)
	if e.valued {
		iv, ok := t.interval(e)
		add("value", "value expected", e.money, unit, iv, ok, sums)
	}
	bl.Rows = append(bl.Rows, Row{Key: "from", Label: "from", Open: open, Cells: []Cell{TextCell(plural(e.history.Repeats+1, "purchase day")), TextCell("the last " + strconv.FormatFloat(7*(e.history.Age-e.history.Last), 'f', 0, 64) + " d ago")}})
	b.Block(bl)
}

// fittedBefore says whether a model of the setting is there already.
func (r *Run) fittedBefore(s *expectedSetting, on model.Day) (bool, error) {
	key, err := r.expectedKey(on)
	if err != nil {
		return false, err
	}
	e := &r.st.expecteds
	e.mu.Lock()
	m := e.kept[key]
	e.mu.Unlock()
	return m != nil && m.usable() || m == nil && r.recallExpected(key) != nil, nil
}
