package funnel

import (
	"fmt"

	"dwell/model"
)

// A Milestone is met by the Nth occurrence within so many days of the start: at a
// day offset below Within, the start's own day being offset 0. A set of them is
// an activation (SPEC R5.1).
type Milestone struct {
	N      int
	Within int // days
}

// Preset135 is the 1-3-5 rule: first use in week 1, third in week 2, fifth in week
// 4. The source states the first two; the third pair is this program's reading
// (SPEC D3).
func Preset135() []Milestone { return []Milestone{{1, 7}, {3, 14}, {5, 28}} }

// String says the milestone in words.
func (m Milestone) String() string { return fmt.Sprintf("%d within %d d", m.N, m.Within) }

// Met says whether the occurrences reach the milestone. days are ascending and not
// before the start; those after the as-of day are the caller's to leave out.
func (m Milestone) Met(start model.Day, days []model.Day) bool {
	return m.N <= 0 || len(days) >= m.N && int(days[m.N-1]-start) < m.Within
}

// Due says whether the milestone's days have all passed by the end of the as-of
// day. Before that a user is not due, whether they have met it or not: early birds
// counted as soon as they come would push the rate up.
func (m Milestone) Due(start, asOf model.Day) bool { return start+model.Day(m.Within)-1 <= asOf }
