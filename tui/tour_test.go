package tui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"dwell/model/query"
)

// A tour reaches every kind of screen and what lies over them, and changes
// nothing that people have made.
func TestTour(t *testing.T) {
	e := realEngine(t)
	dict, before, err := e.Dictionary()
	if err != nil || dict == nil {
		t.Fatal(err)
	}
	found, err := e.Find(context.Background(), "u", 1)
	if err != nil || len(found) == 0 {
		t.Fatalf("no user: %v", err)
	}
	tour := Tour{Sizes: [][2]int{{80, 24}, {200, 60}}, User: found[0].ID, hurried: true,
		Only: []string{"users", "user", "segments", "events", "rows"}}
	all, err := tour.Run(context.Background(), &Desk{Engine: e, Name: "toy", Now: fixedNow})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]*ScreenFrames{}
	for _, f := range all {
		seen[f.Screen] = f
	}
	for _, want := range append(tour.Only, "row", "users behind a figure", "(palette)", "(options)", "(line)", "(columns)", "(choices)", "(dictionary)", "(text over a screen)") {
		switch f := seen[want]; {
		case f == nil:
			t.Errorf("%s was never shown", want)
		case len(f.Took) == 0 || len(f.Bytes) > 0 && f.Bytes[0] == 0:
			t.Errorf("%s: %d messages, bytes %v", want, len(f.Took), f.Bytes)
		}
	}
	if _, after, err := e.Dictionary(); err != nil || string(after) != string(before) {
		t.Errorf("the dictionary was changed: %v", err)
	}
	if s, err := e.Segments(); err != nil || len(s) > 0 {
		t.Errorf("segments were saved: %v, %v", s, err)
	}
	if _, err := (&Tour{Sizes: tour.Sizes, Only: []string{"nonsense"}}).Run(context.Background(), &Desk{Engine: e, Now: fixedNow}); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("an unknown screen gave %v", err)
	}
}

// Every analysis has its stop, a single row among them.
func TestTourStops(t *testing.T) {
	e := realEngine(t)
	found, err := e.Find(context.Background(), "u", 1)
	if err != nil || len(found) == 0 {
		t.Fatalf("no user: %v", err)
	}
	tour := Tour{User: found[0].ID}
	stops, err := tour.stops(context.Background(), &Desk{Engine: e, Now: fixedNow})
	if err != nil {
		t.Fatal(err)
	}
	for i, sp := range query.Specs() {
		if i >= len(stops) || stops[i].address != sp.Name && !strings.HasPrefix(stops[i].address, sp.Name+"/") && !strings.HasPrefix(stops[i].address, sp.Name+"?") {
			t.Fatalf("stop %d is not of %s", i, sp.Name)
		}
		q, err := query.Parse(stops[i].address)
		if err != nil {
			t.Errorf("%s: %v", stops[i].address, err)
		} else if _, err := e.Answer(context.Background(), q, nil); sp.Name == "row" && err != nil {
			t.Errorf("%s: %v", stops[i].address, err)
		}
		tour.Only = []string{sp.Name}
		if one, err := tour.stops(context.Background(), &Desk{Engine: e, Now: fixedNow}); err != nil || len(one) != 1 {
			t.Errorf("%s alone: %v, %v", sp.Name, one, err)
		}
	}
	for name := range keysOf {
		if !slices.ContainsFunc(query.Specs(), func(sp query.Spec) bool { return sp.Name == name }) {
			t.Errorf("there are keys of %s, which is no analysis", name)
		}
	}
	tour = Tour{Only: []string{"users", "row"}} // and nobody to open
	if _, err := tour.stops(context.Background(), &Desk{Engine: e, Now: fixedNow}); err == nil || !strings.Contains(err.Error(), "row") {
		t.Errorf("a row of nobody gave %v", err)
	}
}

// A tour that is stopped gives what it has seen.
func TestTourCutShort(t *testing.T) {
	e := realEngine(t)
	ctx, stop := context.WithCancel(context.Background())
	tour := Tour{Sizes: [][2]int{{80, 24}}, hurried: true, Only: []string{"overview", "segments", "users"}}
	tour.Note = func(address string) {
		if address == "segments" {
			stop()
		}
	}
	all, err := tour.Run(ctx, &Desk{Engine: e, Name: "toy", Now: fixedNow})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped tour gave %v", err)
	}
	seen := map[string]bool{}
	for _, f := range all {
		seen[f.Screen] = len(f.Took) > 0
	}
	if !seen["overview"] {
		t.Errorf("a tour stopped at its second screen has seen %v", seen)
	}
}

// The renderer's own rules: what has not changed costs a line feed.
func TestSentBytes(t *testing.T) {
	was := []string{"head", "row 1", "row 2", "foot"}
	if same, one := sent(was, was, 5), sent(was, []string{"head", "row 1", "ROW 2", "foot"}, 5); one-same != len("ROW 2")+1 {
		t.Errorf("a line of the whole width costs %d bytes more than none", one-same)
	}
}
