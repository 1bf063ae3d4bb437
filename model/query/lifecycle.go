package query

import (
	"fmt"

	"dwell/model"
	"dwell/model/lifecycle"
)

// lifecycleAnalysis asks how many users are active, and what they were before:
// new, returning, resurrected, dormant, pending.
func lifecycleAnalysis() analysis {
	return analysis{
		Spec: Spec{
			Name: "lifecycle", Title: "Active users", Help: "active users per day, 7 and 28 days, and per period who is new, returning, resurrected, dormant or pending", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "unit", Type: Word, Values: units(), Default: "week", Help: "length of a lifecycle period"},
				{Name: "new", Type: Word, Values: []string{"activity", "any"}, Default: "activity", Help: "new is who first did the activity, or who was first seen with any event (then there is first-use beside it)"},
				{Name: "pending", Type: Word, Values: []string{"pending", "dormant"}, Default: "pending", Help: "users missing so far in the open last period: pending, or dormant at once (reference form)"},
				{Name: "dau_mau", Type: Word, Values: []string{"last28", "mean_ratio"}, Default: "last28", Help: "mean DAU over distinct users of the last 28 days, or the mean of DAU/MAU over all days (reference form)"},
			}, activityKeys(), groupKeys(), truncatedKeys(), zoneKeys()),
		},
		plan: func(r *Run) (*Plan, error) { return newLifecycle(r) },
	}
}

// A lifecyclePlan holds what kernel and layout share.
//
// Slots: DAU, WAU7 and MAU28 of each day, everybody active at all, the users
// active on at least and on exactly 1 … 7 of the last 7 days, then for each
// period its active users, its classes and who came or went.
type lifecyclePlan struct {
	r          *Run
	activity   pick
	unit       model.PeriodUnit
	days       int
	first      model.Period
	periods    int
	open       bool // the last period has not ended
	seenBefore model.Day
}

// windows are the widths of the trailing windows: DAU, WAU7, MAU28.
var windows = [...]struct {
	width     int
	key, name string
}{{1, "dau", "daily active users"}, {7, "wau7", "active in the last 7 days"}, {28, "mau28", "active in the last 28 days"}}

// stickyDays is the width of the window whose active days are counted.
const stickyDays = 7

func (p *lifecyclePlan) day(window, i int) int { return window*p.days + i }
func (p *lifecyclePlan) ever() int             { return len(windows) * p.days }
func (p *lifecyclePlan) atLeast(n int) int     { return p.ever() + n }
func (p *lifecyclePlan) exactly(n int) int     { return p.ever() + stickyDays + n }
func (p *lifecyclePlan) active(period int) int {
	return p.ever() + 2*stickyDays + 1 + period*(lifecycle.Classes+2)
}

// moved holds who came into a period or did not come back to it: the users of its
// growth ratio.
func (p *lifecyclePlan) moved(period int) int { return p.active(period) + lifecycle.Classes + 1 }
func (p *lifecyclePlan) class(period int, c lifecycle.Class) int {
	return p.active(period) + 1 + int(c)
}

// maxDays bounds the days of a chart: a century and a half, more than any event
// that is let in can span.
const maxDays = 60_000

func newLifecycle(r *Run) (*Plan, error) {
	unit, err := model.ParseUnit(r.Str("unit"))
	if err != nil {
		return nil, err
	}
	p := &lifecyclePlan{r: r, activity: r.activity(), unit: unit, days: int(r.AsOf-r.FirstDay) + 1, first: r.Cal.Period(unit, r.FirstDay), seenBefore: r.leftBefore()}
	if p.days > maxDays {
		return nil, fmt.Errorf("the days from %s to %s are too many for a figure each: ask as of an earlier day", r.FirstDay, r.AsOf)
	}
	last := r.Cal.Period(unit, r.AsOf)
	p.periods = int(last-p.first) + 1
	_, to := r.Cal.Bounds(unit, last)
	p.open = to-1 > r.AsOf
	return &Plan{Slots: p.active(p.periods), JudgeAtT: true, Kernel: p.kernel, Layout: p.layout, Explain: p.explain, Work: p.work}, nil
}

// activeDays appends the user's active days, ascending, each once.
func (p *lifecyclePlan) activeDays(dst []model.Day, u *Person) []model.Day {
	for i, d := range u.Days {
		if (len(dst) == 0 || dst[len(dst)-1] != d) && p.activity.match(u.TL, i) {
			dst = append(dst, d)
		}
	}
	return dst
}

// steps appends the user's lifecycle classes.
func (p *lifecyclePlan) steps(dst []lifecycle.Step, periods []model.Period, u *Person) []lifecycle.Step {
	if len(periods) == 0 {
		return dst
	}
	known := periods[0]
	if p.r.Str("new") == "any" {
		known = p.r.Cal.Period(p.unit, u.Days[0])
	}
	carried := p.seenBefore != model.NoDay && u.Days[0] < p.seenBefore
	return lifecycle.Steps(dst, periods, known, carried, p.first+model.Period(p.periods-1))
}

func (p *lifecyclePlan) kernel() Kernel {
	var days []model.Day
	var spans []lifecycle.Span
	var periods []model.Period
	var steps []lifecycle.Step
	r := p.r
	return Visit(func(u *Person, h *Hits) {
		days = p.activeDays(days[:0], u)
		if len(days) == 0 {
			return
		}
		h.Hit(p.ever(), Self)
		for w := range windows {
			spans = lifecycle.Covered(spans[:0], days, windows[w].width, r.FirstDay, r.AsOf)
			for _, s := range spans {
				for d := s.From; d <= s.To; d++ {
					h.Hit(p.day(w, int(d-r.FirstDay)), Self)
				}
			}
		}
		if n := lifecycle.Within(days, r.AsOf-stickyDays+1, r.AsOf); n > 0 {
			for k := 1; k <= stickyDays; k++ {
				h.Rate(p.atLeast(k), n >= k)
				h.Rate(p.exactly(k), n == k)
			}
		}
		periods = lifecycle.Periods(periods[:0], r.Cal, p.unit, days)
		steps = p.steps(steps[:0], periods, u)
		for _, s := range steps {
			i := int(s.Period - p.first)
			h.Hit(p.class(i, s.Class), Self)
			if s.Class.Active() {
				h.Hit(p.active(i), Self)
			}
			if s.Class.Moves() {
				h.Hit(p.moved(i), Self)
			}
		}
	})
}

func (p *lifecyclePlan) label(i int) string {
	return p.r.Cal.PeriodLabel(p.unit, p.first+model.Period(i))
}

// word is a class's name in a period: dormant users of the open one are pending.
func (p *lifecyclePlan) word(i int, c lifecycle.Class) string {
	if c == lifecycle.Dormant && p.open && i == p.periods-1 && p.r.Str("pending") == "pending" {
		return "pending"
	}
	return c.String()
}
