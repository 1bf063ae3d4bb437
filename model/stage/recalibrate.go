package stage

import (
	"math/rand/v2"
	"slices"

	"github.com/go-faster/city"

	"dwell/model"
	"dwell/model/stat"
)

// A Recalibrator gathers what may speak for changing a model's numbers (SPEC
// R2.17–R2.19): whether users come back sooner or later than before, whether
// what mature users bring still grows, and whether everybody's activity has
// jumped. It is an accumulator: one for each split, merged; its memory does not
// grow with the users. It only tells; nothing is changed by it.
type Recalibrator struct {
	// Follow is for how many days each gap is followed, and how long each of the
	// two windows is in which gaps start: [Early, Late) and [Late, End).
	Follow           int
	Early, Late, End model.Day
	// Months are 30-day periods that end on the as-of day, Weeks periods of 7
	// days: MonthFrom and WeekFrom are their first days.
	MonthFrom, WeekFrom []model.Day

	asOf   model.Day
	groups []calGroup
}

// A calGroup is what some users have done; the bootstrap resamples groups of
// whole users, as for the suggested gap.
type calGroup struct {
	closed [2][MaxHorizon + 1]int32 // gaps by length, by window
	open   [2]int32                 // gaps that did not end in time
	first  [2]int32                 // gaps that start on a user's first day
	payers []int32                  // mature users active in the month
	money  []model.Sum              // what they brought
	there  []int32                  // users present before the week
	days   []int32                  // their active days in it
}

const (
	calMonth   = 30
	calMonths  = 12
	calWeeks   = 104
	calPresent = 28 // days before a week in which an active day makes a user present
)

// NewRecalibrator starts an empty count over the data's first day to the as-of
// day.
func NewRecalibrator(first, asOf model.Day) *Recalibrator {
	c := &Recalibrator{asOf: asOf, groups: make([]calGroup, userGroups)}
	n := int(asOf-first) + 1
	c.Follow = min(MaxHorizon, n/3)
	c.End = asOf - model.Day(c.Follow) + 1
	c.Late, c.Early = c.End-model.Day(c.Follow), c.End-2*model.Day(c.Follow)
	for k := min(calMonths, n/calMonth); k > 0; k-- {
		c.MonthFrom = append(c.MonthFrom, asOf-model.Day(calMonth*k)+1)
	}
	for k := min(calWeeks, max(0, n-2*calPresent)/7); k > 0; k-- {
		c.WeekFrom = append(c.WeekFrom, asOf-model.Day(7*k)+1)
	}
	for i := range c.groups {
		g := &c.groups[i]
		g.payers, g.money = make([]int32, len(c.MonthFrom)), make([]model.Sum, len(c.MonthFrom))
		g.there, g.days = make([]int32, len(c.WeekFrom)), make([]int32, len(c.WeekFrom))
	}
	return c
}

func (c *Recalibrator) group(id string) *calGroup {
	return &c.groups[city.CH64([]byte(id))>>56%userGroups]
}

// Cycle counts the gaps between a user's days, ascending and each once. It says
// whether any gap started in the early and in the late window.
func (c *Recalibrator) Cycle(id string, days []model.Day) (early, late bool) {
	g := c.group(id)
	for i, d := range days {
		if d < c.Early || d >= c.End || c.Follow == 0 {
			continue
		}
		w := 0
		if d >= c.Late {
			w, late = 1, true
		} else {
			early = true
		}
		if i == 0 {
			g.first[w]++
		}
		if i+1 < len(days) && int(days[i+1]-d) <= c.Follow {
			g.closed[w][days[i+1]-d]++
		} else {
			g.open[w]++
		}
	}
	return early, late
}

// Month counts what a user who was mature when month k began, and active in it,
// brought.
func (c *Recalibrator) Month(id string, k int, brought model.Sum) {
	g := c.group(id)
	g.payers[k]++
	g.money[k].Merge(brought)
}

// Activity counts a user's active days, ascending and each once, in the weeks in
// which the user was present: active in the 28 days before, and known for longer.
// Newcomers are left out, for a product's first months would else look like a
// change in everybody. It says whether there was any such week.
func (c *Recalibrator) Activity(id string, days []model.Day) (present bool) {
	g := c.group(id)
	at := func(d model.Day) int { i, _ := slices.BinarySearch(days, d); return i }
	for k, from := range c.WeekFrom {
		now := at(from)
		if before := at(from - calPresent); now == before || before == 0 {
			continue
		}
		present = true
		g.there[k]++
		g.days[k] += int32(at(from+7) - now)
	}
	return present
}

// Merge takes the users of another count over the same days.
func (c *Recalibrator) Merge(o *Recalibrator) {
	for i := range c.groups {
		c.groups[i].add(&o.groups[i], 1)
	}
}

func (g *calGroup) add(o *calGroup, times int32) {
	for w := range g.closed {
		for i, n := range o.closed[w] {
			g.closed[w][i] += times * n
		}
		g.open[w] += times * o.open[w]
		g.first[w] += times * o.first[w]
	}
	for i := range o.payers {
		g.payers[i] += times * o.payers[i]
		for range times {
			g.money[i].Merge(o.money[i])
		}
	}
	for i := range o.there {
		g.there[i] += times * o.there[i]
		g.days[i] += times * o.days[i]
	}
}

