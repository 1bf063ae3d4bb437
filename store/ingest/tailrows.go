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
// whose writing never fails.
func wholeRows(ctx context.Context, r io.Reader, sx syntax, last bool, h io.Writer) (n, lines int64, err error) {
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
