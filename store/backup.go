package store

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dwell/model"
)

// A backup is one file, a zip archive: a description, Badger's own stream of the
// events, and the shelf as it lies in the folder. Everything in it has a
// checksum, and what is restored is held against the description before it gets
// its name: a backup is restored whole or not at all.
const (
	backupHead  = "dwell-backup.json"
	backupData  = "events.badger"
	backupShelf = dirShelf + "/"
)

// backupInfo is the description.
type backupInfo struct {
	Format  uint32
	Version model.Version
	Events  int64
	Users   int64
	Loads   int
}

// ErrNotBackup says that a file is no backup, or a damaged one.
var ErrNotBackup = errors.New("the file is not a whole backup of a data set")

// Backup writes the data set, with its shelf, to file, which must not be there. A
// damaged one is refused: restoring would be the moment to find out.
// Reading it is enough: others may go on reading meanwhile. What a killed backup had
// left in that folder is removed.
func (s *Store) Backup(ctx context.Context, file string) (err error) {
	sn, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer sn.Close()
	snap := sn.(*snapshot)
	if err := snap.enter(); err != nil {
		return err
	}
	defer snap.leave()
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is there already: name another file, or remove it", file)
	}
	// Badger's stream leaves out what it cannot read without a word.
	switch p, err := s.problem(ctx); {
	case err != nil:
		return err
	case p != nil:
		return fmt.Errorf("%s cannot be backed up: %w: %s; nothing was written; dwell check lists all that is damaged", s.dir, ErrDamaged, p)
	}
	dir := filepath.Dir(file)
	sweep(dir, backupTemp)
	var tmp tempFile
	release, err := claim(func() (string, error) {
		if tmp, err = s.create(dir, backupTemp+"*"); err != nil {
			return "", err
		}
		return tmp.Name(), nil
	})
	if err != nil {
		return fmt.Errorf("the backup cannot be written: %w", err)
	}
	defer release()
	defer os.Remove(tmp.Name())
	if err = s.fillBackup(ctx, tmp, sn.Info()); err != nil {
		return fmt.Errorf("the backup was not written: %w", noSpace(dir, err))
	}
	_ = os.Chmod(tmp.Name(), 0o644) // it would be for its owner alone
	return renameSynced(tmp.Name(), file)
}

// fillBackup writes the backup into a file and closes it.
func (s *Store) fillBackup(ctx context.Context, to tempFile, in *model.Info) error {
	err := s.writeBackup(ctx, to, in)
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}

func (s *Store) writeBackup(ctx context.Context, to io.Writer, in *model.Info) (err error) {
	var never bool
	defer guard(&never, &err)
	kept := &stickyWriter{w: to}
	defer func() {
		// Badger's stream may answer with "context canceled" where one of its own
		// writes had failed: what the file said counts.
		if kept.err != nil {
			err = kept.err
		}
	}()
	z := zip.NewWriter(kept)
	part := func(name string, method uint16) (io.Writer, error) {
		return z.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: s.opt.Now()})
	}
	w, err := part(backupHead, zip.Store)
	if err != nil {
		return err
	}
	head := backupInfo{Format: formatNumber, Version: in.Version, Events: in.Events, Users: in.Users, Loads: len(in.Loads)}
	if err := json.NewEncoder(w).Encode(head); err != nil {
		return err
	}
	if w, err = part(backupData, zip.Deflate); err != nil {
		return err
	}
	if _, err := s.db.Backup(ctxWriter{ctx, w}, 0); err != nil {
		return err
	}
	err = filepath.WalkDir(filepath.Join(s.dir, dirShelf), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		w, err := part(filepath.ToSlash(rel), zip.Deflate)
		if err != nil {
			return err
		}
		_, err = w.Write(body)
		return err
	})
	if err != nil {
		return err
	}
	return z.Close()
}

// A stickyWriter keeps the first error of its writer, and writes nothing after it.
type stickyWriter struct {
	w   io.Writer
	err error
}

func (w *stickyWriter) Write(p []byte) (n int, err error) {
	if w.err == nil {
		n, w.err = w.w.Write(p)
	}
	return n, w.err
}

// A ctxWriter stops writing when its context is done.
type ctxWriter struct {
	ctx context.Context
	w   io.Writer
}

func (w ctxWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(p)
}

