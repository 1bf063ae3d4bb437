package tui

import (
	"strings"
	"testing"
)

func TestOverviewScreens(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {60, 20}, {200, 60}} {
		d := newDriver(t, sampleEngine(), size[0], size[1], "overview")
		d.fits()
		d.shows("4,372", "maturity")
		t.Log("\n" + d.screen())
	}
}

func TestRetentionScreens(t *testing.T) {
	d := newDriver(t, sampleEngine(), 80, 24, "retention")
	t.Log("\n" + d.screen())
	d.keys("tab", "j", "j", "l")
	t.Log("\n" + d.screen())
	d.keys("enter")
	t.Log("\n" + d.screen())
	d.keys("esc", ":", "ret")
	t.Log("\n" + d.screen())
	if strings.Contains(d.screen(), "panic") {
		t.Fail()
	}
}
