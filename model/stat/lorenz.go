package stat

import "math"

// Lorenz says how unequally something is spread over users. It is made from
// ascending amounts, none negative, which it keeps and does not change.
type Lorenz struct {
	sorted []float64
	cum    []float64 // cum[i]: the sum of the first i
}

// NewLorenz takes ascending amounts.
func NewLorenz(sorted []float64) *Lorenz {
	l := &Lorenz{sorted, make([]float64, len(sorted)+1)}
	for i, x := range sorted {
		l.cum[i+1] = l.cum[i] + x
	}
	return l
}

// Bottom is the share of all that the k users with least hold; ok is false where
// there is nothing to share.
func (l *Lorenz) Bottom(k int) (share float64, ok bool) {
	total := l.cum[len(l.sorted)]
	if total <= 0 || k < 0 || k > len(l.sorted) {
		return 0, false
	}
	return l.cum[k] / total, true
}

// Top is the share of all that the k users with most hold.
func (l *Lorenz) Top(k int) (share float64, ok bool) {
	s, ok := l.Bottom(len(l.sorted) - k)
	return 1 - s, ok
}

// Gini is the Gini coefficient of the users themselves, without a correction for
// their number: G = 2·Σ i·x_i / (n·Σ x) − (n+1)/n over ascending x, 0 where all
// have equally much and 1 − 1/n where one has everything. ok is false where there
// is nothing to share.
//
// Gini, C. (1912), in the form of Sen, A. (1973). On Economic Inequality.
func (l *Lorenz) Gini() (g float64, ok bool) {
	n, total := float64(len(l.sorted)), l.cum[len(l.sorted)]
	if total <= 0 {
		return 0, false
	}
	return 2*l.ranked()/(n*total) - (n+1)/n, true
}

// ranked is Σ i·x_i.
func (l *Lorenz) ranked() (s float64) {
	for i, x := range l.sorted {
		s += float64(i+1) * x
	}
	return s
}

// GiniInterval is the jackknife interval of Gini over users, held within [0, 1];
// ok is false under 3 users, or where leaving one out leaves nothing.
//
// Karagiannis, E.; Kovačević, M. (2000). "A Method to Calculate the Jackknife
// Variance Estimator for the Gini Coefficient". Oxford Bulletin of Economics and
// Statistics 62 (1): 119–122.
func (l *Lorenz) GiniInterval(level float64) (iv Interval, ok bool) {
	g, ok := l.Gini()
	n := len(l.sorted)
	if !ok || n < 3 {
		return iv, false
	}
	total, ranked := l.cum[n], l.ranked()
	var m Moments
	for i, x := range l.sorted {
		rest := total - x
		if rest <= 0 {
			return iv, false
		}
		// Without user i the ranks above it fall by one.
		r := ranked - float64(i+1)*x - (total - l.cum[i+1])
		m.Add(2*r/(float64(n-1)*rest) - float64(n)/float64(n-1))
	}
	sd, _ := m.StdDev()
	se := sd * float64(n-1) / math.Sqrt(float64(n))
	return Interval{math.Max(0, g-z(level)*se), math.Min(1, g+z(level)*se)}, true
}
