package tui

import (
	"strings"
	"testing"
)

// What a person set up on a table goes on with it through a sort, a filter and
// another day: the columns that were hidden, the column under the cursor.
func TestColumnsOutliveASort(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, "users")
	d.keys("C", "j", " ", "enter") // stage is hidden
	if strings.Contains(d.screen(), "stage") {
		t.Fatalf("the column is not hidden:\n%s", d.screen())
	}
	d.keys("l", "s")
	if got := d.a.address(); got != "users?sort=-revenue" {
		t.Fatalf("s leads to %s", got)
	}
	for _, keys := range [][]string{{"s"}, {"/", "q", "enter"}, {"<"}} {
		d.keys(keys...)
		if strings.Contains(d.screen(), "stage") {
			t.Errorf("after %v the column is back:\n%s", keys, d.screen())
		}
	}
	if got := d.a.address(); !strings.Contains(got, "sort=revenue") {
		t.Errorf("the second s leads to %s, not the other way round", got)
	}
}

// Another unit, another day: the part one looks at stays, and the cursor's cell.
func TestPartsOutliveAnotherUnit(t *testing.T) {
	d := newDriver(t, sampleEngine(), 120, 40, "retention")
	d.keys("t", "tab", "jj", "ll", "u")
	d.shows("▸ Cohorts by week", "[42.9%]", "97.0%–100.0%")
	d.keys("<")
	d.shows("▸ Cohorts by week", "▸ 2011-08-08", "[42.9%]")
}

// Keys that arrive before a table or an answer does are not lost.
func TestTypedAhead(t *testing.T) {
	for _, c := range []struct {
		address string
		keys    []string
		at      string
	}{
		{"users", []string{"jjj", "enter"}, "user/u3"},
		{"users", []string{"ll", "s"}, "users?sort=-revenue"},
		{"users", []string{"/", "anna", "enter"}, "users?find=anna"},
		{"users", []string{"j", "enter", "v", "jj", "enter"}, "user/u2"},
		{"overview", []string{"tab", "j", "enter"}, "users?where=stage%20%3D%3D%20%22exploration%22"},
		{"retention", []string{"tab", "ll", "e"}, "retention"},
		{"overview", []string{"u", "[", "j"}, "users"}, // what leads away acts at once
	} {
		d := newDriver(t, sampleEngine(), 100, 30, home)
		d.hold = true
		if c.address != home {
			d.run(d.a.goTo(c.address, true))
		} else {
			d = newDriver(t, sampleEngine(), 100, 30, "users")
			d.hold = true
			d.run(d.a.goTo(home, true))
		}
		d.keys(c.keys...)
		d.release()
		if got := d.a.address(); got != c.at {
			t.Errorf("%s, %v typed ahead: at %s, want %s", c.address, c.keys, got, c.at)
		}
		if len(d.a.ahead) > 0 {
			t.Errorf("%s: %d keys still wait", c.address, len(d.a.ahead))
		}
	}
	// Nothing acts on a failure that was meant for an answer.
	d := newDriver(t, sampleEngine(), 100, 30, home)
	d.hold = true
	d.run(d.a.goTo("users", true))
	d.keys("jj", "enter")
	d.a.s.desk.Engine.(*fakeEngine).err = errFake
	d.release()
	d.shows("This did not work")
	if len(d.a.ahead) > 0 {
		t.Error("keys wait for a table that failed")
	}
}

// A curve that begins at 100 % and stays low is drawn from its second point, and
// the screen says so; z brings the first back.
func TestLowCurve(t *testing.T) {
	e := sampleEngine()
	c := *e.answers["retention"].Blocks[0].Chart
	s := &c.Series[0]
	for k := range s.Y {
		if k > 0 {
			s.Y[k], s.Lo[k], s.Hi[k] = s.Y[k]/9, s.Y[k]/10, s.Y[k]/8
		}
	}
	d := newDriver(t, e, 80, 30, "retention")
	d.shows("from 1 on; 0 is 100% (z draws it)")
	if strings.Contains(d.screen(), "100% ┤") {
		t.Errorf("the axis still begins at 100%%:\n%s", d.screen())
	}
	d.keys("?")
	d.shows("first point in or out")
	d.keys("esc", "z")
	d.shows("100% ┤")
	d.keys("u")
	d.shows("100% ┤")
	d.keys("z")
	d.shows("0 is 100%")
}

// The smallest terminal shows activity on the overview as a line of small bars,
// and as a chart once one goes there.
func TestSmallOverviewHasItsChart(t *testing.T) {
	d := newDriver(t, sampleEngine(), 60, 20, home)
	d.shows("Active users a day", "▇")
	d.keys("tab", "tab")
	d.shows("▸ Active users a day", "┤")
}
