package query

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A chain foretells how many users will be of each kind, and how many will act, in
// the weeks to come. Users are counted by kind (a stage, or how often they bought)
// and by how many whole weeks they have been quiet; in a week a user acts or does
// not, and comes to a kind. How likely both are is taken from what users in the
// same place did in the last weeks, all weeks together; how a week departs from
// that (campaigns, seasons, growth), and how many users are new, is taken from
// stretches of past weeks drawn whole: each simulated future goes as one stretch of
// the past went, relative to the level before it. So the band holds chance and the
// unrest of the past, and nothing assumed.
//
// Forecasts from past weeks are made by the same function from the weeks up to
// then, which is what a back-test needs.
type chain struct {
	kinds int       // of users
	quiet int       // weeks of silence told apart: more count as so many
	first int       // the first week that may be learned from
	moves [][]int32 // of each week: see move
}

func newChain(kinds, quiet, weeks, first int) *chain {
	c := &chain{kinds: kinds, quiet: quiet, first: first, moves: make([][]int32, weeks)}
	for w := range c.moves {
		c.moves[w] = make([]int32, c.places()*kinds*2)
	}
	return c
}

// places is the number of places: 0 for who is not there yet, then by kind and
// quiet weeks.
func (c *chain) places() int { return 1 + c.kinds*(c.quiet+1) }

func (c *chain) place(kind, quiet int) int {
	return 1 + kind*(c.quiet+1) + min(quiet, c.quiet)
}

// move is where users are counted who came from a place to a kind.
func (c *chain) move(from, kind int, acted bool) int {
	at := (from*c.kinds + kind) * 2
	if acted {
		at++
	}
	return at
}

// after is the place of who was at a place and came to a kind.
func (c *chain) after(from, kind int, acted bool) int {
	if acted || from == 0 {
		return c.place(kind, 0)
	}
	return c.place(kind, (from-1)%(c.quiet+1)+1)
}

// add counts another split's users.
func (c *chain) add(o *chain) {
	for w := range c.moves {
		for i, n := range o.moves[w] {
			c.moves[w][i] += n
		}
	}
}

// ends are the users at each place at the end of a week.
func (c *chain) ends(week int) []int {
	out := make([]int, c.places())
	for from := range c.places() {
		for kind := range c.kinds {
			for _, acted := range []bool{false, true} {
				out[c.after(from, kind, acted)] += int(c.moves[week][c.move(from, kind, acted)])
			}
		}
	}
	return out
}

// came is what happened in a week: users of each kind at its end, and last those
// who acted.
func (c *chain) came(week int) []float64 {
	out := make([]float64, c.kinds+1)
	for from := range c.places() {
		for kind := range c.kinds {
			still, acted := c.moves[week][c.move(from, kind, false)], c.moves[week][c.move(from, kind, true)]
			out[kind] += float64(still + acted)
			out[c.kinds] += float64(acted)
		}
	}
	return out
}

const (
	chainWindow = 26 // weeks that probabilities are learned from
	chainLevel  = 8  // weeks that make a level
	chainPaths  = 6  // stretches of the past needed to draw whole ones
)

// habits are what is learned from the weeks up to one.
type habits struct {
	acts     []float64   // probability of acting, by place
	to       [][]float64 // cumulative share of kinds, by place and whether acted
	arriving []float64   // of new users: cumulative share by kind and whether acted
	rho      []float64   // of each week: acting users over expected ones; from first
	arrivals []float64   // of each week: new users
}

func (c *chain) learn(week int) *habits {
	from := max(c.first, week-chainWindow+1)
	sum := make([]float64, len(c.moves[0]))
	for w := from; w <= week; w++ {
		for i, n := range c.moves[w] {
			sum[i] += float64(n)
		}
	}
	h := &habits{acts: make([]float64, c.places()), to: make([][]float64, 2*c.places())}
	for p := 1; p < c.places(); p++ {
		own := (p - 1) / (c.quiet + 1)
		n := [2]float64{}
		for kind := range c.kinds {
			n[0] += sum[c.move(p, kind, false)]
			n[1] += sum[c.move(p, kind, true)]
		}
		switch {
		case n[0]+n[1] > 0:
			h.acts[p] = n[1] / (n[0] + n[1])
		case (p-1)%(c.quiet+1) > 0: // nobody was there: as who was quiet a week less
			h.acts[p] = h.acts[p-1]
		}
		for a := range 2 {
			cum, share := 0.0, make([]float64, c.kinds)
			for kind := range c.kinds {
				switch {
				case n[a] > 0:
					cum += sum[c.move(p, kind, a == 1)] / n[a]
				case kind == own:
					cum = 1
				}
				share[kind] = cum
			}
			h.to[2*p+a] = share
		}
	}
	total, cum := 0.0, 0.0
	for i := range 2 * c.kinds {
		total += sum[i]
	}
	for i := range 2 * c.kinds {
		if total > 0 {
			cum += sum[i] / total
		}
		h.arriving = append(h.arriving, cum)
	}
	for w := c.first; w <= week; w++ {
		acted, expected, fresh := 0.0, 0.0, 0.0
		for kind := range c.kinds {
			fresh += float64(c.moves[w][c.move(0, kind, false)] + c.moves[w][c.move(0, kind, true)])
		}
		for p := 1; p < c.places(); p++ {
			for kind := range c.kinds {
				still, did := float64(c.moves[w][c.move(p, kind, false)]), float64(c.moves[w][c.move(p, kind, true)])
				acted += did
				expected += (still + did) * h.acts[p]
			}
		}
		if expected > 0 {
			h.rho = append(h.rho, acted/expected)
		} else {
			h.rho = append(h.rho, 1)
		}
		h.arrivals = append(h.arrivals, fresh)
	}
	return h
}

