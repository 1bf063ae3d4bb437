package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
	"dwell/model/query"
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
	ref(t, "events_ecom.json", &want)
	mem, dict := modeltest.Ecom(t)
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
	ref(t, "events_rees46_sample.json", &want)
	mem, dict := modeltest.Rees46(t)
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
