package stage

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"dwell/model"
)

// rhythm is days from the first to the last, gap by gap.
func rhythm(from, to model.Day, gap func(model.Day) int) (out []model.Day) {
	for d := from; d <= to; d += model.Day(gap(d)) {
		out = append(out, d)
	}
	return out
}

// The source's case: the repurchase cycle goes from 30 to 25 days. Worked out by
// hand: 900 days, so each gap is followed for 300 and the windows are the first
// and the second 300.
func TestCycleShift(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		name          string
		before, after float64
		distinct      bool
	}{{"30 to 25", 30, 25, true}, {"no change", 30, 30, false}} {
		r := NewRecalibrator(0, 899)
		if r.Follow != 300 || r.Early != 0 || r.Late != 300 || r.End != 600 {
			t.Fatalf("windows %d to %d to %d, followed %d", r.Early, r.Late, r.End, r.Follow)
		}
		for u := range 200 {
			days := rhythm(model.Day(rng.IntN(30)), 899, func(d model.Day) int {
				mean := c.before
				if d >= 300 {
					mean = c.after
				}
				return int(mean) - 4 + rng.IntN(9)
			})
			if early, late := r.Cycle(fmt.Sprint(u), days); !early || !late {
				t.Errorf("user %d has no gaps in %v %v", u, early, late)
			}
		}
		s := r.CycleShift()
		if !s.Known || s.Median != [2]float64{c.before, c.after} || s.Distinct != c.distinct {
			t.Errorf("%s: %+v", c.name, s)
		}
		if s.Distinct && (s.Change.Lo > -5 || s.Change.Hi < -5 || s.Change.Hi >= 0) {
			t.Errorf("%s: the change lies in %v", c.name, s.Change)
		}
	}
	// Half of the gaps outlast the follow-up: the median is not reached, and said so.
	r := NewRecalibrator(0, 299)
	for u := range 100 {
		days := []model.Day{5, 120}
		if u%3 == 0 {
			days = append(days, 130)
		}
		r.Cycle(fmt.Sprint(u), days)
	}
	if s := r.CycleShift(); s.Reached[0] || s.Reached[1] || s.Known || s.Gaps != [2]int64{100, 134} {
		t.Errorf("most never come back: %+v", s)
	}
}

func TestArpuTrend(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, c := range []struct {
		name    string
		step    float64
		growing bool
	}{{"growing by 2 a month from 10", 2, true}, {"flat", 0, false}, {"falling", -0.5, false}} {
		r := NewRecalibrator(0, 359)
		if len(r.MonthFrom) != 12 || r.MonthFrom[0] != 0 || r.MonthFrom[11] != 330 {
			t.Fatalf("months %v", r.MonthFrom)
		}
		for u := range 300 {
			for k := range 12 {
				var s model.Sum
				m, _ := model.MoneyOf(10 + c.step*float64(k) + rng.NormFloat64())
				s.Add(m)
				r.Month(fmt.Sprint(u), k, s)
			}
		}
		got := r.ArpuTrend()
		want := c.step / (10 + c.step*5.5) // slope over mean
		if !got.Known || got.Growing != c.growing || math.Abs(got.Slope-want) > 0.005 || got.Users[3] != 300 {
			t.Errorf("%s: slope %v, want %v; band %v, growing %v", c.name, got.Slope, want, got.Band, got.Growing)
		}
	}
	if got := NewRecalibrator(0, 359).ArpuTrend(); got.Known {
		t.Error("a trend of nobody")
	}
}

// Everybody is active on every seventh day, then on every third; and on every
// seventh throughout.
func TestJump(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, c := range []struct {
		name   string
		p      float64 // of activity on a day, from day 294 on
		jumped bool
	}{{"up", 1.0 / 3, true}, {"steady", 1.0 / 7, false}, {"down", 1.0 / 20, true}} {
		r := NewRecalibrator(0, 419) // 52 weeks after 56 days
		if len(r.WeekFrom) != 52 || r.WeekFrom[0] != 56 || r.WeekFrom[34] != 294 {
			t.Fatalf("weeks %v", r.WeekFrom)
		}
		for u := range 150 {
			var days []model.Day
			for d := range model.Day(420) {
				p := 1.0 / 7
				if d >= 294 {
					p = c.p
				}
				if rng.Float64() < p {
					days = append(days, d)
				}
			}
			if !r.Activity(fmt.Sprint(u), days) {
				t.Errorf("user %d was never present", u)
			}
		}
		j := r.Jump()
		if !j.Known || j.Jumped != c.jumped {
			t.Errorf("%s: %+v", c.name, j)
		}
		if c.jumped && (j.At != 34 || math.Abs(j.After-c.p) > 0.02 || j.Ratio.Lo > j.After/j.Before || j.Ratio.Hi < j.After/j.Before) {
			t.Errorf("%s: at %d, from %v to %v, ratio %v", c.name, j.At, j.Before, j.After, j.Ratio)
		}
	}
}

// What is counted in parts and merged is what is counted at once.
func TestRecalibratorMerges(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	one, a, b := NewRecalibrator(0, 400), NewRecalibrator(0, 400), NewRecalibrator(0, 400)
	for u := range 60 {
		days := rhythm(model.Day(rng.IntN(50)), 400, func(model.Day) int { return 3 + rng.IntN(20) })
		for _, r := range []*Recalibrator{one, []*Recalibrator{a, b}[u%2]} {
			r.Cycle(fmt.Sprint(u), days)
			r.Activity(fmt.Sprint(u), days)
		}
	}
	a.Merge(b)
	if fmt.Sprint(a.CycleShift(), a.Jump()) != fmt.Sprint(one.CycleShift(), one.Jump()) {
		t.Error("merged parts differ from the whole")
	}
}
