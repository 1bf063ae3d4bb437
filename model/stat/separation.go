package stat

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Separation is the share of a yes-or-no outcome's variance that lies between
// groups: 0 where all groups have one rate, 1 where each is all yes or all no.
// It is the correlation ratio η², and equally the Brier skill of forecasting each
// user's outcome by their group's rate.
//
// n and yes hold users and those with the outcome by group. ok is false if there
// are no users, or all or none have the outcome.
//
// Fisher, R. A. (1925). Statistical Methods for Research Workers, section 45.
func Separation(n, yes []int64) (share float64, ok bool) {
	var all, hit float64
	for i := range n {
		all, hit = all+float64(n[i]), hit+float64(yes[i])
	}
	if all == 0 || hit == 0 || hit == all {
		return 0, false
	}
	mean := hit / all
	between := 0.0
	for i := range n {
		if n[i] > 0 {
			d := float64(yes[i])/float64(n[i]) - mean
			between += float64(n[i]) * d * d
		}
	}
	return min(1, between/(all*mean*(1-mean))), true
}

// Separations compares two groupings of the same users. n and yes hold users and
// those with the outcome by pair of groups: of n[i][j] users in group i of the
// first and j of the second. The interval of the difference, second less first,
// comes from rounds resamplings of users. ok is as for Separation.
func Separations(n, yes [][]int64, rounds int, level float64, rng *rand.Rand) (first, second float64, diff Interval, ok bool) {
	first, second, ok = separations(n, yes)
	if !ok {
		return 0, 0, Interval{}, false
	}
	var cells []int64 // yes and no of each pair
	var total int64
	for i := range n {
		for j := range n[i] {
			cells = append(cells, yes[i][j], n[i][j]-yes[i][j])
			total += n[i][j]
		}
	}
	got := make([]float64, 0, rounds)
	drawN, drawYes := like(n), like(n)
	for range rounds {
		left, rest, at := float64(total), float64(total), 0
		draw := func() int64 {
			c := float64(cells[at])
			at++
			if c == 0 || left == 0 {
				return 0
			}
			k := left
			if c < rest {
				k = distuv.Binomial{N: left, P: c / rest, Src: rng}.Rand()
			}
			left, rest = left-k, rest-c
			return int64(k)
		}
		for i := range n {
			for j := range n[i] {
				y := draw()
				drawYes[i][j], drawN[i][j] = y, y+draw()
			}
		}
		if a, b, ok := separations(drawN, drawYes); ok {
			got = append(got, b-a)
		}
	}
	if len(got) == 0 {
		return first, second, Interval{second - first, second - first}, true
	}
	slices.Sort(got)
	lo, _ := Quantile(got, (1-level)/2)
	hi, _ := Quantile(got, (1+level)/2)
	return first, second, Interval{lo, hi}, true
}

// separations are those of the rows and of the columns.
func separations(n, yes [][]int64) (rows, cols float64, ok bool) {
	var rn, ry, cn, cy []int64
	for i := range n {
		var a, b int64
		for j := range n[i] {
			if i == 0 {
				cn, cy = append(cn, 0), append(cy, 0)
			}
			a, b = a+n[i][j], b+yes[i][j]
			cn[j] += n[i][j]
			cy[j] += yes[i][j]
		}
		rn, ry = append(rn, a), append(ry, b)
	}
	if rows, ok = Separation(rn, ry); !ok {
		return 0, 0, false
	}
	cols, ok = Separation(cn, cy)
	return rows, cols, ok
}

func like(n [][]int64) [][]int64 {
	out := make([][]int64, len(n))
	for i := range n {
		out[i] = make([]int64, len(n[i]))
	}
	return out
}
