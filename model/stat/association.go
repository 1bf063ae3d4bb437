package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Fourfold counts users by two yes-or-no facts: whether they did something, and
// whether an outcome followed.
type Fourfold struct {
	Both   int64 // did it, outcome
	Did    int64 // did it, no outcome
	Result int64 // did not, outcome
	None   int64 // neither
}

// N is how many users there are.
func (f Fourfold) N() int64 { return f.Both + f.Did + f.Result + f.None }

// Above is the outcome's share of those who did it (its precision as a sign of the
// outcome); ok is false if nobody did.
func (f Fourfold) Above() (p float64, ok bool) { return quotient(f.Both, f.Both+f.Did) }

// Below is the outcome's share of those who did not; ok is false if all did.
func (f Fourfold) Below() (p float64, ok bool) { return quotient(f.Result, f.Result+f.None) }

// Recall is the share of those with the outcome who did it; ok is false if nobody
// has the outcome.
func (f Fourfold) Recall() (p float64, ok bool) { return quotient(f.Both, f.Both+f.Result) }

// Lift is the outcome's share of those who did it over its share of all; ok is
// false if nobody did it or nobody has the outcome.
func (f Fourfold) Lift() (x float64, ok bool) {
	p, ok1 := f.Above()
	all, ok2 := quotient(f.Both+f.Result, f.N())
	if !ok1 || !ok2 || all == 0 {
		return 0, false
	}
	return p / all, true
}

func quotient(x, n int64) (float64, bool) {
	if n == 0 {
		return 0, false
	}
	return float64(x) / float64(n), true
}

// Phi is the correlation of the two facts, in [−1, 1]; ok is false where one of
// them does not vary.
//
// Yule, G. U. (1912). "On the Methods of Measuring Association Between Two
// Attributes". J. Royal Stat. Soc. 75 (6): 579–652.
func (f Fourfold) Phi() (phi float64, ok bool) {
	a, b, c, d := float64(f.Both), float64(f.Did), float64(f.Result), float64(f.None)
	den := math.Sqrt(a+b) * math.Sqrt(c+d) * math.Sqrt(a+c) * math.Sqrt(b+d)
	if den == 0 {
		return 0, false
	}
	return (a*d - b*c) / den, true
}

// Needed is how many more users would have to do it for one more outcome, were it
// the cause: 1/(Above − Below). ok is false where doing it does not go with more
// of the outcome.
//
// Laupacis, A.; Sackett, D. L.; Roberts, R. S. (1988). "An Assessment of
// Clinically Useful Measures of the Consequences of Treatment". N. Engl. J. Med.
// 318: 1728–1733.
func (f Fourfold) Needed() (n float64, ok bool) {
	p, ok1 := f.Above()
	q, ok2 := f.Below()
	if !ok1 || !ok2 || p <= q {
		return 0, false
	}
	return 1 / (p - q), true
}

// exactBelow is the least expected count of a cell under which the chi-squared
// approximation is left for the exact test.
const exactBelow = 5

// P is the two-sided p of no association: Pearson's chi-squared without
// correction, or Fisher's exact test where a cell is expected to hold fewer than
// 5 users. It is 1 where one of the facts does not vary.
//
// Fisher, R. A. (1935). "The Logic of Inductive Inference". J. Royal Stat. Soc. 98
// (1): 39–82. Two sides: all tables at most as likely as the one seen.
func (f Fourfold) P() float64 {
	phi, ok := f.Phi()
	if !ok {
		return 1
	}
	n := float64(f.N())
	did, out := float64(f.Both+f.Did), float64(f.Both+f.Result)
	least := math.Min(did, n-did) * math.Min(out, n-out) / n
	if least >= exactBelow {
		return distuv.ChiSquared{K: 1}.Survival(n * phi * phi)
	}
	return f.fisher()
}

func (f Fourfold) fisher() float64 {
	did, out, n := int(f.Both+f.Did), int(f.Both+f.Result), int(f.N())
	logp := func(x int) float64 {
		return logChoose(out, x) + logChoose(n-out, did-x) - logChoose(n, did)
	}
	seen := logp(int(f.Both))
	p := 0.0
	for x := max(0, did+out-n); x <= min(did, out); x++ {
		if l := logp(x); l <= seen+1e-7 { // rounding must not lose the table itself
			p += math.Exp(l)
		}
	}
	return math.Min(p, 1)
}

// BenjaminiHochberg gives for each p the smallest false discovery rate at which it
// would be called a finding. Of many tests some are small by chance: of those with
// q ≤ 0.05 about one in twenty is. ps is in any order and not changed.
//
// Benjamini, Y.; Hochberg, Y. (1995). "Controlling the False Discovery Rate".
// J. Royal Stat. Soc. B 57 (1): 289–300.
func BenjaminiHochberg(ps []float64) []float64 {
	ord := make([]int, len(ps))
	for i := range ord {
		ord[i] = i
	}
	slices.SortStableFunc(ord, func(a, b int) int {
		switch {
		case ps[a] < ps[b]:
			return -1
		case ps[a] > ps[b]:
			return 1
		}
		return 0
	})
	qs := make([]float64, len(ps))
	least := 1.0
	for k := len(ord) - 1; k >= 0; k-- {
		least = math.Min(least, ps[ord[k]]*float64(len(ps))/float64(k+1))
		qs[ord[k]] = least
	}
	return qs
}
