package stat

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
	"pgregory.net/rapid"
)

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %v, want %v ± %g", name, got, want, tol)
	}
}

// SPEC V8.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		x, n   int64
		lo, hi float64
	}{{3, 3, 0.438, 1}, {12, 40, 0.181, 0.454}, {300, 1000, 0.272, 0.329}} {
		iv, ok := Wilson(c.x, c.n, Level)
		if !ok {
			t.Fatalf("Wilson(%d, %d): no interval", c.x, c.n)
		}
		near(t, "lo", iv.Lo, c.lo, 0.0006)
		near(t, "hi", iv.Hi, c.hi, 0.0006)
	}
	for _, c := range [][2]int64{{0, 0}, {-1, 5}, {6, 5}, {0, -3}} {
		if _, ok := Wilson(c[0], c[1], Level); ok {
			t.Errorf("Wilson(%d, %d) gives an interval", c[0], c[1])
		}
	}
}

// Newcombe (1998), Table II, rows (a) and (b), method 10: 56/70 − 48/80 and
// 9/10 − 3/10. His difference is group 1 less group 2, ours the other way round.
func TestNewcombe(t *testing.T) {
	iv, _ := Newcombe(48, 80, 56, 70, Level)
	near(t, "a lo", iv.Lo, 0.0524, 5e-5)
	near(t, "a hi", iv.Hi, 0.3339, 5e-5)
	iv, _ = Newcombe(3, 10, 9, 10, Level)
	near(t, "b lo", iv.Lo, 0.1705, 5e-5)
	near(t, "b hi", iv.Hi, 0.8090, 5e-5)
	// Cookie Cats, day-7 retention, statsmodels 0.13.5.
	iv, _ = Newcombe(8502, 44700, 8279, 45489, Level)
	near(t, "cats lo", iv.Lo, -0.0132819408719, 1e-12)
	near(t, "cats hi", iv.Hi, -0.00312130268876, 1e-12)
	if _, ok := Newcombe(1, 2, 0, 0, Level); ok {
		t.Error("an empty group has an interval")
	}
}

// SPEC V10, the arithmetic of "declining".
func TestHypergeomTail(t *testing.T) {
	for _, c := range []struct {
		base, now, baseDays, days int
		want, tol                 float64
	}{
		{3, 2, 28, 28, 0.50, 0.005},
		{60, 40, 100, 100, 0.0035, 5e-5},
		{12, 2, 4 * 28, 28, 0.440, 5e-4},
		{240, 40, 4 * 80, 80, 0.00002, 5e-6},
		{14, 0, 4 * 28, 28, 0.037, 5e-4}, // SPEC R2.14
	} {
		got := HypergeomTail(c.now, c.days, c.base+c.now, c.baseDays+c.days)
		near(t, "p", got, c.want, c.tol)
	}
	for _, c := range [][4]int{{1, 5, 9, 7}, {1, 9, 5, 7}, {3, -1, 2, 7}} {
		if got := HypergeomTail(c[0], c[1], c[2], c[3]); got != 1 {
			t.Errorf("HypergeomTail%v = %v, want 1 for what cannot be", c, got)
		}
	}
}

func TestHypergeomTailIsASumOfChoices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(0, 30).Draw(t, "total")
		draws := rapid.IntRange(0, total).Draw(t, "draws")
		marked := rapid.IntRange(0, total).Draw(t, "marked")
		x := rapid.IntRange(-1, 31).Draw(t, "x")
		want := 0.0
		for k := 0; k <= x && k <= draws && k <= marked; k++ {
			if draws-k <= total-marked {
				want += float64(combin.Binomial(marked, k)*combin.Binomial(total-marked, draws-k)) / float64(combin.Binomial(total, draws))
			}
		}
		if got := HypergeomTail(x, draws, marked, total); math.Abs(got-want) > 1e-12 {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// R: quantile(c(1, 2, 3, 4, 10), c(0, .1, .25, .5, .9, 1)) gives 1 1.4 2 3 7.6 10.
func TestQuantile(t *testing.T) {
	s := []float64{1, 2, 3, 4, 10}
	for p, want := range map[float64]float64{0: 1, 0.1: 1.4, 0.25: 2, 0.5: 3, 0.9: 7.6, 1: 10, -1: 1, 2: 10} {
		got, _ := Quantile(s, p)
		near(t, "quantile", got, want, 1e-12)
	}
	if _, ok := Quantile(nil, 0.5); ok {
		t.Error("no values have a quantile")
	}
	if got, _ := Median([]float64{7}); got != 7 {
		t.Errorf("the median of 7 is %v", got)
	}
}

// Ranks of the 95 % interval of a median: Conover (1999), table A3 read at
// p = 0.5; n = 6: (1, 6), 10: (2, 9), 15: (4, 12), 20: (6, 15), 25: (8, 18).
func TestMedianInterval(t *testing.T) {
	for n, want := range map[int][2]float64{6: {1, 6}, 10: {2, 9}, 15: {4, 12}, 20: {6, 15}, 25: {8, 18}} {
		s := make([]float64, n)
		for i := range s {
			s[i] = float64(i + 1)
		}
		iv, ok := MedianInterval(s, Level)
		if !ok || iv.Lo != want[0] || iv.Hi != want[1] {
			t.Errorf("n = %d: %v %v, want %v", n, iv, ok, want)
		}
	}
	if _, ok := MedianInterval([]float64{1, 2, 3, 4, 5}, Level); ok {
		t.Error("five values reach 95 %")
	}
}

func TestMoments(t *testing.T) {
	var a, b, all Moments
	if _, ok := all.Mean(); ok {
		t.Error("nothing has a mean")
	}
	// Far from zero, where the naive formula loses everything.
	for i, x := range []float64{1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16} {
		all.Add(x)
		if i < 1 {
			a.Add(x)
		} else {
			b.Add(x)
		}
	}
	a.Merge(b)
	for _, m := range []Moments{all, a} {
		sd, _ := m.StdDev()
		mean, _ := m.Mean()
		near(t, "mean", mean, 1e9+10, 1e-6)
		near(t, "sd", sd, math.Sqrt(30), 1e-6)
	}
	if _, ok := (&Moments{n: 1}).StdDev(); ok {
		t.Error("one value has a spread")
	}
}

// The bootstrap of a mean agrees with its normal interval.
func TestBootstrap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, 400)
	var m Moments
	for i := range x {
		x[i] = rng.NormFloat64()
		m.Add(x[i])
	}
	iv, ok := Bootstrap(len(x), 2000, Level, rng, func(w []int32) (float64, bool) {
		sum := 0.0
		for i, k := range w {
			sum += float64(k) * x[i]
		}
		return sum / float64(len(x)), true
	})
	mean, _ := m.Mean()
	sd, _ := m.StdDev()
	half := 1.96 * sd / 20
	if !ok {
		t.Fatal("no interval")
	}
	near(t, "lo", iv.Lo, mean-half, 0.02)
	near(t, "hi", iv.Hi, mean+half, 0.02)
	if _, ok := Bootstrap(3, 10, Level, rng, func([]int32) (float64, bool) { return 0, false }); ok {
		t.Error("a statistic without values has an interval")
	}
}

func TestNormalQuantile(t *testing.T) {
	near(t, "97.5 %", NormalQuantile(0.975), 1.959963984540054, 1e-9)
	for _, p := range []float64{0, 1, -1, 2} {
		if q := NormalQuantile(p); math.IsInf(q, 0) || math.IsNaN(q) {
			t.Errorf("NormalQuantile(%v) = %v", p, q)
		}
	}
}
