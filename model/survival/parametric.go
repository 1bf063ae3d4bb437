package survival

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"dwell/model/stat"
)

// A Family is a kind of distribution of lifetimes.
type Family string

// The families. In all of them log T = Mu + Sigma·W, W with a fixed distribution.
const (
	Weibull     Family = "weibull"     // W of the least extreme value; hazard rises or falls as a power of time
	Exponential Family = "exponential" // Weibull with Sigma 1: a constant hazard
	LogNormal   Family = "lognormal"   // W standard normal
	LogLogistic Family = "loglogistic" // W logistic
)

// Families lists them all.
func Families() []Family { return []Family{Weibull, Exponential, LogNormal, LogLogistic} }

// A Parameter is a fitted number by its usual name, with its standard error.
type Parameter struct {
	Name      string
	Value, SE float64
}

// A Fit is a family fitted to lives by maximum likelihood.
type Fit struct {
	Family    Family
	Mu, Sigma float64
	Cov       [2][2]float64 // of Mu and log Sigma
	LogLik    float64
	AIC       float64 // 2·parameters − 2·LogLik: the lower fits better
	N, Died   int64

	law law
}

// The reasons why a fit is refused.
var (
	ErrDiverged  = errors.New("the likelihood has no maximum that can be found, so nothing is fitted")
	ErrDeathAt0  = errors.New("somebody died at time 0, where the logarithm of a lifetime does not exist")
	ErrOneMoment = errors.New("all deaths are at one time, so a spread cannot be fitted")
)

// maxSteps bounds a search: Newton's method needs about ten steps.
const maxSteps = 100

// FitTo fits a family to lives by maximum likelihood: a death contributes the
// density, a censored life the survival at its time, a life watched from Entry on
// is conditional on having reached it. lives is not modified; lives of no time say
// nothing. It fails with ErrNobody, ErrBadLife, ErrNoDeath, ErrDeathAt0,
// ErrOneMoment or ErrDiverged.
//
// Newton's method on (Mu, log Sigma) with halved steps. Lawless, J. F. (2003).
// Statistical Models and Methods for Lifetime Data, 2nd ed., chapter 5.
func FitTo(f Family, lives []Life) (*Fit, error) {
	if err := Check(lives); err != nil {
		return nil, err
	}
	w, ok := lawOf(f)
	if !ok {
		return nil, fmt.Errorf("there is no family %q: use one of %v", f, Families())
	}
	fit := &Fit{Family: f, law: w, Sigma: 1}
	var lived, first float64
	spread := false
	for _, l := range lives {
		fit.N += l.Count
		lived += (l.Time - l.Entry) * float64(l.Count)
		if !l.Died {
			continue
		}
		if l.Time == 0 {
			return nil, ErrDeathAt0
		}
		spread = spread || first > 0 && l.Time != first
		first = l.Time
		fit.Died += l.Count
	}
	switch {
	case fit.Died == 0:
		return nil, ErrNoDeath
	case !spread && f != Exponential:
		return nil, ErrOneMoment
	}
	fit.Mu = math.Log(lived / float64(fit.Died))
	if err := fit.climb(lives); err != nil {
		return nil, err
	}
	return fit, nil
}

// dims is the number of free parameters.
func (f *Fit) dims() int {
	if f.Family == Exponential {
		return 1
	}
	return 2
}

// climb finds the maximum from where the fit stands.
func (f *Fit) climb(lives []Life) error {
	tau := math.Log(f.Sigma)
	at := likelihood(f.law, lives, f.Mu, tau)
	for range maxSteps {
		d0, d1, curved := at.step(f.dims())
		if math.Max(math.Abs(d0), math.Abs(d1)) < 1e-11*(1+math.Abs(f.Mu)) && curved {
			return f.finish(at)
		}
		size := 1.0
		for ; ; size /= 2 {
			if size < 1e-12 {
				if curved && math.Max(math.Abs(d0), math.Abs(d1)) < 1e-6 {
					return f.finish(at) // nothing better is left within rounding
				}
				return ErrDiverged
			}
			next := likelihood(f.law, lives, f.Mu+size*d0, tau+size*d1)
			if next.finite() && next.l >= at.l-1e-12*math.Abs(at.l) {
				f.Mu, tau, at = f.Mu+size*d0, tau+size*d1, next
				f.Sigma = math.Exp(tau)
				break
			}
		}
		if math.Abs(tau) > 30 || math.Abs(f.Mu) > 300 {
			return ErrDiverged
		}
	}
	return ErrDiverged
}

func (f *Fit) finish(at slope) error {
	f.LogLik = at.l
	f.AIC = 2*float64(f.dims()) - 2*at.l
	if f.dims() == 1 {
		f.Cov[0][0] = -1 / at.h00
		return nil
	}
	det := at.h00*at.h11 - at.h01*at.h01
	f.Cov = [2][2]float64{{-at.h11 / det, at.h01 / det}, {at.h01 / det, -at.h00 / det}}
	return nil
}

// A slope is a log-likelihood with its derivatives by Mu and log Sigma.
type slope struct{ l, g0, g1, h00, h01, h11 float64 }

func (s *slope) finite() bool {
	return !math.IsNaN(s.l+s.g0+s.g1+s.h00+s.h01+s.h11) && !math.IsInf(s.l+s.g0+s.g1+s.h00+s.h01+s.h11, 0)
}

