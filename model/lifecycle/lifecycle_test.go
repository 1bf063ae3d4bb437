package lifecycle_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/lifecycle"
	"dwell/sample/reference"
)

// days draws ascending distinct days in [0, 119].
func days(rt *rapid.T, name string) []model.Day {
	set := rapid.SliceOfN(rapid.Int32Range(0, 119), 0, 40).Draw(rt, name)
	slices.Sort(set)
	var out []model.Day
	for _, d := range slices.Compact(set) {
		out = append(out, model.Day(d))
	}
	return out
}

// SPEC V12 on random histories, and each class against its definition, asked of
// every period of every user.
func TestV12IdentityAndClasses(t *testing.T) {
	cal := model.UTC()
	rapid.Check(t, func(rt *rapid.T) {
		unit := model.PeriodUnit(rapid.IntRange(0, 3).Draw(rt, "unit"))
		asOf := model.Day(rapid.IntRange(0, 119).Draw(rt, "asof"))
		byAny := rapid.Bool().Draw(rt, "new by any event")
		first, last := cal.Period(unit, 0), cal.Period(unit, asOf)
		counts := make([]lifecycle.Count, last-first+1)
		for u := range rapid.IntRange(0, 8).Draw(rt, "users") {
			all := days(rt, fmt.Sprint("user", u))
			var act []model.Day
			for i, d := range all {
				if d <= asOf && (!byAny || i%2 == 1) {
					act = append(act, d)
				}
			}
			carried := rapid.Bool().Draw(rt, "carried")
			active := lifecycle.Periods(nil, cal, unit, act)
			known := first
			switch {
			case byAny && len(all) > 0:
				known = cal.Period(unit, all[0])
			case len(active) > 0:
				known = active[0]
			}
			got := map[model.Period]lifecycle.Class{}
			for _, s := range lifecycle.Steps(nil, active, known, carried, last) {
				if _, twice := got[s.Period]; twice {
					rt.Fatalf("two classes in period %d", s.Period)
				}
				got[s.Period] = s.Class
				counts[s.Period-first].Add(s.Class)
			}
			in := func(p model.Period) bool {
				return slices.ContainsFunc(act, func(d model.Day) bool { return cal.Period(unit, d) == p })
			}
			before := false
			for p := first; p <= last; p++ {
				want, any := lifecycle.Class(0), true
				switch {
				case in(p) && !before && carried:
					want = lifecycle.Carried
				case in(p) && !before && known < p:
					want = lifecycle.FirstUse
				case in(p) && !before:
					want = lifecycle.New
				case in(p) && in(p-1):
					want = lifecycle.Returning
				case in(p):
					want = lifecycle.Resurrected
				case in(p - 1):
					want = lifecycle.Dormant
				default:
					any = false
				}
				before = before || in(p)
				if c, ok := got[p]; ok != any || any && c != want {
					rt.Fatalf("period %d: got %v %v, want %v %v", p, c, ok, want, any)
				}
			}
		}
		if err := lifecycle.Check(counts); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestCheckFindsWhatDoesNotAddUp(t *testing.T) {
	ok := []lifecycle.Count{{}, {}}
	ok[0].By[lifecycle.New], ok[1].By[lifecycle.Returning], ok[1].By[lifecycle.Dormant] = 3, 2, 1
	if err := lifecycle.Check(ok); err != nil {
		t.Error(err)
	}
	ok[1].By[lifecycle.Dormant] = 0
	if lifecycle.Check(ok) == nil {
		t.Error("a user who vanished without being dormant was not noticed")
	}
	if err := lifecycle.Check(nil); err != nil {
		t.Error(err)
	}
}

func TestCoveredIsTheTrailingWindow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		act := days(rt, "days")
		width := rapid.IntRange(1, 30).Draw(rt, "width")
		first := model.Day(rapid.IntRange(0, 60).Draw(rt, "first"))
		last := first + model.Day(rapid.IntRange(0, 80).Draw(rt, "length"))
		got := map[model.Day]int{}
		for _, s := range lifecycle.Covered(nil, act, width, first, last) {
			for d := s.From; d <= s.To; d++ {
				got[d]++
			}
		}
		for d := model.Day(-5); d < 200; d++ {
			want := 0
			if d >= first && d <= last && slices.ContainsFunc(act, func(a model.Day) bool { return a > d-model.Day(width) && a <= d }) {
				want = 1
			}
			if got[d] != want {
				rt.Fatalf("day %d: %d, want %d", d, got[d], want)
			}
		}
	})
}

