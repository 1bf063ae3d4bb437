package main

import (
	"bytes"
	"testing"
	"time"

	"dwell/store/ingest"
)

// The line is written at most every 150 ms, says what is done, and goes again.
func TestProgressLine(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	p := &progressLine{w: &out, start: at, now: func() time.Time { return at }}
	p.clear()
	at = at.Add(2 * time.Second)
	p.show(ingest.Progress{Bytes: 1_000_000, TotalBytes: 4_000_000, Rows: 10_000})
	p.show(ingest.Progress{Bytes: 2_000_000, TotalBytes: 4_000_000, Rows: 20_000})
	at = at.Add(time.Second)
	p.count(64, 1200, "chunk")
	p.clear()
	const want = "\r\x1b[K1.0 MB of 4.0 MB · 10,000 rows · 5,000 rows/s · 6s left\r\x1b[K64 of 1,200 chunks\r\x1b[K"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
	(&progressLine{now: time.Now}).count(1, 2, "chunk") // nobody sees it
}
