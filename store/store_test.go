package store

import (
	"context"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
)

// onDisk is a store in a test's own directory, checked at the end.
type onDisk struct {
	*Store
	opt Options
}

func (d *onDisk) Reopen(t testing.TB) {
	t.Helper()
	dir := d.dir
	if err := d.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	s, err := Open(dir, d.opt)
	if err != nil {
		t.Fatalf("reopen: %v", err)
	}
	d.Store = s
}

// open makes an empty data set; the test ends with Check.
func open(t testing.TB, o Options) *onDisk {
	t.Helper()
	s, err := Open(t.TempDir(), o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	d := &onDisk{Store: s, opt: o}
	t.Cleanup(func() {
		mustCheck(t, d.Store)
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func mustCheck(t testing.TB, s *Store) {
	t.Helper()
	err := s.Check(context.Background(), nil, func(p Problem) { t.Errorf("check: %s", p) })
	if err != nil {
		t.Errorf("check: %v", err)
	}
}

func TestStoreConforms(t *testing.T) {
	modeltest.Conformance(t, func(t testing.TB) modeltest.Dataset { return open(t, Options{}) }, givenSeeds(t)...)
}

// TestStoreConformsSpilling has so little memory that every batch is spilled.
func TestStoreConformsSpilling(t *testing.T) {
	modeltest.Conformance(t, func(t testing.TB) modeltest.Dataset { return open(t, Options{Memory: 1 << 18}) }, givenSeeds(t)...)
}

func TestPackingReports(t *testing.T) {
	var done, total, calls int64 // Commit's goroutines report under its lock
	d := open(t, Options{Packing: func(n, of int64) { done, total, calls = n, of, calls+1 }})
	if _, err := modeltest.Load(t, d, loadPlan(1), loadRows(1), 1); err != nil {
		t.Fatal(err)
	}
	if done != total || total == 0 || calls < 100 {
		t.Errorf("%d reports end with %d of %d bytes", calls, done, total)
	}
}

var _ modeltest.Dataset = (*onDisk)(nil)
var _ model.Source = (*onDisk)(nil)
