package ingest

import (
	"io"
	"sync"
)

// A pipe reads standard input in the background and keeps what has not been stored
// yet. Reading waits while that is much, so a fast writer is slowed down and memory
// stays bounded.
type pipe struct {
	mu    sync.Mutex
	room  sync.Cond
	buf   []byte
	from  int64 // of buf in the stream
	ended bool
	err   error
}

// pipeKept is how many bytes wait at most.
const pipeKept = 16 << 20

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
		p.buf = append(p.buf, chunk[:n]...)
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
