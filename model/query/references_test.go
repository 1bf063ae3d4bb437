package query_test

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// A walk goes through one reference file and accounts for every number in it:
// compared with an answer, or left out with a reason.
type walker struct {
	t       *testing.T
	file    string
	body    json.RawMessage
	want    map[string]float64 // by path; a null is NaN
	checked map[string]bool
}

func newWalker(t *testing.T, file string) *walker {
	t.Helper()
	var all any
	var body json.RawMessage
	reference.JSON(t, file, &body)
	if err := json.Unmarshal(body, &all); err != nil {
		t.Fatal(err)
	}
	w := &walker{t: t, file: file, body: body, want: map[string]float64{}, checked: map[string]bool{}}
	var flat func(path string, v any)
	flat = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				flat(path+"/"+k, x)
			}
		case []any:
			for i, x := range v {
				flat(path+"/"+strconv.Itoa(i), x)
				if m, ok := x.(map[string]any); ok && m["period"] != nil {
					for k, y := range m {
						flat(path+"/"+m["period"].(string)+"/"+k, y)
					}
					for k := range w.want { // by its period, not its place
						if strings.HasPrefix(k, path+"/"+strconv.Itoa(i)+"/") {
							delete(w.want, k)
						}
					}
				}
			}
		case float64:
			w.want[path] = v
		case nil:
			w.want[path] = math.NaN()
		}
	}
	flat("", all)
	return w
}

// read decodes what stands at a path.
func (w *walker) read(path string, to any) {
	w.t.Helper()
	at := w.body
	for word := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		var object map[string]json.RawMessage
		var list []json.RawMessage
		if json.Unmarshal(at, &object) == nil {
			at = object[word]
		} else if i, err := strconv.Atoi(word); err == nil && json.Unmarshal(at, &list) == nil && i < len(list) {
			at = list[i]
		}
	}
	if err := json.Unmarshal(at, to); err != nil {
		w.t.Fatalf("%s %s: %v", w.file, path, err)
	}
}

// is compares a number; counts must be exact, other values to 1e-9 of themselves.
func (w *walker) is(path string, got float64, none bool) {
	w.t.Helper()
	want, ok := w.want[path]
	if !ok {
		w.t.Errorf("%s has no %s", w.file, path)
		return
	}
	w.checked[path] = true
	if math.IsNaN(want) {
		if !none {
			w.t.Errorf("%s %s: got %v, want none", w.file, path, got)
		}
		return
	}
	exact := want == math.Trunc(want)
	if none || exact && got != want || math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		w.t.Errorf("%s %s: got %v (none %v), want %v", w.file, path, got, none, want)
	}
}

// figure compares a figure.
func (w *walker) figure(path string, a *query.Answer, key string) {
	w.t.Helper()
	f := a.Figure(key)
	if f == nil {
		w.t.Errorf("%s %s: %s has no figure %s", w.file, path, a.Address, key)
		return
	}
	w.is(path, f.Value, f.None)
}

// under are the next words of the paths below one, sorted.
func (w *walker) under(path string) (out []string) {
	seen := map[string]bool{}
	for k := range w.want {
		if rest, ok := strings.CutPrefix(k, path+"/"); ok {
			word, _, _ := strings.Cut(rest, "/")
			if !seen[word] {
				seen[word] = true
				out = append(out, word)
			}
		}
	}
	sort.Strings(out)
	return out
}

// done fails if a number was neither compared nor excused.
func (w *walker) done(excused map[string]string) {
	w.t.Helper()
	left := map[string]int{}
	for k := range w.want {
		if w.checked[k] {
			continue
		}
		reason := ""
		for prefix := range excused {
			if strings.HasPrefix(k, prefix) {
				reason = prefix
			}
		}
		if reason == "" {
			w.t.Errorf("%s %s was not compared, and nothing says why", w.file, k)
		}
		left[reason]++
	}
	w.t.Logf("%s: %d values compared of %d", w.file, len(w.checked), len(w.want))
	for prefix, n := range left {
		w.t.Logf("  %d left out at %s: %s", n, prefix, excused[prefix])
	}
	for prefix := range excused {
		if left[prefix] == 0 {
			w.t.Errorf("%s: %s is excused, but holds nothing that is left out", w.file, prefix)
		}
	}
}

