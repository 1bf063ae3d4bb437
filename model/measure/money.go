package measure

import (
	"dwell/model"
)

// A moneySum adds amounts exactly. net counts purchases up and refunds down:
// a refund's amount lowers the sum whether the file writes it with a minus or not.
type moneySum struct {
	sum     model.Sum
	net     bool
	refunds bool // only what was given back, as a positive number
	have    bool // the data has amounts
}

func (t *moneySum) clear() { t.sum = model.Sum{} }
func (t *moneySum) put(c *Cursor, p, sign int) {
	if c.tl.Amount == nil {
		return
	}
	m := c.tl.Amount[c.event(p)]
	if m == model.NoMoney {
		return
	}
	if t.net || t.refunds {
		m = netOf(c.role[p], m)
	}
	if t.refunds {
		m = -m
	}
	if sign < 0 {
		m = -m
	}
	t.sum.Add(m)
}
func (t *moneySum) value(*Cursor) (float64, bool) { return t.sum.Float(), t.have }

// netOf is what an event adds to revenue.
func netOf(r model.Role, m model.Money) model.Money {
	switch {
	case r&model.Refund != 0 && m > 0:
		return -m
	case r&(model.Refund|model.Purchase) != 0:
		return m
	}
	return 0
}

func buildRevenue(s *Set, _ Ref) (func() tally, error) {
	s.amounts = true
	have := s.schema.Info.Amounts
	return func() tally { return &moneySum{net: true, have: have} }, nil
}

func buildRefunded(s *Set, _ Ref) (func() tally, error) {
	s.amounts = true
	have := s.schema.Info.Amounts
	return func() tally { return &moneySum{refunds: true, have: have} }, nil
}

// buildSum adds the amount column, or a property's numbers.
func buildSum(s *Set, r Ref) (func() tally, error) {
	if r.Key == Amount {
		s.amounts = true
		have := s.schema.Info.Amounts
		return func() tally { return &moneySum{have: have} }, nil
	}
	p := s.property(r.Key)
	nums := make([]model.Money, len(p.key.Values))
	for i, v := range p.key.Values {
		nums[i] = moneyOfText(v)
	}
	return func() tally { return &numberSum{prop: p, nums: nums} }, nil
}

// A numberSum adds a property's values, in millionths as amounts are, so that
// taking an event out of the window leaves no trace of it.
type numberSum struct {
	prop property
	nums []model.Money // of each code
	sum  model.Sum
}

func (t *numberSum) clear() { t.sum = model.Sum{} }
func (t *numberSum) put(c *Cursor, p, sign int) {
	var m model.Money
	if t.prop.key.Plain {
		m = moneyOfText(t.prop.text(c, p))
	} else {
		m = t.nums[t.prop.code(c, p)]
	}
	if m == model.NoMoney {
		return
	}
	if sign < 0 {
		m = -m
	}
	t.sum.Add(m)
}
func (t *numberSum) value(*Cursor) (float64, bool) { return t.sum.Float(), true }

func moneyOfText(s string) model.Money {
	x, ok := ParseNumber(s)
	if !ok {
		return model.NoMoney
	}
	if m, ok := model.MoneyOf(x); ok {
		return m
	}
	return model.NoMoney
}

// An aovAcc divides revenue by orders.
type aovAcc struct{ revenue, orders acc }

func (a *aovAcc) reset() { a.revenue.reset(); a.orders.reset() }
func (a *aovAcc) value(c *Cursor) (float64, bool) {
	r, ok := a.revenue.value(c)
	n, _ := a.orders.value(c)
	if !ok || n == 0 {
		return 0, false
	}
	return r / n, true
}
func (a *aovAcc) drift(c *Cursor) (model.Day, float64) {
	r, _ := a.revenue.drift(c)
	n, _ := a.orders.drift(c)
	return min(r, n), 0
}

func buildAOV(s *Set, r Ref) (maker, error) {
	rev, err := windowed(model.Purchase|model.Refund, buildRevenue)(s, r)
	if err != nil {
		return nil, err
	}
	ord, err := windowed(model.Purchase, buildOrders)(s, r)
	if err != nil {
		return nil, err
	}
	return func(c *Cursor) acc { return &aovAcc{rev(c), ord(c)} }, nil
}

// buildOrders counts distinct order numbers, and each purchase without one.
func buildOrders(s *Set, _ Ref) (func() tally, error) {
	col := ""
	if s.schema.Dict != nil {
		col = s.schema.Dict.Columns.Order
	}
	if col == "" || s.schema.Info.Key(col) == nil {
		return func() tally { return &counter{} }, nil
	}
	p := s.property(col)
	return func() tally { return &distinct{prop: p, blanks: true} }, nil
}
