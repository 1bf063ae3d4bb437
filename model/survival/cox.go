package survival

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"dwell/model/stat"
)

// Ties says how deaths at one time share the risk set.
type Ties string

// Efron's approximation is the nearer to the truth; Breslow's is what simpler
// programs use.
const (
	Efron   Ties = "efron"
	Breslow Ties = "breslow"
)

// The reasons why a regression is refused. Column names the culprit.
var (
	ErrConstant  = errors.New("the measure is the same for everybody, so it can tell nobody apart")
	ErrCollinear = errors.New("the measure follows from the others, so their effects cannot be told apart")
	ErrSeparated = errors.New("the measure parts those who died from those who did not, so its effect has no bound")
	ErrTooFew    = errors.New("there are no more deaths than measures")
)

// A ColumnError is a reason that lies in one measure.
type ColumnError struct {
	Column int
	Err    error
}

func (e *ColumnError) Error() string { return fmt.Sprintf("measure %d: %v", e.Column+1, e.Err) }
func (e *ColumnError) Unwrap() error { return e.Err }

// A Coefficient is one measure's effect on the logarithm of the hazard.
type Coefficient struct {
	Coef, SE float64
	Z, P     float64 // Wald's
	Lo, Hi   float64 // of Coef
}

// Ratio is the hazard ratio for one unit more, with its interval.
func (c Coefficient) Ratio() (ratio, lo, hi float64) {
	return math.Exp(c.Coef), math.Exp(c.Lo), math.Exp(c.Hi)
}

// A CoxFit is a fitted proportional-hazards model.
type CoxFit struct {
	Ties            Ties
	N, Died         int64
	Coefficients    []Coefficient
	Cov             *mat.SymDense
	LogLik0, LogLik float64 // partial, without the measures and with them
	LR, Wald, Score Test    // that no measure has an effect
	Concordance     float64 // share of comparable pairs in which the one at higher risk died first
	Mean            []float64
	Iterations      int

	data *coxData
}

// Cox fits hazard(t) = h0(t)·exp(Σ βx) by maximum partial likelihood. x is by
// column, one value a life, finite, and not changed; each life has Count 1. level
// is that of the intervals; stop is asked once a step and may be nil. Measures are
// standardised for the search, so their units do not matter to it.
//
// It fails with ErrNobody, ErrBadLife, ErrNoDeath, ErrTooFew, ErrDiverged, or a
// ColumnError of ErrConstant, ErrCollinear or ErrSeparated.
//
// Cox, D. R. (1972). "Regression Models and Life-Tables". J. R. Stat. Soc. B 34
// (2): 187–220. Efron, B. (1977). "The Efficiency of Cox's Likelihood Function for
// Censored Data". J. Am. Stat. Assoc. 72 (359): 557–565.
func Cox(lives []Life, x [][]float64, ties Ties, level float64, stop func() bool) (*CoxFit, error) {
	d, mean, err := newCox(lives, x, ties)
	if err != nil {
		return nil, err
	}
	p := len(x)
	f := &CoxFit{Ties: ties, N: int64(len(lives)), Died: d.deaths, Mean: mean, data: d}
	if d.deaths <= int64(p) {
		return nil, ErrTooFew
	}
	beta := make([]float64, p)
	at := d.partial(beta, nil)
	f.LogLik0 = at.l
	first, err := at.newton()
	if err != nil {
		return nil, err
	}
	f.Score = chiSquared(mat.Dot(at.u, first), p)
	done := false
	for step := first; f.Iterations < maxSteps && !done; f.Iterations++ {
		if stop != nil && stop() {
			return nil, ErrStopped
		}
		size := 1.0
		for ; ; size /= 2 {
			next := slices.Clone(beta)
			for j := range next {
				next[j] += size * step.AtVec(j)
			}
			n := d.partial(next, nil)
			if !math.IsNaN(n.l) && !math.IsInf(n.l, 0) && n.l >= at.l-1e-11*math.Abs(at.l) {
				beta, at = next, n
				break
			}
			if size < 1e-8 {
				return nil, ErrDiverged
			}
		}
		if step, err = at.newton(); err != nil {
			if j := farthest(beta); math.Abs(beta[j]) > farOff/2 {
				return nil, &ColumnError{j, ErrSeparated}
			}
			return nil, err
		}
		done = mat.Norm(step, math.Inf(1)) < 1e-10
		if j := farthest(beta); math.Abs(beta[j]) > farOff {
			return nil, &ColumnError{j, ErrSeparated}
		}
	}
	if !done {
		return nil, ErrDiverged
	}
	return f, f.finish(beta, at, level)
}

// ErrStopped says that the caller asked to stop.
var ErrStopped = errors.New("stopped")

// farOff is a coefficient for one standard deviation that no data show: the
// hazards of users a standard deviation apart would differ by e^20.
const farOff = 20

func farthest(beta []float64) (j int) {
	for i := range beta {
		if math.Abs(beta[i]) > math.Abs(beta[j]) {
			j = i
		}
	}
	return j
}

// newton is information⁻¹·u.
func (q *partial) newton() (*mat.VecDense, error) {
	c, err := factor(q.info)
	if err != nil {
		return nil, err
	}
	var step mat.VecDense
	if err := c.SolveVecTo(&step, q.u); err != nil {
		return nil, ErrDiverged
	}
	return &step, nil
}

// factor is the Cholesky factor of the information of standardised measures, or
// the first measure that follows from those before it.
func factor(info *mat.SymDense) (*mat.Cholesky, error) {
	p := info.SymmetricDim()
	for k := 1; k <= p; k++ {
		var c mat.Cholesky
		if !c.Factorize(info.SliceSym(0, k).(*mat.SymDense)) || c.Cond() > 1e13 {
			return nil, &ColumnError{k - 1, ErrCollinear}
		}
		if k == p {
			return &c, nil
		}
	}
	return nil, ErrDiverged
}

func (f *CoxFit) finish(beta []float64, at partial, level float64) error {
	c, err := factor(at.info)
	if err != nil {
		return err
	}
	var cov mat.SymDense
	if err := c.InverseTo(&cov); err != nil {
		return ErrDiverged
	}
	p := len(beta)
	f.LogLik = at.l
	b := mat.NewVecDense(p, beta)
	var ib mat.VecDense
	ib.MulVec(at.info, b)
	f.Wald = chiSquared(mat.Dot(b, &ib), p)
	f.LR = chiSquared(2*(f.LogLik-f.LogLik0), p)
	z := stat.NormalQuantile(0.5 + level/2)
	f.Cov = mat.NewSymDense(p, nil)
	for i := range p {
		for j := range i + 1 {
			f.Cov.SetSym(i, j, cov.At(i, j)/(f.data.sd[i]*f.data.sd[j]))
		}
		c := Coefficient{Coef: beta[i] / f.data.sd[i], SE: math.Sqrt(f.Cov.At(i, i))}
		c.Z = c.Coef / c.SE
		c.P = math.Erfc(math.Abs(c.Z) / math.Sqrt2) // exact in the tail, where 1 − Φ is 0
		c.Lo, c.Hi = c.Coef-z*c.SE, c.Coef+z*c.SE
		f.Coefficients = append(f.Coefficients, c)
	}
	f.Concordance = f.data.concordance(beta)
	return nil
}

// standard are the coefficients of the standardised measures.
func (f *CoxFit) standard() []float64 {
	out := make([]float64, len(f.Coefficients))
	for j, c := range f.Coefficients {
		out[j] = c.Coef * f.data.sd[j]
	}
	return out
}
