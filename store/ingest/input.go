package ingest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"dwell/model"
)

// An Input is one file to read, or standard input. It is used by one goroutine
// at a time.
type Input struct {
	Path string // as given; "-" is standard input

	stdin io.Reader
	head  bytes.Buffer // what was already taken from stdin, to be read again
	named bool         // stdin stands for a file
	once  bool         // a pipe: it can be read once, and opening it may wait
	piece *Piece       // of a Tail; nil otherwise
}

// File is a file on disk. Nothing is opened yet. A pipe, as the shell makes of
// <(command), can be read once only: it is a stream, as standard input is.
func File(path string) *Input {
	fi, err := os.Stat(path)
	return &Input{Path: path, once: err == nil && !fi.Mode().IsRegular() && !fi.IsDir()}
}

// Stdin is standard input. What Inspect reads of it is kept for Load.
func Stdin(r io.Reader) *Input { return &Input{Path: "-", stdin: r} }

// length is how long a file is, -1 of what has no length.
func (in *Input) length() int64 {
	if in.stdin == nil && in.piece == nil && !in.once {
		if fi, err := os.Stat(in.Path); err == nil && fi.Mode().IsRegular() {
			return fi.Size()
		}
	}
	return -1
}

// Name is how sentences call the input.
func (in *Input) Name() string {
	if in.stdin != nil && !in.named || in.Path == "-" {
		return "standard input"
	}
	return in.Path
}

// A raw reader counts and hashes the bytes of a file as they are read.
type raw struct {
	r    io.Reader
	n    atomic.Int64
	hash hash.Hash
}

func (w *raw) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.n.Add(int64(n))
	w.hash.Write(p[:n])
	return n, err
}

// A stream is an opened input: its bytes after decompression.
type stream struct {
	in      *Input
	raw     *raw
	text    *bufio.Reader
	size    int64        // of the file; -1 if unknown
	last    bool         // standard input will not be read again
	packed  string       // "gzip", "zstd", "parquet" or ""
	parquet *parquetFile // nil unless packed is "parquet"
	close   []func()

	sep     byte  // the delimiter that a first line "sep=;" names, else 0
	skipped int64 // lines taken off before the first row
	remarks int   // those of them that are comments
}

