package stat

import "math"

// Wilson is the score interval of a rate of x out of n. Unlike the textbook
// interval it stays inside [0, 1] and is not empty at x = 0 or x = n. ok is false
// if n is not positive or x is outside [0, n].
//
// Wilson, E. B. (1927). "Probable Inference, the Law of Succession, and
// Statistical Inference". J. Am. Stat. Assoc. 22 (158): 209–212.
func Wilson(x, n int64, level float64) (iv Interval, ok bool) {
	if n <= 0 || x < 0 || x > n {
		return Interval{}, false
	}
	q, m, p := z(level), float64(n), float64(x)/float64(n)
	mid := p + q*q/(2*m)
	half := q * math.Sqrt(p*(1-p)/m+q*q/(4*m*m))
	iv = Interval{(mid - half) / (1 + q*q/m), (mid + half) / (1 + q*q/m)}
	// The ends are exact at the edges, where rounding would leave 1e-17.
	if x == 0 {
		iv.Lo = 0
	}
	if x == n {
		iv.Hi = 1
	}
	return iv, true
}

// Newcombe is the interval of the difference p2 − p1 of the rates of two
// disjoint groups, x1 of n1 and x2 of n2, made from their Wilson intervals
// (hybrid score, his method 10). ok is false if either group has no interval.
//
// Newcombe, R. G. (1998). "Interval Estimation for the Difference Between
// Independent Proportions". Statistics in Medicine 17 (8): 873–890.
func Newcombe(x1, n1, x2, n2 int64, level float64) (iv Interval, ok bool) {
	a, okA := Wilson(x1, n1, level)
	b, okB := Wilson(x2, n2, level)
	if !okA || !okB {
		return Interval{}, false
	}
	p1, p2 := float64(x1)/float64(n1), float64(x2)/float64(n2)
	d := p2 - p1
	return Interval{
		Lo: d - math.Hypot(p2-b.Lo, a.Hi-p1),
		Hi: d + math.Hypot(b.Hi-p2, p1-a.Lo),
	}, true
}
