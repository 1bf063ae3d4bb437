package query

import "dwell/model"

// The warnings of analyses of users by age, said by retention and revenue alike.

// warnPooled says who is left out of the row over all for being left truncated,
// and whether everybody stays because nobody else would: then all is true.
func (b *Builder) warnPooled(before model.Day, cut, kept int64) (all bool) {
	if before == model.NoDay || cut == 0 {
		return true
	}
	days := int(before - b.Run.FirstDay)
	if kept == 0 {
		b.Warn("truncated", "all %s were first seen within %d days of the data's first day, so none can be left out as possibly older: these may not be their true starts", countOf(cut, "user"), days)
		return true
	}
	b.Warn("truncated", "%s first seen within %d days of the data's first day (before %s) may have started earlier: they are in their cohorts' rows, marked ≤, but not in the row over all (truncated=keep takes them in)", countOf(cut, "user"), days, before)
	return false
}

// warnNoEligibility says what the reference form eligible=all does to late columns.
func (b *Builder) warnNoEligibility() {
	b.Warn("eligible-all", "no eligibility rule (eligible=all): intervals that have not closed count as they stand, and the last ones read too low")
}
