package tui

import (
	"strings"
	"testing"

	"dwell/tui/format"
)

// From home the questions of value and risk are one key away, and those of value
// from one another, about the same users.
func TestWaysToValue(t *testing.T) {
	for keys, want := range map[string]string{
		"V": "value", "T": "targets", "N": "forecast", "K": "churn",
		"Vf": "rfm", "Vd": "revenue", "Vp": "expected", "Vb": "tiers", "Vm": "mrr", "Vn": "forecast", "Vfv": "value", "Kw": "targets",
	} {
		d := newDriver(t, sampleEngine(), 100, 30, home)
		for _, k := range keys {
			d.keys(string(k))
		}
		if got := d.a.address(); got != want {
			t.Errorf("%s leads to %s, want %s", keys, got, want)
		}
	}
	d := newDriver(t, sampleEngine(), 100, 30, "value@2011-06-01?days=7&segment=pro&currency=EUR")
	d.keys("f")
	if got, want := d.a.address(), "rfm@2011-06-01?currency=EUR&segment=pro"; got != want {
		t.Errorf("f leads to %s, want %s", got, want)
	}
}

// However many keys a screen has, the line of keys fits and ends with the one that
// shows them all.
func TestLineOfKeysEndsWithHelp(t *testing.T) {
	for _, address := range []string{home, "value", "user/17850", "users"} {
		for _, w := range []int{60, 80, 200} {
			d := newDriver(t, sampleEngine(), w, 24, address)
			line := d.a.helpLine()
			if !strings.Contains(line, "? help") || format.Width(line) > w {
				t.Errorf("%s at %d: %q", address, w, line)
			}
		}
	}
}
