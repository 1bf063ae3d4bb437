package stat

import (
	"math"

	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat/distuv"
)

// A GapFit is one distribution fitted to gaps of whole days: P(gap > d) =
// exp(−Rate·d^Shape); Shape is 1 for the exponential.
type GapFit struct {
	Rate, Shape float64
	LogLik      float64
	AIC         float64
	// The fit's chi-square over spans of days, its degrees of freedom and p-value;
	// DF is 0 where there are too few gaps to test.
	ChiSquare float64
	DF        int
	P         float64
}

// Longer is P(gap > days).
func (f GapFit) Longer(days float64) float64 { return math.Exp(-f.Rate * math.Pow(days, f.Shape)) }

// Mean is the distribution's mean in days.
func (f GapFit) Mean() float64 {
	return math.Pow(f.Rate, -1/f.Shape) * math.Gamma(1+1/f.Shape)
}

// Rejected says that the gaps are not of this distribution, at 5 %.
func (f GapFit) Rejected() bool { return f.DF > 0 && f.P < 0.05 }

// GapFits are the exponential and the Weibull fitted to the same gaps.
type GapFits struct {
	Exponential, Weibull GapFit
	Gaps, Open           int64
}

// FitGaps fits both by maximum likelihood to gaps grouped by whole days, with the
// silences that still go on censored: closed[d] gaps lasted d days (d ≥ 1), open[d]
// silences have lasted d. A gap of d days contributes S(d−1) − S(d), an open one
// S(d). The slices are not changed. ok is false with fewer than 20 closed gaps, or
// where all closed gaps last one day and none is open.
//
// The chi-square compares the gaps that ended on spans of days with those the fit
// expects of the gaps at risk there, so that censoring is allowed for. It takes
// gaps as independent; those of one user are not quite.
//
// Grouped likelihood: Nakagawa, T.; Osaki, S. (1975). "The Discrete Weibull
// Distribution". IEEE Trans. Reliability 24 (5): 300–301. Test: Akritas, M. G.
// (1988). "Pearson-Type Goodness-of-Fit Tests: The Univariate Case". J. Am. Stat.
// Assoc. 83 (401): 222–230.
func FitGaps(closed, open []int64) (fits GapFits, ok bool) {
	days := 0.0
	for d, n := range closed {
		fits.Gaps += n
		days += float64(n) * float64(d)
	}
	for d, n := range open {
		fits.Open += n
		days += float64(n) * float64(d)
	}
	if fits.Gaps < leastGaps || !(days > float64(fits.Gaps)) {
		return fits, false
	}
	// Of the geometric distribution the maximum is known: ends over days at risk.
	e := GapFit{Rate: -math.Log1p(-float64(fits.Gaps) / days), Shape: 1}
	w := e
	res, err := optimize.Minimize(optimize.Problem{Func: func(x []float64) float64 {
		if math.Abs(x[1]) > 4 {
			return math.Inf(1)
		}
		ll := gapLogLik(closed, open, math.Exp(x[0]), math.Exp(x[1])) / float64(fits.Gaps)
		if math.IsNaN(ll) {
			return math.Inf(1)
		}
		return -ll
	}}, []float64{math.Log(e.Rate), 0}, &optimize.Settings{MajorIterations: 400}, &optimize.NelderMead{})
	if res != nil && (err == nil || !math.IsInf(res.F, 0)) {
		w.Rate, w.Shape = math.Exp(res.X[0]), math.Exp(res.X[1])
	}
	fits.Exponential, fits.Weibull = e.judged(closed, open, 1), w.judged(closed, open, 2)
	return fits, true
}

func gapLogLik(closed, open []int64, rate, shape float64) (ll float64) {
	before := 0.0 // rate·(d−1)^shape
	for d := 1; d < max(len(closed), len(open)); d++ {
		h := rate * math.Pow(float64(d), shape)
		if d < len(closed) && closed[d] > 0 {
			// log(exp(−before) − exp(−h))
			ll += float64(closed[d]) * (-before + math.Log(-math.Expm1(before-h)))
		}
		if d < len(open) && open[d] > 0 {
			ll -= float64(open[d]) * h
		}
		before = h
	}
	return ll
}

// judged adds likelihood and test to a fit with so many free numbers.
func (f GapFit) judged(closed, open []int64, free int) GapFit {
	f.LogLik = gapLogLik(closed, open, f.Rate, f.Shape)
	f.AIC = 2*float64(free) - 2*f.LogLik
	n := max(len(closed), len(open))
	var risk int64
	for d := 1; d < n; d++ {
		risk += at(closed, d) + at(open, d)
	}
	spans, seen, want, spread := 0, 0.0, 0.0, 0.0
	for d := 1; d < n; d++ {
		h := -math.Expm1(f.Rate * (math.Pow(float64(d-1), f.Shape) - math.Pow(float64(d), f.Shape)))
		seen += float64(at(closed, d))
		want += float64(risk) * h
		spread += float64(risk) * h * (1 - h)
		risk -= at(closed, d) + at(open, d)
		if want >= 5 && spread >= 2 {
			f.ChiSquare += (seen - want) * (seen - want) / spread
			spans++
			seen, want, spread = 0, 0, 0
		}
	}
	if f.DF = spans - free; f.DF > 0 {
		f.P = distuv.ChiSquared{K: float64(f.DF)}.Survival(f.ChiSquare)
	} else {
		f.DF = 0
	}
	return f
}

func at(counts []int64, d int) int64 {
	if d < len(counts) {
		return counts[d]
	}
	return 0
}
