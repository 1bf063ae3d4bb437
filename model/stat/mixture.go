package stat

import "math"

// A Normal is one component of a mixture: its share of the weight, mean and
// standard deviation.
type Normal struct{ Share, Mean, SD float64 }

// A Mixture compares one normal distribution with a mixture of two.
type Mixture struct {
	One  Normal    // of all
	Two  [2]Normal // by mean, ascending
	BIC1 float64   // less is better
	BIC2 float64
	N    float64
}

// Groups says whether two groups are there: the mixture is very much better by
// BIC (over 10 less: Raftery 1995), and its components lie so far apart that two
// humps can be told from one (D > 2: Ashman, Bird, Zepf 1994).
func (m *Mixture) Groups() bool { return m.BIC1-m.BIC2 > 10 && m.Separation() > 2 }

// Separation is Ashman's D = √2·|μ1−μ2| / √(σ1²+σ2²).
func (m *Mixture) Separation() float64 {
	a, b := m.Two[0], m.Two[1]
	return math.Sqrt2 * (b.Mean - a.Mean) / math.Sqrt(a.SD*a.SD+b.SD*b.SD)
}

// High is the probability that a value belongs to the component with the higher
// mean.
func (m *Mixture) High(x float64) float64 {
	a, b := m.Two[0].logDensity(x), m.Two[1].logDensity(x)
	return 1 / (1 + math.Exp(a-b))
}

// logDensity is the logarithm of the component's density times its share.
func (n Normal) logDensity(x float64) float64 {
	d := (x - n.Mean) / n.SD
	return math.Log(n.Share) - math.Log(n.SD) - d*d/2 - 0.9189385332046727 // ½·log 2π
}

// leastMixture is the weight under which two groups are not looked for.
const leastMixture = 30

// FitMixture fits both by maximum likelihood, the mixture by expectation and
// maximisation from several starts, of which the best is kept; standard
// deviations are held over a hundredth of that of all, so that no component
// shrinks onto one value. values and weights (how many users have each) are
// ascending by value, equally long and not changed. ok is false under 30 users,
// or where all values are equal.
//
// Dempster, A. P.; Laird, N. M.; Rubin, D. B. (1977), J. R. Stat. Soc. B 39 (1):
// 1–38. BIC: Schwarz, G. (1978), Annals of Statistics 6 (2): 461–464.
func FitMixture(values, weights []float64) (m Mixture, ok bool) {
	for i, w := range weights {
		m.N += w
		m.One.Mean += w * values[i]
	}
	if m.N < leastMixture {
		return m, false
	}
	m.One.Mean /= m.N
	for i, w := range weights {
		m.One.SD += w * (values[i] - m.One.Mean) * (values[i] - m.One.Mean)
	}
	m.One.SD, m.One.Share = math.Sqrt(m.One.SD/m.N), 1
	if !(m.One.SD > 0) {
		return m, false
	}
	one := 0.0
	for i, w := range weights {
		one += w * m.One.logDensity(values[i])
	}
	best := math.Inf(-1)
	for _, cut := range []float64{0.2, 0.35, 0.5, 0.65, 0.8} {
		two, ll := m.climb(values, weights, cut)
		if ll > best {
			best, m.Two = ll, two
		}
	}
	if m.Two[0].Mean > m.Two[1].Mean {
		m.Two[0], m.Two[1] = m.Two[1], m.Two[0]
	}
	m.BIC1 = 2*math.Log(m.N) - 2*one
	m.BIC2 = 5*math.Log(m.N) - 2*best
	return m, true
}

// climb runs EM from the users below and above a share of all.
func (m *Mixture) climb(values, weights []float64, cut float64) (two [2]Normal, ll float64) {
	resp := make([]float64, len(values)) // of the upper component
	seen := 0.0
	for i, w := range weights {
		if seen += w; seen > cut*m.N {
			resp[i] = 1
		}
	}
	ll = math.Inf(-1)
	for range 500 {
		two = m.components(values, weights, resp)
		next := 0.0
		for i, w := range weights {
			a, b := two[0].logDensity(values[i]), two[1].logDensity(values[i])
			top := math.Max(a, b)
			sum := top + math.Log(math.Exp(a-top)+math.Exp(b-top))
			resp[i] = math.Exp(b - sum)
			next += w * sum
		}
		if next-ll < 1e-9*math.Abs(next) {
			return two, next
		}
		ll = next
	}
	return two, ll
}

func (m *Mixture) components(values, weights, resp []float64) (two [2]Normal) {
	for k := range two {
		share := func(i int) float64 {
			if k == 1 {
				return weights[i] * resp[i]
			}
			return weights[i] * (1 - resp[i])
		}
		n, mean, sq := 0.0, 0.0, 0.0
		for i := range values {
			n += share(i)
			mean += share(i) * values[i]
		}
		n = math.Max(n, 1e-9)
		mean /= n
		for i := range values {
			sq += share(i) * (values[i] - mean) * (values[i] - mean)
		}
		two[k] = Normal{math.Max(n/m.N, 1e-12), mean, math.Max(math.Sqrt(sq/n), m.One.SD/100)}
	}
	return two
}
