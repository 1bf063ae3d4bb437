package value

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"dwell/model/stat"
)

// ErrNoMean says that the fitted distribution of spending has no mean.
var ErrNoMean = errors.New("spending differs so widely between buyers that its mean does not settle")

// A Spending counts what purchases brought, buyer by buyer: of how many purchases
// the mean is known, and that mean. The zero value is empty.
type Spending struct {
	n     map[spent]int64
	total int64
	bad   error
}

type spent struct {
	n    int
	mean float64
}

// Add counts one buyer with n purchases that brought mean each, in units of money.
// A buyer without a purchase, or whose mean is not above zero (refunds, free
// orders), says nothing about spending: she is left out and Add is false. A mean
// that is not finite is kept as the error that every fit returns.
func (s *Spending) Add(n int, mean float64) bool {
	if math.IsNaN(mean) || math.IsInf(mean, 0) {
		if s.bad == nil {
			s.bad = fmt.Errorf("%w: a mean amount of %v", ErrBad, mean)
		}
		return false
	}
	if n <= 0 || !(mean > 0) {
		return false
	}
	if s.n == nil {
		s.n = map[spent]int64{}
	}
	s.n[spent{n, mean}]++
	s.total++
	return true
}

// Merge counts another's buyers; o is not changed.
func (s *Spending) Merge(o *Spending) {
	if s.n == nil {
		s.n = make(map[spent]int64, len(o.n))
	}
	for k, n := range o.n {
		s.n[k] += n
	}
	s.total += o.total
	if s.bad == nil {
		s.bad = o.bad
	}
}

// Buyers is how many were added.
func (s *Spending) Buyers() int64 { return s.total }

// A Spend is a fitted Gamma-Gamma model: the amounts of one buyer's purchases are
// gamma with shape P and a rate that differs over buyers as a gamma with shape Q
// and rate V. It takes how much a buyer spends a purchase as unrelated to how
// often she buys; Correlation says how far that holds here.
//
// Fader, P. S.; Hardie, B. G. S. (2013). "The Gamma-Gamma Model of Monetary
// Value", brucehardie.com/notes/025. Fader, P. S.; Hardie, B. G. S.; Lee, K. L.
// (2005). "RFM and CLV". J. Marketing Research 42 (4): 415–430.
type Spend struct {
	P, Q, V     float64 // V in units of money
	SE          [3]float64
	Cov         [3][3]float64 // of the logarithms
	Known       bool          // SE and Cov are
	Buyers      int64
	Correlation float64 // Pearson's, of purchases and their mean
	Convergence Convergence
}

// A spendRow is a group of buyers who agree in purchases and mean.
type spendRow struct{ x, mean, n float64 }

// FitSpend estimates the model by maximum likelihood, as Fit does. It fails with
// ErrBad, ErrTooFew, ErrAlike, ErrStopped, ErrNoFit, or with ErrNoMean where Q ≤ 1;
// after the last two the model is returned beside the error.
func FitSpend(s *Spending, o Options) (*Spend, error) {
	o = o.filled()
	switch {
	case s.bad != nil:
		return nil, s.bad
	case s.total < o.Least:
		return nil, fmt.Errorf("%w: %d have amounts above zero, and %d are needed", ErrTooFew, s.total, o.Least)
	}
	keys := slices.SortedFunc(maps.Keys(s.n), func(a, b spent) int {
		return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.mean, b.mean))
	})
	m := &Spend{Buyers: s.total}
	rows, scale := make([]spendRow, 0, len(keys)), 0.0
	var x, y, xx, yy, xy float64
	n := float64(s.total)
	for _, k := range keys {
		w := float64(s.n[k])
		rows = append(rows, spendRow{float64(k.n), k.mean, w})
		scale += w * k.mean / n
		x += w * float64(k.n) / n
	}
	y = scale
	for _, r := range rows {
		xx += r.n * (r.x - x) * (r.x - x)
		yy += r.n * (r.mean - y) * (r.mean - y)
		xy += r.n * (r.x - x) * (r.mean - y)
	}
	if !(yy > 1e-18*n*y*y) {
		return nil, fmt.Errorf("%w: every one of %d spends %.6g a purchase", ErrAlike, s.total, y)
	}
	if xx > 0 {
		m.Correlation = xy / math.Sqrt(xx*yy)
	}
	// In units of the mean amount, so that the search is the same in cents and in
	// millions.
	var logs float64
	for i := range rows {
		rows[i].mean /= scale
		logs += rows[i].n
	}
	f := &climb{dim: 3, n: n, stop: o.Stop, value: func(_ *table, x []float64) (float64, []float64) {
		ll, g := spendLikelihood(rows, math.Exp(x[0]), math.Exp(x[1]), math.Exp(x[2]))
		return ll, g[:]
	}}
	whole := &table{n: n}
	var starts [][]float64
	for _, p := range [][3]float64{{6, 4, 0.5}, {1, 2, 1}, {2, 8, 3.5}, {20, 3, 0.1}} {
		starts = append(starts, []float64{math.Log(p[0]), math.Log(p[1]), math.Log(p[2])})
	}
	best, err := f.climb(whole, whole, starts, o.Progress)
	m.Convergence = f.report
	m.Convergence.LogLikelihood -= logs * math.Log(scale) // a density: per unit of money
	m.P, m.Q, m.V = math.Exp(best[0]), math.Exp(best[1]), math.Exp(best[2])*scale
	if f.cov != nil {
		m.Known = true
		for i, p := range [3]float64{m.P, m.Q, m.V} {
			for j := range m.Cov {
				m.Cov[i][j] = f.cov.At(i, j)
			}
			m.SE[i] = p * math.Sqrt(m.Cov[i][i])
		}
	}
	switch {
	case err != nil:
		return m, fmt.Errorf("spending of %d buyers: %w", s.total, err)
	case m.Q <= 1:
		return m, fmt.Errorf("%w (q is %.3g)", ErrNoMean, m.Q)
	}
	return m, nil
}

