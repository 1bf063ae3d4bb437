package measure

import "slices"

// MidRank ranks a column's known values: the percentile of row i is 100 times
// the share of known rows below it plus half the share equal to it, so that ties
// stand at the middle of their ranks and the mean is 50. Missing rows stay
// missing.
func MidRank(ref Ref, c *Column) *Column {
	sorted := known(c)
	out := NewRanked(ref, false, c.Len)
	for i := range c.Len {
		v, ok := c.At(i)
		if !ok {
			out.Append(0, false)
			continue
		}
		lo, _ := slices.BinarySearch(sorted, v)
		hi := above(sorted, v)
		out.Append(100*(float64(lo)+float64(hi-lo)/2)/float64(len(sorted)), true)
	}
	return out
}

// Scores gives scores 1–5 by quintile of the known values (SPEC 2, RFM): one
// more than the number of cut points strictly below the value, the cut points
// being the quantiles 0.2, 0.4, 0.6 and 0.8 (linear between order statistics, type
// 7). So equal values get equal scores, and fewer than five distinct values give
// fewer scores. reverse gives 5 to the smallest, as recency wants.
//
// Hyndman, R. J.; Fan, Y. (1996). "Sample Quantiles in Statistical Packages".
// Am. Stat. 50 (4): 361–365.
func Scores(ref Ref, c *Column, reverse bool) *Column {
	sorted := known(c)
	var cuts []float64
	for q := 1; q < 5 && len(sorted) > 0; q++ {
		cuts = append(cuts, quantile(sorted, float64(q)/5))
	}
	out := NewRanked(ref, true, c.Len)
	for i := range c.Len {
		v, ok := c.At(i)
		s := 1
		for _, cut := range cuts {
			if cut < v {
				s++
			}
		}
		if reverse {
			s = 6 - s
		}
		out.Append(float64(s), ok)
	}
	return out
}

// quantile is type 7 of Hyndman and Fan; sorted is not empty.
func quantile(sorted []float64, p float64) float64 {
	h := float64(len(sorted)-1) * p
	at := int(h)
	if at+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[at] + (h-float64(at))*(sorted[at+1]-sorted[at])
}

// known are a column's known values, sorted.
func known(c *Column) []float64 {
	out := make([]float64, 0, c.Len)
	for i := range c.Len {
		if v, ok := c.At(i); ok {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// above is the place of the first value over v.
func above(sorted []float64, v float64) int {
	at, _ := slices.BinarySearchFunc(sorted, v, func(x, v float64) int {
		if x <= v {
			return -1
		}
		return 1
	})
	return at
}

// Rank makes the column of a population measure from the column it ranks
// (Family.Ranks), at equal age from tenure_days. ok is false if name is none.
func Rank(name string, base, age *Column) (c *Column, ok bool) {
	f, _, ok := Lookup(name)
	if !ok || f.Kind != Population {
		return nil, false
	}
	switch name {
	case "value_pct", "activity_pct":
		return MidRank(Of(name), base), true
	case "behaviour_score", "value_score", "affinity_score":
		return AgeRank(Of(name), base, age), true
	}
	return Scores(Of(name), base, name == "recency_score"), true
}
