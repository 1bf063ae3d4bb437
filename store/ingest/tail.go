package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"dwell/model"
)

// A Tail reads a file that grows, or standard input, in pieces of whole rows,
// each of which becomes a load of its own (Piece). It never hands out a row whose
// end has not come: a writer may be in the middle of it.
//
// The pieces of one file are one source to the data set: they share a Stream, and
// the Digest of each is that of the file from its beginning to the piece's end. So
// Resume finds by content how far a file has been stored, be it by a follow or by
// an ordinary load, and a load of the whole file afterwards is refused as known or
// stores no row twice.
//
// A file that is replaced (rotated), or cut short, is read from its beginning as
// another source; what it repeats of the old one is not stored again.
//
//	t := ingest.Follow("events.log")
//	err := t.Resume(ctx, info.Sources)
//	for {
//		p, notes, err := t.Next(ctx, opts)   // nil: nothing new
//		load, err := p.Load(ctx, db.Begin, opts, nil)
//		t.Done(p)
//	}
//
// A Tail is used by one goroutine.
type Tail struct {
	path string // "-" is standard input
	pipe *pipe  // of standard input
	file *os.File

	plan   *table // how the text is taken apart; nil before the first rows came
	m      Mapping
	at     int64 // bytes stored so far
	line   int64 // lines before at
	digest hash.Hash
	stream string
	end    []byte // the last bytes before at: they must still be there
	gone   bool   // the file was missing when last looked for
}

// endKept is how many bytes before the end of what is stored are compared.
const endKept = 64

// Follow is the tail of a file.
func Follow(path string) *Tail { return &Tail{path: path, digest: sha256.New()} }

// FollowReader is the tail of standard input. It starts to read at once.
func FollowReader(r io.Reader) *Tail {
	return &Tail{path: "-", pipe: newPipe(r), digest: sha256.New()}
}

// Close releases the file. Standard input stays open.
func (t *Tail) Close() error {
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	t.file = nil
	return err
}

// Name is how sentences call it.
func (t *Tail) Name() string {
	if t.path == "-" {
		return "standard input"
	}
	return t.path
}

// A Piece is whole rows of a tail, ready to be loaded.
type Piece struct {
	Rows int64 // lines in it
	Size int64 // bytes

	in   *Input
	m    Mapping
	src  model.SourceInfo // From, Bytes, Digest and Stream; Rows come with the load
	hash hash.Hash
	tail []byte
	line int64 // of the piece's first row
	plan *table
	body func() io.Reader
}

// Mapping is how the rows are read.
func (p *Piece) Mapping() Mapping { return p.m }

// Load commits the piece as one load. Rows that cannot be read are counted as
// rejected, and a piece of nothing else is a load too.
func (p *Piece) Load(ctx context.Context, begin Begin, o Options, progress func(Progress)) (model.LoadInfo, error) {
	o.rejectsAlone = true
	return Load(ctx, begin, []*Input{p.in}, p.m, o, progress)
}

// Resume steps over what the data set holds of the file already. It compares
// content, so it does not matter how the file was loaded or what it is called now.
func (t *Tail) Resume(ctx context.Context, known []model.SourceInfo) error {
	if t.pipe != nil {
		return nil
	}
	if err := t.open(); err != nil {
		return err
	}
	st, err := t.file.Stat()
	if err != nil {
		return t.failed(err)
	}
	ends := map[int64][]model.SourceInfo{}
	var at []int64
	for _, s := range known {
		if s.Bytes > 0 && s.Bytes <= st.Size() && s.Digest != "" {
			if ends[s.Bytes] == nil {
				at = append(at, s.Bytes)
			}
			ends[s.Bytes] = append(ends[s.Bytes], s)
		}
	}
	slices.Sort(at)
	h, from := sha256.New(), int64(0)
	var lines lineCounter
	for _, to := range at {
		r := io.NewSectionReader(t.file, from, to-from)
		n, err := io.Copy(io.MultiWriter(h, &lines), readerFunc(func(p []byte) (int, error) {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			return r.Read(p)
		}))
		if err != nil {
			return t.failed(err)
		}
		if from += n; n == 0 {
			break
		}
		sum := hex.EncodeToString(h.Sum(nil))
		for _, s := range ends[to] {
			if s.Digest == sum {
				t.at, t.line, t.digest, t.stream = to, lines.n, cloneHash(h), s.Stream
				if t.stream == "" {
					t.stream = s.Digest
				}
			}
		}
	}
	if t.at == 0 {
		return nil
	}
	// A row that was the file's last may have been stored without its line end, which
	// has come since or is still to come.
	t.end = make([]byte, min(t.at, endKept))
	_, err = t.file.ReadAt(t.end, t.at-int64(len(t.end)))
	return t.failed(err)
}

// Stored is how many bytes of the file the data set holds.
func (t *Tail) Stored() int64 { return t.at }

