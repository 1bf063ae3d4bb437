package chart

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dwell/model/query"
)

// The axis of a few whole numbers is labelled with whole numbers, each at its own
// height, and holds every value.
func TestCountsHaveWholeLabels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &query.Chart{Unit: "users", Zero: rapid.Bool().Draw(t, "zero"), Series: []query.Series{{}}}
		for range rapid.IntRange(1, 5).Draw(t, "points") {
			c.Series[0].Y = append(c.Series[0].Y, float64(rapid.IntRange(0, 30).Draw(t, "y")))
		}
		lo, most, _ := bounds(c)
		rows := evenRows(rapid.IntRange(3, 24).Draw(t, "rows"))
		parts, hi := yParts(c, lo, most, rows)
		if hi < most || hi > lo+1.25*(most-lo) {
			t.Fatalf("the axis ends at %v, the values at %v", hi, most)
		}
		labels, _ := yLabels(c, lo, hi, rows, parts)
		for r, l := range labels {
			if l == "" {
				continue
			}
			n, err := strconv.Atoi(strings.ReplaceAll(l, ",", ""))
			at := lo + (hi-lo)*float64(rows-1-r)/float64(rows-1)
			if err != nil || hi-lo < fewWhole && float64(n) != at || math.Abs(float64(n)-at) > 0.5 {
				t.Fatalf("row %d of %d is labelled %q, it stands for %v (axis %v to %v)", r, rows, l, at, lo, hi)
			}
		}
	})
}
