package main

import (
	"path/filepath"
	"testing"
)

// Each data set is opened again where it was left, and no other there.
func TestLastViewOfEachDataSet(t *testing.T) {
	dir := t.TempDir()
	a := &app{getenv: func(name string) string {
		if name == "XDG_STATE_HOME" {
			return dir
		}
		return ""
	}}
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	if got := a.lastView(one); got != "overview" {
		t.Errorf("never opened, it begins at %s", got)
	}
	a.remember(one, "user/u1")
	a.remember(two, "retention?unit=week")
	for where, want := range map[string]string{one: "user/u1", one + "/": "user/u1", two: "retention?unit=week", dir: "overview"} {
		if got := a.lastView(where); got != want {
			t.Errorf("%s is opened at %s, want %s", where, got, want)
		}
	}
	a.remember(one, "nonsense?")
	if got := a.lastView(one); got != "overview" {
		t.Errorf("an address that is none any more is opened: %s", got)
	}
}
