package value

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"dwell/model/stat"
)

// The slow second implementation: the models' own definitions, integrated over
// the rates of buyers by brute force. It shares nothing with the closed forms but
// the definitions.

// gammaGrid is a grid over a gamma's quantile range: values and weights.
func gammaGrid(shape, rate float64, n int) (x, w []float64) {
	// Trapezium over log x, from far below to far above the bulk.
	lo, hi := math.Log(shape/rate)-45/math.Min(1, shape)-4, math.Log((shape+10*math.Sqrt(shape)+30)/rate)
	lg := lgamma(shape)
	for i := range n {
		u := lo + (hi-lo)*float64(i)/float64(n-1)
		v := math.Exp(u)
		x = append(x, v)
		w = append(w, math.Exp(shape*math.Log(rate)+shape*u-rate*v-lg)*(hi-lo)/float64(n-1))
	}
	return x, w
}

// betaGrid likewise, over the logit.
func betaGrid(a, b float64, n int) (x, w []float64) {
	lo, hi := -45/math.Min(1, a)-2, 45/math.Min(1, b)+2
	lb := lgamma(a) + lgamma(b) - lgamma(a+b)
	for i := range n {
		u := lo + (hi-lo)*float64(i)/float64(n-1)
		lp, lq := -softplus(-u), -softplus(u)
		x = append(x, math.Exp(lp))
		w = append(w, math.Exp(a*lp+b*lq-lb)*(hi-lo)/float64(n-1))
	}
	return x, w
}

// A slow model answers all questions by integration over λ and p, or λ and μ.
type slow struct{ likelihood, alive, expected, buys float64 }

func slowly(k Kind, p Params, h History, from, to float64) slow {
	const n = 420
	x := float64(h.Repeats)
	ls, lw := gammaGrid(p[0], p[1], n)
	var os, ow []float64
	if k == Pareto {
		os, ow = gammaGrid(p[2], p[3], n)
	} else {
		os, ow = betaGrid(p[2], p[3], n)
	}
	var s slow
	for i, l := range ls {
		for j, o := range os {
			w := lw[i] * ow[j]
			if w < 1e-300 {
				continue
			}
			var alive, dead, expected, buys float64
			if k == Pareto {
				// λ^x·e^(−(λ+μ)T), and λ^x·μ/(λ+μ)·(e^(−(λ+μ)t_x) − e^(−(λ+μ)T)).
				alive = math.Pow(l, x) * math.Exp(-(l+o)*h.Age)
				dead = math.Pow(l, x) * o / (l + o) * (math.Exp(-(l+o)*h.Last) - math.Exp(-(l+o)*h.Age))
				expected = l / o * (math.Exp(-o*from) - math.Exp(-o*to))
				buys = math.Exp(-o*from) * l / (l + o) * -math.Expm1(-(l+o)*(to-from))
			} else {
				stays := x
				if k == MBG {
					stays++
				}
				alive = math.Pow(l, x) * math.Pow(1-o, stays) * math.Exp(-l*h.Age)
				if stays > 0 {
					dead = math.Pow(l, x) * math.Pow(1-o, stays-1) * o * math.Exp(-l*h.Last)
				}
				expected = (math.Exp(-l*o*from) - math.Exp(-l*o*to)) / o
				buys = math.Exp(-l*o*from) * -math.Expm1(-l*(to-from))
			}
			s.likelihood += w * (alive + dead)
			s.alive += w * alive
			s.expected += w * alive * expected
			s.buys += w * alive * buys
		}
	}
	s.alive /= s.likelihood
	s.expected /= s.likelihood
	s.buys /= s.likelihood
	return s
}

