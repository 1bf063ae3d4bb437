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
	// Ten own gaps of a week: r = 12, a = 80, P(gap > 20) = 0.8^12.
	own := m.Own([]int32{7, 7, 7, 7, 7, 7, 7, 7, 7, 7})
	if got, want := own.Longer(20), math.Pow(0.8, 12); math.Abs(got-want) > 1e-12 {
		t.Errorf("P(gap > 20) is %v, want %v", got, want)
	}
	if d := own.Reached(0.95); math.Abs(own.Longer(d)-0.05) > 1e-12 {
		t.Errorf("%v days are exceeded with %v", d, own.Longer(d))
	}
	// Of the Lomax with r = 2: ∫ from a to H of (α/(α+t))² is α²(1/(α+a) − 1/(α+H)).
	lomax := func(a, b float64) float64 { return 100 * (1/(10+a) - 1/(10+b)) }
	if got, want := m.Own(nil).Beyond(20, 100), lomax(20, 100)/lomax(0, 100); math.Abs(got-want) > 0.004 {
		t.Errorf("beyond 20 of 100 days: %v, want %v", got, want)
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
