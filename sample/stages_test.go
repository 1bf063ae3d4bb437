package sample_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stage"
	"dwell/sample"
)

// meant is what a stage of growth5 is meant to hold of the generator's phases:
// acquisition and exploration those who have no habit yet, growth and maturity
// those who have one and those whose habit fades (SPEC D2: falling frequency is a
// mark, not a stage), churned the dead. Who is away, alive and silent, is where no
// stage means them to be, and counts against every stage.
var meant = [5][]sample.Phase{
	{sample.Curious, sample.Trying}, {sample.Curious, sample.Trying},
	{sample.Settled, sample.Devoted, sample.Fading}, {sample.Settled, sample.Devoted, sample.Fading},
	{sample.Gone},
}

// A seen is one user on one day.
type seen struct {
	stage   int
	phase   sample.Phase
	silence model.Day
}

// agreement is the share, by stage, of users whose latent phase is one that the
// stage is meant to hold, and of all.
func agreement(all []seen) (by [5]float64, whole float64) {
	var n, yes [5]float64
	for _, s := range all {
		n[s.stage]++
		if slices.Contains(meant[s.stage], s.phase) {
			yes[s.stage]++
			whole++
		}
	}
	for i := range by {
		by[i] = yes[i] / max(n[i], 1)
	}
	return by, whole / float64(len(all))
}

// byRecency puts the users of one day into stages by recency alone, as many into
// each as the stages hold: the most silent are churned, then come acquisition,
// exploration, growth, and maturity for those who came last.
func byRecency(day []seen) []seen {
	var n [5]int
	for _, s := range day {
		n[s.stage]++
	}
	out := slices.Clone(day)
	slices.SortStableFunc(out, func(a, b seen) int { return cmp.Compare(b.silence, a.silence) })
	at := 0
	for _, st := range []int{4, 0, 1, 2, 3} {
		for range n[st] {
			out[at].stage = st
			at++
		}
	}
	return out
}

// compiled is a preset with the numbers that the data suggest.
func compiled(t *testing.T, name string, schema *measure.Schema, sug *stage.Suggestion) *stage.Machine {
	t.Helper()
	m, _, err := stage.Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.Freeze(sug); err != nil {
		t.Fatal(err)
	}
	machine, err := stage.Compile(m, schema)
	if err != nil {
		t.Fatal(err)
	}
	return machine
}

