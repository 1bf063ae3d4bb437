package model

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"time"
)

// A Day is a local calendar day, counted from 1970-01-01 = 0.
type Day int32

// NoDay stands for "never" or "not known"; it is before every day.
const NoDay Day = math.MinInt32

// DayOf is the day with this civil date.
func DayOf(year int, month time.Month, day int) Day {
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// ParseDay reads a day written YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a day: write it YYYY-MM-DD, as 2011-12-09", s)
	}
	return Day(math.Floor(float64(t.Unix()) / 86400)), nil
}

// Civil is the day's date.
func (d Day) Civil() (year int, month time.Month, day int) {
	return time.Unix(int64(d)*86400, 0).UTC().Date()
}

// String writes the day as YYYY-MM-DD, "" for NoDay.
func (d Day) String() string {
	if d == NoDay {
		return ""
	}
	return time.Unix(int64(d)*86400, 0).UTC().Format("2006-01-02")
}

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday { return time.Weekday(((int64(d)+4)%7 + 7) % 7) }

// A Unit of calendar time. Quarters start in January, April, July and October.
type PeriodUnit uint8

const (
	Daily PeriodUnit = iota
	Weekly
	Monthly
	Quarterly
	// Custom periods are Calendar.Every days long, counted from 1970-01-01.
	Custom
)

var unitNames = [...]string{"day", "week", "month", "quarter", "custom"}

// String is the unit's word in addresses: day, week, month, quarter.
func (u PeriodUnit) String() string { return unitNames[u] }

