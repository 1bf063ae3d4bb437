package stage

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/sample/reference"
)

// canonical is everybody's history as JSON by names, users in order: what must
// not depend on how the events came in.
func canonical(t failer, mod *Model, loads ...map[string][]ev) string {
	t.Helper()
	type step struct {
		Day, From, To, Rule string
	}
	type life struct {
		User     string
		Steps    []step
		Variants []string
		Marks    []string
	}
	snap, s := worldOf(t, loads...)
	m := machine(t, mod, s)
	r, entries, names := m.NewReplayer(), m.Entries(), append(m.Model().Names(), "")
	asOf := epoch + 600
	var all []life
	err := snap.Scan(background, model.Split{To: model.Buckets}, m.Filter(asOf), func(tl *model.Timeline) error {
		var h History
		r.Replay(tl, asOf, &h)
		l := life{User: tl.ID}
		for _, x := range h.Transitions {
			from := ""
			if x.From != NoStage {
				from = names[x.From]
			}
			l.Steps = append(l.Steps, step{x.Day.String(), from, names[x.To], entries[x.Entry].ID})
		}
		for _, x := range h.Switches {
			l.Variants = append(l.Variants, x.Day.String()+" "+m.Variants()[x.Variant])
		}
		l.Marks = marksOf(m, &h)
		all = append(all, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b life) int { return strings.Compare(a.User, b.User) })
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// The same events in one load, in several, and in several in any order give the
// same histories, for every preset and a model with variants.
func TestAnyOrderOfLoads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := map[string][]ev{"a": randomEvents(t), "b": randomEvents(t), "c": randomEvents(t)}
		n := rapid.IntRange(2, 4).Draw(t, "loads")
		parts := make([]map[string][]ev, n)
		for i := range parts {
			parts[i] = map[string][]ev{}
		}
		for _, id := range []string{"a", "b", "c"} {
			for _, e := range users[id] {
				// Events of one day stay together: their order in the file is a fact.
				p := parts[(e.day*7+len(id))%n]
				p[id] = append(p[id], e)
			}
		}
		mod := varied(t, "contract_open")
		if preset := rapid.SampledFrom(append(Presets(), "")).Draw(t, "preset"); preset != "" {
			var err error
			if mod, _, err = Preset(preset); err != nil {
				t.Fatal(err)
			}
			if mod, err = mod.Freeze(&Suggestion{Usage: 7, Gap: 40}); err != nil {
				t.Fatal(err)
			}
		}
		want := canonical(t, mod, users)
		if got := canonical(t, mod, parts...); got != want {
			t.Fatalf("in parts: %s\nat once:  %s", got, want)
		}
		order := rapid.Permutation(parts).Draw(t, "order")
		if got := canonical(t, mod, order...); got != want {
			t.Fatalf("in another order: %s\nat once:          %s", got, want)
		}
	})
}

// On every day of CDNOW, Online Retail and the click stream each user known by then
// is in exactly one stage, under every preset, and each history runs from the first
// event to the last day without gap or overlap. (The sample has its
// own test beside it.)
func TestStagesSumToThePopulationEveryDay(t *testing.T) {
	for name, load := range map[string]loader{"cdnow": reference.CDNOW, "online_retail": reference.OnlineRetail, "ecom": reference.Ecom} {
		snap, schema := open(t, load)
		last := schema.Cal.Day(snap.Info().Last)
		sug := suggest(t, snap, schema, last)
		for _, preset := range Presets() {
			mod, _, err := Preset(preset)
			if err != nil {
				t.Fatal(err)
			}
			if mod, err = mod.Freeze(sug); err != nil {
				t.Fatal(err)
			}
			m := machine(t, mod, schema)
			pop, known := m.Populations(sug.First, last), make([]int64, last-sug.First+1)
			r := m.NewReplayer()
			var h History
			var spans []Interval
			err = snap.Scan(t.Context(), model.Split{To: model.Buckets}, m.Filter(last), func(tl *model.Timeline) error {
				r.Replay(tl, last, &h)
				pop.Add(&h)
				first := schema.Cal.EventDay(tl, 0)
				known[first-sug.First]++
				at := first
				spans = h.Intervals(spans[:0])
				for _, in := range spans {
					if in.From != at || in.To <= in.From {
						t.Errorf("%s: %s: %s: %s to %s follows %s", name, preset, tl.ID, in.From, in.To, at)
					}
					at = in.To
				}
				if at != last+1 {
					t.Errorf("%s: %s: the history of %s ends before %s", name, preset, tl.ID, at)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			sums := make([]int64, len(known))
			for s := range m.stages {
				for i, n := range pop.Counts(s) {
					sums[i] += n
				}
			}
			total := int64(0)
			for i := range known {
				if total += known[i]; sums[i] != total {
					t.Fatalf("%s: %s: on %s the stages hold %d of %d users", name, preset, sug.First+model.Day(i), sums[i], total)
				}
			}
		}
	}
}
