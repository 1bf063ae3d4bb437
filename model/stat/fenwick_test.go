package stat

import (
	"testing"

	"pgregory.net/rapid"
)

func TestFenwickCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "places")
		tree, plain := make(Fenwick, n+1), make([]int64, n)
		for range rapid.IntRange(0, 60).Draw(t, "adds") {
			at, by := rapid.IntRange(0, n-1).Draw(t, "at"), rapid.Int64Range(-3, 9).Draw(t, "by")
			tree.Add(at, by)
			plain[at] += by
		}
		var sum int64
		for at := range n + 1 {
			if got := tree.Below(at); got != sum {
				t.Fatalf("%d below %d, want %d", got, at, sum)
			}
			if at < n {
				sum += plain[at]
			}
		}
	})
}
