package churn

import (
	"fmt"
	"math"
)

// A Forest is a sum of regression trees: log-odds = Base + Σ trees.
type Forest struct {
	Base  float64 `toml:"base"`
	Trees []Tree  `toml:"tree"`
}

// A Tree is kept as columns, one entry a node; node 0 is the root and children
// come after their parent. A leaf has Feature −1.
//
// A user goes left where the feature's value is at most At, and where there is
// no value, left if Missing. Cover is the number of training users who came by:
// it weighs the two ways when a feature is left out of a contribution.
type Tree struct {
	Feature []int32   `toml:"feature"` // index into the model's features
	At      []float64 `toml:"at"`
	Missing []bool    `toml:"missing_left"`
	Left    []int32   `toml:"left"`
	Right   []int32   `toml:"right"`
	Value   []float64 `toml:"value"` // of leaves, in log-odds, the learning rate within
	Cover   []float64 `toml:"cover"`
}

func (t *Tree) leaf(i int32) bool { return t.Feature[i] < 0 }

// next is the child that a value leads to; NaN is no value.
func (t *Tree) next(i int32, x float64) int32 {
	if x <= t.At[i] || math.IsNaN(x) && t.Missing[i] {
		return t.Left[i]
	}
	return t.Right[i]
}

// add appends a leaf and gives its place.
func (t *Tree) add(value, cover float64) int32 {
	t.Feature = append(t.Feature, -1)
	t.At, t.Missing = append(t.At, 0), append(t.Missing, false)
	t.Left, t.Right = append(t.Left, 0), append(t.Right, 0)
	t.Value, t.Cover = append(t.Value, value), append(t.Cover, cover)
	return int32(len(t.Feature) - 1)
}

// Sum is the forest's log-odds at x, one value a feature, NaN where there is none.
func (f *Forest) Sum(x []float64) float64 {
	sum := f.Base
	for i := range f.Trees {
		t := &f.Trees[i]
		n := int32(0)
		for !t.leaf(n) {
			n = t.next(n, x[t.Feature[n]])
		}
		sum += t.Value[n]
	}
	return sum
}

// Mean is the forest's mean log-odds over its training users: what contributions
// are counted from.
func (f *Forest) Mean() float64 {
	sum := f.Base
	for i := range f.Trees {
		t := &f.Trees[i]
		sum += t.mean(0)
	}
	return sum
}

// mean is the cover-weighted mean of the leaves under a node.
func (t *Tree) mean(i int32) float64 {
	if t.leaf(i) {
		return t.Value[i]
	}
	l, r := t.Left[i], t.Right[i]
	return (t.Cover[l]*t.mean(l) + t.Cover[r]*t.mean(r)) / (t.Cover[l] + t.Cover[r])
}

// check refuses a forest, read from a file, that cannot predict.
func (f *Forest) check(features int) error {
	for k := range f.Trees {
		t := &f.Trees[k]
		n := len(t.Feature)
		if n == 0 || len(t.At) != n || len(t.Missing) != n || len(t.Left) != n || len(t.Right) != n || len(t.Value) != n || len(t.Cover) != n {
			return fmt.Errorf("tree %d is not whole", k+1)
		}
		for i := range n {
			switch {
			case !finite(t.Value[i]) || !finite(t.At[i]) || !(t.Cover[i] > 0):
				return fmt.Errorf("tree %d has a number that is not finite", k+1)
			case t.Feature[i] >= int32(features):
				return fmt.Errorf("tree %d asks for feature %d of %d", k+1, t.Feature[i]+1, features)
			case t.Feature[i] >= 0 && (int(t.Left[i]) <= i || int(t.Right[i]) <= i || int(t.Left[i]) >= n || int(t.Right[i]) >= n):
				return fmt.Errorf("tree %d does not go down", k+1)
			}
		}
	}
	return nil
}

