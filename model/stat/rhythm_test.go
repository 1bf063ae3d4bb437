package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Users are drawn from the model itself; the fit must find its numbers (own
// oracle: no published data set of this form is at hand).
func TestFitRhythmFindsItsNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	const shape, r, alpha = 1.6, 2.5, 2500.0 // gaps of some 75 days, so that whole days hardly matter
	gamma := func(k float64) float64 {       // Marsaglia and Tsang (2000)
		d := k - 1.0/3
		for c := 1 / math.Sqrt(9*d); ; {
			x := rng.NormFloat64()
			v := math.Pow(1+c*x, 3)
			if v > 0 && math.Log(1-rng.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
				return d * v
			}
		}
	}
	var users []GapRecord
	for range 3000 {
		lambda := gamma(r) / alpha
		u := GapRecord{}
		left := 900.0
		for {
			g := math.Ceil(math.Pow(rng.ExpFloat64()/lambda, 1/shape))
			if g > left {
				u.Open = int32(left)
				break
			}
			u.Closed = append(u.Closed, int32(g))
			left -= g
		}
		users = append(users, u)
	}
	m, err := FitRhythm(users)
	if err != nil {
		t.Fatal(err)
	}

	if math.Abs(m.Shape-shape) > 0.05 || math.Abs(m.R-r)/r > 0.25 {
		t.Errorf("fitted %+v, drawn with shape %v, r %v, alpha %v", m, shape, r, alpha)
	}
}

// With the closed form at hand: no own gaps, shape 1 gives the Lomax
// distribution, P(gap > t) = (α/(α+t))^r.
func TestOwnRhythm(t *testing.T) {
	m := Rhythm{Shape: 1, R: 2, Alpha: 10}
	if got, want := m.Own(nil).Longer(10), 0.25; math.Abs(got-want) > 1e-12 {
		t.Errorf("P(gap > 10) is %v, want %v", got, want)
	}
	// Ten own gaps of a week: r = 12. Days tossed with 1/7 have gaps of 7 whole
	// days, and moments of mean −1/ln(6/7).
	own, a := m.Own([]int32{7, 7, 7, 7, 7, 7, 7, 7, 7, 7}), 10-10/math.Log(6./7)
	if got, want := own.Longer(20), math.Pow(a/(a+20), 12); math.Abs(got-want) > 1e-12 {
		t.Errorf("P(gap > 20) is %v, want %v", got, want)
	}
	if d := own.Reached(0.95); math.Abs(own.Longer(d)-0.05) > 1e-12 {
		t.Errorf("%v days are exceeded with %v", d, own.Longer(d))
	}
	sum := func(a, b int) (s float64) {
		for t := a; t < b; t++ {
			s += m.Own(nil).Longer(float64(t))
		}
		return s
	}
	for _, from := range []int{2, 20, 60} {
		if got, want := m.Own(nil).Beyond(float64(from)+0.3, 100), sum(from+1, 100)/sum(0, 100); math.Abs(got-want) > 0.004 {
			t.Errorf("beyond %v of 100 days: %v, want %v", from, got, want)
		}
	}
	if m.Own(nil).Beyond(100, 90) != 0 || m.Own(nil).Longer(0) != 1 {
		t.Error("the ends")
	}
	if _, err := FitRhythm([]GapRecord{{Closed: []int32{3}}}); err == nil {
		t.Error("one gap is a rhythm")
	}
}

// Chance is the sum over all placements, counted one by one for small windows.
func TestChanceOfADrop(t *testing.T) {
	for _, rule := range []DropRule{{3, 0.7, 1}, {3, 0.7, 0.05}, {2, 0.5, 0.2}} {
		for marked := range 9 {
			const baseDays, recentDays = 8, 4
			judged, alarm := 0, 0
			for set := range 1 << (baseDays + recentDays) {
				n, base := 0, 0
				for d := range baseDays + recentDays {
					if set>>d&1 == 1 {
						n++
						if d < baseDays {
							base++
						}
					}
				}
				if n != marked || base < rule.Base {
					continue
				}
				judged++
				if rule.Alarm(base, baseDays, marked-base, recentDays) {
					alarm++
				}
			}
			want := 0.0
			if judged > 0 {
				want = float64(alarm) / float64(judged)
			}
			if got := rule.Chance(marked, baseDays, recentDays); math.Abs(got-want) > 1e-9 {
				t.Errorf("%+v, %d active days: %v, counted %v", rule, marked, got, want)
			}
		}
	}
	// SPEC R2.14: 14 -> 0 at w = 28 has p = 0.037; SPEC V10: 12 -> 2 has 0.440.
	if p := HypergeomTail(0, 28, 14, 140); math.Abs(p-0.037) > 0.001 {
		t.Errorf("14 to 0 at w = 28: p %v", p)
	}
	if !(DropRule{14, 0.7, 0.05}).Alarm(14, 112, 0, 28) || (DropRule{14, 0.7, 0.05}).Alarm(13, 112, 0, 28) || (DropRule{0, 0.7, 0.05}).Alarm(12, 112, 2, 28) {
		t.Error("alarms of SPEC R2.14 and V10")
	}
}

// Users who come by the toss of a coin each day have no rhythm: the shape is 1,
// and as many are found late as chance alone is said to put there.
func TestRhythmOfCoins(t *testing.T) {
	for _, coins := range [][]float64{{0.05}, {0.31}, {0.6}, {0.15, 0.3, 0.45}} {
		rng := rand.New(rand.NewPCG(31, 7))
		var users []GapRecord
		for i := range 3000 {
			p, u, last := coins[i%len(coins)], GapRecord{}, -1
			for d := range 300 {
				if rng.Float64() >= p {
					continue
				}
				if last >= 0 {
					u.Closed = append(u.Closed, int32(d-last))
				}
				last = d
			}
			if last >= 0 {
				u.Open = int32(299 - last)
				users = append(users, u)
			}
		}
		m, err := FitRhythm(users)
		if err != nil {
			t.Fatal(err)
		}
		late, chance := 0, 0.0
		for _, u := range users {
			own := m.Own(u.Closed)
			if own.Longer(float64(u.Open)) < 0.05 {
				late++
			}
			chance += own.Beyond(own.Reached(0.95), 300)
		}
		if math.Abs(m.Shape-1) > 0.06 {
			t.Errorf("coins %v: shape %.3f, want 1", coins, m.Shape)
		}
		if sd := math.Sqrt(chance); math.Abs(float64(late)-chance) > 4*sd {
			t.Errorf("coins %v: %d late, %.1f expected by chance", coins, late, chance)
		}
	}
}
