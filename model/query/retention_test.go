package query_test

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// over makes an engine over a data set with its dictionary on the shelf.
func over(t *testing.T, mem *model.Memory, dict *model.Dictionary) *query.Engine {
	t.Helper()
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	e, err := query.New(mem, mem, nil, query.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// ask answers an address.
func ask(t *testing.T, e *query.Engine, address string) *query.Answer {
	t.Helper()
	q, err := query.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	a, err := e.Answer(context.Background(), q, nil)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return a
}

// listed fails unless a figure and its lists agree (SPEC C1).
func listed(t *testing.T, e *query.Engine, a *query.Answer, key string) []query.User {
	t.Helper()
	f := a.Figure(key)
	if f == nil {
		t.Fatalf("%s has no figure %s", a.Address, key)
	}
	if f.Kind == query.Read {
		if _, err := e.Users(context.Background(), a.Query, key, nil); err == nil {
			t.Errorf("%s: rows of a file have a list of users", key)
		}
		return nil
	}
	get := func(key string) []query.User {
		l, err := e.Users(context.Background(), a.Query, key, nil)
		if err != nil {
			t.Fatalf("%s %s: %v", a.Address, key, err)
		}
		return l.Users
	}
	users := get(key)
	var want int64
	switch f.Kind {
	case query.Count, query.Pairs:
		want = int64(f.Value)
	case query.Rate:
		of := get(key + "/of")
		if int64(len(of)) != f.N {
			t.Errorf("%s: %d in /of, n is %d", key, len(of), f.N)
		}
		if n := len(get(key + "/open")); int64(n) != f.Open {
			t.Errorf("%s: %d in /open, open is %d", key, n, f.Open)
		}
		if n := len(get(key + "/open-returned")); int64(n) != f.OpenReturned {
			t.Errorf("%s: %d in /open-returned, want %d", key, n, f.OpenReturned)
		}
		if n := len(get(key+"/lost")) + len(users); int64(n) != f.N {
			t.Errorf("%s: back and lost are %d, n is %d", key, n, f.N)
		}
		want = int64(math.Round(f.Value * float64(f.N)))
	case query.Rows:
		var sum int64
		for _, u := range users {
			sum += u.Times
		}
		if float64(sum) != f.Value {
			t.Errorf("%s: events of the list add to %d, value %v", key, sum, f.Value)
		}
		want = f.N
	case query.Sum:
		var sum model.Sum
		for _, u := range users {
			sum.Add(u.Amount)
		}
		if sum.Float() != f.Value {
			t.Errorf("%s: amounts of the list add to %v, value %v", key, sum.Float(), f.Value)
		}
		want = f.N
	default:
		want = f.N
	}
	if int64(len(users)) != want {
		t.Errorf("%s: %d users, want %d (value %v, n %d)", key, len(users), want, f.Value, f.N)
	}
	return users
}

type refRate struct {
	Eligible, Retained int64
	Rate               *float64
}

type refRetention struct {
	Classic, Unbounded, Bracket map[string]refRate
	Classic24h                  map[string]refRate `json:"classic_24h"`
}

// same compares a rate with the reference's.
func same(t *testing.T, a *query.Answer, key string, want refRate) {
	t.Helper()
	f := a.Figure(key)
	switch {
	case f == nil:
		if want.Eligible != 0 {
			t.Errorf("%s %s: missing, want %d of %d", a.Address, key, want.Retained, want.Eligible)
		}
	case want.Eligible == 0:
		if !f.None {
			t.Errorf("%s %s: %v of %d, want no value", a.Address, key, f.Value, f.N)
		}
	case f.N != want.Eligible || math.Abs(f.Value-*want.Rate) > 1e-11:
		t.Errorf("%s %s: %v of %d, want %v of %d", a.Address, key, f.Value, f.N, *want.Rate, want.Eligible)
	}
}

// walk compares all of a reference's retention, through the engine.
func walk(t *testing.T, e *query.Engine, extra string, want refRetention) {
	t.Helper()
	longest := 0
	var spans []string
	for k := range want.Classic {
		n, err := strconv.Atoi(k)
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, n)
	}
	for k := range want.Bracket {
		spans = append(spans, k)
	}
	base := fmt.Sprintf("retention?truncated=keep&return=any&cohort=quarter%s", extra)
	many := fmt.Sprintf("%s&intervals=%d", base, longest)
	for k, w := range want.Classic {
		same(t, ask(t, e, many), "day."+k, w)
	}
	for k, w := range want.Unbounded {
		same(t, ask(t, e, many+"&mode=on-or-after"), "day."+k, w)
	}
	a := ask(t, e, base+"&mode=bracket&brackets="+strings.Join(spans, ","))
	for k, w := range want.Bracket {
		same(t, a, "day."+k, w)
	}
}

// Reference: retentioneering_ecom in events_ecom.json (pandas).
func TestRetentionReferenceEcom(t *testing.T) {
	var want struct {
		Retention refRetention
		Week      map[string][]int64 `json:"cohort_week"`
		Month     map[string][]int64 `json:"cohort_month"`
	}
	reference.JSON(t, "events_ecom.json", &want)
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	walk(t, e, "", want.Retention)
	// The reference's 24-hour form ends with the last event, ours with its day:
	// they agree wherever nobody's window closes in the two hours between.
	a := ask(t, e, "retention?truncated=keep&return=any&window=24h&intervals=90&cohort=quarter")
	for k, w := range want.Retention.Classic24h {
		same(t, a, "day."+k, w)
	}
	for unit, rows := range map[string]map[string][]int64{"week": want.Week, "month": want.Month} {
		a := ask(t, e, "retention?truncated=keep&return=any&eligible=all&intervals=40&unit="+unit)
		for label, cells := range rows {
			size := a.Figure("cohort." + label + ".size")
			if size == nil || int64(size.Value) != cells[0] {
				t.Fatalf("%s %s: size %v, want %d", unit, label, size, cells[0])
			}
			for k, n := range cells {
				f := a.Figure(fmt.Sprintf("cohort.%s.%s.%d", label, unit, k))
				if f == nil || f.N != cells[0] || math.Round(f.Value*float64(f.N)) != float64(n) {
					t.Errorf("%s %s, %d: %+v, want %d of %d", unit, label, k, f, n, cells[0])
				}
			}
			if f := a.Figure(fmt.Sprintf("cohort.%s.%s.%d", label, unit, len(cells))); f != nil {
				t.Errorf("%s %s has a cell beyond the data: %+v", unit, label, f)
			}
		}
	}
}

// Reference: CDNOW in events_cdnow.json, dates alone, in a zone behind UTC too.
func TestRetentionReferenceCDNOW(t *testing.T) {
	var want struct {
		Retention refRetention
		Month     map[string][]int64 `json:"cohort_month"`
	}
	reference.JSON(t, "events_cdnow.json", &want)
	mem, dict := reference.CDNOW(t)
	e := over(t, mem, dict)
	walk(t, e, "", want.Retention)
	for _, zone := range []string{"UTC", "America/New_York", "Asia/Tokyo"} {
		a := ask(t, e, "retention?eligible=all&unit=month&intervals=20&zone="+strings.ReplaceAll(zone, "/", "%2F"))
		for label, cells := range want.Month {
			for k, n := range cells {
				f := a.Figure(fmt.Sprintf("cohort.%s.month.%d", label, k))
				if f == nil || math.Round(f.Value*float64(f.N)) != float64(n) {
					t.Errorf("%s %s, month %d: %+v, want %d", zone, label, k, f, n)
				}
			}
		}
	}
}

func TestRetentionFiguresAreLists(t *testing.T) {
	mem, dict := reference.Ecom(t)
	dict.Starts = "partial"
	e := over(t, mem, dict)
	for _, address := range []string{
		"retention?unit=week",
		"retention?unit=month&overall=mean",
		"retention?mode=on-or-after&within=30",
		"retention@2024-05-15?unit=week&mode=streak&start=add_to_cart&return=purchase&truncated=keep",
		"retention?window=24h&unit=week&eligible=all",
		"retention?mode=bracket&brackets=1-3,4-7,8-200",
	} {
		a := ask(t, e, address)
		for i := range a.Figures {
			if i < few(3, 12) || i%37 == 0 {
				listed(t, e, a, a.Figures[i].Key)
			}
		}
		for _, b := range a.Blocks {
			if b.Chart == nil {
				continue
			}
			for _, s := range b.Chart.Series {
				if len(s.Y) == 0 || len(s.Y) > len(b.Chart.X) || len(s.Lo) != len(s.Y) {
					t.Errorf("%s: a series of %d points over %d", address, len(s.Y), len(b.Chart.X))
				}
				for k := range s.Y {
					if f := a.Figures[s.Figures[k]]; f.None || f.Value != s.Y[k] {
						t.Errorf("%s: point %d is %v, its figure %+v", address, k, s.Y[k], f)
					}
				}
			}
		}
	}
}

// What does not go together is refused with its reason (SPEC C19).
func TestRetentionRefusals(t *testing.T) {
	for address, reason := range map[string]string{
		"retention?mode=bracket":                            "needs brackets",
		"retention?brackets=1-3":                            "belongs to mode=bracket",
		"retention?mode=bracket&brackets=3-1":               "is not a bracket",
		"retention?mode=bracket&brackets=1-3&intervals=5":   "intervals= has no meaning",
		"retention?unit=quarter&window=24h":                 "no fixed number of hours",
		"retention?within=30":                               "belongs to mode on-or-after",
		"retention?mode=on-or-after&within=30&eligible=all": "choose one",
		"retention?mode=onn":                                "did you mean on",
	} {
		if _, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", address, err, reason)
		}
	}
}

// Left truncation (SPEC 2): Online Retail's first days are full of old customers.
func TestLeftTruncation(t *testing.T) {
	mem, dict := reference.OnlineRetail(t)
	e := over(t, mem, dict)
	drop, keep := ask(t, e, "retention?unit=month"), ask(t, e, "retention?unit=month&truncated=keep")
	cut := drop.Figure("truncated")
	if cut == nil || cut.Value < 948 { // SPEC: 948 "new" users in the first 30 days
		t.Fatalf("left out: %+v", cut)
	}
	if d, k := drop.Figure("users"), keep.Figure("users"); d.Value+cut.Value != k.Value || k.Value != 4372 {
		t.Errorf("%v kept + %v left out, want %v = 4372", d.Value, cut.Value, k.Value)
	}
	if d, k := drop.Figure("cohort.2010-12.month.3"), keep.Figure("cohort.2010-12.month.3"); d == nil || k == nil || d.Value != k.Value {
		t.Error("a cohort's own row must not depend on what is pooled")
	}
	warned := false
	for _, w := range drop.Warnings {
		warned = warned || w.Code == "truncated"
	}
	if !warned {
		t.Error("nothing says that users are left out")
	}
}
