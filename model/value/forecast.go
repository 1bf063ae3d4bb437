package value

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"dwell/model/stat"
)

// A Predicted is one figure of the future with its band.
type Predicted struct {
	Mean float64
	// Band holds the figure with the level asked for. It allows for chance (what
	// buyers do, given the model), for the parameters' uncertainty, and for Drift.
	Band stat.Interval
	// The three parts of its width, as standard deviations.
	Chance, Parameters, Drift float64
}

// SD is the standard deviation of the prediction.
func (p Predicted) SD() float64 {
	return math.Sqrt(p.Chance*p.Chance + p.Parameters*p.Parameters + p.Drift*p.Drift)
}

// A Week is one period of a forecast.
type Week struct {
	From, To          float64 // weeks from now
	Purchases, Buyers Predicted
}

// A Forecast is what the buyers known today are expected to do. Buyers won later
// are not in it.
type Forecast struct {
	Known int64 // buyers summed over
	Weeks []Week
	Total Week // of all the weeks together; a buyer counts once
	Level float64
}

// Outlook are a forecast's settings; the zero value means the defaults.
type Outlook struct {
	Periods int     // 0: 12
	Weeks   float64 // length of a period; 0: 1
	Level   float64 // of the bands; 0: 0.80
	// Drift are the relative errors that such forecasts had in the data's own past
	// beyond chance, as a standard deviation: of a single period and of the whole.
	// A BackTest measures them, and widens them where it knows few.
	Drift Drift
	Seed  uint64
	Stop  func() bool
	// Progress is told at each origin of a back-test; may be nil.
	Progress func(done, total int)
}

// A Drift is by how much, relative to the forecast, the world moved otherwise than
// the model says: seasons, campaigns, change.
type Drift struct {
	Purchases, Buyers           float64 // of one period
	TotalPurchases, TotalBuyers float64 // of the whole horizon
	From                        int     // past periods measured; 0: not measured
}

// mostSimulated bounds the buyers whose chance is simulated, each drawn draws
// times; mostSloped the distinct histories that give the parameters' uncertainty.
const (
	mostSimulated = 4000
	draws         = 12
	mostSloped    = 1000
)

func (o Outlook) filled() Outlook {
	if o.Periods == 0 {
		o.Periods = 12
	}
	if o.Weeks == 0 {
		o.Weeks = 1
	}
	if o.Level == 0 {
		o.Level = 0.80
	}
	return o
}

// Check fails unless the settings can be a forecast's.
func (o Outlook) Check() error {
	if f := o.filled(); f.Periods < 1 || f.Periods > 520 || !(f.Weeks > 0) || math.IsInf(f.Weeks, 0) || !(f.Level > 0 && f.Level < 1) {
		return fmt.Errorf("a forecast of %d periods of %v weeks at a level of %v cannot be: ask for 1 to 520 periods of more than 0 weeks at a level between 0 and 1", f.Periods, f.Weeks, f.Level)
	}
	return nil
}

// Forecast adds up what the sample's buyers are expected to do in the periods to
// come: means from the closed forms over every buyer; the spread of chance from
// simulated buyers (every n-th of a large sample); the parameters' by the delta
// method. A subset's forecast (a cohort's) is the forecast of its sample: the means
// of disjoint subsets add up to those of the whole. It fails with ErrStopped or a
// sentence.
func (m *Repeat) Forecast(s *Sample, o Outlook) (*Forecast, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if s.bad != nil {
		return nil, s.bad
	}
	o = o.filled()
	f := &Forecast{Known: s.total, Level: o.Level}
	t := s.table()
	a, err := m.aggregate(t, o)
	if err != nil {
		return nil, err
	}
	chance, err := m.chance(t, o)
	if err != nil {
		return nil, err
	}
	// The gradient from a part of the buyers, scaled by the means.
	few := t.thin(mostSloped)
	var grads []Params
	if m.Known {
		if grads, err = m.slopes(few, o); err != nil {
			return nil, err
		}
	}
	predict := func(i int, mean, noise, drift float64) Predicted {
		p := Predicted{Mean: mean, Chance: math.Sqrt(noise), Drift: drift * mean}
		if grads != nil {
			p.Parameters = mean * m.spread(grads[i])
		}
		p.Band = band(mean, p.SD(), o.Level)
		return p
	}
	n := o.Periods
	for i := range n {
		from := float64(i) * o.Weeks
		f.Weeks = append(f.Weeks, Week{from, from + o.Weeks,
			predict(i, a.purchases[i], chance[i], o.Drift.Purchases),
			predict(n+1+i, a.buyers[i], a.noise[i], o.Drift.Buyers)})
	}
	f.Total = Week{0, float64(n) * o.Weeks,
		predict(n, a.purchases[n], chance[n], o.Drift.TotalPurchases),
		predict(2*n+1, a.buyers[n], a.noise[n], o.Drift.TotalBuyers)}
	return f, nil
}

