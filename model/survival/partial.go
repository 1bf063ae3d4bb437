package survival

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// coxData are the lives in the order in which the partial likelihood needs them.
// Columns are standardised: z = (x − mean)/sd.
type coxData struct {
	lives  []Life // by time, latest first
	z      [][]float64
	sd     []float64
	late   []int // lives that enter late, latest entry first
	ties   Ties
	deaths int64
}

func newCox(lives []Life, x [][]float64, ties Ties) (*coxData, []float64, error) {
	if err := Check(lives); err != nil {
		return nil, nil, err
	}
	if len(x) == 0 {
		return nil, nil, errors.New("a regression needs a measure")
	}
	order := make([]int, len(lives))
	d := &coxData{ties: ties, sd: make([]float64, len(x))}
	for i, l := range lives {
		order[i] = i
		if l.Count != 1 {
			return nil, nil, fmt.Errorf("life %d: %w (a regression takes each life by itself)", i+1, ErrBadLife)
		}
		if l.Died {
			d.deaths++
		}
	}
	if d.deaths == 0 {
		return nil, nil, ErrNoDeath
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lives[b].Time, lives[a].Time) })
	mean := make([]float64, len(x))
	for j, col := range x {
		n := 0.0
		var ss float64
		for _, v := range col { // Welford
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, nil, &ColumnError{j, errors.New("a value is not a number")}
			}
			n++
			delta := v - mean[j]
			mean[j] += delta / n
			ss += delta * (v - mean[j])
		}
		d.sd[j] = math.Sqrt(ss / n)
		if !(d.sd[j] > 1e-12*math.Abs(mean[j])) {
			return nil, nil, &ColumnError{j, ErrConstant}
		}
	}
	for _, i := range order {
		d.lives = append(d.lives, lives[i])
		row := make([]float64, len(x))
		for j := range x {
			row[j] = (x[j][i] - mean[j]) / d.sd[j]
		}
		d.z = append(d.z, row)
	}
	for i, l := range d.lives {
		if l.Entry > 0 {
			d.late = append(d.late, i)
		}
	}
	slices.SortStableFunc(d.late, func(a, b int) int { return cmp.Compare(d.lives[b].Entry, d.lives[a].Entry) })
	return d, mean, nil
}

// A partial is the partial log-likelihood with its gradient and information.
type partial struct {
	l    float64
	u    *mat.VecDense
	info *mat.SymDense
}

// A moment is what the partial likelihood does at one time with deaths: the sums
// Σ(z − z̄) over the deaths, and the information, both of that time alone. They
// hold until the visitor returns.
type moment struct {
	time float64
	died []int // into coxData.lives
	mean []float64
	u    []float64
	info []float64 // p×p
	s0   float64   // Σ exp(βz) over the risk set
}

// sums are Σr, Σrz and Σrzz′ over a set of lives, r = exp(βz).
type sums struct {
	s0 float64
	s1 []float64
	s2 []float64
}

func newSums(p int) sums { return sums{s1: make([]float64, p), s2: make([]float64, p*p)} }

func (s *sums) add(r float64, z []float64) {
	s.s0 += r
	p := len(z)
	for a, v := range z {
		s.s1[a] += r * v
		row := s.s2[a*p : a*p+a+1]
		for b := range row {
			row[b] += r * v * z[b]
		}
	}
}

func (s *sums) clear() { s.s0 = 0; clear(s.s1); clear(s.s2) }

// partial walks the times from the last to the first, adding lives as they come
// under risk and taking those out that were not yet watched. visit sees each time
// with deaths; it may be nil.
func (d *coxData) partial(beta []float64, visit func(m *moment)) partial {
	p := len(beta)
	risk, tied := newSums(p), newSums(p)
	out := partial{u: mat.NewVecDense(p, nil), info: mat.NewSymDense(p, nil)}
	m := &moment{mean: make([]float64, p), u: make([]float64, p), info: make([]float64, p*p)}
	r := make([]float64, len(d.lives))
	for i, z := range d.z {
		r[i] = math.Exp(dot(beta, z))
	}
	gone := 0
	for i := 0; i < len(d.lives); {
		m.time, m.died = d.lives[i].Time, m.died[:0]
		tied.clear()
		for ; i < len(d.lives) && d.lives[i].Time == m.time; i++ {
			l := d.lives[i]
			if !l.atRisk(l.Time) {
				continue // watched for no time
			}
			risk.add(r[i], d.z[i])
			if l.Died {
				m.died = append(m.died, i)
				tied.add(r[i], d.z[i])
			}
		}
		for ; gone < len(d.late) && d.lives[d.late[gone]].Entry >= m.time; gone++ {
			if k := d.late[gone]; d.lives[k].atRisk(d.lives[k].Time) {
				risk.add(-r[k], d.z[k])
			}
		}
		if len(m.died) == 0 {
			continue
		}
		m.s0 = risk.s0
		d.at(m, beta, &risk, &tied, &out)
		if visit != nil {
			visit(m)
		}
		for a := range p {
			out.u.SetVec(a, out.u.AtVec(a)+m.u[a])
			for b := range a + 1 {
				out.info.SetSym(a, b, out.info.At(a, b)+m.info[a*p+b])
			}
		}
	}
	return out
}

// at works out one time with deaths. Of n tied deaths Efron takes the k-th against
// the risk set less k/n of the tied; Breslow takes all against the whole.
func (d *coxData) at(m *moment, beta []float64, risk, tied *sums, out *partial) {
	p := len(beta)
	clear(m.u)
	clear(m.info)
	clear(m.mean)
	n := float64(len(m.died))
	for _, i := range m.died {
		out.l += dot(beta, d.z[i])
		for a, v := range d.z[i] {
			m.u[a] += v
		}
	}
	rounds, weight := len(m.died), 1.0
	if d.ties == Breslow {
		rounds, weight = 1, n
	}
	for k := range rounds {
		part := float64(k) / n
		s0 := risk.s0 - part*tied.s0
		out.l -= weight * math.Log(s0)
		for a := range p {
			ma := (risk.s1[a] - part*tied.s1[a]) / s0
			m.u[a] -= weight * ma
			m.mean[a] += weight * ma / n
			for b := range a + 1 {
				mb := (risk.s1[b] - part*tied.s1[b]) / s0
				m.info[a*p+b] += weight * ((risk.s2[a*p+b]-part*tied.s2[a*p+b])/s0 - ma*mb)
			}
		}
	}
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
