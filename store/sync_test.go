package store

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4"
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
