package lifecycle

import (
	"slices"

	"dwell/model"
)

// UsageGap is a user's part in the usage interval (SPEC 2): the median gap between
// consecutive active days, in days. ok is false under three active days: one gap
// says nothing of a rhythm.
func UsageGap(days []model.Day) (gap float64, ok bool) {
	if len(days) < 3 {
		return 0, false
	}
	gaps := make([]model.Day, len(days)-1)
	for i := range gaps {
		gaps[i] = days[i+1] - days[i]
	}
	slices.Sort(gaps)
	n := len(gaps)
	return float64(gaps[(n-1)/2]+gaps[n/2]) / 2, true
}

// A Session is a run of a user's events without a gap over the limit.
type Session struct {
	From, To int   // its events, [From, To)
	Length   int64 // from its first to its last event, ms
}

// Sessions appends the sessions of ascending times (ms) to dst: a gap strictly
// greater than limit ms starts a new one.
func Sessions(dst []Session, times []int64, limit int64) []Session {
	for i, t := range times {
		if i == 0 || t-times[i-1] > limit {
			dst = append(dst, Session{From: i, To: i})
		}
		s := &dst[len(dst)-1]
		s.To, s.Length = i+1, t-times[s.From]
	}
	return dst
}

// A Tallies counts equal numbers, for exact medians of many values that repeat.
// It can be merged in any order.
type Tallies map[int64]int64

// Merge adds another's counts.
func (t Tallies) Merge(o Tallies) {
	for v, n := range o {
		t[v] += n
	}
}

// Summary is the number of values, their sum and their median (the mean of the two
// in the middle where they are even). ok is false for no values.
func (t Tallies) Summary() (n, sum int64, median float64, ok bool) {
	vals := make([]int64, 0, len(t))
	for v, k := range t {
		vals = append(vals, v)
		n += k
		sum += v * k
	}
	if n == 0 {
		return 0, 0, 0, false
	}
	slices.Sort(vals)
	at := func(rank int64) int64 {
		for _, v := range vals {
			if rank -= t[v]; rank < 0 {
				return v
			}
		}
		return vals[len(vals)-1]
	}
	return n, sum, float64(at((n-1)/2)+at(n/2)) / 2, true
}