// spendLikelihood is the log-likelihood and its gradient by the logarithms of p,
// q, v. rows are in order of x.
func spendLikelihood(rows []spendRow, p, q, v float64) (ll float64, grad [3]float64) {
	lq, dq, lv := lgamma(q), digamma(q), math.Log(v)
	at, lx, lgs, dpx, dpxq := -1.0, 0.0, 0.0, 0.0, 0.0
	for _, r := range rows {
		if r.x != at {
			at, lx = r.x, math.Log(r.x)
			lgs = lgamma(p*r.x+q) - lgamma(p*r.x) - lq + q*lv + p*r.x*lx
			dpx, dpxq = digamma(p*r.x), digamma(p*r.x+q)
		}
		lm, ls := math.Log(r.mean), math.Log(r.x*r.mean+v)
		ll += r.n * (lgs + (p*r.x-1)*lm - (p*r.x+q)*ls)
		grad[0] += r.n * r.x * (dpxq - dpx + lx + lm - ls)
		grad[1] += r.n * (dpxq - dq + lv - ls)
		grad[2] += r.n * (q/v - (p*r.x+q)/(r.x*r.mean+v))
	}
	grad[0], grad[1], grad[2] = grad[0]*p, grad[1]*q, grad[2]*v
	return ll, grad
}

// SpendLogLikelihood is the log-likelihood of given parameters.
func SpendLogLikelihood(s *Spending, p, q, v float64) (ll float64) {
	keys := slices.SortedFunc(maps.Keys(s.n), func(a, b spent) int {
		return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.mean, b.mean))
	})
	var rows []spendRow
	for _, k := range keys {
		rows = append(rows, spendRow{float64(k.n), k.mean, float64(s.n[k])})
	}
	ll, _ = spendLikelihood(rows, p, q, v)
	return ll
}

// Mean is what a purchase brings over all buyers, P·V/(Q−1).
func (m *Spend) Mean() float64 { return m.P * m.V / (m.Q - 1) }

// Expected is what a purchase of a buyer is expected to bring whose n purchases so
// far brought mean each: between her own mean and everybody's, nearer to her own
// the more she has bought. With n ≤ 0, or a mean not above zero, it is Mean.
func (m *Spend) Expected(n int, mean float64) float64 {
	x := float64(n)
	if n <= 0 || !(mean > 0) {
		return m.Mean()
	}
	return m.P * (m.V + x*mean) / (m.P*x + m.Q - 1)
}

// Interval is the delta-method interval of Expected, on its logarithm; like
// Repeat.Interval it says how far the estimate may be off for finitely many
// buyers, not what a purchase may bring. ok is false where the fit has no
// covariances.
func (m *Spend) Interval(n int, mean, level float64) (iv stat.Interval, ok bool) {
	if !m.Known {
		return iv, false
	}
	const h = 1e-4
	at := m.Expected(n, mean)
	var grad [3]float64
	for j := range grad {
		up, down := m.moved(j, math.Exp(h)), m.moved(j, math.Exp(-h))
		u, d := up.Expected(n, mean), down.Expected(n, mean)
		if !(u > 0 && d > 0) {
			return iv, false // q so near 1 that the mean ends within a step
		}
		grad[j] = (math.Log(u) - math.Log(d)) / (2 * h)
	}
	var v float64
	for i := range 3 {
		for j := range 3 {
			v += grad[i] * m.Cov[i][j] * grad[j]
		}
	}
	half := stat.NormalQuantile(0.5+level/2) * math.Sqrt(math.Max(0, v))
	return stat.Interval{Lo: at * math.Exp(-half), Hi: at * math.Exp(half)}, true
}

// moved is the model with one parameter multiplied.
func (m *Spend) moved(j int, by float64) Spend {
	o := *m
	*[3]*float64{&o.P, &o.Q, &o.V}[j] *= by
	return o
}