// A CycleShift compares the median gap of the two windows.
type CycleShift struct {
	Gaps     [2]int64   // started in each window
	First    [2]int64   // of them, on a user's first day: who is there may have changed
	Median   [2]float64 // Kaplan–Meier, every gap followed for Follow days
	Reached  [2]bool    // else more than half of the gaps outlast Follow
	Change   stat.Interval
	Known    bool // both medians are reached, and the change has an interval
	Distinct bool // the interval of the change excludes 0
}

// minGaps is how many gaps a window needs before its median is compared.
const minGaps = 20

// CycleShift is the result for the repurchase cycle (SPEC R2.17). The interval
// resamples users, with a fixed seed.
func (c *Recalibrator) CycleShift() CycleShift {
	var out CycleShift
	all := c.total(func(to, g *calGroup, times int32) { to.addGaps(g, times) })
	for w := range 2 {
		out.Gaps[w], out.First[w] = all.gaps(w), int64(all.first[w])
		out.Median[w], out.Reached[w] = all.median(w)
	}
	if !out.Reached[0] || !out.Reached[1] || out.Gaps[0] < minGaps || out.Gaps[1] < minGaps {
		return out
	}
	out.Change, out.Known = c.resample(func(to, g *calGroup, times int32) { to.addGaps(g, times) }, func(g *calGroup) (float64, bool) {
		a, okA := g.median(0)
		b, okB := g.median(1)
		return b - a, okA && okB
	})
	out.Distinct = out.Known && (out.Change.Lo > 0 || out.Change.Hi < 0)
	return out
}

func (g *calGroup) addGaps(o *calGroup, times int32) {
	for w := range g.closed {
		for i, n := range o.closed[w] {
			if n != 0 {
				g.closed[w][i] += times * n
			}
		}
		g.open[w] += times * o.open[w]
		g.first[w] += times * o.first[w]
	}
}

func (g *calGroup) gaps(w int) (n int64) {
	for _, k := range g.closed[w] {
		n += int64(k)
	}
	return n + int64(g.open[w])
}

// median is the Kaplan–Meier median of a window's gaps. All are followed equally
// long, so the estimate is the share that has not ended yet.
func (g *calGroup) median(w int) (days float64, ok bool) {
	n, ended := g.gaps(w), int64(0)
	for i, k := range g.closed[w] {
		if ended += int64(k); n > 0 && 2*ended >= n {
			return float64(i), true
		}
	}
	return 0, false
}

// total is the sum of all groups of the part that add takes.
func (c *Recalibrator) total(add func(to, g *calGroup, times int32)) *calGroup {
	g := c.blank()
	for i := range c.groups {
		add(g, &c.groups[i], 1)
	}
	return g
}

func (c *Recalibrator) blank() *calGroup {
	return &calGroup{payers: make([]int32, len(c.MonthFrom)), money: make([]model.Sum, len(c.MonthFrom)),
		there: make([]int32, len(c.WeekFrom)), days: make([]int32, len(c.WeekFrom))}
}

// resample is the interval of a statistic by resampling groups of whole users.
func (c *Recalibrator) resample(add func(to, g *calGroup, times int32), f func(*calGroup) (float64, bool)) (stat.Interval, bool) {
	rng := rand.New(rand.NewPCG(5, 6))
	return stat.Bootstrap(len(c.groups), bootstrapRounds, stat.Level, rng, func(weights []int32) (float64, bool) {
		g := c.blank()
		for i, w := range weights {
			if w > 0 {
				add(g, &c.groups[i], w)
			}
		}
		return f(g)
	})
}

// An ArpuTrend is what mature users brought, month by month.
type ArpuTrend struct {
	Users   []int64   // mature when the month began and active in it
	Arpu    []float64 // what each of them brought, on average; 0 without users
	Slope   float64   // change a month, as a share of the mean
	Band    stat.Interval
	Known   bool // there are months and users enough, and an interval
	Growing bool // the interval lies above 0
}

// Bounds below which no trend is told.
const (
	minMonths = 4
	minMature = 10
)

// ArpuTrend is the result for value in maturity (SPEC R2.18): the least-squares
// slope of ARPU over the months, as a share of its mean, by resampling users.
func (c *Recalibrator) ArpuTrend() ArpuTrend {
	add := func(to, g *calGroup, times int32) {
		for i := range g.payers {
			to.payers[i] += times * g.payers[i]
			for range times {
				to.money[i].Merge(g.money[i])
			}
		}
	}
	all := c.total(add)
	out := ArpuTrend{}
	enough := len(all.payers) >= minMonths
	for i, n := range all.payers {
		x := 0.0
		if n > 0 {
			x = all.money[i].Float() / float64(n)
		}
		out.Users, out.Arpu = append(out.Users, int64(n)), append(out.Arpu, x)
		enough = enough && n >= minMature
	}
	if !enough {
		return out
	}
	var ok bool
	if out.Slope, ok = all.slope(); !ok {
		return out
	}
	out.Band, out.Known = c.resample(add, (*calGroup).slope)
	out.Growing = out.Known && out.Band.Lo > 0
	return out
}

// slope is the relative least-squares slope of ARPU a month.
func (g *calGroup) slope() (float64, bool) {
	n := float64(len(g.payers))
	var sum, sxy, sxx float64
	for i, k := range g.payers {
		if k == 0 {
			return 0, false
		}
		y := g.money[i].Float() / float64(k)
		x := float64(i) - (n-1)/2
		sum, sxy, sxx = sum+y, sxy+x*y, sxx+x*x
	}
	if sum <= 0 || sxx == 0 {
		return 0, false
	}
	return sxy / sxx / (sum / n), true
}
