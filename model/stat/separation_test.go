package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestSeparation(t *testing.T) {
	for _, c := range []struct {
		name   string
		n, yes []int64
		want   float64
		ok     bool
	}{
		{"one rate", []int64{10, 30}, []int64{5, 15}, 0, true},
		{"all or nothing", []int64{10, 30}, []int64{0, 30}, 1, true},
		// By hand: rates 0.2 and 0.6, mean 0.4; 10·0.04 + 10·0.04 over 20·0.24.
		{"two groups", []int64{10, 10}, []int64{2, 6}, 0.8 / 4.8, true},
		{"an empty group adds nothing", []int64{10, 0, 10}, []int64{2, 0, 6}, 0.8 / 4.8, true},
		{"nobody", []int64{0}, []int64{0}, 0, false},
		{"all yes", []int64{3}, []int64{3}, 0, false},
	} {
		got, ok := Separation(c.n, c.yes)
		if ok != c.ok || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v %v, want %v %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

// Two groupings that part the same users alike differ by nothing; a grouping that
// knows the outcome beats one that does not, and its interval says so.
func TestSeparations(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, b, iv, ok := Separations([][]int64{{50, 0}, {0, 50}}, [][]int64{{10, 0}, {0, 30}}, 200, Level, rng)
	if !ok || a != b || iv.Lo != 0 || iv.Hi != 0 {
		t.Errorf("the same grouping twice: %v %v %v", a, b, iv)
	}
	a, b, iv, ok = Separations([][]int64{{40, 40}, {40, 40}}, [][]int64{{4, 36}, {4, 36}}, 400, Level, rng)
	if !ok || a != 0 || math.Abs(b-0.64) > 1e-12 || iv.Lo < 0.4 || iv.Hi > 0.85 || iv.Lo > 0.64 || iv.Hi < 0.6 {
		t.Errorf("%v %v %v", a, b, iv)
	}
	if _, _, _, ok := Separations([][]int64{{3}}, [][]int64{{3}}, 10, Level, rng); ok {
		t.Error("an outcome that all have was parted")
	}
}
