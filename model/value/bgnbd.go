package value

import "math"

// The BG/NBD and its modified form. Purchases come at a rate λ, which differs by
// buyer as a gamma (r, α). After each purchase the buyer leaves for good with
// probability p, which differs as a beta (a, b): under BG/NBD after each repeat
// purchase only, so that whoever came once is alive for certain; under MBG/NBD
// after the first as well.
//
// Fader, P. S.; Hardie, B. G. S.; Lee, K. L. (2005). "'Counting Your Customers'
// the Easy Way". Marketing Science 24 (2): 275–284, equations 6, 7 and 10.
// Batislam, E. P.; Denizel, M.; Filiztekin, A. (2007). "Empirical Validation and
// Comparison of Models for Customer Base Analysis". Int. J. Research in Marketing
// 24 (3): 201–209.
//
// Given that she is alive, λ is Gamma(r+x, α+T) and p is Beta(a, b+x), or
// Beta(a, b+x+1) under MBG: the rest of the two models is the same.

// bgLikelihood is the log-likelihood of a table and its gradient by the logarithms
// of r, α, a, b. extra is 1 for MBG/NBD, else 0.
func bgLikelihood(t *table, p Params, extra float64) (ll float64, grad Params) {
	r, alpha, a, b := p[0], p[1], p[2], p[3]
	lr, lab, lb := lgamma(r), lgamma(a+b), lgamma(b)
	dr, dab, db := digamma(r), digamma(a+b), digamma(b)
	logAlpha := math.Log(alpha)
	for i, x := range t.x {
		k := x + extra
		n := t.nx[i]
		dabk := digamma(a + b + k)
		ll += n * (lgamma(r+x) - lr + r*logAlpha + lgamma(b+k) - lb - lgamma(a+b+k) + lab)
		grad[0] += n * (digamma(r+x) - dr + logAlpha)
		grad[1] += n * r / alpha
		grad[2] += n * (dab - dabk)
		grad[3] += n * (digamma(b+k) - db - dabk + dab)
	}
	var lleft, g0, g1, g2, g3 float64
	at, odds := -1, 0.0
	for i := range t.rows {
		w := &t.rows[i]
		size := r + w.x
		la := math.Log(alpha + w.age)
		term := -size * la
		d0, d1 := -la, -size/(alpha+w.age)
		if w.x > 0 || extra > 0 {
			if w.at != at {
				at, odds = w.at, math.Log(a/(b+w.x+extra-1))
			}
			gap := la - math.Log(alpha+w.last)
			e := odds + size*gap
			term += softplus(e)
			left := sigmoid(e) // P(gone)
			d0 += left * gap
			d1 += left * size * (1/(alpha+w.age) - 1/(alpha+w.last))
			g2 += w.n * left / a
			g3 -= w.n * left / (b + w.x + extra - 1)
		}
		lleft += w.n * term
		g0 += w.n * d0
		g1 += w.n * d1
	}
	ll += lleft
	grad[0], grad[1], grad[2], grad[3] = (grad[0]+g0)*r, (grad[1]+g1)*alpha, (grad[2]+g2)*a, (grad[3]+g3)*b
	return ll, grad
}

// bgAlive is P(alive).
func bgAlive(p Params, h History, extra float64) float64 {
	if h.Repeats == 0 && extra == 0 {
		return 1
	}
	x := float64(h.Repeats)
	return sigmoid(math.Log((p[3]+x+extra-1)/p[2]) - (p[0]+x)*math.Log((p[1]+h.Age)/(p[1]+h.Last)))
}

// bgAfter is how many purchases a buyer makes in the next t, given that she is
// alive, with λ ~ Gamma(size, rate) and p ~ Beta(a, b):
//
//	E[(1 − e^(−λpt))/p] = (a+b−1)/(a−1) · [1 − (1−z)^size · 2F1(size, b; a+b−1; z)], z = t/(rate+t)
//
// after Euler's transformation, (1−z)^size·2F1 = (1−z)^(a−1)·2F1(a−1, c; a+b−1; z)
// with c = a+b−1−size, which does not grow with the purchases; the first term of
// the series is taken out against the 1, so that nothing happens at a = 1.
func bgAfter(size, rate, a, b, t float64) float64 {
	if t <= 0 {
		return 0
	}
	z, stretch := t/(rate+t), math.Log1p(t/rate)
	top := a + b - 1
	c := top - size
	first := top * saturating(a-1, stretch)
	scale := math.Exp(-(a - 1) * stretch)
	term := c * z
	sum, most := 0.0, math.Abs(first)
	for k := 1.0; k < 20_000; k++ {
		sum += term
		most = math.Max(most, scale*math.Abs(term))
		if math.Abs(term) <= epsilon/8*math.Abs(sum) && k > -c {
			if got := first - scale*sum; most*epsilon <= 1e-10*got {
				return got
			}
			break
		}
		term *= (a + k - 1) * (c + k) / ((a + b + k - 1) * (k + 1)) * z
	}
	return betaMean(a, b, func(p float64) float64 {
		if p*t < 1e-14*rate {
			return size * t / rate
		}
		return -math.Expm1(-size*math.Log1p(p*t/rate)) / p
	})
}

// bgLasting is E[e^(−λpt)], the chance to be still there after t, of a buyer alive
// with λ ~ Gamma(size, rate) and p ~ Beta(a, b): 2F1(size, a; a+b; −t/rate).
func bgLasting(size, rate, a, b, t float64) float64 {
	if t <= 0 {
		return 1
	}
	z, stretch := t/(rate+t), math.Log1p(t/rate)
	c := a + b - size
	term, sum, most := 1.0, 0.0, 1.0
	for k := 0.0; k < 20_000; k++ {
		sum += term
		most = math.Max(most, math.Abs(term))
		if math.Abs(term) <= epsilon/8*math.Abs(sum) && k > -c {
			if most*epsilon <= 1e-11*sum {
				return math.Exp(-a*stretch) * sum
			}
			break
		}
		term *= (a + k) * (c + k) / ((a + b + k) * (k + 1)) * z
	}
	return betaMean(a, b, func(p float64) float64 { return math.Exp(-size * math.Log1p(p*t/rate)) })
}
