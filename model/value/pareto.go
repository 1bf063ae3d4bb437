package value

import "math"

// The Pareto/NBD: purchases come at a rate λ, gamma (r, α) over buyers, until a
// death that nobody sees and that comes at a rate μ, gamma (s, β), whether she
// buys or not.
//
// Schmittlein, D. C.; Morrison, D. G.; Colombo, R. (1987). "Counting Your
// Customers: Who Are They and What Will They Do Next?". Management Science 33
// (1): 1–24. Fader, P. S.; Hardie, B. G. S. (2005). "A Note on Deriving the
// Pareto/NBD Model and Related Expressions", brucehardie.com/notes/009.
//
// With G(y) = (α+y)^−(r+x)·(β+y)^−s, the likelihood is Γ(r+x)/Γ(r)·α^r·β^s times
//
//	G(T) + s·∫ from t_x to T of G(y)/(β+y) dy = G(T)·(1 − κH(T)) + κH(t_x)·G(t_x),   κ = s/(r+s+x)
//
// where H is 2F1(r+x, 1; r+s+x+1; u), u = (α−β)/(α+y), for α ≥ β, and
// (1−u)·2F1(s+1, 1; r+s+x+1; u), u = (β−α)/(β+y), else. Both summands are
// positive: the published form subtracts two nearly equal numbers instead.

// pnTail is κ·H(y), between 0 and 1, and its derivatives by r, α, s, β.
func pnTail(p Params, x, y float64) (v float64, d Params) {
	r, alpha, s, beta := p[0]+x, p[1], p[2], p[3]
	if far(alpha, beta, y) {
		return pnTailFar(r, alpha, s, beta, y)
	}
	k := s / (r + s)
	var f, fa, fc, fz float64
	if alpha >= beta {
		w := alpha + y
		f, fa, fc, fz = fraction(r, r+s+1, (alpha-beta)/w)
		return k * f, Params{
			k*(fa+fc) - k/(r+s)*f,
			k * fz * (beta + y) / (w * w),
			k*fc + r/((r+s)*(r+s))*f,
			-k * fz / w,
		}
	}
	w := beta + y
	rest := (alpha + y) / w // 1 − u
	f, fa, fc, fz = fraction(s+1, r+s+1, (beta-alpha)/w)
	return k * rest * f, Params{
		rest * (k*fc - k/(r+s)*f),
		k * (f - rest*fz) / w,
		rest * (k*(fa+fc) + r/((r+s)*(r+s))*f),
		k * (rest*fz - f) * rest / w,
	}
}

// pnTailValue is pnTail without the derivatives.
func pnTailValue(p Params, x, y float64) float64 {
	r, alpha, s, beta := p[0]+x, p[1], p[2], p[3]
	if far(alpha, beta, y) {
		v, _ := pnTailFar(r, alpha, s, beta, y)
		return v
	}
	k := s / (r + s)
	if alpha >= beta {
		return k * fractionValue(r, r+s+1, (alpha-beta)/(alpha+y))
	}
	return k * (alpha + y) / (beta + y) * fractionValue(s+1, r+s+1, (beta-alpha)/(beta+y))
}

// far says that the fraction would converge slowly: that u is near 1.
func far(alpha, beta, y float64) bool {
	return math.Min(alpha, beta)+y < 0.02*(math.Max(alpha, beta)+y)
}

// pnTailFar is pnTail from its integral, s·∫ from y of G(τ)/G(y)/(β+τ) dτ; r is
// r+x.
func pnTailFar(r, alpha, s, beta, y float64) (v float64, d Params) {
	unit := math.Min(alpha, beta) + y
	// τ = y + unit·(e^w − 1) makes the integrand fall like a plain exponential,
	// with no singularity nearer than ±iπ. A panel is as wide as it stays smooth.
	for at, panels := 0.0, 0; panels < 1000; panels++ {
		tau := unit * math.Expm1(at)
		slope := (r/(alpha+y+tau) + (s+1)/(beta+y+tau)) * (tau + unit)
		width := math.Min(4, 14/slope)
		before := v
		for k, node := range legendre {
			for _, sign := range [2]float64{-1, 1} {
				w := at + width*(0.5+sign*node/2)
				tau := unit * math.Expm1(w)
				a, b := alpha+y+tau, beta+y+tau
				la, lb := math.Log1p(tau/(alpha+y)), math.Log1p(tau/(beta+y))
				f := width / 2 * legendreWeight[k] * s * unit / b * math.Exp(w-r*la-s*lb)
				v += f
				d[0] -= f * la
				d[1] += f * r * tau / (a * (alpha + y))
				d[2] += f * (1/s - lb)
				d[3] += f * (s*tau/(b*(beta+y)) - 1/b)
			}
		}
		if at += width; v-before <= 1e-15*v {
			break
		}
	}
	return math.Min(v, 1), d
}

