package value

import (
	"math"
)

// A Shape says how well a division into clusters fits.
type Shape struct {
	// Explained is the share of the standardised columns' squared distances from
	// their means that lies between clusters: 1 − inertia ÷ total, in [0, 1].
	Explained float64
	// Silhouette is the mean over users of (b − a) ÷ max(a, b), a the mean distance
	// to the others of the own cluster, b the least mean distance to another
	// cluster: near 1 apart, near 0 touching, below 0 misplaced. Each is the same by
	// cluster, 0 for a cluster of one.
	Silhouette float64
	Each       []float64
	Sampled    int // users whose distances were looked at; all of few
}

// mostSilhouette bounds the users compared with one another.
const mostSilhouette = 2000

// Shape judges a division of these columns that KMeans made; of many users every
// n-th is looked at, in the columns' order.
//
// Rousseeuw, P. J. (1987). "Silhouettes: A Graphical Aid to the Interpretation and
// Validation of Cluster Analysis". J. Computational and Applied Mathematics 20: 53–65.
func (c *Clusters) Shape(columns [][]float64) (s Shape, err error) {
	p, err := points(columns)
	if err != nil || len(p.of) == 0 {
		return s, err
	}
	total := 0.0
	for i, w := range p.weight {
		total += w * distance(p.point(i), make([]float64, p.dim))
	}
	if total > 0 {
		s.Explained = 1 - c.Inertia/total
	}
	n := len(p.of)
	step := max(1, (n+mostSilhouette-1)/mostSilhouette)
	var rows []int
	size := make([]float64, c.K)
	for i := 0; i < n; i += step {
		rows = append(rows, i)
		size[c.Of[i]]++
	}
	s.Sampled, s.Each = len(rows), make([]float64, c.K)
	sum := make([]float64, c.K)
	for _, i := range rows {
		clear(sum)
		for _, j := range rows {
			sum[c.Of[j]] += math.Sqrt(distance(p.point(int(p.of[i])), p.point(int(p.of[j]))))
		}
		own := c.Of[i]
		if size[own] < 2 {
			continue
		}
		a, b := sum[own]/(size[own]-1), math.Inf(1)
		for k := range sum {
			if k != int(own) && size[k] > 0 {
				b = math.Min(b, sum[k]/size[k])
			}
		}
		if m := math.Max(a, b); m > 0 && !math.IsInf(b, 1) {
			s.Silhouette += (b - a) / m / float64(len(rows))
			s.Each[own] += (b - a) / m / size[own]
		}
	}
	return s, nil
}

// AdjustedRand is the agreement of two divisions of the same users, given as counts
// of users by both: 1 where they are the same, 0 where they agree by chance. ok is
// false where it means nothing: fewer than two users, or one part in both.
//
// Hubert, L.; Arabie, P. (1985). "Comparing Partitions". J. Classification 2: 193–218.
func AdjustedRand(both [][]int64) (index float64, ok bool) {
	pairs := func(n float64) float64 { return n * (n - 1) / 2 }
	var n, ab, a, b float64
	var cols []float64
	for _, row := range both {
		sum := 0.0
		for j, x := range row {
			if j >= len(cols) {
				cols = append(cols, 0)
			}
			cols[j] += float64(x)
			sum += float64(x)
			ab += pairs(float64(x))
		}
		a += pairs(sum)
		n += sum
	}
	for _, x := range cols {
		b += pairs(x)
	}
	if n < 2 {
		return 0, false
	}
	chance := a * b / pairs(n)
	most := (a + b) / 2
	if most == chance {
		return 0, false
	}
	return (ab - chance) / (most - chance), true
}
