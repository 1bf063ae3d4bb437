package value

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// mostDraws bounds the purchases of one simulated buyer.
const mostDraws = 100_000

// Draw simulates one buyer from now on: a buyer like h, of whom the model knows no
// more. counts[i] becomes her purchases in the i-th of the periods of length weeks;
// it says whether she was alive at the start. Sums of many draws have the spread
// that chance alone gives to what buyers do, the parameters taken as known.
func (m *Repeat) Draw(rng *rand.Rand, h History, weeks float64, counts []int) (alive bool) {
	clear(counts)
	if rng.Float64() >= m.Alive(h) {
		return false
	}
	p, x := &m.Params, float64(h.Repeats)
	lambda := distuv.Gamma{Alpha: p[0] + x, Beta: p[1] + h.Age, Src: rng}.Rand()
	end := weeks * float64(len(counts))
	leave := 0.0
	if m.Kind == Pareto {
		if mu := (distuv.Gamma{Alpha: p[2], Beta: p[3] + h.Age, Src: rng}).Rand(); mu > 0 {
			end = min(end, rng.ExpFloat64()/mu)
		}
	} else {
		leave = distuv.Beta{Alpha: p[2], Beta: p[3] + x + m.Kind.extra(), Src: rng}.Rand()
	}
	if !(lambda > 0) {
		return true
	}
	t := 0.0
	for range mostDraws {
		if t += rng.ExpFloat64() / lambda; !(t < end) {
			break
		}
		counts[min(int(t/weeks), len(counts)-1)]++
		if leave > 0 && rng.Float64() < leave {
			break
		}
	}
	return true
}
