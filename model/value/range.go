package value

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"dwell/model/stat"
)

// A Range is what one buyer may do, and not how well her mean is known: of many
// buyers of whom the model knows the same, the share Level end within it.
type Range struct {
	Purchases stat.Interval // whole numbers
	Worth     stat.Interval // discounted money; zero without a Spend
	None      float64       // share who buy nothing
	Level     float64
}

// rangeDraws simulated buyers make the range's ends good to about 1 % of the ranks.
const rangeDraws = 2000

// Range simulates a buyer over the discount's steps: purchases by Draw, and with a
// Spend what each brings, given that her n purchases so far brought mean each. The
// parameters are taken as known, which of a single buyer is the lesser part of the
// doubt. Equal seeds give equal ranges.
func (m *Repeat) Range(s *Spend, h History, n int, mean float64, d Discount, level float64, seed uint64) Range {
	rng := rand.New(rand.NewPCG(seed, 0x72616e6765))
	counts := make([]int, d.Steps)
	purchases, worth := make([]float64, rangeDraws), make([]float64, rangeDraws)
	out := Range{Level: level}
	for i := range purchases {
		m.Draw(rng, h, d.Weeks, counts)
		rate := 0.0
		if s != nil {
			rate = s.drawRate(rng, n, mean)
		}
		factor := 1.0
		for _, c := range counts {
			factor /= 1 + d.Rate
			purchases[i] += float64(c)
			if c > 0 && rate > 0 {
				worth[i] += factor * distuv.Gamma{Alpha: s.P * float64(c), Beta: rate, Src: rng}.Rand()
			}
		}
		if purchases[i] == 0 {
			out.None += 1.0 / rangeDraws
		}
	}
	out.Purchases, out.Worth = central(purchases, level), central(worth, level)
	out.Purchases.Lo, out.Purchases.Hi = math.Floor(out.Purchases.Lo), math.Ceil(out.Purchases.Hi)
	return out
}

// drawRate draws the rate of a buyer's amounts: Gamma(Q, V) over buyers, and after n
// purchases that brought mean each Gamma(P·n+Q, V+n·mean).
func (s *Spend) drawRate(rng *rand.Rand, n int, mean float64) float64 {
	shape, rate := s.Q, s.V
	if n > 0 && mean > 0 {
		shape, rate = s.P*float64(n)+s.Q, s.V+float64(n)*mean
	}
	return distuv.Gamma{Alpha: shape, Beta: rate, Src: rng}.Rand()
}

// central is the interval between the quantiles that leave the level; v is sorted.
func central(v []float64, level float64) (iv stat.Interval) {
	slices.Sort(v)
	iv.Lo, _ = stat.Quantile(v, (1-level)/2)
	iv.Hi, _ = stat.Quantile(v, (1+level)/2)
	return iv
}
