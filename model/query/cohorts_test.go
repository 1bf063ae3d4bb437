package query_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/query"
	"dwell/model/stat"
	"dwell/sample/reference"
)

// events makes an engine over rows "user|time|event|plan".
func events(t *testing.T, rows ...string) *query.Engine {
	t.Helper()
	mem := model.NewMemory()
	load(t, mem, "rows.csv", rows)
	d := model.NewDictionary()
	d.Starts = "complete"
	return over(t, mem, d)
}

// load adds such rows as one load.
func load(t *testing.T, mem *model.Memory, path string, rows []string) {
	t.Helper()
	b := &model.Batch{}
	plan := model.BatchCol{Key: "plan"}
	for i, row := range rows {
		f := strings.Split(row, "|")
		at, err := time.Parse("2006-01-02 15:04", f[1])
		if err != nil {
			t.Fatal(err)
		}
		b.Line, b.User, b.Time = append(b.Line, int64(i+1)), append(b.User, []byte(f[0])), append(b.Time, at.UnixMilli())
		b.Event, b.Amount = append(b.Event, []byte(f[2])), append(b.Amount, model.NoMoney)
		plan.Values = append(plan.Values, []byte(f[3]))
	}
	b.Props = append(b.Props, plan)
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: int64(b.Len())}, []model.SourceInfo{{Path: path, Digest: fmt.Sprint(rows), Rows: int64(b.Len())}}); err != nil {
		t.Fatal(err)
	}
}

// figureIs fails unless a figure is there with this value and n.
func figureIs(t *testing.T, e *query.Engine, address, key string, want float64, n int64) {
	t.Helper()
	a := ask(t, e, address)
	f := a.Figure(key)
	if f == nil || f.Value != want || f.N != n {
		t.Errorf("%s %s: %+v, want %v of %d", address, key, f, want, n)
		return
	}
	listed(t, e, a, key)
}

// SPEC V6 and the documented rules of SPEC 2: 17:59, then 17:00 on the next day.
func TestPresets(t *testing.T) {
	e := events(t, "u|2024-03-01 17:59|open|", "u|2024-03-02 17:00|open|", "v|2024-03-01 09:00|open|", "v|2024-03-01 21:00|open|", "z|2024-03-20 00:00|open|")
	at := "retention@2024-03-19?intervals=3"
	figureIs(t, e, at, "day.1", 0.5, 2)
	figureIs(t, e, at+"&window=24h", "day.1", 0, 2)
	figureIs(t, e, at+"&preset=amplitude", "day.1", 0.5, 2)
	figureIs(t, e, at+"&preset=mixpanel", "day.1", 0, 2)
	figureIs(t, e, at+"&preset=mixpanel", "day.0", 1, 2) // both came again within 24 hours
	figureIs(t, e, at+"&zero=again", "day.0", 0.5, 2)
	figureIs(t, e, at+"&preset=posthog", "day.1", 0.5, 2)
	for address, reason := range map[string]string{
		"retention?preset=amplitude&window=24h":      "leave window= out",
		"retention?preset=posthog&window=calendar":   "leave window= out",
		"retention?preset=mixpanel&truncated=drop":   "leave truncated= out",
		"retention?preset=amplitude&unit=quarter":    "no fixed number of hours",
		"retention?unit=custom":                      "needs every=",
		"retention?every=3":                          "every= is the length of unit=custom",
		"retention?round=hour":                       "belongs to 24-hour windows",
		"revenue?kind=recurring":                     "once for each start",
		"compare?a=retention":                        "give both addresses",
		"compare?a=retention&b=users":                "no figures to compare",
		"compare?a=retention&b=churn&user=u":         "put user= into both",
		"reconcile?a=retention&b=lifecycle&figure=x": "one analysis",
		"reconcile?a=retention&b=retention":          "figure= says which",
	} {
		if _, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", address, err, reason)
		}
	}
}

