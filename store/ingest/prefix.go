package ingest

import (
	"io"
	"os"
	"time"

	"github.com/cespare/xxhash/v2"
)

// A prefix remembers the bytes of a followed file that are stored, by a hash of every
// block, so that a file written anew is noticed whatever stayed the same of it: a cut
// by its size, another end or beginning at once, and anything between them after at
// most as many looks as the prefix has sweeps of sweepBlocks. Blocks are compared only
// after the file's size or time has changed.
//
// A copy is a prefix of its own that may be written to further, as long as the one it
// was copied from is not.
type prefix struct {
	sums []uint64 // of whole blocks
	part xxhash.Digest
	n    int64 // bytes

	// What was seen of the file last, and how many blocks are still to be compared
	// since it changed, from which on.
	size int64
	time time.Time
	left int
	next int
}

const (
	prefixBlock = 64 << 10
	sweepBlocks = 64 // 4 MiB a look
)

func newPrefix() prefix {
	p := prefix{}
	p.part.Reset()
	return p
}

// Write takes the bytes that follow. It never fails.
func (p *prefix) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		k := min(prefixBlock-p.n%prefixBlock, int64(len(rest)))
		_, _ = p.part.Write(rest[:k]) // never fails
		p.n += k
		rest = rest[k:]
		if p.n%prefixBlock == 0 {
			p.sums = append(p.sums, p.part.Sum64())
			p.part.Reset()
		}
	}
	return len(b), nil
}

// stands says that the file still begins with these bytes, as far as this look tells.
func (p *prefix) stands(f io.ReaderAt, fi os.FileInfo) bool {
	if fi.Size() < p.n {
		return false
	}
	if fi.Size() != p.size || !fi.ModTime().Equal(p.time) {
		p.size, p.time, p.left = fi.Size(), fi.ModTime(), len(p.sums)
	} else if p.left == 0 {
		return true
	}
	buf := make([]byte, prefixBlock)
	if n := len(p.sums); !p.blockStands(f, buf, n) || n > 0 && (!p.blockStands(f, buf, 0) || !p.blockStands(f, buf, n-1)) {
		return false
	}
	for range min(p.left, sweepBlocks) {
		p.next %= len(p.sums)
		if !p.blockStands(f, buf, p.next) {
			return false
		}
		p.next++
		p.left--
	}
	return true
}

// blockStands compares one block; len(p.sums) is the one that is not whole.
func (p *prefix) blockStands(f io.ReaderAt, buf []byte, i int) bool {
	from, want := int64(i)*prefixBlock, p.part.Sum64()
	if i < len(p.sums) {
		want = p.sums[i]
	}
	b := buf[:min(prefixBlock, p.n-from)]
	if n, err := f.ReadAt(b, from); n < len(b) {
		_ = err // the end of a file that is shorter by now, mostly
		return false
	}
	return xxhash.Sum64(b) == want
}

// A checkedReader gives what a piece had when its rows were counted, or ErrChanged: the
// file may be cut or written anew between the two.
type checkedReader struct {
	r    io.Reader
	left int64
	want uint64
	hash xxhash.Digest
}

func newCheckedReader(r io.Reader, n int64, want uint64) *checkedReader {
	c := &checkedReader{r: r, left: n, want: want}
	c.hash.Reset()
	return c
}

func (c *checkedReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	_, _ = c.hash.Write(b[:n]) // never fails
	c.left -= int64(n)
	if err == io.EOF && (c.left != 0 || c.hash.Sum64() != c.want) {
		err = &sentence{ErrChanged, "the file was changed while it was read: it is looked at again"}
	}
	return n, err
}
