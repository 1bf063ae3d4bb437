package store

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"dwell/model"
)

// A row on its way to a bucket is
//
//	user     uvarint length, bytes
//	time     4 bytes, difference to the row before in the same piece (ms);
//	         one that does not fit stands behind farTime in 8
//	row      2 bytes, difference likewise, or farRow and 8; its number in the load
//	source   uvarint
//	tail     uvarint length, then what makes rows of one user and time equal:
//	         name<<2 | amount?<<1 | dated?, amount (varint), and the properties
//	         in key order: how many, then key<<1 | plain? with code or string
//
// so that two rows of one load are equal exactly if their tails are (DESIGN 5).
// Numbers of fixed length are read and written without a branch for each byte.
// The slices of a row belong to the piece it was read from.
type spillRow struct {
	user   []byte
	time   int64
	num    int64
	source uint32
	tail   []byte
}

const (
	farTime = math.MinInt32
	farRow  = math.MaxUint16
	// rowExtra is how much longer than its user and tail a row is at most.
	rowExtra = 10 + 12 + 10 + 10 + 10
)

// A pieceWriter collects the rows of one bucket; it starts anew when flushed.
type pieceWriter struct {
	b    []byte
	time int64
	num  int64
}

// add writes a row and gives its length.
func (p *pieceWriter) add(user []byte, time, num int64, source uint32, tail []byte) int {
	b := p.b
	from := len(b)
	if need := from + len(user) + len(tail) + rowExtra; need > cap(b) {
		b = append(make([]byte, 0, max(need, 2*cap(b), 256)), b...)
	}
	b = append(putUvarint(b, uint64(len(user))), user...)
	if dt := time - p.time; dt > farTime && dt <= math.MaxInt32 {
		b = binary.LittleEndian.AppendUint32(b, uint32(dt))
	} else {
		b = binary.LittleEndian.AppendUint32(b, 1<<31) // farTime
		b = binary.LittleEndian.AppendUint64(b, uint64(dt))
	}
	if dn := num - p.num; dn >= 0 && dn < farRow {
		b = binary.LittleEndian.AppendUint16(b, uint16(dn))
	} else {
		b = binary.LittleEndian.AppendUint16(b, farRow)
		b = binary.LittleEndian.AppendUint64(b, uint64(dn))
	}
	p.time, p.num = time, num
	b = putUvarint(b, uint64(source))
	p.b = append(putUvarint(b, uint64(len(tail))), tail...)
	return len(p.b) - from
}

// putUvarint is binary.AppendUvarint, without a call for what fits into a byte.
func putUvarint(b []byte, v uint64) []byte {
	if v < 0x80 {
		return append(b, byte(v))
	}
	return binary.AppendUvarint(b, v)
}

func (p *pieceWriter) reset() { p.b, p.time, p.num = p.b[:0], 0, 0 }

// A pieceReader reads a piece, which ends with b; the slices of a row point into it.
type pieceReader struct {
	b    []byte
	at   int
	user int // where the user of the last row stands
	time int64
	num  int64
	bad  bool
}

func (p *pieceReader) next(r *spillRow) bool {
	if p.at >= len(p.b) {
		return false
	}
	n := p.int()
	if p.bad || n+6 > uint64(len(p.b)-p.at) {
		p.bad = true
		return false
	}
	p.user = p.at
	at := p.at + int(n)
	r.user = p.b[p.user:at]
	dt, dn := int64(int32(binary.LittleEndian.Uint32(p.b[at:]))), int64(0)
	p.at = at + 4
	if dt == farTime {
		dt = p.far()
	}
	if p.at+2 <= len(p.b) {
		dn = int64(binary.LittleEndian.Uint16(p.b[p.at:]))
	}
	if p.at += 2; dn == farRow {
		dn = p.far()
	}
	p.time += dt
	p.num += dn
	r.time, r.num = p.time, p.num
	r.source = uint32(p.int())
	if n = p.int(); p.bad || n > uint64(len(p.b)-p.at) || n > maxTail {
		p.bad = true
		return false
	}
	r.tail = p.b[p.at : p.at+int(n)]
	p.at += int(n)
	return true
}

func (p *pieceReader) int() uint64 {
	if p.at < len(p.b) && p.b[p.at] < 0x80 {
		p.at++
		return uint64(p.b[p.at-1])
	}
	return p.wide()
}