// First ever, first matching and recurring starts are three questions (SPEC 2).
func TestStartKinds(t *testing.T) {
	e := events(t,
		"u|2024-03-04 10:00|buy|free", "u|2024-03-12 10:00|buy|pro", "u|2024-03-13 10:00|open|pro", "u|2024-03-19 10:00|buy|pro",
		"v|2024-03-04 10:00|buy|pro", "v|2024-03-05 10:00|open|pro",
		"z|2024-04-20 00:00|open|")
	at := "retention?intervals=2&start=" + escape(`buy where plan == "pro"`)
	figureIs(t, e, at, "day.1", 1, 1)                        // v alone: u's first buy was free
	figureIs(t, e, at+"&kind=first-matching", "day.1", 1, 2) // u from the 12th
	figureIs(t, e, at+"&kind=recurring", "users", 3, 3)      // u twice, v once
	figureIs(t, e, at+"&kind=recurring", "people", 2, 2)
	a := ask(t, e, at+"&kind=recurring")
	f := a.Figure("day.1")
	if f == nil || f.N != 3 || math.Abs(f.Value-2.0/3) > 1e-12 || f.Method != "user bootstrap 95 %" || !strings.Contains(a.Title, "user-intervals, not users") {
		t.Errorf("%s: %+v", a.Title, f)
	}
	if l := listed(t, e, a, "users"); len(l) != 3 || l[0].Times != 20240311 {
		t.Errorf("pairs name the user and the first day of the interval: %+v", l)
	}
	figureIs(t, e, "retention?unit=custom&every=7&intervals=2&returns=2&start=buy", "custom.1", 0.5, 2) // u: 12th and 13th… two in days 7–13
}

// Several segments are compared with the first: Newcombe for disjoint ones; what is
// in both is left out of both sides otherwise.
func TestSegmentDifferences(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	mobile, desktop := escape(`platform == "mobile"`), escape(`platform == "desktop"`)
	a := ask(t, e, "retention?unit=week&where="+mobile+"&where="+desktop)
	one, two := ask(t, e, "retention?unit=week&where="+mobile), ask(t, e, "retention?unit=week&where="+desktop)
	for _, k := range []string{"week.1", "week.5", "week.12"} {
		x, y, d := one.Figure(k), two.Figure(k), a.Figure("difference.2-1."+k)
		iv, _ := stat.Newcombe(int64(math.Round(x.Value*float64(x.N))), x.N, int64(math.Round(y.Value*float64(y.N))), y.N, 0.95)
		if d == nil || math.Abs(d.Value-(y.Value-x.Value)) > 1e-12 || d.N != x.N+y.N || !d.Interval || math.Abs(d.Lo-iv.Lo) > 1e-12 {
			t.Errorf("%s: %+v, want %v less %v", k, d, y, x)
		}
		listed(t, e, a, "difference.2-1."+k)
	}
	either := escape(`platform == "mobile" or user_cohort == "x" or platform == "tablet"`)
	o := ask(t, e, "retention?unit=week&where="+mobile+"&where="+either)
	rest := ask(t, e, "retention?unit=week&where="+escape(`not (platform == "mobile") and platform == "tablet"`)).Figure("week.1")
	if d := o.Figure("difference.2-1.week.1"); !d.None && rest.N > 0 || d.N != rest.N {
		t.Errorf("nobody is in the first alone: %+v, %+v", d, rest)
	}
	warned := false
	for _, w := range o.Warnings {
		warned = warned || w.Code == "overlap"
	}
	if !warned {
		t.Error("nothing says that the segments overlap")
	}
	v := ask(t, e, "compare?figures=week.&a="+escape(one.Address)+"&b="+escape(two.Address))
	for _, k := range []string{"a.week.2", "b.week.2", "difference.week.2"} {
		listed(t, e, v, k)
	}
	if x, y := v.Figure("difference.week.5"), a.Figure("difference.2-1.week.5"); x == nil || x.Value != y.Value || x.Lo != y.Lo {
		t.Errorf("side by side %+v, in one chart %+v", x, y)
	}
}