// Restore makes the data set dir from a backup. There must be none yet. It is
// built beside dir and gets its name when it has been read from end to end;
// whatever goes wrong before, dir is not there. What a killed restore had left beside
// it is removed.
func Restore(ctx context.Context, file, dir string, o Options) (in model.Info, err error) {
	found, err := os.ReadDir(dir)
	switch {
	case err == nil && len(found) > 0:
		return in, fmt.Errorf("%s is not empty: a backup is restored into a directory of its own, name another with --db", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return in, explainOpen(dir, err)
	}
	z, err := zip.OpenReader(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return in, fmt.Errorf("the backup cannot be read: %w", err)
	}
	if err != nil {
		return in, fmt.Errorf("%s: %w: %w", file, ErrNotBackup, err)
	}
	defer z.Close()
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return in, explainOpen(parent, err)
	}
	sweep(parent, restoreTemp)
	var tmp string
	release, err := claim(func() (string, error) {
		tmp, err = os.MkdirTemp(parent, restoreTemp+"*")
		return tmp, err
	})
	if err != nil {
		return in, explainOpen(parent, err)
	}
	defer release()
	defer os.RemoveAll(tmp)
	if fi, err := os.Stat(parent); err == nil {
		_ = os.Chmod(tmp, fi.Mode().Perm()) // a temporary one is for its owner alone
	}
	if in, err = restoreInto(ctx, &z.Reader, tmp, o); err != nil {
		return model.Info{}, fmt.Errorf("%s: %w", file, noSpace(parent, err))
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return model.Info{}, explainOpen(dir, err)
	}
	return in, renameSynced(tmp, dir)
}

func restoreInto(ctx context.Context, z *zip.Reader, dir string, o Options) (in model.Info, err error) {
	var head backupInfo
	if err := readPart(z, backupHead, func(r io.Reader) error { return json.NewDecoder(r).Decode(&head) }); err != nil {
		return in, err
	}
	if head.Format > formatNumber {
		return in, fmt.Errorf("it has format %d and this dwell knows formats up to %d: %w", head.Format, formatNumber, ErrNewer)
	}
	o.ReadOnly = false
	s, err := Open(dir, o)
	if err != nil {
		return in, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.room(int64(sizeOf(z))); err != nil {
		return in, err
	}
	err = readPart(z, backupData, func(r io.Reader) (err error) {
		var never bool
		defer guard(&never, &err)
		return s.db.Load(ctxReader{ctx, r}, 16)
	})
	if err != nil {
		return in, err
	}
	for _, f := range z.File {
		if !strings.HasPrefix(f.Name, backupShelf) || strings.HasSuffix(f.Name, "/") {
			continue
		}
		if !filepath.IsLocal(f.Name) {
			return in, fmt.Errorf("%w: it names the file %q", ErrNotBackup, f.Name)
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return in, err
		}
		if err := readPart(z, f.Name, func(r io.Reader) error { return writeAll(path, r) }); err != nil {
			return in, err
		}
	}
	// What an interrupted load had left when the backup was made came along.
	if err := s.rollback(); err != nil {
		return in, err
	}
	if err := s.writeFormat(formatNumber); err != nil {
		return in, err
	}
	if err := s.renew(); err != nil {
		return in, err
	}
	sn, err := s.Snapshot(ctx)
	if err != nil {
		return in, err
	}
	in = *sn.Info()
	if err := sn.Close(); err != nil {
		return in, err
	}
	if in.Version != head.Version || in.Events != head.Events || in.Users != head.Users || len(in.Loads) != head.Loads {
		return in, fmt.Errorf("%w: it describes version %s with %d events, and holds version %s with %d", ErrNotBackup, head.Version, head.Events, in.Version, in.Events)
	}
	p, err := s.problem(ctx)
	if err == nil && p != nil {
		err = fmt.Errorf("%w: %s", ErrNotBackup, p)
	}
	return in, err
}

// problem is the first broken promise that Check finds, nil if there is none. The
// ledger is left out: it harms no data, and is written anew.
func (s *Store) problem(ctx context.Context) (first *Problem, err error) {
	err = s.Check(ctx, nil, func(p Problem) {
		if first == nil && p.Place != ledgerFile {
			first = &p
		}
	})
	return first, err
}

// readPart reads one part to its end, where its checksum is compared.
func readPart(z *zip.Reader, name string, read func(io.Reader) error) error {
	f, err := z.Open(name)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNotBackup, name, err)
	}
	defer f.Close()
	err = read(f)
	if err == nil {
		_, err = io.Copy(io.Discard, f)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: %s: %w", ErrNotBackup, name, err)
	}
	return err
}

func writeAll(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, r); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func sizeOf(z *zip.Reader) (n uint64) {
	for _, f := range z.File {
		n += f.UncompressedSize64
	}
	return n
}

// A ctxReader stops reading when its context is done.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
