package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
)

// A refFunnel is what one funnel of the reference files asks (events.py: funnel).
type refFunnel struct {
	Steps  []string
	By     string
	Window *string
}

// address asks the funnel as our engine does.
func (f refFunnel) address(try string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "funnel?eligible=all&try=%s", try)
	for _, s := range f.Steps {
		b.WriteString("&step=" + escape(s))
	}
	if f.By != "user" {
		b.WriteString("&count=holds&hold=" + f.By)
	}
	window := "none"
	if f.Window != nil {
		window = *f.Window
	}
	b.WriteString("&window=" + window)
	return b.String()
}

// funnel compares one funnel of a reference file, under its path, with the figures
// under a prefix. shared is by how much entries of held values are more than the
// reference's: its sessions are told apart by id alone, ours by person and id.
func (w *walker) funnel(e *query.Engine, path, extra, prefix string, shared float64) {
	w.t.Helper()
	var f refFunnel
	w.read(path, &f)
	delete(w.want, path+"/window") // none: part of the question, no number
	for try, form := range map[string]string{"best": "any_entry", "first": "first_entry"} {
		a := ask(w.t, e, f.address(try)+extra)
		for k := range f.Steps {
			got := 0.0 // a row of a breakdown that nobody is in has no figure
			if x := a.Figure(fmt.Sprintf("%sstep.%d", prefix, k+1)); x != nil {
				got = x.Value
			}
			if k == 0 && f.By != "user" {
				got -= shared
			}
			w.is(fmt.Sprintf("%s/%s/%d", path, form, k), got, false)
		}
		if try == "best" {
			continue
		}
		for k := range f.Steps { // the first step has no time
			x := a.Figure(fmt.Sprintf("%sstep.%d.time", prefix, k+1))
			none := x == nil || x.None
			got := math.NaN()
			if !none {
				got = x.Value
			}
			w.is(fmt.Sprintf("%s/median_seconds_from_previous_step_first_entry/%d", path, k), got, none)
		}
	}
}

// funnels compares all funnels of a file, by user and by session, over all windows.
func (w *walker) funnels(e *query.Engine, shared float64) {
	for _, i := range w.under("/funnels") {
		w.funnel(e, "/funnels/"+i, "", "", shared)
	}
	for _, platform := range w.under("/funnel_by_platform_7d") {
		w.funnel(e, "/funnel_by_platform_7d/"+platform, "&breakdown=platform&attribution=all", "value."+platform+".", 0)
	}
}

