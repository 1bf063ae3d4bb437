package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Users with one observation each on one side alone: the bootstrap is near Newcombe.
// Users on both sides: near the plain bootstrap of the same users, which knows them.
func TestDifferenceBootstrap(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	ps := []Pairing{{N: 240, ANum: 1, ADen: 1}, {N: 160, ADen: 1}, {N: 90, BNum: 1, BDen: 1}, {N: 210, BDen: 1}}
	iv, ok := DifferenceBootstrap(ps, 4000, 0.95, rng)
	nc, _ := Newcombe(240, 400, 90, 300, 0.95)
	if !ok || math.Abs(iv.Lo-nc.Lo) > 0.01 || math.Abs(iv.Hi-nc.Hi) > 0.01 {
		t.Errorf("%+v, Newcombe %+v", iv, nc)
	}
	// Every user adds to both sides alike: the difference is exact.
	iv, ok = DifferenceBootstrap([]Pairing{{N: 30, ANum: 1, ADen: 2, BNum: 1, BDen: 2}, {N: 50, ANum: 2, ADen: 2, BNum: 2, BDen: 2}}, 500, 0.95, rng)
	if !ok || math.Abs(iv.Lo) > 1e-12 || math.Abs(iv.Hi) > 1e-12 {
		t.Errorf("%+v of equal sides", iv)
	}
	var users []Pairing
	clusters := map[Pairing]int64{}
	for range 150 {
		p := Pairing{N: 1, ADen: int64(rng.IntN(4)), BDen: int64(rng.IntN(3))}
		p.ANum, p.BNum = int64(rng.IntN(int(p.ADen)+1)), int64(rng.IntN(int(p.BDen)+1))
		users = append(users, p)
		clusters[p]++
	}
	ps = nil
	for p, n := range clusters {
		p.N = n
		ps = append(ps, p)
	}
	got, _ := DifferenceBootstrap(ps, 4000, 0.95, rng)
	want, _ := Bootstrap(len(users), 4000, 0.95, rng, func(w []int32) (float64, bool) {
		var an, ad, bn, bd float64
		for i, n := range w {
			x, p := float64(n), users[i]
			an, ad, bn, bd = an+x*float64(p.ANum), ad+x*float64(p.ADen), bn+x*float64(p.BNum), bd+x*float64(p.BDen)
		}
		return bn/bd - an/ad, true
	})
	if math.Abs(got.Lo-want.Lo) > 0.015 || math.Abs(got.Hi-want.Hi) > 0.015 {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, ok := DifferenceBootstrap([]Pairing{{N: 5, ANum: 1, ADen: 1}}, 50, 0.95, rng); ok {
		t.Error("a side without users has a difference")
	}
	if _, ok := DifferenceBootstrap(nil, 50, 0.95, rng); ok {
		t.Error("nobody has a difference")
	}
}
