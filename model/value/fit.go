package value

import (
	"fmt"
	"math"
)

// Options of a fit; the zero value means the defaults.
type Options struct {
	Least     int64 // buyers needed; 0: 50
	Repeaters int64 // buyers who came back needed; 0: 20
	// From, if not nil, is where to begin, beside one start fixed beforehand: the
	// parameters of like data. Of Fit alone.
	From     *Params
	Stop     func() bool           // asked at every step; may be nil
	Progress func(done, total int) // told at every start; may be nil
}

func (o Options) filled() Options {
	if o.Least == 0 {
		o.Least = 50
	}
	if o.Repeaters == 0 {
		o.Repeaters = 20
	}
	return o
}

// Fit estimates a model by maximum likelihood.
//
// The search has two steps. The first begins at several points fixed beforehand
// and climbs the likelihood with a weak prior on the logarithms (see prior), which
// gives every sample a peak; it uses BFGS, then Newton steps with the Hessian of
// the analytic gradient. The second goes on from there without the prior. Where it
// finds a peak, that is the fit. Where it finds a ridge, or a parameter runs away,
// the data do not tell how much the buyers differ in something; then the first
// step's peak stays, Held is true and the prior's width is in the covariances. Of
// more than 20,000 distinct histories a systematic part is used to get near, and
// all of them to finish. The result does not depend on the order of adding.
//
// It fails with ErrBad, ErrTooFew, ErrNoRepeats, ErrAlike, ErrStopped, or with
// ErrNoFit where the starts disagree or the gradient does not vanish; then the
// model is returned beside the error, for its Convergence alone, and an Empirical
// curve is what to use.
func Fit(k Kind, s *Sample, o Options) (*Repeat, error) {
	o = o.filled()
	switch {
	case s.bad != nil:
		return nil, s.bad
	case s.total < o.Least:
		return nil, fmt.Errorf("%w: %d, and %d are needed", ErrTooFew, s.total, o.Least)
	case s.Repeaters() < o.Repeaters:
		return nil, fmt.Errorf("%w (%d of %d did, %d are needed); a longer span of data may hold more", ErrNoRepeats, s.Repeaters(), s.total, o.Repeaters)
	case len(s.n) < 5:
		return nil, fmt.Errorf("%w: %d buyers have %d distinct histories, 5 are needed", ErrAlike, s.total, len(s.n))
	}
	t := s.table()
	m := &Repeat{Kind: k, Buyers: s.total, Groups: int64(len(s.n))}
	for i := range t.rows {
		m.Span = math.Max(m.Span, t.rows[i].age+1.0/7) // the first day counts
	}
	age := t.meanAge()
	f := &climb{dim: 4, n: t.n, stop: o.Stop, value: func(t *table, x []float64) (float64, []float64) {
		ll, g := k.likelihood(t, exps(x))
		return ll, g[:]
	}, prior: func(x, grad []float64) float64 { return k.prior(x, grad, age) }}
	starts := k.starts(age)
	if o.From != nil {
		p := o.From
		starts = [][]float64{{math.Log(p[0]), math.Log(p[1]), math.Log(p[2]), math.Log(p[3])}, starts[0]}
	}
	best, err := f.climb(t, t.thin(20_000), starts, o.Progress)
	m.Convergence, m.Params = f.report, exps(best)
	if f.cov != nil {
		m.Known = true
		for i := range m.Cov {
			for j := range m.Cov {
				m.Cov[i][j] = f.cov.At(i, j)
			}
			m.SE[i] = m.Params[i] * math.Sqrt(m.Cov[i][i])
		}
	}
	if err != nil {
		return m, fmt.Errorf("%s of %d buyers: %w", k, s.total, err)
	}
	m.Staying = staying(t, m.Params, o.Stop)
	m.Leaves = m.Convergence.LogLikelihood-m.Staying > leaving
	return m, nil
}

func exps(x []float64) Params {
	return Params{math.Exp(x[0]), math.Exp(x[1]), math.Exp(x[2]), math.Exp(x[3])}
}

// leaving is the gain in log-likelihood by which a model in which buyers leave
// must surpass one in which they do not: half the 95 % point of chi-square with
// the two parameters it has more. (At the edge of the parameters' range that errs
// on the side of nobody leaving.)
const leaving = 2.9957

// staying is the largest log-likelihood of buyers who never leave: the NBD, with
// rates gamma over buyers and purchases for ever.
//
// Ehrenberg, A. S. C. (1959). "The Pattern of Consumer Purchases". Applied
// Statistics 8 (1): 26–41.
func staying(t *table, near Params, stop func() bool) float64 {
	f := &climb{dim: 2, n: t.n, stop: stop, value: func(t *table, x []float64) (float64, []float64) {
		r, alpha := math.Exp(x[0]), math.Exp(x[1])
		var ll float64
		grad := make([]float64, 2)
		lr, dr, la := lgamma(r), digamma(r), math.Log(alpha)
		for i, x := range t.x {
			ll += t.nx[i] * (lgamma(r+x) - lr + r*la)
			grad[0] += t.nx[i] * (digamma(r+x) - dr + la)
			grad[1] += t.nx[i] * r / alpha
		}
		for i := range t.rows {
			w := &t.rows[i]
			l := math.Log(alpha + w.age)
			ll -= w.n * (r + w.x) * l
			grad[0] -= w.n * l
			grad[1] -= w.n * (r + w.x) / (alpha + w.age)
		}
		grad[0] *= r
		grad[1] *= alpha
		return ll, grad
	}}
	x, _, _ := f.newton(t, f.bfgs(t, []float64{math.Log(near[0]), math.Log(near[1])}), free)
	ll, _ := f.value(t, x)
	return ll
}

// The prior of the first step is normal on logarithms, with this deviation: a
// factor of 20 either way is within it. It has no say in how often buyers buy.
const wide = 3

// prior adds the logarithm's gradient and is its value: of how even the rates of
// purchase are (r), and of the leaving, how much of it there is and how even it is.
func (k Kind) prior(x, grad []float64, age float64) (p float64) {
	pull := func(at float64, parts ...float64) {
		var v float64
		for j, w := range parts {
			v += w * x[j]
		}
		v -= at
		p -= v * v / (2 * wide * wide)
		for j, w := range parts {
			grad[j] -= w * v / (wide * wide)
		}
	}
	pull(0, 1)
	if k == Pareto {
		pull(0, 0, 0, 1)
		pull(math.Log(age), 0, 0, -1, 1) // β/s, a mean life
		return p
	}
	pull(-1, 0, 0, 1, -1)     // a/b, the odds of leaving
	pull(0.3, 0, 0, 0.5, 0.5) // √(ab), how even
	return p
}

// starts are where the searches begin; age is the buyers' mean age.
func (k Kind) starts(age float64) [][]float64 {
	age = math.Max(age, 1e-3)
	at := [][4]float64{{0.25, age / 8, 0.8, 2.5}, {1, age, 1, 1}, {2, age / 2, 0.3, 4}, {0.5, age / 3, 3, 9}}
	if k == Pareto {
		at = [][4]float64{{0.5, age / 3, 0.6, age / 2.7}, {1, age, 1, age}, {2, age / 2, 0.3, age / 8}, {0.5, age / 4, 2, age * 3}}
	}
	var out [][]float64
	for _, p := range at {
		out = append(out, []float64{math.Log(p[0]), math.Log(p[1]), math.Log(p[2]), math.Log(p[3])})
	}
	return out
}
