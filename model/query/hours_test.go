package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"dwell/sample/reference"
)

// The hours of the week against Go's own time zones (own oracle), in a zone with a
// half hour and one that changes its clocks.
func TestHoursAgainstTheObviousVersion(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	people, _ := histories(t, mem)
	for _, zone := range []string{"UTC", "Asia/Kolkata", "America/New_York"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		events, users := map[string]float64{}, map[string]float64{}
		for _, tl := range people {
			seen := map[string]bool{}
			for _, ms := range tl.Time {
				at := time.UnixMilli(ms).In(loc)
				key := fmt.Sprintf("%s.%02d", strings.ToLower(at.Weekday().String()[:3]), at.Hour())
				events[key]++
				if !seen[key] {
					seen[key] = true
					users[key]++
				}
			}
		}
		a := ask(t, e, "hours?activity=any&zone="+escape(zone))
		for key, n := range events {
			if f := a.Figure("events." + key); f == nil || f.Value != n {
				t.Errorf("%s %s: %+v, want %v events", zone, key, f, n)
			}
			if f := a.Figure("hour." + key); f == nil || math.Abs(f.Value-users[key]/float64(len(people))) > 1e-12 {
				t.Errorf("%s %s: %+v, want %v users", zone, key, f, users[key])
			}
		}
		listed(t, e, a, "hour.mon.09")
		listed(t, e, a, "events.mon.09")
	}
	mem, dict = reference.CDNOW(t)
	a := ask(t, over(t, mem, dict), "hours")
	if a.Figure("users").Value != 0 || a.Figure("dated").Value != 69659 {
		t.Errorf("dates alone have no hour: %v users, %v dates", a.Figure("users").Value, a.Figure("dated").Value)
	}
}
