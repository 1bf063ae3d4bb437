package stage

import (
	"math"
	"math/rand/v2"
	"slices"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stat"
)

// Bounds of the suggested gap (SPEC 2).
const (
	// GapFloor is the least gap suggested: 30 days.
	GapFloor = 30
	// GapShare of the returns seen within the horizon come before the gap is over.
	GapShare = 0.90
	// MaxHorizon is the longest time over which gaps are compared.
	MaxHorizon = 365
)

// A Suggester gathers from the data what a stage model's parameters are
// suggested from. It is an accumulator: one for each split, merged. Its memory
// does not grow with the users.
type Suggester struct {
	schema *measure.Schema
	asOf   model.Day

	first     model.Day // of any event
	users     int64     // with an active day
	regular   int64     // with at least 3 active days
	halves    []int64   // regular users by twice their own median gap
	closed    []int64   // gaps between active days, by length
	open      []int64   // last gaps, cut off by the as-of day
	groups    gapGroups
	days      []model.Day
	intervals []int
}

// NewSuggester starts an empty count of what happened up to the as-of day.
func NewSuggester(schema *measure.Schema, asOf model.Day) *Suggester {
	return &Suggester{schema: schema, asOf: asOf, first: model.NoDay}
}

// Filter is what a scan must read for Add.
func (s *Suggester) Filter() model.Filter {
	return model.Filter{Until: s.schema.Cal.Cut(s.asOf), Amounts: s.schema.Roles.NeedsAmount()}
}

// Add counts one user.
func (s *Suggester) Add(tl *model.Timeline) {
	days := s.days[:0]
	for i := range tl.Time {
		d := s.schema.Cal.EventDay(tl, i)
		if d > s.asOf {
			continue
		}
		if s.first == model.NoDay || d < s.first {
			s.first = d
		}
		amount := model.NoMoney
		if tl.Amount != nil {
			amount = tl.Amount[i]
		}
		if s.schema.Roles.Of(tl.Name[i], amount).Active() {
			days = append(days, d)
		}
	}
	if !slices.IsSorted(days) {
		slices.Sort(days) // dates alone among times of day
	}
	days = slices.Compact(days)
	s.days = days
	if len(days) == 0 {
		return
	}
	s.users++
	g := s.groups.of(tl.ID)
	gaps := s.intervals[:0]
	for i := 1; i < len(days); i++ {
		gap := int(days[i] - days[i-1])
		gaps = append(gaps, gap)
		bump(&s.closed, gap)
		g.closed[min(gap, MaxHorizon+1)]++
	}
	last := int(s.asOf - days[len(days)-1])
	bump(&s.open, last)
	g.open[min(last, MaxHorizon+1)]++
	if len(days) >= 3 {
		s.regular++
		slices.Sort(gaps)
		n := len(gaps)
		bump(&s.halves, gaps[(n-1)/2]+gaps[n/2])
	}
	s.intervals = gaps
}

func bump(counts *[]int64, i int) {
	for len(*counts) <= i {
		*counts = append(*counts, 0)
	}
	(*counts)[i]++
}

// Merge takes the users of another Suggester over the same schema and day.
func (s *Suggester) Merge(o *Suggester) {
	if o.first != model.NoDay && (s.first == model.NoDay || o.first < s.first) {
		s.first = o.first
	}
	s.users += o.users
	s.regular += o.regular
	merge(&s.halves, o.halves)
	merge(&s.closed, o.closed)
	merge(&s.open, o.open)
	s.groups.merge(&o.groups)
}

func merge(to *[]int64, from []int64) {
	for len(*to) < len(from) {
		*to = append(*to, 0)
	}
	for i, n := range from {
		(*to)[i] += n
	}
}

// A Suggestion is what the data say about a model's parameters.
type Suggestion struct {
	First, AsOf model.Day // the range it was made from

	// Usage is the usage interval in days: the median over users with at least
	// three active days of their own median gap. Where nobody has three, it is
	// the median gap of all, else GapFloor, and Assumed says so.
	Usage   float64
	Assumed bool
	Users   int64 // with an active day
	Regular int64 // with at least three: those behind Usage
	// UsageBand is the 95 % interval of Usage by order statistics: users are
	// independent; ok in UsageBanded.
	UsageBand   stat.Interval
	UsageBanded bool

	// Gap is the suggested G in days: the smallest with F(G) ≥ GapShare·F(Horizon),
	// F the Kaplan–Meier distribution of gaps between active days, open last gaps
	// censored; at least GapFloor, at most Horizon where that is longer.
	Gap     int
	RawGap  int // before floor and ceiling; 0 if nobody came back within the horizon
	Horizon int // days: half the observed range, at most MaxHorizon
	Gaps    int64
	Open    int64
	// Band is the 95 % interval of the gap by resampling users; ok in Banded.
	Band   stat.Interval
	Banded bool
	// Lost counts silences of at least Gap days, Returned those that ended.
	Lost, Returned int64
}

