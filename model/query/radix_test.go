package query

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dwell/model/measure"
)

// Rows are sorted as a stable sort by comparison does it, whatever bytes of the
// keys differ.
func TestSortKeyed(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		items := make([]sortItem, r.IntN(600))
		mask := r.Uint64() & r.Uint64() // some bytes and bits alone
		for i := range items {
			items[i] = sortItem{r.Uint64()&mask | ^mask&42, int32(i)}
		}
		want := slices.Clone(items)
		slices.SortStableFunc(want, func(a, b sortItem) int {
			switch {
			case a.key < b.key:
				return -1
			case a.key > b.key:
				return 1
			}
			return 0
		})
		if got := sortKeyed(items); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v, want %v", seed, got, want)
		}
	}
}

// A population is in the order of its ids, and of a column with ties by id and
// rows without a value last, as by comparing.
func TestPopulationIsSorted(t *testing.T) {
	for seed, begin := range []string{"", "user-000", "a\x00", "00000000-0000-"} {
		r := rand.New(rand.NewPCG(uint64(seed), 4))
		p := &Population{}
		ids := words(r, 500, []rune("ab\x00Ü"))
		for i := range ids {
			ids[i] = begin + ids[i] + strings.Repeat("x", 9*r.IntN(2))
			p.ids = append(p.ids, ids[i]...)
			p.ends = append(p.ends, uint32(len(p.ids)))
		}
		want := allRows(p.Len())
		slices.SortFunc(want, func(a, b int32) int { return strings.Compare(ids[a], ids[b]) })
		if !slices.Equal(p.ByID(), want) {
			t.Errorf("ids that begin with %q are not in order", begin)
		}
		known := measure.NewBits(p.Len())
		c := &measure.Column{Ref: measure.Of("revenue"), Known: known}
		for row := range p.Len() {
			c.Reals = append(c.Reals, []float64{-1, 0, 2.5, 1e12, math.Inf(1), -1e-9}[r.IntN(6)]*float64(r.IntN(3)))
			if v := c.Reals[row]; v == 0 || v != v {
				c.Reals[row] = 0 // neither −0 nor none
			}
			if r.IntN(4) > 0 {
				known.Set(row)
			}
		}
		for _, desc := range []bool{false, true} {
			want := slices.Clone(want)
			slices.SortStableFunc(want, func(a, b int32) int {
				x, hx := c.At(int(a))
				y, hy := c.At(int(b))
				switch {
				case hx != hy:
					if hx {
						return -1
					}
					return 1
				case !hx || x == y:
					return 0
				case x < y != desc:
					return -1
				}
				return 1
			})
			got, err := p.Sorted(context.Background(), c, desc)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("a column of users %q…, descending %v, is not in order: %v", begin, desc, err)
			}
		}
	}
}
