package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
)

// seenOf is what a reader sees of a data set: its description and every event,
// by name.
func seenOf(t *testing.T, s *Store) (model.Info, string) {
	t.Helper()
	snap, err := s.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	in := snap.Info()
	return *in, strings.Join(modeltest.Dump(t, snap, modeltest.AllColumns(in)), "")
}

func physical(t *testing.T, s *Store) int {
	t.Helper()
	snap, err := s.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	return len(snap.(*snapshot).view.loads)
}

func loadN(t *testing.T, d modeltest.Dataset, n int) model.LoadInfo {
	t.Helper()
	info, err := modeltest.Load(t, d, loadPlan(n), loadRows(n), 1)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// Merged, a data set is the same to every reader: events, names, numbering,
// loads with their reports, and version; and the next load finds its equal rows.
func TestCompactChangesNothing(t *testing.T) {
	d, twin := open(t, Options{}), open(t, Options{})
	for n := 1; n <= 5; n++ {
		loadN(t, d, n)
		loadN(t, twin, n)
	}
	old, err := d.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	merged, err := d.Compact(context.Background())
	if err != nil || merged != 5 || physical(t, d.Store) != 1 {
		t.Fatalf("merged %d into %d: %v", merged, physical(t, d.Store), err)
	}
	mustCheck(t, d.Store)
	same := func(what string) {
		t.Helper()
		got, events := seenOf(t, d.Store)
		want, wantEvents := seenOf(t, twin.Store)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the description is %+v, want %+v", what, got, want)
		}
		if events != wantEvents {
			t.Errorf("%s: the events differ", what)
		}
	}
	same("merged")
	// A reader that began before goes on with what it saw.
	if got := strings.Join(modeltest.Dump(t, old, modeltest.AllColumns(old.Info())), ""); got == "" {
		t.Error("the snapshot from before is empty")
	} else if _, now := seenOf(t, d.Store); got != now {
		t.Error("the snapshot from before has changed")
	}
	old.Close()
	d.Reopen(t)
	same("reopened")
	if _, err := modeltest.Load(t, d, loadPlan(2), loadRows(2), 1); !errors.Is(err, model.ErrKnownSource) {
		t.Errorf("a merged file is loaded again: %v", err)
	}
	a, b := loadN(t, d, 6), loadN(t, twin, 6)
	if a.Quality.Already != b.Quality.Already || a.Quality.Stored != b.Quality.Stored {
		t.Errorf("the load after stored %d, already %d; want %d, %d", a.Quality.Stored, a.Quality.Already, b.Quality.Stored, b.Quality.Already)
	}
	if merged, err := d.Compact(context.Background()); err != nil || merged != 2 {
		t.Fatalf("merged again %d: %v", merged, err)
	}
	for n := 7; n <= 8; n++ {
		loadN(t, d, n)
		loadN(t, twin, n)
	}
	if n := physical(t, d.Store); n != 3 {
		t.Errorf("%d loads in the store, want 3", n)
	}
	in, _ := seenOf(t, d.Store)
	for i, l := range in.Loads {
		if i > 0 && l.ID <= in.Loads[i-1].ID || in.Sources[i].Load != i {
			t.Errorf("load %d has id %d, its source says %d", i, l.ID, in.Sources[i].Load)
		}
	}
	_, got := seenOf(t, d.Store)
	if _, want := seenOf(t, twin.Store); got != want {
		t.Error("after two mergings the events differ")
	}
}

// Small loads are merged while loading, so that their number stays small.
func TestLoadsMergeThemselves(t *testing.T) {
	d := open(t, Options{})
	for n := 1; n <= 20; n++ {
		loadN(t, d, n)
		if p := physical(t, d.Store); p >= mergeRun {
			t.Fatalf("after %d loads %d stand side by side", n, p)
		}
	}
	in, events := seenOf(t, d.Store)
	mem := model.NewMemory()
	for n := 1; n <= 20; n++ {
		if _, err := modeltest.Load(t, mem, loadPlan(n), loadRows(n), 1); err != nil {
			t.Fatal(err)
		}
	}
	want, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if events != strings.Join(modeltest.Dump(t, want, modeltest.AllColumns(want.Info())), "") || len(in.Loads) != 20 || in.Users != want.Info().Users {
		t.Errorf("%d loads of %d users, want 20 of %d, or other events", len(in.Loads), in.Users, want.Info().Users)
	}
	d.Reopen(t)
}

// A merging that is cancelled leaves what was there.
func TestCompactCancelled(t *testing.T) {
	d := open(t, Options{})
	for n := 1; n <= 3; n++ {
		loadN(t, d, n)
	}
	_, before := seenOf(t, d.Store)
	ctx, cancel := context.WithCancel(context.Background())
	d.Store.opt.Packing = func(done, _ int64) {
		if done > 300 {
			cancel()
		}
	}
	if merged, err := d.Compact(ctx); err == nil || merged != 0 {
		t.Fatalf("merged %d: %v", merged, err)
	}
	d.Store.opt.Packing = nil
	if _, after := seenOf(t, d.Store); after != before || physical(t, d.Store) != 3 {
		t.Error("a cancelled merging has changed the data")
	}
	mustCheck(t, d.Store)
	if merged, err := d.Compact(context.Background()); err != nil || merged != 3 {
		t.Errorf("merged %d: %v", merged, err)
	}
}

// The chunks of the merged loads leave the disk with the merging, not some day.
func TestCompactShrinks(t *testing.T) {
	d := open(t, Options{})
	tables := func() (n int64) {
		names, err := filepath.Glob(filepath.Join(d.dir, dirBadger, "*.sst"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			fi, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			n += fi.Size()
		}
		return n
	}
	for n := 1; n <= 5; n++ {
		loadN(t, d, n)
	}
	d.Reopen(t)
	before := tables()
	if _, err := d.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	d.Reopen(t)
	if after := tables(); after > before*11/10 {
		t.Errorf("five loads take %d bytes, and merged %d", before, after)
	}
}
