package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// The folders of a data set.
const (
	dirBadger  = "events"  // Badger's files
	dirShelf   = "shelf"   // what people make, as TOML
	dirSpill   = "spill"   // a load's temporary files
	dirHolders = "holders" // who has it open; only to say so in a refusal
)

// badgerOptions are the settings that measured best for packed chunks
// (DESIGN 5): values stay in the tables, which are read through mmap without
// compression or a cache of blocks, because a chunk is packed already.
//
// A block is checked when it is read: Badger answers a bad one by ending the
// iteration without a word, which the readers here notice by counting chunks.
func badgerOptions(dir string, readOnly bool) badger.Options {
	o := badger.DefaultOptions(filepath.Join(dir, dirBadger))
	o.ReadOnly = readOnly && canShare
	o.BypassLockGuard = canShare // lockDir holds the lock, from before the open
	o.Logger = nil
	o.Compression = options.None
	o.BlockCacheSize = 0
	o.BlockSize = 4 << 10
	o.BaseTableSize = 1 << 20
	o.ValueThreshold = 1 << 20
	o.ValueLogFileSize = 64 << 20 // an open makes a sparse file of twice that
	o.MemTableSize = 8 << 20
	o.NumMemtables = 2
	o.NumCompactors = 2
	o.NumLevelZeroTablesStall = 2 * bulkTables // what a large load left is merged beside the next
	o.DetectConflicts = false
	o.SyncWrites = false // a load syncs before its marker
	o.MetricsEnabled = false
	o.ChecksumVerificationMode = options.OnBlockRead
	return o
}

// bulkTables is how many tables a large load may leave as they were written. To
// merge them while rows are packed takes memory that the collector then fights
// for, half of the time of 40M events; readers do not notice so few.
const bulkTables = 40

// openBadger opens Badger and turns its panics on damaged files into errors.
func openBadger(o badger.Options) (db *badger.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, fmt.Errorf("%s: %w: %v; restore a backup or load the files again into a new directory", o.Dir, ErrDamaged, p)
		}
	}()
	db, err = badger.Open(o)
	if err != nil && strings.Contains(err.Error(), "Cannot acquire directory lock") {
		err = errLocked // where Badger itself holds the lock
	}
	return db, err
}

// closeBadger closes Badger, which may have to write, and read, damaged files.
func closeBadger(db *badger.DB) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("close: %w: %v", ErrDamaged, p)
		}
	}()
	return db.Close()
}

// needsRecovery says that a read-only open failed because a writer was killed
// and its log still has to be cut to what was written whole. Badger wraps that
// error in a way that errors.Is does not see through.
func needsRecovery(err error) bool {
	return err != nil && strings.Contains(err.Error(), badger.ErrTruncateNeeded.Error())
}

// mendModes gives the files of a directory the read bits that the directory
// itself has. Badger makes some of its files 0600 whatever the umask says, and
// colleagues on one machine could not read what the umask lets them.
func mendModes(dir string) {
	di, err := os.Stat(dir)
	if err != nil {
		return
	}
	want := di.Mode().Perm() & 0o444
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() && fi.Mode().Perm()&want != want {
			// Best effort: a file of another owner stays as it is.
			_ = os.Chmod(filepath.Join(dir, e.Name()), fi.Mode().Perm()|want)
		}
	}
}

// explainOpen turns an error of the file system into a sentence.
func explainOpen(dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s cannot be opened: %w; ask its owner for access, or name another directory", dir, err)
	case strings.Contains(err.Error(), "read-only file system"):
		return fmt.Errorf("%s is on a read-only medium: %w; it can be explored but not loaded into", dir, err)
	case errors.Is(err, ErrDamaged):
		return err
	}
	return fmt.Errorf("open %s: %w: %s%w; restore a backup or load the files again into a new directory", dir, ErrDamaged, badgerFile(err), err)
}

// badgerFile names the file that an error of Badger's is about where Badger does not.
func badgerFile(err error) string {
	for _, text := range []string{badger.ErrEncryptionKeyMismatch.Error(), "sanity text", "key registry", "keyRegistryIterator", "validRegistry"} {
		if strings.Contains(err.Error(), text) { // nothing is encrypted here, but the file is read
			return filepath.Join(dirBadger, badger.KeyRegistryFileName) + ": "
		}
	}
	return ""
}
