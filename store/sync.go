package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// sync puts all that was written so far on the disk, so that it outlives not only the
// process but a loss of power.
//
// Badger's own Sync is not enough for that: it takes the log it writes to now, and not
// those it has turned from but has not made tables of, nor the directory, without
// whose entry a new file is lost whatever it holds. A load of more than one memory
// table could then have its marker on the disk and some of its chunks not.
func (s *Store) sync() error {
	if err := s.db.Sync(); err != nil {
		return err
	}
	dir := filepath.Join(s.dir, dirBadger)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".mem", ".vlog": // tables are synced as they are made
			if err := s.fsync(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err // what is gone has become a table
			}
		}
	}
	return s.fsync(dir)
}

// fsync puts a file's bytes on the disk, those written through a mapping too, or the
// names in a directory.
func fsync(path string) error {
	if fi, err := os.Stat(path); err != nil {
		return err
	} else if fi.IsDir() {
		return syncDir(path)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// renameSynced gives a file its name for good: without its directory's being synced
// the old name could be back after a loss of power.
func renameSynced(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}
