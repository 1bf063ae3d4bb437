package churn

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// atOnce calls every f in a goroutine of its own.
func atOnce(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// With many users the search begins on a sample of them; it ends where the
// gradient over all, computed the slow way, is nothing. Workers do not matter.
func TestLogisticOfManyUsers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	n := 3*sampleRows + 17
	x := [][]float64{make([]float64, n), make([]float64, n), make([]float64, n)}
	yes := make([]bool, n)
	for i := range yes {
		x[0][i], x[1][i], x[2][i] = rng.ExpFloat64()*40, rng.NormFloat64(), 7
		yes[i] = rng.Float64() < sigmoid(x[0][i]/40+x[1][i]-2)
	}
	one, err := Logistic(x, yes, 3, Job{})
	if err != nil {
		t.Fatal(err)
	}
	many, err := Logistic(x, yes, 3, Job{Parallel: atOnce})
	if err != nil || many.Intercept != one.Intercept || !slices.Equal(many.Coef, one.Coef) {
		t.Errorf("by many workers %+v, by one %+v, %v", many, one, err)
	}
	var grad [3]float64
	for i, y := range yes {
		z := [3]float64{1, (x[0][i] - one.Mean[0]) / one.SD[0], (x[1][i] - one.Mean[1]) / one.SD[1]}
		r := sigmoid(one.Intercept + one.Coef[0]*z[1] + one.Coef[1]*z[2])
		if y {
			r--
		}
		for k := range grad {
			grad[k] += r * z[k]
		}
	}
	grad[1], grad[2] = grad[1]+3*one.Coef[0], grad[2]+3*one.Coef[1]
	for k, g := range grad {
		if math.Abs(g) > 1e-8*float64(n) {
			t.Errorf("gradient %d is %g at the minimum", k, g)
		}
	}
	if one.Coef[2] != 0 || one.SD[2] != 0 {
		t.Errorf("a constant column has %v", one)
	}

	// The sample's users all came out the same: the search begins anew.
	stride := n / sampleRows
	for i := 0; i < n; i += stride {
		yes[i] = false
	}
	if f, err := Logistic(x, yes, 3, Job{}); err != nil || f.Gradient > 1e-9*float64(n) {
		t.Errorf("a sample of one outcome: %+v, %v", f, err)
	}
	asked := 0
	if _, err := Logistic(x, yes, 3, Job{Stop: func() bool { asked++; return asked > 1 }}); !errors.Is(err, ErrStopped) {
		t.Errorf("stopped: %v", err)
	}
}

// The selected quantile is the sorted one.
func TestQuantileBySelection(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 200; n++ {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(rng.IntN(n))
		}
		s := slices.Sorted(slices.Values(x))
		for _, p := range []float64{0, 0.01, 0.25, 0.5, 0.99, 1} {
			h := p * float64(n-1)
			want := s[int(h)]
			if next := int(h) + 1; next < n {
				want += (h - math.Floor(h)) * (s[next] - want)
			}
			if got := quantile(slices.Clone(x), p); got != want {
				t.Fatalf("%d values, %g: %v, want %v", n, p, got, want)
			}
		}
	}
}
