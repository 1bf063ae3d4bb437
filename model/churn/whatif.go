package churn

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"dwell/model/stat"
)

// A Near knows which combinations of values the training users had: each value
// of a what-if may be usual and all together like nobody.
//
// Its distance is Mahalanobis's over the standardised measures, with a little of
// the identity added to their correlations so that alike measures do no harm;
// Limit is the distance that 1 % of the training users exceed.
//
// Mahalanobis, P. C. (1936). "On the Generalised Distance in Statistics".
// Proceedings of the National Institute of Sciences of India 2 (1): 49–55.
type Near struct {
	Features  []int     `toml:"features"`  // of the model
	Precision []float64 `toml:"precision"` // inverse of the correlations, row by row
	Limit     float64   `toml:"limit"`
}

// nearUsers bounds how many users the correlations are made from.
const nearUsers = 20_000

// near learns the combinations from the training table; nil where fewer than two
// measures vary.
func (t *Table) near(m *Model) *Near {
	n := &Near{}
	for i := range m.Features {
		if f := &m.Features[i]; !f.Absent && f.Level == "" && f.SD > 0 {
			n.Features = append(n.Features, i)
		}
	}
	k := len(n.Features)
	if k < 2 {
		return nil
	}
	step := 1 + t.Len()/nearUsers
	values, known := make([]float64, len(t.X)), make([]bool, len(t.X))
	var rows [][]float64
	sum := mat.NewSymDense(k, nil)
	for i := 0; i < t.Len(); i += step {
		t.Row(i, values, known)
		z := n.standard(m, values, known)
		rows = append(rows, z)
		sum.SymRankOne(sum, 1, mat.NewVecDense(k, z))
	}
	for i := range k {
		for j := i; j < k; j++ {
			v := sum.At(i, j) / float64(len(rows))
			if i == j {
				v += 0.01
			}
			sum.SetSym(i, j, v)
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(sum) {
		return nil
	}
	inverse := mat.NewSymDense(k, nil)
	if chol.InverseTo(inverse) != nil {
		return nil
	}
	for i := range k {
		for j := range k {
			n.Precision = append(n.Precision, inverse.At(i, j))
		}
	}
	d := make([]float64, len(rows))
	for i, z := range rows {
		d[i] = n.length(z)
	}
	slices.Sort(d)
	n.Limit, _ = stat.Quantile(d, 0.99)
	return n
}

// standard are the standardised measures of a user.
func (n *Near) standard(m *Model, values []float64, known []bool) []float64 {
	z := make([]float64, len(n.Features))
	for i, at := range n.Features {
		f := &m.Features[at]
		z[i] = (f.at(values, known) - f.Mean) / f.SD
	}
	return z
}

func (n *Near) length(z []float64) float64 {
	sum, k := 0.0, len(z)
	for i, a := range z {
		for j, b := range z {
			sum += a * n.Precision[i*k+j] * b
		}
	}
	return math.Sqrt(math.Max(sum, 0))
}

// Far says how far a user is from the training users, as a share of the distance
// that 1 % of them exceed: above 1 is far. ok is false where it is not known.
func (m *Model) Far(values []float64, known []bool) (share float64, ok bool) {
	if m.Near == nil || !(m.Near.Limit > 0) {
		return 0, false
	}
	values, known = m.finite(values, known)
	return m.Near.length(m.Near.standard(m, values, known)) / m.Near.Limit, true
}

// Seen are the least and the greatest value of a column among the training
// users; ok is false for a column that no feature is made from, or a property.
func (m *Model) Seen(column int) (least, most float64, ok bool) {
	for i := range m.Features {
		if f := &m.Features[i]; f.Column == column && !f.Absent && f.Level == "" {
			return f.Least, f.Most, true
		}
	}
	return 0, 0, false
}

// A Change sets one column of a what-if.
type Change struct {
	Column int
	Value  float64 // of a property, its code
}

// A Trial is what the model would say of somebody else.
type Trial struct {
	Values      []float64 // as tried
	Known       []bool
	Held        []int // columns whose value was held within what training users had
	Probability float64
	LogOdds     float64
	Reasons     []Reason
	Far         float64 // see Model.Far; 0 where it is not known
}

// Try asks what the model would say if the values were others. Numbers are held
// within what the training users had. It changes nothing, draws nothing and takes
// microseconds, so a screen may call it for every key. It is the model's answer
// about another user, not what would happen to this one: signals are not causes.
func (m *Model) Try(values []float64, known []bool, changes []Change) Trial {
	t := Trial{Values: slices.Clone(values), Known: orAll(slices.Clone(known), len(values))}
	for _, c := range changes {
		if c.Column < 0 || c.Column >= len(t.Values) {
			continue
		}
		x := c.Value
		if least, most, ok := m.Seen(c.Column); ok && (x < least || x > most || math.IsNaN(x)) {
			x = math.Min(math.Max(x, least), most)
			if math.IsNaN(x) {
				x = least
			}
			t.Held = append(t.Held, c.Column)
		}
		t.Values[c.Column], t.Known[c.Column] = x, true
	}
	t.LogOdds = m.LogOdds(m.finite(t.Values, t.Known))
	t.Probability = sigmoid(t.LogOdds)
	t.Reasons = m.Reasons(t.Values, t.Known)
	t.Far, _ = m.Far(t.Values, t.Known)
	return t
}

// Distance is how unlike two users are, in spreads of the training users over the
// features: √(mean of squared differences). Features in skip are not looked at.
func (m *Model) Distance(a, b []float64, aKnown, bKnown []bool, skip func(f *Feature) bool) float64 {
	sum, n := 0.0, 0.0
	for i := range m.Features {
		f := &m.Features[i]
		if f.SD == 0 || skip != nil && skip(f) {
			continue
		}
		d := (f.at(a, aKnown) - f.at(b, bKnown)) / f.SD
		sum += d * d
		n++
	}
	if n == 0 {
		return 0
	}
	return math.Sqrt(sum / n)
}
