package value

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// The hypergeometric functions these models need, each in the form whose terms
// do not cancel. gonum's mathext.Hypergeo is Cephes': it divides by gammas of
// sums that overflow beyond 171 purchases, and recurs over the purchases one by
// one; so what stands here is Euler's and Pfaff's transformations, whose upper
// arguments do not grow with the purchases, Gauss's continued fraction, and, where
// terms still cancel, a quadrature of a positive integrand.

const epsilon = 0x1p-52

// lgamma is the logarithm of Γ for x > 0.
func lgamma(x float64) float64 { y, _ := math.Lgamma(x); return y }

func digamma(x float64) float64 { return mathext.Digamma(x) }

// softplus is log(1 + exp(x)) without overflow.
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// sigmoid is 1/(1 + exp(−x)) without overflow.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// saturating is (1 − exp(−k·y))/k, which is y at k = 0.
func saturating(k, y float64) float64 {
	if math.Abs(k*y) < 1e-12 {
		return y
	}
	return -math.Expm1(-k*y) / k
}

// fraction is 2F1(a, 1; c; z) for a ≥ 0, c > a, c ≥ 1, 0 ≤ z < 1, and its
// derivatives by a, c and z, from Gauss's continued fraction, which converges
// like ((1−√(1−z))/(1+√(1−z)))ⁿ.
//
// Abramowitz, M.; Stegun, I. A. (1964). Handbook of Mathematical Functions,
// 26.5.8; the derivatives are those of the finite fraction.
func fraction(a, c, z float64) (f, da, dc, dz float64) {
	if z <= 0 {
		return 1, 0, 0, a / c
	}
	g := 1.0
	var ga, gc, gz float64
	for k := depth(z); k > 1; k-- {
		var d, ka, kc, kz float64
		m := float64(k / 2)
		if k%2 == 1 {
			p, q := c-1+2*m, c+2*m
			w := (1 - c - m) / (p * q)
			d = w * (a + m) * z
			ka, kc, kz = w*z, d*(1/(c-1+m)-1/p-1/q), w*(a+m)
		} else {
			p, q := c+2*m-2, c+2*m-1
			w := -m / (p * q)
			e := c - 1 - a + m
			d = w * e * z
			ka, kc, kz = -w*z, w*z-d*(1/p+1/q), w*e
		}
		// g ← 1 + d/g
		inv := 1 / g
		q := d * inv
		ga, gc, gz = (ka-q*ga)*inv, (kc-q*gc)*inv, (kz-q*gz)*inv
		g = 1 + q
	}
	inv := 1 / g
	q := -a * z / c * inv
	ga, gc, gz = (-z/c-q*ga)*inv, (-q/c*g-q*gc)*inv, (-a/c-q*gz)*inv
	f = 1 / (1 + q)
	return f, -ga * f * f, -gc * f * f, -gz * f * f
}

// fractionValue is fraction without the derivatives.
func fractionValue(a, c, z float64) float64 {
	if z <= 0 {
		return 1
	}
	g := 1.0
	for k := depth(z); k > 1; k-- {
		m := float64(k / 2)
		if k%2 == 1 {
			g = 1 - (c-1+m)*(a+m)*z/((c-1+2*m)*(c+2*m)*g)
		} else {
			g = 1 - m*(c-1-a+m)*z/((c+2*m-2)*(c+2*m-1)*g)
		}
	}
	return 1 / (1 - a*z/(c*g))
}

// deepest bounds the fraction: it is reached where z is within 1e-8 of 1.
const deepest = 200_000

// depth is how many partial fractions give f to the last digits. Their numerators
// tend to −z/4, so that each divides the error by (1+√(1−z))/(1−√(1−z)) at last;
// before, where they are small against a and c, by more.
func depth(z float64) int {
	q := math.Sqrt(1 - z)
	return min(deepest, 8+int(40/(math.Log1p(q)-math.Log1p(-q))))
}

// betaMean is the mean of g over a Beta(a, b), a, b > 0, for g ≥ 0: the trapezium
// rule over the logit of p, spread by sinh around the mode, where its error falls
// faster than any power of the step.
//
// Takahasi, H.; Mori, M. (1974). "Double Exponential Formulas for Numerical
// Integration". Publ. RIMS 9 (3): 721–741.
func betaMean(a, b float64, g func(p float64) float64) float64 {
	mode := math.Log(a / b)
	s := math.Min(1, 1/math.Sqrt(a*b/(a+b)))
	most := math.Asinh(60/(s*math.Min(1, math.Min(a, b)))) + 1
	const step = 1.0 / 24
	var sum, mass float64
	for i := -int(most / step); i <= int(most/step); i++ {
		t := float64(i) * step
		y := mode + s*math.Sinh(t)
		lp, lq := -softplus(-y), -softplus(y)
		w := math.Exp(a*(lp+math.Log1p(b/a))+b*(lq+math.Log1p(a/b))) * math.Cosh(t)
		if w == 0 {
			continue
		}
		mass += w
		sum += w * g(math.Exp(lp))
	}
	return sum / mass
}
