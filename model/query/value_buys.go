package query

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/rule"
)

// What users bought, read the same way by every question about value: purchase
// days, orders and amounts of one currency. Sums over several currencies mean
// nothing, so of several one is counted (value_coins.go); a question that needs
// amounts and has none, or too many kinds, is answered with a sentence.

// moneyKeys choose what is added up.
func moneyKeys() []KeySpec {
	return []KeySpec{
		{Name: "amounts", Type: Word, Values: []string{"net", "gross"}, Default: "net", Help: "purchases less refunds, or purchases alone"},
		{Name: "currency", Type: Text, Help: coinHelp},
	}
}

// coinKeys choose the currency where nothing else about amounts is asked.
func coinKeys() []KeySpec { return []KeySpec{{Name: "currency", Type: Text, Help: coinHelp}} }

// coinHelp is the help of currency=.
const coinHelp = "of data in several currencies, the one that is counted, that of most amounts if left out; amounts of different currencies are never added up"

// A buying says which events are purchases and how they are read. It does not
// change once it is there.
type buying struct {
	r       *Run
	gross   bool
	pick    *pick  // what a purchase is; nil: what the dictionary calls one
	money   bool   // amounts can be added up
	unit    string // of money
	why     string // where money is false: a sentence
	order   int    // place of the order column among columns; −1 where there is none
	coin    int    // of the currency column, where one currency is picked; −1
	code    string // the currency picked
	abroad  bool   // purchases in other currencies are purchases too, and bring nothing
	columns []string
	keys    []*model.KeyInfo // of columns
}

// buying reads the question's choice. Its columns must be what the scan reads
// first: they stand at the front of Timeline.Props.
func (r *Run) buying() (*buying, error) {
	b := &buying{r: r, gross: r.Str("amounts") == "gross", order: -1, coin: -1}
	if c := r.Dict.Columns.Order; c != "" && r.Info.Key(c) != nil {
		b.order, b.columns = len(b.columns), append(b.columns, c)
	}
	var err error
	unit, one := r.currency()
	want := r.Str("currency")
	key := r.Info.Key(r.Dict.Columns.Currency)
	switch {
	case !r.Info.Amounts && want != "":
		return nil, fmt.Errorf("currency=%s: no event has an amount", want)
	case !r.Info.Amounts:
		b.why = "No event has an amount: name the column of amounts when the file is loaded."
	case want != "" && key == nil:
		return nil, fmt.Errorf("currency=%s: the dictionary names no currency column", want)
	case want != "":
		if !key.Plain && !slices.Contains(key.Values[1:], want) {
			return nil, fmt.Errorf("currency=%s: there is no such currency%s: use one of %s", want, didYouMean(want, key.Values[1:]), strings.Join(key.Values[1:], ", "))
		}
		b.money, b.unit, b.code = true, want, want
		if !one {
			b.coin, b.columns = len(b.columns), append(b.columns, key.Name)
		}
	case one:
		b.money, b.unit = true, unit
	case !key.Plain && r.Spec.Key("currency") != nil:
		if b.code, err = r.coin(); err != nil {
			return nil, err
		}
		if b.code == "" {
			b.why = "No amount names its currency, so nothing can be added up."
			break
		}
		b.money, b.unit = true, b.code
		b.coin, b.columns = len(b.columns), append(b.columns, key.Name)
	case key.Plain:
		b.why = "The amounts are in many currencies, which are never added up: name one with currency=."
	default:
		b.why = "The amounts are in several currencies, which are never added up: name one with currency= (" + strings.Join(key.Values[1:], ", ") + ")."
	}
	for _, c := range b.columns {
		b.keys = append(b.keys, r.Info.Key(c))
	}
	return b, nil
}

// needs of a scan that reads purchases, with further columns behind.
func (b *buying) needs(more ...string) Needs {
	return Needs{Columns: append(slices.Clone(b.columns), more...), Amounts: true}
}

// on gives a plan the needs of reading purchases.
func (b *buying) on(p *Plan) *Plan {
	n := b.needs()
	p.Columns, p.Amounts, p.List = n.Columns, n.Amounts, b.r.coinList
	return p
}

// A buyDay is one day on which a person bought or was given money back.
type buyDay struct {
	day    model.Day
	bought bool      // a purchase
	orders int       // that began this day: an order of several days counts on its first
	spent  model.Sum // purchases, less refunds unless amounts=gross
	back   model.Sum // refunds in it, below 0
}

