package stage

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/measure"
)

func proofOf(t *testing.T, m *Machine, tl *model.Timeline, asOf, i int) *Proof {
	t.Helper()
	p, err := m.NewProver().Prove(tl, epoch+model.Day(asOf), i)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProofSentences(t *testing.T) {
	evs := append(every(0, 28, 7), every(150, 150, 1)...)
	evs = append(evs, ev{151, "cancel", ""})
	m, snap := snapTest(t, growth(t, 7, 7, 60, 3), evs)
	tl := timeline(t, m, snap, "u")
	for i, want := range []struct{ sentence, near string }{
		{"Acquisition from 2024-01-01 on, the day of the first event.",
			"missing for exploration: 2 more active days and 7 more days in acquisition"},
		{"From acquisition to exploration on 2024-01-15: 3 active days since 2024-01-01 (3 are needed).",
			"missing for growth: 1 more active day and 14 more days in exploration"},
		{"From exploration to growth on 2024-01-29: 5 active days since 2024-01-01 (4 are needed), active in 4 of the last 4 blocks of 7 days (3 are needed), and the 14 days that exploration lasts at least were over.",
			"missing for maturity: 90 more days in growth"},
		{"From growth to churned on 2024-03-29: 60 days without an active day since 2024-01-29 (the limit is 60).", ""},
		{"Back from churned into exploration on 2024-05-30: active on this day.",
			"missing for growth: 3 more active days, activity in 3 of the last 4 blocks of 7 days instead of 1 and 14 more days in exploration"},
		{"From exploration to churned on 2024-05-31: a cancellation takes effect on this day.", ""},
	} {
		p := proofOf(t, m, tl, 160, i)
		if p.Sentence != want.sentence {
			t.Errorf("step %d:\n got %s\nwant %s", i, p.Sentence, want.sentence)
		}
		near := ""
		if p.Near != nil {
			near = p.Near.Plain
		}
		if near != want.near {
			t.Errorf("step %d, near:\n got %s\nwant %s", i, near, want.near)
		}
	}
	if p := proofOf(t, m, tl, 160, 1); len(p.Events) != 3 || p.Rule != "exploration/promotion" || p.Least != 7 || p.Lasted != 14 {
		t.Errorf("%+v", p)
	}
	if _, err := m.NewProver().Prove(tl, epoch+160, 6); err == nil {
		t.Error("a step that is not there was proved")
	}
}

// A proof's clauses, judged again from the numbers they show, hold; without any
// one of its deciding events the verdict can be recomputed from the rest of the
// timeline: the stage before and the rule give the stage after.
func TestProofsRecompute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snap, s := world(t, map[string][]ev{"u": randomEvents(t)})
		m := machine(t, randomModel(t), s)
		tl := timeline(t, m, snap, "u")
		asOf := epoch + 400
		var h History
		m.NewReplayer().Replay(tl, asOf, &h)
		prover := m.NewProver()
		for i, tr := range h.Transitions {
			p, err := prover.Prove(tl, asOf, i)
			if err != nil {
				t.Fatal(err)
			}
			if p.Transition != tr || p.Sentence == "" {
				t.Fatalf("proof of %+v: %+v", tr, p)
			}
			if m.entries[tr.Entry].Kind == Start {
				continue
			}
			if len(p.Clauses) == 0 {
				t.Fatalf("no clause met %s", p.When)
			}
			for _, c := range p.Clauses {
				if c.Holds == c.Not {
					t.Fatalf("clause %q did not meet the rule", c.Text)
				}
				if c.Op != "" && judge(c) != c.Holds {
					t.Fatalf("%s: %v %s %v is not %v", c.Text, c.Value, c.Op, c.Bound, c.Holds)
				}
				for _, e := range c.Events {
					if e < 0 || e >= tl.Len() || s.Cal.EventDay(tl, e) > tr.Day {
						t.Fatalf("%s cites event %d, after %s", c.Text, e, tr.Day)
					}
				}
				if c.Measure == "spell_active_days" && distinctDays(s, tl, c.Events) != int(c.Value) {
					t.Fatalf("%d active days cited by events of %d days", int(c.Value), distinctDays(s, tl, c.Events))
				}
			}
			// What came later does not matter to a proof.
			again, err := m.NewProver().Prove(cut(tl, s.Cal, tr.Day), tr.Day, i)
			if err != nil || again.Sentence != p.Sentence {
				t.Fatalf("as known on the day: %v %v, later: %v", again, err, p)
			}
		}
	})
}