func TestSlowIntegration(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range 18 {
		k := []Kind{MBG, BG, Pareto}[i%3]
		between := func(lo, hi float64) float64 { return math.Exp(math.Log(lo) + rng.Float64()*math.Log(hi/lo)) }
		p := Params{between(0.3, 3), between(1, 30), between(0.4, 4), between(0.4, 8)}
		if k == Pareto {
			p[3] = between(1, 30)
		}
		h := History{Repeats: rng.IntN(12), Age: between(0.5, 80)}
		if h.Repeats > 0 {
			h.Last = h.Age * rng.Float64()
		}
		from := rng.Float64() * 20
		to := from + between(0.5, 60)
		want := slowly(k, p, h, from, to)
		m := &Repeat{Kind: k, Params: p}
		var s Sample
		s.Add(h)
		what := func(q string) string { return string(k) + " " + q }
		within(t, what("log-likelihood"), LogLikelihood(k, &s, p), math.Log(want.likelihood), 1e-5)
		near(t, what("P(alive)"), m.Alive(h), want.alive, 1e-5)
		near(t, what("expected"), m.Between(h, from, to), want.expected, 1e-5)
		near(t, what("buys"), m.Buys(h, from, to), want.buys, 1e-5)
		if t.Failed() {
			t.Fatalf("%v %+v from %v to %v", p, h, from, to)
		}
	}
}

// drawModel draws a model and a buyer over a wide range, the extreme included.
func drawModel(t *rapid.T) (*Repeat, History) {
	wide := func(name string, lo, hi float64) float64 {
		return math.Exp(rapid.Float64Range(math.Log(lo), math.Log(hi)).Draw(t, name))
	}
	k := rapid.SampledFrom([]Kind{MBG, BG, Pareto}).Draw(t, "kind")
	p := Params{wide("r", 0.02, 500), wide("alpha", 0.05, 2000), wide("a", 0.02, 300), wide("b", 0.02, 300)}
	if rapid.Bool().Draw(t, "a is one") {
		p[2] = 1
	}
	h := History{Repeats: rapid.SampledFrom([]int{0, 1, 2, 5, 40, 400, 3000}).Draw(t, "x")}
	h.Age = rapid.Float64Range(0, 500).Draw(t, "T")
	if h.Repeats > 0 {
		h.Age = math.Max(h.Age, 0.5)
		h.Last = h.Age * rapid.Float64Range(0.001, 1).Draw(t, "share")
	}
	return &Repeat{Kind: k, Params: p}, h
}

func TestRepeatLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, h := drawModel(t)
		alive := m.Alive(h)
		if !(alive >= 0 && alive <= 1) {
			t.Fatalf("P(alive) = %v", alive)
		}
		if m.Kind == MBG && h.Repeats == 0 && alive >= 1 {
			t.Fatalf("a one-time buyer is alive for certain") // V9
		}
		later := h
		later.Age += 5
		if m.Alive(later) > alive*(1+1e-9) {
			t.Fatalf("P(alive) rises with silence: %v → %v", alive, m.Alive(later))
		}
		before, buys := 0.0, 0.0
		for _, w := range []float64{0, 0.1, 1, 5, 26, 52, 300, 3000} {
			e := m.IfAlive(h, w)
			if !(e >= before*(1-1e-9)) || math.IsInf(e, 0) {
				t.Fatalf("expected purchases fall with the horizon: %v, then %v in %v weeks", before, e, w)
			}
			b := m.Buys(h, 0, w)
			if !(b >= buys-1e-9 && b <= alive+1e-12) || b > m.Expected(h, w)*(1+1e-7)+1e-12 {
				t.Fatalf("chance of a purchase in %v weeks %v, before %v, alive %v, expected %v", w, b, buys, alive, m.Expected(h, w))
			}
			before, buys = e, b
		}
		// No more than at her rate for ever, which has the mean (r+x)/(α+T).
		if most := (m.Params[0] + float64(h.Repeats)) / (m.Params[1] + h.Age) * 26; m.IfAlive(h, 26) > most*(1+1e-9) {
			t.Fatalf("%v purchases in 26 weeks, %v at the full rate", m.IfAlive(h, 26), most)
		}
	})
}

