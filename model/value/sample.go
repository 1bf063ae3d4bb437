package value

import (
	"cmp"
	"maps"
	"slices"
)

// A Sample counts equal histories. The zero value is empty; Merge and Add may
// come in any order without changing a later fit.
type Sample struct {
	n     map[History]int64
	bad   error
	total int64
}

// Add counts one buyer. A history that cannot be (see History.Check) is kept as
// the error that every fit of the sample returns.
func (s *Sample) Add(h History) {
	if err := h.Check(); err != nil {
		if s.bad == nil {
			s.bad = err
		}
		return
	}
	if s.n == nil {
		s.n = map[History]int64{}
	}
	s.n[h]++
	s.total++
}

// Merge counts another sample's buyers; o is not changed.
func (s *Sample) Merge(o *Sample) {
	if s.n == nil {
		s.n = make(map[History]int64, len(o.n))
	}
	for h, n := range o.n {
		s.n[h] += n
	}
	s.total += o.total
	if s.bad == nil {
		s.bad = o.bad
	}
}

// Buyers is how many were added.
func (s *Sample) Buyers() int64 { return s.total }

// Groups is how many differ.
func (s *Sample) Groups() int { return len(s.n) }

// Repeaters is how many came back at least once.
func (s *Sample) Repeaters() (n int64) {
	for h, k := range s.n {
		if h.Repeats > 0 {
			n += k
		}
	}
	return n
}

// A row is a group of equal histories as a likelihood reads it.
type row struct {
	at      int     // index of the repeats in table.x
	x       float64 // repeats
	last    float64
	age     float64
	n       float64
	history History
}

// A table is a sample in a fixed order: by repeats, age at last, age.
type table struct {
	rows []row
	x    []float64 // distinct repeats, ascending
	nx   []float64 // buyers with so many
	n    float64
}

func (s *Sample) table() *table {
	hs := slices.SortedFunc(maps.Keys(s.n), func(a, b History) int {
		return cmp.Or(cmp.Compare(a.Repeats, b.Repeats), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Age, b.Age))
	})
	t := &table{rows: make([]row, 0, len(hs))}
	for _, h := range hs {
		t.add(h, float64(s.n[h]))
	}
	return t
}

func (t *table) add(h History, n float64) {
	x := float64(h.Repeats)
	if k := len(t.x); k == 0 || t.x[k-1] != x {
		t.x, t.nx = append(t.x, x), append(t.nx, 0)
	}
	at := len(t.x) - 1
	t.nx[at] += n
	t.n += n
	t.rows = append(t.rows, row{at: at, x: x, last: h.Last, age: h.Age, n: n, history: h})
}

// thin is every k-th row: enough to find the neighbourhood of the maximum.
func (t *table) thin(most int) *table {
	if len(t.rows) <= most {
		return t
	}
	out, step := &table{}, (len(t.rows)+most-1)/most
	for i := 0; i < len(t.rows); i += step {
		out.add(t.rows[i].history, t.rows[i].n)
	}
	return out
}

// meanAge is the mean of the buyers' ages.
func (t *table) meanAge() float64 {
	var sum float64
	for i := range t.rows {
		sum += t.rows[i].n * t.rows[i].age
	}
	return sum / t.n
}
