package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// One observation a user is a plain rate: the interval is that of the binomial
// distribution (own oracle: its normal approximation at n = 2,000).
func TestRatioBootstrapOfAPlainRate(t *testing.T) {
	cs := []Cluster{{N: 600, Num: 1, Den: 1}, {N: 1400, Num: 0, Den: 1}}
	iv, ok := RatioBootstrap(cs, 4000, 0.95, rand.New(rand.NewPCG(1, 2)))
	half := 1.96 * math.Sqrt(0.3*0.7/2000)
	if !ok || math.Abs(iv.Lo-(0.3-half)) > 0.002 || math.Abs(iv.Hi-(0.3+half)) > 0.002 {
		t.Errorf("%v %v, want 0.3 ± %v", iv, ok, half)
	}
}

// Drawing by clusters is drawing users: it agrees with the plain bootstrap.
func TestRatioBootstrapAgainstUsers(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var users []Cluster
	counts := map[Cluster]int64{}
	for range 400 {
		den := int64(1 + rng.IntN(9))
		c := Cluster{Num: int64(rng.IntN(int(den) + 1)), Den: den}
		users = append(users, c)
		counts[c]++
	}
	var cs []Cluster
	for c, n := range counts {
		c.N = n
		cs = append(cs, c)
	}
	got, ok := RatioBootstrap(cs, 3000, 0.95, rand.New(rand.NewPCG(1, 1)))
	want, ok2 := Bootstrap(len(users), 3000, 0.95, rand.New(rand.NewPCG(2, 2)), func(w []int32) (float64, bool) {
		var num, den float64
		for i, u := range users {
			num += float64(w[i]) * float64(u.Num)
			den += float64(w[i]) * float64(u.Den)
		}
		return num / den, den > 0
	})
	if !ok || !ok2 || math.Abs(got.Lo-want.Lo) > 0.004 || math.Abs(got.Hi-want.Hi) > 0.004 {
		t.Errorf("by clusters %v, by users %v", got, want)
	}
	var p Pair
	for _, u := range users {
		p.Add(float64(u.Num), float64(u.Den))
	}
	_, lin, ok := p.Ratio(0.95)
	if !ok || math.Abs(lin.Lo-want.Lo) > 0.006 || math.Abs(lin.Hi-want.Hi) > 0.006 {
		t.Errorf("linearized %v, by users %v", lin, want)
	}
	if _, ok := RatioBootstrap(nil, 100, 0.95, rng); ok {
		t.Error("nobody has an interval")
	}
	if _, ok := RatioBootstrap([]Cluster{{N: 5}}, 100, 0.95, rng); ok {
		t.Error("a ratio without a denominator has an interval")
	}
}

func TestPairMerges(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var all, a, b Pair
	for i := range 300 {
		y, x := rng.Float64()*100, 1+rng.Float64()
		all.Add(y, x)
		if i < 120 {
			a.Add(y, x)
		} else {
			b.Add(y, x)
		}
	}
	a.Merge(b)
	r1, i1, _ := all.Ratio(0.95)
	r2, i2, _ := a.Ratio(0.95)
	if math.Abs(r1-r2) > 1e-12 || math.Abs(i1.Lo-i2.Lo) > 1e-9 || all.N() != a.N() {
		t.Errorf("%v %v, merged %v %v", r1, i1, r2, i2)
	}
	// The mean of 1 … 5: sd 1.5811, se 0.7071.
	var m Pair
	for _, y := range []float64{1, 2, 3, 4, 5} {
		m.Add(y, 1)
	}
	if r, iv, ok := m.Ratio(0.95); !ok || r != 3 || math.Abs(iv.Hi-(3+1.959964*math.Sqrt(0.5))) > 1e-6 {
		t.Errorf("mean %v %v", r, iv)
	}
}