// sharedSessions counts, beside the sessions of an id, how many pairs of person and
// id are more: one id of the sample is of two users. The reference takes them for
// one session, we for two.
func sharedSessions(t *testing.T, mem *model.Memory, column string) (sessions, shared int) {
	t.Helper()
	pairs, ids := map[string]bool{}, map[string]bool{}
	snap, err := mem.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	key := snap.Info().Key(column)
	for _, split := range snap.Splits(1) {
		err := snap.Scan(t.Context(), split, model.Filter{Until: model.NoCut, Columns: []string{key.Name}}, func(tl *model.Timeline) error {
			for i := range tl.Time {
				s := tl.Props[0].At(key, i)
				ids[s] = true
				pairs[tl.ID+" "+s] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return len(ids), len(pairs) - len(ids)
}

// Laws over random people: a breakdown by one value of each try divides its
// funnel, closed and open users are all who entered, the best try goes as deep as
// the first, and so does a wider window.
func TestFunnelLaws(t *testing.T) {
	mem, dict := randomData(t, 21, 120)
	e := over(t, mem, dict)
	base := "funnel?step=open&step=buy&step=role%3Asocial&window=40d"
	whole := ask(t, e, base)
	best := ask(t, e, base+"&try=best")
	wide := ask(t, e, strings.Replace(base, "40d", "90d", 1))
	exact := ask(t, e, base+"&order=exact")
	for k := 1; k <= 3; k++ {
		key := fmt.Sprintf("step.%d", k)
		f := whole.Figure(key)
		if best.Figure(key).Value < f.Value || wide.Figure(key).Value < f.Value || exact.Figure(key).Value > f.Value {
			t.Errorf("%s: first %v, best %v, wider %v, exact %v", key, f.Value, best.Figure(key).Value, wide.Figure(key).Value, exact.Figure(key).Value)
		}
		if k > 1 {
			if r := whole.Figure(key + ".overall"); r.N+r.Open != int64(whole.Figure("step.1").Value) {
				t.Errorf("%s: %d closed and %d open of %v", key, r.N, r.Open, whole.Figure("step.1").Value)
			}
		}
		for _, how := range []string{"first", "last", "step-1", "step-2"} {
			a := ask(t, e, base+"&breakdown=odd%20name&top=5&attribution="+how)
			sum := 0.0
			for i := range a.Figures {
				if name, ok := strings.CutSuffix(a.Figures[i].Key, "."+key); ok && name != "" {
					sum += a.Figures[i].Value
				}
			}
			if sum != f.Value {
				t.Errorf("%s, attribution %s: the rows add to %v, the funnel has %v", key, how, sum, f.Value)
			}
		}
	}
	// A step that drops and one that is open are all who go no further.
	for k := 1; k < 3; k++ {
		at, next := whole.Figure(fmt.Sprintf("step.%d", k)), whole.Figure(fmt.Sprintf("step.%d", k+1))
		dropped, open := whole.Figure(fmt.Sprintf("step.%d.dropped", k)), whole.Figure(fmt.Sprintf("step.%d.open", k))
		if at.Value != next.Value+dropped.Value+open.Value {
			t.Errorf("step %d: %v reached it, %v the next, %v dropped, %v open", k, at.Value, next.Value, dropped.Value, open.Value)
		}
	}
	stop, remove := ask(t, e, base+"&exclude=complain"), ask(t, e, base+"&exclude=complain&exclusion=remove")
	if stop.Figure("step.1").Value != whole.Figure("step.1").Value || stop.Figure("stopped").Value == 0 {
		t.Errorf("stop: %v entered, %v stopped", stop.Figure("step.1").Value, stop.Figure("stopped").Value)
	}
	if n := remove.Figure("step.1").Value + remove.Figure("removed").Value; n != whole.Figure("step.1").Value || remove.Figure("removed").Value == 0 {
		t.Errorf("remove: %v entered, %v removed, want %v together", remove.Figure("step.1").Value, remove.Figure("removed").Value, whole.Figure("step.1").Value)
	}
}

// What does not go together is refused with its reason (SPEC C19).
func TestFunnelRefusals(t *testing.T) {
	for address, reason := range map[string]string{
		"funnel?step=a":                                       "2 to 12",
		"funnel?window=3parsec":                               "length of time",
		"funnel?window=0s":                                    "no time",
		"funnel?grace=2s&order=any":                           "order this",
		"funnel?exclusion=remove":                             "exclude=",
		"funnel?step=a&step=b&exclude=b":                      "cannot be both",
		"funnel?count=holds":                                  "give the property",
		"funnel?attribution=last":                             "give the property",
		"funnel?top=3":                                        "breakdown=",
		"funnel?step=a&step=b&breakdown=x&attribution=step-3": "has 2 steps",
		"funnel?from=2020-02-02&to=2020-01-01":                "later than",
		"funnel?judge=landmark&where=known(stage)":            "needs the day",
		"funnel?order=strict":                                 "not one of",
	} {
		if _, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", address, err, reason)
		}
	}
	q, err := query.Parse("funnel?step=a&step=a&step=b&step=a")
	if err != nil || q.String() != "funnel?step=a&step=a&step=b&step=a" {
		t.Errorf("a step may come again: %s, %v", q, err)
	}
}
