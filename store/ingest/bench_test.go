package ingest

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"testing"
)

// BenchmarkParse reads CSV with one worker, splitter included.
func BenchmarkParse(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("user_id,time,event,amount,country,plan\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "user%07d,2024-%02d-%02d %02d:%02d:%02d,%s,%d.%02d,AT,pro\n", i*7919%200_000, 1+i%12, 1+i%28, i%24, i%60, i%59, "view", i%900, i%100)
	}
	m := Mapping{Format: FormatCSV, Delimiter: ",", Header: true, User: "user_id", Time: "time", TimeFormat: "iso", Zone: "UTC", Event: "event", Amount: "amount", AllProps: true}
	t, err := readFor("bench", text.Bytes(), true, 0, &m)
	if err != nil {
		b.Fatal(err)
	}
	p, err := newPlan("bench", t, &m, &Options{Now: testNow})
	if err != nil {
		b.Fatal(err)
	}
	w := newWorker(p, false, &tally{})
	pool := &sync.Pool{New: func() any { s := make([]byte, 0, blockSize); return &s }}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		sp := newSplitter(bytes.NewReader(text.Bytes()), p.sx, blockSize, pool)
		for {
			blk, err := sp.next()
			if err == io.EOF {
				break
			}
			w.parse(blk)
			data := blk.data[:0]
			pool.Put(&data)
		}
	}
}
