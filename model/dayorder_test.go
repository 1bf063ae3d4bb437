package model

import (
	"slices"
	"testing"
	"time"
)

// In St. John's the clock was set back from 00:01 to 23:01 until 2011: in that
// hour a later instant lies on an earlier day.
func TestInDayOrderWhereTheClockGoesBackOverMidnight(t *testing.T) {
	cal, err := NewCalendar("America/St_Johns")
	if err != nil {
		t.Fatal(err)
	}
	back := time.Date(2010, 11, 7, 2, 31, 0, 0, time.UTC).UnixMilli() // 00:01 becomes 23:01
	tl := &Timeline{Time: []int64{back - 30_000, back, back + 3_600_000}, Name: []NameID{0, 1, 2}}
	days := cal.Days(nil, tl)
	if want := []Day{DayOf(2010, 11, 7), DayOf(2010, 11, 6), DayOf(2010, 11, 7)}; !slices.Equal(days, want) {
		t.Fatalf("days %v, want %v", days, want)
	}
	if !InDayOrder(days, tl) || !slices.IsSorted(days) || !slices.Equal(tl.Name, []NameID{1, 0, 2}) {
		t.Errorf("after ordering: %v, events %v", days, tl.Name)
	}
	if InDayOrder(days, tl) {
		t.Error("what is in order was moved")
	}
}
