package query_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/model/survival"
	"dwell/sample/reference"
)

// A walked life is what a user's days say when they are walked one by one.
type walked struct {
	id   string
	life survival.Life
}

// walk lives the days of all users: a user dies on the first day on which gap days
// have passed since the last day with an active event, and begins anew with the
// next one. origin says from which day the spell's time counts; ok false leaves
// the user out.
func walkLives(t *testing.T, mem *model.Memory, dict *model.Dictionary, gap, spell int, active func(name string) bool, asOf model.Day, origin func(start model.Day) model.Day) (out []walked) {
	t.Helper()
	snap, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	info := snap.Info()
	for _, split := range snap.Splits(1) {
		err := snap.Scan(context.Background(), split, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
			on := map[model.Day]bool{}
			first := model.NoDay
			for i := range tl.Time {
				d := model.UTC().EventDay(tl, i)
				if d > asOf {
					continue
				}
				if first == model.NoDay {
					first = d
				}
				if active(info.Names[tl.Name[i]].Name) {
					on[d] = true
				}
			}
			if first == model.NoDay {
				return nil
			}
			start, last, at, alive := first, first, 1, true
			died := model.NoDay
			for day := first; day <= asOf; day++ {
				if on[day] {
					if !alive {
						at++
						start, alive = day, true
					}
					last = day
				} else if alive && int(day-last) == gap {
					alive = false
					if at == spell {
						died = day
						break
					}
				}
			}
			if at < spell {
				return nil
			}
			end := asOf
			if died != model.NoDay {
				end = died
			}
			from := origin(start)
			if from < start || from > asOf || died != model.NoDay && died <= from {
				return nil
			}
			out = append(out, walked{tl.ID, survival.Life{Time: float64(end - from), Died: died != model.NoDay, Count: 1}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestSurvivalIsItsDefinition(t *testing.T) {
	own := func(start model.Day) model.Day { return start }
	anything := func(string) bool { return true }
	usual := func(name string) bool { return name == "open" || name == "buy" || name == "share" }
	for seed := range uint64(2) {
		mem, dict := randomData(t, 100+seed, 60)
		dict.Starts = "complete"
		e := over(t, mem, dict)
		last := ask(t, e, "stages").AsOf
		for _, c := range []struct {
			address string
			gap     int
			spell   int
			active  func(string) bool
			origin  func(model.Day) model.Day
			asOf    model.Day
		}{
			{"survival?gap=20&every=10", 20, 1, usual, own, last},
			{"survival?gap=35&activity=any&every=7", 35, 1, anything, own, last},
			{"survival?gap=50&activity=purchase", 50, 1, func(n string) bool { return n == "buy" }, own, last},
			{"survival?gap=15&spell=2&every=5", 15, 2, usual, own, last},
			{"survival?gap=30&age=40", 30, 1, usual, func(s model.Day) model.Day { return s + 40 }, last},
			{"survival?gap=30&landmark=2020-05-01", 30, 1, usual, func(model.Day) model.Day { return model.DayOf(2020, 5, 1) }, last},
			{"survival@2020-06-01?gap=25", 25, 1, usual, own, model.DayOf(2020, 6, 1)},
		} {
			a := ask(t, e, c.address)
			lives := walkLives(t, mem, dict, c.gap, c.spell, c.active, c.asOf, c.origin)
			if n := a.Figure("users").Value; int(n) != len(lives) {
				t.Fatalf("%s: %v users, want %d", c.address, n, len(lives))
			}
			before, prior := 1.0, -1.0
			for i := range a.Figures {
				f := &a.Figures[i]
				var day float64
				if n, _ := fmt.Sscanf(f.Key, "day.%g.survival", &day); n != 1 || !strings.HasSuffix(f.Key, ".survival") {
					continue
				}
				var risk, died, censored []string
				s, beyond := 1.0, true
				for _, x := range lives {
					if x.life.Time >= day {
						risk = append(risk, x.id)
						beyond = false
					}
					if x.life.Time <= day && x.life.Time > prior {
						if x.life.Died {
							died = append(died, x.id)
						} else {
							censored = append(censored, x.id)
						}
					}
				}
				for d := 0.0; d <= day; d++ {
					n, k := 0.0, 0.0
					for _, x := range lives {
						if x.life.Time >= d {
							n++
							if x.life.Died && x.life.Time == d {
								k++
							}
						}
					}
					if k > 0 {
						s *= 1 - k/n
					}
				}
				if f.None != beyond {
					t.Fatalf("%s %s: none is %v", c.address, f.Key, f.None)
				}
				if !f.None && math.Abs(f.Value-s) > 1e-12 {
					t.Fatalf("%s %s is %v, want %v", c.address, f.Key, f.Value, s)
				}
				if !f.None && f.Value > before {
					t.Fatalf("%s %s rises", c.address, f.Key)
				}
				if !f.None {
					before = f.Value
				}
				prior = day
				base := strings.TrimSuffix(f.Key, "survival")
				for name, want := range map[string][]string{"risk": risk, "died": died, "censored": censored, "survival": risk} {
					var got []string
					for _, u := range listed(t, e, a, base+name) {
						got = append(got, u.ID)
					}
					slices.Sort(want)
					if !slices.Equal(got, want) {
						t.Fatalf("%s %s%s lists %v, want %v", c.address, base, name, got, want)
					}
				}
			}
			if prior < 0 {
				t.Fatalf("%s has no rows", c.address)
			}
		}
	}
}

// Behaviour after the start is refused with its reason; at a landmark it is not,
// nor are properties at the start (SPEC 2, Groups made from behaviour).
func TestSurvivalRefusesBehaviourAfterTheStart(t *testing.T) {
	mem, dict := randomData(t, 3, 80)
	dict.Columns.Channel = "country"
	e := over(t, mem, dict)
	if err := e.PutSegment(context.Background(), query.Segment{Name: "busy", Rule: "active_days >= 5"}); err != nil {
		t.Fatal(err)
	}
	for address, refused := range map[string]bool{
		"survival?by=stage": true, "survival?by=active_days": true, "survival?where=active_days%20%3E%3D%203": true, "survival?segment=busy": true,
		"cox?landmark=2020-05-01&where=stage%20%3D%3D%20%22growth%22": false,
		"survival?by=stage&age=30":                                    false, "survival?by=active_days&landmark=2020-05-01": false, "survival?segment=busy&age=30": false,
		"survival?by=plan": false, "survival?by=channel": false, "survival?by=cohort": false, "survival?where=plan%20%3D%3D%20%22pro%22": false,
		"cox?on=plan,active_days": false,
	} {
		q, err := query.Parse(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		a, err := e.Answer(context.Background(), q, nil)
		switch {
		case refused && (err == nil || !strings.Contains(err.Error(), "behaviour after the start") || !strings.Contains(err.Error(), "landmark")):
			t.Errorf("%s is not refused with its reason: %v", address, err)
		case !refused && err != nil:
			t.Errorf("%s: %v", address, err)
		case !refused && !strings.Contains(a.Definition, "churns on the day on which silence reaches"):
			t.Errorf("%s does not print what churn is: %s", address, a.Definition)
		}
	}
}

// Overlapping groups are not compared by a test; disjoint ones are, and its users
// are those of both.
func TestSurvivalComparesDisjointGroups(t *testing.T) {
	mem, dict := randomData(t, 4, 120)
	e := over(t, mem, dict)
	a := ask(t, e, "survival?where=country%20%3D%3D%20%22DE%22&where=country%20%3D%3D%20%22AT%22&truncated=keep&gap=20")
	f := a.Figure("logrank.p")
	if f == nil {
		t.Fatalf("no test: %v", a.Warnings)
	}
	n := a.Figure("group.1.users").Value + a.Figure("group.2.users").Value
	if got := len(listed(t, e, a, "logrank.p")); float64(got) != n || float64(f.N) != n {
		t.Errorf("the test is of %d users, n %d, want %v", got, f.N, n)
	}
	b := ask(t, e, "survival?by=country&truncated=keep&gap=20")
	if b.Figure("logrank.p") == nil {
		t.Error("by= compares nothing")
	}
	over := ask(t, e, "survival?where=country%20%3D%3D%20%22DE%22&where=country%20%3C%20%22X%22&truncated=keep&gap=20")
	if over.Figure("logrank.p") != nil || !slices.ContainsFunc(over.Warnings, func(w query.Warning) bool { return w.Code == "overlap" }) {
		t.Errorf("overlapping groups are compared: %v", over.Warnings)
	}
}

// True entry dates: with a sign-up property time runs from it, and users count
// from the day they are first seen; nobody is dropped as truncated.
func TestSurvivalFromSignUp(t *testing.T) {
	b := &model.Batch{}
	sign := model.BatchCol{Key: "signed"}
	add := func(user string, day int, signed string) {
		b.Line = append(b.Line, int64(len(b.Time)+1))
		b.User = append(b.User, []byte(user))
		b.Time = append(b.Time, int64(model.DayOf(2020, 1, 1))*86_400_000+int64(day)*86_400_000)
		b.Event = append(b.Event, []byte("visit"))
		b.Amount = append(b.Amount, model.NoMoney)
		sign.Values = append(sign.Values, []byte(signed))
	}
	// a signed up 100 days before the data and dies on day 130 of life; b on its
	// first day in the data; c lives on.
	add("a", 0, "2019-09-23")
	add("b", 40, "2020-02-10 08:00:00")
	add("c", 0, "2019-12-22")
	add("c", 25, "")
	add("c", 50, "")
	b.Props = []model.BatchCol{sign}
	mem := model.NewMemory()
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: int64(b.Len())}, []model.SourceInfo{{Path: "a.csv", Digest: "1", Rows: int64(b.Len())}}); err != nil {
		t.Fatal(err)
	}
	e := over(t, mem, model.NewDictionary())
	a := ask(t, e, "survival@2020-03-01?gap=30&signup=signed&every=10")
	if n := a.Figure("users").Value; n != 3 {
		t.Fatalf("%v users", n)
	}
	// a is watched in (100, 130], b from 0 to day 20 (censored), c in (10, 70].
	for day, want := range map[int]float64{10: 1, 20: 2, 50: 1, 70: 1, 110: 1, 130: 1} {
		if f := a.Figure(fmt.Sprintf("day.%d.risk", day)); f == nil || f.Value != want {
			t.Errorf("day %d: %+v, want %v at risk", day, f, want)
		}
	}
	if f := a.Figure("day.130.survival"); f == nil || f.Value != 0 {
		t.Errorf("day 130: %+v", f)
	}
}

// The forecast of SPEC's data: fits and their order are there, the band holds the
// fit, and the chance of return at G is as its own analysis says.
func TestSurvivalOfOnlineRetail(t *testing.T) {
	mem, dict := reference.OnlineRetail(t)
	e := over(t, mem, dict)
	a := ask(t, e, "survival?forecast=180")
	best := math.Inf(1)
	for _, f := range survival.Families() {
		aic := a.Figure("fit." + string(f) + ".aic")
		if aic == nil {
			t.Fatalf("%s is not fitted", f)
		}
		best = math.Min(best, aic.Value)
	}
	if a.Figure("fit.lognormal.aic").Value != best {
		t.Errorf("log-normal does not fit best")
	}
	last := 1.0
	n := 0
	for i := range a.Figures {
		if f := &a.Figures[i]; strings.HasPrefix(f.Key, "forecast.") {
			n++
			if f.Value > last || f.Lo > f.Value || f.Hi < f.Value {
				t.Errorf("%s: %v in %v–%v after %v", f.Key, f.Value, f.Lo, f.Hi, last)
			}
			last = f.Value
		}
	}
	if n == 0 {
		t.Error("nothing is forecast")
	}
	r := ask(t, e, "return")
	if g := r.Figure("gap.suggested"); g.Value != 111 || !g.Interval || g.Lo > 111 || g.Hi < 111 {
		t.Errorf("suggested G: %+v", g)
	}
	// SPEC 2: the share of past churn entries that returned stands with G.
	lost, back := r.Figure("gap.lost").Value, r.Figure("gap.returned").Value
	if s := r.Figure("gap.share").Value; lost == 0 || math.Abs(s-back/lost) > 1e-12 {
		t.Errorf("%v of %v returned, share %v", back, lost, s)
	}
}

// A fitted curve's figures are explained as fitted, its median too, and from which
// day on; the observed median is not.
func TestSurvivalExplainsItsFits(t *testing.T) {
	mem, dict := randomData(t, 4, 80)
	e := over(t, mem, dict)
	q, err := query.Parse("survival?gap=20&truncated=keep")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"fit.exponential.median": "maximum likelihood with censoring over the days after day 19,",
		"fit.exponential.aic":    "maximum likelihood with censoring over the days after day 19,",
		"median":                 "the first day on which at most half",
	} {
		x, err := e.Explain(context.Background(), q, key, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(x.Lines, func(l query.ExplainLine) bool { return l.Head == "Formula" }); i < 0 || !strings.HasPrefix(x.Lines[i].Text, want) {
			t.Errorf("%s is explained by %+v, want %q", key, x.Lines, want)
		}
	}
}