// Contributions splits Sum(x) into one part a feature, added to out: Mean and
// the parts add to Sum but for rounding. They are the exact Shapley values of the
// game in which a feature outside the coalition sends a user down both ways in
// proportion to the training users.
//
// Lundberg, S. M.; Erion, G. G.; Lee, S.-I. (2018). "Consistent Individualized
// Feature Attribution for Tree Ensembles", algorithm 2. arXiv:1802.03888.
func (f *Forest) Contributions(x, out []float64) {
	var w walk
	w.x, w.out = x, out
	for i := range f.Trees {
		w.t = &f.Trees[i]
		w.down(0, 0, 1, 1, -1)
	}
}

// A step is one feature on the way from the root: the shares of users who come
// through when it is outside and inside the coalition, and the weight of all
// coalitions of its place's size.
type step struct {
	feature   int32
	zero, one float64
	weight    float64
}

// A walk goes down one tree. The steps of each depth have a place of their own.
type walk struct {
	t     *Tree
	x     []float64
	out   []float64
	paths [][]step
}

func (w *walk) path(depth int) []step {
	for len(w.paths) <= depth {
		w.paths = append(w.paths, make([]step, 0, 16))
	}
	return w.paths[depth][:0]
}

// down visits node n, reached by the steps kept at depth−1 and one more.
func (w *walk) down(n int32, depth int, zero, one float64, feature int32) {
	p := w.path(depth)
	if depth > 0 {
		p = append(p, w.paths[depth-1]...)
	}
	p = extend(p, zero, one, feature)
	w.paths[depth] = p
	t := w.t
	if t.leaf(n) {
		for i := 1; i < len(p); i++ {
			w.out[p[i].feature] += unwound(p, i) * (p[i].one - p[i].zero) * t.Value[n]
		}
		return
	}
	hot := t.next(n, w.x[t.Feature[n]])
	cold := t.Left[n] + t.Right[n] - hot
	inZero, inOne := 1.0, 1.0
	for i := 1; i < len(p); i++ {
		if p[i].feature == t.Feature[n] { // split upon before: one step for both
			inZero, inOne = p[i].zero, p[i].one
			p = unwind(p, i)
			break
		}
	}
	w.paths[depth] = p
	w.down(hot, depth+1, inZero*t.Cover[hot]/t.Cover[n], inOne, t.Feature[n])
	w.down(cold, depth+1, inZero*t.Cover[cold]/t.Cover[n], 0, t.Feature[n])
}

// extend adds a step and spreads the weights of coalitions over it.
func extend(p []step, zero, one float64, feature int32) []step {
	l := len(p)
	weight := 0.0
	if l == 0 {
		weight = 1
	}
	p = append(p, step{feature, zero, one, weight})
	for i := l - 1; i >= 0; i-- {
		p[i+1].weight += one * p[i].weight * float64(i+1) / float64(l+1)
		p[i].weight = zero * p[i].weight * float64(l-i) / float64(l+1)
	}
	return p
}

// unwind takes step i out again: the inverse of extend.
func unwind(p []step, i int) []step {
	l := len(p) - 1
	next := p[l].weight
	one, zero := p[i].one, p[i].zero
	for j := l - 1; j >= 0; j-- {
		if one != 0 {
			t := p[j].weight
			p[j].weight = next * float64(l+1) / (float64(j+1) * one)
			next = t - p[j].weight*zero*float64(l-j)/float64(l+1)
		} else {
			p[j].weight = p[j].weight * float64(l+1) / (zero * float64(l-j))
		}
	}
	for j := i; j < l; j++ {
		p[j].feature, p[j].zero, p[j].one = p[j+1].feature, p[j+1].zero, p[j+1].one
	}
	return p[:l]
}

// unwound is the sum of the weights that unwind would leave.
func unwound(p []step, i int) (sum float64) {
	l := len(p) - 1
	next := p[l].weight
	one, zero := p[i].one, p[i].zero
	for j := l - 1; j >= 0; j-- {
		if one != 0 {
			t := next * float64(l+1) / (float64(j+1) * one)
			sum += t
			next = p[j].weight - t*zero*float64(l-j)/float64(l+1)
		} else {
			sum += p[j].weight / zero * float64(l+1) / float64(l-j)
		}
	}
	return sum
}
