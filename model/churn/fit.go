package churn

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
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
// result does not depend on where the search began: with many users it begins at
// the minimum of a sample of them, and two or three steps over all are left. x is
// by column, finite, and not changed; yes has one entry a row, both outcomes
// among them. Of how, Stop is asked, and Progress told, once a step. It fails
// with ErrDiverged or ErrStopped.
//
// The objective is that of scikit-learn's LogisticRegression with C = 1/ridge.
// Newton: Hastie, T.; Tibshirani, R.; Friedman, J. (2009). The Elements of
// Statistical Learning, 2nd ed., section 4.4.1.
func Logistic(x [][]float64, yes []bool, ridge float64, how Job) (Fit, error) {
	how = how.filled()
	mean, sd := make([]float64, len(x)), make([]float64, len(x))
	how.Parallel(len(x), func(j int) { mean[j], sd[j] = meanSD(x[j]) })
	return logistic(x, yes, mean, sd, ridge, how)
}

// logistic is Logistic of columns whose mean and spread are known.
func logistic(x [][]float64, yes []bool, mean, sd []float64, ridge float64, how Job) (Fit, error) {
	how = how.filled()
	f := Fit{Coef: make([]float64, len(x)), Mean: mean, SD: sd}
	s := &search{fit: &f, x: x, yes: yes, ridge: ridge, how: how, stride: 1}
	for j, sd := range f.SD {
		if sd > 0 {
			s.used, s.scale = append(s.used, j), append(s.scale, 1/sd)
		}
	}
	base := share(yes)
	s.w = make([]float64, len(s.used)+1)
	s.w[0] = math.Log(base / (1 - base))
	at, begun := slope{}, false
	if stride := len(yes) / sampleRows; stride > 1 {
		sample := *s
		sample.stride, sample.ridge, sample.w = stride, ridge/float64(stride), slices.Clone(s.w)
		sample.how.Progress = func(int, int) {}
		err := sample.run(sample.derive(sample.w))
		if errors.Is(err, ErrStopped) {
			return f, err
		}
		if err == nil {
			// A sample may hold one outcome alone, and lead astray: its minimum must
			// be better than saying the base rate of everybody.
			at = s.derive(sample.w)
			begun = at.value < float64(len(yes))*entropy(base)
		}
		if begun {
			s.w = sample.w
		}
	}
	if !begun {
		at = s.derive(s.w)
	}
	if err := s.run(at); err != nil {
		return f, err
	}
	f.Intercept = s.w[0]
	for i, j := range s.used {
		f.Coef[j] = s.w[i+1]
	}
	return f, nil
}

// A Job is how a fit is carried out; no part of it changes the result. The zero
// value works alone and in silence.
type Job struct {
	// Parallel calls f(0) … f(n−1), in any order and perhaps at once, and returns
	// when all are done; nil: one after the other.
	Parallel func(n int, f func(i int))
	Stop     func() bool           // asked at every step; may be nil
	Progress func(done, total int) // told at every step; may be nil
}

func (j Job) filled() Job {
	if j.Parallel == nil {
		j.Parallel = inTurn
	}
	if j.Stop == nil {
		j.Stop = func() bool { return false }
	}
	if j.Progress == nil {
		j.Progress = func(int, int) {}
	}
	return j
}

func inTurn(n int, f func(i int)) {
	for i := range n {
		f(i)
	}
}

const (
	sampleRows = 1 << 15 // users of the first search, about
	partRows   = 1 << 13 // users whose sums one call of Parallel makes
	blockRows  = 1 << 7  // users whose features are laid out at once: they stay in the processor's cache
)

// A search is the state of one minimisation. w[0] is the intercept.
type search struct {
	fit    *Fit
	x      [][]float64
	yes    []bool
	stride int       // every so many users are looked at
	used   []int     // columns that vary
	scale  []float64 // 1/SD of each of them
	ridge  float64
	w      []float64
	how    Job
}

// steps bounds the Newton steps; ten are common, and each halves the error's
// digits at least near the minimum.
const steps = 100

// run goes down from s.w, whose slope is at.
func (s *search) run(at slope) error {
	k := len(s.w)
	rows := float64(s.rows())
	step, next := mat.NewVecDense(k, nil), make([]float64, k)
	for s.fit.Iterations = range steps {
		if s.how.Stop() {
			return ErrStopped
		}
		s.how.Progress(s.fit.Iterations, steps)
		s.fit.Gradient = at.steep()
		if s.fit.Gradient <= 1e-9*rows {
			return nil
		}
		var chol mat.Cholesky
		if !chol.Factorize(mat.NewSymDense(k, at.hess)) {
			return fmt.Errorf("%w: the features are so alike that no step can be computed", ErrDiverged)
		}
		if err := chol.SolveVecTo(step, mat.NewVecDense(k, at.grad)); err != nil {
			return fmt.Errorf("%w: %w", ErrDiverged, err)
		}
		value := at.value
		for t := 1.0; ; t /= 2 {
			for i := range next {
				next[i] = s.w[i] - t*step.AtVec(i)
			}
			// A whole step mostly goes down: its derivatives will be wanted. Near the
			// minimum the value falls by less than its own rounding, the gradient shows.
			if t == 1 {
				if at = s.derive(next); at.value < value || at.value <= value*(1+1e-13) && at.steep() < s.fit.Gradient/2 {
					break
				}
			} else if s.value(next) < value {
				at = s.derive(next)
				break
			}
			if t < 1e-10 { // no step goes down: the minimum, as far as float64 sees it
				if s.fit.Gradient <= 1e-6*rows {
					return nil
				}
				return fmt.Errorf("%w after %d steps", ErrDiverged, s.fit.Iterations)
			}
		}
		copy(s.w, next)
	}
	return fmt.Errorf("%w after %d steps", ErrDiverged, steps)
}

