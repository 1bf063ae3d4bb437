package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/modeltest"
)

// A badDisk makes files that fail: after room bytes, at Sync, or at Close.
type badDisk struct {
	room          int64 // what all its files may take; less than 0: no end
	noSync, noEnd bool
	failed        bool
	made          int
}

type badFile struct {
	tempFile
	d *badDisk
}

func (d *badDisk) create(dir, pattern string) (tempFile, error) {
	f, err := os.CreateTemp(dir, pattern)
	d.made++
	return &badFile{f, d}, err
}

func (f *badFile) Write(b []byte) (int, error) {
	if f.d.room >= 0 && int64(len(b)) > f.d.room {
		n, _ := f.tempFile.Write(b[:f.d.room])
		f.d.room, f.d.failed = 0, true
		return n, errFull
	}
	f.d.room -= int64(len(b))
	return f.tempFile.Write(b)
}

func (f *badFile) Sync() error {
	if f.d.noSync {
		f.d.failed = true
		return errFull
	}
	return f.tempFile.Sync()
}

func (f *badFile) Close() error {
	err := f.tempFile.Close()
	if f.d.noEnd {
		f.d.failed = true
		return errFull
	}
	return err
}

// badDisks are the ways to fail for a writer of size bytes.
func badDisks(size int64, sync bool) map[string]*badDisk {
	out := map[string]*badDisk{"at Close": {room: 1 << 40, noEnd: true}}
	for _, n := range []int64{0, 1, 11, size / 3, size - 1} {
		out[fmt.Sprintf("after %d of %d bytes", n, size)] = &badDisk{room: n}
	}
	if sync {
		out["at Sync"] = &badDisk{room: 1 << 40, noSync: true}
	}
	return out
}

// noneLeft says that no half-written file lies in dir.
func noneLeft(t *testing.T, dir string) {
	t.Helper()
	for _, prefix := range []string{backupTemp, restoreTemp, shelfTemp, ledgerTemp, cacheTemp} {
		if left := temps(dir, prefix); left != nil {
			t.Errorf("%v is left behind", left)
		}
	}
}

// Whatever writing of an entry fails, the shelf has what it had, whole, and says why in
// a sentence; the next one succeeds.
func TestShelfWriterFails(t *testing.T) {
	dir := t.TempDir()
	s := NewShelf(dir, time.Now)
	body := func(n int) []byte { return []byte(strings.Repeat("# a line\n", 20) + fmt.Sprintf("a = %d\n", n)) }
	if _, err := s.Put(model.KindModel, "mine", body(1), ""); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(s.path(model.KindModel, "mine", 0))
	if err != nil {
		t.Fatal(err)
	}
	for what, disk := range badDisks(fi.Size(), true) {
		// The old version is written first, then the new one: both may fail.
		for _, more := range []int64{0, fi.Size()} {
			bad := *disk
			if bad.room < 1<<30 {
				bad.room += more
			}
			s.create = bad.create
			_, err := s.Put(model.KindModel, "mine", body(2), "")
			if !bad.failed || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), `put model "mine"`) || !strings.Contains(err.Error(), "free some room") {
				t.Errorf("%s: put gives %v", what, err)
			}
			if e, err := s.Get(model.KindModel, "mine", 0); err != nil || !bytes.Equal(e.Body, body(1)) {
				t.Errorf("%s: the shelf has %q: %v", what, e.Body, err)
			}
			noneLeft(t, filepath.Join(dir, dirShelf, model.KindModel))
		}
	}
	s.create = createTemp
	if _, err := s.Put(model.KindModel, "mine", body(3), ""); err != nil {
		t.Fatal(err)
	}
	if got, err := revisions(s); err != nil || len(got) != 2 || got[0] != string(body(1)) || got[1] != string(body(3)) {
		t.Errorf("the versions are %q: %v", got, err)
	}
}

// A backup whose file fails, be it at Sync or Close, is not there, and says so.
func TestBackupWriterFails(t *testing.T) {
	d := open(t, Options{})
	if _, err := modeltest.Load(t, d, loadPlan(1), loadRows(1)[:300], 1); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "a.dwell")
	if err := d.Backup(context.Background(), file); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	for what, disk := range badDisks(fi.Size()*9/10, true) { // two of the same data differ by a few bytes
		d.create = disk.create
		err := d.Backup(context.Background(), filepath.Join(dir, "b.dwell"))
		if !disk.failed || !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "the backup was not written") || !strings.Contains(err.Error(), "free some") {
			t.Errorf("%s: the backup gives %v", what, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%s: %v are there", what, left)
		}
	}
	d.create = createTemp
	if err := d.Backup(context.Background(), filepath.Join(dir, "b.dwell")); err != nil {
		t.Error(err)
	}
}

