package ingest

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// With the cache a time reads as without it, whatever was read before.
func TestDateCacheAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	p := &timeParser{form: formISO}
	var c dateCache
	known := 0
	for range 200_000 {
		b := []byte(fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d", 1900+r.IntN(300), r.IntN(14), r.IntN(33), r.IntN(26), r.IntN(62), r.IntN(62)))
		if r.IntN(2) == 0 {
			b = append(b, 'Z')
		}
		for range r.IntN(3) { // mostly whole, sometimes one or two bytes off
			b[r.IntN(len(b))] = "0123456789-/.: TtZ+\xB0\xC3"[r.IntN(21)]
		}
		got, ok := c.parse(b, p)
		want, wantOK := p.parse(b)
		if ok != wantOK || ok && got != want {
			t.Fatalf("%q is %+v, %v, and %+v, %v without the cache", b, got, ok, want, wantOK)
		}
		if ok {
			known++
		}
	}
	if known < 10_000 {
		t.Fatalf("only %d texts were times", known)
	}
}
