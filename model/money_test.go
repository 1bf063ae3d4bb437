package model

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestSumIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		want := new(big.Int)
		var a, b Sum
		for i := range 500 {
			m := Money(rng.Int64N(2*int64(MaxMoney)) - int64(MaxMoney))
			want.Add(want, big.NewInt(int64(m)))
			if i%2 == 0 {
				a.Add(m)
			} else {
				b.Add(m)
			}
			a.Add(NoMoney)
		}
		a.Merge(b)
		got, err := a.Money()
		if !want.IsInt64() {
			if !errors.Is(err, ErrOverflow) {
				t.Fatalf("%v gave %v, %v; want ErrOverflow", want, got, err)
			}
		} else if err != nil || int64(got) != want.Int64() {
			t.Fatalf("sum = %v, %v; want %v", int64(got), err, want)
		}
		f, _ := new(big.Float).SetInt(want).Float64()
		if d := math.Abs(a.Float()*1e6 - f); d > math.Abs(f)*1e-9+1e-3 {
			t.Fatalf("Float is off by %v of %v", d, f)
		}
	}
}

// A column adds up as its amounts do one by one, those without an amount among
// them, also where halves overflow.
func TestAColumnAddsUpAsItsAmounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		column := make([]Money, rng.IntN(100))
		for i := range column {
			switch rng.IntN(5) {
			case 0:
				column[i] = NoMoney
			case 1:
				column[i] = Money(rng.Uint64() >> rng.IntN(64))
			case 2:
				column[i] = -Money(rng.Uint64() >> (1 + rng.IntN(63)))
			case 3:
				column[i] = []Money{math.MaxInt64, math.MinInt64 + 1, -1, 1 << 32, -1 << 32, math.MaxUint32}[rng.IntN(6)]
			}
		}
		one := Sum{hi: 3, lo: rng.Uint64()}
		each := one
		for _, m := range column {
			one.Add(m)
		}
		if each.AddEach(column); each != one {
			t.Fatalf("%v add up to %v at once, to %v one by one", column, each, one)
		}
	}
}

func TestMoneyPrints(t *testing.T) {
	for _, tc := range []struct {
		m    Money
		want string
	}{{0, "0"}, {15_300_000, "15.3"}, {-1, "-0.000001"}, {Unit, "1"}, {NoMoney, ""}, {-1_500_000, "-1.5"}, {MaxMoney, "1000000000000"}} {
		if got := tc.m.String(); got != tc.want {
			t.Errorf("%d prints %q, want %q", int64(tc.m), got, tc.want)
		}
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e13, -1e13} {
		if m, ok := MoneyOf(bad); ok {
			t.Errorf("MoneyOf(%v) = %v", bad, m)
		}
	}
	if m, ok := MoneyOf(15.3); !ok || m != 15_300_000 {
		t.Errorf("MoneyOf(15.3) = %v %v", m, ok)
	}
}
