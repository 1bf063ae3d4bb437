package value

import (
	"fmt"
	"math"

	"dwell/model/stat"
)

// A Kind names a repeat-buying model.
type Kind string

const (
	// MBG is the modified BG/NBD, the default: a one-time buyer may be gone.
	MBG Kind = "mbg/nbd"
	// BG is the BG/NBD. It takes every one-time buyer for alive.
	BG Kind = "bg/nbd"
	// Pareto is the Pareto/NBD.
	Pareto Kind = "pareto/nbd"
)

// Params are r, α, a, b, or of Pareto r, α, s, β. α and β are in weeks, the others
// are numbers.
type Params [4]float64

// Names are the parameters' names.
func (k Kind) Names() [4]string {
	if k == Pareto {
		return [4]string{"r", "alpha", "s", "beta"}
	}
	return [4]string{"r", "alpha", "a", "b"}
}

// extra is how many purchases beside the repeats could have been the last.
func (k Kind) extra() float64 {
	if k == MBG {
		return 1
	}
	return 0
}

// A Repeat is a fitted repeat-buying model. It is not changed after the fit and
// safe for many goroutines; its methods allocate nothing.
type Repeat struct {
	Kind   Kind
	Params Params
	// SE are the parameters' standard errors and Cov the covariances of their
	// logarithms, from the observed information; Known is false, and both are
	// zero, where that is not positive definite.
	SE     Params
	Cov    [4][4]float64
	Known  bool
	Buyers int64
	Groups int64 // distinct histories among them
	// Span is the longest history among them, in weeks, its first day counted. What the model says beyond
	// it nothing in the data bears out: see Reach.
	Span float64
	// Leaves says that the data show buyers leaving: that the model gains
	// significantly (5 %) on Staying, the log-likelihood of buyers who never leave.
	// Where it is false P(alive) is near 1 for want of evidence and is not to be
	// shown as a finding: it is undetermined. What is expected of buyers stands.
	Leaves      bool
	Staying     float64
	Convergence Convergence
}

// LogLikelihood of a sample under given parameters, with the constants that the
// published forms keep (the likelihood of the purchase times, not of their number).
func LogLikelihood(k Kind, s *Sample, p Params) float64 {
	ll, _ := k.likelihood(s.table(), p)
	return ll
}

func (k Kind) likelihood(t *table, p Params) (float64, Params) {
	if k == Pareto {
		return pnLikelihood(t, p)
	}
	return bgLikelihood(t, p, k.extra())
}

// Alive is P(alive) as of the history's age.
func (m *Repeat) Alive(h History) float64 {
	if m.Kind == Pareto {
		return pnAlive(m.Params, h)
	}
	return bgAlive(m.Params, h, m.Kind.extra())
}

// IfAlive is how many purchases are expected in the next weeks of a buyer who is
// alive for certain.
func (m *Repeat) IfAlive(h History, weeks float64) float64 {
	p := &m.Params
	if m.Kind == Pareto {
		return pnAfter(*p, h, weeks)
	}
	x := float64(h.Repeats)
	return bgAfter(p[0]+x, p[1]+h.Age, p[2], p[3]+x+m.Kind.extra(), weeks)
}

// Expected is how many purchases are expected in the next weeks.
func (m *Repeat) Expected(h History, weeks float64) float64 {
	return m.Alive(h) * m.IfAlive(h, weeks)
}

// Between is how many are expected after from and up to to weeks from now.
func (m *Repeat) Between(h History, from, to float64) float64 {
	return math.Max(0, m.Alive(h)*(m.IfAlive(h, to)-m.IfAlive(h, from)))
}

// Buys is the chance of at least one purchase after from and up to to weeks from
// now.
func (m *Repeat) Buys(h History, from, to float64) float64 {
	return m.Alive(h) * m.buysIfAlive(h, from, to)
}

// buysIfAlive is Buys of a buyer who is alive for certain.
func (m *Repeat) buysIfAlive(h History, from, to float64) float64 {
	if to <= from {
		return 0
	}
	if m.Kind == Pareto {
		return pnBuys(m.Params, h, from, to)
	}
	p, x := &m.Params, float64(h.Repeats)
	size, rate, a, b := p[0]+x, p[1]+h.Age, p[2], p[3]+x+m.Kind.extra()
	// There at from, and no purchase in the span: λ's gamma has then the rate
	// rate + span, and (rate/(rate+span))^size of its mass.
	span := to - from
	none := math.Exp(-size * math.Log1p(span/rate))
	there := bgLasting(size, rate, a, b, from)
	return math.Min(1, math.Max(0, there-none*bgLasting(size, rate+span, a, b, from)))
}

