package value

import (
	"errors"
	"fmt"
	"math"

	"dwell/model/stat"
)

// ErrNoEnds says that no contract has ended yet.
var ErrNoEnds = errors.New("no contract has ended yet: how many will cannot be learned")

// mostPeriods bounds the length of a contract in periods: a century of weeks.
const mostPeriods = 5200

// Contracts counts customers under contract by how many times they could renew.
// The zero value is empty. The customers may have begun at different times; what
// they share is the length of a period.
type Contracts struct {
	Lost []int64 // Lost[t] did not renew at the t-th opportunity, t ≥ 1
	Kept []int64 // Kept[t] have renewed at all t opportunities so far
}

// Add counts one customer who had t opportunities to renew: at the last of them
// she left, or she took them all and is still there. It fails with ErrBad if t is
// negative, beyond 5200, or 0 for one who left.
func (c *Contracts) Add(t int, left bool) error {
	if t < 0 || t > mostPeriods || left && t == 0 {
		return fmt.Errorf("%w: %d opportunities to renew", ErrBad, t)
	}
	for len(c.Lost) <= t {
		c.Lost, c.Kept = append(c.Lost, 0), append(c.Kept, 0)
	}
	if left {
		c.Lost[t]++
	} else {
		c.Kept[t]++
	}
	return nil
}

// Merge counts another's customers; o is not changed.
func (c *Contracts) Merge(o *Contracts) {
	for len(c.Lost) < len(o.Lost) {
		c.Lost, c.Kept = append(c.Lost, 0), append(c.Kept, 0)
	}
	for t := range o.Lost {
		c.Lost[t] += o.Lost[t]
		c.Kept[t] += o.Kept[t]
	}
}

// A Renewal is the observed curve at one opportunity.
type Renewal struct {
	Opportunity   int
	AtRisk, Lost  int64
	Rate          float64       // of AtRisk, who renewed
	Interval      stat.Interval // Wilson's
	Survival      float64       // product of the rates so far
	ModelRate     float64       // 0 without a model
	ModelSurvival float64
}

// Curve is what was observed, one entry for each opportunity somebody had: the
// fall-back where no model fits, and what a model is to be seen beside. m may be
// nil.
//
// Kaplan and Meier (1958); the interval is of the rate alone.
func (c *Contracts) Curve(m *Contract, level float64) []Renewal {
	var risk int64
	for t := range c.Lost {
		risk += c.Lost[t] + c.Kept[t]
	}
	var out []Renewal
	survival := 1.0
	for t := 1; t < len(c.Lost); t++ {
		risk -= c.Lost[t-1] + c.Kept[t-1]
		if risk == 0 {
			break
		}
		r := Renewal{Opportunity: t, AtRisk: risk, Lost: c.Lost[t], Rate: 1 - float64(c.Lost[t])/float64(risk)}
		r.Interval, _ = stat.Wilson(risk-c.Lost[t], risk, level)
		survival *= r.Rate
		r.Survival = survival
		if m != nil {
			r.ModelRate, r.ModelSurvival = m.Renews(t-1), m.Survival(t)
		}
		out = append(out, r)
	}
	return out
}

// A Contract is a fitted shifted-beta-geometric model: each customer renews with
// her own fixed probability 1−θ, and θ differs over customers as a beta. Those who
// stay are the loyal ones, so the rate of renewal rises with age though nobody
// changes.
//
// Fader, P. S.; Hardie, B. G. S. (2007). "How to Project Customer Retention".
// J. Interactive Marketing 21 (1): 76–90. The discounted residual lifetime:
// Fader, P. S.; Hardie, B. G. S. (2010). "Customer-Base Valuation in a Contractual
// Setting". Marketing Science 29 (1): 85–93.
type Contract struct {
	Alpha, Beta float64
	SE          [2]float64
	Cov         [2][2]float64 // of the logarithms
	Known       bool          // SE and Cov are
	Customers   int64
	Longest     int // opportunities observed: beyond them the curve is foretold
	Convergence Convergence
}

// FitContract estimates the model by maximum likelihood, as Fit does. It fails with
// ErrTooFew, ErrNoEnds, ErrStopped or ErrNoFit (as where nobody had a second
// opportunity: one rate does not tell its spread); after the last the model is
// returned beside the error, and Contracts.Curve is what to use.
func FitContract(c *Contracts, o Options) (*Contract, error) {
	o = o.filled()
	m := &Contract{}
	var lost int64
	for t := range c.Lost {
		lost += c.Lost[t]
		m.Customers += c.Lost[t] + c.Kept[t]
		if c.Lost[t]+c.Kept[t] > 0 {
			m.Longest = t
		}
	}
	switch {
	case m.Customers < o.Least:
		return nil, fmt.Errorf("%w: %d under contract, and %d are needed", ErrTooFew, m.Customers, o.Least)
	case lost == 0:
		return nil, fmt.Errorf("%w from %d customers", ErrNoEnds, m.Customers)
	}
	f := &climb{dim: 2, n: float64(m.Customers), stop: o.Stop, value: func(_ *table, x []float64) (float64, []float64) {
		ll, g := c.likelihood(math.Exp(x[0]), math.Exp(x[1]))
		return ll, g[:]
	}}
	whole := &table{n: f.n}
	best, err := f.climb(whole, whole, [][]float64{{0, 0}, {-0.5, 1.5}, {1.5, 3}, {-1, -1}}, o.Progress)
	m.Alpha, m.Beta, m.Convergence = math.Exp(best[0]), math.Exp(best[1]), f.report
	if f.cov != nil {
		m.Known = true
		for i, p := range [2]float64{m.Alpha, m.Beta} {
			for j := range m.Cov {
				m.Cov[i][j] = f.cov.At(i, j)
			}
			m.SE[i] = p * math.Sqrt(m.Cov[i][i])
		}
	}
	if err != nil {
		return m, fmt.Errorf("contracts of %d customers: %w", m.Customers, err)
	}
	return m, nil
}