// The gradients against differences of the likelihood.
func TestGradients(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, _ := drawModel(t)
		var s Sample
		for range 4 {
			_, h := drawModel(t)
			if h.Repeats > 400 {
				h.Repeats = 400
			}
			s.Add(h)
		}
		tab := s.table()
		_, grad := m.Kind.likelihood(tab, m.Params)
		for j := range grad {
			const step = 1e-4
			up, down := m.Params, m.Params
			up[j] *= math.Exp(step)
			down[j] *= math.Exp(-step)
			hi, _ := m.Kind.likelihood(tab, up)
			lo, ll := m.Kind.likelihood(tab, down)
			_ = ll
			want := (hi - lo) / (2 * step)
			if tol := 1e-4*math.Abs(want) + 1e-9*math.Abs(hi)/step + 1e-4; !(math.Abs(grad[j]-want) <= tol) {
				t.Fatalf("%s %v: derivative %d is %v, by differences %v", m.Kind, m.Params, j, grad[j], want)
			}
		}
	})
}

// Simulated buyers agree with the closed forms.
func TestDraw(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, m := range []*Repeat{
		{Kind: MBG, Params: Params{0.52, 6.2, 0.89, 1.6}}, {Kind: BG, Params: Params{0.24, 4.4, 0.79, 2.4}}, {Kind: Pareto, Params: Params{0.55, 10.6, 0.61, 11.7}},
	} {
		h := History{4, 20, 25}
		const rounds = 40_000
		counts, sum, buyers := make([]int, 3), make([]float64, 3), make([]float64, 3)
		for range rounds {
			m.Draw(rng, h, 10, counts)
			for i, c := range counts {
				sum[i] += float64(c) / rounds
				if c > 0 {
					buyers[i] += 1.0 / rounds
				}
			}
		}
		for i := range counts {
			from, to := float64(10*i), float64(10*i+10)
			within(t, string(m.Kind)+" purchases", sum[i], m.Between(h, from, to), 0.06)
			within(t, string(m.Kind)+" buyers", buyers[i], m.Buys(h, from, to), 0.012)
		}
	}
}