// open opens the input and undoes its compression. Every way in which a path
// can be no file gives a sentence of its own.
func (in *Input) open() (*stream, error) {
	s := &stream{in: in, size: -1, raw: &raw{hash: sha256.New()}}
	if in.piece != nil { // text as it stands, recognised before
		s.raw.r, s.skipped = in.piece.body(), in.piece.line-1
		s.text = bufio.NewReaderSize(s.raw, 256<<10)
		return s, nil
	}
	if in.once && in.stdin == nil {
		f, _, err := openFile(in.Path)
		if err != nil {
			return nil, err
		}
		in.stdin, in.named = f, true
	}
	if in.stdin != nil {
		again := bytes.Clone(in.head.Bytes())
		s.raw.r = io.MultiReader(bytes.NewReader(again), readerFunc(func(p []byte) (int, error) {
			n, err := in.stdin.Read(p)
			if !s.last {
				in.head.Write(p[:n])
			}
			return n, err
		}))
	} else {
		f, size, err := openFile(in.Path)
		if err != nil {
			return nil, err
		}
		s.raw.r, s.size = f, size
		s.close = append(s.close, func() { f.Close() })
	}
	if err := s.unpack(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// forget ends the keeping of what is read from standard input: called when it
// will not be read again, so that a long stream is not held in memory.
func (s *stream) forget() {
	s.last = true
	s.in.head = bytes.Buffer{}
}

func openFile(path string) (*os.File, int64, error) {
	bad := func(format string, a ...any) (*os.File, int64, error) {
		return nil, 0, &sentence{ErrUnreadable, path + ": " + fmt.Sprintf(format, a...)}
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, lerr := os.Lstat(path); lerr == nil {
			return bad("is a link to a file that is not there: check where it leads")
		}
		if strings.ContainsAny(path, "*?[") {
			return bad("no file is called so: check the pattern")
		}
		return bad("there is no such file: check the path")
	case errors.Is(err, fs.ErrPermission):
		return bad("you may not read it: ask its owner, or copy it")
	case err != nil:
		return bad("cannot be opened: %v", err)
	case st.IsDir():
		if pattern := filesWithin(path); pattern != "" {
			return bad("is a directory: name the files in it, as %s", pattern)
		}
		return bad("is a directory without a CSV, NDJSON or Parquet file in it: name the files to load")
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return bad("you may not read it: ask its owner, or copy it")
	}
	if err != nil {
		return bad("cannot be opened: %v", err)
	}
	size := int64(-1)
	if st.Mode().IsRegular() {
		size = st.Size()
	}
	return f, size, nil
}

// filesWithin is a pattern for the files of a directory, or of those in it, that
// may hold events: of the kind that comes first; "" if there is none.
func filesWithin(dir string) (pattern string) {
	left := 10_000
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if left--; left < 0 || err != nil {
			return filepath.SkipAll
		}
		name := strings.ToLower(d.Name())
		if path != dir && (name[0] == '.' || name[0] == '_') {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		bare := strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
		switch filepath.Ext(bare) {
		case ".csv", ".tsv", ".txt", ".log", ".json", ".ndjson", ".jsonl", ".parquet":
		default:
			return nil
		}
		if d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		pattern = dir
		for range strings.Count(rel, string(os.PathSeparator)) {
			pattern = filepath.Join(pattern, "*")
		}
		pattern = filepath.Join(pattern, "*"+d.Name()[len(bare)-len(filepath.Ext(bare)):])
		return filepath.SkipAll
	})
	return pattern
}

// unpack looks at the first bytes: content decides, not the file's name.
func (s *stream) unpack() error {
	br := bufio.NewReaderSize(s.raw, 256<<10)
	s.text = br
	head, err := br.Peek(8)
	if err != nil && err != io.EOF {
		return s.readError(err)
	}
	switch {
	case len(head) == 0:
		return &sentence{ErrNothing, s.in.Name() + ": is empty: there is nothing to load"}
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(br)
		if err != nil {
			return s.readError(err)
		}
		z.Multistream(false)
		s.packed, s.text = "gzip", bufio.NewReaderSize(&members{name: s.in.Name(), z: z, r: br}, 256<<10)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return s.readError(err)
		}
		s.close = append(s.close, z.Close)
		s.packed, s.text = "zstd", bufio.NewReaderSize(z, 256<<10)
	}
	if inner, err := s.text.Peek(len(parquetMagic)); err == nil && bytes.Equal(inner, parquetMagic) {
		if err := s.openParquet(); err != nil {
			return err
		}
	}
	if s.packed != "" && s.parquet == nil {
		if _, err := s.text.Peek(1); err == io.EOF {
			return &sentence{ErrNothing, s.in.Name() + ": holds no bytes once decompressed: there is nothing to load"}
		} else if err != nil {
			return s.readError(err)
		}
	}
	return nil
}

// finish reads what decompression left over and gives digest and size of the
// file's own bytes.
func (s *stream) finish() (digest string, size int64, err error) {
	if _, err := io.Copy(io.Discard, s.raw); err != nil {
		return "", 0, s.readError(err)
	}
	return hex.EncodeToString(s.raw.hash.Sum(nil)), s.raw.n.Load(), nil
}

// source is what the data set is told of the input once it is read.
func (s *stream) source(digest string, size int64) model.SourceInfo {
	if p := s.in.piece; p != nil {
		return p.src
	}
	return model.SourceInfo{Path: s.in.Path, Digest: digest, Bytes: size}
}

// Close releases the file; standard input stays open.
func (s *stream) Close() {
	for i := len(s.close) - 1; i >= 0; i-- {
		s.close[i]()
	}
	s.close = nil
}

func (s *stream) readError(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrChanged) {
		return err
	}
	if s.parquet != nil {
		return s.parquet.fault(err)
	}
	var told *sentence
	if errors.As(err, &told) {
		return told
	}
	why := fmt.Sprintf("reading failed after %d bytes: %v", s.raw.n.Load(), err)
	if s.packed != "" || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		why = fmt.Sprintf("its compressed data is damaged or cut short after %d bytes (%v): fetch the file again", s.raw.n.Load(), err)
	}
	return &sentence{ErrUnreadable, s.in.Name() + ": " + why}
}

// digestFile hashes a file without parsing it.
func digestFile(ctx context.Context, path string) (string, error) {
	f, _, err := openFile(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return f.Read(p)
	})); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// interruptible runs f, and gives up waiting for it when ctx is done. Nothing
// can end a read of standard input, so then f is left behind; the input must
// not be used again.
func (in *Input) interruptible(ctx context.Context, f func() error) error {
	if in.stdin == nil && !in.once {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		defer recovered(&err)
		err = f()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
