package query

import (
	"fmt"
	"strings"

	"dwell/model"
)

// Currencies of a question about money. Amounts of different currencies are never
// added up: of data in several, a question counts one, which currency= names. Left
// out, it is that of most amounts up to the as-of day, which the answer says, with
// a list of the others: who has money in each, and the same question of it.

// A coin is one currency of the data, up to a run's as-of day.
type coin struct {
	name           string
	amounts, users int64 // purchases and refunds in it, and users with any
}

// A coinage are the currencies of most amounts first, equal ones by name, and the
// amounts that name none, which belong to no sum.
type coinage struct {
	coins   []coin
	unnamed int64
}

// first is the most frequent currency; "" where no amount names one.
func (c *coinage) first() string {
	if len(c.coins) == 0 {
		return ""
	}
	return c.coins[0].name
}

// names are the currencies in their order.
func (c *coinage) names() (out []string) {
	for _, x := range c.coins {
		out = append(out, x.name)
	}
	return out
}

// several is the currency column of data in several currencies that can be told
// apart; nil of other data.
func (r *Run) several() *model.KeyInfo {
	if _, one := r.currency(); one || !r.Info.Amounts {
		return nil
	}
	if k := r.Info.Key(r.Dict.Columns.Currency); !k.Plain {
		return k
	}
	return nil
}

// coinAmount is what counts as an amount of event i: what it adds to revenue, or of
// one event name whatever stands there.
type coinAmount func(p *Person, i int) model.Money

// coinage counts the currencies of revenue.
func (r *Run) coinage() (*coinage, error) { return r.coinageOf("", r.net) }

// coinageOf counts the currencies of the data's amounts up to the as-of day, once for
// a state and kind of amounts, "" for revenue. It is empty where several gives nil.
func (r *Run) coinageOf(kind string, amount coinAmount) (*coinage, error) {
	key := r.several()
	if key == nil {
		return &coinage{}, nil
	}
	name := r.AsOf.String() + " " + r.Cal.Zone + " " + kind
	if c, ok := r.st.coinages.Load(name); ok {
		if c, ok := c.(*coinage); ok {
			return c, nil
		}
	}
	type acc struct {
		of      []coin
		unnamed int64
		mine    []bool
	}
	fresh := func() *acc { return &acc{of: make([]coin, len(key.Values)), mine: make([]bool, len(key.Values))} }
	total := fresh()
	err := Scan(r, Needs{Columns: []string{key.Name}, Amounts: true}, fresh,
		func(a *acc, u *Person) error {
			clear(a.mine)
			codes := u.TL.Props[0].Codes
			for i := range u.TL.Time {
				if u.Days[i] > r.AsOf || amount(u, i) == model.NoMoney {
					continue
				}
				if codes == nil || codes[i] == 0 {
					a.unnamed++
					continue
				}
				a.of[codes[i]].amounts++
				a.mine[codes[i]] = true
			}
			for v, yes := range a.mine {
				if yes {
					a.of[v].users++
				}
			}
			return nil
		},
		func(a *acc) error {
			total.unnamed += a.unnamed
			for v := range a.of {
				total.of[v].amounts += a.of[v].amounts
				total.of[v].users += a.of[v].users
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	c := &coinage{unnamed: total.unnamed}
	for v, x := range total.of {
		if x.amounts > 0 {
			x.name = key.Values[v]
			c.coins = append(c.coins, x)
		}
	}
	sortBy(c.coins, func(x coin) (int64, string) { return -x.amounts, x.name })
	r.st.coinages.Store(name, c)
	return c, nil
}

// coin is the currency that a question counts of data in several: what currency=
// names, else that of most amounts; "" of other data, or where the question does
// not choose one.
func (r *Run) coin() (string, error) {
	if c := r.Str("currency"); c != "" || r.Spec.Key("currency") == nil {
		return c, nil
	}
	c, err := r.coinage()
	if err != nil {
		return "", err
	}
	return c.first(), nil
}

// paidIn are the users with an amount in a currency.
func (r *Run) paidIn(name string, amount coinAmount) (out []User, err error) {
	key := r.several()
	if key == nil {
		return nil, nil
	}
	err = Scan(r, Needs{Columns: []string{key.Name}, Amounts: true}, func() *[]User { return new([]User) },
		func(a *[]User, u *Person) error {
			for i := range u.TL.Time {
				if u.Days[i] <= r.AsOf && u.TL.Props[0].At(key, i) == name && amount(u, i) != model.NoMoney {
					*a = append(*a, User{ID: u.TL.ID, Amount: model.NoMoney})
					return nil
				}
			}
			return nil
		},
		func(a *[]User) error { out = append(out, *a...); return nil })
	return out, err
}

// coinKey begins the keys of figures that count who has money in a currency.
const coinKey = "currency."

// coinList lists the figures that coins adds, for Plan.List.
func (r *Run) coinList(f *Figure, _ Part) ([]User, error) {
	return r.paidIn(strings.TrimPrefix(f.Key, coinKey), r.net)
}

// coins says in which currency an answer is, and adds the others: users with money
// in each, and the same question of it. It adds nothing where there is one. The
// plan's List must be coinList.
func (b *Builder) coins(now string) error {
	c, err := b.Run.coinage()
	if err == nil {
		b.coinsOf(c, now)
	}
	return err
}

// coinsOf does it of amounts counted already.
func (b *Builder) coinsOf(c *coinage, now string) {
	if len(c.coins) == 0 {
		return
	}
	b.A.Choices = append(b.A.Choices, Choice{Key: "currency", Values: c.names()})
	var all int64
	for _, x := range c.coins {
		all += x.amounts
	}
	bl := Block{Kind: TableBlock, Name: "currencies", Title: "currencies of the data, never added up", Heads: []Head{{"users with money in it", true}, {"amounts", true}, {"share", true}, {"", false}}}
	for _, x := range c.coins {
		f := Figure{Key: coinKey + x.name, Label: "users with money in " + x.name, Kind: Count, Value: float64(x.users), N: x.users, Unit: "users", Slot: ownSlot}
		there := TextCell("shown")
		if x.name != now {
			there = TextCell("in " + x.name + " ›")
			there.Go = b.Run.link(b.Run.Q.With("currency", x.name))
		}
		bl.Rows = append(bl.Rows, Row{Key: x.name, Label: x.name, Cells: []Cell{b.Cell(b.push(f)), TextCell(parted(float64(x.amounts), 0)), TextCell(percent(x.amounts, all)), there}})
	}
	b.Block(bl)
	if b.Run.Str("currency") == "" && now != "" {
		b.Warn("currency", "The amounts are in %s, which are never added up: this is %s, that of most amounts (%s). Other currencies stand under “currencies”, or ask with currency=.", fmt.Sprintf("%d currencies", len(c.coins)), now, percent(c.coins[0].amounts, all))
	}
	if c.unnamed > 0 {
		b.Warn("no-currency", "%s no currency and %s in no sum.", map[bool]string{true: "One amount names", false: parted(float64(c.unnamed), 0) + " amounts name"}[c.unnamed == 1], map[bool]string{true: "is", false: "are"}[c.unnamed == 1])
	}
}