// A sums holds expectations by period, the whole last.
type sums struct {
	purchases, buyers, noise []float64 // noise: the variance of buyers
}

// aggregate adds up over a table.
func (m *Repeat) aggregate(t *table, o Outlook) (*sums, error) {
	n := o.Periods
	a := &sums{make([]float64, n+1), make([]float64, n+1), make([]float64, n+1)}
	for i := range t.rows {
		if i%1024 == 0 && o.Stop != nil && o.Stop() {
			return nil, ErrStopped
		}
		w, h := t.rows[i].n, t.rows[i].history
		alive, before := m.Alive(h), 0.0
		for k := range n {
			after := m.IfAlive(h, float64(k+1)*o.Weeks)
			a.purchases[k] += w * alive * (after - before)
			before = after
			b := alive * m.buysIfAlive(h, float64(k)*o.Weeks, float64(k+1)*o.Weeks)
			a.buyers[k] += w * b
			a.noise[k] += w * b * (1 - b)
		}
		a.purchases[n] += w * alive * before
		b := alive * m.buysIfAlive(h, 0, float64(n)*o.Weeks)
		a.buyers[n] += w * b
		a.noise[n] += w * b * (1 - b)
	}
	return a, nil
}

// slopes are the gradients of the logarithms of all expectations, by the
// parameters' logarithms: purchases by period and whole, then buyers.
func (m *Repeat) slopes(t *table, o Outlook) ([]Params, error) {
	const h = 1e-3
	out := make([]Params, 2*o.Periods+2)
	other := *m
	for j := range m.Params {
		var at [2]*sums
		for k, by := range [2]float64{h, -h} {
			other.Params[j] = m.Params[j] * math.Exp(by)
			var err error
			if at[k], err = other.aggregate(t, o); err != nil {
				return nil, err
			}
		}
		other.Params[j] = m.Params[j]
		slope := func(up, down float64) float64 {
			if up > 0 && down > 0 {
				return (math.Log(up) - math.Log(down)) / (2 * h)
			}
			return 0
		}
		for i := range o.Periods + 1 {
			out[i][j] = slope(at[0].purchases[i], at[1].purchases[i])
			out[o.Periods+1+i][j] = slope(at[0].buyers[i], at[1].buyers[i])
		}
	}
	return out, nil
}

// chance is the variance of the purchases by period, the whole last, from
// simulated buyers: every one drawn several times, of many buyers every n-th.
func (m *Repeat) chance(t *table, o Outlook) ([]float64, error) {
	n := o.Periods
	out := make([]float64, n+1)
	rng := rand.New(rand.NewPCG(o.Seed, 0x76616c7565))
	counts := make([]int, n)
	step := math.Max(1, t.n/mostSimulated)
	square := make([]float64, n+1)
	next, passed, drawn := step/2, 0.0, 0.0
	for i := range t.rows {
		r := &t.rows[i]
		for passed += r.n; next < passed; next += step {
			if o.Stop != nil && o.Stop() {
				return nil, ErrStopped
			}
			drawn++
			clear(square)
			for range draws {
				m.Draw(rng, r.history, o.Weeks, counts)
				all := 0
				for k, c := range counts {
					square[k] += float64(c*c) / draws
					all += c
				}
				square[n] += float64(all*all) / draws
			}
			alive, before := m.Alive(r.history), 0.0
			for k := range n {
				after := m.IfAlive(r.history, float64(k+1)*o.Weeks)
				e := alive * (after - before)
				before = after
				out[k] += square[k] - e*e
			}
			out[n] += square[n] - alive*alive*before*before
		}
	}
	for k := range out {
		if drawn > 0 {
			out[k] *= t.n / drawn
		}
		out[k] = math.Max(0, out[k])
	}
	return out, nil
}

// band is the central interval of a gamma distribution with this mean and standard
// deviation, widened to whole numbers: it is never below 0 and leans to the right,
// as counts do.
func band(mean, sd, level float64) stat.Interval {
	if !(mean > 0) {
		return stat.Interval{}
	}
	if !(sd > 0) {
		return stat.Interval{Lo: math.Floor(mean), Hi: math.Ceil(mean)}
	}
	shape := mean * mean / (sd * sd)
	if shape > 1e6 { // the normal distribution to every digit shown
		half := stat.NormalQuantile(0.5+level/2) * sd
		return stat.Interval{Lo: math.Floor(mean - half), Hi: math.Ceil(mean + half)}
	}
	g := distuv.Gamma{Alpha: shape, Beta: shape / mean}
	return stat.Interval{Lo: math.Floor(g.Quantile((1 - level) / 2)), Hi: math.Ceil(g.Quantile((1 + level) / 2))}
}