// rows is the number of users looked at.
func (s *search) rows() int { return (len(s.yes) + s.stride - 1) / s.stride }

// A slope is the objective at a point with its derivatives. hess is the upper
// triangle, row by row.
type slope struct {
	value      float64
	grad, hess []float64
}

// steep is the largest component of the gradient.
func (s *slope) steep() (g float64) {
	for _, x := range s.grad {
		g = math.Max(g, math.Abs(x))
	}
	return g
}

// value is the objective.
func (s *search) value(w []float64) float64 { return s.sum(w, false).value }

// derive is the objective at w, its gradient and its Hessian.
func (s *search) derive(w []float64) slope { return s.sum(w, true) }

// sum adds up the parts, in their order whoever makes them.
func (s *search) sum(w []float64, derive bool) slope {
	n, k := s.rows(), len(w)
	parts := make([]slope, (n+partRows-1)/partRows)
	s.how.Parallel(len(parts), func(i int) {
		parts[i] = s.part(w, i*partRows, min(n, (i+1)*partRows), derive)
	})
	all := slope{grad: make([]float64, k), hess: make([]float64, k*k)}
	for _, c := range w[1:] {
		all.value += s.ridge / 2 * c * c
	}
	for _, p := range parts {
		all.value += p.value
		if derive {
			floats.Add(all.grad, p.grad)
			floats.Add(all.hess, p.hess)
		}
	}
	for a := 1; a < k; a++ {
		all.grad[a] += s.ridge * w[a]
		all.hess[a*k+a] += s.ridge
	}
	return all
}

// part is the slope of the users [from, to), block by block: z holds one row a
// feature and one column a user, of which the intercept's row is 1.
func (s *search) part(w []float64, from, to int, derive bool) slope {
	k := len(w)
	out := slope{}
	z, v := make([]float64, k*blockRows), make([]float64, k*blockRows)
	e, r := make([]float64, blockRows), make([]float64, blockRows)
	h := blas64.Symmetric{N: k, Stride: k, Uplo: blas.Upper}
	if derive {
		out.grad, out.hess = make([]float64, k), make([]float64, k*k)
		h.Data = out.hess
	}
	for i := range blockRows {
		z[i] = 1
	}
	for ; from < to; from += blockRows {
		n := min(blockRows, to-from)
		for c, j := range s.used {
			col, row := s.x[j], z[(c+1)*blockRows:][:n]
			mean, scale := s.fit.Mean[j], s.scale[c]
			if s.stride == 1 {
				col = col[from:][:n]
				for i, x := range col {
					row[i] = (x - mean) * scale
				}
			} else {
				for i := range row {
					row[i] = (col[(from+i)*s.stride] - mean) * scale
				}
			}
		}
		block := blas64.General{Rows: k, Cols: n, Stride: blockRows, Data: z}
		blas64.Gemv(blas.Trans, 1, block, blas64.Vector{N: k, Inc: 1, Data: w}, 0, blas64.Vector{N: n, Inc: 1, Data: e})
		for i, x := range e[:n] {
			yes := s.yes[(from+i)*s.stride]
			// One exponential serves log(1+exp(±x)), without overflow, and p.
			small := math.Exp(-math.Abs(x))
			if (x > 0) != yes {
				out.value += math.Abs(x)
			}
			out.value += math.Log1p(small)
			p := 1 / (1 + small)
			if x < 0 {
				p = small / (1 + small)
			}
			r[i], e[i] = p, math.Sqrt(p*(1-p))
			if yes {
				r[i]--
			}
		}
		if !derive {
			continue
		}
		blas64.Gemv(blas.NoTrans, 1, block, blas64.Vector{N: n, Inc: 1, Data: r}, 1, blas64.Vector{N: k, Inc: 1, Data: out.grad})
		for c := range k {
			floats.MulTo(v[c*blockRows:][:n], z[c*blockRows:][:n], e[:n])
		}
		blas64.Syrk(blas.NoTrans, 1, blas64.General{Rows: k, Cols: n, Stride: blockRows, Data: v}, 1, h)
	}
	return out
}

// sigmoid is 1/(1+exp(−x)), without overflow.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// entropy is the log loss, in nats a user, of always saying a share of (0, 1).
func entropy(p float64) float64 { return -p*math.Log(p) - (1-p)*math.Log(1-p) }

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
	// Sums of blocks, so that a million users round no worse than a thousand.
	for part := range slices.Chunk(col, 1<<10) {
		mean += floats.Sum(part) / n
	}
	var ss, least, most float64
	for part := range slices.Chunk(col, 1<<10) {
		var sum float64
		for _, x := range part {
			d := x - mean
			sum += d * d
			if x > most {
				most = x
			} else if x < least {
				least = x
			}
		}
		ss += sum / n
	}
	if sd = math.Sqrt(ss); sd <= 1e-12*max(most, -least) {
		return mean, 0
	}
	return mean, sd
}
