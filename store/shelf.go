package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"dwell/model"
)

// A Shelf keeps what people make as files that a person can read and edit:
//
//	shelf/<kind>/<name>.toml       the newest version
//	shelf/<kind>/<name>.v3.toml    versions before it
//
// The first line of each is a comment with its version, time and note; the rest
// is the body as given. A file is written under another name and renamed, so
// that a reader never sees half of one. Whoever edits the newest file by hand is
// honoured: its body is what Get gives, and the next Put keeps it as a version.
//
// The shelf needs no lock of the data set: files are put on it while explorers
// hold the events for reading. Two that put the same entry at the same moment
// take turns by the version files, which are made exclusively.
type Shelf struct {
	dir    string
	now    func() time.Time
	mu     sync.Mutex
	create createFunc
}

var _ model.Shelf = (*Shelf)(nil)

// NewShelf is the shelf of the data set in dir; now is the clock.
func NewShelf(dir string, now func() time.Time) *Shelf {
	return &Shelf{dir: filepath.Join(dir, dirShelf), now: now, create: createTemp}
}

// Shelf is this data set's shelf; it outlives Close.
func (s *Store) Shelf() *Shelf { return NewShelf(s.dir, s.opt.Now) }

const (
	shelfExt    = ".toml"
	shelfHeader = "# dwell: version "
)

