package stat

import (
	"math"
)

// A Bin is a range of probabilities with what came true in it.
type Bin struct {
	From, To float64
	N        int
	Mean     float64 // predicted
	Rate     float64 // observed
}

// A Calibration says whether predicted probabilities mean what they say.
type Calibration struct {
	Bins []Bin // equal width; empty ones have N 0
	// ECE is the expected calibration error, the mean of |Mean − Rate| over the
	// bins weighted by N.
	ECE float64
	// Fitted is false where the outcomes do not allow the fit of
	// logit P(yes) = Intercept + Slope·logit(p): one class, one probability, or
	// perfect separation. Perfect calibration is 0 and 1.
	Fitted           bool
	Intercept, Slope float64
}

// Calibrate compares predictions with outcomes over bins of equal width and by
// Cox's recalibration line. Probabilities are held 1e-12 away from 0 and 1. It
// fails with ErrNoUsers; bins under 1 count as 1.
//
// Cox, D. R. (1958). "Two Further Applications of a Model for Binary
// Regression". Biometrika 45 (3/4): 562–565.
func Calibrate(fs []Forecast, bins int) (Calibration, error) {
	if len(fs) == 0 {
		return Calibration{}, ErrNoUsers
	}
	bins = max(bins, 1)
	c := Calibration{Bins: make([]Bin, bins)}
	for i := range c.Bins {
		c.Bins[i].From, c.Bins[i].To = float64(i)/float64(bins), float64(i+1)/float64(bins)
	}
	for _, f := range fs {
		b := &c.Bins[min(max(int(f.P*float64(bins)), 0), bins-1)]
		b.N++
		b.Mean += f.P
		if f.Yes {
			b.Rate++
		}
	}
	for i := range c.Bins {
		b := &c.Bins[i]
		if b.N > 0 {
			b.Mean /= float64(b.N)
			b.Rate /= float64(b.N)
			c.ECE += math.Abs(b.Mean-b.Rate) * float64(b.N) / float64(len(fs))
		}
	}
	c.Intercept, c.Slope, c.Fitted = recalibrate(fs)
	return c, nil
}

// recalibrate fits the line by Newton's method from the identity.
func recalibrate(fs []Forecast) (a, b float64, ok bool) {
	b = 1
	for range 50 {
		var ga, gb, haa, hab, hbb float64
		for _, f := range fs {
			p := math.Min(math.Max(f.P, 1e-12), 1-1e-12)
			x := math.Log(p / (1 - p))
			q := 1 / (1 + math.Exp(-a-b*x))
			y := 0.0
			if f.Yes {
				y = 1
			}
			w := q * (1 - q)
			ga += y - q
			gb += (y - q) * x
			haa += w
			hab += w * x
			hbb += w * x * x
		}
		det := haa*hbb - hab*hab
		if !(det > 1e-12*haa*hbb) {
			return 0, 0, false // one probability, or separation: no finite line
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		// A long step can overshoot where the classes nearly part.
		if s := math.Max(math.Abs(da), math.Abs(db)); s > 5 {
			da, db = da*5/s, db*5/s
		}
		a, b = a+da, b+db
		if math.Abs(a) > 100 || math.Abs(b) > 100 {
			return 0, 0, false
		}
		if math.Abs(da)+math.Abs(db) < 1e-10 {
			return a, b, true
		}
	}
	return 0, 0, false
}
