package stage

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
)

var background = context.Background()

// The archetypes of SPEC part 2: golden cases.
func TestArchetypes(t *testing.T) {
	year := func(d int) string { return (epoch + model.Day(d)).String() }
	for _, c := range []struct {
		name  string
		usage float64
		beat  float64
		gap   float64
		evs   []ev
		asOf  int
		want  string
	}{
		{"daily user", 7, 7, 60, every(0, 200, 1), 200,
			"0 acquisition, 7 exploration, 21 growth, 111 maturity"},
		{"weekly user", 7, 7, 60, every(0, 203, 7), 203,
			"0 acquisition, 14 exploration, 28 growth, 118 maturity"},
		{"monthly buyer in a monthly shop", 40, 40, 162, every(0, 240, 30), 240,
			"0 acquisition, 30 exploration, 80 growth, 170 maturity"},
		{"one-time buyer", 40, 40, 162, every(0, 0, 1), 400,
			"0 acquisition, 162 churned"},
		{"annual subscriber", 7, 7, 60, []ev{{0, "buy", year(365)}}, 364,
			"0 acquisition"},
		{"annual subscriber who does not renew", 7, 7, 60, []ev{{0, "buy", year(365)}}, 400,
			"0 acquisition, 365 churned"},
		{"annual subscriber who cancels", 7, 7, 60, append([]ev{{0, "buy", year(365)}, {100, "cancel", ""}}, every(300, 400, 10)...), 370,
			"0 acquisition, 310 exploration, 324 growth, 365 churned, 370 exploration"},
		{"active on the day silence falls due", 7, 7, 60, append(every(0, 0, 1), every(60, 60, 1)...), 119,
			"0 acquisition"},
		{"cancels though active that day", 7, 7, 60, []ev{{0, "use", ""}, {5, "use", ""}, {5, "cancel", ""}}, 10,
			"0 acquisition, 5 churned"},
		{"comes back", 7, 7, 60, append(every(0, 20, 1), every(100, 118, 1)...), 118,
			"0 acquisition, 7 exploration, 21 growth, 80 churned, 100 exploration, 114 growth"},
		{"only messages received", 7, 7, 60, []ev{{0, "seen", ""}, {70, "seen", ""}}, 80,
			"0 acquisition, 60 churned"},
		{"never", 7, 7, 60, []ev{{90, "use", ""}}, 80, ""},
	} {
		need := 3.0
		if c.usage > 14 {
			need = 2
		}
		m, snap := snapTest(t, growth(t, c.usage, c.beat, c.gap, need), c.evs)
		if got := m.days(replayOne(t, m, snap, "u", c.asOf)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func marksOf(m *Machine, h *History) (out []string) {
	for i, name := range m.Marks() {
		if h.Marked(i) {
			out = append(out, name)
		}
	}
	return out
}

func TestMarks(t *testing.T) {
	for _, c := range []struct {
		name string
		evs  []ev
		asOf int
		want []string
	}{
		{"silent and late", every(0, 40, 10), 70, []string{"silent", "late"}},
		{"stalled", every(0, 30, 30), 35, []string{"stalled"}},
		{"declining", append(every(0, 69, 1), every(77, 83, 6)...), 83, []string{"declining", "fast_start"}},
		{"long mature", every(0, 500, 1), 500, []string{"long_mature", "fast_start"}},
		{"resurrected", append(every(0, 4, 1), every(100, 104, 1)...), 104, []string{"fast_start", "resurrected"}},
		{"steady", every(0, 60, 3), 60, []string{"fast_start"}},
	} {
		m, snap := snapTest(t, growth(t, 7, 7, 60, 3), c.evs)
		h := replayOne(t, m, snap, "u", c.asOf)
		if got := marksOf(m, h); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: marks %v, want %v", c.name, got, c.want)
		}
	}
}

// randomEvents draws a life of bursts and silences.
func randomEvents(t *rapid.T) (evs []ev) {
	day := rapid.IntRange(0, 5).Draw(t, "first")
	for range rapid.IntRange(1, 40).Draw(t, "n") {
		e := ev{day: day, name: rapid.SampledFrom([]string{"use", "use", "use", "use", "buy", "seen", "back", "cancel"}).Draw(t, "name")}
		if e.name == "buy" && rapid.Bool().Draw(t, "paid") {
			e.until = (epoch + model.Day(day+rapid.IntRange(0, 90).Draw(t, "until"))).String()
		}
		evs = append(evs, e)
		day += rapid.SampledFrom([]int{0, 1, 1, 2, 3, 5, 7, 7, 9, 14, 29, 30, 31, 40, 70}).Draw(t, "gap")
	}
	return evs
}

func randomModel(t *rapid.T) *Model {
	return growth(t, 7, float64(rapid.IntRange(7, 20).Draw(t, "beat")), float64(rapid.IntRange(20, 60).Draw(t, "G")), float64(rapid.IntRange(1, 3).Draw(t, "need")))
}

// everyDay is the slow, obvious replay: no day is skipped.
func everyDay(m *Machine, tl *model.Timeline, asOf model.Day) *History {
	r, h := m.NewReplayer(), &History{}
	r.begin(tl, asOf, h)
	for day := r.cur.NextEvent(); day <= asOf; day++ {
		r.day(day, h)
	}
	r.finish(asOf, h)
	return h
}

func TestReplayEqualsEveryDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snap, s := world(t, map[string][]ev{"u": randomEvents(t)})
		m := machine(t, randomModel(t), s)
		tl := timeline(t, m, snap, "u")
		asOf := epoch + model.Day(rapid.IntRange(0, 500).Draw(t, "asOf"))
		var h History
		m.NewReplayer().Replay(tl, asOf, &h)
		want := everyDay(m, tl, asOf)
		if m.days(&h) != m.days(want) || h.Marks != want.Marks || h.State != want.State {
			t.Fatalf("change days: %s %b\nevery day:   %s %b", m.days(&h), h.Marks, m.days(want), want.Marks)
		}
		// Due: without further events nothing happens before it, and a day later
		// than it would have been noticed by the replay of every day.
		past := everyDay(m, cut(tl, s.Cal, asOf), asOf+400)
		if n := len(h.Transitions); n > 0 && len(past.Transitions) > n && past.Transitions[n].Day < h.Due {
			t.Fatalf("due on %d, but moved on %d", h.Due-epoch, past.Transitions[n].Day-epoch)
		}
	})
}

