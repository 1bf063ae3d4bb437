package ingest

import (
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
	"slices"

	"github.com/cespare/xxhash/v2"

	"dwell/model"
)

// A Tail reads a file that grows, or standard input, in pieces of whole rows,
// each of which becomes a load of its own (Piece). It never hands out a row whose
// end has not come: a writer may be in the middle of it.
//
// The pieces of one file are one source to the data set: they share a Stream, and
// the Digest of each is that of the file from its beginning to the piece's end. So
// Next finds by content how far a file has been stored when it opens it, be it by a
// follow or by an ordinary load, and a load of the whole file afterwards is refused
// as known or stores no row twice.
//
// A file that is replaced (rotated), cut short or written anew is read from where it
// differs from all that is stored, mostly its beginning, as another source; what it
// repeats of the old one is not stored again.
//
//	t := ingest.Follow("events.log", known)
//	for {
//		p, notes, err := t.Next(ctx, opts)   // nil: nothing new
//		load, err := p.Load(ctx, db.Begin, opts, nil)
//		t.Done(p)                            // or t.Known, if it is stored already
//	}
//
// A Tail is used by one goroutine.
type Tail struct {
	path  string // "-" is standard input
	known func(context.Context) (*model.Info, error)
	pipe  *pipe // of standard input
	file  *os.File

	plan   *table // how the text is taken apart; nil before the first rows came
	m      Mapping
	at     int64 // bytes stored so far
	line   int64 // lines before at
	digest hash.Hash
	stream string // "" before the first piece, which names it
	prefix prefix // the bytes before at: they must still be there
	// anew says that the next piece begins at byte 0 though at is stored: as the same
	// stream where the data set does not know how often each row of it stands there
	// (model.Info.Counted), as another where that stream goes on otherwise.
	anew    bool
	refused int64           // the end of a piece that the data set has already; 0: none
	taken   map[string]bool // names of streams
	gone    bool            // the file was missing when last looked for
}

// Follow is the tail of a file, which need not be there yet. known tells what the data
// set holds; it is asked when the file is opened, and again whenever it is another.
func Follow(path string, known func(context.Context) (*model.Info, error)) *Tail {
	return &Tail{path: path, known: known, digest: sha256.New(), prefix: newPrefix()}
}

