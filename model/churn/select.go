package churn

import "math"

// quantile is the type-7 quantile (see stat.Quantile) of values in any order,
// which it reorders. It looks at each a few times where sorting would look at
// each twenty.
//
// Hoare, C. A. R. (1961). "Algorithm 65: Find". Communications of the ACM 4 (7):
// 321–322.
func quantile(x []float64, p float64) float64 {
	h := math.Min(math.Max(p, 0), 1) * float64(len(x)-1)
	i := int(h)
	low := find(x, i)
	if i+1 >= len(x) {
		return low
	}
	next := x[i+1] // find leaves the greater ones behind place i
	for _, v := range x[i+2:] {
		next = min(next, v)
	}
	return low + (h-float64(i))*(next-low)
}

// find puts the k-th smallest value at place k, no greater ones before it and no
// smaller ones behind it, and gives it.
func find(x []float64, k int) float64 {
	from, to := 0, len(x)-1
	for from < to {
		a, b, c := x[from], x[from+(to-from)/2], x[to]
		pivot := max(min(a, b), min(max(a, b), c)) // the middle one
		i, j := from, to
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			to = j
		case k >= i:
			from = i
		default:
			return x[k]
		}
	}
	return x[k]
}
