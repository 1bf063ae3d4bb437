package value

import (
	"math/big"

	"dwell/model"
)

// A Takings is what a period brought.
type Takings struct {
	Users    int64       // who ordered
	Orders   int64       // orders of theirs
	Gross    model.Money // sum of the orders
	Refunded model.Money // given back, as a positive amount
}

// Net is Gross less Refunded.
func (t Takings) Net() model.Money { return t.Gross - t.Refunded }

// A Change is a change of net revenue by cause. The four parts add up to Total
// exactly.
type Change struct {
	Total  model.Money
	Users  model.Money // more or fewer users
	Orders model.Money // more or fewer orders a user
	Amount model.Money // larger or smaller orders
	Refund model.Money // less or more given back
}

// Split divides the change of net revenue between two periods.
//
// Gross revenue is users × orders a user × value an order. Each factor's part is
// its Shapley value: the mean, over the six orders in which the factors can be
// moved from before to after one by one, of what its own step changes,
//
//	Δx·((y₀z₀ + y₁z₁)/3 + (y₀z₁ + y₁z₀)/6)
//
// so that no order is preferred and nothing is left over. It is computed in
// fractions and rounded to millionths; what rounding leaves goes to the largest
// part. Where one period has no users, the orders a user and the value an order
// that it lacks are taken from the other: all of the change is users'. Likewise
// for users without orders.
//
// Shapley, L. S. (1953). "A Value for n-Person Games". Applied to factors:
// Ang, B. W.; Liu, F. L.; Chew, E. P. (2003). "Perfect Decomposition Techniques in
// Energy and Environmental Analysis". Energy Policy 31 (14): 1561–1566.
//
// It fails with model.ErrOverflow where a difference does not fit.
func Split(before, after Takings) (c Change, err error) {
	total, ok := minus(after.Net(), before.Net())
	gross, ok2 := minus(after.Gross, before.Gross)
	if !ok || !ok2 {
		return c, model.ErrOverflow
	}
	c.Total, c.Refund = total, before.Refunded-after.Refunded
	f0, f1 := before.factors(), after.factors()
	for i := range f0 {
		switch {
		case f0[i] == nil && f1[i] == nil:
			f0[i], f1[i] = new(big.Rat), new(big.Rat)
		case f0[i] == nil:
			f0[i] = f1[i]
		case f1[i] == nil:
			f1[i] = f0[i]
		}
	}
	parts := [3]*model.Money{&c.Users, &c.Orders, &c.Amount}
	left, largest := gross, 0
	for i, part := range parts {
		y0, y1, z0, z1 := f0[(i+1)%3], f1[(i+1)%3], f0[(i+2)%3], f1[(i+2)%3]
		mean := times(big.NewRat(1, 3), plus(times(y0, z0), times(y1, z1)))
		mean = plus(mean, times(big.NewRat(1, 6), plus(times(y0, z1), times(y1, z0))))
		*part = round(times(new(big.Rat).Sub(f1[i], f0[i]), mean))
		left -= *part
		if abs(*part) > abs(*parts[largest]) {
			largest = i
		}
	}
	*parts[largest] += left
	return c, nil
}

// factors are users, orders a user, and millionths an order; nil where a factor
// has no value.
func (t Takings) factors() (f [3]*big.Rat) {
	f[0] = new(big.Rat).SetInt64(t.Users)
	if t.Users > 0 {
		f[1] = big.NewRat(t.Orders, t.Users)
	}
	if t.Orders > 0 {
		f[2] = new(big.Rat).SetFrac(big.NewInt(int64(t.Gross)), big.NewInt(t.Orders))
	}
	return f
}

func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }
func plus(a, b *big.Rat) *big.Rat  { return new(big.Rat).Add(a, b) }

// round is the nearest whole number, halves away from zero.
func round(x *big.Rat) model.Money {
	n, _ := new(big.Int).SetString(x.FloatString(0), 10)
	return model.Money(n.Int64())
}

func abs(m model.Money) model.Money {
	if m < 0 {
		return -m
	}
	return m
}

func minus(a, b model.Money) (d model.Money, ok bool) {
	d = a - b
	return d, (d < a) == (b > 0) && d != model.NoMoney
}
