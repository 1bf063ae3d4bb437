package store

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"dwell/model"
)

// A row on its way to a bucket is
//
//	user     uvarint length, bytes
//	time     varint, difference to the row before in the same piece (ms)
//	row      varint, difference likewise; its number in the load
//	source   uvarint
//	tail     uvarint length, then what makes rows of one user and time equal:
//	         name<<2 | amount?<<1 | dated?, amount (varint), and the properties
//	         in key order: how many, then key<<1 | plain? with code or string
//
// so that two rows of one load are equal exactly if their tails are (DESIGN 5).
type spillRow struct {
	user   []byte
	time   int64
	num    int64
	source uint32
	tail   []byte
}

// A pieceWriter collects the rows of one bucket; it starts anew when flushed.
type pieceWriter struct {
	b    []byte
	time int64
	num  int64
}

func (p *pieceWriter) add(r *spillRow) {
	p.b = append(binary.AppendUvarint(p.b, uint64(len(r.user))), r.user...)
	p.b = binary.AppendVarint(p.b, r.time-p.time)
	p.b = binary.AppendVarint(p.b, r.num-p.num)
	p.b = binary.AppendUvarint(p.b, uint64(r.source))
	p.b = append(binary.AppendUvarint(p.b, uint64(len(r.tail))), r.tail...)
	p.time, p.num = r.time, r.num
}

func (p *pieceWriter) reset() { p.b, p.time, p.num = p.b[:0], 0, 0 }

// A pieceReader reads a piece; the slices of a row point into it.
type pieceReader struct {
	d    byteReader
	time int64
	num  int64
}

func (p *pieceReader) next(r *spillRow) bool {
	if len(p.d.b) == 0 {
		return false
	}
	r.user = p.d.bytes(p.d.int())
	p.time += p.d.signed()
	p.num += p.d.signed()
	r.time, r.num = p.time, p.num
	r.source = uint32(p.d.int())
	r.tail = p.d.bytes(p.d.int())
	return !p.d.bad
}

// A tail is the parsed end of a row.
type tail struct {
	name   uint32
	dated  bool
	amount model.Money
	d      byteReader // the properties still to come
	left   int64
}

func parseTail(b []byte) tail {
	t := tail{d: byteReader{b: b}, amount: model.NoMoney}
	h := t.d.int()
	t.name, t.dated = uint32(h>>2), h&1 != 0
	if h&2 != 0 {
		t.amount = model.Money(t.d.signed())
	}
	t.left = t.d.int()
	return t
}

// next gives the next property: a code, or a string if plain.
func (t *tail) next() (key, code uint32, plain []byte, ok bool) {
	if t.left == 0 || t.d.bad {
		return 0, 0, nil, false
	}
	t.left--
	k := t.d.int()
	if k&1 != 0 {
		return uint32(k >> 1), 0, t.d.bytes(t.d.int()), true
	}
	return uint32(k >> 1), uint32(t.d.int()), nil, true
}

func appendTailHead(dst []byte, name uint32, dated bool, amount model.Money) []byte {
	h := uint64(name) << 2
	if dated {
		h |= 1
	}
	if amount == model.NoMoney {
		return binary.AppendUvarint(dst, h)
	}
	return binary.AppendVarint(binary.AppendUvarint(dst, h|2), int64(amount))
}

func appendTailCode(dst []byte, key, code uint32) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, uint64(key)<<1), uint64(code))
}

func appendTailPlain[S string | []byte](dst []byte, key uint32, s S) []byte {
	dst = binary.AppendUvarint(dst, uint64(key)<<1|1)
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// A spill is the file that takes what does not fit into the budget, with the
// places of each bucket's pieces.
type spill struct {
	mu     sync.Mutex
	path   string
	f      spillFile
	size   int64
	pieces [buckets][]piece
}

type piece struct{ off, size int64 }

// A spillFile is the file; tests put one in its place that fails.
type spillFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// take reserves room for the pieces of a worker and opens the file the first time.
func (s *spill) take(dir string, bufs *[buckets]pieceWriter) (off int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.f == nil {
		d := filepath.Join(dir, dirSpill)
		if err := os.MkdirAll(d, 0o777); err != nil {
			return 0, err
		}
		f, err := os.CreateTemp(d, "load-*.spill")
		if err != nil {
			return 0, err
		}
		s.f, s.path = f, f.Name()
	}
	off = s.size
	for b := range bufs {
		if n := int64(len(bufs[b].b)); n > 0 {
			s.pieces[b] = append(s.pieces[b], piece{s.size, n})
			s.size += n
		}
	}
	return off, nil
}

// write puts a worker's pieces into the file and empties them.
func (s *spill) write(dir string, bufs *[buckets]pieceWriter) error {
	off, err := s.take(dir, bufs)
	if err != nil {
		return fmt.Errorf("spill: %w", err)
	}
	w := bufio.NewWriterSize(io.NewOffsetWriter(s.f, off), 256<<10)
	for b := range bufs {
		if _, err := w.Write(bufs[b].b); err != nil {
			return fmt.Errorf("spill: %w", err)
		}
		bufs[b].reset()
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("spill: %w", err)
	}
	return nil
}

// bucketSize is how much of a bucket lies in the file.
func (s *spill) bucketSize(b int) (n int64) {
	for _, p := range s.pieces[b] {
		n += p.size
	}
	return n
}

// read appends a bucket's pieces to dst and gives where each starts.
func (s *spill) read(b int, dst []byte, starts []int) ([]byte, []int, error) {
	for _, p := range s.pieces[b] {
		starts = append(starts, len(dst))
		from := len(dst)
		dst = append(dst, make([]byte, p.size)...)
		if _, err := s.f.ReadAt(dst[from:], p.off); err != nil {
			return dst, starts, fmt.Errorf("read the spill file back: %w", err)
		}
	}
	return dst, starts, nil
}

// remove closes and deletes the file and its folder.
func (s *spill) remove() {
	if s.f == nil {
		return
	}
	s.f.Close()
	os.Remove(s.path)
	os.Remove(filepath.Dir(s.path))
	s.f = nil
}
