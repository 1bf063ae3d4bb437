package measure_test

import (
	"fmt"
	"math"
	"sort"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/measure"
)

var names = []string{"open", "purchase", "push", "refund", "cancel", "complain", "share", "invite", "finish"}

// testInfo is a data version whose properties have every form.
func testInfo() *model.Info {
	in := &model.Info{Amounts: true, Dated: true, Keys: []model.KeyInfo{
		{Name: "plan", Values: []string{"", "free", "pro"}},
		{Name: "score", Values: []string{"", "3", "-1.25", "x", "1e3"}},
		{Name: "order", Values: []string{"", "o1", "o2", "o3"}},
		{Name: "note", Plain: true},
		{Name: "paid_until", Values: []string{"", "2024-03-20", "2024-04-02", "never", "2024-03-12"}},
		{Name: "period", Values: []string{"", "month", "10"}},
	}}
	for _, n := range names {
		in.Names = append(in.Names, model.NameInfo{Name: n})
	}
	return in
}

func testSchema(t interface{ Fatal(...any) }, zone string, columns model.Columns) *measure.Schema {
	d := model.NewDictionary()
	d.Zone, d.Columns = zone, columns
	d.Events = map[string]string{"purchase": "purchase", "push": "passive", "refund": "refund", "cancel": "cancel",
		"complain": "complaint", "share": "social", "invite": "invite", "finish": "key+feedback"}
	s, err := measure.NewSchema(testInfo(), d)
	if err != nil {
		t.Fatal(err)
	}
	return s.WithModel(map[string]float64{"beat": 7, "G": 30}, []string{"a", "b", "c"})
}

// isPro is the Where of these tests: plan == "pro".
type isPro struct{}

func (isPro) String() string    { return `plan == "pro"` }
func (isPro) Columns() []string { return []string{"plan"} }
func (isPro) Amounts() bool     { return false }
func (isPro) Match(tl *model.Timeline, cols []int, i int) bool {
	return tl.Props[cols[0]].Codes[i] == 2
}

// allRefs names every user measure of the registry in every shape it has.
func allRefs() (out []measure.Ref) {
	for _, f := range measure.Families() {
		if f.Kind == measure.Population {
			continue
		}
		subjects := []measure.Ref{{Name: f.Name}}
		switch {
		case f.Takes&measure.NeedsKey != 0:
			subjects = []measure.Ref{{Name: f.Name, Key: "plan"}, {Name: f.Name, Key: "score"}, {Name: f.Name, Key: "note"}}
			if f.Takes&measure.TakesAmount != 0 {
				subjects = append(subjects, measure.Ref{Name: f.Name, Key: measure.Amount})
			}
			if f.Name == "distinct" {
				subjects = append(subjects, measure.Ref{Name: f.Name, Key: measure.EventName})
			}
		case f.Takes&measure.NeedsEvent != 0:
			subjects = []measure.Ref{{Name: f.Name, Event: "purchase"}, {Name: f.Name, Role: model.Refund}, {Name: f.Name, Role: model.Use}}
		case f.Takes&measure.TakesEvent != 0:
			subjects = append(subjects, measure.Ref{Name: f.Name, Event: "open"}, measure.Ref{Name: f.Name, Role: model.Purchase})
		}
		for _, r := range subjects {
			out = append(out, r)
			if f.Takes&measure.TakesWhere != 0 {
				w := r
				w.Where = isPro{}
				out = append(out, w)
			}
			if f.Takes&measure.TakesDays != 0 {
				for _, days := range []int{1, 7, 30} {
					w := r
					w.Days = days
					out = append(out, w)
				}
			}
		}
	}
	return out
}

// drawTimeline makes a user of the first months of 2024: bursts and silences,
// dates alone among times, around the clock changes of the zones drawn.
func drawTimeline(t *rapid.T) *model.Timeline {
	in := testInfo()
	n := rapid.IntRange(1, 40).Draw(t, "events")
	type event struct {
		at    int64
		dated bool
	}
	at := int64(model.DayOf(2024, 2, 20)) * 86_400_000
	evs := make([]event, n)
	for i := range evs {
		at += rapid.OneOf(rapid.Int64Range(0, 2*3_600_000), rapid.Int64Range(0, 3*86_400_000), rapid.Int64Range(0, 40*86_400_000)).Draw(t, "gap")
		evs[i] = event{at: at, dated: rapid.IntRange(0, 3).Draw(t, "dated") == 0}
		if evs[i].dated {
			evs[i].at -= at % 86_400_000
		}
	}
	sort.SliceStable(evs, func(i, j int) bool { return evs[i].at < evs[j].at })
	tl := &model.Timeline{ID: "u", IDs: []string{"u"}, Props: make([]model.Column, len(in.Keys))}
	for _, e := range evs {
		tl.Time = append(tl.Time, e.at)
		tl.Dated = append(tl.Dated, e.dated)
		tl.Name = append(tl.Name, model.NameID(rapid.IntRange(0, len(names)-1).Draw(t, "name")))
		m := model.NoMoney
		if rapid.Bool().Draw(t, "paid") {
			m = model.Money(rapid.Int64Range(-50_000_000, 50_000_000).Draw(t, "amount"))
		}
		tl.Amount = append(tl.Amount, m)
		for k := range in.Keys {
			c := &tl.Props[k]
			if in.Keys[k].Plain {
				c.Plain = append(c.Plain, rapid.SampledFrom([]string{"", "", "p", "q", "2.5"}).Draw(t, "plain"))
			} else {
				c.Codes = append(c.Codes, uint32(max(0, rapid.IntRange(-2, len(in.Keys[k].Values)-1).Draw(t, "code"))))
			}
		}
	}
	return tl
}

