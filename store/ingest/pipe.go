package ingest

import (
	"bytes"
	"io"
	"sync"
)

// A pipe reads standard input in the background and keeps what has not been stored
// yet. Reading waits while that is much, so a fast writer is slowed down and memory
// stays bounded.
//
// Of a line beyond pipeLine bytes it keeps these and its end. Any row that a part of
// it belongs to is longer than MaxRow and will be rejected either way; kept whole, it
// could fill all the room, and then neither its end nor anything else would come.
type pipe struct {
	mu    sync.Mutex
	room  sync.Cond
	buf   []byte
	from  int64 // of buf in the stream, less what was cut of long lines
	line  int   // bytes since the last line end, those that were cut too
	ended bool
	err   error
}

const (
	pipeKept = 16 << 20   // bytes that wait at most, and a read
	pipeLine = 2 * MaxRow // bytes that are kept of one line
)

func newPipe(r io.Reader) *pipe {
	p := &pipe{}
	p.room.L = &p.mu
	go p.read(r)
	return p
}

// read ends with the stream; nothing else can end a read of standard input, so it
// may outlive its user.
func (p *pipe) read(r io.Reader) {
	chunk := make([]byte, 64<<10)
	for {
		n, err := r.Read(chunk)
		p.mu.Lock()
		p.keep(chunk[:n])
		if err != nil {
			if p.ended = true; err != io.EOF {
				p.err = err
			}
			p.mu.Unlock()
			return
		}
		for len(p.buf) >= pipeKept {
			p.room.Wait()
		}
		p.mu.Unlock()
	}
}

// keep appends what has come, without the rest of a line that is too long.
func (p *pipe) keep(b []byte) {
	for len(b) > 0 {
		end := bytes.IndexAny(b, "\r\n")
		text := b
		if end >= 0 {
			text = b[:end]
		}
		p.buf = append(p.buf, text[:min(len(text), max(pipeLine-p.line, 0))]...)
		p.line += len(text)
		if end < 0 {
			return
		}
		p.buf = append(p.buf, b[end])
		p.line, b = 0, b[end+1:]
	}
}

// state is how many bytes have come in all, and whether no more will.
func (p *pipe) state() (size int64, ended bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.from + int64(len(p.buf)), p.ended, p.err
}

// readAt reads what is kept.
func (p *pipe) readAt(b []byte, off int64) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if off < p.from || off >= p.from+int64(len(p.buf)) {
		return 0, io.EOF
	}
	n := copy(b, p.buf[off-p.from:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// drop forgets what lies before off.
func (p *pipe) drop(off int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := off - p.from
	p.buf = append(p.buf[:0:0], p.buf[n:]...)
	p.from = off
	p.room.Broadcast()
}
