package lifecycle

import "dwell/model"

// A Span is the days From … To, both included.
type Span struct{ From, To model.Day }

// Covered appends to dst the days of [first, last] on which a user with these
// active days (ascending) belongs to the trailing window of width days: day d
// counts if an active day lies in (d−width, d]. The spans are disjoint and
// ascending, so a user is counted once a day: DAU is width 1, WAU7 is 7, MAU28 is
// 28.
func Covered(dst []Span, days []model.Day, width int, first, last model.Day) []Span {
	n := len(dst)
	for _, d := range days {
		s := Span{max(d, first), min(d+model.Day(width)-1, last)}
		if s.To < s.From {
			continue
		}
		if len(dst) > n && dst[len(dst)-1].To >= s.From-1 {
			dst[len(dst)-1].To = max(dst[len(dst)-1].To, s.To)
			continue
		}
		dst = append(dst, s)
	}
	return dst
}

// Within counts the active days in [from, to].
func Within(days []model.Day, from, to model.Day) (n int) {
	for _, d := range days {
		if d >= from && d <= to {
			n++
		}
	}
	return n
}

// Mean is the mean of daily counts, days without anybody counting 0. ok is false
// for no days.
func Mean(counts []int64) (mean float64, ok bool) {
	if len(counts) == 0 {
		return 0, false
	}
	var sum int64
	for _, c := range counts {
		sum += c
	}
	return float64(sum) / float64(len(counts)), true
}

// DAUOverMAU is the mean of the daily active users over 28 closed days, divided
// by the distinct users of the same 28 days (SPEC 2): the share of days on which
// a user of the month came. ok is false unless there are 28 days and somebody.
func DAUOverMAU(dau []int64, users int64) (ratio float64, ok bool) {
	if len(dau) != 28 || users == 0 {
		return 0, false
	}
	mean, _ := Mean(dau)
	return mean / float64(users), true
}

// MeanRatio is the reference form dau_mau=mean_ratio: the mean of DAU_t / MAU28_t
// over the days that have 28 days behind them, a day with an empty window
// counting 0. The slices are of those days, in order. ok is false for no days.
func MeanRatio(dau, mau []int64) (ratio float64, ok bool) {
	if len(dau) == 0 || len(dau) != len(mau) {
		return 0, false
	}
	for i := range dau {
		ratio += float64(dau[i]) / float64(max(mau[i], 1))
	}
	return ratio / float64(len(dau)), true
}
