package survival

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"dwell/model/stat"
)

// A Proportionality says whether effects stay the same over time: a test for each
// measure and one for all, and the residuals to look at.
type Proportionality struct {
	Each   []Test
	Global Test
	// Times has one entry for each death, ascending; Residual[j][i] is the scaled
	// Schoenfeld residual of measure j there: near the coefficient that held at
	// that time.
	Times    []float64
	Residual [][]float64
}

// Proportional tests the assumption of the model: that βj + γj·g(t), with g one
// minus the Kaplan–Meier curve, has γj = 0. It is the score test of γ at the fitted
// β; the residuals are Schoenfeld's, scaled by the mean covariance of a death.
//
// Grambsch, P. M.; Therneau, T. M. (1994). "Proportional Hazards Tests and
// Diagnostics Based on Weighted Residuals". Biometrika 81 (3): 515–526. The score
// form is that of R's survival from version 3.
func (f *CoxFit) Proportional() (*Proportionality, error) {
	p := len(f.Coefficients)
	beta := f.standard()
	g, err := f.data.transform()
	if err != nil {
		return nil, err
	}
	out := &Proportionality{Residual: make([][]float64, p)}
	u := mat.NewVecDense(2*p, nil) // its first half is 0 at the maximum
	info := mat.NewSymDense(2*p, nil)
	type residual struct {
		time float64
		at   []float64
	}
	var rs []residual
	f.data.partial(beta, func(m *moment) {
		w := g(m.time)
		for a := range p {
			u.SetVec(p+a, u.AtVec(p+a)+w*m.u[a])
			for b := range a + 1 {
				v := m.info[a*p+b]
				info.SetSym(a, b, info.At(a, b)+v)
				info.SetSym(p+a, p+b, info.At(p+a, p+b)+w*w*v)
				info.SetSym(a, p+b, info.At(a, p+b)+w*v)
				if a != b {
					info.SetSym(b, p+a, info.At(b, p+a)+w*v)
				}
			}
		}
		for _, i := range m.died {
			r := residual{m.time, make([]float64, p)}
			for a := range p {
				r.at[a] = (f.data.z[i][a] - m.mean[a]) * f.data.sd[a]
			}
			rs = append(rs, r)
		}
	})
	slices.Reverse(rs) // the walk went backwards
	for _, r := range rs {
		out.Times = append(out.Times, r.time)
		for j := range p {
			sum := 0.0
			for a := range p {
				sum += f.Cov.At(j, a) * r.at[a]
			}
			out.Residual[j] = append(out.Residual[j], f.Coefficients[j].Coef+float64(f.Died)*sum)
		}
	}
	for j := range p {
		t, err := scoreTest(info, u, append(ints(p), p+j), 1)
		if err != nil {
			return nil, &ColumnError{j, err}
		}
		out.Each = append(out.Each, t)
	}
	out.Global, err = scoreTest(info, u, ints(2*p), p)
	return out, err
}

func ints(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// scoreTest is u′·info⁻¹·u over some of the places.
func scoreTest(info *mat.SymDense, u *mat.VecDense, at []int, df int) (Test, error) {
	n := len(at)
	w, v := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for a, i := range at {
		if a >= n-df { // the first half is 0 but for rounding
			v.SetVec(a, u.AtVec(i))
		}
		for b, j := range at {
			w.SetSym(a, b, info.At(i, j))
		}
	}
	var c mat.Cholesky
	if !c.Factorize(w) {
		return Test{}, ErrTooFew // too few times with deaths to see a change over them
	}
	var x mat.VecDense
	if err := c.SolveVecTo(&x, v); err != nil {
		return Test{}, ErrTooFew
	}
	return chiSquared(mat.Dot(v, &x), df), nil
}

// transform is one minus the Kaplan–Meier curve just before t, less its mean over
// the deaths.
func (d *coxData) transform() (func(t float64) float64, error) {
	e, err := Estimated(d.lives, stat.Level)
	if err != nil {
		return nil, err
	}
	before := map[float64]float64{}
	s, mean := 1.0, 0.0
	for _, st := range e.Curve {
		before[st.Days] = 1 - s
		mean += (1 - s) * float64(st.Churned) / float64(d.deaths)
		s = st.S
	}
	return func(t float64) float64 { return before[t] - mean }, nil
}

// Baseline is the survival of a user whose measures are all at their mean, by
// Breslow's estimate of the hazard: one step for each time with a death,
// ascending.
//
// Breslow, N. (1972), in the discussion of Cox (1972).
func (f *CoxFit) Baseline() (times, s []float64) {
	var d []float64
	f.data.partial(f.standard(), func(m *moment) {
		times = append(times, m.time)
		d = append(d, float64(len(m.died))/m.s0)
	})
	slices.Reverse(times)
	slices.Reverse(d)
	h := 0.0
	for _, x := range d {
		h += x
		s = append(s, math.Exp(-h))
	}
	return times, s
}

// concordance is the share of comparable pairs in which the one with the higher
// risk died first; equal risks count half. A pair is comparable if one died while
// the other was at risk and lived on. It is ½ where there are none.
//
// Harrell, F. E.; Lee, K. L.; Mark, D. B. (1996). Statistics in Medicine 15 (4):
// 361–387. A tree of counts by risk makes it n·log n.
func (d *coxData) concordance(beta []float64) float64 {
	risk := make([]float64, len(d.lives))
	for i, z := range d.z {
		risk[i] = dot(beta, z)
	}
	sorted := slices.Clone(risk)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	place := func(i int) int { at, _ := slices.BinarySearch(sorted, risk[i]); return at }
	tree := make(stat.Fenwick, len(sorted)+1)
	var all, pairs, good int64 // good counts halves
	gone := 0
	for i := 0; i < len(d.lives); {
		from := i
		t := d.lives[i].Time
		for ; i < len(d.lives) && d.lives[i].Time == t; i++ {
			if !d.lives[i].Died {
				tree.Add(place(i), 1)
				all++
			}
		}
		for ; gone < len(d.late) && d.lives[d.late[gone]].Entry >= t; gone++ {
			tree.Add(place(d.late[gone]), -1)
			all--
		}
		for k := from; k < i; k++ {
			if d.lives[k].Died {
				below, upTo := tree.Below(place(k)), tree.Below(place(k)+1)
				pairs += all
				good += below + upTo // 2·lower + equal
			}
		}
		for k := from; k < i; k++ {
			if d.lives[k].Died {
				tree.Add(place(k), 1)
				all++
			}
		}
	}
	if pairs == 0 {
		return 0.5
	}
	return float64(good) / 2 / float64(pairs)
}
