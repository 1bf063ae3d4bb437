package query_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Around both clock changes of the year, in four zones (half an hour off, behind
// UTC, south of the equator), every half hour has a user of its own: the active
// users of each local day, the cells of the week and new users are those that the
// zone's own rules give.
func TestClockChangesThroughTheEngine(t *testing.T) {
	for _, c := range []struct {
		zone  string
		edges [2]time.Time
	}{
		{"Europe/Vienna", [2]time.Time{time.Date(2024, 3, 30, 0, 0, 0, 0, time.UTC), time.Date(2024, 10, 26, 0, 0, 0, 0, time.UTC)}},
		{"America/St_Johns", [2]time.Time{time.Date(2024, 3, 9, 0, 0, 0, 0, time.UTC), time.Date(2024, 11, 2, 0, 0, 0, 0, time.UTC)}}, // UTC−3:30
		{"America/New_York", [2]time.Time{time.Date(2024, 3, 9, 0, 0, 0, 0, time.UTC), time.Date(2024, 11, 2, 0, 0, 0, 0, time.UTC)}},
		{"Australia/Adelaide", [2]time.Time{time.Date(2024, 10, 5, 0, 0, 0, 0, time.UTC), time.Date(2024, 4, 6, 0, 0, 0, 0, time.UTC)}}, // UTC+9:30, south
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, edge := range c.edges {
			var rows []string
			days, cells := map[string]int{}, map[string]int{}
			for n := range 4 * 48 {
				at := edge.Add(time.Duration(n) * 30 * time.Minute)
				rows = append(rows, fmt.Sprintf("u%03d|%s|open|", n, at.Format("2006-01-02 15:04")))
				local := at.In(loc)
				days[local.Format("2006-01-02")]++
				cells[fmt.Sprintf("events.%s.%02d", strings.ToLower(local.Format("Mon")), local.Hour())]++
			}
			e := events(t, rows...)
			lengths := map[int]bool{}
			a := ask(t, e, "lifecycle?unit=day&zone="+escape(c.zone))
			for day, n := range days {
				lengths[n] = true
				for _, key := range []string{"dau." + day, "day." + day + ".new"} {
					if f := a.Figure(key); f == nil || f.Value != float64(n) {
						t.Errorf("%s %s: %+v, want %d", c.zone, key, f, n)
					}
				}
			}
			if !lengths[46] && !lengths[50] {
				t.Errorf("%s from %s: no day of 23 or 25 hours among %v", c.zone, edge, days)
			}
			h := ask(t, e, "hours?zone="+escape(c.zone))
			for cell, n := range cells {
				if f := h.Figure(cell); f == nil || f.Value != float64(n) {
					t.Errorf("%s %s: %+v, want %d", c.zone, cell, f, n)
				}
			}
		}
	}
}
