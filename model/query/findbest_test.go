package query

import (
	"math/rand"
	"slices"
	"testing"
)

// The best are the same in whatever order a search brings them, and end it early
// only when nothing better can come.
func TestBestFound(t *testing.T) {
	in := []Found{{"u178", "id", "u178"}, {"1785", "id", "1785"}, {"17810", "id", "17810"}, {"178", "id", "178"}, {"A178", "id", "A178"},
		{"x", "email", "178@example.org"}, {"y", "order", "178"}, {"z", "order", "9178"}, {"178b", "id", "178b"}, {"0178", "id", "0178"}}
	want := []string{"178", "y", "178b", "1785", "17810", "x", "0178", "A178", "u178", "z"}
	r := rand.New(rand.NewSource(3))
	for range 50 {
		r.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		for _, most := range []int{1, 4, 7, 10, 30} {
			b := bestFound{low: "178", max: most}
			byGrade := slices.Clone(in)
			slices.SortStableFunc(byGrade, func(x, y Found) int { return b.pass(&x) - b.pass(&y) })
			for _, f := range byGrade {
				if !b.take(f) {
					break
				}
			}
			var got []string
			for _, f := range b.found {
				got = append(got, f.ID)
			}
			if !slices.Equal(got, want[:min(most, len(want))]) {
				t.Fatalf("the best %d of %v are %v", most, byGrade, got)
			}
		}
	}
}

// pass is the round in which search gives a user.
func (b *bestFound) pass(f *Found) int {
	switch b.grade(f) {
	case exactID, prefixID:
		return 0
	case exactValue, prefixValue:
		return 1
	case insideID:
		return 2
	}
	return 3
}

func TestNatural(t *testing.T) {
	in := []string{"", "007", "7", "a", "A2", "a2", "a10", "b", "用户"}
	for i, a := range in {
		for j, b := range in {
			if got := natural(a, b); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("natural(%q, %q) is %d", a, b, got)
			}
		}
	}
}