func judge(c Clause) bool {
	if !c.Known {
		return false
	}
	switch c.Op {
	case "<":
		return c.Value < c.Bound
	case "<=":
		return c.Value <= c.Bound
	case ">":
		return c.Value > c.Bound
	case ">=":
		return c.Value >= c.Bound
	case "==":
		return c.Value == c.Bound
	}
	return c.Value != c.Bound
}

func distinctDays(s *measure.Schema, tl *model.Timeline, events []int) int {
	seen := map[model.Day]bool{}
	for _, i := range events {
		seen[s.Cal.EventDay(tl, i)] = true
	}
	return len(seen)
}

// Where the data hold a contract, a loss says that none is open; marks have
// words of their own.
func TestPlainWords(t *testing.T) {
	m, snap := snapTest(t, growth(t, 7, 7, 60, 3), []ev{{0, "buy", (epoch + 90).String()}})
	p := proofOf(t, m, timeline(t, m, snap, "u"), 160, 1)
	if want := "From acquisition to churned on 2024-03-31: 90 days without an active day since 2024-01-01 (the limit is 60), and no paid contract is open."; p.Sentence != want {
		t.Errorf("got %s\nwant %s", p.Sentence, want)
	}
	for _, c := range []struct {
		evs  []ev
		asOf int
		want string
	}{
		{every(0, 40, 10), 70, "silent: 30 days without an active day since 2024-02-10 (the limit is 30); late: silent for 3.0 times as long as usual for this user (2 is the limit)"},
		{every(0, 30, 30), 35, "stalled: dwell_days > max_dwell (35 > 28)"},
		{append(every(0, 69, 1), every(77, 83, 6)...), 83, "declining: 56 active days in the baseline (14 are needed), active days down to 14 % of the own rate before (under 70 %), and by chance alone so few with probability 8.6e-12 (under 0.05); fast_start: 3 of the 3 milestones of the 1-3-5 rule reached"},
	} {
		m, snap := snapTest(t, growth(t, 7, 7, 60, 3), c.evs)
		w, err := m.NewProver().Why(timeline(t, m, snap, "u"), epoch+model.Day(c.asOf))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range w.Marks {
			got = append(got, k.Name+": "+k.Plain)
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("got %s\nwant %s", s, c.want)
		}
	}
}