func TestRatiosWithoutDays(t *testing.T) {
	if _, ok := lifecycle.DAUOverMAU(make([]int64, 27), 5); ok {
		t.Error("DAU/MAU of 27 days")
	}
	if _, ok := lifecycle.DAUOverMAU(make([]int64, 28), 0); ok {
		t.Error("DAU/MAU of nobody")
	}
	if _, ok := lifecycle.MeanRatio(nil, nil); ok {
		t.Error("a mean of no days")
	}
	dau := slices.Repeat([]int64{5}, 28)
	if r, ok := lifecycle.DAUOverMAU(dau, 10); !ok || r != 0.5 {
		t.Errorf("DAU/MAU %v %v, want 0.5", r, ok)
	}
}

// Reference: retentioneering_ecom in events_ecom.json (pandas): active_users,
// growth_week and growth_month.
func TestEcomReference(t *testing.T) {
	var ref struct {
		Active struct {
			Days     int
			DAUMean  float64 `json:"dau_mean"`
			DAUMax   int64   `json:"dau_max"`
			WAU7     float64 `json:"wau7_mean"`
			MAU28    float64 `json:"mau28_mean"`
			Last     int64   `json:"mau28_last"`
			Stickier float64 `json:"stickiness_mean_dau_over_mau28"`
		} `json:"active_users"`
		Week  []growth `json:"growth_week"`
		Month []growth `json:"growth_month"`
	}
	reference.JSON(t, "events_ecom.json", &ref)
	mem, _ := reference.Ecom(t)
	snap, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	cal, in := model.UTC(), snap.Info()
	first, last := cal.Day(in.First), cal.Day(in.Last)
	n := int(last-first) + 1
	if n != ref.Active.Days {
		t.Fatalf("%d days, want %d", n, ref.Active.Days)
	}
	series := map[int][]int64{1: make([]int64, n), 7: make([]int64, n), 28: make([]int64, n)}
	counts := map[model.PeriodUnit][]lifecycle.Count{}
	for _, u := range []model.PeriodUnit{model.Weekly, model.Monthly} {
		counts[u] = make([]lifecycle.Count, cal.Period(u, last)-cal.Period(u, first)+1)
	}
	for _, split := range snap.Splits(1) {
		err = snap.Scan(context.Background(), split, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
			act := slices.Compact(cal.Days(nil, tl))
			for w, s := range series {
				for _, span := range lifecycle.Covered(nil, act, w, first, last) {
					for d := span.From; d <= span.To; d++ {
						s[d-first]++
					}
				}
			}
			for u, c := range counts {
				ps := lifecycle.Periods(nil, cal, u, act)
				for _, s := range lifecycle.Steps(nil, ps, ps[0], false, cal.Period(u, last)) {
					c[s.Period-cal.Period(u, first)].Add(s.Class)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	mean := func(s []int64) float64 { m, _ := lifecycle.Mean(s); return m }
	near("DAU", mean(series[1]), ref.Active.DAUMean)
	near("WAU7", mean(series[7][6:]), ref.Active.WAU7)
	near("MAU28", mean(series[28][27:]), ref.Active.MAU28)
	ratio, _ := lifecycle.MeanRatio(series[1][27:], series[28][27:])
	near("mean ratio", ratio, ref.Active.Stickier)
	if m := slices.Max(series[1]); m != ref.Active.DAUMax || series[28][n-1] != ref.Active.Last {
		t.Errorf("DAU max %d, MAU28 at the end %d", m, series[28][n-1])
	}
	for u, want := range map[model.PeriodUnit][]growth{model.Weekly: ref.Week, model.Monthly: ref.Month} {
		c := counts[u]
		if err := lifecycle.Check(c); err != nil {
			t.Error(err)
		}
		if len(c) != len(want) {
			t.Fatalf("%s: %d periods, want %d", u, len(c), len(want))
		}
		for i, w := range want {
			got := growth{cal.PeriodLabel(u, cal.Period(u, first)+model.Period(i)), c[i].Active(), c[i].By[lifecycle.New],
				c[i].By[lifecycle.Returning], c[i].By[lifecycle.Resurrected], c[i].By[lifecycle.Dormant]}
			if got != w {
				t.Errorf("%s: got %+v, want %+v", u, got, w)
			}
		}
	}
}

type growth struct {
	Period                                      string
	Active, New, Retained, Resurrected, Churned int64
}
