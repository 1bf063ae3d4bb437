package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// DefaultMemory is the budget of a process in bytes when none is given.
const DefaultMemory = 256 << 20

// Options say how a data set is opened. The zero value opens it for writing and
// makes it if it is not there.
type Options struct {
	// ReadOnly shares the data set with other readers. It must exist.
	ReadOnly bool
	// Memory is the budget of the whole process in bytes; a load spills beyond a
	// quarter of it. 0 means DefaultMemory.
	Memory int64
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Free gives the bytes free below a directory; nil asks the system.
	Free func(dir string) (uint64, error)
	// Workers is how many goroutines pack a load; 0 means one for each processor,
	// at most 4.
	Workers int
	// Bulk says that a load of hundreds of megabytes is coming: its tables are
	// merged by the opening for writing after this one, not beside the packing.
	Bulk bool
	// Packing is told how many of how many bytes of rows a Commit has packed, by
	// any goroutine; it must return at once. nil is allowed.
	Packing func(done, total int64)
}

// A Store is an open data set: a model.Source, and a place for loads. It is safe
// for many goroutines.
type Store struct {
	dir     string
	opt     Options
	db      *badger.DB
	unlock  func() error
	release func()     // of this process's holder file
	create  createFunc // of ledger and backup
	fsync   func(path string) error

	mu      sync.Mutex
	view    *view // of the newest data version; nil until asked for
	loading bool
	closed  bool
	snaps   map[*snapshot]bool
}

var _ model.Source = (*Store)(nil)

// Exists says whether dir holds a data set, be it a damaged one.
func Exists(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, ledgerFile)); err == nil {
		return true
	}
	return hasManifest(dir)
}

func hasManifest(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, dirBadger, badger.ManifestFilename))
	return err == nil
}

// Open opens the data set in dir. It fails with ErrNoData (reading what is not
// there), ErrInUse, ErrNewer or ErrDamaged, each in a sentence.
//
// Opening for writing rolls back what an interrupted load left; opening for
// reading never writes, but for one case: after a killed writer Badger can only
// be read once it has been opened for writing, so that is done first.
func Open(dir string, o Options) (*Store, error) {
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Free == nil {
		o.Free = freeSpace
	}
	s := &Store{dir: dir, opt: o, create: createTemp, fsync: fsync, snaps: map[*snapshot]bool{}}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	mode := modeReading
	if !o.ReadOnly {
		mode = modeWriting
		holders(dir) // which removes what killed ones have left
	}
	s.release = register(dir, mode, o.Now())
	if err := s.settle(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Dir is the data set's directory.
func (s *Store) Dir() string { return s.dir }

// Close waits for reads under way and closes the data set and every snapshot of
// it. It is harmless the second time.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	open := make([]*snapshot, 0, len(s.snaps))
	for sn := range s.snaps {
		open = append(open, sn)
	}
	s.mu.Unlock()
	for _, sn := range open {
		sn.Close()
	}
	err := closeBadger(s.db)
	if !s.opt.ReadOnly {
		mendModes(filepath.Join(s.dir, dirBadger))
	}
	s.release()
	return errors.Join(err, s.unlock())
}

// Snapshot is the data version as it stands.
func (s *Store) Snapshot(ctx context.Context) (model.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, model.ErrClosed
	}
	txn := s.db.NewTransaction(false)
	v := s.view
	if v == nil {
		var err error
		if v, err = readView(txn); err != nil {
			txn.Discard()
			return nil, err
		}
		s.view = v
	}
	sn := &snapshot{st: s, txn: txn, view: v}
	sn.idle.L = &sn.mu
	s.snaps[sn] = true
	return sn, nil
}