// Ended says that standard input has come to its end and all of it was handed out.
func (t *Tail) Ended() bool {
	if t.pipe == nil {
		return false
	}
	size, ended, _ := t.pipe.state()
	return ended && t.at >= size
}

// Next is what has come since the last Done, nil if no whole row has; it does not
// wait. The notes tell of a file that was replaced, cut short, or is gone.
func (t *Tail) Next(ctx context.Context, o Options) (p *Piece, notes []string, err error) {
	if t.pipe != nil {
		size, ended, err := t.pipe.state()
		if err != nil {
			return nil, nil, t.failed(err)
		}
		p, err = t.piece(ctx, size, ended, o)
		return p, nil, err
	}
	st, err := os.Stat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		if t.file == nil {
			return nil, nil, t.failed(err)
		}
		if !t.gone {
			t.gone, notes = true, append(notes, t.path+" is gone: waiting for it to come back")
		}
		p, err = t.rest(ctx, o, false)
		return p, notes, err
	}
	if err != nil {
		return nil, nil, t.failed(err)
	}
	if err := t.open(); err != nil {
		return nil, nil, err
	}
	now, err := t.file.Stat()
	if err != nil {
		return nil, nil, t.failed(err)
	}
	if !os.SameFile(st, now) {
		// What was still written into the old file comes first, its last row with it.
		p, err := t.rest(ctx, o, true)
		if p != nil || err != nil && !errors.Is(err, ErrNotEvents) && !errors.Is(err, ErrColumns) {
			return p, notes, err
		}
		notes = append(notes, t.path+" was replaced: the new file is read from its beginning")
		if err := t.again(); err != nil {
			return nil, notes, err
		}
	} else if now.Size() < t.at || !t.endStands() {
		notes = append(notes, fmt.Sprintf("%s was cut short or written anew: it is read from its beginning; what is stored stays, and nothing is stored twice", t.path))
		if err := t.again(); err != nil {
			return nil, notes, err
		}
	}
	t.gone = false
	p, err = t.rest(ctx, o, false)
	return p, notes, err
}

// Done says that a piece is stored: the next begins behind it.
func (t *Tail) Done(p *Piece) {
	t.at, t.line, t.digest, t.stream, t.end = p.src.Bytes, p.line-1+p.Rows, p.hash, p.src.Stream, p.tail
	if t.pipe != nil {
		t.pipe.drop(t.at)
	}
}

// rest is the piece up to the end of the open file.
func (t *Tail) rest(ctx context.Context, o Options, last bool) (*Piece, error) {
	st, err := t.file.Stat()
	if err != nil {
		return nil, t.failed(err)
	}
	return t.piece(ctx, st.Size(), last, o)
}

// again starts from the beginning of the file that is there now.
func (t *Tail) again() error {
	err := t.Close()
	t.at, t.line, t.digest, t.stream, t.end, t.plan = 0, 0, sha256.New(), "", nil, nil
	if err != nil {
		return t.failed(err)
	}
	return t.open()
}

func (t *Tail) open() error {
	if t.file != nil {
		return nil
	}
	f, size, err := openFile(t.path)
	if err != nil {
		return err
	}
	if size < 0 {
		f.Close()
		return &sentence{ErrOption, t.path + " is no regular file: pipe it, as: … | dwell --follow -"}
	}
	t.file = f
	return nil
}

// endStands says that the bytes before the end of what is stored are those that
// were stored.
func (t *Tail) endStands() bool {
	now := make([]byte, len(t.end))
	_, err := t.file.ReadAt(now, t.at-int64(len(t.end)))
	return len(now) == 0 || err == nil && bytes.Equal(now, t.end)
}

// piece is the whole rows of [t.at, size), nil without one. last says that the row
// without a line end is whole too, for nothing follows it.
func (t *Tail) piece(ctx context.Context, size int64, last bool, o Options) (*Piece, error) {
	if size <= t.at {
		return nil, nil
	}
	if t.plan == nil {
		if err := t.recognise(ctx, size, last, o); err != nil || t.plan == nil {
			return nil, err
		}
	}
	h := cloneHash(t.digest)
	n, lines, err := wholeRows(ctx, io.NewSectionReader(t, t.at, size-t.at), t.plan.sx, last, h)
	if err != nil {
		return nil, t.failed(err)
	}
	if n == 0 {
		return nil, nil
	}
	end := t.at + n
	p := &Piece{Rows: lines, Size: n, m: t.m, hash: h, line: t.line + 1, tail: make([]byte, min(end, endKept))}
	if t.pipe == nil {
		if _, err := t.ReadAt(p.tail, end-int64(len(p.tail))); err != nil {
			return nil, t.failed(err)
		}
	}
	p.src = model.SourceInfo{Path: t.path, Digest: hex.EncodeToString(h.Sum(nil)), From: t.at, Bytes: end, Stream: t.stream}
	if p.src.Stream == "" {
		p.src.Stream = p.src.Digest
	}
	own := *t.plan
	if t.at > 0 {
		own.header = nil // only the first piece has it
	}
	p.plan, p.body = &own, func() io.Reader { return io.NewSectionReader(t, p.src.From, n) }
	p.in = &Input{Path: t.path, piece: p}
	return p, nil
}

