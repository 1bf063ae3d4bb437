package tui

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/modeltest"
	"dwell/model/query"
)

// realEngine is the real engine over a small data set in memory: forty people of
// different habits over three hundred days, with wide and right-to-left ids.
func realEngine(t testing.TB) *query.Engine {
	t.Helper()
	rnd := rand.New(rand.NewSource(7))
	var rows []modeltest.Row
	begin := model.DayOf(2023, 1, 2)
	for u := range 40 {
		id := fmt.Sprintf("u%02d", u)
		switch u {
		case 5:
			id = "用户五"
		case 6:
			id = "משתמש"
		case 7:
			id = "tab\tand\x1b[2J"
		}
		day := begin + model.Day(rnd.Intn(120))
		for end := begin + 300; day < end; day += model.Day(1 + rnd.Intn(3+u)) {
			at := int64(day)*86_400_000 + int64(rnd.Intn(86_400))*1000
			r := modeltest.Row{User: id, Time: at, Event: []string{"use", "open", "purchase", "complaint"}[rnd.Intn(20)%4], Amount: model.NoMoney,
				Props: map[string]string{"plan": []string{"free", "pro", ""}[u%3]}}
			if r.Event == "purchase" {
				r.Amount = model.Money(1+rnd.Intn(50)) * model.Unit
			}
			rows = append(rows, r)
			if u > 30 && rnd.Intn(12) == 0 {
				break // gone for good
			}
		}
	}
	mem := model.NewMemory()
	plan := model.LoadPlan{Sources: []model.SourceInfo{{Path: "events.csv"}}, Zone: "UTC", At: fixedNow().UnixMilli()}
	if _, err := modeltest.Load(t, mem, plan, rows, 1); err != nil {
		t.Fatal(err)
	}
	dict := model.NewDictionary()
	dict.Events = map[string]string{"purchase": "purchase", "complaint": "complaint"}
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	e, err := query.New(mem, mem, mem, query.Options{Workers: 1, Now: fixedNow})
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

// addresses are one question of every analysis.
func addresses() (out []string) {
	ids := map[string]string{"user": "u03", "event": "purchase", "property": "plan"}
	for _, sp := range query.Specs() {
		if sp.Name == "compare" || sp.Name == "reconcile" {
			continue // they must be told what to compare
		}
		a := sp.Name
		if sp.ID == query.NeedsID {
			a += "/" + ids[sp.Name]
		}
		out = append(out, a)
	}
	return out
}

// Every analysis is answered on screen, fits every size, and leads on from
// every part of it without a fault.
func TestEveryAnalysisOnScreen(t *testing.T) {
	e := realEngine(t)
	for i, address := range addresses() {
		for k, size := range [][2]int{{60, 20}, {80, 24}, {120, 40}, {200, 60}} {
			if testing.Short() && k != i%4 {
				continue // each at one size, all sizes among them
			}
			d := newDriver(t, e, size[0], size[1], address)
			if strings.Contains(d.screen(), "did not work") && address != "churn" {
				t.Errorf("%s failed:\n%s", address, d.screen())
			}
			d.fits()
			for range 12 {
				d.keys("enter")
				if d.a.mode == modeChoice {
					d.keys("1")
				}
				d.fits()
				if d.a.mode == modePager {
					d.keys("esc")
				}
				if d.a.address() != d.a.hist[0].address && d.a.at > 0 {
					d.keys("esc")
				}
				d.keys("e", "esc", "j", "l", "tab")
			}
			if d.a.crashed != "" {
				t.Fatalf("%s: %s", address, d.a.crashed)
			}
		}
	}
}

// Whatever is pressed, nothing faults, nothing overflows, no job is forgotten.
func TestAnyKeys(t *testing.T) {
	e := realEngine(t)
	keys := strings.Split("j k h l g G 0 $ s e t i x y Y u m W n N b f v S D d C o r R L K E c a w ? / : [ ] 1 2 3", " ")
	keys = append(keys, " ", "tab", "enter", "enter", "enter", "esc", "esc", "up", "down", "left", "right", "pgdown", "backspace", "stage", "jjj")
	for seed := range int64(6) {
		rnd := rand.New(rand.NewSource(seed))
		d := newDriver(t, e, 80, 24, home, func(o *Options, _ *Desk) { o.ASCII = seed%2 == 1 })
		for step := range 400 {
			if step%60 == 0 {
				d.send(tea.WindowSizeMsg{Width: 50 + rnd.Intn(120), Height: 18 + rnd.Intn(40)})
			}
			k := keys[rnd.Intn(len(keys))]
			d.keys(k)
			d.fits()
			if d.a.crashed != "" {
				t.Fatalf("seed %d, step %d, key %q: %s", seed, step, k, d.a.crashed)
			}
			if len(d.a.s.jobs.live) > 0 {
				t.Fatalf("seed %d, step %d: a job was never run", seed, step)
			}
			if t.Failed() {
				t.Fatalf("seed %d, step %d, key %q at %s", seed, step, k, d.a.address())
			}
		}
	}
}

// A segment typed on screen counts what its list holds, and can be saved.
func TestSegmentOnScreen(t *testing.T) {
	e := realEngine(t)
	d := newDriver(t, e, 100, 30, "segments")
	d.keys("n", `stage != "churned"`)
	shown := ""
	for _, l := range strings.Split(d.screen(), "\n") {
		if strings.Contains(l, " of 40 ") {
			shown = strings.Fields(strings.TrimLeft(l, " ="))[0]
		}
	}
	if shown == "" {
		t.Fatalf("no count as one types:\n%s", d.screen())
	}
	d.send(tea.KeyMsg{Type: tea.KeyCtrlS})
	d.keys("alive", "enter")
	d.shows("segment alive is saved")
	d.keys(":users?segment=alive", "enter")
	d.shows("1/" + shown)
	d.keys(":segments", "enter", "n", "stag = 3")
	d.shows("!")
}

// The dictionary shows what a change does before it is saved, and saves it.
func TestDictionaryOnScreen(t *testing.T) {
	e := realEngine(t)
	d := newDriver(t, e, 100, 40, "events")
	d.keys("d", "jjjj", "enter")
	d.shows("[x]", "purchase")
	d.keys("esc")
	for i := 0; i < 100 && !strings.Contains(d.screen(), "▸ event    purchase"); i++ {
		d.keys("j")
	}
	d.keys("enter", " ", "down", " ", "enter")
	d.shows("changed, not saved", "→")
	d.keys("w")
	d.shows("the dictionary is saved")
	dict, _, err := e.Dictionary()
	if err != nil || dict.Events["purchase"] != "refund" {
		t.Errorf("saved %v, %v", dict.Events, err)
	}
}

// The stage numbers show what a change does, and are confirmed with one key.
func TestModelOnScreen(t *testing.T) {
	e := realEngine(t)
	d := newDriver(t, e, 100, 40, home)
	d.keys("m")
	d.shows("suggested, not confirmed")
	d.keys("jj", "enter")
	d.send(tea.KeyMsg{Type: tea.KeyCtrlU})
	d.keys("20", "enter")
	d.shows("1 change, not in force", "users move", "churned")
	d.keys("p") // the same as a screen of its own, and back
	d.shows("Who moves", "From the stage now")
	d.keys("esc")
	d.shows("1 change, not in force")
	d.keys("w", "lost sooner", "enter")
	d.shows("in force as version 2") // 1 is the preset, to come back to
	m, err := e.Model(t.Context(), nil)
	if err != nil || !m.Confirmed {
		t.Fatalf("confirmed %v, %v", m, err)
	}
	for _, p := range m.Params {
		if p.Name == "G" && p.Value != 20 {
			t.Errorf("G is %v after 20 was confirmed", p.Value)
		}
	}
	// Undone changes leave nothing; another model is looked at, then taken.
	d.keys("enter")
	d.send(tea.KeyMsg{Type: tea.KeyCtrlU})
	d.keys("nonsense", "enter")
	d.shows("there is no number")
	d.keys("u")
	d.shows("confirmed")
	log, err := e.ModelLog("growth5")
	if err != nil || len(log) != 2 || log[0].Note != "lost sooner" || log[1].Note != "the preset, in force until then" {
		t.Errorf("versions %+v, %v", log, err)
	}
	d.keys("m")
	d.shows("what would another model do?", "activity4, 4 stages")
	d.keys("1")
	d.shows("growth5 by another model")
	d.keys("w", "by activity", "enter")
	d.shows("in force as version 1")
	if m, err = e.Model(t.Context(), nil); err != nil || m.Name != "activity4" {
		t.Errorf("in force is %s, %v", m.Name, err)
	}
}

// A key moves the as-of day by a day, a week, a month; the address has it, and
// every screen stands on it.
func TestTimeTravel(t *testing.T) {
	e := realEngine(t)
	data, err := e.Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := newDriver(t, e, 100, 30, "stages")
	d.keys(">")
	d.shows("this is the last day")
	d.keys("<")
	if want := "stages@" + (data.AsOf - 1).String(); d.a.address() != want {
		t.Errorf("a day earlier is %s, want %s", d.a.address(), want)
	}
	d.keys("{{", "}")
	if want := "stages@" + (data.AsOf - 8).String(); d.a.address() != want {
		t.Errorf("two weeks earlier and one later is %s, want %s", d.a.address(), want)
	}
	d.keys("(")
	d.shows("nothing later is read")
	d.keys("@")
	if d.a.address() != "stages" {
		t.Errorf("the last day is %s", d.a.address())
	}
	for _, address := range addresses() {
		d := newDriver(t, e, 100, 30, address)
		d.keys("(", "<")
		if !strings.Contains(d.a.address(), "@2023-") || strings.Contains(d.screen(), "fault") {
			t.Errorf("%s: a month and a day earlier is %s:\n%s", address, d.a.address(), d.screen())
		}
	}
}

func TestTravelled(t *testing.T) {
	day := func(m time.Month, d int) model.Day { return model.DayOf(2023, m, d) }
	for _, c := range []struct {
		from model.Day
		unit model.PeriodUnit
		n    int
		want model.Day
	}{
		{day(5, 31), model.Monthly, -1, day(4, 30)},
		{day(3, 31), model.Monthly, -1, day(2, 28)},
		{day(1, 15), model.Monthly, -1, model.DayOf(2022, 12, 15)},
		{day(5, 31), model.Weekly, -1, day(5, 24)},
		{day(6, 1), model.Daily, -1, day(5, 31)},
		{day(6, 29), model.Daily, 1, model.NoDay}, // the last day itself
		{day(6, 1), model.Monthly, 1, model.NoDay},
	} {
		if got := travelled(c.from, day(6, 30), c.unit, c.n); got != c.want {
			t.Errorf("%s by %d %s is %s, want %s", c.from, c.n, c.unit, got, c.want)
		}
	}
}

// Sorting a list changes its address and keeps the cursor on its user.
func TestSortKeepsTheUser(t *testing.T) {
	d := newDriver(t, realEngine(t), 120, 40, "users")
	d.keys("jjjjj")
	who := strings.Split(d.a.screen().(*tableScreen).Yank(), "\t")[0]
	d.keys("lll", "s")
	if !strings.Contains(d.a.address(), "sort=") {
		t.Errorf("s leaves the address at %s", d.a.address())
	}
	if now := strings.Split(d.a.screen().(*tableScreen).Yank(), "\t")[0]; now != who {
		t.Errorf("the cursor went from %s to %s", who, now)
	}
	d.keys("/", "u0", "enter")
	if !strings.Contains(d.a.address(), "find=u0") {
		t.Errorf("the filter leaves the address at %s", d.a.address())
	}
	d.shows("1/7") // u00 to u09 without the three of other names
}
