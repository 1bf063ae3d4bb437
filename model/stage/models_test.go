package stage

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/measure"
)

// Models of other shapes than growth5: two stages and no loss; twelve stages in
// a chain that time alone climbs, one a day; rules over windows, shares, gaps
// and single events, with two ways into a stage and a loss by complaint.
func otherModels() []string {
	chain := "name = \"chain\"\n"
	for i := range 12 {
		chain += fmt.Sprintf("[[stage]]\nname = \"s%d\"\n[[stage.enter]]\n", i)
		if i == 0 {
			chain += "kind = \"start\"\n"
		} else {
			chain += fmt.Sprintf("kind = \"promotion\"\nfrom = [\"s%d\"]\nwhen = \"tenure_days >= %d\"\n", i-1, 5*(i/3))
		}
	}
	return []string{
		`name = "two"
[[stage]]
name = "new"
[[stage.enter]]
kind = "start"
[[stage]]
name = "known"
[[stage.enter]]
kind = "promotion"
from = ["new"]
when = "active_days(30) >= 3 or tenure_days > 200"
`, chain, `name = "windows"
[params]
beat = 10
calm = 0.2
[[stage]]
name = "visitor"
max_dwell = 30
[[stage.enter]]
kind = "start"
[[stage.enter]]
kind = "return"
from = ["gone"]
when = "count(purchase, 7) > 0 or active_days(5) >= 2"
[[stage]]
name = "buyer"
min_dwell = 3
[[stage.enter]]
kind = "promotion"
from = ["visitor"]
when = "count(purchase, 20) >= 1 and active_share(30) > calm"
[[stage]]
name = "regular"
min_dwell = "beat"
[[stage.enter]]
kind = "promotion"
from = ["buyer", "visitor"]
when = "gap_median_days <= 8 and not (overdue > 1.5) and beats_active_4 >= 2"
[[stage]]
name = "gone"
[[stage.enter]]
kind = "loss"
from = ["visitor", "buyer"]
when = "days_since(purchase) >= 40 or recency_days > 60"
[[stage.enter]]
kind = "loss"
from = ["regular"]
when = "active_days(50) == 0 or refunds(10) >= 2"
[marks]
slow = "rate_ratio < 0.5"
fresh = "dwell_days < 5 and stage != 'gone'"
high = "high_water == 'regular' and spell > 0"
`}
}

func TestOtherModelsEqualEveryDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snap, s := world(t, map[string][]ev{"u": randomEvents(t)})
		body := rapid.SampledFrom(otherModels()).Draw(t, "model")
		mod, err := Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		m := machine(t, mod, s)
		tl := timeline(t, m, snap, "u")
		asOf := epoch + model.Day(rapid.IntRange(0, 500).Draw(t, "asOf"))
		var h History
		m.NewReplayer().Replay(tl, asOf, &h)
		want := everyDay(m, tl, asOf)
		if m.days(&h) != m.days(want) || h.Marks != want.Marks || h.State != want.State {
			t.Fatalf("change days: %s %b\nevery day:   %s %b", m.days(&h), h.Marks, m.days(want), want.Marks)
		}
		p := m.NewProver()
		for i := range h.Transitions {
			if proof, err := p.Prove(tl, asOf, i); err != nil || proof.Sentence == "" {
				t.Fatalf("%+v %v", proof, err)
			}
		}
		if w, err := p.Why(tl, asOf); err != nil || (w.Sentence == "") != (len(h.Transitions) == 0) {
			t.Fatalf("%+v %v", w, err)
		}
	})
}

// One promotion a day: the chain's first three stages open together.
func TestOnePromotionADay(t *testing.T) {
	mod, err := Parse([]byte(otherModels()[1]))
	if err != nil {
		t.Fatal(err)
	}
	m, snap := snapTest(t, mod, every(0, 0, 1))
	want := "0 s0, 0 s1, 1 s2, 5 s3, 6 s4, 7 s5, 10 s6, 11 s7, 12 s8, 15 s9, 16 s10, 17 s11"
	h := replayOne(t, m, snap, "u", 30)
	if got := m.days(h); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if in := h.Intervals(nil); in[0].Stage != 1 || len(in) != 11 {
		t.Errorf("a stage left on its day has an interval: %+v", in)
	}
}

