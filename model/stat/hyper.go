package stat

import "math"

// HypergeomTail is P(X ≤ x) where X counts the marked things among draws taken
// without replacement from total things of which marked are marked.
//
// It is the exact test behind "declining": of total = base + recent days, marked
// were active; if activity were spread evenly, how likely are x or fewer active
// days among the draws = recent days? Impossible arguments (negative, or more
// drawn or marked than there are) give 1, no evidence of anything.
//
// Fisher, R. A. (1935). "The Logic of Inductive Inference". J. R. Stat. Soc. 98
// (1): 39–82.
func HypergeomTail(x, draws, marked, total int) float64 {
	if draws < 0 || marked < 0 || draws > total || marked > total {
		return 1
	}
	lo, hi := max(0, draws+marked-total), min(draws, marked)
	if x < lo {
		return 0
	}
	if x >= hi {
		return 1
	}
	// From x down the terms follow by ratios; only the first needs logarithms.
	p := math.Exp(logChoose(marked, x) + logChoose(total-marked, draws-x) - logChoose(total, draws))
	sum := p
	for k := x; k > lo; k-- {
		p *= float64(k) * float64(total-marked-draws+k) / (float64(marked-k+1) * float64(draws-k+1))
		sum += p
	}
	return math.Min(sum, 1)
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
