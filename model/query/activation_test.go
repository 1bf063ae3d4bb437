package query_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
)

// histories are all persons of a data set, for slow obvious versions.
func histories(t *testing.T, mem *model.Memory) (out []*model.Timeline, info *model.Info) {
	t.Helper()
	snap, err := mem.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = snap.Close() }) // of memory
	f := model.Filter{Until: model.NoCut, Amounts: true}
	for i := range snap.Info().Keys {
		f.Columns = append(f.Columns, snap.Info().Keys[i].Name)
	}
	for _, split := range snap.Splits(1) {
		if err := snap.Scan(t.Context(), split, f, func(tl *model.Timeline) error {
			out = append(out, tl.Clone())
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return out, snap.Info()
}

// Activation against an obvious version (own oracle), on random people: milestones
// by counting days, the time to the goal by the product limit written out.
func TestActivationAgainstTheObviousVersion(t *testing.T) {
	mem, dict := randomData(t, 31, 150)
	e := over(t, mem, dict)
	people, info := histories(t, mem)
	asOf, err := model.ParseDay("2020-07-01")
	if err != nil {
		t.Fatal(err)
	}
	cal := model.UTC()
	buy := model.NameID(info.NameIndex("buy"))
	var due, done, open, openDone, started int64
	var events, ends []int
	for _, tl := range people {
		var days []model.Day
		buys := 0
		goal := -1
		for i := range tl.Time {
			d := cal.EventDay(tl, i)
			if d > asOf {
				break
			}
			days = append(days, d)
			if tl.Name[i] == buy {
				if int(d-days[0]) < 20 {
					buys++
				}
				if goal < 0 {
					goal = int(d - days[0])
				}
			}
		}
		if len(days) == 0 {
			continue
		}
		started++
		within := map[model.Day]bool{}
		for _, d := range days {
			if d < days[0]+30 {
				within[d] = true
			}
		}
		activated := len(within) >= 3 && buys >= 1
		switch {
		case days[0]+29 <= asOf:
			due++
			if activated {
				done++
			}
		default:
			open++
			if activated {
				openDone++
			}
		}
		if goal >= 0 {
			events = append(events, goal)
		} else {
			ends = append(ends, int(asOf-days[0]))
		}
	}
	a := ask(t, e, "activation@2020-07-01?truncated=keep&goal=buy&per=events&milestone=1,20,buy&milestone=1,30,any")
	if f := a.Figure("started"); int64(f.Value) != started {
		t.Errorf("%v started, want %d", f.Value, started)
	}
	// Days, not events, for the milestone of three.
	b := ask(t, e, "activation@2020-07-01?truncated=keep&goal=buy&milestone=3,30,any&milestone=1,20,buy")
	f := b.Figure("activated")
	if f.N != due || math.Round(f.Value*float64(f.N)) != float64(done) || f.Open != open || f.OpenReturned != openDone {
		t.Errorf("activated %+v, want %d of %d, open %d, of them %d", f, done, due, open, openDone)
	}
	s := 1.0
	for d := 0; d <= 60; d++ {
		risk, n := 0, 0
		for _, x := range events {
			if x >= d {
				risk++
			}
			if x == d {
				n++
			}
		}
		for _, x := range ends {
			if x >= d {
				risk++
			}
		}
		if risk > 0 {
			s *= 1 - float64(n)/float64(risk)
		}
		if slices.Contains([]int{0, 1, 3, 7, 14, 28, 60}, d) {
			if f := b.Figure("time.day." + query.Number(float64(d))); f == nil || math.Abs(f.Value-(1-s)) > 1e-12 {
				t.Errorf("by day %d: %+v, want %v", d, f, 1-s)
			}
		}
	}
}

// The preset 1-3-5 is the measure milestones_135: the same users reach all three.
func TestActivationPresetIsTheMeasure(t *testing.T) {
	mem, dict := randomData(t, 7, 200)
	e := over(t, mem, dict)
	a := ask(t, e, "activation?truncated=keep")
	f := a.Figure("activated")
	reached := math.Round(f.Value*float64(f.N)) + float64(f.OpenReturned)
	want := ask(t, e, "users?where="+escape("milestones_135 == 3")).Figure("users").Value
	if reached == 0 || reached != want {
		t.Errorf("%v users reached all three, the measure says %v", reached, want)
	}
}

func TestActivationRefusals(t *testing.T) {
	for address, reason := range map[string]string{
		"activation?milestone=3":                              "N,DAYS",
		"activation?milestone=0,7":                            "N,DAYS",
		"activation?milestone=x,7,buy":                        "N,DAYS",
		"activation?days=99999":                               "9,999",
		"activation?per=sessions":                             "not one of",
		"activation?milestone=1,7,buy&per=events&cohort=year": "not one of",
	} {
		if _, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", address, err, reason)
		}
	}
}
