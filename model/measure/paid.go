package measure

import "dwell/model"

// PaidUntil reads a value of the dictionary's paid_until column: the day on which
// the paid period ends, which is no longer paid itself. It is NoDay where the
// value is no date.
func PaidUntil(v string, cal *model.Calendar) model.Day { return paidUntil(v, cal) }

// PaidFor is the day on which a period paid for on a day ends, from a value of the
// dictionary's period column (month, year, "3 months", a number of days); NoDay
// where the value is none.
func PaidFor(v string, day model.Day) model.Day {
	sp := parseSpan(v)
	if sp == (span{}) {
		return model.NoDay
	}
	return sp.after(day)
}