// LeftOut is the share of users that the usage interval does not speak for.
func (s *Suggestion) LeftOut() float64 {
	if s.Users == 0 {
		return 0
	}
	return 1 - float64(s.Regular)/float64(s.Users)
}

// bootstrapRounds is the number of resamplings behind the gap's band.
const bootstrapRounds = 400

// Suggest is the result so far. The band's generator has a fixed seed: equal
// data give an equal suggestion.
func (s *Suggester) Suggest() *Suggestion {
	out := &Suggestion{First: s.first, AsOf: s.asOf, Users: s.users, Regular: s.regular}
	if s.first != model.NoDay {
		out.Horizon = min(MaxHorizon, int(s.asOf-s.first)/2)
	}
	switch {
	case s.regular > 0:
		out.Usage = medianOf(s.halves) / 2
		out.UsageBand, out.UsageBanded = bandOf(s.halves)
	case total(s.closed) > 0:
		out.Usage, out.Assumed = medianOf(s.closed), true
	default:
		out.Usage, out.Assumed = GapFloor, true
	}
	out.Usage = math.Max(out.Usage, 1)
	out.Gaps, out.Open = total(s.closed), total(s.open)
	sum := s.groups.sum()
	out.RawGap, _ = sum.gap(out.Horizon)
	out.Gap = clampGap(out.RawGap, out.Horizon)
	rng := rand.New(rand.NewPCG(1, 2))
	resample := s.groups.resampler()
	band, ok := stat.Bootstrap(userGroups, bootstrapRounds, stat.Level, rng, func(weights []int32) (float64, bool) {
		raw, ok := resample(weights).gap(out.Horizon)
		return float64(clampGap(raw, out.Horizon)), ok
	})
	out.Band, out.Banded = band, ok && s.users > 1
	for d := out.Gap; d < max(len(s.closed), len(s.open)); d++ {
		// A gap of exactly Gap days ends on the day silence falls due: not lost.
		if d < len(s.closed) && d > out.Gap {
			out.Lost += s.closed[d]
			out.Returned += s.closed[d]
		}
		if d < len(s.open) {
			out.Lost += s.open[d]
		}
	}
	return out
}

func clampGap(raw, horizon int) int {
	if raw == 0 {
		raw = horizon
	}
	return max(GapFloor, min(raw, horizon))
}

// gap is the smallest day by which GapShare of the returns within the horizon
// have come. ok is false if there are none.
//
// The product-limit estimate is written out here, without stat's intervals: the
// bootstrap runs it 400 times.
func (g *group) gap(horizon int) (days int, ok bool) {
	var atRisk int64
	for i := range g.closed {
		atRisk += g.closed[i] + g.open[i]
	}
	var f [MaxHorizon + 1]float64
	s := 1.0
	for i := 0; i <= horizon; i++ {
		if atRisk > 0 {
			s *= 1 - float64(g.closed[i])/float64(atRisk)
		}
		f[i] = 1 - s
		atRisk -= g.closed[i] + g.open[i]
	}
	for i := 1; i <= horizon; i++ {
		if f[horizon] > 0 && f[i] >= GapShare*f[horizon] {
			return i, true
		}
	}
	return 0, false
}

func total(counts []int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// medianOf is the median of whole numbers given by their counts.
func medianOf(counts []int64) float64 {
	n := total(counts)
	nth := func(k int64) int {
		for i, c := range counts {
			if k -= c; k < 0 {
				return i
			}
		}
		return 0
	}
	return float64(nth((n-1)/2)+nth(n/2)) / 2
}

// bandOf is the distribution-free 95 % interval of the median of halves given by
// their counts (stat.MedianInterval, with its ranks by the normal approximation:
// the counts may be millions).
func bandOf(counts []int64) (iv stat.Interval, ok bool) {
	n := float64(total(counts))
	l := math.Floor((n - 1.96*math.Sqrt(n)) / 2)
	if l < 1 {
		return stat.Interval{}, false
	}
	nth := func(k float64) float64 {
		for i, c := range counts {
			if k -= float64(c); k < 0 {
				return float64(i) / 2
			}
		}
		return 0
	}
	return stat.Interval{Lo: nth(l - 1), Hi: nth(n - l)}, true
}
