package value

import (
	"math"
	"testing"
)

// TestAdjustedRand checks a table worked by hand: 6 users, pairs agree as (2,1,0;0,1,2).
func TestAdjustedRand(t *testing.T) {
	// Σ C(n_ij, 2) = 2; rows 3+3 → 6; columns 2, 2, 2 → 3; expected 6·3/15 = 1.2; most 4.5.
	if got, ok := AdjustedRand([][]int64{{2, 1, 0}, {0, 1, 2}}); !ok || math.Abs(got-(2-1.2)/(4.5-1.2)) > 1e-12 {
		t.Errorf("%v %v", got, ok)
	}
	if _, ok := AdjustedRand([][]int64{{5}}); ok {
		t.Error("one part in both says nothing")
	}
}

// TestShape checks two clumps by hand: of points 0, 0, 10, 10 each silhouette is
// (10 − 0) ÷ 10, and all the spread lies between them.
func TestShape(t *testing.T) {
	columns := [][]float64{{0, 0, 10, 10}}
	c, err := KMeans(columns, 2, Clustering{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Shape(columns)
	if err != nil || s.Silhouette != 1 || math.Abs(s.Explained-1) > 1e-12 || s.Sampled != 4 || s.Each[0] != 1 || s.Each[1] != 1 {
		t.Errorf("%+v %v", s, err)
	}
	// Of 0, 1, 5, 6 standardised: a = 1, b = mean of the other two, in the same unit.
	columns = [][]float64{{0, 1, 5, 6}}
	if c, err = KMeans(columns, 2, Clustering{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	want := ((5.5-1)/5.5 + (4.5-1)/4.5) / 2
	if s, err = c.Shape(columns); err != nil || math.Abs(s.Silhouette-want) > 1e-12 {
		t.Errorf("%+v, want %v, %v", s, want, err)
	}
}
