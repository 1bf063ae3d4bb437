package value

import (
	"fmt"
	"math"

	"dwell/model/stat"
)

// A Discount says how far ahead value is added up, and at what loss. Purchases of
// step k, from (k−1)·Weeks to k·Weeks ahead, are worth 1/(1+Rate)^k of their
// amount today.
type Discount struct {
	Steps int     // e.g. 12
	Weeks float64 // of a step: 4.345 for a month
	Rate  float64 // a step: 0.01 for 1 % a month
}

// Month is a month in weeks, as customer-base analysis counts it.
const Month = 4.345

// Horizon is how far ahead it looks, in weeks.
func (d Discount) Horizon() float64 { return float64(d.Steps) * d.Weeks }

// Check fails unless the numbers can be a discount.
func (d Discount) Check() error {
	if d.Steps < 1 || d.Steps > 1200 || !(d.Weeks > 0) || math.IsInf(d.Weeks, 0) || !(d.Rate > -1) || math.IsInf(d.Rate, 0) {
		return fmt.Errorf("a discount of %d steps of %v weeks at a rate of %v cannot be: ask for 1 to 1200 steps of more than 0 weeks at a rate above -1", d.Steps, d.Weeks, d.Rate)
	}
	return nil
}

// Discounted is how many purchases are expected, each discounted to today.
func (m *Repeat) Discounted(h History, d Discount) float64 {
	alive := m.Alive(h)
	var sum, before float64
	factor := 1.0
	for k := 1; k <= d.Steps; k++ {
		factor /= 1 + d.Rate
		now := m.IfAlive(h, float64(k)*d.Weeks)
		sum += (now - before) * factor
		before = now
	}
	return alive * sum
}

// Worth is the value expected of a buyer from now on: her discounted purchases,
// each of which brings spend. Known purchases are not in it.
//
// Fader, Hardie and Lee (2005), "RFM and CLV", equation 2, in steps.
func (m *Repeat) Worth(h History, spend float64, d Discount) float64 {
	return spend * m.Discounted(h, d)
}

// WorthInterval is the delta-method interval of Worth with spend from s for a
// buyer whose n purchases brought mean each. The two fits are of different
// numbers of the same buyers and taken as independent, as the models take them.
// ok is false where either fit has no covariances.
func (m *Repeat) WorthInterval(s *Spend, h History, n int, mean float64, d Discount, level float64) (iv stat.Interval, ok bool) {
	a, okA := m.Interval(func(m *Repeat) float64 { return m.Discounted(h, d) }, level)
	b, okB := s.Interval(n, mean, level)
	if !okA || !okB {
		return iv, false
	}
	at := m.Worth(h, s.Expected(n, mean), d)
	if !(at > 0) {
		return stat.Interval{}, true
	}
	// Variances of the logarithms add.
	half := math.Hypot(math.Log(a.Hi/a.Lo)/2, math.Log(b.Hi/b.Lo)/2)
	return stat.Interval{Lo: at * math.Exp(-half), Hi: at * math.Exp(half)}, true
}
