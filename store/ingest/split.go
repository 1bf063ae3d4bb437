package ingest

import (
	"bytes"
	"io"
	"sync"
)

// A block is a piece of a file that holds whole rows.
type block struct {
	seq    int   // of the load
	source int   // index of the input
	line   int64 // of the first row, 1-based
	data   []byte
	long   longPart
	rows   *parquetRows // instead of data; nil of text
}

// A longPart says which piece of a row a block is. A row longer than MaxRow travels in
// pieces, so that it is counted, rejected and copied to the rejects file without ever
// being in memory as a whole.
type longPart uint8

const (
	longNone longPart = iota
	longFirst
	longRest
)

// A splitter cuts a text into blocks at row ends. It looks only at what decides
// where a row ends: in a block without quotes, at its last line end.
type splitter struct {
	r    io.Reader
	sx   syntax
	size int // of a block, about

	buf    []byte // not yet given out; starts at a row, or inside a long one
	line   int64
	eof    bool
	inLong bool
	pool   *sync.Pool // of *[]byte
}

func newSplitter(r io.Reader, sx syntax, size int, pool *sync.Pool) *splitter {
	return &splitter{r: r, sx: sx, size: size, line: 1, pool: pool}
}

// splitter cuts the stream's text.
func (s *stream) splitter(sx syntax, pool *sync.Pool) *splitter {
	sp := newSplitter(s.text, sx, blockSize, pool)
	sp.line += s.skipped
	return sp
}

// next gives the next block, or io.EOF. The block's data belongs to the caller,
// who may hand it back to the pool.
func (s *splitter) next() (b block, err error) {
	if s.inLong {
		return s.longRest()
	}
	for want := s.size; ; want = len(s.buf) + s.size {
		if err := s.fill(want); err != nil {
			return b, err
		}
		if len(s.buf) == 0 {
			return b, io.EOF
		}
		end, long := s.safeEnd()
		if end > 0 {
			return s.take(end, longNone), nil
		}
		if long {
			s.inLong = true
			return s.longRow(longFirst)
		}
	}
}

// safeEnd is the end of the last row that surely ends in the buffer; 0 if none
// does, and then long says that the first row is too long.
func (s *splitter) safeEnd() (end int, long bool) {
	if s.eof && s.sx.mode != modeTable {
		// Lines and objects are found again by the worker.
		if e, kind := s.sx.next(s.buf, 0, true); kind == rowLong {
			return 0, true
		} else if e == len(s.buf) {
			return e, false
		}
	}
	p, quote := 0, -1 // quote: of the first quote at or after p; len(buf) if there is none
	for p < len(s.buf) {
		if s.sx.mode != modeJSON {
			if quote < p {
				quote = s.nextQuote(p)
			}
			// Everything before the line of the next quote splits at line ends; no
			// row within a stretch of MaxRow can be too long.
			if last := lastLineEnd(s.buf, p, min(quote, p+MaxRow)); last > p {
				p = last
				continue
			}
		}
		e, kind := s.sx.next(s.buf, p, s.eof)
		if kind == rowMore {
			return p, false
		}
		if kind == rowLong {
			return p, p == 0
		}
		p = e
	}
	return p, false
}

func (s *splitter) nextQuote(p int) int {
	if s.sx.mode == modeTable {
		if q := bytes.IndexByte(s.buf[p:], '"'); q >= 0 {
			return p + q
		}
	}
	return len(s.buf)
}

// lastLineEnd is the position after the last line end within buf[p:stop], or
// -1. A CR at the very end of the buffer is left alone: an LF may follow.
func lastLineEnd(buf []byte, p, stop int) int {
	for i := stop - 1; i >= p; i-- {
		if buf[i] == '\n' || buf[i] == '\r' && i+1 < len(buf) && buf[i+1] != '\n' {
			return i + 1
		}
	}
	return -1
}

// longRow gives the piece of a long row that is in the buffer.
func (s *splitter) longRow(part longPart) (block, error) {
	end := lineEnd(s.buf, 0, s.eof)
	if end >= 0 {
		s.inLong = false
		return s.take(end, part), nil
	}
	end = len(s.buf)
	if !s.eof && end > 1 && s.buf[end-1] == '\r' {
		end--
	}
	if s.eof {
		s.inLong = false
	}
	return s.take(end, part), nil
}

func (s *splitter) longRest() (block, error) {
	if err := s.fill(s.size); err != nil {
		return block{}, err
	}
	if len(s.buf) == 0 {
		s.inLong = false
		return block{}, io.EOF
	}
	return s.longRow(longRest)
}

// take cuts the first end bytes off the buffer.
func (s *splitter) take(end int, part longPart) block {
	// The whole array goes along, or what comes back to the pool would be too short
	// for the next block.
	b := block{line: s.line, data: s.buf[:end], long: part}
	rest := s.buf[end:]
	s.buf = append((*s.pool.Get().(*[]byte))[:0], rest...)
	s.line += countLines(b.data)
	return b
}

// fill reads until the buffer holds n bytes or the text ends.
func (s *splitter) fill(n int) error {
	if cap(s.buf) < n && !s.eof {
		grown := make([]byte, len(s.buf), n+n/8)
		copy(grown, s.buf)
		s.buf = grown
	}
	for len(s.buf) < n && !s.eof {
		m, err := s.r.Read(s.buf[len(s.buf):n])
		s.buf = s.buf[:len(s.buf)+m]
		if err == io.EOF {
			s.eof = true
		} else if err != nil {
			return err
		}
	}
	return nil
}