// cut leaves out what came after a day.
func cut(tl *model.Timeline, cal *model.Calendar, last model.Day) *model.Timeline {
	c := &model.Timeline{ID: tl.ID, Props: make([]model.Column, len(tl.Props))}
	for i := range tl.Time {
		if cal.EventDay(tl, i) > last {
			continue
		}
		c.Time, c.Name = append(c.Time, tl.Time[i]), append(c.Name, tl.Name[i])
		if tl.Amount != nil {
			c.Amount = append(c.Amount, tl.Amount[i])
		}
		for k := range tl.Props {
			c.Props[k].Codes = append(c.Props[k].Codes, tl.Props[k].Codes[i])
		}
	}
	return c
}

// An oracle is growth5 written out by hand over sets of days, without measures,
// rules or replay: own oracle.
func oracle(evs []ev, beat, gap, need, asOf int, until func(string) int) (out string) {
	stages := []string{"acquisition", "exploration", "growth", "maturity", "churned"}
	least := []int{7, 14, 90, 0, 0}
	first := evs[0].day
	for _, e := range evs {
		first = min(first, e.day)
	}
	stage, since, spell := -1, first, first
	move := func(d, to int) {
		if stage >= 0 {
			out += ", "
		}
		stage, since = to, d
		out += fmt.Sprintf("%d %s", d, stages[to])
	}
	for d := first; d <= asOf; d++ {
		active := func(from, to int) (n int) {
			for x := max(from, spell); x <= to; x++ {
				for _, e := range evs {
					if e.day == x && (e.name == "use" || e.name == "buy") {
						n++
						break
					}
				}
			}
			return n
		}
		last, end, cancelled := first, -1, false
		for _, e := range evs { // in time order
			if e.day > d {
				break
			}
			if e.name == "use" || e.name == "buy" {
				last = e.day
			}
			if e.until != "" {
				end = until(e.until)
			}
			if e.name == "cancel" && max(e.day, end) == d {
				cancelled = true
			}
		}
		beats := 0
		for k := range 4 {
			if active(d-(k+1)*beat+1, d-k*beat) > 0 {
				beats++
			}
		}
		if stage < 0 {
			move(d, 0)
		}
		if stage == 4 && last == d && active(d, d) > 0 {
			spell = d
			move(d, 1)
			beats = 1
		}
		if stage != 4 && (d-last >= gap || cancelled) && d >= end {
			move(d, 4)
		}
		if stage < 3 && d-since >= least[stage] {
			all := active(spell, d)
			switch {
			case stage == 0 && all >= need, stage == 1 && all >= need+1 && beats >= 3, stage == 2 && beats >= 3:
				move(d, stage+1)
			}
		}
	}
	return out
}

func TestReplayEqualsOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evs := randomEvents(t)
		snap, s := world(t, map[string][]ev{"u": evs})
		mod := randomModel(t)
		m := machine(t, mod, s)
		asOf := rapid.IntRange(0, 400).Draw(t, "asOf")
		v := mod.values()
		want := oracle(evs, int(v["beat"]), int(v["G"]), int(v["need"]), asOf, func(d string) int {
			day, err := model.ParseDay(d)
			if err != nil {
				t.Fatal(err)
			}
			return int(day - epoch)
		})
		if got := m.days(replayOne(t, m, snap, "u", asOf)); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

// Intervals are gap-free; later events change no earlier day; the stage on each
// earlier day is that of a replay as of that day; bytes and back are the same.
func TestHistoryLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evs := randomEvents(t)
		snap, s := world(t, map[string][]ev{"u": evs})
		m := machine(t, randomModel(t), s)
		tl := timeline(t, m, snap, "u")
		r := m.NewReplayer()
		var h, earlier, again History
		asOf := epoch + model.Day(rapid.IntRange(0, 400).Draw(t, "asOf"))
		r.Replay(tl, asOf, &h)
		at := model.NoDay
		for i, in := range h.Intervals(nil) {
			if in.To <= in.From || i > 0 && in.From != at {
				t.Fatalf("interval %+v after %d", in, at)
			}
			at = in.To
		}
		if len(h.Transitions) > 0 && at != asOf+1 {
			t.Fatalf("intervals end on %d, want %d", at, asOf+1)
		}
		day := epoch + model.Day(rapid.IntRange(0, int(asOf-epoch)).Draw(t, "earlier"))
		r.Replay(cut(tl, s.Cal, day), day, &earlier)
		if got, want := h.On(day), earlier.Now(); got != want {
			t.Fatalf("on day %d: %d by the long history, %d as known then", day-epoch, got, want)
		}
		if got := m.StateOn(&h, day); got != earlier.State {
			t.Fatalf("state on day %d: %+v, as known then %+v", day-epoch, got, earlier.State)
		}
		for i, tr := range earlier.Transitions {
			if h.Transitions[i] != tr {
				t.Fatalf("transition %d: %+v later became %+v", i, tr, h.Transitions[i])
			}
		}
		rest, err := m.Decode(h.Append(nil), &again)
		if err != nil || len(rest) != 0 || !reflect.DeepEqual(norm(h), norm(again)) {
			t.Fatalf("decoded %+v %v, want %+v", again, err, h)
		}
	})
}

func norm(h History) History {
	h.Transitions = append([]Transition{}, h.Transitions...)
	return h
}

// Without cancellations and contracts, churned is gap churn at G.
func TestChurnedIsGapChurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var evs []ev
		for _, e := range randomEvents(t) {
			if e.name != "cancel" {
				evs = append(evs, ev{day: e.day, name: e.name})
			}
		}
		if len(evs) == 0 {
			return
		}
		snap, s := world(t, map[string][]ev{"u": evs})
		mod := randomModel(t)
		m := machine(t, mod, s)
		h := replayOne(t, m, snap, "u", 400)
		last := evs[0].day
		for d, i := evs[0].day, 0; d <= 400; d++ {
			for ; i < len(evs) && evs[i].day <= d; i++ {
				if evs[i].name == "use" || evs[i].name == "buy" {
					last = evs[i].day
				}
			}
			if churned := h.On(epoch+model.Day(d)) == m.Lost(); churned != (float64(d-last) >= mod.values()["G"]) {
				t.Fatalf("day %d, silent since %d, G %g: churned is %v", d, last, mod.values()["G"], churned)
			}
		}
	})
}

func TestReplayAllocatesNothing(t *testing.T) {
	m, snap := snapTest(t, growth(t, 7, 7, 60, 3), append(every(0, 200, 3), every(300, 400, 7)...))
	tl := timeline(t, m, snap, "u")
	r := m.NewReplayer()
	var h History
	r.Replay(tl, epoch+500, &h)
	if n := testing.AllocsPerRun(20, func() { r.Replay(tl, epoch+500, &h) }); n > 0 {
		t.Errorf("%v allocations a user", n)
	}
}
