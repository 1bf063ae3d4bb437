package tui

import (
	"strings"
	"testing"
)

// Moving the number to contact redraws hits, misses and gain at once; what is
// listed then is exactly so many users, and the rest of the answer follows.
func TestContactSliders(t *testing.T) {
	e := &countingEngine{Engine: manyEngine(t)}
	address := "targets?folds=1&gap=30&horizon=30"
	for _, size := range [][2]int{{60, 20}, {80, 24}, {200, 60}} {
		d := newDriver(t, e, size[0], size[1], address)
		d.shows("to contact", "hits", "missed", "expected gain")
		d.fits()
		before := line(d.screen(), "hits")
		d.hold = true // the rest of the answer waits
		d.keys("l", "l", "l", "j", "l", "j", "L")
		if got := line(d.screen(), "hits"); got == before {
			t.Errorf("nothing is drawn anew: %s", got)
		}
		d.fits()
		for _, key := range []string{"contact=", "success=", "cost="} {
			if !strings.Contains(d.a.address(), key) {
				t.Errorf("%s is not in %s", key, d.a.address())
			}
		}
		e.answers = 0
		d.release()
		if e.answers != 1 {
			t.Errorf("after the sliders rested the engine was asked %d times, want once", e.answers)
		}
		v := d.a.screen().(*sliderScreen)
		if f := v.ans.Figure("contact"); f == nil || f.Value != v.sliders.Slides[slideContact].Now {
			t.Errorf("the answer below is of %+v, the slider at %v", f, v.sliders.Slides[slideContact].Now)
		}
		shown := v.sliders.Slides[slideContact].Text
		d.keys("g", "enter")
		d.shows("1/" + shown)
		d.keys("esc", "backspace")
		if got := line(d.screen(), "hits"); got != before {
			t.Errorf("taken back it shows %s, not %s", got, before)
		}
		if d.a.crashed != "" {
			t.Fatal(d.a.crashed)
		}
	}
}