// ReadAt reads the file, or what standard input has brought and was not dropped.
func (t *Tail) ReadAt(p []byte, off int64) (int, error) {
	if t.pipe != nil {
		return t.pipe.readAt(p, off)
	}
	return t.file.ReadAt(p, off)
}

// recognise finds out how the text is taken apart, from its first rows; plan stays
// nil while they have not come.
func (t *Tail) recognise(ctx context.Context, size int64, last bool, o Options) error {
	head := make([]byte, min(size, sampleSize))
	if _, err := t.ReadAt(head, 0); err != nil && err != io.EOF {
		return t.failed(err)
	}
	whole := last && int64(len(head)) == size
	if !whole {
		head = head[:max(lastLineEnd(head, 0, len(head)), 0)]
	}
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) || bytes.HasPrefix(head, parquetMagic) {
		return &sentence{ErrOption, t.Name() + ": is compressed or Parquet, which is whole or nothing: only text that grows line by line can be followed; load it instead"}
	}
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return t.encoded("utf-16")
	}
	if len(trim(head)) == 0 {
		return nil
	}
	in := &Input{Path: t.path, stdin: bytes.NewReader(head), named: true}
	rec, err := Inspect(ctx, in, o)
	if err != nil {
		if !whole && int64(len(head)) < sampleSize && (errors.Is(err, ErrNotEvents) || errors.Is(err, model.ErrNoRows)) {
			return nil // the header alone, perhaps: more will come
		}
		return err
	}
	again := &Input{Path: t.path, stdin: bytes.NewReader(head), named: true}
	s, err := again.open()
	if err != nil {
		return err
	}
	defer s.Close()
	tab, err := sampleFor(s, &rec.Mapping)
	if err != nil {
		return err
	}
	if tab.sx.mode == modeJSON {
		return &sentence{ErrOption, t.Name() + ": is one JSON text, not one object a line: it cannot be followed; load it instead"}
	}
	switch rec.Mapping.Encoding {
	case "", utf8Name, "windows-1252":
	default:
		return t.encoded(rec.Mapping.Encoding)
	}
	t.plan, t.m = tab, rec.Mapping
	return nil
}

func (t *Tail) encoded(encoding string) error {
	return &sentence{ErrOption, fmt.Sprintf("%s: is %s: only UTF-8 and one-byte text can be followed; convert it, or load it instead", t.Name(), encoding)}
}

func (t *Tail) failed(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return &sentence{ErrUnreadable, t.path + ": there is no such file: check the path"}
	}
	return &sentence{ErrUnreadable, fmt.Sprintf("%s: reading failed after %d bytes: %v", t.Name(), t.at, err)}
}

// wholeRows finds how many bytes of a text are whole rows, and writes those into h.
func wholeRows(ctx context.Context, r io.Reader, sx syntax, last bool, h hash.Hash) (n, lines int64, err error) {
	pool := &sync.Pool{New: func() any { b := make([]byte, 0, blockSize+blockSize/8); return &b }}
	s := newSplitter(r, sx, blockSize, pool)
	for want := s.size; ; {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		if err := s.fill(want); err != nil {
			return 0, 0, err
		}
		ended := s.eof
		s.eof = ended && last
		end, long := s.safeEnd()
		if end == 0 && long { // it will be rejected; where it ends is enough
			end = max(lineEnd(s.buf, 0, s.eof), 0)
		}
		if end > 0 {
			data := s.take(end, longNone).data
			h.Write(data)
			n += int64(len(data))
			lines += countLines(data)
			pool.Put(&data)
		}
		s.eof = ended
		switch {
		case ended && (end == 0 || len(s.buf) == 0):
			return n, lines, nil
		case end == 0:
			want = len(s.buf) + s.size
		default:
			want = s.size
		}
	}
}

// A lineCounter counts line ends as countLines does, whatever the writes.
type lineCounter struct {
	n  int64
	cr bool // the last byte was a CR, which is counted
}

func (c *lineCounter) Write(p []byte) (int, error) {
	b := p
	if c.cr && len(b) > 0 && b[0] == '\n' {
		b = b[1:]
	}
	c.n += countLines(b)
	c.cr = len(p) > 0 && p[len(p)-1] == '\r'
	return len(p), nil
}

// cloneHash copies a SHA-256 in the middle of its work.
func cloneHash(h hash.Hash) hash.Hash {
	c := sha256.New()
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err == nil {
		err = c.(encoding.BinaryUnmarshaler).UnmarshalBinary(state)
	}
	if err != nil {
		panic(err) // both are the standard library's own
	}
	return c
}
