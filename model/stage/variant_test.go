package stage

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
)

// varied is growth5 with variants: by a property's value, by age, and by where
// the replay itself stands.
func varied(t failer, rules ...string) *Model {
	t.Helper()
	m := growth(t, 7, 7, 30, 2)
	body := string(m.Format())
	for i, rule := range rules {
		body += "\n[[variant]]\nname = \"v" + decimal(float64(i)) + "\"\nwhen = " + quote(rule) +
			"\n[variant.params]\nG = " + decimal(float64(45+15*i)) + "\nbeat = \"beat + 3\"\nneed = 3\n"
	}
	m, err := Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A subscriber is waited for longer. The variant holds from the day its rule
// holds, and moves nothing before.
func TestVariantByProperty(t *testing.T) {
	mod := varied(t, `known(paid_until)`)
	m, snap := snapTest(t, mod, []ev{{0, "use", ""}, {4, "buy", "2024-01-05"}})
	h := replayOne(t, m, snap, "u", 100)
	if got := m.days(h); got != "0 acquisition, 49 churned" {
		t.Errorf("a subscriber: %s", got)
	}
	if want := []Switch{{epoch + 4, 1}}; !reflect.DeepEqual(h.Switches, want) {
		t.Errorf("switches %v, want %v", h.Switches, want)
	}
	if v := m.Variants()[h.Variant(epoch+50)]; v != "v0" || h.Variant(epoch+3) != 0 {
		t.Errorf("on day 50 %q, on day 3 %d", v, h.Variant(epoch+3))
	}
	pr, err := m.NewProver().Prove(timeline(t, m, snap, "u"), epoch+100, 1)
	if err != nil || pr.Variant != "v0" || pr.Clauses[0].Bound != 45 || !strings.Contains(pr.Sentence, "variant v0") {
		t.Errorf("%+v %v", pr, err)
	}
	snap, schema := world(t, map[string][]ev{"u": {{0, "use", ""}, {4, "buy", ""}}, "other": {{0, "buy", "2024-01-05"}}})
	plain := machine(t, mod, schema)
	h = replayOne(t, plain, snap, "u", 100)
	if got := plain.days(h); got != "0 acquisition, 7 exploration, 34 churned" || len(h.Switches) != 0 {
		t.Errorf("anybody else: %s %v", got, h.Switches)
	}
}

func TestVariantsEqualEveryDay(t *testing.T) {
	rules := []string{"contract_open", "tenure_days >= 40", "stage == 'growth' or dwell_days > 12", "active_days(10) >= 3", "count(purchase, 30) >= 1", "spell >= 1"}
	rapid.Check(t, func(t *rapid.T) {
		snap, s := world(t, map[string][]ev{"u": randomEvents(t)})
		mod := varied(t, rapid.SliceOfNDistinct(rapid.SampledFrom(rules), 1, 3, rapid.ID).Draw(t, "rules")...)
		m := machine(t, mod, s)
		tl := timeline(t, m, snap, "u")
		asOf := epoch + model.Day(rapid.IntRange(0, 400).Draw(t, "asOf"))
		var h History
		m.NewReplayer().Replay(tl, asOf, &h)
		want := everyDay(m, tl, asOf)
		if m.days(&h) != m.days(want) || h.Marks != want.Marks || h.State != want.State || !reflect.DeepEqual(switches(&h), switches(want)) {
			t.Fatalf("change days: %s %b %v\nevery day:   %s %b %v", m.days(&h), h.Marks, h.Switches, m.days(want), want.Marks, want.Switches)
		}
		var back History
		if rest, err := m.Decode(h.Append(nil), &back); err != nil || len(rest) != 0 || m.days(&back) != m.days(&h) || back.State != h.State || !reflect.DeepEqual(switches(&back), switches(&h)) {
			t.Fatalf("kept and read back: %+v %v, was %+v", back, err, h)
		}
		// What was known on an earlier day is the history's beginning.
		day := epoch + model.Day(rapid.IntRange(0, int(asOf-epoch)).Draw(t, "day"))
		var early History
		m.NewReplayer().Replay(tl, day, &early)
		if m.StateOn(&h, day) != early.State || h.Variant(day) != early.Variant(day) {
			t.Fatalf("on day %d: %+v, was %+v", day-epoch, m.StateOn(&h, day), early.State)
		}
		p := m.NewProver()
		for i := range h.Transitions {
			pr, err := p.Prove(tl, asOf, i)
			if err != nil || pr.Variant != m.Variants()[h.Variant(pr.Day)] {
				t.Fatalf("%+v %v", pr, err)
			}
			for _, c := range pr.Clauses {
				if c.Holds == c.Not {
					t.Fatalf("step %d: the clause %+v does not speak for it", i, c)
				}
			}
		}
		if _, err := p.Why(tl, asOf); err != nil {
			t.Fatal(err)
		}
	})
}

func switches(h *History) []Switch { return append([]Switch{}, h.Switches...) }
