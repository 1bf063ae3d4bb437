package value

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
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

func (o Options) stopped() bool { return o.Stop != nil && o.Stop() }

// A Convergence says how a search for the maximum ended.
type Convergence struct {
	LogLikelihood float64
	Starts        int     // searches begun, at points fixed beforehand
	Agreed        int     // of them, how many ended at the same maximum
	Gradient      float64 // largest component by the parameters' logarithms, a buyer
	Definite      bool    // the Hessian there is negative definite: a peak, not a ridge
	Condition     float64 // of the Hessian, largest over smallest curvature
	Evaluations   int
}

// Sentence is the convergence as a person reads it.
func (c Convergence) Sentence() string {
	peak := "the curvature is that of a peak"
	if !c.Definite {
		peak = "the curvature is not that of a peak"
	}
	return fmt.Sprintf("log-likelihood %.2f; %d of %d starts agree; largest gradient %.1g a buyer; %s", c.LogLikelihood, c.Agreed, c.Starts, c.Gradient, peak)
}

// bound is the largest absolute logarithm a parameter may have: beyond it the
// buyers differ in nothing that the parameter could describe.
const bound = 9.5

// Fit estimates a model by maximum likelihood.
//
// The search (BFGS, then Newton steps with the Hessian of the analytic gradient)
// begins at several points fixed beforehand; of more than 20,000 distinct
// histories a systematic part is used to get near, and all of them to finish. The
// result does not depend on the order of adding.
//
// It fails with ErrBad, ErrTooFew, ErrNoRepeats, ErrAlike, ErrStopped, or with
// ErrNoFit where the starts disagree, the gradient does not vanish, a parameter
// runs away, or the peak is a ridge; then the model is returned beside the error,
// for its Convergence alone, and an Empirical curve is what to use.
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
	f := &climb{dim: 4, n: t.n, stop: o.Stop, value: func(t *table, x []float64) (float64, []float64) {
		p := Params{math.Exp(x[0]), math.Exp(x[1]), math.Exp(x[2]), math.Exp(x[3])}
		ll, g := k.likelihood(t, p)
		return ll, g[:]
	}}
	starts := k.starts(t.meanAge())
	if o.From != nil {
		p := o.From
		starts = [][]float64{{math.Log(p[0]), math.Log(p[1]), math.Log(p[2]), math.Log(p[3])}, starts[0]}
	}
	best, err := f.climb(t, t.thin(20_000), starts, o.Progress)
	m.Convergence = f.report
	for j := range m.Params {
		m.Params[j] = math.Exp(best[j])
	}
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
	return m, nil
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

// A climb is one search for a maximum over the logarithms of positive parameters.
type climb struct {
	dim    int
	n      float64 // observations
	stop   func() bool
	value  func(t *table, x []float64) (ll float64, grad []float64)
	names  []string
	report Convergence
	cov    *mat.SymDense
}

// at is the log-likelihood an observation, −∞ beyond the bound.
func (c *climb) at(t *table, x []float64) (float64, []float64) {
	for _, v := range x {
		if !(math.Abs(v) <= bound+1) {
			return math.Inf(-1), make([]float64, c.dim)
		}
	}
	c.report.Evaluations++
	ll, g := c.value(t, x)
	n := t.n
	if n == 0 {
		n = c.n
	}
	if math.IsNaN(ll) {
		return math.Inf(-1), make([]float64, c.dim)
	}
	for j := range g {
		g[j] /= n
	}
	return ll / n, g
}

// climb finds the maximum on near from every start, then on all.
func (c *climb) climb(all, near *table, starts [][]float64, progress func(done, total int)) ([]float64, error) {
	c.report.Starts = len(starts)
	type end struct {
		x  []float64
		ll float64
	}
	var ends []end
	best := -1
	for i, x := range starts {
		if progress != nil {
			progress(i, len(starts))
		}
		x = c.bfgs(near, x)
		x, ll, _ := c.newton(near, x)
		if c.stop != nil && c.stop() {
			return x, ErrStopped
		}
		ends = append(ends, end{x, ll})
		if best < 0 || ll > ends[best].ll {
			best = i
		}
	}
	for _, e := range ends {
		if c.n*math.Abs(e.ll-ends[best].ll) <= 1e-3 {
			c.report.Agreed++
		}
	}
	x := ends[best].x
	if near != all {
		x = c.bfgs(all, x)
	}
	x, ll, grad := c.newton(all, x)
	if c.stop != nil && c.stop() {
		return x, ErrStopped
	}
	c.report.LogLikelihood = ll * c.n
	for _, g := range grad {
		c.report.Gradient = math.Max(c.report.Gradient, math.Abs(g))
	}
	for _, v := range x {
		if math.Abs(v) > bound {
			return x, fmt.Errorf("%w: a parameter runs away (%.3g), so the buyers do not differ in what it describes", ErrNoFit, math.Exp(v))
		}
	}
	c.curve(all, x)
	switch {
	case math.IsInf(ll, 0) || c.report.Gradient > 1e-5:
		return x, fmt.Errorf("%w: the search ended where the likelihood still rises (gradient %.1g a buyer)", ErrNoFit, c.report.Gradient)
	case !c.report.Definite:
		return x, fmt.Errorf("%w: the likelihood has a ridge and no peak, so that the parameters cannot be told apart", ErrNoFit)
	case c.report.Agreed < 2:
		return x, fmt.Errorf("%w: %d starts ended at %d different places", ErrNoFit, len(starts), len(starts))
	}
	return x, nil
}

