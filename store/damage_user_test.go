package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
)

// splitTables writes Badger's files anew as two tables, of the keys before at and of
// those from it on.
func splitTables(t *testing.T, dir string, at []byte) {
	t.Helper()
	o := badgerOptions(dir, false)
	db, err := openBadger(o)
	if err != nil {
		t.Fatal(err)
	}
	var all []entry
	txn := db.NewTransaction(false)
	for e, err := range entries(txn, nil, true) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	txn.Discard()
	if err := errors.Join(db.Close(), os.RemoveAll(o.Dir), os.Mkdir(o.Dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	for _, second := range []bool{false, true} {
		if db, err = openBadger(o); err != nil {
			t.Fatal(err)
		}
		batch := db.NewWriteBatch()
		for _, e := range all {
			if (bytes.Compare(e.key, at) >= 0) == second {
				if err := batch.Set(e.key, e.value); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := errors.Join(batch.Flush(), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// flipIn flips a bit in the midst of where value stands in one of the tables of dir,
// and gives what flips it back.
func flipIn(t *testing.T, dir string, value []byte) (back func()) {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(dir, dirBadger, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tables {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(body, value); at >= 0 {
			flip := func() {
				body[at+len(value)/2] ^= 1
				if err := os.WriteFile(path, body, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			flip()
			return flip
		}
	}
	t.Fatal("the value is in none of the tables")
	return nil
}

// A part of a long user that lies in a bad block is missed, wherever it lies: Badger
// leaves the block out without a word, and the parts in other tables can be read.
func TestPartInABadBlock(t *testing.T) {
	whole := t.TempDir()
	s, err := Open(whole, Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := &onDisk{Store: s}
	var rows []modeltest.Row
	for i := range 3*partEvents + partEvents/2 {
		rows = append(rows, see("long", int64(i)*1000))
	}
	for i := range 5000 { // two of them share the bucket
		rows = append(rows, see(fmt.Sprint("user", i), 1000))
	}
	mustLoadRows(t, d, loadPlan(1), rows...)
	mustLoadRows(t, d, loadPlan(2), see("long", 7), see("short", 7))
	bucket := model.BucketOf([]byte("long"))
	var parts []entry
	txn := s.db.NewTransaction(false)
	for e, err := range entries(txn, appendBucketKey(nil, kindChunk, bucket, 1), true) {
		if k, e2 := parseChunkKey(e.key); err != nil || e2 != nil {
			t.Fatal(err, e2)
		} else if k.user == "long" {
			parts = append(parts, e)
		}
	}
	txn.Discard()
	if err := s.Close(); err != nil || len(parts) != 4 {
		t.Fatalf("%d parts: %v", len(parts), err)
	}
	read := func(dir string) (model.Timeline, error) {
		t.Helper()
		s, err := Open(dir, Options{ReadOnly: true})
		if err != nil {
			return model.Timeline{}, err
		}
		defer s.Close()
		snap, err := s.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return snap.User(context.Background(), "long", model.Filter{Until: model.NoCut})
	}
	place := fmt.Sprint("of bucket ", bucket)
	for split := range parts {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		splitTables(t, dir, parts[split].key)
		if tl, err := read(dir); err != nil || len(tl.Time) != 3*partEvents+partEvents/2+1 {
			t.Fatalf("split before part %d, there are %d events: %v", split, len(tl.Time), err)
		}
		for i, p := range parts {
			back := flipIn(t, dir, p.value)
			if tl, err := read(dir); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), place) && !strings.Contains(err.Error(), ".sst") {
				t.Errorf("split before part %d, with part %d bad, there are %d events: %v", split, i, len(tl.Time), err)
			}
			back()
		}
	}
}

// A page of a followed file's hidden rows in a bad block is missed by the load of the
// next piece, and by merging, which would otherwise count the rows of the file wrong.
func TestHiddenPageInABadBlock(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := &onDisk{Store: s, opt: Options{}}
	var rows []modeltest.Row
	for i := range 6000 {
		rows = append(rows, see("long", int64(i)*1000))
	}
	mustLoadRows(t, d, loadPlan(1), rows...)
	if q := mustLoadRows(t, d, piecePlan(1), rows...); q.Already != 6000 {
		t.Fatalf("%d rows are hidden", q.Already)
	}
	other := piecePlan(1) // whose pages lie between, so that the markers can be found
	other.Sources[0].Digest, other.Sources[0].Stream = "other", "other"
	mustLoadRows(t, d, other, rows...)
	var pages []entry
	txn := s.db.NewTransaction(false)
	for e, err := range entries(txn, appendLoadKey(nil, kindHidden, 2), true) {
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, e)
	}
	txn.Discard()
	if err := s.Close(); err != nil || len(pages) < 2 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	last := pages[len(pages)-1]
	splitTables(t, dir, last.key)
	back := flipIn(t, dir, last.value)
	if d.Store, err = Open(dir, d.opt); err != nil {
		t.Fatal(err)
	}
	again := rows[len(rows)-1]
	if _, err := modeltest.Load(t, d, piecePlan(2), []modeltest.Row{again}, 1); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "repeated rows of load 2") {
		t.Errorf("the next piece gives %v", err)
	}
	if _, err := d.Compact(context.Background()); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "repeated rows of load 2") {
		t.Errorf("merging gives %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	back()
	if d.Store, err = Open(dir, d.opt); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if q := mustLoadRows(t, d, piecePlan(2), again); q.Stored != 1 || q.Already != 0 {
		t.Errorf("of the row that stands in the file twice %d are stored", q.Stored)
	}
	mustCheck(t, d.Store)
}