// step is Newton's step; where the likelihood is not curved downwards, a step
// uphill of limited length.
func (s *slope) step(dims int) (d0, d1 float64, curved bool) {
	if dims == 1 {
		if s.h00 < 0 {
			return -s.g0 / s.h00, 0, true
		}
		return math.Copysign(0.5, s.g0), 0, false
	}
	det := s.h00*s.h11 - s.h01*s.h01
	if s.h00 < 0 && det > 0 {
		return (-s.h11*s.g0 + s.h01*s.g1) / det, (s.h01*s.g0 - s.h00*s.g1) / det, true
	}
	n := math.Hypot(s.g0, s.g1)
	if n == 0 {
		return 0, 0, false
	}
	return 0.5 * s.g0 / n, 0.5 * s.g1 / n, false
}

// likelihood adds up all lives at (mu, tau = log sigma). With w = (log t − mu)/σ:
// ∂w/∂mu = −1/σ, ∂w/∂tau = −w, ∂²w/∂mu∂tau = 1/σ, ∂²w/∂tau² = w.
func likelihood(law law, lives []Life, mu, tau float64) (s slope) {
	inv := math.Exp(-tau)
	add := func(k, w, g, g1, g2 float64) {
		s.l += k * g
		s.g0 += k * g1 * -inv
		s.g1 += k * g1 * -w
		s.h00 += k * g2 * inv * inv
		s.h01 += k * (g2*inv*w + g1*inv)
		s.h11 += k * (g2*w*w + g1*w)
	}
	for _, l := range lives {
		if l.Time == 0 || l.Entry == l.Time {
			continue
		}
		k, logT := float64(l.Count), math.Log(l.Time)
		w := (logT - mu) * inv
		if l.Died {
			g, g1, g2 := law.density(w)
			add(k, w, g-tau-logT, g1, g2)
			s.g1 -= k
		} else {
			g, g1, g2 := law.survival(w)
			add(k, w, g, g1, g2)
		}
		if l.Entry > 0 {
			e := (math.Log(l.Entry) - mu) * inv
			g, g1, g2 := law.survival(e)
			add(-k, e, g, g1, g2)
		}
	}
	return s
}

// Parameters are the family's own numbers: Weibull S(t) = exp(−(t/lambda)^rho),
// exponential S(t) = exp(−t/lambda), log-normal with mu and sigma of log T,
// log-logistic S(t) = 1/(1 + (t/alpha)^beta). Standard errors by the delta method.
func (f *Fit) Parameters() []Parameter {
	mu, tau := math.Sqrt(f.Cov[0][0]), math.Sqrt(f.Cov[1][1])
	scale, shape := math.Exp(f.Mu), 1/f.Sigma
	switch f.Family {
	case Exponential:
		return []Parameter{{"lambda", scale, scale * mu}}
	case LogNormal:
		return []Parameter{{"mu", f.Mu, mu}, {"sigma", f.Sigma, f.Sigma * tau}}
	case LogLogistic:
		return []Parameter{{"alpha", scale, scale * mu}, {"beta", shape, shape * tau}}
	}
	return []Parameter{{"lambda", scale, scale * mu}, {"rho", shape, shape * tau}}
}

// Survival is S(t) with its interval by the delta method on the scale of W, on
// which the estimate is nearest to normal. At t ≤ 0 it is 1.
func (f *Fit) Survival(t, level float64) (s float64, band stat.Interval) {
	if t <= 0 {
		return 1, stat.Interval{Lo: 1, Hi: 1}
	}
	w := (math.Log(t) - f.Mu) / f.Sigma
	// ∂w/∂mu = −1/σ, ∂w/∂log σ = −w
	v := (f.Cov[0][0]/f.Sigma+2*w*f.Cov[0][1])/f.Sigma + w*w*f.Cov[1][1]
	half := stat.NormalQuantile(0.5+level/2) * math.Sqrt(math.Max(v, 0))
	at := func(w float64) float64 { g, _, _ := f.law.survival(w); return math.Exp(g) }
	return at(w), stat.Interval{Lo: at(w + half), Hi: at(w - half)}
}

// Reached is the time at which a share survives, 0 < share < 1, with its interval
// by the delta method on the log scale.
func (f *Fit) Reached(share, level float64) (t float64, band stat.Interval) {
	w := f.law.quantile(share)
	v := f.Cov[0][0] + 2*f.Sigma*w*f.Cov[0][1] + f.Sigma*f.Sigma*w*w*f.Cov[1][1]
	half := stat.NormalQuantile(0.5+level/2) * math.Sqrt(math.Max(v, 0))
	at := f.Mu + f.Sigma*w
	return math.Exp(at), stat.Interval{Lo: math.Exp(at - half), Hi: math.Exp(at + half)}
}

// FitAll fits every family; the best, of the lowest AIC, comes first. Families
// that cannot be fitted are left out with the reason.
func FitAll(lives []Life) (fits []*Fit, refused map[Family]error) {
	refused = map[Family]error{}
	for _, f := range Families() {
		fit, err := FitTo(f, lives)
		if err != nil {
			refused[f] = err
			continue
		}
		fits = append(fits, fit)
	}
	slices.SortStableFunc(fits, func(a, b *Fit) int {
		switch {
		case a.AIC < b.AIC:
			return -1
		case a.AIC > b.AIC:
			return 1
		}
		return 0
	})
	return fits, refused
}