// wide is int of more than a byte.
func (p *pieceReader) wide() uint64 {
	v, n := binary.Uvarint(p.b[min(p.at, len(p.b)):])
	if n <= 0 || v > math.MaxInt32 {
		p.bad = true
		return 0
	}
	p.at += n
	return v
}

func (p *pieceReader) far() int64 {
	if p.at+8 > len(p.b) {
		p.bad = true
		return 0
	}
	p.at += 8
	return int64(binary.LittleEndian.Uint64(p.b[p.at-8:]))
}

// A tail is the parsed end of a row.
type tail struct {
	name   uint32
	dated  bool
	amount model.Money
	b      []byte // the properties still to come
	left   uint64
}

func parseTail(b []byte) tail {
	t := tail{b: b, amount: model.NoMoney}
	h := t.int()
	t.name, t.dated = uint32(h>>2), h&1 != 0
	if h&2 != 0 {
		u := t.int()
		t.amount = model.Money(int64(u>>1) ^ -int64(u&1))
	}
	t.left = t.int()
	return t
}

// next gives the next property: a code, or a string if plain.
func (t *tail) next() (key, code uint32, plain []byte, ok bool) {
	if t.left == 0 {
		return 0, 0, nil, false
	}
	t.left--
	k := t.int()
	v := t.int()
	if k&1 != 0 {
		n := min(v, uint64(len(t.b)))
		plain, t.b = t.b[:n], t.b[n:]
		return uint32(k >> 1), 0, plain, true
	}
	return uint32(k >> 1), uint32(v), nil, true
}

// int reads a number; of a tail that ends early, whatever follows is 0 and no
// property more.
func (t *tail) int() uint64 {
	if len(t.b) > 0 && t.b[0] < 0x80 {
		v := uint64(t.b[0])
		t.b = t.b[1:]
		return v
	}
	return t.wide()
}

// wide is int of more than a byte.
func (t *tail) wide() uint64 {
	v, n := binary.Uvarint(t.b)
	if n <= 0 {
		t.b, t.left = nil, 0
		return 0
	}
	t.b = t.b[n:]
	return v
}

func appendTailHead(dst []byte, name uint32, dated bool, amount model.Money) []byte {
	h := uint64(name) << 2
	if dated {
		h |= 1
	}
	if amount == model.NoMoney {
		return putUvarint(dst, h)
	}
	return binary.AppendVarint(putUvarint(dst, h|2), int64(amount))
}

func appendTailCode(dst []byte, key, code uint32) []byte {
	return putUvarint(putUvarint(dst, uint64(key)<<1), uint64(code))
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

type piece struct {
	off, size int64
	worker    int
}

// A spillFile is the file; tests put one in its place that fails.
type spillFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// take reserves room for the pieces of a worker and opens the file the first time.
func (s *spill) take(dir string, worker int, bufs *[buckets]pieceWriter) (off int64, err error) {
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
			s.pieces[b] = append(s.pieces[b], piece{s.size, n, worker})
			s.size += n
		}
	}
	return off, nil
}

// write puts a worker's pieces into the file and empties them.
func (s *spill) write(dir string, worker int, bufs *[buckets]pieceWriter) error {
	off, err := s.take(dir, worker, bufs)
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

// read appends the pieces that a worker wrote of a bucket to dst, in the order in
// which it wrote them, and gives where each starts.
func (s *spill) read(b, worker int, dst []byte, starts []int) ([]byte, []int, error) {
	for _, p := range s.pieces[b] {
		if p.worker != worker {
			continue
		}
		starts = append(starts, len(dst))
		from := len(dst)
		dst = slices.Grow(dst, int(p.size))[:from+int(p.size)]
		if _, err := s.f.ReadAt(dst[from:], p.off); err != nil {
			return dst, starts, fmt.Errorf("read the spill file back: %w", err)
		}
	}
	return dst, starts, nil
}

// remove closes and deletes the file and its folder. What it cannot delete goes with
// the next opening for writing (settle).
func (s *spill) remove() {
	if s.f == nil {
		return
	}
	s.f.Close()
	os.Remove(s.path)
	os.Remove(filepath.Dir(s.path))
	s.f = nil
}