func drawSchema(t *rapid.T) *measure.Schema {
	zone := rapid.SampledFrom([]string{"UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland"}).Draw(t, "zone")
	cols := rapid.SampledFrom([]model.Columns{{}, {Order: "order", PaidUntil: "paid_until"}, {Order: "order", Period: "period", Score: "score"}}).Draw(t, "columns")
	s := testSchema(t, zone, cols)
	if rapid.Bool().Draw(t, "declared") {
		weight := rapid.Float64Range(-3, 3)
		s.Dict.Affinity = model.Affinity{HalfLife: rapid.Float64Range(1, 400).Draw(t, "half"), Invite: weight.Draw(t, "invite"), Complaint: weight.Draw(t, "complaint"), NPS: weight.Draw(t, "nps"),
			Events: map[string]float64{"open": weight.Draw(t, "open"), "share": weight.Draw(t, "share")}}
	}
	return s
}

// drawState is where a replay might stand: nowhere, or in a spell since some
// event's day.
func drawState(t *rapid.T, s *measure.Schema, tl *model.Timeline, day model.Day) measure.State {
	if rapid.Bool().Draw(t, "unstaged") {
		return measure.State{}
	}
	from := model.NoDay
	for i := range tl.Time {
		if d := s.Cal.EventDay(tl, i); d <= day && (from == model.NoDay || rapid.Bool().Draw(t, "return")) {
			from = d
		}
	}
	if from == model.NoDay {
		return measure.State{}
	}
	since := from + model.Day(rapid.IntRange(0, int(day-from)).Draw(t, "since"))
	return measure.State{Stage: rapid.IntRange(0, 2).Draw(t, "stage"), Since: since, SpellFrom: from,
		Spell: 1, High: rapid.IntRange(0, 2).Draw(t, "high"), MaxDwell: rapid.SampledFrom([]int{0, 28}).Draw(t, "max")}
}

func compile(t interface{ Fatal(...any) }, refs []measure.Ref, s *measure.Schema) *measure.Cursor {
	set, err := measure.Compile(refs, s)
	if err != nil {
		t.Fatal(err)
	}
	f := model.Filter{Amounts: true}
	for _, k := range s.Info.Keys {
		f.Columns = append(f.Columns, k.Name)
	}
	cur, err := set.NewCursorFor(f)
	if err != nil {
		t.Fatal(err)
	}
	return cur
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

func TestEveryFamilyEqualsTheSlowVersion(t *testing.T) {
	refs := allRefs()
	rapid.Check(t, func(t *rapid.T) {
		s, tl := drawSchema(t), drawTimeline(t)
		cur := compile(t, refs, s)
		for range 2 { // the second user on a cursor must not see the first
			cur.Reset(tl)
			day := model.DayOf(2024, 2, 18)
			for range rapid.IntRange(1, 12).Draw(t, "days") {
				day += model.Day(rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 60)).Draw(t, "step"))
				st := drawState(t, s, tl, day)
				cur.At(day, st)
				w := newSlow(s, tl, day, st)
				for i, r := range refs {
					if rapid.IntRange(0, 7).Draw(t, "skip") == 0 { // values are lazy: not asking must not matter
						continue
					}
					got, ok := cur.Value(i)
					want, wok := w.value(r)
					if ok != wok || ok && !near(got, want) {
						t.Fatalf("%s on %s = %v %v, want %v %v; zone %s, times %v, dated %v, names %v, amounts %v, orders %v", r, day, got, ok, want, wok, s.Cal.Zone, tl.Time, tl.Dated, tl.Name, tl.Amount, tl.Props[2].Codes)
					}
					if f := cur.Set().Family(i); ok && f.Whole && got != math.Trunc(got) {
						t.Fatalf("%s = %v is declared whole", r, got)
					}
				}
			}
			tl = drawTimeline(t)
		}
	})
}