// retention compares classic, unbounded, bracket and 24-hour retention.
// Forms named in but are left to their excuse.
func (w *walker) retention(e *query.Engine, path, extra, but string) {
	t := w.t
	days := w.under(path + "/classic")
	longest := 0
	for _, d := range days {
		n, _ := strconv.Atoi(d)
		longest = max(longest, n)
	}
	base := "retention?truncated=keep&cohort=quarter" + extra
	for form, address := range map[string]string{
		"classic":     base + fmt.Sprintf("&intervals=%d", longest),
		"unbounded":   base + fmt.Sprintf("&mode=on-or-after&intervals=%d", longest),
		"bracket":     base + "&mode=bracket&brackets=" + strings.Join(w.under(path+"/bracket"), ","),
		"classic_24h": base + fmt.Sprintf("&window=24h&intervals=%d", longest),
	} {
		if form == but {
			continue
		}
		a := ask(t, e, address)
		for _, k := range w.under(path + "/" + form) {
			at := path + "/" + form + "/" + k
			f := a.Figure("day." + k)
			if f == nil {
				t.Errorf("%s: %s has no day %s", w.file, a.Address, k)
				continue
			}
			w.is(at+"/eligible", float64(f.N), false)
			w.is(at+"/retained", math.Round(f.Value*float64(f.N)), false)
			// The file's rates have twelve digits.
			w.checked[at+"/rate"] = true
			if want := w.want[at+"/rate"]; math.Abs(f.Value-want) > 1e-11 {
				t.Errorf("%s %s: rate %v, want %v", w.file, at, f.Value, want)
			}
		}
	}
}

// cohorts compares a cohort table without an eligibility rule.
func (w *walker) cohorts(e *query.Engine, path, unit, extra string) {
	a := ask(w.t, e, "retention?truncated=keep&eligible=all&intervals=60&unit="+unit+extra)
	for _, label := range w.under(path) {
		for _, k := range w.under(path + "/" + label) {
			f := a.Figure(fmt.Sprintf("cohort.%s.%s.%s", label, unit, k))
			if f == nil {
				w.t.Errorf("%s: no cohort %s, %s", w.file, label, k)
				continue
			}
			w.is(path+"/"+label+"/"+k, math.Round(f.Value*float64(f.N)), false)
		}
	}
}

// value compares cumulative revenue by cohort, in all and per user.
func (w *walker) value(e *query.Engine, path, extra string) {
	a := ask(w.t, e, "revenue?truncated=keep&eligible=all&intervals=60&unit=month&amounts=gross"+extra)
	for form, figure := range map[string]string{"cumulative_revenue": "cumulative", "cumulative_revenue_per_cohort_user": "value"} {
		for _, label := range w.under(path + "/" + form) {
			for _, k := range w.under(path + "/" + form + "/" + label) {
				w.figure(path+"/"+form+"/"+label+"/"+k, a, fmt.Sprintf("cohort.%s.month.%s.%s", label, k, figure))
			}
		}
	}
}

// total adds what each cohort has brought by its last month.
func (w *walker) total(e *query.Engine, extra string) (sum float64) {
	a := ask(w.t, e, "revenue?truncated=keep&eligible=all&intervals=60&unit=month&amounts=gross"+extra)
	last := map[string]float64{}
	for i := range a.Figures {
		if f := &a.Figures[i]; strings.HasPrefix(f.Key, "cohort.") && strings.HasSuffix(f.Key, ".cumulative") {
			last[strings.Split(f.Key, ".")[1]] = f.Value // columns come in order
		}
	}
	for _, v := range last {
		sum += v
	}
	return sum
}

// growth compares growth accounting: churned users of the open period too.
func (w *walker) growth(e *query.Engine, path, unit, extra string) {
	a := ask(w.t, e, "lifecycle?truncated=keep&pending=dormant&unit="+unit+extra)
	for _, label := range w.under(path) {
		for name, word := range map[string]string{"active": "active", "new": "new", "retained": "returning", "resurrected": "resurrected", "churned": "dormant", "quick_ratio": "growth"} {
			w.figure(path+"/"+label+"/"+name, a, unit+"."+label+"."+word)
		}
	}
}

