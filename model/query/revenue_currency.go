package query

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model"
)

// revenueMoney says in which currencies revenue is shown, each by itself. Amounts
// of several currencies are never added up.
type revenueMoney struct {
	col    int      // of the currency among the plan's columns; −1: the data have one
	values []string // of the data, by code − 1; nil: one
	shown  []string // most frequent first
	index  []int    // of each value among shown; −1: not shown
}

// revenueCurrencies is how many currencies are shown unless currency= chooses one.
const revenueCurrencies = 3

func (r *Run) revenueMoney(needs *Needs) (m revenueMoney, err error) {
	m.col = -1
	want := r.Str("currency")
	if one, ok := r.currency(); ok {
		if want != "" && want != one {
			return m, fmt.Errorf("currency=%s: the amounts are in %s", want, map[bool]string{true: "no currency that the dictionary names", false: one}[one == "amount"])
		}
		m.shown = []string{one}
		return m, nil
	}
	key := r.Info.Key(r.Dict.Columns.Currency)
	if key.Plain {
		return m, fmt.Errorf("%s has more values than can be told apart: it is no currency; name the column of currencies in the dictionary", key.Name)
	}
	if m.col, err = r.column(key.Name, needs); err != nil {
		return m, err
	}
	m.values = key.Values[1:]
	if want != "" {
		if !slices.Contains(m.values, want) {
			return m, fmt.Errorf("currency=%s: no amount is in it%s; there are %s", want, didYouMean(want, m.values), strings.Join(m.values[:min(len(m.values), 20)], ", "))
		}
		m.shown = []string{want}
	} else if m.shown, err = m.frequent(r); err != nil {
		return m, err
	}
	for _, v := range m.values {
		m.index = append(m.index, slices.Index(m.shown, v))
	}
	return m, nil
}

// of is the currency of an event: among the data's values (−1: it names none, or
// there is one) and among those shown (−1: not shown).
func (m *revenueMoney) of(tl *model.Timeline, i int) (value, shown int) {
	if m.col < 0 {
		return -1, 0
	}
	codes := tl.Props[m.col].Codes
	if codes == nil || codes[i] == 0 {
		return -1, -1
	}
	value = int(codes[i]) - 1
	return value, m.index[value]
}

// frequent are the currencies of most amounts.
func (m *revenueMoney) frequent(r *Run) ([]string, error) {
	total := make([]int64, len(m.values))
	err := Scan(r, Needs{Columns: []string{r.Dict.Columns.Currency}, Amounts: true},
		func() []int64 { return make([]int64, len(m.values)) },
		func(n []int64, u *Person) error {
			codes := u.TL.Props[0].Codes
			for i := range u.TL.Time {
				if codes != nil && codes[i] != 0 && r.net(u, i) != model.NoMoney {
					n[codes[i]-1]++
				}
			}
			return nil
		},
		func(n []int64) error {
			for i := range n {
				total[i] += n[i]
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	order := make([]int, 0, len(total))
	for i, n := range total {
		if n > 0 {
			order = append(order, i)
		}
	}
	sortBy(order, func(i int) (int64, string) { return -total[i], m.values[i] })
	var out []string
	for _, i := range order[:min(len(order), revenueCurrencies)] {
		out = append(out, m.values[i])
	}
	return out, nil
}

// several says whether the answer is of more than one currency, so that each has its
// own keys and titles.
func (m *revenueMoney) several() bool { return len(m.shown) > 1 }

// key and label begin what is of one currency.
func (m *revenueMoney) key(cur int) string {
	if !m.several() {
		return ""
	}
	return m.shown[cur] + "."
}

func (m *revenueMoney) label(cur int) string {
	if !m.several() {
		return ""
	}
	return m.shown[cur] + ": "
}

// currencies lists who has money in which currency, each with the question of it
// alone.
func (p *revenuePlan) currencies(b *Builder) {
	if len(p.money.values) == 0 {
		return
	}
	t := Block{Kind: TableBlock, Name: b.Key("currencies"), Title: b.label("users with money in each currency, which are never added up"), Heads: []Head{{"users", true}, {"alone", false}}}
	order := make([]int, len(p.money.values))
	for i := range order {
		order[i] = i
	}
	sortBy(order, func(i int) (int64, string) { return -b.N(revenueCounts+i, Self), p.money.values[i] })
	for _, i := range order {
		v := p.money.values[i]
		if b.N(revenueCounts+i, Self) == 0 {
			break
		}
		c := TextCell("revenue in " + v + " ›")
		c.Go = p.r.link(p.r.Q.With("currency", v))
		t.Rows = append(t.Rows, Row{Key: v, Label: v, Cells: []Cell{b.Cell(b.Count(revenueCounts+i, "currency."+v, "users with money in "+v)), c}})
	}
	b.Block(t)
	if p.r.Str("currency") == "" {
		b.Warn("currencies", "The amounts are in %d currencies: each stands by itself, per user who started, whatever they paid in. currency= shows one alone.", len(t.Rows))
	}
}