// FollowReader is the tail of standard input. It starts to read at once.
func FollowReader(r io.Reader, known func(context.Context) (*model.Info, error)) *Tail {
	return &Tail{path: "-", known: known, pipe: newPipe(r), digest: sha256.New(), prefix: newPrefix()}
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

// Name is how sentences call it: a path would leave a line of the screen no room for
// what is said of it.
func (t *Tail) Name() string {
	if t.path == "-" {
		return "standard input"
	}
	return filepath.Base(t.path)
}

// Piped says that it reads standard input, which nobody can read again.
func (t *Tail) Piped() bool { return t.pipe != nil }

// Behind is how many bytes have come that are not stored, of a row that has not ended
// too; 0 if that cannot be told.
func (t *Tail) Behind() int64 {
	var size int64
	if t.pipe != nil {
		size, _, _ = t.pipe.state()
	} else if t.file != nil {
		if st, err := t.file.Stat(); err == nil {
			size = st.Size()
		}
	}
	return max(size-t.at, 0)
}

// A Piece is whole rows of a tail, ready to be loaded.
type Piece struct {
	Rows int64 // lines in it
	Size int64 // bytes

	in   *Input
	m    Mapping
	src  model.SourceInfo // From, Bytes, Digest and Stream; Rows come with the load
	hash hash.Hash
	line int64 // of the piece's first row
	plan *table
	body func() io.Reader

	prefix prefix // of the file up to the piece's end
}

// Mapping is how the rows are read.
func (p *Piece) Mapping() Mapping { return p.m }

// Load commits the piece as one load. Rows that cannot be read are counted as
// rejected, and a piece of nothing else is a load too.
func (p *Piece) Load(ctx context.Context, begin Begin, o Options, progress func(Progress)) (model.LoadInfo, error) {
	o.rejectsAlone = true
	return Load(ctx, begin, []*Input{p.in}, p.m, o, progress)
}

// resume opens the file and steps over what the data set holds of it already. It
// compares content, so it does not matter how the file was loaded or what it is called
// now.
func (t *Tail) resume(ctx context.Context) error {
	in, err := t.known(ctx)
	if err != nil {
		return err
	}
	t.taken = map[string]bool{}
	for _, s := range in.Sources {
		t.taken[s.Stream], t.taken[s.Digest] = true, true
	}
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
	for _, s := range in.Sources {
		if s.Bytes > 0 && s.Bytes <= st.Size() && s.Digest != "" {
			if ends[s.Bytes] == nil {
				at = append(at, s.Bytes)
			}
			ends[s.Bytes] = append(ends[s.Bytes], s)
		}
	}
	slices.Sort(at)
	t.begin()
	h, from, pre := sha256.New(), int64(0), newPrefix()
	var lines lineCounter
	for _, to := range at {
		r := io.NewSectionReader(t.file, from, to-from)
		n, err := io.Copy(io.MultiWriter(h, &lines, &pre), readerFunc(func(p []byte) (int, error) {
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
				t.at, t.line, t.digest, t.prefix, t.stream = to, lines.n, cloneHash(h), pre, streamOf(&s)
			}
		}
	}
	if t.at == 0 {
		return nil
	}
	// A row that was the file's last may have been stored without its line end, which
	// has come since or is still to come.
	for i := range in.Sources {
		if s := &in.Sources[i]; streamOf(s) == t.stream && s.Bytes > t.at {
			t.anew, t.stream = true, "" // that stream is another file, which begins as this one does
			return nil
		}
	}
	t.anew = !in.Counted(t.stream)
	return nil
}

// streamOf is the stream a source belongs to: its own, or that which goes on from it.
func streamOf(s *model.SourceInfo) string {
	if s.Stream != "" {
		return s.Stream
	}
	return s.Digest
}

// begin forgets what was stored: the next piece is the file's first.
func (t *Tail) begin() {
	t.at, t.line, t.digest, t.stream, t.plan, t.anew, t.refused, t.prefix = 0, 0, sha256.New(), "", nil, false, 0, newPrefix()
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
// wait. The notes tell of a file that is not there yet, was replaced, cut short or
// written anew, or is gone. An error that wraps ErrChanged says only that the file
// changed under it: the next Next finds out how.
func (t *Tail) Next(ctx context.Context, o Options) (p *Piece, notes []string, err error) {
	if t.pipe != nil {
		if t.taken == nil {
			if err := t.resume(ctx); err != nil {
				return nil, nil, err
			}
		}
		size, ended, err := t.pipe.state()
		if err != nil {
			return nil, nil, t.failed(err)
		}
		p, err = t.piece(ctx, size, ended, o)
		return p, nil, err
	}
	st, err := os.Stat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return t.missing(ctx, o)
	}
	if err != nil {
		return nil, nil, t.failed(err)
	}
	if t.file == nil {
		if !st.Mode().IsRegular() && !st.IsDir() { // opening a named pipe waits for a writer, and nothing ends that
			return nil, nil, t.unfit()
		}
		if err := t.resume(ctx); err != nil {
			return nil, nil, err
		}
	}
	now, err := t.file.Stat()
	if err != nil {
		return nil, nil, t.failed(err)
	}
	what := ""
	if !os.SameFile(st, now) {
		// What was still written into the old file comes first, its last row with it.
		p, err := t.rest(ctx, o, true)
		lost := errors.Is(err, ErrNotEvents) || errors.Is(err, ErrColumns)
		if p != nil || err != nil && !lost {
			return p, notes, err
		}
		if lost {
			notes = append(notes, fmt.Sprintf("%s was replaced before %d bytes of it could be stored, which lie in the old file: load that by itself (%v)", t.Name(), now.Size()-t.at, err))
		}
		what = "was replaced"
	} else if !t.prefix.stands(t.file, now) {
		what = "was cut short or written anew"
	}
	if what != "" {
		if err := t.again(ctx); err != nil {
			return nil, notes, err
		}
		from := "it is read from its beginning"
		if t.at > 0 {
			from = fmt.Sprintf("its first %d bytes are stored already, and it is read on from there", t.at)
		}
		notes = append(notes, fmt.Sprintf("%s %s: %s; what is stored stays, and nothing is stored twice", t.Name(), what, from))
	}
	t.gone = false
	p, err = t.rest(ctx, o, false)
	return p, notes, err
}

// missing is Next while there is no file of that name.
func (t *Tail) missing(ctx context.Context, o Options) (p *Piece, notes []string, err error) {
	if t.file == nil {
		if _, err := os.Stat(filepath.Dir(t.path)); err != nil {
			return nil, nil, &sentence{ErrUnreadable, fmt.Sprintf("%s: there is no folder %s: check the path", t.path, filepath.Dir(t.path))}
		}
		if !t.gone {
			t.gone, notes = true, append(notes, t.Name()+" is not there yet: waiting for it to come")
		}
		return nil, notes, nil
	}
	if !t.gone {
		t.gone, notes = true, append(notes, t.Name()+" is gone: waiting for it to come back")
	}
	p, err = t.rest(ctx, o, false) // what is written into it after all
	return p, notes, err
}

// Done says that a piece is stored: the next begins behind it.
func (t *Tail) Done(p *Piece) {
	t.at, t.line, t.digest, t.stream, t.prefix, t.anew, t.refused = p.src.Bytes, p.line-1+p.Rows, p.hash, p.src.Stream, p.prefix, false, 0
	if t.pipe != nil {
		t.pipe.drop(t.at)
	}
}

// Known says that the data set refused a piece because an earlier load brought the
// file just as far. Its rows come again with the next that are appended, for this
// stream has to count them too. Standard input may bring no more before these are
// taken: there the piece comes again under another digest.
func (t *Tail) Known(p *Piece, o Options) {
	if t.refused = p.src.Bytes; t.pipe != nil {
		t.refused = 0
		_, _ = fmt.Fprintf(t.digest, "\x00 again at %d", o.Now.UnixNano()) // never fails
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

// again opens the file that is there now.
func (t *Tail) again(ctx context.Context) error {
	err := t.Close()
	t.begin()
	if err != nil {
		return t.failed(err)
	}
	return t.resume(ctx)
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
		return t.unfit()
	}
	t.file = f
	return nil
}

func (t *Tail) unfit() error {
	return &sentence{ErrOption, t.path + " is no regular file: pipe it, as: cat " + t.path + " | dwell --follow -"}
}

// piece is the whole rows of [t.at, size), nil without one. last says that the row
// without a line end is whole too, for nothing follows it.
func (t *Tail) piece(ctx context.Context, size int64, last bool, o Options) (*Piece, error) {
	if size <= t.at {
		return nil, nil
	}
	if t.plan == nil || t.at == 0 { // until a row is stored the header may change
		t.plan = nil
		if err := t.recognise(ctx, size, last, o); err != nil || t.plan == nil {
			return nil, err
		}
	}
	rows := func(from int64, to ...io.Writer) (n, lines int64, err error) {
		n, lines, err = wholeRows(ctx, io.NewSectionReader(t, from, size-from), t.plan.sx, last, io.MultiWriter(to...))
		return n, lines, t.failed(err)
	}
	p := &Piece{m: t.m, hash: cloneHash(t.digest), line: t.line + 1, prefix: t.prefix}
	from := t.at
	if t.anew {
		// Whether a row has come is seen at the end, before all of it is read.
		if n, _, err := rows(from); n == 0 || from+n == t.refused || err != nil {
			return nil, err
		}
		p.hash, p.line, p.prefix, from = sha256.New(), 1, newPrefix(), 0
	}
	own := xxhash.New()
	n, lines, err := rows(from, p.hash, &p.prefix, own)
	if n == 0 || from+n == t.refused || err != nil {
		return nil, err
	}
	p.Rows, p.Size = lines, n
	p.src = model.SourceInfo{Path: t.path, Digest: hex.EncodeToString(p.hash.Sum(nil)), From: from, Bytes: from + n, Stream: t.stream}
	if p.src.Stream == "" {
		// Named by content; another file that began with just this is another stream.
		for p.src.Stream = p.src.Digest; t.taken[p.src.Stream]; {
			p.src.Stream += "'"
		}
	}
	plan := *t.plan
	if from > 0 {
		plan.header = nil // only the first piece has it
	}
	sum := own.Sum64()
	p.plan, p.body = &plan, func() io.Reader { return newCheckedReader(io.NewSectionReader(t, from, n), n, sum) }
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
