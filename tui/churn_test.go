package tui

import (
	"strings"
	"testing"
)

// A trained model is kept by a name from the screen that trained it; the list of
// saved models opens, renames and removes it, and the options offer its name.
func TestSavedModels(t *testing.T) {
	e := manyEngine(t)
	for _, size := range [][2]int{{60, 20}, {80, 24}, {200, 60}} {
		d := newDriver(t, e, size[0], size[1], "churn?folds=1&gap=30&horizon=30")
		d.keys("ctrl+s", "A", "u", "g", "enter")
		d.shows(`saved as "Aug"`)
		d.keys("v")
		d.shows("Aug", "logistic")
		d.fits()
		d.keys("n", "backspace", "t", "enter")
		d.shows("Aut", `is called "Aut" now`)
		d.keys("enter")
		if got := d.a.address(); got != "churn?saved=Aut" {
			t.Fatalf("enter leads to %s", got)
		}
		d.keys("ctrl+s")
		d.shows("is a saved model already")
		d.keys("o")
		for range 40 {
			d.keys("j")
			if strings.Contains(line(d.screen(), "▸"), "saved") {
				break
			}
		}
		d.keys("right")
		d.keys("right")
		d.shows("‹ Aut ›")
		d.keys("esc", "esc", "D")
		d.shows("No model has been saved")
		d.keys("esc", "w")
		if got := d.a.address(); !strings.HasPrefix(got, "targets?") || strings.Contains(got, "folds") {
			t.Errorf("w leads to %s", got)
		}
		if d.a.crashed != "" {
			t.Fatal(d.a.crashed)
		}
	}
}
