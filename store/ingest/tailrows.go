package ingest

import (
	"context"
	"crypto/sha256"
	"encoding"
	"hash"
	"io"
	"sync"
)

// wholeRows finds how many bytes of a text are whole rows, and writes those into h,
// whose writing never fails. Its memory is a few blocks, however long a row is.
func wholeRows(ctx context.Context, text *io.SectionReader, sx syntax, last bool, h io.Writer) (n, lines int64, err error) {
	pool := &sync.Pool{New: func() any { b := make([]byte, 0, blockSize+blockSize/8); return &b }}
	s := newSplitter(text, sx, blockSize, pool)
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
			if end = max(lineEnd(s.buf, 0, s.eof), 0); end == 0 && !ended {
				size, err := longEnd(ctx, text, n, last)
				if size == 0 || err != nil {
					return n, lines, err
				}
				count := &lineCounter{}
				if _, err := io.Copy(io.MultiWriter(h, count), io.NewSectionReader(text, n, size)); err != nil {
					return 0, 0, err
				}
				n, lines = n+size, lines+count.n
				s = newSplitter(io.NewSectionReader(text, n, text.Size()-n), sx, blockSize, pool)
				want = s.size
				continue
			}
		}
		if end > 0 {
			data := s.take(end, longNone).data
			_, _ = h.Write(data) // hashes never fail
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

// longEnd is the length of the line that begins at from, its line end included; 0 while
// that has not come. last says that the end of the text ends it too.
func longEnd(ctx context.Context, text *io.SectionReader, from int64, last bool) (int64, error) {
	buf := make([]byte, blockSize)
	for at := from; at < text.Size(); {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := text.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return 0, err
		}
		ended := at+int64(n) >= text.Size()
		if end := lineEnd(buf[:n], 0, ended && last); end >= 0 {
			return at + int64(end) - from, nil
		}
		if ended && last {
			return text.Size() - from, nil
		}
		if n > 1 && buf[n-1] == '\r' { // which an LF may follow
			n--
		}
		if n == 0 || ended {
			break
		}
		at += int64(n)
	}
	return 0, nil
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