// ParseUnit reads a unit's word.
func ParseUnit(s string) (PeriodUnit, error) {
	for i, n := range unitNames[:4] {
		if s == n {
			return PeriodUnit(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not a unit: use day, week, month or quarter", s)
}

// A Calendar says on which local day an instant falls, and to which week, month
// or quarter a day belongs. It is immutable and safe for many goroutines.
//
// Days come from a table of the zone's offsets rather than from time.Time.In,
// which costs 128 ns an event; beyond the table's years (1970–2105) it falls
// back to it.
type Calendar struct {
	Zone      string       // IANA name
	WeekStart time.Weekday // ISO: Monday
	Every     int          // length of Custom periods, in days

	loc   *time.Location
	start []int64 // when each offset begins, ms; start[0] is the minimum
	off   []int64 // ms east of UTC from then on
	index []int32 // for each span of 2^31 ms from 0: the offset in force at its start
}

const (
	msDay     = 86_400_000
	tableSpan = 31 // log2 of the index's span in ms: 24.9 days
	tableEnd  = int64(4_260_000_000_000)
)

// NewCalendar makes the calendar of an IANA zone with weeks from Monday.
func NewCalendar(zone string) (*Calendar, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return nil, fmt.Errorf("%q is not a time zone: use an IANA name such as UTC, Europe/Vienna or America/New_York", zone)
	}
	if zone == "" {
		zone = "UTC"
	}
	c := &Calendar{Zone: zone, WeekStart: time.Monday, Every: 1, loc: loc}
	t := time.UnixMilli(0).In(loc)
	for {
		_, off := t.Zone()
		if n := len(c.off); n == 0 || c.off[n-1] != int64(off)*1000 {
			from := t.UnixMilli()
			if n == 0 {
				from = math.MinInt64
			}
			c.start = append(c.start, from)
			c.off = append(c.off, int64(off)*1000)
		}
		_, end := t.ZoneBounds()
		if end.IsZero() || end.UnixMilli() > tableEnd {
			break
		}
		if !end.After(t) {
			// On the last day of some leap years (2040) ZoneBounds answers with
			// the instant it was asked about; one day on it is right again.
			end = t.Add(24 * time.Hour)
		}
		t = end
	}
	for at, i := int64(0), 0; at <= tableEnd; at += 1 << tableSpan {
		for i+1 < len(c.start) && c.start[i+1] <= at {
			i++
		}
		c.index = append(c.index, int32(i))
	}
	return c, nil
}

// UTC is the calendar of UTC with weeks from Monday.
func UTC() *Calendar {
	c, err := NewCalendar("UTC")
	if err != nil {
		panic(err) // UTC is built into package time
	}
	return c
}

// With returns a copy with another week start and custom length.
func (c *Calendar) With(weekStart time.Weekday, every int) *Calendar {
	d := *c
	d.WeekStart, d.Every = weekStart, max(every, 1)
	return &d
}

// Offset is the zone's distance from UTC at an instant, in ms east.
func (c *Calendar) Offset(ms int64) int64 {
	if ms < 0 || ms >= tableEnd {
		_, off := time.UnixMilli(ms).In(c.loc).Zone()
		return int64(off) * 1000
	}
	i := c.index[ms>>tableSpan]
	for int(i)+1 < len(c.start) && c.start[i+1] <= ms {
		i++
	}
	return c.off[i]
}

// Day is the local day of an instant.
func (c *Calendar) Day(ms int64) Day { return floorDay(ms + c.Offset(ms)) }

func floorDay(ms int64) Day {
	d := ms / msDay
	if ms%msDay < 0 {
		d--
	}
	return Day(d)
}

// EventDay is the local day of event i: its date where it is a date alone.
func (c *Calendar) EventDay(tl *Timeline, i int) Day {
	if tl.Dated != nil && tl.Dated[i] {
		return floorDay(tl.Time[i])
	}
	return c.Day(tl.Time[i])
}

// Days appends the local day of each event to dst. They may be out of order by
// one where dates alone and times are mixed, and in the hour in which a clock is
// set back over midnight (St. John's did until 2011); see InDayOrder.
func (c *Calendar) Days(dst []Day, tl *Timeline) []Day {
	n := len(dst)
	dst = slices.Grow(dst, len(tl.Time))[:n+len(tl.Time)]
	out := dst[n:]
	off, lo, hi := int64(0), int64(0), int64(0) // the offset in force in [lo, hi)
	for i, ms := range tl.Time {
		switch {
		case tl.Dated != nil && tl.Dated[i]:
			out[i] = floorDay(ms)
			continue
		case ms < lo || ms >= hi:
			if off, lo, hi = c.around(ms); lo == hi {
				out[i] = c.Day(ms)
				continue
			}
		}
		out[i] = Day(uint64(ms+off) / msDay) // never negative in [lo, hi): no floor
	}
	return dst
}

// around is the offset in force at an instant, with the instants [lo, hi) about it
// that have the same and lie after the first day of 1970 in every zone: a user's
// next event is mostly one of them. Where the table does not reach, lo == hi.
func (c *Calendar) around(ms int64) (off, lo, hi int64) {
	if ms < msDay || ms >= tableEnd {
		return 0, 0, 0
	}
	i := c.index[ms>>tableSpan]
	for int(i)+1 < len(c.start) && c.start[i+1] <= ms {
		i++
	}
	lo, hi = max(c.start[i], msDay), tableEnd
	if int(i)+1 < len(c.start) {
		hi = min(hi, c.start[i+1])
	}
	return c.off[i], lo, hi
}

// InDayOrder puts events into the order of the given days (as Days gives them),
// keeping ties, and reports whether anything had to move: see Days for when.
func InDayOrder(days []Day, tl *Timeline) bool {
	if slices.IsSorted(days) {
		return false
	}
	ord := make([]int, len(days))
	for i := range ord {
		ord[i] = i
	}
	sort.SliceStable(ord, func(i, j int) bool { return days[ord[i]] < days[ord[j]] })
	permute(ord, days)
	permute(ord, tl.Time)
	permute(ord, tl.Dated)
	permute(ord, tl.Name)
	permute(ord, tl.Amount)
	permute(ord, tl.Source)
	for i := range tl.Props {
		permute(ord, tl.Props[i].Codes)
		permute(ord, tl.Props[i].Plain)
	}
	return true
}

func permute[T any](ord []int, s []T) {
	if s == nil {
		return
	}
	c := append([]T(nil), s...)
	for i, o := range ord {
		s[i] = c[o]
	}
}

// Begin is the first instant of a local day: its midnight, or, where a clock
// change skips midnight, the first instant after.
func (c *Calendar) Begin(d Day) int64 {
	// The answer is near d's midnight in UTC, less an offset that holds around
	// then. Days change once a day, so a binary search over two days finds it.
	lo, hi := int64(d)*msDay-36*3_600_000, int64(d)*msDay+36*3_600_000
	for lo < hi {
		mid := lo + (hi-lo)/2
		if c.Day(mid) < d {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// Cut ends reading with day d: the last day an event may have.
func (c *Calendar) Cut(d Day) Cut { return Cut{At: c.Begin(d + 1), Day: d} }

// Hour is the local hour (0–23) of an instant.
func (c *Calendar) Hour(ms int64) int {
	m := (ms + c.Offset(ms)) % msDay
	if m < 0 {
		m += msDay
	}
	return int(m / 3_600_000)
}

// Time is the instant as local time, for printing.
func (c *Calendar) Time(ms int64) time.Time { return time.UnixMilli(ms).In(c.loc) }

// Stamp writes event i's time as a person reads it: its date alone, or local
// date and time.
func (c *Calendar) Stamp(tl *Timeline, i int) string {
	if tl.IsDated(i) {
		return floorDay(tl.Time[i]).String()
	}
	return c.Time(tl.Time[i]).Format("2006-01-02 15:04:05")
}

// A Period is the ordinal of a unit of calendar time; consecutive periods
// differ by one. Its meaning depends on the unit and the calendar.
type Period int32

// Period is the period of the unit that holds day d.
func (c *Calendar) Period(u PeriodUnit, d Day) Period {
	switch u {
	case Weekly:
		// 1970-01-01 was a Thursday.
		shift := (int(time.Thursday) - int(c.WeekStart) + 7) % 7
		return Period(floorDiv(int(d)+shift, 7))
	case Monthly:
		y, m, _ := d.Civil()
		return Period((y-1970)*12 + int(m) - 1)
	case Quarterly:
		y, m, _ := d.Civil()
		return Period((y-1970)*4 + (int(m)-1)/3)
	case Custom:
		return Period(floorDiv(int(d), c.Every))
	}
	return Period(d)
}

// Bounds are the first day of a period and the first day after it.
func (c *Calendar) Bounds(u PeriodUnit, p Period) (from, to Day) {
	switch u {
	case Weekly:
		shift := (int(time.Thursday) - int(c.WeekStart) + 7) % 7
		from = Day(int(p)*7 - shift)
		return from, from + 7
	case Monthly:
		return monthDay(int(p)), monthDay(int(p) + 1)
	case Quarterly:
		return monthDay(int(p) * 3), monthDay(int(p)*3 + 3)
	case Custom:
		return Day(int(p) * c.Every), Day((int(p) + 1) * c.Every)
	}
	return Day(p), Day(p) + 1
}

func monthDay(m int) Day {
	return DayOf(1970+floorDiv(m, 12), time.Month(m-12*floorDiv(m, 12)+1), 1)
}

// PeriodLabel names a period: 2011-12-05 for a day or the week that starts
// then, 2011-12, 2011-Q4.
func (c *Calendar) PeriodLabel(u PeriodUnit, p Period) string {
	from, _ := c.Bounds(u, p)
	switch u {
	case Monthly:
		return from.String()[:7]
	case Quarterly:
		y, m, _ := from.Civil()
		return strconv.Itoa(y) + "-Q" + strconv.Itoa((int(m)-1)/3+1)
	}
	return from.String()
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