// Reach is the longest horizon that the model may be asked for, in weeks: twice the
// span it has seen. Between the span and twice the span its shape alone speaks,
// which must be said.
func (m *Repeat) Reach() float64 { return 2 * m.Span }

// New is how many purchases a buyer makes in so many weeks after her first.
func (m *Repeat) New(weeks float64) float64 { return m.Expected(History{}, weeks) }

// near calls f at the parameters and at both sides of each, a step of h along its
// logarithm, and gives the gradient of f by the logarithms.
func (m *Repeat) gradient(f func(*Repeat) float64) (at float64, grad Params) {
	const h = 1e-4
	other := *m
	for j := range m.Params {
		other.Params[j] = m.Params[j] * math.Exp(h)
		up := f(&other)
		other.Params[j] = m.Params[j] * math.Exp(-h)
		grad[j] = (up - f(&other)) / (2 * h)
		other.Params[j] = m.Params[j]
	}
	return f(m), grad
}

// spread is the standard error of a quantity with this gradient.
func (m *Repeat) spread(grad Params) float64 {
	var v float64
	for i := range grad {
		for j := range grad {
			v += grad[i] * m.Cov[i][j] * grad[j]
		}
	}
	return math.Sqrt(math.Max(0, v))
}

// Interval is the delta-method interval of a positive quantity of the model, made
// on its logarithm: how far the estimate may be off because the parameters are
// estimated from finitely many buyers, if the model is right. It is no range of
// what one buyer will do. ok is false where the fit has no covariances.
//
// Oehlert, G. W. (1992). "A Note on the Delta Method". The American Statistician
// 46 (1): 27–29.
func (m *Repeat) Interval(f func(*Repeat) float64, level float64) (iv stat.Interval, ok bool) {
	if !m.Known {
		return iv, false
	}
	at, grad := m.gradient(f)
	if !(at > 0) {
		return stat.Interval{}, true
	}
	half := stat.NormalQuantile(0.5+level/2) * m.spread(grad) / at
	return stat.Interval{Lo: at * math.Exp(-half), Hi: at * math.Exp(half)}, true
}

// ExpectedInterval is Interval of Expected.
func (m *Repeat) ExpectedInterval(h History, weeks, level float64) (stat.Interval, bool) {
	return m.Interval(func(m *Repeat) float64 { return m.Expected(h, weeks) }, level)
}

// AliveInterval is the interval of P(alive), made on its log-odds so that it stays
// within (0, 1).
func (m *Repeat) AliveInterval(h History, level float64) (iv stat.Interval, ok bool) {
	if !m.Known {
		return iv, false
	}
	p, grad := m.gradient(func(m *Repeat) float64 { return m.Alive(h) })
	if !(p > 0 && p < 1) {
		return stat.Interval{Lo: p, Hi: p}, true
	}
	half := stat.NormalQuantile(0.5+level/2) * m.spread(grad) / (p * (1 - p))
	mid := math.Log(p) - math.Log1p(-p)
	return stat.Interval{Lo: sigmoid(mid - half), Hi: sigmoid(mid + half)}, true
}

// A Note is a sentence that must stand beside a model's figures.
type Note struct{ Key, Text string }

// Notes are what must be said beside the model's figures; nil where there is
// nothing.
func (m *Repeat) Notes() (out []Note) {
	if !m.Leaves {
		out = append(out, Note{"no-leaving", fmt.Sprintf("The data show no sign that buyers leave for good: a model in which they do gains %.1f in log-likelihood on one in which they never do, and it would take %.1f. P(alive) is undetermined.", math.Max(0, m.Convergence.LogLikelihood-m.Staying), leaving)})
	}
	if m.Convergence.Held {
		out = append(out, Note{"held", "The data do not tell how much buyers differ in some of the parameters: a weak prior holds those, and the intervals include it."})
	}
	if !m.Known {
		out = append(out, Note{"no-intervals", "How far the parameters may be off could not be estimated, so the figures have no intervals."})
	}
	return out
}
