package churn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A what-if is the prediction of the other user; values are held within those
// seen; a combination that nobody has is far though each value is usual.
func TestTry(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	tab := NewTable([]string{"a", "b", "c"}, make([]string, 3))
	for range 3000 {
		a := rng.NormFloat64()
		b := a + 0.1*rng.NormFloat64() // goes with a
		tab.Add([]float64{a, b, rng.Float64()}, []bool{true, true, rng.IntN(5) > 0}, rng.Float64() < sigmoid(a))
	}
	for _, kind := range []Kind{LogisticKind, BoostingKind} {
		m, err := Train(tab, Options{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		values, known := []float64{0.5, 0.5, 0}, []bool{true, true, false}
		same := m.Try(values, known, nil)
		if same.Probability != m.Predict(values, known) || len(same.Held) != 0 || same.Far > 1 {
			t.Errorf("%s: nothing was changed, and it says %+v", kind, same)
		}
		other := m.Try(values, known, []Change{{0, -1}, {2, 0.4}})
		if want := m.Predict([]float64{-1, 0.5, 0.4}, nil); other.Probability != want {
			t.Errorf("%s: %v, the other user has %v", kind, other.Probability, want)
		}
		if !(other.Far > 1) {
			t.Errorf("%s: a at −1 with b at 0.5 is like nobody, and the distance is %v", kind, other.Far)
		}
		if !slices.Equal(values, []float64{0.5, 0.5, 0}) || known[2] {
			t.Errorf("%s: the user was changed", kind)
		}
		least, most, _ := m.Seen(0)
		for _, x := range []float64{1e9, math.Inf(1), math.NaN(), -1e9} {
			held := m.Try(values, known, []Change{{0, x}})
			if len(held.Held) != 1 || held.Values[0] < least || held.Values[0] > most || math.IsNaN(held.Probability) {
				t.Errorf("%s: %v is tried as %v, held %v", kind, x, held.Values[0], held.Held)
			}
		}
		sum := m.Average()
		for _, r := range other.Reasons {
			sum += r.LogOdds
		}
		if math.Abs(sum-other.LogOdds) > 1e-9 {
			t.Errorf("%s: reasons add to %v of %v", kind, sum, other.LogOdds)
		}
		if d := m.Distance(values, values, known, known, nil); d != 0 {
			t.Errorf("%s: a user is %v from itself", kind, d)
		}
	}
}

func BenchmarkTry(b *testing.B) {
	tab := planted(3, 5000)
	m, err := Train(tab, Options{Kind: BoostingKind, Boosting: Boosting{Depth: 6}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		m.Try([]float64{3, 4, 5}, nil, []Change{{0, 7}})
	}
}
