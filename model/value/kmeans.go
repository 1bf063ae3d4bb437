package value

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Clusters are groups of users who are near one another.
type Clusters struct {
	K       int
	Of      []int32     // the cluster of each row, largest cluster first
	Size    []int64     // users of each
	Centre  [][]float64 // in the columns' own units: the mean of the members
	Inertia float64     // sum of squared distances to the centres, of the standardised columns
	// Agreement is the mean adjusted Rand index between this division and those of
	// the other starts: 1 where every start ends alike, 0 where they agree by
	// chance. What a cluster means nobody but the reader can say.
	Agreement float64
	Starts    int
}

// Clustering are a run's settings; the zero value means the defaults.
type Clustering struct {
	Starts int    // 0: 20
	Seed   uint64 // equal seeds give equal clusters
	Stop   func() bool
}

// KMeans divides rows of columns[column][row] into k clusters by the squared
// distance of standardised columns (population deviation): Lloyd's steps from
// k-means++ starts and Hartigan's exchanges, the best of several. Columns that are far from even should
// come as logarithms (see LogRFM). columns is not changed. It fails with ErrTooFew
// under k distinct rows, with ErrBad for values that are not finite, and with
// ErrStopped.
//
// Arthur, D.; Vassilvitskii, S. (2007). "k-means++: The Advantages of Careful
// Seeding". Proc. SODA: 1027–1035. Hartigan, J. A.; Wong, M. A. (1979). "Algorithm
// AS 136". Applied Statistics 28 (1): 100–108. Agreement: Hubert, L.; Arabie, P. (1985).
// "Comparing Partitions". J. Classification 2: 193–218.
func KMeans(columns [][]float64, k int, o Clustering) (*Clusters, error) {
	if o.Starts == 0 {
		o.Starts = 20
	}
	p, err := points(columns)
	if err != nil {
		return nil, err
	}
	if k < 2 || len(p.weight) < k {
		return nil, fmt.Errorf("%w: %d clusters of %d distinct users; ask for 2 or more, and not more than there are", ErrTooFew, k, len(p.weight))
	}
	var best *partition
	var all []*partition
	for s := range o.Starts {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(s)))
		q := p.start(k, rng)
		for range 500 {
			if o.Stop != nil && o.Stop() {
				return nil, ErrStopped
			}
			if !p.step(q) && !p.exchange(q) {
				break
			}
		}
		all = append(all, q)
		if best == nil || q.inertia < best.inertia {
			best = q
		}
	}
	c := &Clusters{K: k, Inertia: best.inertia, Starts: o.Starts}
	n := 0
	for _, q := range all {
		if q != best {
			c.Agreement += p.rand(best, q)
			n++
		}
	}
	if n > 0 {
		c.Agreement /= float64(n)
	} else {
		c.Agreement = 1
	}
	p.describe(c, best, columns)
	return c, nil
}

// LogRFM are the columns that RFM clusters by: log(1 + x) of days, frequency and
// money, with money not below 0.
func LogRFM(users []RFM) [][]float64 {
	out := [][]float64{make([]float64, len(users)), make([]float64, len(users)), make([]float64, len(users))}
	for i, u := range users {
		out[0][i] = math.Log1p(float64(u.DaysSince))
		out[1][i] = math.Log1p(float64(u.Frequency))
		out[2][i] = math.Log1p(math.Max(0, u.Monetary.Float()))
	}
	return out
}

// A cloud holds the distinct standardised rows with the number of users at each.
type cloud struct {
	dim    int
	x      []float64 // row by row
	weight []float64
	of     []int32 // the point of each row given
}

