package stat

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Fisher's tea tasting (The Design of Experiments, 1935): 3 of 4 right and 1 of 4
// wrong gives two-sided p = 0.4857 (R: fisher.test(matrix(c(3,1,1,3), 2))).
func TestFisherTea(t *testing.T) {
	f := Fourfold{Both: 3, Did: 1, Result: 1, None: 3}
	if p := f.P(); math.Abs(p-34.0/70) > 1e-12 {
		t.Errorf("p = %v, want 34/70", p)
	}
	if phi, ok := f.Phi(); !ok || phi != 0.5 {
		t.Errorf("phi = %v", phi)
	}
}

// By hand: 60 of 100 who did it have the outcome, 60 of 300 who did not.
func TestFourfold(t *testing.T) {
	f := Fourfold{Both: 60, Did: 40, Result: 60, None: 240}
	above, _ := f.Above()
	below, _ := f.Below()
	recall, _ := f.Recall()
	lift, _ := f.Lift()
	needed, _ := f.Needed()
	phi, _ := f.Phi()
	for _, c := range []struct{ got, want float64 }{{above, 0.6}, {below, 0.2}, {recall, 0.5}, {lift, 2}, {needed, 2.5}, {phi, 12000 / (math.Sqrt(100*300) * math.Sqrt(120*280))}} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
	// chi² = n·phi² = 57.142857…; of one degree of freedom p = 4.05e-14.
	if p := f.P(); p < 3.9e-14 || p > 4.2e-14 {
		t.Errorf("p = %v", p)
	}
	for _, f := range []Fourfold{{}, {Both: 3}, {Did: 2, None: 4}, {Both: 2, Result: 5}} {
		if _, ok := f.Phi(); ok || f.P() != 1 {
			t.Errorf("%+v: what does not vary has no correlation", f)
		}
	}
	if _, ok := (Fourfold{Both: 1, Did: 9, Result: 5, None: 5}).Needed(); ok {
		t.Error("doing it does not go with the outcome: nobody is needed")
	}
}

// The two tests agree where both hold, and p never leaves [0, 1].
func TestFourfoldLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 60)
		f := Fourfold{n.Draw(t, "a"), n.Draw(t, "b"), n.Draw(t, "c"), n.Draw(t, "d")}
		p := f.P()
		if !(p >= 0 && p <= 1) {
			t.Fatalf("%+v: p = %v", f, p)
		}
		swapped := Fourfold{f.Both, f.Result, f.Did, f.None}
		if q := swapped.P(); math.Abs(p-q) > 1e-9 {
			t.Fatalf("%+v: p = %v, turned %v", f, p, q)
		}
	})
}

// Benjamini and Hochberg (1995), the 15 p-values of their example: with q = 0.05
// the first four are findings.
func TestBenjaminiHochberg(t *testing.T) {
	ps := []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000}
	qs := BenjaminiHochberg(ps)
	found := 0
	for i, q := range qs {
		if q <= 0.05 {
			found++
		}
		if q < ps[i] || i > 0 && q < qs[i-1] {
			t.Errorf("q %v of p %v", q, ps[i])
		}
	}
	if found != 4 {
		t.Errorf("%d findings, want 4: %v", found, qs)
	}
}
