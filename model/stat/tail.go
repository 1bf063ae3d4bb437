package stat

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// A Count is how many users have one value.
type Count struct {
	Value int64
	Users int64
}

// A Tail is a discrete power law fitted to the upper end of counts: P(X = x) =
// x^−Alpha / ζ(Alpha, From) for x ≥ From.
type Tail struct {
	From     int64
	Alpha    float64
	StdErr   float64 // of Alpha, with From taken as given
	Users    int64   // in the tail
	Distance float64 // Kolmogorov–Smirnov, between data and fit
	P        float64 // of a distance at least as large, were it a power law
	Rounds   int     // of the bootstrap behind P
}

// Rejected says that the tail is no power law: P under 0.1, as its authors take it.
func (t Tail) Rejected() bool { return t.P < 0.1 }

// Bounds of the tail's fit.
const (
	leastTail  = 50 // users in a tail
	tailStarts = 24 // candidates for From
)

// FitTail fits by maximum likelihood for each candidate From and keeps the one
// with the least distance. P is the share of rounds synthetic data sets, drawn
// from the fit above From and from the data below it and fitted in the same way,
// that lie farther from their own fit. counts are ascending by value, values at
// least 1, and not changed. ok is false where no tail has 50 users and three
// different values.
//
// Clauset, A.; Shalizi, C. R.; Newman, M. E. J. (2009). "Power-Law Distributions
// in Empirical Data". SIAM Review 51 (4): 661–703, sections 3 and 4.
func FitTail(counts []Count, rounds int, rng *rand.Rand) (t Tail, ok bool) {
	if t, ok = bestTail(counts); !ok {
		return t, false
	}
	farther := 0
	for range rounds {
		if s, ok := bestTail(drawTail(counts, t, rng)); ok && s.Distance >= t.Distance {
			farther++
		}
	}
	t.Rounds = rounds
	if rounds > 0 {
		t.P = float64(farther) / float64(rounds)
	}
	return t, true
}

func bestTail(counts []Count) (best Tail, ok bool) {
	var users int64
	from := len(counts)
	for from > 0 && (users < leastTail || len(counts)-from < 3) {
		from--
		users += counts[from].Users
	}
	if users < leastTail || len(counts)-from < 3 {
		return best, false
	}
	// Candidates lie evenly over the logarithms of the values that leave enough.
	last := -1
	for k := range tailStarts {
		want := math.Exp(math.Log(float64(counts[0].Value)) + float64(k)/(tailStarts-1)*math.Log(float64(counts[from].Value)/float64(counts[0].Value)))
		i, _ := slices.BinarySearchFunc(counts[:from], int64(math.Round(want)), func(c Count, v int64) int { return int(min(1, max(-1, c.Value-v))) })
		if i == last {
			continue
		}
		last = i
		if t, found := tailAt(counts[i:]); found && (!ok || t.Distance < best.Distance) {
			best, ok = t, true
		}
	}
	return best, ok
}

// tailAt fits to all the counts given.
func tailAt(counts []Count) (t Tail, ok bool) {
	t.From = counts[0].Value
	logs := 0.0
	for _, c := range counts {
		t.Users += c.Users
		logs += float64(c.Users) * math.Log(float64(c.Value))
	}
	n, q := float64(t.Users), float64(t.From)
	minus := func(a float64) float64 { return n*math.Log(mathext.Zeta(a, q)) + a*logs }
	const golden = 0.6180339887498949
	lo, hi := 1.01, 12.0
	x, y := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fx, fy := minus(x), minus(y)
	for hi-lo > 1e-5 {
		if fx < fy {
			hi, y, fy = y, x, fx
			x = hi - golden*(hi-lo)
			fx = minus(x)
		} else {
			lo, x, fx = x, y, fy
			y = lo + golden*(hi-lo)
			fy = minus(y)
		}
	}
	t.Alpha = (lo + hi) / 2
	if t.Alpha < 1.02 || t.Alpha > 11.9 {
		return t, false
	}
	// The observed information is the curvature of the log-likelihood.
	const step = 1e-3
	if c := (minus(t.Alpha+step) - 2*minus(t.Alpha) + minus(t.Alpha-step)) / (step * step); c > 0 {
		t.StdErr = 1 / math.Sqrt(c)
	}
	all := mathext.Zeta(t.Alpha, q)
	seen := int64(0)
	for _, c := range counts {
		// Just below and at each value: the empirical curve steps there.
		below := 1 - mathext.Zeta(t.Alpha, float64(c.Value))/all
		t.Distance = math.Max(t.Distance, math.Abs(float64(seen)/n-below))
		seen += c.Users
		at := 1 - mathext.Zeta(t.Alpha, float64(c.Value)+1)/all
		t.Distance = math.Max(t.Distance, math.Abs(float64(seen)/n-at))
	}
	return t, true
}

// drawTail draws as many users as the data have: each from the fit with the
// tail's share, else from the data below it.
func drawTail(counts []Count, t Tail, rng *rand.Rand) []Count {
	var total int64
	for _, c := range counts {
		total += c.Users
	}
	tail := binomial(total, float64(t.Users)/float64(total), rng)
	out := map[int64]int64{}
	rest, pool := total-tail, total-t.Users
	for _, c := range counts {
		if c.Value >= t.From || pool <= 0 {
			break
		}
		k := binomial(rest, math.Min(1, float64(c.Users)/float64(pool)), rng)
		out[c.Value] += k
		rest, pool = rest-k, pool-c.Users
	}
	// Value by value while many are left, then one by one.
	left, above := tail, mathext.Zeta(t.Alpha, float64(t.From))
	x := t.From
	for ; left > 400 && x < t.From+5000; x++ {
		p := math.Pow(float64(x), -t.Alpha) / above
		k := binomial(left, math.Min(1, p), rng)
		out[x] += k
		left -= k
		above -= math.Pow(float64(x), -t.Alpha)
	}
	for range left {
		out[zetaDraw(t.Alpha, x, rng)]++
	}
	list := make([]Count, 0, len(out))
	for v, n := range out {
		if n > 0 {
			list = append(list, Count{v, n})
		}
	}
	slices.SortFunc(list, func(a, b Count) int { return int(min(1, max(-1, a.Value-b.Value))) })
	return list
}

// zetaDraw draws from the power law at least from, by doubling and halving
// (Clauset et al., appendix D).
func zetaDraw(alpha float64, from int64, rng *rand.Rand) int64 {
	all := mathext.Zeta(alpha, float64(from))
	want := (1 - rng.Float64()) * all
	lo, hi := from, from
	for mathext.Zeta(alpha, float64(hi)) >= want {
		lo, hi = hi, 2*hi
		if hi > 1<<40 {
			return lo
		}
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; mathext.Zeta(alpha, float64(mid)) >= want {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// binomial draws a count: one by one where few are expected, else by the normal
// approximation, rounded.
func binomial(n int64, p float64, rng *rand.Rand) int64 {
	switch {
	case n <= 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - binomial(n, 1-p, rng)
	}
	if v := float64(n) * p * (1 - p); v > 100 {
		k := int64(math.Round(float64(n)*p + math.Sqrt(v)*rng.NormFloat64()))
		return min(n, max(0, k))
	}
	// Waiting times between successes are geometric.
	k, at := int64(0), int64(0)
	for l := math.Log1p(-p); ; k++ {
		skip := math.Floor(math.Log(1-rng.Float64()) / l)
		if skip >= float64(n-at) {
			return k
		}
		at += int64(skip) + 1
		if at > n {
			return k
		}
	}
}