// points standardises and joins equal rows.
func points(columns [][]float64) (*cloud, error) {
	p := &cloud{dim: len(columns)}
	if len(columns) == 0 || len(columns[0]) == 0 {
		return p, nil
	}
	n := len(columns[0])
	mean, sd := make([]float64, p.dim), make([]float64, p.dim)
	for c, col := range columns {
		if len(col) != n {
			return nil, fmt.Errorf("%w: column %d has %d rows, the first %d", ErrBad, c, len(col), n)
		}
		for i, x := range col {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("%w: row %d of column %d is %v", ErrBad, i, c, x)
			}
			mean[c] += (x - col[0]) / float64(n) // of equal values exactly 0: rounding is no spread
		}
		mean[c] += col[0]
		for _, x := range col {
			sd[c] += (x - mean[c]) * (x - mean[c]) / float64(n)
		}
		sd[c] = math.Sqrt(sd[c])
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	compare := func(a, b int32) int {
		for _, col := range columns {
			if col[a] != col[b] {
				if col[a] < col[b] {
					return -1
				}
				return 1
			}
		}
		return 0
	}
	slices.SortFunc(order, compare)
	p.of = make([]int32, n)
	for i, row := range order {
		if i == 0 || compare(order[i-1], row) != 0 {
			for c, col := range columns {
				z := 0.0
				if sd[c] > 0 {
					z = (col[row] - mean[c]) / sd[c]
				}
				p.x = append(p.x, z)
			}
			p.weight = append(p.weight, 0)
		}
		at := len(p.weight) - 1
		p.weight[at]++
		p.of[row] = int32(at)
	}
	return p, nil
}

// A partition is one division of the points.
type partition struct {
	centre  []float64
	of      []int32
	inertia float64
}

func (p *cloud) point(i int) []float64 { return p.x[i*p.dim : (i+1)*p.dim] }

func distance(a, b []float64) (d float64) {
	for i := range a {
		d += (a[i] - b[i]) * (a[i] - b[i])
	}
	return d
}

// start draws k centres, each point with a chance proportional to its squared
// distance from the nearest centre so far; of a few candidates the best stays.
func (p *cloud) start(k int, rng *rand.Rand) *partition {
	q := &partition{of: make([]int32, len(p.weight))}
	nearest := make([]float64, len(p.weight))
	for i := range nearest {
		nearest[i] = 1
	}
	tries := 1
	for range k {
		var total float64
		for i, d := range nearest {
			total += d * p.weight[i]
		}
		var best []float64
		bestSum, bestAt := math.Inf(1), 0
		for range tries {
			u, at := rng.Float64()*total, 0
			for i, d := range nearest {
				if u -= d * p.weight[i]; d > 0 {
					if at = i; u < 0 {
						break
					}
				}
			}
			next, sum := make([]float64, len(nearest)), 0.0
			for i := range next {
				next[i] = distance(p.point(i), p.point(at))
				if len(q.centre) > 0 {
					next[i] = math.Min(next[i], nearest[i])
				}
				sum += next[i] * p.weight[i]
			}
			if sum < bestSum {
				best, bestSum, bestAt = next, sum, at
			}
		}
		nearest = best
		q.centre = append(q.centre, p.point(bestAt)...)
		tries = 2 + int(math.Log(float64(k)))
	}
	q.inertia = math.Inf(1)
	return q
}

// step assigns each point to its nearest centre and moves the centres; it says
// whether the inertia fell. A centre without points goes to the point that is
// farthest from its own.
func (p *cloud) step(q *partition) bool {
	k := len(q.centre) / p.dim
	sum, mass := make([]float64, len(q.centre)), make([]float64, k)
	var inertia, far float64
	farthest := 0
	for i := range p.weight {
		x := p.point(i)
		best, at := math.Inf(1), 0
		for c := range k {
			if d := distance(x, q.centre[c*p.dim:(c+1)*p.dim]); d < best {
				best, at = d, c
			}
		}
		q.of[i] = int32(at)
		inertia += best * p.weight[i]
		mass[at] += p.weight[i]
		for j, v := range x {
			sum[at*p.dim+j] += v * p.weight[i]
		}
		if best > far {
			far, farthest = best, i
		}
	}
	fell := inertia < q.inertia*(1-1e-12)
	q.inertia = inertia
	for c := range k {
		for j := range p.dim {
			if mass[c] > 0 {
				q.centre[c*p.dim+j] = sum[c*p.dim+j] / mass[c]
			} else {
				q.centre[c*p.dim+j] = p.point(farthest)[j]
				fell = true
			}
		}
	}
	return fell
}

