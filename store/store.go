package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
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
}

// A Store is an open data set: a model.Source, and a place for loads. It is safe
// for many goroutines.
type Store struct {
	dir    string
	opt    Options
	db     *badger.DB
	unlock func() error
	holder string // path of this process's holder file

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
	s := &Store{dir: dir, opt: o, snaps: map[*snapshot]bool{}}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	mode := modeReading
	if !o.ReadOnly {
		mode = modeWriting
	}
	s.holder = register(dir, mode, o.Now())
	if err := s.settle(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare makes the folders, or says why they cannot be.
func (s *Store) prepare() error {
	fi, err := os.Stat(s.dir)
	switch {
	case err == nil && !fi.IsDir():
		return fmt.Errorf("%s is a file: a data set is a directory, name one with --db", s.dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return explainOpen(s.dir, err)
	}
	if s.opt.ReadOnly {
		if !Exists(s.dir) {
			return fmt.Errorf("%s: %w", s.dir, ErrNoData)
		}
		return s.manifestThere()
	}
	if err := s.manifestThere(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(s.dir, dirBadger), 0o777); err != nil {
		return explainOpen(s.dir, err)
	}
	if err := writable(s.dir); err != nil {
		return explainOpen(s.dir, err)
	}
	// Badger opens its files through mmap before it notices a full disk.
	return s.room(0)
}

// writable finds out whether this user may make files in dir.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// recoverWait is how long a reader waits for others that are mending what a
// killed writer left.
const recoverWait = 5 * time.Second

// open takes the lock and opens Badger, which has to be opened for writing once
// before it can be read if its last writer was killed.
func (s *Store) open() error {
	for until := time.Now().Add(recoverWait); ; time.Sleep(20 * time.Millisecond) {
		err := s.openLocked(s.opt.ReadOnly && canShare)
		late := time.Now().After(until)
		switch {
		case err == nil:
			return nil
		case needsRecovery(err):
			// Every reader that comes by lets go of the data set and tries to
			// get it alone; one succeeds.
			if err := s.recover(); err != nil && (!errors.Is(err, errLocked) || late) {
				return fmt.Errorf("%s: a load was killed, and what it left has to be mended by somebody who may write there: %w", s.dir, err)
			}
		case errors.Is(err, errLocked):
			hs := holders(s.dir)
			if s.opt.ReadOnly && recovering(hs) && !late {
				continue
			}
			return refusal(s.dir, hs, s.opt.ReadOnly)
		default:
			return explainOpen(s.dir, err)
		}
	}
}

// openLocked opens Badger under the lock, which is kept if that succeeds.
func (s *Store) openLocked(readOnly bool) (err error) {
	path := filepath.Join(s.dir, dirBadger)
	unlock, err := lockDir(path, !readOnly)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			unlock()
		}
	}()
	o := badgerOptions(s.dir, readOnly)
	if err := checkTables(s.dir, o); err != nil {
		return err
	}
	if !readOnly && !s.opt.ReadOnly {
		if err := s.preflight(); err != nil {
			return err
		}
	}
	db, err := openBadger(o)
	if err != nil {
		return err
	}
	s.db, s.unlock = db, unlock
	return nil
}

// recover opens for writing and closes again, which cuts Badger's log to what
// was written whole.
func (s *Store) recover() error {
	// Named before the lock is held, so that whoever is refused finds the name.
	if name := register(s.dir, modeRecovering, s.opt.Now()); name != "" {
		defer os.Remove(name)
	}
	path := filepath.Join(s.dir, dirBadger)
	unlock, err := lockDir(path, true)
	if err != nil {
		return err
	}
	defer unlock()
	db, err := openBadger(badgerOptions(s.dir, false))
	if err != nil {
		return err
	}
	err = closeBadger(db)
	mendModes(path)
	return err
}

// settle checks the format number and, when writing, rolls back what an
// interrupted load left.
func (s *Store) settle() (err error) {
	var never bool
	defer guard(&never, &err)
	if err := s.checkFormat(); err != nil {
		return err
	}
	if err := s.db.View(func(txn *badger.Txn) error { return checkLedger(s.dir, txn) }); err != nil {
		return err
	}
	if s.opt.ReadOnly {
		return nil
	}
	mendModes(filepath.Join(s.dir, dirBadger))
	if err := os.RemoveAll(filepath.Join(s.dir, dirSpill)); err != nil {
		return explainOpen(s.dir, err)
	}
	return s.rollback()
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
	if s.holder != "" {
		os.Remove(s.holder)
	}
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
	s.snaps[sn] = true
	return sn, nil
}

// Stats describe the data set's size.
type Stats struct {
	Dir    string
	Disk   int64 // bytes of all its files as they lie on disk
	Loads  int
	Chunks int64
	Users  int64
	Events int64
	Format uint32
}

// Stats measures the data set.
func (s *Store) Stats() (Stats, error) {
	sn, err := s.Snapshot(context.Background())
	if err != nil {
		return Stats{}, err
	}
	defer sn.Close()
	in := sn.Info()
	st := Stats{Dir: s.dir, Loads: len(in.Loads), Users: in.Users, Events: in.Events, Format: formatNumber}
	for _, l := range sn.(*snapshot).view.loads {
		st.Chunks += l.mark.Chunks
	}
	st.Disk, err = diskUse(s.dir)
	return st, err
}

// diskUse adds the sizes of the files below dir. Badger's logs are sparse while
// it is open, so they count by blocks where the system tells.
func diskUse(dir string) (int64, error) {
	var n int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed while we looked
			}
			return err
		}
		if fi, err := d.Info(); err == nil {
			n += roomOf(fi)
		}
		return nil
	})
	return n, err
}

// checkFormat reads the format number, writing it into a new data set.
func (s *Store) checkFormat() error {
	var have uint32
	err := s.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(formatKey())
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return damaged(formatKey(), "%v", err)
		}
		v, err := item.ValueCopy(nil)
		if err != nil {
			return damaged(formatKey(), "%v", err)
		}
		rec, err := unseal(formatKey(), v)
		if err != nil {
			return err
		}
		if len(rec) < 4 {
			return damaged(formatKey(), "it has %d bytes", len(rec))
		}
		have = binary.BigEndian.Uint32(rec)
		return nil
	})
	if err != nil {
		return err
	}
	switch {
	case have > formatNumber:
		return fmt.Errorf("%s has format %d and this dwell knows formats up to %d: %w", s.dir, have, formatNumber, ErrNewer)
	case have == formatNumber:
		return nil
	case s.opt.ReadOnly && have == 0:
		return nil // made and killed before the first record: empty
	case s.opt.ReadOnly:
		return fmt.Errorf("%s has the older format %d: load something into it once, which brings it up to %d", s.dir, have, formatNumber)
	}
	return s.migrate(have)
}
