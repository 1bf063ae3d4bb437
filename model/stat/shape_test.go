package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"pgregory.net/rapid"
)

// 1 … 5: Σ i·x = 55, G = 110/75 − 6/5 = 4/15 by hand (R's ineq::Gini gives the
// same). The top fifth holds 5 of 15.
func TestLorenz(t *testing.T) {
	l := NewLorenz([]float64{1, 2, 3, 4, 5})
	g, ok := l.Gini()
	near(t, "Gini of 1…5", g, 4.0/15, 1e-12)
	top, _ := l.Top(1)
	near(t, "top fifth", top, 1.0/3, 1e-12)
	if bottom, _ := l.Bottom(2); bottom != 0.2 || !ok {
		t.Errorf("bottom two hold %v", bottom)
	}
	if g, _ := NewLorenz([]float64{0, 0, 0, 9}).Gini(); g != 0.75 {
		t.Errorf("one of four has all: %v", g)
	}
	if _, ok := NewLorenz([]float64{0, 0}).Gini(); ok {
		t.Error("nothing has a Gini")
	}
	if _, ok := NewLorenz(nil).Gini(); ok {
		t.Error("nobody has a Gini")
	}
}

// Gini is half the mean absolute difference over the mean; the jackknife leaves
// out one user after another.
func TestLorenzAgainstTheSlowWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(0.5, 50), 3, 20).Draw(t, "xs")
		slices.Sort(xs)
		slow := func(xs []float64) float64 {
			d, sum := 0.0, 0.0
			for _, a := range xs {
				sum += a
				for _, b := range xs {
					d += math.Abs(a - b)
				}
			}
			return d / (2 * float64(len(xs)) * sum)
		}
		l := NewLorenz(xs)
		g, _ := l.Gini()
		if math.Abs(g-slow(xs)) > 1e-9 {
			t.Fatalf("Gini %v, slowly %v", g, slow(xs))
		}
		var m Moments
		for i := range xs {
			m.Add(slow(slices.Delete(slices.Clone(xs), i, i+1)))
		}
		sd, _ := m.StdDev()
		n := float64(len(xs))
		se := sd * (n - 1) / math.Sqrt(n)
		iv, ok := l.GiniInterval(Level)
		if !ok || math.Abs(iv.Lo-math.Max(0, g-z(Level)*se)) > 1e-7 {
			t.Fatalf("interval %v, slowly from %v", iv, g-z(Level)*se)
		}
	})
}

// Waiting times between eruptions of Old Faithful (R's data set faithful, Azzalini
// and Bowman 1990).
var faithful = []float64{79, 54, 74, 62, 85, 55, 88, 85, 51, 85, 54, 84, 78, 47, 83, 52, 62, 84, 52, 79, 51, 47, 78, 69, 74, 83, 55, 76, 78, 79, 73, 77, 66, 80, 74, 52, 48, 80, 59, 90, 80, 58, 84, 58, 73, 83, 64, 53, 82, 59, 75, 90, 54, 80, 54, 83, 71, 64, 77, 81, 59, 84, 48, 82, 60, 92, 78, 78, 65, 73, 82, 56, 79, 71, 62, 76, 60, 78, 76, 83, 75, 82, 70, 65, 73, 88, 76, 80, 48, 86, 60, 90, 50, 78, 63, 72, 84, 75, 51, 82, 62, 88, 49, 83, 81, 47, 84, 52, 86, 81, 75, 59, 89, 79, 59, 81, 50, 85, 59, 87, 53, 69, 77, 56, 88, 81, 45, 82, 55, 90, 45, 83, 56, 89, 46, 82, 51, 86, 53, 79, 81, 60, 82, 77, 76, 59, 80, 49, 96, 53, 77, 77, 65, 81, 71, 70, 81, 93, 53, 89, 45, 86, 58, 78, 66, 76, 63, 88, 52, 93, 49, 57, 77, 68, 81, 81, 73, 50, 85, 74, 55, 77, 83, 83, 51, 78, 84, 46, 83, 55, 81, 57, 76, 84, 77, 81, 87, 77, 51, 78, 60, 82, 91, 53, 78, 46, 77, 84, 49, 83, 71, 80, 49, 75, 64, 76, 53, 94, 55, 76, 50, 82, 54, 75, 78, 79, 78, 78, 70, 79, 70, 54, 86, 50, 90, 54, 54, 77, 79, 64, 75, 47, 86, 63, 85, 82, 57, 82, 67, 74, 54, 83, 73, 73, 88, 80, 71, 83, 56, 79, 78, 84, 58, 83, 43, 60, 75, 81, 46, 90, 46, 74}

// The published fit of normalmixEM: shares 0.361 and 0.639, means 54.61 and
// 80.09, standard deviations 5.87 and 5.87 (Benaglia et al. 2009, J. Stat. Soft.
// 32 (6), section 2).
func TestMixtureOfOldFaithful(t *testing.T) {
	sum := 0.0
	for _, x := range faithful {
		sum += x
	}
	if len(faithful) != 272 || sum != 19284 { // mean 70.897
		t.Fatalf("the data set is damaged: %d values, sum %v", len(faithful), sum)
	}
	xs := slices.Clone(faithful)
	slices.Sort(xs)
	ones := make([]float64, len(xs))
	for i := range ones {
		ones[i] = 1
	}
	m, ok := FitMixture(xs, ones)
	if !ok || !m.Groups() {
		t.Fatalf("no two groups: %+v", m)
	}
	near(t, "share", m.Two[0].Share, 0.361, 0.001)
	near(t, "low mean", m.Two[0].Mean, 54.615, 0.01)
	near(t, "high mean", m.Two[1].Mean, 80.091, 0.01)
	near(t, "low sd", m.Two[0].SD, 5.871, 0.01)
	near(t, "high sd", m.Two[1].SD, 5.868, 0.01)
	if m.High(50) > 0.01 || m.High(90) < 0.99 {
		t.Error("eruptions are told apart wrongly")
	}
}

