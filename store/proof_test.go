package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/modeltest"
)

// Five readers share a data set; a load beside them is refused by name, changes
// nothing, and succeeds once they have left.
func TestFiveReadersThenALoad(t *testing.T) {
	dir := filled(t, 1)
	var pids []int
	var leave []func()
	for range 5 {
		pid, release := hold(t, dir, false)
		pids, leave = append(pids, pid), append(leave, release)
	}
	_, err := Open(dir, Options{})
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("a load beside five readers: %v", err)
	}
	named := 0
	for _, pid := range pids {
		if strings.Contains(err.Error(), fmt.Sprint("process ", pid)) {
			named++
		}
	}
	if named < 3 || !strings.Contains(err.Error(), "2 more") {
		t.Errorf("%v: it names %d of five readers", err, named)
	}
	for _, release := range leave {
		release()
	}
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	loadN(t, &onDisk{Store: s}, 2)
	mustCheck(t, s)
}

// A pass that began before a load commits, or loads are merged, sees the data as it
// was to its end, in every goroutine.
func TestOneVersionToTheEnd(t *testing.T) {
	d := open(t, Options{Memory: 1 << 18})
	loadN(t, d, 1)
	snap, err := d.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	in := snap.Info()
	f := modeltest.AllColumns(in)
	want := modeltest.Dump(t, snap, f)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			for n := 0; ; n++ {
				var got []string
				for _, split := range snap.Splits(3) {
					err := snap.Scan(context.Background(), split, f, func(tl *model.Timeline) error {
						got = append(got, modeltest.Text(in, f, tl))
						return nil
					})
					if err != nil {
						t.Errorf("pass %d: %v", n, err)
					}
				}
				if strings.Join(got, "") != strings.Join(want, "") {
					t.Errorf("pass %d saw other data than the first", n)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for n := 2; n <= 5; n++ {
		loadN(t, d, n)
	}
	if _, err := d.Compact(context.Background()); err != nil {
		t.Error(err)
	}
	loadN(t, d, 6)
	close(stop)
	wg.Wait()
	if now, _ := seenOf(t, d.Store); now.Version.Hash == in.Version.Hash || snap.Info().Version.Hash != in.Version.Hash {
		t.Error("the versions before and after are not told apart")
	}
}

// A failingWriter takes some bytes and then has no room.
type failingWriter struct {
	left   int
	failed bool
}

var errFull = &os.PathError{Op: "write", Path: "full", Err: syscall.ENOSPC}

func (w *failingWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		n := w.left
		w.left, w.failed = 0, true
		return n, errFull
	}
	w.left -= len(p)
	return len(p), nil
}

// A load whose spill file cannot be written fails with a sentence and leaves
// nothing; the next one succeeds.
func TestSpillFails(t *testing.T) {
	d := open(t, Options{Memory: 1 << 18})
	loadN(t, d, 1)
	_, before := seenOf(t, d.Store)
	for _, bad := range []string{os.DevNull, "/dev/full"} {
		ld, err := d.Begin(context.Background(), loadPlan(2))
		if err != nil {
			t.Fatal(err)
		}
		full, err := os.OpenFile(bad, os.O_RDONLY, 0)
		if bad == "/dev/full" && err == nil {
			full.Close()
			full, err = os.OpenFile(bad, os.O_RDWR, 0)
		}
		if err != nil {
			if bad == "/dev/full" { // not of every system
				_ = ld.Abort()
				continue
			}
			t.Fatal(err)
		}
		ld.(*loader).spill.f = full
		var failed error
		for _, b := range modeltest.Batches(loadRows(2), 100) {
			if failed = ld.Add(b); failed != nil {
				break
			}
		}
		if failed == nil {
			t.Fatalf("%s: nothing failed: it should have spilled", bad)
		}
		if bad == "/dev/full" && (!errors.Is(failed, ErrNoSpace) || !strings.Contains(failed.Error(), "free some")) {
			t.Errorf("a full disk gives %v", failed)
		}
		if _, err := ld.Commit(model.Quality{Read: 1500}, loadPlan(2).Sources); err == nil {
			t.Error("a load that has failed is committed")
		}
		if err := ld.Abort(); err != nil {
			t.Error(err)
		}
		if _, after := seenOf(t, d.Store); after != before {
			t.Error("a failed load has changed the data")
		}
	}
	mustCheck(t, d.Store)
	loadN(t, d, 2)
}

// A backup that cannot be written whole fails wherever the room ends. (Two of the
// same data differ by a few bytes: near the end there may be room enough.)
func TestBackupFails(t *testing.T) {
	d := open(t, Options{})
	loadN(t, d, 1)
	if _, err := d.Shelf().Put(model.KindSegment, "mine", []byte("rule = 'x'\n"), ""); err != nil {
		t.Fatal(err)
	}
	in, _ := seenOf(t, d.Store)
	whole := &failingWriter{left: 1 << 30}
	if err := d.writeBackup(context.Background(), whole, &in); err != nil {
		t.Fatal(err)
	}
	size := 1<<30 - whole.left
	r := rand.New(rand.NewPCG(freshSeed(t), 19))
	for range long(20, 200) {
		room := r.IntN(size)
		w := &failingWriter{left: room}
		if err := d.writeBackup(context.Background(), w, &in); w.failed != errors.Is(err, syscall.ENOSPC) || w.failed != (err != nil) || !w.failed && room < size*9/10 {
			t.Errorf("with room for %d bytes of %d: %v", room, size, err)
		}
	}
	gone := filepath.Join(t.TempDir(), "no", "folder", "backup")
	if err := d.Backup(context.Background(), gone); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("into a folder that is not there: %v", err)
	}
}

// An entry that cannot be put leaves what was on the shelf.
func TestShelfFails(t *testing.T) {
	dir := t.TempDir()
	s := NewShelf(dir, time.Now)
	if _, err := s.Put(model.KindModel, "mine", []byte("a = 1\n"), ""); err != nil {
		t.Fatal(err)
	}
	// The folder takes no new file: its name leads to one that does not exist.
	kind := filepath.Join(dir, dirShelf, model.KindModel)
	if err := os.Rename(kind, kind+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), kind); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(model.KindModel, "mine", []byte("a = 2\n"), ""); err == nil || !strings.Contains(err.Error(), `put model "mine"`) {
		t.Errorf("put where nothing can be written: %v", err)
	}
	if err := errors.Join(os.Remove(kind), os.Rename(kind+".away", kind)); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Get(model.KindModel, "mine", 0); err != nil || string(e.Body) != "a = 1\n" || e.Version != 1 {
		t.Errorf("the shelf has %q: %v", e.Body, err)
	}
	// A kind whose folder is a file.
	if err := os.WriteFile(filepath.Join(dir, dirShelf, model.KindSegment), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(model.KindSegment, "x", []byte("rule = 'x'\n"), ""); err == nil {
		t.Error("an entry was put into a file")
	}
}
