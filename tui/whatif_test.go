package tui

import (
	"context"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
	"dwell/model/query"
)

// A countingEngine counts what it is asked.
type countingEngine struct {
	Engine
	answers, whatifs int
}

func (c *countingEngine) Answer(ctx context.Context, q query.Query, p query.Progress) (*query.Answer, error) {
	c.answers++
	return c.Engine.Answer(ctx, q, p)
}

func (c *countingEngine) WhatIf(ctx context.Context, q query.Query, p query.Progress) (*query.Subject, error) {
	c.whatifs++
	return c.Engine.WhatIf(ctx, q, p)
}

// manyEngine is the real engine over people enough to train a churn model: some
// act every other day until they stop for good, others once a fortnight.
func manyEngine(t testing.TB) *query.Engine {
	t.Helper()
	rnd := rand.New(rand.NewSource(11))
	var rows []modeltest.Row
	begin := model.DayOf(2023, 1, 2)
	for u := range 300 {
		day, gap := begin+model.Day(rnd.Intn(360)), 2+6*(u%2)
		for day < begin+400 {
			at := int64(day)*86_400_000 + int64(rnd.Intn(86_400))*1000
			r := modeltest.Row{User: fmt.Sprintf("u%03d", u), Time: at, Event: "use", Amount: model.NoMoney, Props: map[string]string{"plan": []string{"free", "pro"}[u%2]}}
			if rnd.Intn(6) == 0 {
				r.Event, r.Amount = "purchase", model.Money(1+rnd.Intn(50))*model.Unit
			}
			rows = append(rows, r)
			if rnd.Intn(20) == 0 {
				break
			}
			day += model.Day(1 + rnd.Intn(2*gap))
		}
	}
	mem := model.NewMemory()
	plan := model.LoadPlan{Sources: []model.SourceInfo{{Path: "events.csv"}}, Zone: "UTC", At: fixedNow().UnixMilli()}
	if _, err := modeltest.Load(t, mem, plan, rows, 1); err != nil {
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

// A nudge redraws probability and bars at once, without the engine; what is tried
// is in the address, and all of it can be taken back.
func TestWhatIfSliders(t *testing.T) {
	e := &countingEngine{Engine: manyEngine(t)}
	q, err := query.Parse("churn?folds=1&gap=30&horizon=30")
	if err != nil {
		t.Fatal(err)
	}
	list, err := e.Users(t.Context(), q, "scored", nil)
	if err != nil || len(list.Users) == 0 {
		t.Fatal(list, err)
	}
	address := "whatif/" + list.Users[0].ID + "?folds=1&gap=30&horizon=30"
	for _, size := range [][2]int{{60, 20}, {80, 24}, {120, 40}, {200, 60}} {
		d := newDriver(t, e, size[0], size[1], address)
		d.shows("probability", "base rate", "○ as it is", "├", "┤100%")
		d.fits()
		e.answers, e.whatifs = 0, 0
		before := d.screen()
		d.keys("L", "j", "H", "l")
		d.fits()
		d.shows("→")
		if d.screen() == before || e.answers+e.whatifs > 0 {
			t.Errorf("after nudges the screen is the same, or the engine was asked %d times:\n%s", e.answers+e.whatifs, d.screen())
		}
		if got := strings.Count(d.a.address(), "set="); got != 2 {
			t.Errorf("the address has %d of two values: %s", got, d.a.address())
		}
		at := d.a.address()
		other := newDriver(t, e, size[0], size[1], at)
		if a, b := line(other.screen(), "probability"), line(d.screen(), "probability"); a != b {
			t.Errorf("opened by its address it shows\n%s\nnot\n%s", a, b)
		}
		for range 30 { // to the ends of everything
			d.keys("H", "j")
		}
		d.keys("backspace")
		if d.a.address() != address || line(d.screen(), "probability") != line(before, "probability") {
			t.Errorf("taken back it shows %s\n%s", d.a.address(), d.screen())
		}
		d.keys("L", "0")
		if d.a.address() != address {
			t.Errorf("0 leaves %s", d.a.address())
		}
		d.keys("?")
		d.shows("less")
		d.keys("esc", "e")
		d.shows("explain part.")
		d.keys("esc", "esc")
		if d.a.crashed != "" {
			t.Fatal(d.a.crashed)
		}
	}
}

// line is the first line of a screen that holds a text.
func line(screen, text string) string {
	for _, l := range strings.Split(screen, "\n") {
		if strings.Contains(l, text) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}
