package store

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// obviousUvarints is readUvarints one number after the other.
func obviousUvarints(dst []int64, src []byte, limit uint64) bool {
	for i := range dst {
		v, n := binary.Uvarint(src)
		if n <= 0 || v > limit {
			return false
		}
		dst[i], src = int64(v), src[n:]
	}
	return len(src) == 0
}

// Numbers of every length and mixture come out as one by one, and bytes that are
// too few, too many, or say too much are refused by both or by neither.
func TestUvarintsAreReadAsOneByOne(t *testing.T) {
	limits := []uint64{math.MaxInt64, math.MaxInt64 / 1000, 1 << 40, 1 << 28, 1<<28 - 1, 1 << 20, 127, 126, 1}
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 11))
		n := r.IntN(70)
		limit := limits[r.IntN(len(limits))]
		low, high := r.IntN(63), 1+r.IntN(63) // bits
		var src []byte
		for range n {
			v := r.Uint64() >> (64 - max(1, min(low, high)+r.IntN(1+max(low, high)-min(low, high))))
			if r.IntN(50) > 0 {
				v = min(v, limit)
			}
			src = binary.AppendUvarint(src, v)
			if r.IntN(200) == 0 && v < 1<<50 { // one that is longer than it need be
				src[len(src)-1] |= 0x80
				src = append(src, 0)
			}
		}
		switch r.IntN(6) {
		case 0:
			src = src[:r.IntN(len(src)+1)]
		case 1:
			src = append(src, byte(r.Uint32()))
		case 2:
			if len(src) > 0 {
				src[r.IntN(len(src))] ^= 1 << r.IntN(8)
			}
		case 3:
			n = max(0, n+r.IntN(3)-1)
		}
		src = slices.Clip(src) // a read beyond it would be seen
		want, got := make([]int64, n), make([]int64, n)
		ok := obviousUvarints(want, src, limit)
		if err := readUvarints(got, src, limit); (err == nil) != ok {
			t.Fatalf("seed %d: %d numbers of %x, limit %d: %v; one by one they are right: %v", seed, n, src, limit, err, ok)
		}
		if ok && !slices.Equal(got, want) {
			t.Fatalf("seed %d: %x gave %v, want %v", seed, src, got, want)
		}
	}
}

func TestFillSetsEveryElement(t *testing.T) {
	for n := range 300 {
		all := make([]int64, n+2)
		fill(all[1:n+1], 7)
		for i, v := range all {
			if want := int64(7); (i == 0 || i == n+1) != (v == 0) || v != 0 && v != want {
				t.Fatalf("of %d elements number %d is %d", n, i, v)
			}
		}
	}
}
