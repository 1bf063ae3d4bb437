package stage

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"dwell/model"
	"dwell/model/measure"
)

// epoch is day 0 of the hand-built histories.
var epoch = model.DayOf(2024, 1, 1)

// An ev is one event of a hand-built user, on a day counted from epoch.
type ev struct {
	day   int
	name  string
	until string // paid_until, YYYY-MM-DD
}

type failer interface {
	Helper()
	Fatal(...any)
}

// world loads users into Memory under a dictionary with every meaning that
// replay knows.
func world(t failer, users map[string][]ev) (model.Snapshot, *measure.Schema) {
	t.Helper()
	return worldOf(t, users)
}

// worldOf is world in several loads.
func worldOf(t failer, loads ...map[string][]ev) (model.Snapshot, *measure.Schema) {
	t.Helper()
	d := model.NewDictionary()
	d.Starts = "complete"
	d.Columns.PaidUntil = "paid_until"
	d.Events = map[string]string{"seen": "passive", "buy": "purchase", "cancel": "cancel", "back": "refund"}
	m := model.NewMemory()
	for n, users := range loads {
		l, err := m.Begin(background, model.LoadPlan{Zone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		b := &model.Batch{Props: []model.BatchCol{{Key: "paid_until"}}}
		if n == 0 { // the data hold every name, so that rules about them compile
			for _, name := range []string{"use", "seen", "buy", "cancel", "back"} {
				add(b, "~names", 0, name, "")
			}
		}
		for _, id := range slices.Sorted(maps.Keys(users)) {
			for _, e := range users[id] {
				add(b, id, e.day, e.name, e.until)
			}
		}
		if err := l.Add(b); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Commit(model.Quality{}, []model.SourceInfo{{Path: fmt.Sprint(n)}}); err != nil {
			t.Fatal(err)
		}
	}
	snap, err := m.Snapshot(background)
	if err != nil {
		t.Fatal(err)
	}
	s, err := measure.NewSchema(snap.Info(), d)
	if err != nil {
		t.Fatal(err)
	}
	return snap, s
}

func add(b *model.Batch, id string, day int, name, until string) {
	b.Line, b.User = append(b.Line, 1), append(b.User, []byte(id))
	b.Time = append(b.Time, (int64(epoch)+int64(day))*86_400_000+12*3_600_000)
	b.Event = append(b.Event, []byte(name))
	b.Props[0].Values = append(b.Props[0].Values, []byte(until))
}

// growth is growth5 with given numbers.
func growth(t failer, usage, beat, gap, need float64) *Model {
	t.Helper()
	m, _, err := Preset("growth5")
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]float64{"usage": usage, "beat": beat, "G": gap, "need": need} {
		if m, err = m.With(name, v); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func machine(t failer, m *Model, s *measure.Schema) *Machine {
	t.Helper()
	c, err := Compile(m, s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func timeline(t failer, m *Machine, snap model.Snapshot, id string) *model.Timeline {
	t.Helper()
	f := m.Filter(0)
	f.Until = model.NoCut
	tl, err := snap.User(background, id, f)
	if err != nil {
		t.Fatal(err)
	}
	return &tl
}

// replayOne is one user's history up to a day counted from epoch.
func replayOne(t failer, m *Machine, snap model.Snapshot, id string, asOf int) *History {
	t.Helper()
	var h History
	m.NewReplayer().Replay(timeline(t, m, snap, id), epoch+model.Day(asOf), &h)
	return &h
}

// days writes a history as "day stage, day stage …", days counted from epoch.
func (m *Machine) days(h *History) string {
	s := ""
	for i, t := range h.Transitions {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%d %s", t.Day-epoch, m.model.Stages[t.To].Name)
	}
	return s
}

// every gives use on the days from, from+step … to.
func every(from, to, step int) (out []ev) {
	for d := from; d <= to; d += step {
		out = append(out, ev{day: d, name: "use"})
	}
	return out
}

func snapTest(t *testing.T, mod *Model, evs []ev) (*Machine, model.Snapshot) {
	t.Helper()
	snap, s := world(t, map[string][]ev{"u": evs})
	return machine(t, mod, s), snap
}
