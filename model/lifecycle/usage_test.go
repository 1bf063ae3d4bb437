package lifecycle_test

import (
	"fmt"
	"sort"
	"testing"

	"dwell/model"
	"dwell/model/lifecycle"

	"pgregory.net/rapid"
)

func TestUsageGap(t *testing.T) {
	for _, c := range []struct {
		days []model.Day
		gap  float64
		ok   bool
	}{{nil, 0, false}, {[]model.Day{1, 9}, 0, false}, {[]model.Day{1, 3, 9}, 4, true}, {[]model.Day{1, 3, 9, 10}, 2, true}} {
		if gap, ok := lifecycle.UsageGap(c.days); gap != c.gap || ok != c.ok {
			t.Errorf("%v: %v %v, want %v %v", c.days, gap, ok, c.gap, c.ok)
		}
	}
}

// A gap of exactly the limit does not part sessions (SPEC 2: strictly greater).
func TestSessionsPartStrictly(t *testing.T) {
	const min = 60_000
	got := lifecycle.Sessions(nil, []int64{0, 30 * min, 60*min + 1, 60*min + 1, 91 * min}, 30*min)
	want := []lifecycle.Session{{From: 0, To: 2, Length: 30 * min}, {From: 2, To: 4}, {From: 4, To: 5}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// The slow version compares every event with the one before and sorts all values.
func TestSessionsAndMediansAgainstSlowVersion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.Int64Range(0, 50).Draw(rt, "limit")
		var times []int64
		at := int64(0)
		for range rapid.IntRange(0, 40).Draw(rt, "n") {
			at += rapid.Int64Range(0, 100).Draw(rt, "gap")
			times = append(times, at)
		}
		got := lifecycle.Sessions(nil, times, limit)
		starts := 0
		for i := range times {
			if i == 0 || times[i] > times[i-1]+limit {
				starts++
			}
		}
		if len(got) != starts {
			rt.Fatalf("%d sessions, want %d", len(got), starts)
		}
		events := 0
		tal := lifecycle.Tallies{}
		var all []int64
		for i, s := range got {
			if s.From != events || s.To <= s.From || s.Length != times[s.To-1]-times[s.From] {
				rt.Fatalf("session %d: %+v", i, s)
			}
			events = s.To
			tal[s.Length]++
			all = append(all, s.Length)
		}
		if events != len(times) {
			rt.Fatalf("sessions end with event %d of %d", events, len(times))
		}
		n, sum, median, ok := tal.Summary()
		if ok != (len(all) > 0) || n != int64(len(all)) {
			rt.Fatalf("%d values, want %d", n, len(all))
		}
		if !ok {
			return
		}
		sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
		var want int64
		for _, v := range all {
			want += v
		}
		if m := float64(all[(len(all)-1)/2]+all[len(all)/2]) / 2; median != m || sum != want {
			rt.Fatalf("median %v of sum %d, want %v of %d", median, sum, m, want)
		}
	})
}