// bfgs is the far search; where it stops early, Newton goes on.
func (c *climb) bfgs(t *table, from []float64) []float64 {
	var atX, atG []float64
	var atF float64
	eval := func(x []float64) {
		if atX == nil || !equal(x, atX) {
			f, g := c.at(t, x)
			atX, atF, atG = append(atX[:0], x...), -f, g
		}
	}
	res, _ := optimize.Minimize(optimize.Problem{
		Func: func(x []float64) float64 { eval(x); return atF },
		Grad: func(grad, x []float64) {
			eval(x)
			for j := range grad {
				grad[j] = -atG[j]
			}
		},
		Status: func() (optimize.Status, error) {
			if c.stop != nil && c.stop() {
				return optimize.MethodConverge, nil
			}
			return optimize.NotTerminated, nil
		},
	}, from, &optimize.Settings{MajorIterations: 200, GradientThreshold: 1e-7, Concurrent: 1}, &optimize.BFGS{})
	if res == nil || math.IsInf(res.F, 0) || math.IsNaN(res.F) {
		return from
	}
	return res.X
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// newton climbs from x with damped Newton steps until the gradient vanishes or no
// step goes up.
func (c *climb) newton(t *table, x []float64) (at []float64, ll float64, grad []float64) {
	ll, grad = c.at(t, x)
	damp := 0.0
	for range 60 {
		most := 0.0
		for _, g := range grad {
			most = math.Max(most, math.Abs(g))
		}
		if !(most > 1e-11) || math.IsInf(ll, 0) || c.stop != nil && c.stop() {
			break
		}
		h := c.hessian(t, x)
		moved := false
		for range 40 {
			a := mat.NewSymDense(c.dim, nil)
			for i := range c.dim {
				for j := i; j < c.dim; j++ {
					a.SetSym(i, j, -h.At(i, j))
				}
				a.SetSym(i, i, -h.At(i, i)+damp)
			}
			var chol mat.Cholesky
			step := mat.NewVecDense(c.dim, nil)
			if chol.Factorize(a) && chol.SolveVecTo(step, mat.NewVecDense(c.dim, grad)) == nil {
				long := mat.Norm(step, math.Inf(1))
				scale := math.Min(1, 1.5/long)
				next := make([]float64, c.dim)
				for j := range next {
					next[j] = x[j] + scale*step.AtVec(j)
				}
				if l, g := c.at(t, next); l > ll || l == ll && smaller(g, grad) {
					x, ll, grad, moved = next, l, g, true
					damp /= 10
					break
				}
			}
			damp = math.Max(10*damp, 1e-9)
		}
		if !moved {
			break
		}
	}
	return x, ll, grad
}

func smaller(a, b []float64) bool {
	var x, y float64
	for j := range a {
		x, y = math.Max(x, math.Abs(a[j])), math.Max(y, math.Abs(b[j]))
	}
	return x < y
}

// hessian is made of central differences of the gradient.
func (c *climb) hessian(t *table, x []float64) *mat.SymDense {
	const step = 1e-4
	raw := mat.NewDense(c.dim, c.dim, nil)
	at := append([]float64(nil), x...)
	for j := range x {
		at[j] = x[j] + step
		_, up := c.at(t, at)
		at[j] = x[j] - step
		_, down := c.at(t, at)
		at[j] = x[j]
		for i := range x {
			raw.Set(i, j, (up[i]-down[i])/(2*step))
		}
	}
	h := mat.NewSymDense(c.dim, nil)
	for i := range x {
		for j := i; j < c.dim; j++ {
			h.SetSym(i, j, (raw.At(i, j)+raw.At(j, i))/2)
		}
	}
	return h
}

// curve judges the Hessian at the maximum and inverts it.
func (c *climb) curve(t *table, x []float64) {
	h := c.hessian(t, x)
	info := mat.NewSymDense(c.dim, nil)
	for i := range c.dim {
		for j := i; j < c.dim; j++ {
			info.SetSym(i, j, -h.At(i, j)*c.n)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(info, false) {
		return
	}
	values := eigen.Values(nil) // ascending
	if values[0] > 0 {
		c.report.Condition = values[len(values)-1] / values[0]
	}
	// A curvature below that of a single buyer's noise is none: the logarithm of
	// a mix of parameters would have a standard error beyond a factor of e³.
	if !(values[0] > 1.0/9) {
		return
	}
	var chol mat.Cholesky
	var inv mat.SymDense
	if !chol.Factorize(info) || chol.InverseTo(&inv) != nil {
		return
	}
	c.report.Definite = true
	c.cov = &inv
}