// The same events in one load or in two, the second later, give the same
// histories, and a load of one user moves no other.
func TestAppendingIsFromScratch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := map[string][]ev{"a": randomEvents(t), "b": randomEvents(t)}
		cutDay := rapid.IntRange(0, 200).Draw(t, "cut")
		early, late := map[string][]ev{}, map[string][]ev{}
		for id, evs := range users {
			for _, e := range evs {
				if e.day < cutDay {
					early[id] = append(early[id], e)
				} else {
					late[id] = append(late[id], e)
				}
			}
		}
		mod := randomModel(t)
		whole := historiesOf(t, mod, users)
		parts := historiesOf(t, mod, early, late)
		if !reflect.DeepEqual(whole, parts) {
			t.Fatalf("at once: %v\nappended: %v", whole, parts)
		}
		alone := historiesOf(t, mod, early, map[string][]ev{"a": late["a"]})
		if alone["b"] != historiesOf(t, mod, early)["b"] || alone["a"] != whole["a"] {
			t.Fatalf("a's file moved b: %v", alone)
		}
	})
}

func historiesOf(t failer, mod *Model, loads ...map[string][]ev) map[string]string {
	t.Helper()
	snap, s := worldOf(t, loads...)
	m := machine(t, mod, s)
	r := m.NewReplayer()
	out := map[string]string{}
	asOf := epoch + 600
	err := snap.Scan(background, model.Split{To: model.Buckets}, m.Filter(asOf), func(tl *model.Timeline) error {
		if !strings.HasPrefix(tl.ID, "~") {
			var h History
			r.Replay(tl, asOf, &h)
			out[tl.ID] = fmt.Sprint(m.days(&h), " ", h.Marks)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// SPEC V10 through the measures: all four users' rates drop by a third; only
// those with enough days behind them are marked.
func TestDecliningIsSignificant(t *testing.T) {
	for _, c := range []struct {
		beat         int
		base, recent int
		p            float64
		marked       bool
	}{{14, 12, 2, 0.440, false}, {40, 240, 40, 0.00002, true}} {
		w := measure.DropWindow(float64(c.beat))
		var evs []ev
		for i := range c.base {
			evs = append(evs, ev{day: i * 4 * w / c.base, name: "use"})
		}
		for i := range c.recent {
			evs = append(evs, ev{day: 4*w + i*w/c.recent, name: "use"})
		}
		m, snap := snapTest(t, growth(t, 7, float64(c.beat), 300, 3), evs)
		set, err := measure.Compile([]measure.Ref{measure.Of("base_active"), measure.Of("recent_active"), measure.Of("rate_ratio"), measure.Of("drop_p")}, m.Schema())
		if err != nil {
			t.Fatal(err)
		}
		h := replayOne(t, m, snap, "u", 5*w-1)
		cur := set.NewCursor()
		cur.Reset(timeline(t, m, snap, "u"))
		cur.At(epoch+model.Day(5*w-1), h.State)
		for i, want := range []float64{float64(c.base), float64(c.recent), 2.0 / 3, c.p} {
			if got, ok := cur.Value(i); !ok || got < want-5e-4 || got > want+5e-4 {
				t.Errorf("beat %d: %s is %v, want %v", c.beat, set.Ref(i), got, want)
			}
		}
		marked := false
		for _, k := range marksOf(m, h) {
			marked = marked || k == "declining"
		}
		if marked != c.marked {
			t.Errorf("beat %d: declining is %v", c.beat, marked)
		}
	}
}

func FuzzDecode(f *testing.F) {
	snap, s := world(f, map[string][]ev{"u": every(0, 200, 7)})
	m := machine(f, growth(f, 7, 7, 60, 3), s)
	f.Add(replayOne(f, m, snap, "u", 300).Append(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		var h History
		if _, err := m.Decode(body, &h); err == nil {
			h.Intervals(nil)
		}
	})
}
