package model

import (
	"math/rand/v2"
	"testing"
	"time"
)

// zones: half-hour, quarter-hour, behind UTC, south of the equator, clock
// changes at midnight (São Paulo, Beirut, Cairo), half-hour DST (Lord Howe), a
// day that never was (Apia, 2011-12-30).
var zones = []string{"UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
	"America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca"}

func TestCalendarDayEqualsTimeIn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, zone := range zones {
		c, err := NewCalendar(zone)
		if err != nil {
			t.Fatal(err)
		}
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		check := func(ms int64) {
			t.Helper()
			at := time.UnixMilli(ms).In(loc)
			if got, want := c.Day(ms), DayOf(at.Date()); got != want {
				t.Fatalf("%s: Day(%d) = %v, want %v", zone, ms, got, want)
			}
			if got, want := c.Hour(ms), at.Hour(); got != want {
				t.Fatalf("%s: Hour(%d) = %d, want %d", zone, ms, got, want)
			}
		}
		for range 20_000 {
			check(rng.Int64N(tableEnd + 1e12))
		}
		for _, edge := range c.start[1:] { // both sides of every clock change
			for _, d := range []int64{-msDay, -3_600_000, -1, 0, 1, 3_600_000, msDay} {
				if edge+d >= 0 {
					check(edge + d)
				}
			}
		}
	}
}

func TestCalendarBeginIsTheDaysFirstInstant(t *testing.T) {
	for _, zone := range zones {
		c, err := NewCalendar(zone)
		if err != nil {
			t.Fatal(err)
		}
		for d := DayOf(1995, 1, 1); d < DayOf(2020, 1, 1); d++ {
			b := c.Begin(d)
			if c.Day(b-1) >= d {
				t.Fatalf("%s: the instant before Begin(%v) is still on %v", zone, d, c.Day(b-1))
			}
			if got := c.Day(b); got != d && !(zone == "Pacific/Apia" && d == DayOf(2011, 12, 30)) {
				t.Fatalf("%s: Begin(%v) falls on %v", zone, d, got)
			}
		}
	}
}

func TestDayCounts(t *testing.T) {
	// Own oracle: package time.
	for d := Day(-40_000); d < 40_000; d += 13 {
		at := time.Date(1970, 1, 1+int(d), 0, 0, 0, 0, time.UTC)
		if got := d.String(); got != at.Format("2006-01-02") {
			t.Fatalf("day %d prints %s, want %s", d, got, at.Format("2006-01-02"))
		}
		if d.Weekday() != at.Weekday() {
			t.Fatalf("%v is a %v, want %v", d, d.Weekday(), at.Weekday())
		}
		if back, err := ParseDay(d.String()); err != nil || back != d {
			t.Fatalf("ParseDay(%v) = %v, %v", d, back, err)
		}
	}
	if _, err := ParseDay("2011-02-30"); err == nil {
		t.Error("2011-02-30 passed as a day")
	}
}

func TestPeriodsTileTheCalendar(t *testing.T) {
	for _, start := range []time.Weekday{time.Monday, time.Sunday, time.Saturday} {
		c := UTC().With(start, 10)
		for u := Daily; u <= Custom; u++ {
			for d := DayOf(1969, 6, 1); d < DayOf(2013, 1, 1); d++ {
				p := c.Period(u, d)
				from, to := c.Bounds(u, p)
				if d < from || d >= to {
					t.Fatalf("%v: %v is in period %d = [%v, %v)", u, d, p, from, to)
				}
				if c.Period(u, to) != p+1 || c.Period(u, from-1) != p-1 {
					t.Fatalf("%v: period %d = [%v, %v) leaves a gap", u, p, from, to)
				}
				if u == Weekly && from.Weekday() != start {
					t.Fatalf("a week from %v starts on %v", start, from.Weekday())
				}
			}
		}
	}
	c := UTC()
	for _, tc := range []struct {
		u    PeriodUnit
		want string
	}{{Daily, "2011-12-09"}, {Weekly, "2011-12-05"}, {Monthly, "2011-12"}, {Quarterly, "2011-Q4"}} {
		if got := c.PeriodLabel(tc.u, c.Period(tc.u, DayOf(2011, 12, 9))); got != tc.want {
			t.Errorf("label of the %v is %s, want %s", tc.u, got, tc.want)
		}
	}
}

func TestDatesAloneDoNotMoveWithTheZone(t *testing.T) {
	tl := &Timeline{Time: []int64{int64(DayOf(2011, 12, 9)) * msDay, int64(DayOf(2011, 12, 9))*msDay + 1000}, Dated: []bool{true, false}}
	for _, zone := range zones {
		c, err := NewCalendar(zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.EventDay(tl, 0); got != DayOf(2011, 12, 9) {
			t.Errorf("%s moves a date alone to %v", zone, got)
		}
	}
	c, err := NewCalendar("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	days := c.Days(nil, tl)
	if days[1] != DayOf(2011, 12, 8) {
		t.Fatalf("00:00:01 UTC is %v in New York", days[1])
	}
	if !InDayOrder(days, tl) || tl.Dated[0] || !tl.Dated[1] || days[0] > days[1] {
		t.Errorf("InDayOrder left %v %v", days, tl.Dated)
	}
}

// Days takes a run of events on one day at once; day by day it must say what Day
// says, also around every change of the clock.
func TestDaysEqualDay(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Vienna", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu", "Africa/Monrovia"} {
		c, err := NewCalendar(zone)
		if err != nil {
			t.Fatal(err)
		}
		tl := &Timeline{}
		for ms := int64(-200_000_000); ms < 4_300_000_000_000; ms += 3_599_999_983 {
			for _, step := range []int64{0, 1, 900_000, 3_600_000, 43_200_000} {
				tl.Time = append(tl.Time, ms+step)
			}
		}
		for i, day := range c.Days(nil, tl) {
			if want := c.Day(tl.Time[i]); day != want {
				t.Fatalf("%s, %d: day %v, want %v", zone, tl.Time[i], day, want)
			}
		}
	}
}