// LogLikelihood of given parameters.
func (c *Contracts) LogLikelihood(alpha, beta float64) float64 {
	ll, _ := c.likelihood(alpha, beta)
	return ll
}

// likelihood is the log-likelihood and its gradient by the logarithms: of those
// who left at t it takes B(α+1, β+t−1)/B(α, β), of those still there B(α, β+t)/B(α, β).
func (c *Contracts) likelihood(alpha, beta float64) (ll float64, grad [2]float64) {
	l0, d0 := lgamma(alpha+beta)-lgamma(beta), digamma(alpha+beta)
	db := digamma(beta)
	la := math.Log(alpha)
	for t := range c.Lost {
		if n := float64(c.Lost[t]); n > 0 {
			// Γ(α+1)Γ(β+t−1)/Γ(α+β+t) · Γ(α+β)/(Γ(α)Γ(β))
			k := float64(t - 1)
			end := digamma(alpha + beta + k + 1)
			ll += n * (la + lgamma(beta+k) - lgamma(alpha+beta+k+1) + l0)
			grad[0] += n * (1/alpha - end + d0)
			grad[1] += n * (digamma(beta+k) - end + d0 - db)
		}
		if n := float64(c.Kept[t]); n > 0 && t > 0 {
			k := float64(t)
			end := digamma(alpha + beta + k)
			ll += n * (lgamma(beta+k) - lgamma(alpha+beta+k) + l0)
			grad[0] += n * (d0 - end)
			grad[1] += n * (digamma(beta+k) - end + d0 - db)
		}
	}
	return ll, [2]float64{grad[0] * alpha, grad[1] * beta}
}

// Survival is the share of new customers who renew at all of the first t
// opportunities.
func (m *Contract) Survival(t int) float64 {
	k := float64(t)
	return math.Exp(lgamma(m.Beta+k) - lgamma(m.Beta) + lgamma(m.Alpha+m.Beta) - lgamma(m.Alpha+m.Beta+k))
}

// Renews is the chance that one who has renewed n times renews once more.
func (m *Contract) Renews(n int) float64 {
	return (m.Beta + float64(n)) / (m.Alpha + m.Beta + float64(n))
}

// Stays is the chance that one who has renewed n times renews k times more.
func (m *Contract) Stays(n, k int) float64 {
	s := 1.0
	for i := range k {
		s *= m.Renews(n + i)
	}
	return s
}

// Periods is how many of the next k periods one who has renewed n times is
// expected to pay for, period i discounted by 1/(1+rate)^i.
func (m *Contract) Periods(n, k int, rate float64) (sum float64) {
	s, factor := 1.0, 1.0
	for i := range k {
		s *= m.Renews(n + i)
		factor /= 1 + rate
		sum += s * factor
	}
	return sum
}

// Remaining is the discounted expected residual lifetime of one who has renewed
// n times, over all time to come, the next period counted in full if she renews:
// Fader and Hardie (2010), equation 7. ok is false unless rate > 0: with α ≤ 1 the
// undiscounted sum is infinite.
func (m *Contract) Remaining(n int, rate float64) (periods float64, ok bool) {
	if !(rate > 0) {
		return 0, false
	}
	k := m.Beta + float64(n)
	return m.Renews(n) * fractionValue(k+1, m.Alpha+k+1, 1/(1+rate)), true
}

// Interval is the delta-method interval of a positive quantity, on its logarithm.
func (m *Contract) Interval(f func(*Contract) float64, level float64) (iv stat.Interval, ok bool) {
	if !m.Known {
		return iv, false
	}
	const h = 1e-4
	at := f(m)
	var grad [2]float64
	for j := range grad {
		up, down := *m, *m
		*[2]*float64{&up.Alpha, &up.Beta}[j] *= math.Exp(h)
		*[2]*float64{&down.Alpha, &down.Beta}[j] *= math.Exp(-h)
		grad[j] = (f(&up) - f(&down)) / (2 * h)
	}
	if !(at > 0) {
		return stat.Interval{}, true
	}
	v := grad[0]*grad[0]*m.Cov[0][0] + 2*grad[0]*grad[1]*m.Cov[0][1] + grad[1]*grad[1]*m.Cov[1][1]
	half := stat.NormalQuantile(0.5+level/2) * math.Sqrt(math.Max(0, v)) / at
	return stat.Interval{Lo: at * math.Exp(-half), Hi: at * math.Exp(half)}, true
}