// holds checks a preset on the sample: on every day its stages hold everybody known
// by then once, and no history has a gap or an overlap.
func holds(t *testing.T, name string, snap model.Snapshot, schema *measure.Schema, sug *stage.Suggestion) {
	t.Helper()
	m := compiled(t, name, schema, sug)
	last := sug.AsOf
	first := schema.Cal.Day(snap.Info().First)
	pop, known := m.Populations(first, last), make([]int64, last-first+1)
	r := m.NewReplayer()
	var h stage.History
	var spans []stage.Interval
	err := snap.Scan(context.Background(), model.Split{To: model.Buckets}, m.Filter(last), func(tl *model.Timeline) error {
		r.Replay(tl, last, &h)
		pop.Add(&h)
		at := schema.Cal.EventDay(tl, 0)
		known[at-first]++
		spans = h.Intervals(spans[:0])
		for _, in := range spans {
			if in.From != at || in.To <= in.From {
				t.Errorf("%s: %s: %s to %s follows %s", name, tl.ID, in.From, in.To, at)
			}
			at = in.To
		}
		if at != last+1 {
			t.Errorf("%s: the history of %s ends before %s", name, tl.ID, at)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for i := range known {
		total += known[i]
		sum := int64(0)
		for s := range m.Model().Stages {
			sum += pop.Counts(s)[i]
		}
		if sum != total {
			t.Fatalf("%s: on %s the stages hold %d of %d users", name, first+model.Day(i), sum, total)
		}
	}
}

// Every preset holds on the sample. The stages of growth5, with the numbers that it suggests from the data, against
// the phases of life that the generator drew and no analysis sees; and the same
// for stages of equal size made from recency alone. README quotes the figures.
func TestStagesAgainstTheTruth(t *testing.T) {
	ctx := context.Background()
	mem := quillpad(t)
	snap, err := mem.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	set, _, err := sample.Open("quillpad")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := measure.NewSchema(snap.Info(), set.Dictionary)
	if err != nil {
		t.Fatal(err)
	}
	last := schema.Cal.Day(snap.Info().Last)
	all := model.Split{To: model.Buckets}
	sug := stage.NewSuggester(schema, last)
	if err := snap.Scan(ctx, all, sug.Filter(), func(tl *model.Timeline) error { sug.Add(tl); return nil }); err != nil {
		t.Fatal(err)
	}
	suggested := sug.Suggest()
	for _, name := range stage.Presets() {
		holds(t, name, snap, schema, suggested)
	}
	machine := compiled(t, stage.Default, schema, suggested)
	m := machine.Model()
	// Before merges an id is a user: the anonymous id of the time before sign-up
	// falls silent though its person goes on, so ids under which people act count.
	_, truth := sample.Generate(sample.Seed)
	people := map[string]*sample.Person{}
	for i := range truth.People {
		people[truth.People[i].ID] = &truth.People[i]
	}
	first := schema.Cal.Day(truth.From)
	var days []model.Day
	for _, pct := range []int{40, 50, 60, 70, 80, 90, 100} {
		days = append(days, first+model.Day(int(last-first)*pct/100))
	}
	byDay := make([][]seen, len(days))
	r := machine.NewReplayer()
	var h stage.History
	var active []model.Day
	err = snap.Scan(ctx, all, machine.Filter(last), func(tl *model.Timeline) error {
		p := people[tl.ID]
		if p == nil {
			return nil
		}
		r.Replay(tl, last, &h)
		active = active[:0]
		for i := range tl.Time {
			if schema.Roles.Of(tl.Name[i], tl.Amount[i]).Active() {
				active = append(active, schema.Cal.EventDay(tl, i))
			}
		}
		for k, d := range days {
			s := h.On(d)
			if s == stage.NoStage {
				continue
			}
			// The last active day, the first event while there is none.
			from := h.Transitions[0].Day
			if at, _ := slices.BinarySearch(active, d+1); at > 0 {
				from = active[at-1]
			}
			byDay[k] = append(byDay[k], seen{s, p.PhaseAt((int64(d)+1)*86_400_000 - 1), d - from})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var staged, recent []seen
	for _, d := range byDay {
		staged = append(staged, d...)
		recent = append(recent, byRecency(d)...)
	}
	var phases [5]map[sample.Phase]int
	for _, s := range staged {
		if phases[s.stage] == nil {
			phases[s.stage] = map[sample.Phase]int{}
		}
		phases[s.stage][s.phase]++
	}
	got, whole := agreement(staged)
	rule, wholeRule := agreement(recent)
	for i, name := range m.Names() {
		n, parts := 0, []string{}
		for _, c := range phases[i] {
			n += c
		}
		for _, p := range []sample.Phase{sample.Curious, sample.Trying, sample.Settled, sample.Devoted, sample.Fading, sample.Away, sample.Gone} {
			parts = append(parts, fmt.Sprintf("%s %.1f", p, 100*float64(phases[i][p])/float64(max(n, 1))))
		}
		t.Logf("%-12s %5d user days: agrees %.1f %%, by recency alone %.1f %%; %s %%", name, n, 100*got[i], 100*rule[i], strings.Join(parts, ", "))
	}
	t.Logf("all: %.1f %%, by recency alone %.1f %%", 100*whole, 100*wholeRule)
	// Stages are worth having if each of the living tells more of where a life
	// stands than silence does, and the two that follow a habit hold mostly those
	// who have one. Exploration is the weak one: half of those in it have formed
	// their habit already or are dead, and fall silent only now.
	for i, least := range []float64{0.5, 0.2, 0.8, 0.9, 0.94} {
		if got[i] < least || got[i] < rule[i] {
			t.Errorf("%s agrees with the latent phase in %.1f %% of user days: at least %.0f %% and recency's %.1f %% are to be held", m.Names()[i], 100*got[i], 100*least, 100*rule[i])
		}
	}
	if whole < wholeRule+0.02 {
		t.Errorf("the stages agree in %.1f %% of user days, recency alone in %.1f %%", 100*whole, 100*wholeRule)
	}
}
