package survival

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"dwell/model/stat"
)

// slowCox is Efron's (or Breslow's) partial log-likelihood, term by term.
func slowCox(lives []Life, x [][]float64, beta []float64, ties Ties) (l float64) {
	eta := make([]float64, len(lives))
	for i := range lives {
		for j := range x {
			eta[i] += beta[j] * x[j][i]
		}
	}
	for day := 0.0; day <= 13; day++ {
		var all, tied float64
		var died []int
		for i, v := range lives {
			if !v.atRisk(day) {
				continue
			}
			all += math.Exp(eta[i])
			if v.Died && v.Time == day {
				died = append(died, i)
				tied += math.Exp(eta[i])
			}
		}
		for k, i := range died {
			part := float64(k) / float64(len(died))
			if ties == Breslow {
				part = 0
			}
			l += eta[i] - math.Log(all-part*tied)
		}
	}
	return l
}

func slowConcordance(lives []Life, risk []float64) float64 {
	var pairs, good float64
	for i, a := range lives {
		for j, b := range lives {
			if i == j || !a.Died || !b.atRisk(a.Time) || b.Died && b.Time == a.Time {
				continue
			}
			pairs++
			if risk[i] > risk[j] {
				good++
			} else if risk[i] == risk[j] {
				good += 0.5
			}
		}
	}
	if pairs == 0 {
		return 0.5
	}
	return good / pairs
}

func TestCoxIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lives := single(drawLives(t, "lives", 8, true))
		x := make([][]float64, 2)
		for j := range x {
			for range lives {
				x[j] = append(x[j], float64(rapid.IntRange(0, 4).Draw(t, "x")))
			}
		}
		ties := rapid.SampledFrom([]Ties{Efron, Breslow}).Draw(t, "ties")
		f, err := Cox(lives, x, ties, stat.Level, nil)
		if err != nil {
			return // few lives may be separated, or nobody may have died
		}
		b := make([]float64, 2)
		risk := make([]float64, len(lives))
		for j, c := range f.Coefficients {
			b[j] = c.Coef
		}
		for i := range lives {
			risk[i] = math.Round((b[0]*x[0][i]+b[1]*x[1][i])*1e9) / 1e9
		}
		near(t, "log-likelihood", f.LogLik, slowCox(lives, x, b, ties), 1e-9)
		near(t, "without measures", f.LogLik0, slowCox(lives, x, []float64{0, 0}, ties), 1e-9)
		for j := range b {
			for _, d := range []float64{-1e-3, 1e-3} {
				moved := slices.Clone(b)
				moved[j] += d
				if l := slowCox(lives, x, moved, ties); l > f.LogLik+1e-9 {
					t.Fatalf("%v is better than %v", moved, b)
				}
			}
		}
		if want := slowConcordance(lives, risk); math.Abs(f.Concordance-want) > 0.02 {
			t.Fatalf("concordance %v, want %v", f.Concordance, want)
		}
		// Other units give the same answer in those units.
		y := [][]float64{slices.Clone(x[0]), slices.Clone(x[1])}
		for i := range y[0] {
			y[0][i] = 1000*y[0][i] - 7
		}
		g, err := Cox(lives, y, ties, stat.Level, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "coefficient per thousand", 1000*g.Coefficients[0].Coef, b[0], 1e-6)
		near(t, "z in other units", g.Coefficients[0].Z, f.Coefficients[0].Z, 1e-6)
	})
}

func TestConcordanceIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lives := single(drawLives(t, "lives", 3, true))
		var col []float64
		for range lives {
			col = append(col, float64(rapid.IntRange(0, 4).Draw(t, "x")))
		}
		d, _, err := newCox(lives, [][]float64{col}, Efron)
		if err != nil {
			return
		}
		risk := make([]float64, len(d.lives))
		for i := range risk {
			risk[i] = d.z[i][0]
		}
		near(t, "concordance", d.concordance([]float64{1}), slowConcordance(d.lives, risk), 1e-12)
	})
}

// The fit stands where the gradient is 0 to rounding: the peers' last digits are
// theirs.
func TestCoxIsAtItsMaximum(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var lives []Life
	x := make([][]float64, 3)
	for range 400 {
		a, b, c := rng.NormFloat64(), float64(rng.IntN(2)), 40+9*rng.NormFloat64()
		at := math.Ceil(20 * rng.ExpFloat64() * math.Exp(-0.5*a+0.8*b))
		lives = append(lives, Life{Time: math.Min(at, 30), Died: at <= 30, Count: 1})
		for j, v := range []float64{a, b, c} {
			x[j] = append(x[j], v)
		}
	}
	f, err := Cox(lives, x, Efron, stat.Level, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := f.data.partial(f.standard(), nil)
	if n := mat.Norm(at.u, math.Inf(1)); n > 1e-9 {
		t.Errorf("the gradient is %v", n)
	}
	for j, want := range []float64{0.5, -0.8, 0} {
		if c := f.Coefficients[j]; math.Abs(c.Coef-want) > 4*c.SE {
			t.Errorf("coefficient %d is %v ± %v, want %v", j, c.Coef, c.SE, want)
		}
	}
	ph, err := f.Proportional()
	if err != nil {
		t.Fatal(err)
	}
	if ph.Global.P < 0.001 {
		t.Errorf("hazards that are proportional by construction are refused with p = %v", ph.Global.P)
	}
	for j := range x { // the residuals lie about the coefficient
		mean := 0.0
		for _, r := range ph.Residual[j] {
			mean += r / float64(len(ph.Times))
		}
		near(t, "mean residual", mean, f.Coefficients[j].Coef, 1e-9)
	}
	if len(ph.Times) != int(f.Died) || !slices.IsSorted(ph.Times) {
		t.Errorf("%d residuals of %d deaths", len(ph.Times), f.Died)
	}
}