// level is the mean of the last weeks before and at place i of a series.
func level(xs []float64, i int) float64 {
	from, sum := max(0, i-chainLevel+1), 0.0
	for _, x := range xs[from : i+1] {
		sum += x
	}
	return sum / float64(i+1-from)
}

// A weekAhead is one foretold week: of each kind, and last of those who act.
type weekAhead struct{ mean, lo, hi []float64 }

// foretell simulates the weeks after one. share is how much of the simulated
// futures a band is to hold. The same arguments give the same forecast.
func (c *chain) foretell(week, ahead, draws int, share float64, seed uint64) []weekAhead {
	h := c.learn(week)
	rng := rand.New(rand.NewPCG(seed, uint64(week)))
	last := len(h.rho) - 1
	rho, fresh := level(h.rho, last), level(h.arrivals, last)
	seen := make([][][]float64, ahead) // [week][kind][draw]
	for i := range seen {
		seen[i] = make([][]float64, c.kinds+1)
	}
	start := c.ends(week)
	now, next := make([]int, c.places()), make([]int, c.places())
	of := make([]int, c.kinds+1) // of each kind, and last of those who act
	for range draws {
		copy(now, start)
		path := c.path(h, last, ahead, rng)
		for i := range ahead {
			clear(next)
			clear(of)
			c.step(h, now, next, of, rho*path[i][0], rng)
			c.arrive(h, next, of, poisson(rng, fresh*path[i][1]), rng)
			now, next = next, now
			for k, n := range of {
				seen[i][k] = append(seen[i][k], float64(n))
			}
		}
	}
	out := make([]weekAhead, ahead)
	for i := range out {
		for _, xs := range seen[i] {
			slices.Sort(xs)
			sum := 0.0
			for _, x := range xs {
				sum += x
			}
			tail := (1 - share) / 2
			out[i].mean = append(out[i].mean, sum/float64(draws))
			out[i].lo = append(out[i].lo, xs[int(math.Floor(tail*float64(draws-1)))])
			out[i].hi = append(out[i].hi, xs[int(math.Ceil((1-tail)*float64(draws-1)))])
		}
	}
	return out
}

// path is how a stretch of past weeks went, relative to the level before it: of
// acting, and of new users. Where the past has too few stretches, weeks are drawn
// one by one.
func (c *chain) path(h *habits, last, ahead int, rng *rand.Rand) [][2]float64 {
	out := make([][2]float64, ahead)
	stretches := last - ahead - chainLevel + 2 // a level before each, and so many weeks after
	begin := 0
	if stretches >= chainPaths {
		begin = chainLevel - 1 + rng.IntN(stretches)
	}
	for i := range out {
		at, before := begin+1+i, begin
		if stretches < chainPaths {
			before = last
			at = rng.IntN(last + 1)
		}
		for k, xs := range [2][]float64{h.rho, h.arrivals} {
			out[i][k] = 1
			if l := level(xs, before); l > 0 {
				out[i][k] = xs[at] / l
			}
		}
	}
	return out
}

// step moves everybody by a week, and counts them by kind and act.
func (c *chain) step(h *habits, now, next, of []int, rho float64, rng *rand.Rand) {
	for p := 1; p < len(now); p++ {
		n := now[p]
		if n == 0 {
			continue
		}
		did := binomial(rng, n, math.Min(1, h.acts[p]*rho))
		of[c.kinds] += did
		c.spread(h.to[2*p+1], did, rng, func(kind, n int) {
			next[c.after(p, kind, true)] += n
			of[kind] += n
		})
		c.spread(h.to[2*p], n-did, rng, func(kind, n int) {
			next[c.after(p, kind, false)] += n
			of[kind] += n
		})
	}
}

// arrive adds new users.
func (c *chain) arrive(h *habits, next, of []int, n int, rng *rand.Rand) {
	c.spread(h.arriving, n, rng, func(i, n int) {
		next[c.place(i/2, 0)] += n
		of[i/2] += n
		if i%2 == 1 {
			of[c.kinds] += n
		}
	})
}

// spread deals n users out by cumulative shares.
func (c *chain) spread(cum []float64, n int, rng *rand.Rand, put func(i, n int)) {
	left := 1.0
	before := 0.0
	for i, x := range cum {
		p := x - before
		before = x
		if n == 0 || left <= 0 {
			return
		}
		if p <= 0 {
			continue
		}
		k := binomial(rng, n, math.Min(1, p/left))
		if left -= p; left <= 1e-12 {
			k = n
		}
		put(i, k)
		n -= k
	}
}

// binomial draws how many of n succeed: exactly where few are in question, by the
// normal distribution else.
func binomial(rng *rand.Rand, n int, p float64) int {
	switch {
	case p <= 0 || n == 0:
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - binomial(rng, n, 1-p)
	}
	mean := float64(n) * p
	if mean > 20 {
		k := int(math.Round(mean + rng.NormFloat64()*math.Sqrt(mean*(1-p))))
		return min(max(k, 0), n)
	}
	// Leaps between successes are geometric.
	k, at, l := 0, 0, math.Log1p(-p)
	for {
		at += 1 + int(math.Min(float64(n)+1, math.Floor(math.Log(1-rng.Float64())/l)))
		if at > n {
			return k
		}
		k++
	}
}

// poisson draws a count with a mean.
func poisson(rng *rand.Rand, mean float64) int {
	if !(mean > 0) {
		return 0
	}
	if mean > 20 {
		return max(0, int(math.Round(mean+rng.NormFloat64()*math.Sqrt(mean))))
	}
	k, sum := 0, rng.ExpFloat64()
	for sum < mean {
		k++
		sum += rng.ExpFloat64()
	}
	return k
}
