package survival

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"dwell/model/stat"
)

// Ties says how deaths at one time share the risk set.
type Ties string

// Efron's approximation is the nearer to the truth; Breslow's is what simpler
// programs use.
const (
	Efron   Ties = "efron"
	Breslow Ties = "breslow"
)

// The reasons why a regression is refused. Column names the culprit.
var (
	ErrConstant  = errors.New("the measure is the same for everybody, so it can tell nobody apart")
	ErrCollinear = errors.New("the measure follows from the others, so their effects cannot be told apart")
	ErrSeparated = errors.New("the measure parts those who died from those who did not, so its effect has no bound")
	ErrTooFew    = errors.New("there are no more deaths than measures")
)

// A ColumnError is a reason that lies in one measure.
type ColumnError struct {
	Column int
	Err    error
}

func (e *ColumnError) Error() string { return fmt.Sprintf("measure %d: %v", e.Column+1, e.Err) }
func (e *ColumnError) Unwrap() error { return e.Err }

// A Coefficient is one measure's effect on the logarithm of the hazard.
type Coefficient struct {
	Coef, SE float64
	Z, P     float64 // Wald's
	Lo, Hi   float64 // of Coef
}

// Ratio is the hazard ratio for one unit more, with its interval.
func (c Coefficient) Ratio() (ratio, lo, hi float64) {
	return math.Exp(c.Coef), math.Exp(c.Lo), math.Exp(c.Hi)
}

// A CoxFit is a fitted proportional-hazards model.
type CoxFit struct {
	Ties            Ties
	N, Died         int64
	Coefficients    []Coefficient
	Cov             *mat.SymDense
	LogLik0, LogLik float64 // partial, without the measures and with them
	LR, Wald, Score Test    // that no measure has an effect
	Concordance     float64 // share of comparable pairs in which the one at higher risk died first
	Mean            []float64
	Iterations      int

	data *coxData
}

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

// Cox fits hazard(t) = h0(t)·exp(Σ βx) by maximum partial likelihood. x is by
// column, one value a life, finite, and not changed; each life has Count 1. level
// is that of the intervals; stop is asked once a step and may be nil. Measures are
// standardised for the search, so their units do not matter to it.
//
// It fails with ErrNobody, ErrBadLife, ErrNoDeath, ErrTooFew, ErrDiverged, or a
// ColumnError of ErrConstant, ErrCollinear or ErrSeparated.
//
// Cox, D. R. (1972). "Regression Models and Life-Tables". J. R. Stat. Soc. B 34
// (2): 187–220. Efron, B. (1977). "The Efficiency of Cox's Likelihood Function for
// Censored Data". J. Am. Stat. Assoc. 72 (359): 557–565.
func Cox(lives []Life, x [][]float64, ties Ties, level float64, stop func() bool) (*CoxFit, error) {
	d, mean, err := newCox(lives, x, ties)
	if err != nil {
		return nil, err
	}
	p := len(x)
	f := &CoxFit{Ties: ties, N: int64(len(lives)), Died: d.deaths, Mean: mean, data: d}
	if d.deaths <= int64(p) {
		return nil, ErrTooFew
	}
	beta := make([]float64, p)
	at := d.partial(beta, nil)
	f.LogLik0 = at.l
	first, err := at.newton()
	if err != nil {
		return nil, err
	}
	f.Score = chiSquared(mat.Dot(at.u, first), p)
	done := false
	for step := first; f.Iterations < maxSteps && !done; f.Iterations++ {
		if stop != nil && stop() {
			return nil, ErrStopped
		}
		size := 1.0
		for ; ; size /= 2 {
			next := slices.Clone(beta)
			for j := range next {
				next[j] += size * step.AtVec(j)
			}
			n := d.partial(next, nil)
			if !math.IsNaN(n.l) && !math.IsInf(n.l, 0) && n.l >= at.l-1e-11*math.Abs(at.l) {
				beta, at = next, n
				break
			}
			if size < 1e-8 {
				return nil, ErrDiverged
			}
		}
		if step, err = at.newton(); err != nil {
			if j := farthest(beta); math.Abs(beta[j]) > farOff/2 {
				return nil, &ColumnError{j, ErrSeparated}
			}
			return nil, err
		}
		done = mat.Norm(step, math.Inf(1)) < 1e-10
		if j := farthest(beta); math.Abs(beta[j]) > farOff {
			return nil, &ColumnError{j, ErrSeparated}
		}
	}
	if !done {
		return nil, ErrDiverged
	}
	return f, f.finish(beta, at, level)
}

// ErrStopped says that the caller asked to stop.
var ErrStopped = errors.New("stopped")

// farOff is a coefficient for one standard deviation that no data show: the
// hazards of users a standard deviation apart would differ by e^20.
const farOff = 20

func farthest(beta []float64) (j int) {
	for i := range beta {
		if math.Abs(beta[i]) > math.Abs(beta[j]) {
			j = i
		}
	}
	return j
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

// newton is information⁻¹·u.
func (q *partial) newton() (*mat.VecDense, error) {
	c, err := factor(q.info)
	if err != nil {
		return nil, err
	}
	var step mat.VecDense
	if err := c.SolveVecTo(&step, q.u); err != nil {
		return nil, ErrDiverged
	}
	return &step, nil
}

// factor is the Cholesky factor of the information of standardised measures, or
// the first measure that follows from those before it.
func factor(info *mat.SymDense) (*mat.Cholesky, error) {
	p := info.SymmetricDim()
	for k := 1; k <= p; k++ {
		var c mat.Cholesky
		if !c.Factorize(info.SliceSym(0, k).(*mat.SymDense)) || c.Cond() > 1e13 {
			return nil, &ColumnError{k - 1, ErrCollinear}
		}
		if k == p {
			return &c, nil
		}
	}
	return nil, ErrDiverged
}

func (f *CoxFit) finish(beta []float64, at partial, level float64) error {
	c, err := factor(at.info)
	if err != nil {
		return err
	}
	var cov mat.SymDense
	if err := c.InverseTo(&cov); err != nil {
		return ErrDiverged
	}
	p := len(beta)
	f.LogLik = at.l
	b := mat.NewVecDense(p, beta)
	var ib mat.VecDense
	ib.MulVec(at.info, b)
	f.Wald = chiSquared(mat.Dot(b, &ib), p)
	f.LR = chiSquared(2*(f.LogLik-f.LogLik0), p)
	z := stat.NormalQuantile(0.5 + level/2)
	f.Cov = mat.NewSymDense(p, nil)
	for i := range p {
		for j := range i + 1 {
			f.Cov.SetSym(i, j, cov.At(i, j)/(f.data.sd[i]*f.data.sd[j]))
		}
		c := Coefficient{Coef: beta[i] / f.data.sd[i], SE: math.Sqrt(f.Cov.At(i, i))}
		c.Z = c.Coef / c.SE
		c.P = 2 * distuv.UnitNormal.Survival(math.Abs(c.Z))
		c.Lo, c.Hi = c.Coef-z*c.SE, c.Coef+z*c.SE
		f.Coefficients = append(f.Coefficients, c)
	}
	f.Concordance = f.data.concordance(beta)
	return nil
}

// standard are the coefficients of the standardised measures.
func (f *CoxFit) standard() []float64 {
	out := make([]float64, len(f.Coefficients))
	for j, c := range f.Coefficients {
		out[j] = c.Coef * f.data.sd[j]
	}
	return out
}
