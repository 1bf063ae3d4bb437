package stat

// A DropRule says when a fall in the rate of active days is an alarm: at least
// Base active days before, a rate of under Ratio of the one before, and, unless P
// is 1, an exact probability under P (SPEC R2.14, R2.15).
type DropRule struct {
	Base     int
	Ratio, P float64
}

// Alarm decides for the counts of one user: active days among the days before
// and among the recent ones.
func (d DropRule) Alarm(base, baseDays, recent, recentDays int) bool {
	if base < d.Base || base == 0 {
		return false
	}
	if ratio := float64(recent*baseDays) / float64(base*recentDays); !(ratio < d.Ratio) {
		return false
	}
	return d.P >= 1 || HypergeomTail(recent, recentDays, base+recent, baseDays+recentDays) < d.P
}

// Chance is the probability of an alarm for a user whose habits have not
// changed: whose marked active days, before and recent together, lie at random
// among all the days, given that enough of them lie before to be judged. Added
// up over all who are judged it is the number of alarms that chance alone gives.
// 0 where nobody could be judged.
//
// The size of a conditional exact test, as in Fisher (1935); see HypergeomTail.
func (d DropRule) Chance(marked, baseDays, recentDays int) float64 {
	judged, alarm, before := 0.0, 0.0, 0.0
	for x := max(0, marked-baseDays); x <= min(recentDays, marked); x++ {
		at := HypergeomTail(x, recentDays, marked, baseDays+recentDays)
		p := at - before
		before = at
		if marked-x < d.Base {
			break // fewer and fewer before
		}
		judged += p
		if d.Alarm(marked-x, baseDays, x, recentDays) {
			alarm += p
		}
	}
	if judged <= 0 {
		return 0
	}
	return alarm / judged
}