// A buyer reads persons; it belongs to one goroutine.
type buyer struct {
	b    *buying
	days []buyDay
	seen map[string]bool
	last string
}

func (b *buying) reader() *buyer { return &buyer{b: b, seen: map[string]bool{}} }

// read is a person's purchases and refunds up to a day, by day; it is valid until
// the next call. The person's timeline must hold the columns of needs first.
func (k *buyer) read(p *Person, until model.Day) []buyDay {
	b := k.b
	k.days = k.days[:0]
	clear(k.seen)
	k.last = ""
	for i, d := range p.Days {
		if d > until {
			break
		}
		role := b.r.Role(p, i)
		buys, back := role&model.Purchase != 0, role&model.Refund != 0
		if b.pick != nil {
			buys, back = b.pick.match(p.TL, i), false
		}
		other := b.other(p, i)
		if !buys && !back || other && !(b.abroad && buys) {
			continue
		}
		n := len(k.days)
		if n == 0 || k.days[n-1].day != d {
			k.days = append(k.days, buyDay{day: d})
			n++
		}
		at := &k.days[n-1]
		if buys {
			at.bought = true
			at.orders += k.order(p, i)
		}
		if m := b.r.net(p, i); b.money && !other && (buys || !b.gross) {
			at.spent.Add(m)
			if back {
				at.back.Add(m)
			}
		}
	}
	return k.days
}

// other says whether event i is in another currency than the one counted.
func (b *buying) other(p *Person, i int) bool {
	return b.coin >= 0 && p.TL.Props[b.coin].At(b.keys[b.coin], i) != b.code
}

// net is what event i adds to revenue in the currency counted, refunds below 0; it
// is NoMoney of any other event, and where amounts cannot be added up.
func (b *buying) net(p *Person, i int) model.Money {
	if !b.money {
		return model.NoMoney
	}
	m := b.r.net(p, i)
	if m != model.NoMoney && b.other(p, i) {
		return model.NoMoney
	}
	return m
}

// order is 1 where event i begins an order, 0 where it is a further line of one.
func (k *buyer) order(p *Person, i int) int {
	b := k.b
	if b.order < 0 {
		return 1
	}
	no := p.TL.Props[b.order].At(b.keys[b.order], i)
	switch {
	case no == "":
		return 1
	case no == k.last || k.seen[no]:
		return 0
	}
	k.last, k.seen[no] = no, true
	return 1
}

// moneyNote says what is added up.
func (b *buying) moneyNote() string {
	switch {
	case !b.money:
		return "no amounts"
	case b.gross:
		return "purchases alone, refunds left out" + b.in()
	}
	return "purchases less refunds" + b.in()
}

// in says which of several currencies is counted, "" of one.
func (b *buying) in() string {
	if b.coin < 0 {
		return ""
	}
	return ", in " + b.code + " alone"
}

// title is the same for the title of an answer.
func (b *buying) title() string {
	if b.coin < 0 {
		return ""
	}
	return " · in " + b.code
}

// orderNote says what an order is.
func (b *buying) orderNote() string {
	if b.order < 0 {
		return "each purchase is an order"
	}
	return "an order is one number in " + b.columns[b.order] + ", however many lines it has"
}

// sentence is the block of an answer that has no amounts to speak of.
func (b *buying) sentence(bl *Builder) {
	bl.Block(Block{Kind: TextBlock, Name: "amounts", Title: "no sums of amounts", Lines: []string{b.why}})
}

// valueRef is the measure of value of a question: what value= names, else revenue,
// else active days where amounts cannot be added up. Of several currencies it counts
// the one that is asked for (coin), unless the measure chooses itself.
func (r *Run) valueRef(buys *buying) (ref measure.Ref, coin string, err error) {
	ref = measure.Of("revenue")
	if v := r.Str("value"); v != "" {
		if ref, err = r.columnRef(v); err != nil {
			return ref, "", fmt.Errorf("value=: %w", err)
		}
	} else if !buys.money {
		return measure.Of("active_days"), "", nil
	}
	if _, err := measure.Compile([]measure.Ref{ref}, r.Schema); err == nil || buys.coin < 0 || ref.Where != nil {
		return ref, "", nil
	}
	one, err := r.columnRef("revenue(" + rule.Equals(r.Dict.Columns.Currency, buys.code, r.Schema) + ")")
	if err != nil {
		return ref, "", err
	}
	ref.Where = one.Where
	return ref, buys.code, nil
}
