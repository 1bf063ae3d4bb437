package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// A refFunnel is one funnel of the reference files (events.py: funnel).
type refFunnel struct {
	Steps   []string
	By      string
	Window  *string
	Any     []int64    `json:"any_entry"`
	First   []int64    `json:"first_entry"`
	Medians []*float64 `json:"median_seconds_from_previous_step_first_entry"`
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

// funnelValues compares every value of a reference funnel with the figures under a
// prefix, and gives how many there were.
// shared is by how much entries of held values are more than the reference's: its
// sessions are told apart by id alone, ours by person and id.
func funnelValues(t *testing.T, e *query.Engine, f refFunnel, extra, prefix string, shared int64) (n int) {
	t.Helper()
	for try, want := range map[string][]int64{"best": f.Any, "first": f.First} {
		a := ask(t, e, f.address(try)+extra)
		for k, w := range want {
			n++
			if k == 0 && f.By != "user" {
				w += shared
			}
			if got := a.Figure(fmt.Sprintf("%sstep.%d", prefix, k+1)); got == nil && w != 0 || got != nil && got.Value != float64(w) {
				t.Errorf("%s: %sstep %d is %+v, want %d", a.Address, prefix, k+1, got, w)
			}
		}
		if try == "best" {
			continue
		}
		for k, w := range f.Medians {
			if k == 0 {
				continue // the first step has no time
			}
			n++
			got := a.Figure(fmt.Sprintf("%sstep.%d.time", prefix, k+1))
			switch {
			case w == nil:
				if got != nil && !got.None {
					t.Errorf("%s: the time to step %d is %v, want none", a.Address, k+1, got.Value)
				}
			case got == nil || math.Abs(got.Value-*w) > 1e-9:
				t.Errorf("%s: the time to step %d is %+v, want %v", a.Address, k+1, got, *w)
			}
		}
	}
	return n
}

// Reference: funnels of events_ecom.json (pandas), by user and by session, over
// all windows, and by platform.
func TestFunnelReferenceEcom(t *testing.T) {
	var want struct {
		Funnels  []refFunnel
		Platform map[string]refFunnel `json:"funnel_by_platform_7d"`
	}
	reference.JSON(t, "events_ecom.json", &want)
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	n := 0
	for _, f := range want.Funnels {
		n += funnelValues(t, e, f, "", "", 0)
	}
	for platform, f := range want.Platform {
		n += funnelValues(t, e, f, "&breakdown=platform&attribution=all", "value."+platform+".", 0)
	}
	t.Logf("events_ecom.json: %d values of %d funnels checked, none left out", n, len(want.Funnels)+len(want.Platform))
	if n < 150 {
		t.Errorf("only %d values were checked", n)
	}
}

// Reference: funnels of events_rees46_sample.json, by user and by session.
func TestFunnelReferenceRees46(t *testing.T) {
	var want struct{ Funnels []refFunnel }
	reference.JSON(t, "events_rees46_sample.json", &want)
	mem, dict := reference.Rees46(t)
	e := over(t, mem, dict)
	// One session id is of two users: the reference
	// takes them for one session of 5,066, we for two of 5,067.
	pairs, sessions := map[string]bool{}, map[string]bool{}
	snap, err := mem.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	key := snap.Info().Key("user_session")
	for _, split := range snap.Splits(1) {
		err := snap.Scan(t.Context(), split, model.Filter{Until: model.NoCut, Columns: []string{key.Name}}, func(tl *model.Timeline) error {
			for i := range tl.Time {
				s := tl.Props[0].At(key, i)
				sessions[s] = true
				pairs[tl.ID+" "+s] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	shared := int64(len(pairs) - len(sessions))
	if len(sessions) != 5066 || shared != 1 {
		t.Fatalf("%d sessions, %d of two users", len(sessions), shared)
	}
	n := 0
	for _, f := range want.Funnels {
		n += funnelValues(t, e, f, "", "", shared)
	}
	t.Logf("events_rees46_sample.json: %d values of %d funnels checked, none left out", n, len(want.Funnels))
	if n < 50 {
		t.Errorf("only %d values were checked", n)
	}
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