// summary compares what is in the data.
func (w *walker) summary(e *query.Engine, path, activity string) {
	a := ask(w.t, e, "events")
	w.figure(path+"/events", a, "events")
	w.figure(path+"/users", a, "users")
	for _, name := range w.under(path + "/event_counts") {
		w.figure(path+"/event_counts/"+name, a, "event."+name)
		w.figure(path+"/users_per_event/"+name, a, "event."+name+".users")
	}
	w.activeDays(e, path, activity)
}

// activeDays adds daily active users up: each is one active day of a user.
func (w *walker) activeDays(e *query.Engine, path, activity string) {
	a := ask(w.t, e, "lifecycle?truncated=keep&activity="+activity)
	sum := 0.0
	for i := range a.Figures {
		if k := a.Figures[i].Key; strings.HasPrefix(k, "dau.2") || strings.HasPrefix(k, "dau.1") {
			sum += a.Figures[i].Value
		}
	}
	w.is(path+"/active_days_total", sum, false)
}

func (w *walker) sessions(e *query.Engine) {
	a := ask(w.t, e, "sessions")
	for name, key := range map[string]string{"sessions": "sessions", "mean_events": "events.mean", "median_events": "events.median", "mean_duration_s": "seconds.mean", "median_duration_s": "seconds.median", "single_event_sessions": "single"} {
		w.figure("/sessions_30min/"+name, a, key)
	}
	w.is("/sessions_30min/limit_minutes", 30, false)
}

const valueRoom = "RFM and k-means are no question of this room and have tests of their own"

