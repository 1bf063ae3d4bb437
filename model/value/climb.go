package value

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// A Convergence says how a search for the maximum ended.
type Convergence struct {
	LogLikelihood float64
	Starts        int     // searches begun, at points fixed beforehand
	Agreed        int     // of them, how many ended at the same maximum
	Gradient      float64 // largest component by the parameters' logarithms, a buyer
	Definite      bool    // the Hessian there is negative definite: a peak, not a ridge
	Condition     float64 // of the Hessian, largest over smallest curvature
	Held          bool    // without a weak prior there was no peak: see Fit
	Evaluations   int
}

// Sentence is the convergence as a person reads it.
func (c Convergence) Sentence() string {
	peak := "the curvature is that of a peak"
	if !c.Definite {
		peak = "the curvature is not that of a peak"
	}
	if c.Held {
		peak = "the data leave open how much buyers differ in something, and a weak prior holds it"
	}
	return fmt.Sprintf("log-likelihood %.2f; %d of %d starts agree; largest gradient %.1g a buyer; %s", c.LogLikelihood, c.Agreed, c.Starts, c.Gradient, peak)
}

// bound is the largest absolute logarithm a parameter may have: beyond it the
// buyers differ in nothing that the parameter could describe.
const bound = 11

// A climb is one search for a maximum over the logarithms of positive parameters.
type climb struct {
	dim    int
	n      float64 // observations
	stop   func() bool
	value  func(t *table, x []float64) (ll float64, grad []float64)
	prior  func(x, grad []float64) float64 // adds its gradient; nil for none
	held   bool                            // climb with the prior
	report Convergence
	cov    *mat.SymDense
}

// at is what is climbed, an observation; −∞ beyond the bound.
func (c *climb) at(t *table, x []float64) (float64, []float64) {
	for _, v := range x {
		if !(math.Abs(v) <= bound+1) {
			return math.Inf(-1), make([]float64, c.dim)
		}
	}
	c.report.Evaluations++
	ll, g := c.value(t, x)
	if c.held {
		// A part of the observations is to find the maximum of all of them.
		extra := make([]float64, c.dim)
		ll += c.prior(x, extra) * t.n / c.n
		for j := range g {
			g[j] += extra[j] * t.n / c.n
		}
	}
	if math.IsNaN(ll) {
		return math.Inf(-1), make([]float64, c.dim)
	}
	for j := range g {
		g[j] /= t.n
	}
	return ll / t.n, g
}

// climb finds the maximum on near from every start, then on all.
func (c *climb) climb(all, near *table, starts [][]float64, progress func(done, total int)) ([]float64, error) {
	c.report.Starts = len(starts)
	c.held = c.prior != nil
	type end struct {
		x  []float64
		ll float64
	}
	var ends []end
	best := -1
	for i, x := range starts {
		if progress != nil {
			progress(i, len(starts)+1)
		}
		x := c.bfgs(near, x)
		ll, grad := c.at(near, x)
		if !settled(ll, grad) {
			x, ll, _ = c.newton(near, x, free)
		}
		if c.stop != nil && c.stop() {
			return x, ErrStopped
		}
		ends = append(ends, end{x, ll})
		if best < 0 || ll > ends[best].ll {
			best = i
		}
	}
	for _, e := range ends {
		if near.n*math.Abs(e.ll-ends[best].ll) <= 1e-2 {
			c.report.Agreed++
		}
	}
	if progress != nil {
		progress(len(starts), len(starts)+1)
	}
	x := ends[best].x
	if near != all {
		x = c.bfgs(all, x)
	}
	x, ll, grad := c.newton(all, x, free)
	if c.held {
		c.held = false
		alone, aloneLL, aloneGrad := c.newton(all, x, leash)
		c.curve(all, alone)
		if c.cov != nil && settled(aloneLL, aloneGrad) && inside(alone) {
			x, ll, grad = alone, aloneLL, aloneGrad
		} else {
			c.held, c.report.Held = true, true
			c.curve(all, x)
		}
	} else {
		c.curve(all, x)
	}
	c.report.Gradient = largest(grad)
	if c.stop != nil && c.stop() {
		return x, ErrStopped
	}
	c.report.LogLikelihood, _ = c.value(all, x)
	switch {
	case !inside(x):
		return x, fmt.Errorf("%w: a parameter runs away %s, so the data do not tell what it describes", ErrNoFit, whereTo(slices.MaxFunc(x, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })))
	case !settled(ll, grad):
		return x, fmt.Errorf("%w: the search ended where the likelihood still rises (gradient %.1g a buyer)", ErrNoFit, c.report.Gradient)
	case !c.report.Definite && !c.report.Held: // held, it only lacks intervals
		return x, fmt.Errorf("%w: the likelihood has a ridge and no peak, so that the parameters cannot be told apart", ErrNoFit)
	case c.report.Agreed < 2:
		return x, fmt.Errorf("%w: %d starts ended at as many places", ErrNoFit, len(starts))
	}
	return x, nil
}

