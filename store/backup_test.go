package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"dwell/model"
)

// A restored backup is the same data set: events by name, loads, shelf; and the
// next load goes on from it.
func TestBackupAndRestore(t *testing.T) {
	d := open(t, Options{})
	for n := 1; n <= 4; n++ {
		loadN(t, d, n)
		if n == 3 {
			if _, err := d.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	shelf := NewShelf(d.dir, time.Now)
	if _, err := shelf.Put(model.KindSegment, "pros", []byte("rule = \"x\"\n"), "a note"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "data.dwell")
	if err := d.Backup(context.Background(), file); err != nil {
		t.Fatal(err)
	}
	if err := d.Backup(context.Background(), file); err == nil {
		t.Error("a backup was written over another")
	}
	to := filepath.Join(t.TempDir(), "new", "data")
	if _, err := Restore(context.Background(), file, to, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(context.Background(), file, to, Options{}); err == nil {
		t.Error("a backup was restored over a data set")
	}
	s, err := Open(to, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mustCheck(t, s)
	want, wantEvents := seenOf(t, d.Store)
	got, events := seenOf(t, s)
	if !reflect.DeepEqual(got, want) || events != wantEvents {
		t.Errorf("restored %+v, want %+v, or other events", got, want)
	}
	e, err := NewShelf(to, time.Now).Get(model.KindSegment, "pros", 0)
	if err != nil || string(e.Body) != "rule = \"x\"\n" || e.Note != "a note" {
		t.Errorf("the shelf has %+v: %v", e, err)
	}
	loadN(t, &onDisk{Store: s}, 5)
}

// A damaged backup is refused, and leaves nothing behind.
func TestDamagedBackup(t *testing.T) {
	d := open(t, Options{})
	loadN(t, d, 1)
	dir := t.TempDir()
	file := filepath.Join(dir, "data.dwell")
	if err := d.Backup(context.Background(), file); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := seenOf(t, d.Store)
	r := rand.New(rand.NewPCG(1, 2))
	for range long(24, 200) {
		bad := append([]byte(nil), whole...)
		if r.IntN(3) == 0 {
			bad = bad[:r.IntN(len(bad))]
		} else {
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
		}
		if err := os.WriteFile(file, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, "to")
		in, err := Restore(context.Background(), file, to, Options{})
		if err == nil { // a byte that says nothing: a date in the archive
			if in.Version != want.Version {
				t.Error("a damaged backup was restored as another version")
			}
			os.RemoveAll(to)
			continue
		}
		if !errors.Is(err, ErrNotBackup) {
			t.Errorf("refused with %v", err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 1 {
			t.Fatalf("a refused backup left %v behind: %v", left, err)
		}
	}
}

// A damaged data set is not backed up as if it were whole: Badger's stream ends at a
// bad block without a word.
func TestBackupOfDamage(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	loadN(t, &onDisk{Store: s}, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, dirBadger, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	body, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	body[len(body)/3] ^= 4
	if err := os.WriteFile(tables[0], body, 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir, Options{ReadOnly: true}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	file := filepath.Join(t.TempDir(), "data.dwell")
	if err := s.Backup(context.Background(), file); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged data set was backed up: %v", err)
	}
	if _, err := os.Lstat(file); err == nil {
		t.Error("there is a file")
	}
}