// Where starts recur a user counts several times, and judged at each start maybe in
// both segments: the difference has its interval from resampling users, not
// Newcombe's of as many independent ones on disjoint sides.
func TestRecurringDifferences(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	mobile, desktop := escape(`platform == "mobile"`), escape(`platform == "desktop"`)
	a := ask(t, e, "retention?unit=week&kind=recurring&where="+mobile+"&where="+desktop)
	for _, k := range []string{"week.1", "week.4"} {
		x, y, d := a.Figure("group.1."+k), a.Figure("group.2."+k), a.Figure("difference.2-1."+k)
		if d == nil || !d.Interval || d.Method != "user bootstrap 95 %" || math.Abs(d.Value-(y.Value-x.Value)) > 1e-12 || d.Lo > d.Value || d.Hi < d.Value || !d.Pairs {
			t.Errorf("%s: %+v of %+v and %+v", k, d, x, y)
			continue
		}
		listed(t, e, a, "difference.2-1."+k)
	}
}

// The parts of a reconciliation add to the difference exactly, whatever is switched.
func TestReconcilePartsAddUp(t *testing.T) {
	mem, dict := some(t, reference.Ecom)
	dict.Starts = "partial"
	e := over(t, mem, dict)
	for _, c := range [][3]string{
		{"retention", "retention?preset=amplitude&zone=Asia%2FKolkata", "day.2"},
		{"retention", "retention?preset=mixpanel&kind=first-ever&start=home&eligible=all", "day.7"},
		{"retention@2024-05-01?unit=week", "retention?unit=week&mode=on-or-after&within=60&truncated=keep", "week.3"},
		{"retention?unit=week", "retention?unit=week&zone=America%2FNew_York&return=purchase&where=" + escape(`platform == "mobile"`), "week.1"},
		{"retention?unit=custom&every=5", "retention?window=24h", "users"},
		{"lifecycle?unit=month&truncated=keep", "lifecycle@2024-06-10?unit=month&new=any&activity=any&zone=Asia%2FTokyo", "month.2024-05.resurrected"},
	} {
		a := ask(t, e, "reconcile?figure="+c[2]+"&a="+escape(c[0])+"&b="+escape(c[1]))
		for _, of := range []string{"", "of."} {
			x, y := a.Figure(of+"a"), a.Figure(of+"b")
			if x == nil {
				if of == "" {
					t.Errorf("%s: no figure a", a.Address)
				}
				continue
			}
			sum := 0.0
			for i := range a.Figures {
				f := &a.Figures[i]
				if !strings.HasPrefix(f.Key, of+"by.") {
					continue
				}
				if strings.HasSuffix(f.Key, ".joined") {
					sum += f.Value
				} else {
					sum -= f.Value
				}
				listed(t, e, a, f.Key)
			}
			if sum != y.Value-x.Value || x.Value-a.Figure(of+"only-a").Value != a.Figure(of+"both").Value {
				t.Errorf("%s: parts add to %v, the difference is %v", a.Address, sum, y.Value-x.Value)
			}
			// Both ends are the questions' own lists.
			for end, q := range map[string]string{"a": c[0], "b": c[1]} {
				own := ask(t, e, q).Figure(c[2])
				want := own.N
				if own.Kind == query.Rate && of == "" {
					want = int64(math.Round(own.Value * float64(own.N)))
				}
				if got := a.Figure(of + end); int64(got.Value) != want {
					t.Errorf("%s: %s is %v, its question has %d", a.Address, of+end, got.Value, want)
				}
			}
		}
	}
	same, err := query.Parse("reconcile?a=retention&b=retention&figure=day.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Answer(context.Background(), same, nil); err == nil || !strings.Contains(err.Error(), "the same question") {
		t.Errorf("two equal questions: %v", err)
	}
}
