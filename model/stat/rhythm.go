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
//
// Days are whole: a gap of g days ended somewhere in (g−1, g], and taken as g it
// would make every pace look more regular than it is. So each is put where a user
// of that pace would be within its last day, see pace.
type Rhythm struct {
	Shape, R, Alpha float64
	Mean            float64 // days of a closed gap, of all users; 0: not known
	Users, Gaps     int64   // that it was fitted to; open silences are no gaps
}

// A pace is how many days a gap in whole days took to its moment. Within a day
// the end of a gap is exponential, at the rate that makes gaps in whole days as
// long as the user's: for a user who comes each day by the toss of a coin this is
// exact, whatever the coin.
type pace struct{ rate float64 }

// paceOf is the pace of a user's gaps and of one more of the population's mean.
func paceOf(closed []int32, mean float64) pace {
	n, sum := float64(len(closed)), 0.0
	for _, g := range closed {
		sum += float64(g)
	}
	if mean > 0 {
		n, sum = n+1, sum+mean
	}
	if n == 0 {
		return pace{}
	}
	return pace{-math.Log1p(-min(n/sum, 0.999))}
}

// at is where the share u of the gaps of g whole days is over.
func (p pace) at(g int32, u float64) float64 {
	return float64(g) - 1 - math.Log1p(u*math.Expm1(-p.rate))/p.rate
}

// mean is how long gaps of g whole days take.
func (p pace) mean(g int32) float64 {
	return float64(g) - 1 + 1/p.rate - 1/math.Expm1(p.rate)
}

// ErrNoGaps says that too few gaps have ended to speak of a rhythm.
var ErrNoGaps = errors.New("too few gaps between active days have ended to know a rhythm")

// leastGaps is the number of ended gaps under which three numbers are not fitted.
const leastGaps = 20

// perDay is how finely the moments of gaps are told apart in the fit, so that
// their powers are looked up.
const perDay = 32

// FitRhythm is the maximum of the marginal likelihood, the users' rates
// integrated out: for a user with n closed gaps g, each put to a moment of its
// last day by an even sequence, and the open silence t
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
	m.Mean = sum / float64(m.Gaps)
	slots := int(most)*perDay + 1
	power, logs := make([]float64, slots), make([]float64, slots)
	for d := range logs {
		logs[d] = math.Log((float64(d) + 0.5) / perDay)
	}
	moments := make([]int32, 0, m.Gaps)
	logSum, seen := 0.0, 0
	for _, u := range users {
		pace := paceOf(u.Closed, m.Mean)
		for _, g := range u.Closed {
			_, even := math.Modf(float64(seen) * (math.Sqrt(5) - 1) / 2)
			at := min(int32(pace.at(g, even)*perDay), int32(slots-2))
			moments = append(moments, at)
			logSum += logs[at]
			seen++
		}
	}
	// Minus the log-likelihood a gap, over the logarithms of the three numbers.
	minus := func(x []float64) float64 {
		c, r, a := math.Exp(x[0]), math.Exp(x[1]), math.Exp(x[2])
		if c > 20 || r > 1e4 || c < 0.02 || r < 1e-4 {
			return math.Inf(1)
		}
		for d := range power {
			power[d] = math.Exp(c * logs[d])
		}
		gr, _ := math.Lgamma(r)
		ll := float64(m.Gaps)*math.Log(c) + (c-1)*logSum
		rest := moments
		for _, u := range users {
			s := 0.0
			if u.Open > 0 {
				s = math.Pow(float64(u.Open), c)
			}
			for _, at := range rest[:len(u.Closed)] {
				s += power[at]
			}
			rest = rest[len(u.Closed):]
			n := float64(len(u.Closed))
			gn, _ := math.Lgamma(r + n)
			ll += gn - gr + r*x[2] - (r+n)*math.Log(a+s)
		}
		if math.IsNaN(ll) {
			return math.Inf(1)
		}
		return -ll / float64(m.Gaps)
	}
	start := []float64{0, 0, math.Log(m.Mean)}
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
	pace := paceOf(closed, m.Mean)
	for _, g := range closed {
		o.a += math.Pow(pace.mean(g), m.Shape)
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
// random finds them so late though nothing is wrong. Silence is counted in whole
// days, so by renewal theory it is Σ P(gap > t) over the days t from the first
// over from, by that from 0; days after many are summed in even steps.
//
// Cox, D. R. (1962). Renewal Theory, section 5.
func (o Own) Beyond(from, horizon float64) float64 {
	if from >= horizon || horizon <= 0 {
		return 0
	}
	days := func(a, b float64) (s float64) {
		step := 1.0
		for n, t := 0, a; t < b; n, t = n+1, t+step {
			if n == 64 {
				step = max((b-t)/32, 1)
			}
			gap := o.Longer(t + (step-1)/2)
			s += gap * min(step, b-t)
			if gap < 1e-6*s {
				break
			}
		}
		return s
	}
	first := math.Floor(max(from, -1)) + 1
	late := days(first, max(horizon, first))
	return late / (late + days(0, first))
}
