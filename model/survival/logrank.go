package survival

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Test is a chi-squared test.
type Test struct {
	Chi2 float64
	DF   int
	P    float64
}

func chiSquared(x float64, df int) Test {
	x = max(x, 0) // rounding may leave −1e-17 for equal data
	return Test{x, df, distuv.ChiSquared{K: float64(df)}.Survival(x)}
}

// A LogRankTest says whether groups die at different rates.
type LogRankTest struct {
	Test
	Observed []float64 // deaths of each group
	Expected []float64 // … if the groups' hazards were equal
}

// ErrOneGroup says that there is nothing to compare.
var ErrOneGroup = errors.New("two groups with users at risk at a common time are needed to compare them")

// LogRank compares the hazards of two or more groups. At each time with deaths
// the deaths expected of a group are its share of those at risk; the test sums
// observed minus expected with their hypergeometric covariance. A group that
// nobody was at risk in at any death takes no part and no degree of freedom.
// Groups are not modified. It fails with ErrBadLife, ErrNoDeath or ErrOneGroup.
//
// Mantel, N. (1966). "Evaluation of Survival Data and Two New Rank Order
// Statistics Arising in Its Consideration". Cancer Chemotherapy Reports 50 (3):
// 163–170. Peto, R.; Peto, J. (1972). J. R. Stat. Soc. A 135 (2): 185–207.
func LogRank(groups ...[]Life) (*LogRankTest, error) {
	k := len(groups)
	t := &LogRankTest{Observed: make([]float64, k), Expected: make([]float64, k)}
	es := make([]*Estimate, k)
	type death struct {
		time  float64
		group int
		n     int64
	}
	var deaths []death
	for g, lives := range groups {
		if len(lives) == 0 {
			continue
		}
		e, err := Estimated(lives, 0.95)
		if err != nil {
			return nil, fmt.Errorf("group %d: %w", g+1, err)
		}
		es[g] = e
		for _, s := range e.Curve {
			deaths = append(deaths, death{s.Days, g, s.Churned})
		}
	}
	if len(deaths) == 0 {
		return nil, ErrNoDeath
	}
	slices.SortFunc(deaths, func(a, b death) int { return cmp.Or(cmp.Compare(a.time, b.time), a.group-b.group) })
	v := mat.NewSymDense(k, nil)
	risk, died := make([]float64, k), make([]float64, k)
	for i := 0; i < len(deaths); {
		clear(died)
		at := deaths[i].time
		var n, d float64
		for ; i < len(deaths) && deaths[i].time == at; i++ {
			died[deaths[i].group] = float64(deaths[i].n)
			d += float64(deaths[i].n)
		}
		for g, e := range es {
			risk[g] = 0
			if e != nil {
				risk[g] = float64(e.AtRisk(at))
			}
			n += risk[g]
		}
		c := 0.0 // of the hypergeometric covariance
		if n > 1 {
			c = d * (n - d) / (n - 1)
		}
		for g := range groups {
			t.Observed[g] += died[g]
			t.Expected[g] += d * risk[g] / n
			for h := g; h < k; h++ {
				x := -risk[g] / n * risk[h] / n
				if g == h {
					x += risk[g] / n
				}
				v.SetSym(g, h, v.At(g, h)+c*x)
			}
		}
	}
	var in []int // groups that take part; the last follows from the others
	for g := range groups {
		if t.Expected[g] > 0 {
			in = append(in, g)
		}
	}
	if len(in) < 2 {
		return nil, ErrOneGroup
	}
	in = in[:len(in)-1]
	u := mat.NewVecDense(len(in), nil)
	w := mat.NewSymDense(len(in), nil)
	for a, g := range in {
		u.SetVec(a, t.Observed[g]-t.Expected[g])
		for b, h := range in {
			w.SetSym(a, b, v.At(g, h))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(w) {
		return nil, ErrOneGroup // no two of the groups were ever at risk together
	}
	var x mat.VecDense
	if err := chol.SolveVecTo(&x, u); err != nil {
		return nil, fmt.Errorf("the groups overlap too little to be compared: %w", err)
	}
	t.Test = chiSquared(mat.Dot(u, &x), len(in))
	return t, nil
}
