package value

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"testing"
)

// peerKMeans is one entry of the peer's k-means: the best of 50 runs of
// scikit-learn, and the range of 30 single runs.
type peerKMeans struct {
	Best  float64 `json:"best_inertia_of_50"`
	Most  float64 `json:"single_run_max"`
	Sizes []int64 `json:"best_sizes_sorted"`
}

// kmeansAgainst asks for an inertia no worse than the best of the peer's 50 runs,
// from 6 of ours, to two parts in a million.
func kmeansAgainst(t *testing.T, all map[string]RFM, peers map[string]peerKMeans) {
	t.Helper()
	var users []RFM
	for _, id := range slices.Sorted(maps.Keys(all)) {
		users = append(users, all[id])
	}
	columns := LogRFM(users)
	for k, p := range peers {
		n, err := strconv.Atoi(k)
		if err != nil {
			t.Fatal(err)
		}
		c, err := KMeans(columns, n, Clustering{Seed: 1, Starts: 6})
		if err != nil {
			t.Fatal(err)
		}
		sizes := slices.Clone(c.Size)
		slices.Sort(sizes)
		t.Logf("k = %s: inertia %.6f (peer %.6f), sizes %v (peer %v), agreement %.3f", k, c.Inertia, p.Best, sizes, p.Sizes, c.Agreement)
		if c.Inertia > p.Best*(1+2e-6) {
			t.Errorf("k = %s: inertia %.6f, the peer's best of 50 runs %.6f", k, c.Inertia, p.Best)
		}
	}
}

func TestKMeansPlain(t *testing.T) {
	// Three clumps far apart, in one column of two.
	var a, b []float64
	for i := range 90 {
		a = append(a, float64(i%3*100+i%2))
		b = append(b, 7)
	}
	c, err := KMeans([][]float64{a, b}, 3, Clustering{})
	if err != nil || c.Agreement != 1 || !slices.Equal(c.Size, []int64{30, 30, 30}) {
		t.Fatalf("%+v %v", c, err)
	}
	for i, at := range c.Of {
		if at != c.Of[i%3] || math.Abs(c.Centre[at][0]-(float64(i%3*100)+0.5)) > 1e-9 || math.Abs(c.Centre[at][1]-7) > 1e-9 {
			t.Fatalf("row %d is in %d with centre %v", i, at, c.Centre[at])
		}
	}
	again, _ := KMeans([][]float64{a, b}, 3, Clustering{})
	if !slices.Equal(c.Of, again.Of) || c.Inertia != again.Inertia {
		t.Error("equal seeds, other clusters")
	}
	// A column in which all are equal adds no spread, whatever its mean is rounded to.
	for i := range b {
		b[i] = math.Log1p(8)
	}
	with, err := KMeans([][]float64{a, b}, 3, Clustering{})
	if err != nil {
		t.Fatal(err)
	}
	shape, err := with.Shape([][]float64{a, b})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := c.Shape([][]float64{a})
	if err != nil || math.Abs(shape.Explained-alone.Explained) > 1e-12 {
		t.Errorf("%v of the spread is between clusters, %v without the column of equals: %v", shape.Explained, alone.Explained, err)
	}
	for name, run := range map[string]func() error{
		"few":  func() error { _, err := KMeans([][]float64{{1, 1, 1}}, 2, Clustering{}); return err },
		"none": func() error { _, err := KMeans(nil, 2, Clustering{}); return err },
		"one":  func() error { _, err := KMeans([][]float64{{1, 2}}, 1, Clustering{}); return err },
	} {
		if err := run(); !errors.Is(err, ErrTooFew) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := KMeans([][]float64{{1, math.NaN(), 3}}, 2, Clustering{}); !errors.Is(err, ErrBad) {
		t.Error(err)
	}
	if _, err := KMeans([][]float64{a}, 2, Clustering{Stop: func() bool { return true }}); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
}
