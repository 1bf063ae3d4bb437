package main

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"dwell/store/ingest"
	"dwell/tui/format"
)

// progressLine is one line on a terminal that is written over and over: how far a long
// piece of work has come.
type progressLine struct {
	w     io.Writer // nil: nobody sees it
	start time.Time
	last  time.Time
	now   func() time.Time
}

func (a *app) progressLine(quiet bool) *progressLine {
	p := &progressLine{start: a.now(), now: a.now}
	if _, ok := terminal(a.stderr); ok && !quiet {
		p.w = a.stderr
	}
	return p
}

// due says that the line is to be written again.
func (p *progressLine) due() bool {
	if p.w == nil {
		return false
	}
	now := p.now()
	if now.Sub(p.last) < 150*time.Millisecond {
		return false
	}
	p.last = now
	return true
}

// show says how far a load has come: bytes, rows, rows/s, time left.
func (p *progressLine) show(pr ingest.Progress) {
	if !p.due() {
		return
	}
	spent := p.last.Sub(p.start)
	rate := float64(pr.Rows) / max(spent.Seconds(), 1e-3)
	of, left := "", ""
	if pr.TotalBytes > 0 && pr.Bytes > 0 {
		of = " of " + humanize.Bytes(uint64(pr.TotalBytes))
		left = fmt.Sprintf(" · %s left", time.Duration(float64(spent)*(float64(pr.TotalBytes)/float64(pr.Bytes)-1)).Round(time.Second))
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s%s · %s rows · %s rows/s%s", humanize.Bytes(uint64(pr.Bytes)), of, format.Count(pr.Rows), format.Count(int64(rate)), left)
}

// count says how many of how many things are done.
func (p *progressLine) count(done, total int64, noun string) {
	if p.due() {
		fmt.Fprintf(p.w, "\r\x1b[K%s of %s", format.Count(done), counted(total, noun))
	}
}

// clear takes the line away.
func (p *progressLine) clear() {
	if p.w != nil && !p.last.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
