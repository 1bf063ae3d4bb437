package main

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"dwell/store/ingest"
	"dwell/tui/format"
)

// progressLine is one line on a terminal: bytes, rows, rows/s, time left.
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

func (p *progressLine) show(pr ingest.Progress) {
	now := p.now()
	if p.w == nil || now.Sub(p.last) < 150*time.Millisecond {
		return
	}
	p.last = now
	spent := now.Sub(p.start)
	rate := float64(pr.Rows) / max(spent.Seconds(), 1e-3)
	line := fmt.Sprintf("%s · %s rows · %s rows/s", humanize.Bytes(uint64(pr.Bytes)), format.Count(pr.Rows), format.Count(int64(rate)))
	if pr.TotalBytes > 0 && pr.Bytes > 0 {
		left := time.Duration(float64(spent) * (float64(pr.TotalBytes)/float64(pr.Bytes) - 1))
		line = fmt.Sprintf("%s of %s · %s left", line, humanize.Bytes(uint64(pr.TotalBytes)), left.Round(time.Second))
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", line)
}

func (p *progressLine) clear() {
	if p.w != nil && !p.last.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
