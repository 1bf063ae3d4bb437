package churn

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// A Fit is a logistic regression on standardised columns.
type Fit struct {
	Intercept  float64
	Coef       []float64 // per standard deviation
	Mean, SD   []float64 // of the columns; SD is the population's, and 0 where the column is constant (Coef 0)
	Iterations int
	Gradient   float64 // largest absolute component at the end
}

// Logistic minimises
//
//	½·ridge·‖w‖² + Σ log(1 + exp(−y·(b + wᵀz))),  y = ±1, z = (x − mean)/sd
//
// by Newton's method with halved steps; the intercept b carries no penalty. With
// ridge > 0 the minimum exists and is unique even for separated data, so the
// result does not depend on where the search began. x is by column, finite, and
// not changed; yes has one entry a row, both outcomes among them. stop is asked,
// and progress told, once a step; both may be nil. It fails with ErrDiverged or
// ErrStopped.
//
// The objective is that of scikit-learn's LogisticRegression with C = 1/ridge.
// Newton: Hastie, T.; Tibshirani, R.; Friedman, J. (2009). The Elements of
// Statistical Learning, 2nd ed., section 4.4.1.
func Logistic(x [][]float64, yes []bool, ridge float64, stop func() bool, progress func(done, total int)) (Fit, error) {
	f := Fit{Coef: make([]float64, len(x)), Mean: make([]float64, len(x)), SD: make([]float64, len(x))}
	var used []int
	for j, col := range x {
		f.Mean[j], f.SD[j] = meanSD(col)
		if f.SD[j] > 0 {
			used = append(used, j)
		}
	}
	s := &search{fit: &f, x: x, yes: yes, used: used, ridge: ridge, w: make([]float64, len(used)+1), z: make([]float64, len(used)+1)}
	for _, j := range used {
		s.scale = append(s.scale, 1/f.SD[j])
	}
	s.w[0] = math.Log(share(yes) / (1 - share(yes)))
	if err := s.run(stop, progress); err != nil {
		return f, err
	}
	f.Intercept = s.w[0]
	for i, j := range used {
		f.Coef[j] = s.w[i+1]
	}
	return f, nil
}

// A search is the state of one minimisation. w[0] is the intercept.
type search struct {
	fit   *Fit
	x     [][]float64
	yes   []bool
	used  []int     // columns that vary
	scale []float64 // 1/SD of each of them
	ridge float64
	w, z  []float64
}

// steps bounds the Newton steps; ten are common, and each halves the error's
// digits at least near the minimum.
const steps = 100

func (s *search) run(stop func() bool, progress func(done, total int)) error {
	k := len(s.w)
	grad, hess := make([]float64, k), mat.NewSymDense(k, nil)
	step := mat.NewVecDense(k, nil)
	value := s.value(s.w)
	for s.fit.Iterations = range steps {
		if stop != nil && stop() {
			return ErrStopped
		}
		if progress != nil {
			progress(s.fit.Iterations, steps)
		}
		s.derive(grad, hess)
		s.fit.Gradient = 0
		for _, g := range grad {
			s.fit.Gradient = math.Max(s.fit.Gradient, math.Abs(g))
		}
		if s.fit.Gradient <= 1e-9*float64(len(s.yes)) {
			return nil
		}
		var chol mat.Cholesky
		if !chol.Factorize(hess) {
			return fmt.Errorf("%w: the features are so alike that no step can be computed", ErrDiverged)
		}
		if err := chol.SolveVecTo(step, mat.NewVecDense(k, grad)); err != nil {
			return fmt.Errorf("%w: %w", ErrDiverged, err)
		}
		next := make([]float64, k)
		for t := 1.0; ; t /= 2 {
			for i := range next {
				next[i] = s.w[i] - t*step.AtVec(i)
			}
			if v := s.value(next); v < value {
				s.w, value = next, v
				break
			}
			if t < 1e-10 { // no step goes down: the minimum, as far as float64 sees it
				if s.fit.Gradient <= 1e-6*float64(len(s.yes)) {
					return nil
				}
				return fmt.Errorf("%w after %d steps", ErrDiverged, s.fit.Iterations)
			}
		}
	}
	return fmt.Errorf("%w after %d steps", ErrDiverged, steps)
}

// row fills z with 1 and the standardised features of row i.
func (s *search) row(i int) {
	s.z[0] = 1
	for c, j := range s.used {
		s.z[c+1] = (s.x[j][i] - s.fit.Mean[j]) * s.scale[c]
	}
}

// value is the objective.
func (s *search) value(w []float64) float64 {
	var sum float64
	for _, c := range w[1:] {
		sum += s.ridge / 2 * c * c
	}
	for i, y := range s.yes {
		s.row(i)
		e := dot(w, s.z)
		if y {
			e = -e
		}
		// log(1+exp(e)) without overflow.
		sum += math.Max(e, 0) + math.Log1p(math.Exp(-math.Abs(e)))
	}
	return sum
}

// derive fills the gradient and the Hessian at w.
func (s *search) derive(grad []float64, hess *mat.SymDense) {
	k := len(s.w)
	raw := hess.RawSymmetric().Data // upper triangle, row by row
	clear(raw)
	clear(grad)
	for i, y := range s.yes {
		s.row(i)
		p := sigmoid(dot(s.w, s.z))
		r := p
		if y {
			r--
		}
		weight := p * (1 - p)
		for a, za := range s.z {
			grad[a] += r * za
			row, wz := raw[a*k:(a+1)*k], weight*za
			for b := a; b < k; b++ {
				row[b] += wz * s.z[b]
			}
		}
	}
	for a := 1; a < k; a++ {
		grad[a] += s.ridge * s.w[a]
		raw[a*k+a] += s.ridge
	}
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// sigmoid is 1/(1+exp(−x)), without overflow.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

func share(yes []bool) float64 {
	n := 0
	for _, y := range yes {
		if y {
			n++
		}
	}
	return float64(n) / float64(len(yes))
}

// meanSD is the mean and the population's standard deviation, in two passes. The
// deviation of a column that varies by rounding alone is 0.
func meanSD(col []float64) (mean, sd float64) {
	if len(col) == 0 {
		return 0, 0
	}
	n := float64(len(col))
	for _, x := range col {
		mean += x / n
	}
	var ss, most float64
	for _, x := range col {
		ss += (x - mean) * (x - mean) / n
		most = math.Max(most, math.Abs(x))
	}
	if sd = math.Sqrt(ss); sd <= 1e-12*most {
		return mean, 0
	}
	return mean, sd
}
