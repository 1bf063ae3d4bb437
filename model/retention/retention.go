// Package retention says of each user whether, and when, they came back.
//
// A Definition names the start, the return and the intervals; a Reader turns
// one timeline into Lives: one a start, each with one Cell a column. Nothing is
// added up here: a figure and the users behind it come from the same cells. A
// Tally is a cell of all users once somebody has.
//
// Invariants:
//   - A cell is Closed only once its interval has ended for this very user
//     (SPEC 2, eligible denominator). Users whose interval is still running, or
//     has not begun, are in neither side of a rate: those among them who have
//     already returned would push it up.
//   - The start event is never its own return; interval 0 is 100 % by definition,
//     unless Definition.ZeroBack asks for a return in it as well.
//   - Nothing after the as-of day is looked at, whatever the timeline holds.
//   - Calendar intervals are counted in the user's own local periods (a day may
//     have 23 or 25 hours), rolling ones are multiples of exactly 24 hours. Custom
//     intervals are so many days from the user's own start day.
//
// Example:
//
//	r, err := retention.New(retention.Definition{Cal: cal, Unit: model.Weekly,
//		Cohort: model.Weekly, Intervals: 8, AsOf: day, Start: any, Return: active})
//	for _, life := range r.Read(tl, nil) {
//		if life.Cells[4] == retention.Back { … } // came back in week 4, which is over
//	}
package retention

import (
	"errors"
	"fmt"

	"dwell/model"
)

// A Mode says what counts as having come back in a column.
type Mode uint8

const (
	// On: a return in interval k (day-N, bounded).
	On Mode = iota
	// OnOrAfter: a return in interval k or any later one. It never rises with k
	// for one cohort, but follow-up is unequal: older users had longer to come
	// back. Definition.Within gives all the same.
	OnOrAfter
	// Bracket: a return in any interval of a span.
	Bracket
	// Streak: a return in every interval from 1 to k.
	Streak
)

var modeWords = [...]string{"on", "on-or-after", "bracket", "streak"}

// String is the mode's word in addresses.
func (m Mode) String() string { return modeWords[m] }

// Modes are the words of all modes, in the order of the constants.
func Modes() []string { return append([]string(nil), modeWords[:]...) }

// ParseMode reads a mode's word.
func ParseMode(s string) (Mode, error) {
	for i, w := range modeWords {
		if s == w {
			return Mode(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not a way to count returns: use on, on-or-after, bracket or streak", s)
}

// A Span is the intervals From … To, both included.
type Span struct{ From, To int }

// String writes the span as in addresses: 4-7.
func (s Span) String() string { return fmt.Sprintf("%d-%d", s.From, s.To) }

// A Match says whether event i of a timeline is one that is looked for.
type Match func(tl *model.Timeline, i int) bool

// A Definition is one question about retention.
type Definition struct {
	Cal    *model.Calendar
	Unit   model.PeriodUnit // of the intervals
	Every  int              // length of an interval of unit Custom, in days
	Cohort model.PeriodUnit // of the rows: the period of the user's start day
	// Rolling counts intervals from the start's own instant in units of exactly
	// 24 hours (a week: 168, a month: 30 × 24, as Amplitude and Mixpanel count). A
	// date alone stands at its local midnight.
	Rolling bool
	// Hour (Rolling only) rounds start and returns down to the local hour first,
	// as Amplitude does for days: 17:59 and 17:00 on the next day are a day apart.
	Hour      bool
	Mode      Mode
	Intervals int    // columns are 0 … Intervals
	Spans     []Span // the columns of Bracket, instead
	// Within (OnOrAfter only, days; 0: off) counts a return only up to that many
	// days after the start, and only for users followed that long: the same
	// follow-up for all.
	Within int
	// All is the reference form without an eligibility rule: every user of a
	// cohort counts in each column the cohort has begun.
	All  bool
	AsOf model.Day // T is the end of this local day

	Start, Return Match
	// Ever (first-ever starts): only the first event of this kind in the whole
	// history can start a user, and does if it meets Start as well. Nil: the first
	// event that meets Start.
	Ever Match
	// Each makes a life of every period with a start (recurring starts), each from
	// the period's first; else a user has one life.
	Each bool
	// Least is how many return events it takes to have come back; 0 is 1.
	Least int
	// ZeroBack asks for a return in interval 0 too, after the start and within it.
	ZeroBack bool
	// SeenBefore marks users first seen (any event) before this day as left
	// truncated: they may have started before the data did. NoDay: none.
	SeenBefore model.Day
}

// ErrDefinition wraps what is wrong with a Definition.
var ErrDefinition = errors.New("this retention cannot be computed")

func (d *Definition) validate() error {
	bad := func(f string, a ...any) error {
		return fmt.Errorf("%w: %s", ErrDefinition, fmt.Sprintf(f, a...))
	}
	switch {
	case d.Cal == nil || d.Start == nil || d.Return == nil:
		return bad("calendar, start and return must be given")
	case d.Mode != Bracket && d.Intervals < 0:
		return bad("%d intervals: give 0 or more", d.Intervals)
	case d.Mode == Bracket && len(d.Spans) == 0:
		return bad("mode bracket needs spans, as 1-3,4-7")
	case d.Mode != Bracket && len(d.Spans) > 0:
		return bad("spans belong to mode bracket, not to %s", d.Mode)
	case d.Within < 0:
		return bad("within %d days: give a positive number", d.Within)
	case d.Within > 0 && d.Mode != OnOrAfter:
		return bad("equal follow-up (within) belongs to mode on-or-after: the other modes have it already")
	case d.Within > 0 && d.All:
		return bad("equal follow-up (within) is an eligibility rule and eligible=all is none: choose one")
	case d.Rolling && d.Unit == model.Quarterly:
		return bad("a %s has no fixed number of hours: 24-hour windows go with day, week, month (30 days) and custom", d.Unit)
	case d.Hour && !d.Rolling:
		return bad("rounding to the hour belongs to 24-hour windows: calendar days have no such edge")
	case d.Unit == model.Custom && d.Every < 1:
		return bad("intervals of %d days: custom intervals need a length of 1 day or more", d.Every)
	case d.Unit != model.Custom && d.Every != 0:
		return bad("a length in days belongs to custom intervals, not to a %s", d.Unit)
	case d.Least < 0:
		return bad("at least %d returns: give 1 or more", d.Least)
	case d.Each && d.Ever != nil:
		return bad("a start is either first ever or recurring")
	}
	for _, s := range d.Spans {
		if s.From < 0 || s.To < s.From {
			return bad("span %s: write the smaller interval first, from 0", s)
		}
	}
	return nil
}

// days is the length of an interval where it is fixed, and its shortest length
// otherwise.
func (d *Definition) days() int {
	switch d.Unit {
	case model.Weekly:
		return 7
	case model.Monthly:
		if d.Rolling {
			return 30
		}
		return 28
	case model.Quarterly:
		return 90
	case model.Custom:
		return d.Every
	}
	return 1
}

// soonest is the least number of days between a start and interval k.
func (d *Definition) soonest(k int) int {
	if d.Rolling || d.Unit == model.Custom {
		return k * d.days()
	}
	return (k-1)*d.days() + 1
}