// A load stands though the ledger cannot be written, and the next one writes it; loads
// are not merged where it cannot.
func TestLedgerWriterFails(t *testing.T) {
	d := open(t, Options{})
	n := 0
	load := func() error {
		n++
		_, err := modeltest.Load(t, d, loadPlan(n), smallRows(n), 1)
		return err
	}
	if err := load(); err != nil {
		t.Fatal(err)
	}
	for what, disk := range badDisks(40, true) {
		d.create = disk.create
		if err := load(); err != nil || !disk.failed {
			t.Errorf("%s: the load gives %v", what, err)
		}
		loads := physical(t, d.Store)
		if _, err := d.Compact(context.Background()); !errors.Is(err, ErrNoSpace) {
			t.Errorf("%s: merging gives %v", what, err)
		}
		if got := physical(t, d.Store); got != loads {
			t.Errorf("%s: %d loads were %d", what, got, loads)
		}
		noneLeft(t, d.dir)
		if lines, err := readLedger(d.dir); err != nil || len(lines) == 0 {
			t.Errorf("%s: the ledger has %v, %v", what, lines, err)
		}
		d.create = createTemp
		d.Reopen(t)
		if in, _ := seenOf(t, d.Store); len(in.Loads) != n {
			t.Errorf("%s: %d loads are there, want %d", what, len(in.Loads), n)
		}
		mustCheck(t, d.Store)
	}
	if merged, err := d.Compact(context.Background()); err != nil || merged < 2 {
		t.Errorf("merged %d: %v", merged, err)
	}
}

// What the cache cannot write is as if it had not been kept; nothing half is recalled.
func TestCacheWriterFails(t *testing.T) {
	c := NewCache(t.TempDir(), 0)
	old, body := bytes.Repeat([]byte("old"), 300), bytes.Repeat([]byte("body"), 300)
	c.Keep("key", old)
	for what, disk := range badDisks(int64(len(body)), false) {
		c.create = disk.create
		c.Keep("key", body)
		c.Keep("other", body)
		if !disk.failed {
			t.Errorf("%s: nothing failed", what)
		}
		if got, ok := c.Recall("key"); !ok || !bytes.Equal(got, old) {
			t.Errorf("%s: it recalls %d bytes, %t", what, len(got), ok)
		}
		if _, ok := c.Recall("other"); ok {
			t.Errorf("%s: it recalls what could not be written", what)
		}
		noneLeft(t, c.dir)
	}
	c.create = createTemp
	c.Keep("key", body)
	if got, ok := c.Recall("key"); !ok || !bytes.Equal(got, body) {
		t.Errorf("once there is room it recalls %d bytes, %t", len(got), ok)
	}
	// A folder that cannot be made is no reason to fail either.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	none := NewCache(filepath.Join(file, "cache"), 0)
	none.Keep("key", body)
	if _, ok := none.Recall("key"); ok {
		t.Error("a cache without a folder recalls")
	}
}

// A badSpill fails once so many bytes are written, or when it is read.
type badSpill struct {
	*os.File
	room   int64
	noRead bool
}

func (f *badSpill) WriteAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > f.room {
		n := max(f.room-off, 0)
		n2, _ := f.File.WriteAt(b[:n], off)
		return n2, errFull
	}
	return f.File.WriteAt(b, off)
}

func (f *badSpill) ReadAt(b []byte, off int64) (int, error) {
	if f.noRead {
		return 0, &os.PathError{Op: "read", Path: f.Name(), Err: syscall.EIO}
	}
	return f.File.ReadAt(b, off)
}

// A load whose spill file fails after any number of bytes, or cannot be read back,
// fails with a sentence and leaves nothing; the next one succeeds.
func TestSpillWriterFails(t *testing.T) {
	d := open(t, Options{Memory: 1 << 18})
	loadN(t, d, 1)
	_, before := seenOf(t, d.Store)
	ld, err := d.Begin(context.Background(), loadPlan(2))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range modeltest.Batches(loadRows(2), 100) {
		if err := ld.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	size := ld.(*loader).spill.size
	if err := ld.Abort(); err != nil || size == 0 {
		t.Fatalf("%d bytes are spilled: %v", size, err)
	}
	for _, bad := range []badSpill{{room: 0}, {room: 1}, {room: size / 3}, {room: size - 1}, {room: 1 << 40, noRead: true}} {
		ld, err := d.Begin(context.Background(), loadPlan(2))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(d.dir, dirSpill), 0o777); err != nil {
			t.Fatal(err)
		}
		if bad.File, err = os.CreateTemp(filepath.Join(d.dir, dirSpill), "load-*.spill"); err != nil {
			t.Fatal(err)
		}
		ld.(*loader).spill.f, ld.(*loader).spill.path = &bad, bad.Name()
		for _, b := range modeltest.Batches(loadRows(2), 100) {
			if err = ld.Add(b); err != nil {
				break
			}
		}
		if err == nil {
			if !bad.noRead {
				t.Errorf("with room for %d bytes nothing failed", bad.room)
			}
			_, err = ld.Commit(model.Quality{Read: 1500}, loadPlan(2).Sources)
		}
		switch {
		case bad.noRead && (!errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "spill file")):
			t.Errorf("a spill file that cannot be read gives %v", err)
		case !bad.noRead && (!errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "free some")):
			t.Errorf("with room for %d bytes: %v", bad.room, err)
		}
		if err := ld.Abort(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(d.dir, dirSpill)); err == nil {
			t.Error("the spill folder is still there")
		}
		if _, after := seenOf(t, d.Store); after != before {
			t.Error("a failed load has changed the data")
		}
	}
	mustCheck(t, d.Store)
	loadN(t, d, 2)
}