// windows24 compares 24-hour retention of a reference whose time ends at an instant,
// where ours ends with that day: users whose window closes in between are taken off
// our own lists. A start is an amount that is not below zero.
func (w *walker) windows24(e *query.Engine, mem *model.Memory, path, address string, end int64) {
	w.t.Helper()
	first := map[string]int64{}
	snap, err := mem.Snapshot(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	defer snap.Close()
	for _, split := range snap.Splits(1) {
		if err := snap.Scan(w.t.Context(), split, model.Filter{Until: model.NoCut, Amounts: true}, func(tl *model.Timeline) error {
			for i := range tl.Time {
				if at, ok := first[tl.ID]; tl.Amount[i] >= 0 && (!ok || tl.Time[i] < at) {
					first[tl.ID] = tl.Time[i]
				}
			}
			return nil
		}); err != nil {
			w.t.Fatal(err)
		}
	}
	a := ask(w.t, e, address)
	for _, k := range w.under(path) {
		n, err := strconv.ParseInt(k, 10, 64)
		if err != nil {
			w.t.Fatal(err)
		}
		count := func(part string) (closed float64) {
			l, err := e.Users(w.t.Context(), a.Query, "day."+k+part, nil)
			if err != nil {
				w.t.Fatal(err)
			}
			for _, u := range l.Users {
				if first[u.ID]+(n+1)*86_400_000 <= end {
					closed++
				}
			}
			return closed
		}
		back, of := count(""), count("/of")
		w.is(path+"/"+k+"/retained", back, false)
		w.is(path+"/"+k+"/eligible", of, false)
		if rate := path + "/" + k + "/rate"; math.Abs(back/of-w.want[rate]) < 1e-11 { // the file's rates have twelve digits
			w.checked[rate] = true
		}
	}
}

func TestReferenceEcomWhole(t *testing.T) {
	w := newWalker(t, "events_ecom.json")
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	w.summary(e, "/summary", "any")
	w.retention(e, "/retention", "&return=any", "")
	for _, unit := range []string{"week", "month"} {
		w.cohorts(e, "/cohort_"+unit, unit, "&return=any")
		w.growth(e, "/growth_"+unit, unit, "")
	}
	a := ask(t, e, "lifecycle?truncated=keep&dau_mau=mean_ratio")
	days, most := 0, 0.0
	for i := range a.Figures {
		if strings.HasPrefix(a.Figures[i].Key, "dau.2024") {
			days, most = days+1, math.Max(most, a.Figures[i].Value)
		}
	}
	w.is("/active_users/days", float64(days), false)
	w.is("/active_users/dau_max", most, false)
	for key, name := range map[string]string{"dau.mean": "dau_mean", "wau7.mean": "wau7_mean", "mau28.mean": "mau28_mean", "mau28.2024-06-29": "mau28_last", "dau_mau": "stickiness_mean_dau_over_mau28"} {
		w.figure("/active_users/"+name, a, key)
	}
	w.sessions(e)
	s := ask(t, e, "sessions")
	w.is("/distinct_session_id", s.Figure("sessions").Value, false) // the file's own sessions are a 30-minute split
	w.funnels(e, 0)
	w.transitions(e)
	w.done(nil)
}

func TestReferenceCDNOWWhole(t *testing.T) {
	w := newWalker(t, "events_cdnow.json")
	mem, dict := reference.CDNOW(t)
	e := over(t, mem, dict)
	w.summary(e, "/summary", "any")
	w.retention(e, "/retention", "", "")
	w.cohorts(e, "/cohort_month", "month", "")
	w.value(e, "/cohort_month_ltv", "")
	w.growth(e, "/growth_month", "month", "")
	w.is("/revenue", w.total(e, ""), false)
	w.done(map[string]string{
		"/rfm": valueRoom, "/kmeans_rfm": valueRoom,
	})
}

func TestReferenceOnlineRetailWhole(t *testing.T) {
	w := newWalker(t, "events_online_retail.json")
	mem, dict := reference.OnlineRetail(t)
	e := over(t, mem, dict)
	buy := "&start=role%3Apurchase&return=role%3Apurchase"
	w.retention(e, "/purchase_only/retention", buy, "classic_24h")
	w.cohorts(e, "/purchase_only/cohort_month", "month", buy)
	w.value(e, "/purchase_only/cohort_month_ltv", "&start=role%3Apurchase")
	w.growth(e, "/purchase_only/growth_month", "month", "&activity=purchase")
	w.activeDays(e, "/purchase_only/summary", "purchase")
	w.figure("/purchase_only/summary/users", ask(t, e, "retention?truncated=keep"+buy), "users")
	w.is("/purchase_only/revenue", w.total(e, "&start=role%3Apurchase"), false)
	days := w.under("/purchase_only/retention/classic_24h")
	w.windows24(e, mem, "/purchase_only/retention/classic_24h", "retention?truncated=keep&cohort=quarter&window=24h&intervals=400"+buy, time.Date(2011, 12, 9, 12, 50, 0, 0, time.UTC).UnixMilli())
	if len(days) == 0 {
		t.Error("the file has no 24-hour windows")
	}
	w.figure("/raw/customers", ask(t, e, "events"), "users")
	w.is("/invoice_events/users", ask(t, e, "events").Figure("users").Value, false)
	w.activeDays(e, "/invoice_events", "any")
	for kind, role := range map[string]string{"purchase": "purchase", "cancellation": "refund"} {
		w.figure("/invoice_events/users_per_event/"+kind, ask(t, e, "retention?truncated=keep&start=role%3A"+role), "users")
	}
	w.figure("/purchase_only/summary/users_per_event/purchase", ask(t, e, "retention?truncated=keep&start=role%3Apurchase"), "users")
	w.done(map[string]string{
		"/raw":                      "of the file before it is loaded: rows without a customer, invoices and equal rows are the loader's",
		"/invoice_events":           "the reference counts one event an invoice, the loaded set one a row: users and active days are the same and compared",
		"/purchase_only/summary":    "events by invoice, not by row; users and active days are compared",
		"/rfm_purchase_only":        valueRoom,
		"/kmeans_rfm_purchase_only": valueRoom,
	})
}

func TestReferenceREES46Whole(t *testing.T) {
	w := newWalker(t, "events_rees46_sample.json")
	mem, dict := reference.Rees46(t)
	e := over(t, mem, dict)
	w.summary(e, "/summary", "any")
	w.sessions(e)
	buy := ask(t, e, "revenue?start=role%3Apurchase&unit=month&eligible=all&truncated=keep&amounts=gross")
	w.figure("/purchase_revenue", buy, "month.0.cumulative")
	w.figure("/purchase_users", buy, "users")
	sessions, shared := sharedSessions(t, mem, "user_session")
	w.is("/distinct_user_session", float64(sessions), false)
	if shared != 1 {
		t.Errorf("%d session ids are of two users, want 1", shared)
	}
	w.funnels(e, float64(shared))
	w.transitions(e)
	w.done(nil)
}
