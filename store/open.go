package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/dgraph-io/badger/v4"
)

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
	full := s.room(0)
	if full != nil { // the folders made here go again; one that holds anything stays
		_ = os.Remove(filepath.Join(s.dir, dirBadger))
		if err != nil {
			_ = os.Remove(s.dir)
		}
	}
	return full
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
	if s.opt.Bulk {
		o.NumLevelZeroTables = bulkTables
	}
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
	defer register(s.dir, modeRecovering, s.opt.Now())()
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
	sweepOld(s.dir, ledgerTemp)
	return s.rollback()
}
