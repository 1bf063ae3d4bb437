package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"dwell/model"
	"dwell/model/modeltest"
)

// Every log of Badger's and the directory are on the disk before a load's marker is
// written, and again after it, before the load is acknowledged.
func TestSyncedBeforeTheMarker(t *testing.T) {
	d := open(t, Options{})
	type sync struct {
		logs   int
		marked bool // the marker stands
	}
	var syncs []sync
	logs := 0
	d.fsync = func(path string) error {
		if path != filepath.Join(d.dir, dirBadger) {
			logs++
			return fsync(path)
		}
		err := d.db.View(func(txn *badger.Txn) error {
			_, err := txn.Get(appendLoadKey(nil, kindMarker, 1))
			return err
		})
		syncs = append(syncs, sync{logs, err == nil})
		logs = 0
		return fsync(path)
	}
	loadN(t, d, 1)
	for i, s := range syncs {
		if s.logs < 2 { // of memory and of long values
			t.Errorf("sync %d took %d logs", i, s.logs)
		}
	}
	first := slices.IndexFunc(syncs, func(s sync) bool { return s.marked })
	if first < 2 { // of the intent, and of the chunks
		t.Errorf("the marker stood at sync %d of %+v", first, syncs)
	}
}

// What a load left that could not be rolled back is no part of the next one, which
// takes its number in the same process.
func TestLeftoversOfTheLoadBefore(t *testing.T) {
	d := open(t, Options{})
	intent := appendLoadKey(nil, kindIntent, 1)
	chunk := appendChunkKey(nil, chunkKey{bucket: 7, load: 1, user: "left over"})
	err := d.db.Update(func(txn *badger.Txn) error {
		if err := txn.Set(intent, seal(intent, make([]byte, envelopeLen))); err != nil {
			return err
		}
		return txn.Set(chunk, seal(chunk, make([]byte, envelopeLen+9)))
	})
	if err != nil {
		t.Fatal(err)
	}
	loadN(t, d, 1)
	mustCheck(t, d.Store)
}

// Where the disk fails once the marker is written, it is said that the load stands, as it
// does: its rows can be read, the same file is refused, and the next load leaves it alone.
func TestSyncFailsAfterTheMarker(t *testing.T) {
	d := open(t, Options{})
	stands := func(load uint32) bool {
		return d.db.View(func(txn *badger.Txn) error {
			_, err := txn.Get(appendLoadKey(nil, kindMarker, load))
			return err
		}) == nil
	}
	failFor := func(load uint32) {
		d.fsync = func(path string) error {
			if stands(load) {
				return syscall.EIO
			}
			return fsync(path)
		}
	}
	failFor(1)
	_, err := modeltest.Load(t, d, loadPlan(1), loadRows(1), 1)
	if !errors.Is(err, ErrUnsynced) || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "load the same again") {
		t.Errorf("the load gives %v", err)
	}
	d.fsync = fsync
	if in := infoOf(t, d); in.Events != 1500 || len(in.Loads) != 1 {
		t.Errorf("%d events of %d loads can be read", in.Events, len(in.Loads))
	}
	if _, err := modeltest.Load(t, d, loadPlan(1), loadRows(1), 1); !errors.Is(err, model.ErrKnownSource) {
		t.Errorf("the same again gives %v", err)
	}
	loadN(t, d, 2)
	_, want := seenOf(t, d.Store)
	mustCheck(t, d.Store)
	failFor(3) // the number that the merged load takes
	if _, err := d.Compact(context.Background()); !errors.Is(err, ErrUnsynced) {
		t.Errorf("merging gives %v", err)
	}
	d.fsync = fsync
	if _, got := seenOf(t, d.Store); got != want {
		t.Error("merged, the data are others")
	}
	loadN(t, d, 3)
	if in := infoOf(t, d); len(in.Loads) != 3 {
		t.Errorf("there are %d loads", len(in.Loads))
	}
	mustCheck(t, d.Store)
	d.Reopen(t)
	mustCheck(t, d.Store)
}