func TestWhy(t *testing.T) {
	m, snap := snapTest(t, growth(t, 7, 7, 60, 3), append(every(0, 28, 7), every(150, 154, 2)...))
	tl := timeline(t, m, snap, "u")
	for _, c := range []struct {
		asOf           int
		sentence, next string
		marks          []string
	}{
		{-1, "", "", nil},
		{3, "In acquisition since the first event on 2024-01-01 (3 days ago).",
			"Missing for exploration: 2 more active days and 4 more days in acquisition. Without a further active day this counts as churned on 2024-03-01.", nil},
		{60, "In growth since 2024-01-29 (32 days ago). From exploration to growth on 2024-01-29: 5 active days since 2024-01-01 (4 are needed), active in 4 of the last 4 blocks of 7 days (3 are needed), and the 14 days that exploration lasts at least were over.",
			"Missing for maturity: activity in 3 of the last 4 blocks of 7 days instead of 0 and 58 more days in growth. Without a further active day this counts as churned on 2024-03-29.",
			[]string{"silent", "late"}},
		{100, "In churned since 2024-03-29 (12 days ago). From growth to churned on 2024-03-29: 60 days without an active day since 2024-01-29 (the limit is 60).", "", []string{"late"}},
		{155, "In exploration since 2024-05-30 (5 days ago). Back from churned into exploration on 2024-05-30: active on this day.",
			"Missing for growth: 1 more active day, activity in 3 of the last 4 blocks of 7 days instead of 1 and 9 more days in exploration. Without a further active day this counts as churned on 2024-08-02.",
			[]string{"resurrected"}},
	} {
		w, err := m.NewProver().Why(tl, epoch+model.Day(c.asOf))
		if err != nil {
			t.Fatal(err)
		}
		var marks []string
		for _, k := range w.Marks {
			marks = append(marks, k.Name)
			if k.Plain == "" {
				t.Errorf("day %d: nothing says why %s", c.asOf, k.Name)
			}
		}
		if w.Sentence != c.sentence || w.Next != c.next || strings.Join(marks, " ") != strings.Join(c.marks, " ") {
			t.Errorf("day %d:\n got %s | %s | %v\nwant %s | %s | %v", c.asOf, w.Sentence, w.Next, marks, c.sentence, c.next, c.marks)
		}
		// LostOn is when a replay without further events loses the user.
		if w.LostOn != model.NoDay {
			var h History
			m.NewReplayer().Replay(cut(tl, m.schema.Cal, epoch+model.Day(c.asOf)), w.LostOn, &h)
			if h.Now() != m.Lost() || h.Since() != w.LostOn {
				t.Errorf("day %d: lost on %s, not %s", c.asOf, h.Since(), w.LostOn)
			}
		}
	}
}

func TestPopulations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := map[string][]ev{"a": randomEvents(t), "b": randomEvents(t), "c": randomEvents(t)}
		snap, s := world(t, users)
		m := machine(t, randomModel(t), s)
		from, to := epoch+50, epoch+300
		one, two := m.Populations(from, to), m.Populations(from, to)
		var hs []History
		for id := range users {
			var h History
			m.NewReplayer().Replay(timeline(t, m, snap, id), epoch+250, &h)
			hs = append(hs, h)
			if id == "a" {
				two.Add(&h)
			} else {
				one.Add(&h)
			}
		}
		one.Merge(two)
		for st := range m.stages {
			for i, got := range one.Counts(st) {
				want := int64(0)
				for k := range hs {
					if d := from + model.Day(i); d <= epoch+250 && hs[k].On(d) == st {
						want++
					}
				}
				if got != want {
					t.Fatalf("%s on day %d: %d, want %d", m.model.Stages[st].Name, i, got, want)
				}
			}
		}
	})
}

func TestEvidence(t *testing.T) {
	m, _ := preset(t)
	s := &Suggestion{First: 0, AsOf: 545, Usage: 56, Users: 23570, Regular: 7476, Gap: 162, RawGap: 162, Horizon: 272, Gaps: 44021, Open: 23570, Lost: 24548, Returned: 6030}
	ev, err := m.Evidence(s)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"56 days between active days: the median, over the 7,476 users with at least 3 active days, of their own median gap. 68 % of 23,570 users have fewer and are left out.",
		"max(7, round_even(usage)) comes to 56.",
		"162 days: by then 90 % of the returns seen within 272 days have come. Of 24,548 past silences of 162 days, 6,030 ended in a return (25 %).",
		"usage <= 14 ? 3 : 2 comes to 2.",
	}
	for i := range want {
		if ev[i].Text != want[i] {
			t.Errorf("%s:\n got %s\nwant %s", ev[i].Param, ev[i].Text, want[i])
		}
	}
	if len(ev[2].Notes) != 1 {
		t.Errorf("notes on G: %v", ev[2].Notes)
	}
	f, err := m.Freeze(s)
	if err == nil {
		f, err = f.With("G", 100)
	}
	if err == nil {
		ev, err = f.Evidence(s)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !ev[2].Set || ev[2].Value != 100 || ev[0].Set || !strings.HasPrefix(ev[2].Notes[0], "Set to 100; the data suggest 162") {
		t.Errorf("a G set by hand: %+v", ev[2])
	}
}
