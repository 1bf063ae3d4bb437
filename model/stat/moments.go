package stat

import "math"

// Moments are count, mean and variance of a stream of values, kept the stable
// way. The zero value is empty.
//
// Welford, B. P. (1962). "Note on a Method for Calculating Corrected Sums of
// Squares and Products". Technometrics 4 (3): 419–420. Merging: Chan, T. F.;
// Golub, G. H.; LeVeque, R. J. (1979).
type Moments struct {
	n    int64
	mean float64
	m2   float64
}

// Add takes one value.
func (m *Moments) Add(x float64) {
	m.n++
	d := x - m.mean
	m.mean += d / float64(m.n)
	m.m2 += d * (x - m.mean)
}

// Merge takes the values of another stream. Merged in another order, sums may
// differ in their last bits: merge in bucket order.
func (m *Moments) Merge(o Moments) {
	if o.n == 0 {
		return
	}
	n, d := m.n+o.n, o.mean-m.mean
	m.m2 += o.m2 + d*d*float64(m.n)*float64(o.n)/float64(n)
	m.mean += d * float64(o.n) / float64(n)
	m.n = n
}

// N is the number of values.
func (m *Moments) N() int64 { return m.n }

// Mean is the arithmetic mean; ok is false for no values.
func (m *Moments) Mean() (x float64, ok bool) { return m.mean, m.n > 0 }

// StdDev is the sample standard deviation (divisor n−1); ok is false under two
// values.
func (m *Moments) StdDev() (x float64, ok bool) {
	if m.n < 2 {
		return 0, false
	}
	return math.Sqrt(m.m2 / float64(m.n-1)), true
}
