package measure

import (
	"slices"

	"dwell/model"
	"dwell/model/stat"
)

// AgeBand is which ages, in days since the first event, count as equal to one: a
// tenth of it, at least a week, to either side.
func AgeBand(age model.Day) (from, to model.Day) {
	w := max(7, age/10)
	return max(0, age-w), age + w
}

// AgeRank ranks a column's known values among users of equal age: the percentile
// of row i is 100 times the share of known rows within AgeBand of its age that lie
// below it, plus half the share equal to it. A row alone in its band stands at 50.
// Rows without value or age stay missing. age is tenure_days.
func AgeRank(ref Ref, c, age *Column) *Column {
	type item struct {
		age model.Day
		at  int // place of the value among the distinct ones
		row int
	}
	values := slices.Compact(known(c))
	var items []item
	for i := range c.Len {
		v, ok := c.At(i)
		a, aged := age.At(i)
		if ok && aged {
			at, _ := slices.BinarySearch(values, v)
			items = append(items, item{model.Day(a), at, i})
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return int(a.age - b.age) })
	// Both ends of the band rise with age: each user enters and leaves once.
	tree := make(stat.Fenwick, len(values)+1)
	pct := make([]float64, c.Len)
	in := NewBits(c.Len)
	lo, hi := 0, 0
	for _, it := range items {
		from, to := AgeBand(it.age)
		for ; hi < len(items) && items[hi].age <= to; hi++ {
			tree.Add(items[hi].at, 1)
		}
		for ; items[lo].age < from; lo++ {
			tree.Add(items[lo].at, -1)
		}
		below, upTo := tree.Below(it.at), tree.Below(it.at+1)
		pct[it.row] = 100 * (float64(below) + float64(upTo-below)/2) / float64(hi-lo)
		in.Set(it.row)
	}
	out := NewRanked(ref, false, c.Len)
	for i := range c.Len {
		out.Append(pct[i], in.Get(i))
	}
	return out
}
