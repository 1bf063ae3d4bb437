package churn

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"dwell/model/stat"
)

// Draws of users for the intervals of coefficients: at most so many, fewer where
// there are many users (resampleWork bounds users × features × draws), and never
// fewer than leastRounds.
const (
	mostRounds   = 200
	leastRounds  = 50
	resampleWork = 1_000_000_000
)

// resample sets the coefficients' intervals: the coefficient ± 1.96 standard
// deviations of those of fits to users drawn with replacement, the penalty and
// the standardisation kept. They say how far another such sample of users might
// have moved the penalised coefficient, which is not how far it lies from the
// unpenalised truth; standard errors say the latter, and only without a penalty.
//
// Each fit is one Newton step from the whole sample's minimum with the draw's own
// gradient and the whole sample's Hessian, which is exact to first order: the
// bootstrap of a one-step estimator.
//
// Davidson, R.; MacKinnon, J. G. (1999). "Bootstrap Testing in Nonlinear Models".
// International Economic Review 40 (2): 487–508.
func (m *Model) resample(x [][]float64, yes []bool, fit *Fit, o Options) error {
	n, k := len(yes), len(x)
	rounds := resampleWork / max(1, n*k)
	rounds = max(leastRounds, min(mostRounds, rounds))
	s := &search{fit: &Fit{Mean: fit.Mean, SD: fit.SD}, x: x, yes: yes, ridge: o.Ridge, how: o.job().filled(), stride: 1, w: make([]float64, 1, k+1)}
	s.w[0] = fit.Intercept
	for j, sd := range fit.SD {
		if sd > 0 {
			s.used, s.scale, s.w = append(s.used, j), append(s.scale, 1/sd), append(s.w, fit.Coef[j])
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(mat.NewSymDense(len(s.w), s.derive(s.w).hess)) {
		return nil // no step can be computed: no intervals
	}
	// Residuals by user; a draw's gradient is their weighted sum.
	r := make([]float64, n)
	for i, y := range yes {
		e := s.w[0]
		for c, j := range s.used {
			e += s.w[c+1] * (x[j][i] - fit.Mean[j]) * s.scale[c]
		}
		if r[i] = sigmoid(e); y {
			r[i]--
		}
	}
	steps := make([]*mat.VecDense, rounds)
	s.how.Parallel(rounds, func(b int) {
		if s.how.Stop() {
			return
		}
		rng := rand.New(rand.NewPCG(uint64(b), uint64(n)))
		weights := make([]float64, n)
		for range n {
			weights[rng.IntN(n)]++
		}
		sum := 0.0
		for i := range weights {
			weights[i] *= r[i]
			sum += weights[i]
		}
		grad := mat.NewVecDense(len(s.w), nil)
		grad.SetVec(0, sum)
		for c, j := range s.used {
			g, mean := 0.0, fit.Mean[j]
			for i, v := range x[j] {
				g += weights[i] * (v - mean)
			}
			grad.SetVec(c+1, g*s.scale[c]+s.ridge*s.w[c+1])
		}
		step := mat.NewVecDense(len(s.w), nil)
		if chol.SolveVecTo(step, grad) == nil {
			steps[b] = step
		}
	})
	moments := make([]stat.Moments, len(s.w))
	for _, step := range steps {
		if step == nil {
			if s.how.Stop() {
				return ErrStopped
			}
			return nil
		}
		for c := range moments {
			moments[c].Add(step.AtVec(c))
		}
	}
	m.Resampled = rounds
	for c, j := range s.used {
		f := &m.Features[j]
		sd, ok := moments[c+1].StdDev()
		if !ok || math.IsNaN(sd) {
			m.Resampled = 0
			return nil
		}
		wide := 1.959964 * sd / f.SD
		f.CoefLo, f.CoefHi = f.Coef-wide, f.Coef+wide
	}
	return nil
}