// pnLikelihood is the log-likelihood of a table and its gradient by the logarithms
// of r, α, s, β.
func pnLikelihood(t *table, p Params) (ll float64, grad Params) {
	r, alpha, s, beta := p[0], p[1], p[2], p[3]
	lr, dr, la, lb := lgamma(r), digamma(r), math.Log(alpha), math.Log(beta)
	for i, x := range t.x {
		n := t.nx[i]
		ll += n * (lgamma(r+x) - lr + r*la + s*lb)
		grad[0] += n * (digamma(r+x) - dr + la)
		grad[1] += n * r / alpha
		grad[2] += n * lb
		grad[3] += n * s / beta
	}
	for i := range t.rows {
		w := &t.rows[i]
		size := r + w.x
		lat, lbt := math.Log(alpha+w.age), math.Log(beta+w.age)
		gapA, gapB := lat-math.Log(alpha+w.last), lbt-math.Log(beta+w.last)
		vt, dt := pnTail(p, w.x, w.age)
		vx, dx := pnTail(p, w.x, w.last)
		gap := size*gapA + s*gapB
		one, two := math.Log(max(1-vt, math.SmallestNonzeroFloat64)), math.Log(vx)+gap
		all := math.Max(one, two) + math.Log1p(math.Exp(-math.Abs(one-two)))
		ll += w.n * (-size*lat - s*lbt + all)
		// The logarithm's derivative, each part weighed by its share.
		alive, past := math.Exp(-all), math.Exp(two-all)
		ratio := past / vx
		g := Params{
			-lat + past*gapA,
			-size/(alpha+w.age) + past*size*(1/(alpha+w.age)-1/(alpha+w.last)),
			-lbt + past*gapB,
			-s/(beta+w.age) + past*s*(1/(beta+w.age)-1/(beta+w.last)),
		}
		for j := range g {
			grad[j] += w.n * (g[j] - alive*dt[j] + ratio*dx[j])
		}
	}
	for j := range grad {
		grad[j] *= p[j]
	}
	return ll, grad
}

// pnAlive is P(alive): the likelihood of living still over the whole.
func pnAlive(p Params, h History) float64 {
	x := float64(h.Repeats)
	gap := (p[0]+x)*math.Log((p[1]+h.Age)/(p[1]+h.Last)) + p[2]*math.Log((p[3]+h.Age)/(p[3]+h.Last))
	one := math.Log(max(1-pnTailValue(p, x, h.Age), math.SmallestNonzeroFloat64))
	two := math.Log(pnTailValue(p, x, h.Last)) + gap
	return math.Min(1, math.Exp(-math.Max(one, two)-math.Log1p(math.Exp(-math.Abs(one-two)))))
}

// pnAfter is how many purchases a buyer alive at age makes in the next t.
func pnAfter(p Params, h History, t float64) float64 {
	beta := p[3] + h.Age
	return (p[0] + float64(h.Repeats)) / (p[1] + h.Age) * beta * saturating(p[2]-1, math.Log1p(t/beta))
}

// pnBuys is the chance that a buyer alive at age buys within (from, to] from then:
// the mean over λ and μ of e^(−μ·from)·∫ λ·e^(−(λ+μ)y) dy, by Gauss and Legendre.
func pnBuys(p Params, h History, from, to float64) float64 {
	size, rate, s, beta := p[0]+float64(h.Repeats), p[1]+h.Age, p[2], p[3]+h.Age
	unit := math.Min(rate, beta+from)
	most := math.Log1p((to - from) / unit)
	var sum float64
	for at := 0.0; at < most; { // panels as in pnTailFar
		y := unit * math.Expm1(at)
		slope := ((size+1)/(rate+y) + s/(beta+from+y)) * (y + unit)
		width := math.Min(most-at, math.Min(4, 14/slope))
		panel := 0.0
		for k, node := range legendre {
			for _, sign := range [2]float64{-1, 1} {
				w := at + width*(0.5+sign*node/2)
				y := unit * math.Expm1(w)
				panel += legendreWeight[k] * math.Exp(w-(size+1)*math.Log1p(y/rate)-s*math.Log1p((from+y)/beta))
			}
		}
		at += width
		if sum += panel * width / 2; panel*width <= 1e-15*sum {
			break
		}
	}
	return math.Min(1, sum*size*unit/rate)
}

// legendre are the positive nodes of the 16-point rule on [−1, 1].
//
// Abramowitz and Stegun (1964), table 25.4.
var (
	legendre = [8]float64{0.0950125098376374402, 0.2816035507792589132, 0.4580167776572273863, 0.6178762444026437484,
		0.7554044083550030339, 0.8656312023878317439, 0.9445750230732325761, 0.9894009349916499326}
	legendreWeight = [8]float64{0.1894506104550684963, 0.1826034150449235889, 0.1691565193950025382, 0.1495959888165767321,
		0.1246289712555338721, 0.0951585116824927848, 0.0622535239386478929, 0.0271524594117540949}
)
