package stat

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// A GapRecord is one user's gaps between active days: those that ended, and the
// silence that still goes on. Days are whole; a closed gap is at least 1.
type GapRecord struct {
	Closed []int32
	Open   int32
}

// A Rhythm says how long users stay away while they still come. A user's gaps
// are Weibull with one shape for all and a rate of their own,
//
//	P(gap > t) = exp(−λ·t^Shape),  λ ~ Gamma(R, Alpha),
//
// so that a user with many gaps is judged by their own, and one with few is
// drawn to the population. Shape over 1 means regular users, under 1 bursts.
type Rhythm struct {
	Shape, R, Alpha float64
	Users, Gaps     int64 // that it was fitted to; open silences are no gaps
}

// ErrNoGaps says that too few gaps have ended to speak of a rhythm.
var ErrNoGaps = errors.New("too few gaps between active days have ended to know a rhythm")

// leastGaps is the number of ended gaps under which three numbers are not fitted.
const leastGaps = 20

// FitRhythm is the maximum of the marginal likelihood, the users' rates
// integrated out: for a user with n closed gaps g and the open silence t
//
//	c^n Π g^(c−1) · Γ(r+n)/Γ(r) · α^r / (α + Σ g^c + t^c)^(r+n).
//
// users is not changed. It fails with ErrNoGaps under leastGaps closed gaps, or
// where no maximum is found.
//
// The Weibull-gamma (Burr XII) model: Hardie, B. G. S.; Fader, P. S.; Wisniewski,
// M. (1998). "An Empirical Comparison of New Product Trial Forecasting Models".
// Journal of Forecasting 17: 209–229; with repeats as in Morrison, D. G.;
// Schmittlein, D. C. (1980), Management Science 26 (2): 216–222.
func FitRhythm(users []GapRecord) (Rhythm, error) {
	m := Rhythm{Users: int64(len(users))}
	most, sum := int32(0), 0.0
	for _, u := range users {
		m.Gaps += int64(len(u.Closed))
		most = max(most, u.Open)
		for _, g := range u.Closed {
			most = max(most, g)
			sum += float64(g)
		}
	}
	if m.Gaps < leastGaps {
		return m, ErrNoGaps
	}
	power, logs := make([]float64, most+1), make([]float64, most+1)
	for d := 1; d <= int(most); d++ {
		logs[d] = math.Log(float64(d))
	}
	logSum := 0.0
	for _, u := range users {
		for _, g := range u.Closed {
			logSum += logs[g]
		}
	}
	// Minus the log-likelihood a gap, over the logarithms of the three numbers.
	minus := func(x []float64) float64 {
		c, r, a := math.Exp(x[0]), math.Exp(x[1]), math.Exp(x[2])
		if c > 20 || r > 1e4 || c < 0.02 || r < 1e-4 {
			return math.Inf(1)
		}
		for d := 1; d <= int(most); d++ {
			power[d] = math.Exp(c * logs[d])
		}
		gr, _ := math.Lgamma(r)
		ll := float64(m.Gaps)*math.Log(c) + (c-1)*logSum
		for _, u := range users {
			s := power[u.Open]
			for _, g := range u.Closed {
				s += power[g]
			}
			n := float64(len(u.Closed))
			gn, _ := math.Lgamma(r + n)
			ll += gn - gr + r*x[2] - (r+n)*math.Log(a+s)
		}
		if math.IsNaN(ll) {
			return math.Inf(1)
		}
		return -ll / float64(m.Gaps)
	}
	start := []float64{0, 0, math.Log(sum / float64(m.Gaps))}
	res, err := optimize.Minimize(optimize.Problem{Func: minus}, start, &optimize.Settings{MajorIterations: 600}, &optimize.NelderMead{})
	if err != nil && res == nil {
		return m, ErrNoGaps
	}
	if math.IsInf(res.F, 0) || math.IsNaN(res.F) {
		return m, ErrNoGaps
	}
	m.Shape, m.R, m.Alpha = math.Exp(res.X[0]), math.Exp(res.X[1]), math.Exp(res.X[2])
	return m, nil
}

// An Own is the rhythm of one user: the population's, brought up to date by the
// user's own closed gaps.
type Own struct{ shape, r, a float64 }

// Own gives a user's rhythm; without gaps it is the population's.
func (m Rhythm) Own(closed []int32) Own {
	o := Own{m.Shape, m.R + float64(len(closed)), m.Alpha}
	for _, g := range closed {
		o.a += math.Pow(float64(g), m.Shape)
	}
	return o
}

// Longer is the probability that a gap of this user exceeds so many days.
func (o Own) Longer(days float64) float64 {
	if days <= 0 {
		return 1
	}
	return math.Exp(-o.r * math.Log1p(math.Pow(days, o.shape)/o.a))
}

// Reached is after how many days a gap is over with probability p in (0, 1).
func (o Own) Reached(p float64) float64 {
	return math.Pow(o.a*math.Expm1(-math.Log1p(-p)/o.r), 1/o.shape)
}

// Beyond is the share of the days within horizon that a user who keeps to the
// rhythm spends in gaps already longer than from: the chance that a day taken at
// random finds them so late though nothing is wrong. By renewal theory it is
// ∫ P(gap > t) dt from there to the horizon, over that from 0.
//
// Cox, D. R. (1962). Renewal Theory, section 5.
func (o Own) Beyond(from, horizon float64) float64 {
	if from >= horizon || horizon <= 0 {
		return 0
	}
	const steps = 32
	integral := func(a, b float64) (s float64) {
		for i := range steps {
			s += o.Longer(a + (b-a)*(float64(i)+0.5)/steps)
		}
		return s * (b - a) / steps
	}
	late := integral(from, horizon)
	return late / (late + integral(0, from))
}