func TestLaterEventsChangeNothing(t *testing.T) {
	refs := allRefs()
	rapid.Check(t, func(t *rapid.T) {
		s, tl := drawSchema(t), drawTimeline(t)
		day := model.DayOf(2024, 2, 20) + model.Day(rapid.IntRange(0, 200).Draw(t, "day"))
		st := drawState(t, s, tl, day)
		cut := &model.Timeline{ID: "u", Props: make([]model.Column, len(tl.Props))}
		for i := range tl.Time {
			if !s.Cal.Cut(day).Allows(tl.Time[i], tl.IsDated(i)) {
				continue
			}
			cut.Time, cut.Dated = append(cut.Time, tl.Time[i]), append(cut.Dated, tl.IsDated(i))
			cut.Name, cut.Amount = append(cut.Name, tl.Name[i]), append(cut.Amount, tl.Amount[i])
			for k, p := range tl.Props {
				if p.Plain != nil {
					cut.Props[k].Plain = append(cut.Props[k].Plain, p.Plain[i])
				} else {
					cut.Props[k].Codes = append(cut.Props[k].Codes, p.Codes[i])
				}
			}
		}
		a, b := compile(t, refs, s), compile(t, refs, s)
		a.Reset(tl)
		b.Reset(cut)
		for d := day - 20; d <= day; d += 4 {
			a.At(d, st) // the path of days must not matter either
		}
		a.At(day, st)
		b.At(day, st)
		for i, r := range refs {
			x, xok := a.Value(i)
			y, yok := b.Value(i)
			if x != y || xok != yok || a.Text(i) != b.Text(i) && cur(a, i).Type == measure.Text {
				t.Fatalf("%s on %s = %v %v with later events, %v %v without", r, day, x, xok, y, yok)
			}
		}
	})
}

func cur(c *measure.Cursor, i int) measure.Family { return c.Set().Family(i) }

func TestDriftAnnouncesEveryChange(t *testing.T) {
	refs := allRefs()
	rapid.Check(t, func(t *rapid.T) {
		s, tl := drawSchema(t), drawTimeline(t)
		cur := compile(t, refs, s)
		cur.Reset(tl)
		first := s.Cal.EventDay(tl, 0)
		st := drawState(t, s, tl, first+1)
		cur.At(first+1, st)
		type line struct {
			from, next model.Day
			v, slope   float64
			known      bool
		}
		lines := make([]line, len(refs))
		for day := first + 1; day < first+250; day++ {
			event := cur.NextEvent() == day
			cur.At(day, st)
			for i, r := range refs {
				v, known := cur.Value(i)
				if l := &lines[i]; day == first+1 || event || day >= l.next {
					next, slope := cur.Drift(i)
					if next <= day {
						t.Fatalf("%s on %s changes next on %s", r, day, next)
					}
					*l = line{day, next, v, slope, known}
				} else if want := l.v + l.slope*float64(day-l.from); known != l.known || known && !near(v, want) {
					t.Fatalf("%s on %s = %v %v; said on %s: %v %v, slope %v until %s", r, day, v, known, l.from, l.v, l.known, l.slope, l.next)
				}
			}
		}
	})
}

// V10 of SPEC 3: the arithmetic of the 30 % rule.
func TestDropP(t *testing.T) {
	for _, tt := range []struct {
		base, baseDays, recent, days int
		want, within                 float64
	}{
		{3, 28, 2, 28, 0.50, 0.005},
		{60, 100, 40, 100, 0.0035, 0.00005},
		{12, 112, 2, 28, 0.440, 0.0005},
		{240, 320, 40, 80, 0.00002, 0.000005},
		{14, 112, 0, 28, 0.037, 0.0005}, // R2.14: 14 → 0 at w = 28
		{0, 28, 0, 28, 1, 0},
		{28, 28, 28, 28, 1, 0},
	} {
		got := measure.DropP(tt.base, tt.baseDays, tt.recent, tt.days)
		if math.Abs(got-tt.want) > tt.within {
			t.Errorf("DropP(%d of %d, %d of %d) = %.6f, want %v", tt.base, tt.baseDays, tt.recent, tt.days, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		bd, rd := rapid.IntRange(1, 300).Draw(t, "baseDays"), rapid.IntRange(1, 300).Draw(t, "days")
		b, r := rapid.IntRange(0, bd).Draw(t, "base"), rapid.IntRange(0, rd).Draw(t, "recent")
		if got, want := measure.DropP(b, bd, r, rd), hyper(b, bd, r, rd); math.Abs(got-want) > 1e-9*max(want, 1e-9) {
			t.Fatalf("DropP(%d of %d, %d of %d) = %g, want %g", b, bd, r, rd, got, want)
		}
	})
}

func TestRegistry(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range measure.Families() {
		if seen[f.Name] {
			t.Errorf("%s is declared twice", f.Name)
		}
		seen[f.Name] = true
		if f.Definition == "" || f.Definition[len(f.Definition)-1] != '.' || f.Source == "" || f.Kept == "" {
			t.Errorf("%s lacks a definition (one sentence), a source or how it is kept", f.Name)
		}
		if (f.Kind == measure.Population) != (f.Ranks.Name != "") {
			t.Errorf("%s: a population measure names what it ranks, and no other does", f.Name)
		}
	}
	for name, want := range map[string]string{"revenue_90": "revenue 90", "active_days_28": "active_days 28", "beats_active_4": "beats_active_4 0",
		"milestones_135": "milestones_135 0", "count_30": " 0", "revenue_090": " 0", "revenue_": " 0", "revenue_7_30": " 0", "tenure_days_3": " 0"} {
		f, days, _ := measure.Lookup(name)
		if got := fmt.Sprint(f.Name, " ", days); got != want {
			t.Errorf("Lookup(%s) = %q, want %q", name, got, want)
		}
	}
}