func TestMixtureOfOneGroup(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var xs, ws []float64
	for range 2000 {
		xs, ws = append(xs, rng.NormFloat64()), append(ws, 1)
	}
	slices.Sort(xs)
	if m, ok := FitMixture(xs, ws); !ok || m.Groups() {
		t.Errorf("one normal is two groups: %+v", m)
	}
	if _, ok := FitMixture([]float64{3}, []float64{500}); ok {
		t.Error("equal values have groups")
	}
	if _, ok := FitMixture(xs[:20], ws[:20]); ok {
		t.Error("twenty users have groups")
	}
}

// Freireich's 6-MP remission times, finely divided so that grouping hardly
// matters: R's survreg gives shape 1/0.739 = 1.354 and scale exp(3.519) = 33.8
// weeks for the Weibull, and 9 deaths in 359 weeks for the exponential.
func TestGapFitOfFreireich(t *testing.T) {
	const fine = 50
	closed, open := make([]int64, 36*fine), make([]int64, 36*fine)
	for _, w := range []int{6, 6, 6, 7, 10, 13, 16, 22, 23} {
		closed[w*fine]++
	}
	for _, w := range []int{6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35} {
		open[w*fine]++
	}
	if _, ok := FitGaps(closed, open); ok {
		t.Error("nine gaps are fitted")
	}
	for d := range closed { // each ten times: the same maximum
		closed[d] *= 10
		open[d] *= 10
	}
	f, ok := FitGaps(closed, open)
	if !ok {
		t.Fatal("no fit")
	}
	near(t, "rate a week", f.Exponential.Rate*fine, 9.0/359, 1e-4)
	near(t, "shape", f.Weibull.Shape, 1.354, 0.01)
	near(t, "scale in weeks", math.Pow(f.Weibull.Rate, -1/f.Weibull.Shape)/fine, 33.77, 0.2)
	if !(f.Weibull.AIC < f.Exponential.AIC) {
		t.Error("with ten times the data the Weibull must win")
	}
}

// Gaps drawn from an exponential are not rejected as one, and gaps in two humps
// are.
func TestGapFitIsJudged(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	closed, open := make([]int64, 400), make([]int64, 400)
	for range 5000 {
		if g := 1 + int(rng.ExpFloat64()*12); g < 60 {
			closed[g]++
		} else {
			open[60]++
		}
	}
	f, ok := FitGaps(closed, open)
	if !ok || f.Exponential.Rejected() || math.Abs(f.Weibull.Shape-1) > 0.05 {
		t.Errorf("an exponential: %+v", f)
	}
	clear(closed)
	for range 3000 {
		closed[6+rng.IntN(3)]++
		closed[27+rng.IntN(3)]++
	}
	if f, ok := FitGaps(closed, open); !ok || !f.Weibull.Rejected() || !f.Exponential.Rejected() {
		t.Errorf("weekly and monthly users: %+v", f)
	}
}

func drawn(n int, draw func() int64) []Count {
	m := map[int64]int64{}
	for range n {
		m[draw()]++
	}
	var out []Count
	for v, k := range m {
		out = append(out, Count{v, k})
	}
	slices.SortFunc(out, func(a, b Count) int { return int(a.Value - b.Value) })
	return out
}

// Own oracle: the known exponent of drawn data, and ζ(2) = π²/6 behind it.
func TestTail(t *testing.T) {
	near(t, "ζ(2)", mathext.Zeta(2, 1), math.Pi*math.Pi/6, 1e-12)
	rng := rand.New(rand.NewPCG(3, 3))
	law := drawn(4000, func() int64 { return zetaDraw(2.5, 1, rng) })
	f, ok := FitTail(law, 40, rng)
	if !ok || f.Rejected() || math.Abs(f.Alpha-2.5) > 0.15 {
		t.Errorf("a power law of 2.5: %+v", f)
	}
	// Poisson-like counts end too soon for one.
	short := drawn(4000, func() int64 { return 1 + binomial(40, 0.25, rng) })
	if f, ok := FitTail(short, 40, rng); ok && !f.Rejected() && f.Users > 1000 {
		t.Errorf("binomial counts pass for a power law: %+v", f)
	}
	if _, ok := FitTail([]Count{{1, 10}, {2, 5}}, 1, rng); ok {
		t.Error("fifteen users have a tail")
	}
}

func TestBinomialDraws(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, c := range []struct {
		n int64
		p float64
	}{{10, 0.3}, {1000, 0.004}, {500, 0.7}, {100_000, 0.2}} {
		var m Moments
		for range 4000 {
			k := binomial(c.n, c.p, rng)
			if k < 0 || k > c.n {
				t.Fatalf("%d of %d", k, c.n)
			}
			m.Add(float64(k))
		}
		mean, _ := m.Mean()
		sd, _ := m.StdDev()
		want := math.Sqrt(float64(c.n) * c.p * (1 - c.p))
		near(t, "mean", mean, float64(c.n)*c.p, want/10)
		near(t, "spread", sd, want, want/10)
	}
}