// exchange moves each point once to the cluster where it adds least, its own
// weight in the centres allowed for, which Lloyd's steps do not; it says whether
// any moved. The centres move with every point.
func (p *cloud) exchange(q *partition) (moved bool) {
	k := len(q.centre) / p.dim
	mass := make([]float64, k)
	clear(q.centre)
	for i, at := range q.of {
		mass[at] += p.weight[i]
		for j, v := range p.point(i) {
			q.centre[int(at)*p.dim+j] += v * p.weight[i]
		}
	}
	for c := range k {
		for j := range p.dim {
			if mass[c] > 0 {
				q.centre[c*p.dim+j] /= mass[c]
			}
		}
	}
	for i, at := range q.of {
		x, w := p.point(i), p.weight[i]
		from := int(at)
		if mass[from] <= w {
			continue
		}
		now := distance(x, q.centre[from*p.dim:(from+1)*p.dim]) * mass[from] / (mass[from] - w)
		best, to := now*(1-1e-9), from
		for c := range k {
			if c == from {
				continue
			}
			if d := distance(x, q.centre[c*p.dim:(c+1)*p.dim]) * mass[c] / (mass[c] + w); d < best {
				best, to = d, c
			}
		}
		if to == from {
			continue
		}
		moved = true
		for j, v := range x {
			q.centre[from*p.dim+j] -= w * (v - q.centre[from*p.dim+j]) / (mass[from] - w)
			q.centre[to*p.dim+j] += w * (v - q.centre[to*p.dim+j]) / (mass[to] + w)
		}
		mass[from] -= w
		mass[to] += w
		q.of[i] = int32(to)
	}
	q.inertia = 0
	for i, at := range q.of {
		q.inertia += p.weight[i] * distance(p.point(i), q.centre[int(at)*p.dim:(int(at)+1)*p.dim])
	}
	return moved
}

// rand is the adjusted Rand index of two divisions.
func (p *cloud) rand(a, b *partition) float64 {
	k := len(a.centre) / p.dim
	both, inA, inB := make([]float64, k*k), make([]float64, k), make([]float64, k)
	var n float64
	for i, w := range p.weight {
		both[int(a.of[i])*k+int(b.of[i])] += w
		inA[a.of[i]] += w
		inB[b.of[i]] += w
		n += w
	}
	pairs := func(v []float64) (s float64) {
		for _, x := range v {
			s += x * (x - 1) / 2
		}
		return s
	}
	ab, sa, sb := pairs(both), pairs(inA), pairs(inB)
	chance := sa * sb / (n * (n - 1) / 2)
	if most := (sa + sb) / 2; most != chance {
		return (ab - chance) / (most - chance)
	}
	return 1
}

// describe numbers the clusters by size, ties by their first user, and gives their
// centres in the columns' units.
func (p *cloud) describe(c *Clusters, q *partition, columns [][]float64) {
	size, first := make([]int64, c.K), make([]int, c.K)
	for i := len(p.of) - 1; i >= 0; i-- {
		at := q.of[p.of[i]]
		size[at]++
		first[at] = i
	}
	order := make([]int, c.K)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if size[a] != size[b] {
			return int(size[b] - size[a])
		}
		return first[a] - first[b]
	})
	place := make([]int32, c.K)
	for i, at := range order {
		place[at] = int32(i)
		c.Size = append(c.Size, size[at])
		c.Centre = append(c.Centre, make([]float64, p.dim))
	}
	c.Of = make([]int32, len(p.of))
	for i, at := range p.of {
		c.Of[i] = place[q.of[at]]
		for j, col := range columns {
			c.Centre[c.Of[i]][j] += col[i] / float64(c.Size[c.Of[i]])
		}
	}
}
