package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What is written under another name first and killed before it gets its own stays
// behind. Such files are found by their prefix and removed by whoever writes there
// next: the large ones, of backups and restores, as soon as nobody holds their lock,
// the small ones once they are older than any writing of them takes.
const (
	backupTemp  = ".dwell-backup-"
	restoreTemp = ".dwell-restore-"
	shelfTemp   = ".put-"
	ledgerTemp  = ".ledger-"
	cacheTemp   = ".keep-"

	tempAge = time.Hour
)

// A tempFile is a file being written under another name; an error of Sync or Close is
// one of writing too.
type tempFile interface {
	io.Writer
	Name() string
	Sync() error
	Close() error
}

// A createFunc makes a temporary file as os.CreateTemp does; tests use others, whose
// files fail.
type createFunc func(dir, pattern string) (tempFile, error)

func createTemp(dir, pattern string) (tempFile, error) { return os.CreateTemp(dir, pattern) }

// write writes body into a temporary file and closes it; sync says that it must be on
// the disk before it gets its name. It gives the file's name, and on failure leaves no
// file behind.
func (create createFunc) write(dir, prefix string, body []byte, sync bool) (name string, err error) {
	tmp, err := create(dir, prefix+"*")
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(body)
	if err == nil && sync {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return tmp.Name(), nil
}

// claim makes a temporary file or folder and locks it, so that sweep leaves it alone
// until release. Between making and locking lies a moment in which another process
// may sweep it away: then it is made again. A file system that knows no locks is no
// reason to fail: sweep removes nothing there.
func claim(create func() (path string, err error)) (release func(), err error) {
	for range 5 {
		path, err := create()
		if err != nil {
			return nil, err
		}
		unlock, err := lockDir(path, true)
		switch {
		case err == nil:
			release = func() { _ = unlock() }
			if _, err := os.Lstat(path); err == nil {
				return release, nil
			}
			release()
		case !errors.Is(err, errLocked) && !errors.Is(err, fs.ErrNotExist):
			return func() {}, nil
		}
	}
	return nil, errors.New("another process removes it again and again: try again later")
}

// sweep removes the entries of dir with this prefix that nobody holds.
func sweep(dir, prefix string) {
	for _, path := range temps(dir, prefix) {
		unlock, err := lockDir(path, true)
		if err != nil {
			continue // held, or gone
		}
		_ = os.RemoveAll(path)
		_ = unlock()
	}
}

// sweepOld removes the files of dir with this prefix that are older than tempAge.
func sweepOld(dir, prefix string) {
	for _, path := range temps(dir, prefix) {
		if fi, err := os.Lstat(path); err == nil && time.Since(fi.ModTime()) > tempAge {
			_ = os.Remove(path)
		}
	}
}

func temps(dir, prefix string) (out []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out
}
