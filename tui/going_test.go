package tui

import (
	"strings"
	"testing"
)

// A user who is found late takes nobody away from where they went meanwhile.
func TestFoundLate(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, home)
	d.hold = true
	d.keys(":", "178", "enter")
	d.keys(":", "segments", "enter")
	d.release()
	if at := d.a.address(); at != "segments" {
		t.Errorf("one who went to segments is at %s", at)
	}
}

// What the app does for a person is stopped by esc, before esc leads out.
func TestEscStopsTheAppsOwnJobs(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, home)
	d.keys(":", "segments", "enter")
	d.hold = true
	d.keys(":", "178", "enter")
	d.shows("find 178", "esc cancels")
	d.keys("esc")
	d.shows("stopped: find 178")
	d.release()
	if at := d.a.address(); at != "segments" {
		t.Errorf("at %s", at)
	}
	for _, m := range d.a.messages {
		if m.bad && !strings.Contains(m.text, "segments") {
			t.Errorf("stopping left a message: %s", m.text)
		}
	}
	d.keys("esc")
	if at := d.a.address(); at != home {
		t.Errorf("a second esc leads to %s", at)
	}
}
