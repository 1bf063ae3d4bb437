package survival

import (
	"math"

	"dwell/model/stat"
)

// A law is the distribution of W in log T = Mu + Sigma·W: the logarithms of its
// density and of its survival function with two derivatives each, and where a
// share survives.
type law struct {
	density, survival func(w float64) (g, g1, g2 float64)
	quantile          func(share float64) float64
}

func lawOf(f Family) (law, bool) {
	switch f {
	case Weibull, Exponential:
		return law{extremeDensity, extremeSurvival, func(s float64) float64 { return math.Log(-math.Log(s)) }}, true
	case LogNormal:
		return law{normalDensity, normalSurvival, func(s float64) float64 { return stat.NormalQuantile(1 - s) }}, true
	case LogLogistic:
		return law{logisticDensity, logisticSurvival, func(s float64) float64 { return math.Log((1 - s) / s) }}, true
	}
	return law{}, false
}

func extremeDensity(w float64) (g, g1, g2 float64) {
	e := math.Exp(w)
	return w - e, 1 - e, -e
}

func extremeSurvival(w float64) (g, g1, g2 float64) {
	e := math.Exp(w)
	return -e, -e, -e
}

func logisticDensity(w float64) (g, g1, g2 float64) {
	p := 1 / (1 + math.Exp(-w))
	return w - 2*softplus(w), 1 - 2*p, -2 * p * (1 - p)
}

func logisticSurvival(w float64) (g, g1, g2 float64) {
	p := 1 / (1 + math.Exp(-w))
	return -softplus(w), -p, -p * (1 - p)
}

// softplus is log(1 + e^w) without overflow.
func softplus(w float64) float64 {
	if w > 0 {
		return w + math.Log1p(math.Exp(-w))
	}
	return math.Log1p(math.Exp(w))
}

// halfLog2Pi is ½·log 2π.
const halfLog2Pi = 0.9189385332046727418

func normalDensity(w float64) (g, g1, g2 float64) { return -w*w/2 - halfLog2Pi, -w, -1 }

// normalSurvival is log Φ(−w). Beyond 30, where erfc underflows, it goes by the
// asymptotic series of Mills' ratio, exact there to 1e-12.
func normalSurvival(w float64) (g, g1, g2 float64) {
	if w < 30 {
		g = math.Log(0.5 * math.Erfc(w/math.Sqrt2))
	} else {
		v := 1 / (w * w)
		g = -w*w/2 - halfLog2Pi - math.Log(w) + math.Log1p(-v*(1-3*v*(1-5*v*(1-7*v))))
	}
	h := math.Exp(-w*w/2 - halfLog2Pi - g) // the hazard φ/Φ(−w)
	return g, -h, -h * (h - w)
}