// V9: bought once, two years ago.
func TestOneTimeBuyer(t *testing.T) {
	s := sampleOf(summary(t))
	h := History{0, 0, 104}
	for _, k := range []Kind{BG, MBG, Pareto} {
		m, err := Fit(k, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := m.Alive(h)
		if (k == BG) != (p == 1) || k == MBG && p > 0.3 {
			t.Errorf("%s: P(alive) %v", k, p)
		}
		iv, ok := m.AliveInterval(h, stat.Level)
		if !ok || !(iv.Lo <= p && p <= iv.Hi && iv.Lo >= 0 && iv.Hi <= 1) {
			t.Errorf("%s: %v in %v", k, p, iv)
		}
	}
}

// Known truth: of data drawn from a model, the parameters come back within their
// standard errors, and the interval of what is expected holds the truth.
func TestRecovery(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	truth := &Repeat{Kind: MBG, Params: Params{0.8, 5, 0.7, 2}}
	var s Sample
	counts := make([]int, 52*7)
	for range 4000 {
		age := 20 + rng.IntN(30)
		h := History{Age: float64(age)}
		truth.Draw(rng, History{}, 1.0/7, counts[:age*7])
		for d, c := range counts[:age*7] {
			if c > 0 {
				h.Repeats++
				h.Last = float64(d+1) / 7
			}
		}
		s.Add(h)
	}
	m, err := Fit(MBG, &s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range truth.Params {
		// Days hold at most one purchase, which takes a little off the truth.
		if math.Abs(m.Params[i]-want) > 4*m.SE[i]+0.05*want {
			t.Errorf("%s: %v ± %v, truth %v", m.Kind.Names()[i], m.Params[i], m.SE[i], want)
		}
	}
	h := History{3, 20, 30}
	iv, ok := m.ExpectedInterval(h, 26, 0.999)
	if want := truth.Expected(h, 26); !ok || !(iv.Lo*0.95 < want && want < iv.Hi*1.05) {
		t.Errorf("expected %v in %v, truth %v", m.Expected(h, 26), iv, want)
	}
}

// The range of one buyer: its simulated means are the closed forms', and it holds
// as many buyers drawn anew as it says.
func TestRange(t *testing.T) {
	m := &Repeat{Kind: MBG, Params: Params{0.52, 6.2, 0.89, 1.6}}
	s := &Spend{P: 6.25, Q: 3.74, V: 15.4}
	h := History{4, 20, 25}
	r := m.Range(s, h, 4, 30, Discount{Steps: 12, Weeks: 4, Rate: 0.01}, 0.8, 1)
	if again := m.Range(s, h, 4, 30, Discount{Steps: 12, Weeks: 4, Rate: 0.01}, 0.8, 1); again != r {
		t.Errorf("%+v, then %+v", r, again)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	counts := make([]int, 12)
	held, none := 0.0, 0.0
	for range 4000 {
		m.Draw(rng, h, 4, counts)
		n := 0
		for _, c := range counts {
			n += c
		}
		if float64(n) >= r.Purchases.Lo && float64(n) <= r.Purchases.Hi {
			held += 1.0 / 4000
		}
		if n == 0 {
			none += 1.0 / 4000
		}
	}
	if held < 0.78 || math.Abs(none-r.None) > 0.04 {
		t.Errorf("%+v held %v; none %v", r, held, none)
	}
	within(t, "chance of nothing", r.None, 1-m.Buys(h, 0, 48), 0.04)
	if w := m.Worth(h, s.Expected(4, 30), Discount{12, 4, 0.01}); !(r.Worth.Lo <= w && w <= r.Worth.Hi) {
		t.Errorf("worth %v is not in %+v", w, r.Worth)
	}
	if r := m.Range(nil, h, 4, 30, Discount{1, 48, 0}, 0.8, 1); r.Worth != (stat.Interval{}) {
		t.Errorf("money without a model of it: %+v", r)
	}
}

// Gauss's fraction against the series summed term by term, and against itself
// twice as deep.
func TestFraction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide := func(name string, lo, hi float64) float64 {
			return math.Exp(rapid.Float64Range(math.Log(lo), math.Log(hi)).Draw(t, name))
		}
		a := wide("a", 0.01, 5000)
		c := a + wide("c-a", 0.01, 5000)
		c = math.Max(c, 1.001)
		z := rapid.Float64Range(0, 0.99).Draw(t, "z")
		term, sum := 1.0, 0.0
		for k := 0.0; k < 1e6 && term > 1e-17*sum; k++ {
			sum += term
			term *= (a + k) / (c + k) * z
		}
		f, da, dc, dz := fraction(a, c, z)
		v := fractionValue(a, c, z)
		if !(math.Abs(v/sum-1) < 1e-11) || !(math.Abs(f/sum-1) < 1e-11) {
			t.Fatalf("2F1(%v, 1; %v; %v) = %v and %v, by its series %v", a, c, z, f, v, sum)
		}
		slope := func(what string, got, x float64, of func(x float64) float64) {
			h := 1e-5 * math.Max(x, 1e-3)
			if want := (of(x+h) - of(x-h)) / (2 * h); !(math.Abs(got-want) <= 1e-5*math.Abs(want)+1e-9*f/h+1e-9*f) {
				t.Fatalf("derivative by %s %v, by differences %v", what, got, want)
			}
		}
		slope("a", da, a, func(x float64) float64 { return fractionValue(x, c, z) })
		slope("c", dc, c, func(x float64) float64 { return fractionValue(a, x, z) })
		if z > 0.01 {
			slope("z", dz, z, func(x float64) float64 { return fractionValue(a, c, x) })
		}
	})
}