// List gives the newest version of each entry of a kind, by name.
func (s *Shelf) List(kind string) ([]model.Entry, error) {
	files, err := os.ReadDir(filepath.Join(s.dir, escapeName(kind)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the shelf: %w", err)
	}
	var out []model.Entry
	for _, f := range files {
		name, version, ok := parseShelfName(f.Name())
		if !ok || version != 0 || f.IsDir() {
			continue
		}
		e, err := s.Get(kind, name, 0)
		if errors.Is(err, model.ErrNoEntry) {
			continue // removed while we looked
		}
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b model.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Get gives one version, the newest if version is 0.
func (s *Shelf) Get(kind, name string, version int) (model.Entry, error) {
	newest, err := s.read(kind, name, 0)
	if version == 0 {
		return newest, err
	}
	if err == nil && newest.Version == version {
		return newest, nil
	}
	if err != nil && !errors.Is(err, model.ErrNoEntry) {
		return model.Entry{}, err
	}
	return s.read(kind, name, version)
}

// read reads one file; version 0 is the newest.
func (s *Shelf) read(kind, name string, version int) (model.Entry, error) {
	path := s.path(kind, name, version)
	if version == 0 {
		path = s.newest(kind, name)
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return model.Entry{}, fmt.Errorf("%w: %s %q", model.ErrNoEntry, kind, name)
	}
	if err != nil {
		return model.Entry{}, fmt.Errorf("read the shelf: %w", err)
	}
	e := model.Entry{Kind: kind, Name: name, Body: raw, Version: version}
	if parseShelfHeader(&e) {
		if version != 0 {
			e.Version = version
		}
		return e, nil
	}
	// Written by hand, without a header: newer than every version file.
	if fi, err := os.Stat(path); err == nil {
		e.At = fi.ModTime().UnixMilli()
	}
	if version == 0 {
		e.Version = s.last(kind, name) + 1
	}
	return e, nil
}

// last is the greatest version that has a file of its own.
func (s *Shelf) last(kind, name string) int {
	files, err := os.ReadDir(filepath.Join(s.dir, escapeName(kind)))
	if err != nil {
		return 0
	}
	n := 0
	for _, f := range files {
		if other, version, ok := parseShelfName(f.Name()); ok && other == name {
			n = max(n, version)
		}
	}
	return n
}

// notDone says what could not be done with an entry, why, and what to try.
func notDone(what string, err error) error {
	advice := "see that the data set's directory can be written to"
	switch {
	case errors.Is(err, fs.ErrExist):
		advice = "somebody else has put it at this moment: try again"
	case errors.Is(err, syscall.ENOSPC):
		advice = "the disk is full: free some room there"
	}
	return fmt.Errorf("%s: %w; %s", what, err, advice)
}

// Put stores body as the next version of name.
func (s *Shelf) Put(kind, name string, body []byte, note string) (model.Entry, error) {
	if kind == "" || name == "" {
		return model.Entry{}, fmt.Errorf("an entry of the shelf needs a kind and a name")
	}
	what := fmt.Sprintf("put %s %q on the shelf", kind, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.MkdirAll(filepath.Join(s.dir, escapeName(kind)), 0o777); err != nil {
		return model.Entry{}, notDone(what, err)
	}
	version := s.last(kind, name) + 1
	old, err := s.read(kind, name, 0)
	switch {
	case err == nil:
		// A version is one file for good: the newest becomes an old one first.
		version = max(version, old.Version)
		if err := s.write(s.path(kind, name, version), &old, true); err != nil {
			return model.Entry{}, notDone(what, err)
		}
		version++
	case !errors.Is(err, model.ErrNoEntry):
		return model.Entry{}, err
	}
	by := s.newest(kind, name)
	e := model.Entry{Kind: kind, Name: name, Version: version, Note: oneLine(note), At: s.now().UnixMilli(), Body: slices.Clone(body)}
	if err := s.write(s.path(kind, name, 0), &e, false); err != nil {
		return model.Entry{}, notDone(what, err)
	}
	if by != s.path(kind, name, 0) {
		os.Remove(by) // it has become a version
	}
	return e, nil
}

// Remove takes an entry off the shelf; its versions stay.
func (s *Shelf) Remove(kind, name string) error {
	what := fmt.Sprintf("take %s %q off the shelf", kind, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.read(kind, name, 0)
	if err != nil {
		return err
	}
	if err := s.write(s.path(kind, name, old.Version), &old, true); err != nil {
		return notDone(what, err)
	}
	if err := os.Remove(s.newest(kind, name)); err != nil {
		return notDone(what, err)
	}
	return nil
}

// write writes an entry whole or not at all; if fresh, the file must not exist.
func (s *Shelf) write(path string, e *model.Entry, fresh bool) error {
	body := append([]byte(shelfHeaderLine(e)), e.Body...)
	sweepOld(filepath.Dir(path), shelfTemp)
	tmp, err := s.create.write(filepath.Dir(path), shelfTemp, body, true)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if err := os.Chmod(tmp, s.mode()); err != nil {
		return err
	}
	if fresh {
		// A link fails if the name is taken, which a rename does not.
		switch err := os.Link(tmp, path); {
		case err == nil:
			return syncDir(filepath.Dir(path))
		case errors.Is(err, fs.ErrExist):
			return err
		}
		if _, err := os.Stat(path); err == nil { // a file system without links
			return fs.ErrExist
		}
	}
	return renameSynced(tmp, path)
}

// mode is what the umask leaves of 0666, read off the directory it made.
func (s *Shelf) mode() fs.FileMode {
	if fi, err := os.Stat(s.dir); err == nil {
		return fi.Mode().Perm()&0o666 | 0o600
	}
	return 0o644
}

func (s *Shelf) path(kind, name string, version int) string {
	file := escapeName(name)
	if version > 0 {
		file += ".v" + strconv.Itoa(version)
	}
	return filepath.Join(s.dir, escapeName(kind), file+shelfExt)
}

// newest is the path of the newest version: the one we would write, or a file
// that somebody put there under the plain name.
func (s *Shelf) newest(kind, name string) string {
	path := s.path(kind, name, 0)
	if _, err := os.Stat(path); err == nil || name != filepath.Base(name) {
		return path
	}
	// "x.v2" plain would be the second version of x.
	if same, version, ok := parseShelfName(name + shelfExt); !ok || version != 0 || same != name {
		return path
	}
	plain := filepath.Join(s.dir, escapeName(kind), name+shelfExt)
	if _, err := os.Stat(plain); err == nil {
		return plain
	}
	return path
}

// shelfHeaderLine is the first line of a file:
//
//	# dwell: version 3, 2011-12-09T08:26:00.123Z, the note
func shelfHeaderLine(e *model.Entry) string {
	return fmt.Sprintf("%s%d, %s, %s\n", shelfHeader, e.Version, time.UnixMilli(e.At).UTC().Format("2006-01-02T15:04:05.000Z"), oneLine(e.Note))
}

// parseShelfHeader moves the first line of the body into the entry's fields;
// false if it is not a header, and then nothing is changed.
func parseShelfHeader(e *model.Entry) bool {
	line, body, _ := bytes.Cut(e.Body, []byte("\n"))
	rest, ok := strings.CutPrefix(strings.TrimRight(string(line), "\r"), shelfHeader)
	if !ok {
		return false
	}
	number, rest, _ := strings.Cut(rest, ", ")
	stamp, note, _ := strings.Cut(rest, ",")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return false
	}
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return false
	}
	e.Version, e.At, e.Note, e.Body = n, at.UnixMilli(), strings.TrimPrefix(note, " "), body
	return true
}

// oneLine keeps a note inside the header line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

var deviceNames = strings.Fields("con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9")

// escapeName makes a file name of any string: what is not plain is written %XX,
// and so is a capital letter, for some file systems take A and a for the same,
// and the start of a name that Windows keeps for its devices.
func escapeName(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case i == 0 && slices.Contains(deviceNames, s):
			fmt.Fprintf(&b, "%%%02X", c)
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == ' ' && i > 0 && i < len(s)-1:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// unescapeName is the inverse; false if it is not one of ours.
func unescapeName(s string) (string, bool) {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		v, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b = append(b, byte(v))
		i += 2
	}
	return string(b), len(b) > 0
}

// parseShelfName takes a file name apart; version 0 is the newest.
func parseShelfName(file string) (name string, version int, ok bool) {
	stem, ok := strings.CutSuffix(file, shelfExt)
	if !ok || strings.HasPrefix(file, ".") {
		return "", 0, false
	}
	if i := strings.LastIndex(stem, ".v"); i >= 0 {
		n, err := strconv.Atoi(stem[i+2:])
		if err != nil || n < 1 {
			return "", 0, false
		}
		stem, version = stem[:i], n
	}
	name, ok = unescapeName(stem)
	return name, version, ok
}