// whereTo says in which direction a parameter has gone, from its logarithm.
func whereTo(log float64) string {
	if log < 0 {
		return "towards 0"
	}
	return "without bound"
}

// inside says whether no logarithm has run away.
func inside(x []float64) bool {
	for _, v := range x {
		if !(math.Abs(v) <= bound) {
			return false
		}
	}
	return true
}

// settled says whether the gradient an observation has vanished.
func settled(ll float64, grad []float64) bool { return !math.IsInf(ll, 0) && largest(grad) <= 1e-5 }

// largest is the largest absolute component.
func largest(grad []float64) (most float64) {
	for _, g := range grad {
		most = math.Max(most, math.Abs(g))
	}
	return most
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

// How far newton may go, in a logarithm: what moves a parameter twentyfold has
// lost its peak.
const (
	free  = 100.0
	leash = 3.0
)

// newton climbs from x with damped Newton steps until the gradient vanishes, no
// step goes up, or it has gone too far.
func (c *climb) newton(t *table, x []float64, far float64) (at []float64, ll float64, grad []float64) {
	ll, grad = c.at(t, x)
	from := x
	damp := 0.0
	for range 60 {
		if !(largest(grad) > 1e-11) || math.IsInf(ll, 0) || c.stop != nil && c.stop() {
			break
		}
		for j := range x {
			if math.Abs(x[j]-from[j]) > far {
				return x, ll, grad
			}
		}
		h := c.hessian(t, x, grad)
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
				if l, g := c.at(t, next); l > ll || l == ll && largest(g) < largest(grad) {
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

// hessian is made of differences of the gradient: forward ones from grad, which is
// enough to find a step, or central ones if grad is nil.
func (c *climb) hessian(t *table, x, grad []float64) *mat.SymDense {
	step := 1e-4
	if grad != nil {
		step = 1e-6
	}
	raw := mat.NewDense(c.dim, c.dim, nil)
	at := append([]float64(nil), x...)
	for j := range x {
		at[j] = x[j] + step
		_, up := c.at(t, at)
		down, width := grad, step
		if grad == nil {
			at[j] = x[j] - step
			_, down = c.at(t, at)
			width = 2 * step
		}
		at[j] = x[j]
		for i := range x {
			raw.Set(i, j, (up[i]-down[i])/width)
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
	h := c.hessian(t, x, nil)
	info := mat.NewSymDense(c.dim, nil)
	for i := range c.dim {
		for j := i; j < c.dim; j++ {
			info.SetSym(i, j, -h.At(i, j)*c.n)
		}
	}
	c.cov, c.report.Definite = nil, false
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
	least := 1.0 / (wide * wide)
	if c.held {
		least = 0.01 // the prior's own, less where the likelihood bends the other way
	}
	if !(values[0] > least) {
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
