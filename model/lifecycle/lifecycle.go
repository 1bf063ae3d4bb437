// Package lifecycle says what each user was in each period: new, returning,
// resurrected, dormant or pending, and in which trailing windows they were active.
//
// Everything is read off one user's active days (ascending, each once; SPEC 2,
// Activity), so a count and its users come from the same steps. The classes of a
// period are disjoint and obey, for each closed period i (SPEC V12),
//
//	A(i) = A(i−1) + new + carried + first-use + resurrected − dormant
//
// which Check asserts on every result: a count that breaks it is never shown.
//
// Example:
//
//	steps := lifecycle.Steps(nil, periods, known, false, last)
//	for _, s := range steps {
//		counts[s.Period-first].Add(s.Class)
//	}
//	err := lifecycle.Check(counts)
package lifecycle

import (
	"errors"
	"fmt"

	"dwell/model"
)

// A Class is what a user was in a period.
type Class uint8

const (
	// New: the first activity ever, of a user not known before.
	New Class = iota
	// Carried: the first activity of a left truncated user, who may have been
	// there before the data began: no inflow.
	Carried
	// FirstUse: the first activity of a user who was known before without it.
	FirstUse
	// Returning: active here and in the period before.
	Returning
	// Resurrected: active here, not in the period before, but in an earlier one.
	Resurrected
	// Dormant: active in the period before, not here. While the period is open
	// such users are pending: they may still come.
	Dormant

	// Classes is how many there are.
	Classes = int(Dormant) + 1
)

var classWords = [Classes]string{"new", "carried", "first-use", "returning", "resurrected", "dormant"}

// String is the class's word in keys.
func (c Class) String() string { return classWords[c] }

// Active says whether users of the class were active in the period.
func (c Class) Active() bool { return c != Dormant }

// Moves says whether users of the class count in the growth ratio of the period:
// those who came (but the carried, who may have been there) and those who left.
func (c Class) Moves() bool { return c != Returning && c != Carried }

// A Step is a user's class in one period. Periods in which the user neither was
// active nor had been in the one before have no step.
type Step struct {
	Period model.Period
	Class  Class
}

// Steps appends the steps of one user to dst, in period order.
//
// active are the periods with activity, ascending, each once. known is the
// period in which the user counts as having come: the first of active if "new"
// goes by the chosen activity, the period of the first event of any kind if it
// goes by that. carried says that the user is left truncated. A dormant step is
// given up to period last, the one that holds the as-of day.
func Steps(dst []Step, active []model.Period, known model.Period, carried bool, last model.Period) []Step {
	for i, p := range active {
		class := Returning
		switch {
		case i == 0 && carried:
			class = Carried
		case i == 0 && known < p:
			class = FirstUse
		case i == 0:
			class = New
		case active[i-1]+1 < p:
			class = Resurrected
		}
		dst = append(dst, Step{p, class})
		if p < last && (i+1 == len(active) || active[i+1] > p+1) {
			dst = append(dst, Step{p + 1, Dormant})
		}
	}
	return dst
}

// A Count is how many users were what in one period.
type Count struct {
	By [Classes]int64
}

// Add counts one user.
func (c *Count) Add(k Class) { c.By[k]++ }

// Merge adds another count of the same period.
func (c *Count) Merge(o Count) {
	for k := range c.By {
		c.By[k] += o.By[k]
	}
}

// Active is the number of users active in the period.
func (c *Count) Active() (n int64) {
	for k, v := range c.By {
		if Class(k).Active() {
			n += v
		}
	}
	return n
}

// Inflow is who came in: all active users but the returning.
func (c *Count) Inflow() int64 { return c.Active() - c.By[Returning] }

// Growth is (new + first-use + resurrected) / dormant: over 1 more users came than
// went. ok is false if nobody went. It means nothing while the period is open.
func (c *Count) Growth() (ratio float64, ok bool) {
	if c.By[Dormant] == 0 {
		return 0, false
	}
	return float64(c.By[New]+c.By[FirstUse]+c.By[Resurrected]) / float64(c.By[Dormant]), true
}

// ErrIdentity says that the classes of a period do not add up: a fault of the
// program that must not reach a screen as a number.
var ErrIdentity = errors.New("the lifecycle classes do not add up")

// Check asserts the identity over consecutive periods, the first with nobody
// before it. Every user active in the period before is either returning or
// dormant (in the open last period: pending), so it holds there too.
func Check(counts []Count) error {
	var before int64
	for i := range counts {
		c := &counts[i]
		a := c.Active()
		if want := before + c.Inflow() - c.By[Dormant]; a != want {
			return fmt.Errorf("%w: period %d has %d active users, but %d + %d came − %d dormant = %d", ErrIdentity, i, a, before, c.Inflow(), c.By[Dormant], want)
		}
		if c.By[Returning]+c.By[Dormant] != before {
			return fmt.Errorf("%w: period %d has %d returning and %d dormant of %d active before", ErrIdentity, i, c.By[Returning], c.By[Dormant], before)
		}
		before = a
	}
	return nil
}

// Periods appends the periods of ascending days to dst, each once.
func Periods(dst []model.Period, cal *model.Calendar, unit model.PeriodUnit, days []model.Day) []model.Period {
	until := model.NoDay
	for _, d := range days {
		if d < until {
			continue
		}
		p := cal.Period(unit, d)
		_, until = cal.Bounds(unit, p)
		dst = append(dst, p)
	}
	return dst
}
