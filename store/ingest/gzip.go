package ingest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// members reads the gzip members of a file one after the other, as cat makes them
// of several files. Zeros behind the last, with which tapes and some programs fill
// a block, mean nothing. Anything else there is refused: it may be rows.
type members struct {
	name string
	z    *gzip.Reader
	r    *bufio.Reader
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		if n > 0 && err == io.EOF {
			err = nil // it comes again
		}
		if n > 0 || err != io.EOF {
			return n, err
		}
		if err := m.next(); err != nil {
			return 0, err
		}
	}
}

// next begins the next member; io.EOF says that there is none.
func (m *members) next() error {
	head, err := m.r.Peek(2)
	if len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		if err := m.z.Reset(m.r); err != nil {
			return err
		}
		m.z.Multistream(false)
		return nil
	}
	zeros := true
	for len(head) > 0 {
		if len(bytes.Trim(head, "\x00")) > 0 {
			zeros = false
			break
		}
		if _, err := m.r.Discard(len(head)); err != nil {
			return err
		}
		head, err = m.r.Peek(1)
	}
	if zeros && err == io.EOF {
		return io.EOF
	}
	if zeros {
		return err
	}
	return &sentence{ErrUnreadable, fmt.Sprintf("%s: something that is not gzip follows its compressed data, so it may hold rows that cannot be read: fetch the file again, or decompress it (gzip -dc) and load what comes out", m.name)}
}
