package store

import (
	"encoding/binary"
	"math/bits"
)

// Eight bytes at once: the top bit of each, the seven below it.
const (
	tops   = 0x8080808080808080
	sevens = 0x7F7F7F7F7F7F7F7F
)

// readUvarints decodes len(dst) varints, each at most limit, of which src holds
// no more and no less.
//
// Lengths come and go unpredictably (the gaps of one session take a byte or two,
// those between sessions three), so a loop that branches on each byte waits for
// the processor's wrong guesses most of the time. Here two numbers are taken
// from eight bytes without a branch: a byte without its top bit ends a number,
// so s ^ (s−1), s being those bits, masks everything up to the first end. What
// is not two numbers of at most four bytes goes the rarer ways of [uvarints8].
func readUvarints(dst []int64, src []byte, limit uint64) error {
	i, at := 0, 0
	for i+8 <= len(dst) && at+8 <= len(src) {
		w := binary.LittleEndian.Uint64(src[at : at+8 : at+8])
		s := ^w & tops
		first := s ^ (s - 1)
		s &= s - 1
		both := s ^ (s - 1)
		x, y := w&first, w&both>>(bits.OnesCount64(first)&63)
		if s == 0 || (x|y)>>32 != 0 || w&tops == 0 || limit < 1<<28 {
			n, k := uvarints8(dst[i:i+8:i+8], src[at:], limit)
			if n == 0 {
				return errShort
			}
			i, at = i+n, at+k
			continue
		}
		x = joinSevens(x | y<<32)
		out := dst[i : i+2 : i+2]
		out[0], out[1] = int64(x&(1<<28-1)), int64(x>>32)
		i, at = i+2, at+bits.OnesCount64(both)>>3
	}
	for ; i < len(dst); i++ {
		v, k := binary.Uvarint(src[at:])
		if k <= 0 || v > limit {
			return errShort
		}
		dst[i] = int64(v)
		at += k
	}
	if at != len(src) {
		return errShort
	}
	return nil
}

// joinSevens drops the top bit of every byte and closes the gaps, in each half
// of x on its own: 28 bits each.
func joinSevens(x uint64) uint64 {
	x &= sevens
	x -= x & 0x7F007F007F007F00 >> 1
	return x&0x00003FFF00003FFF | x>>2&0x0FFFC0000FFFC000
}

// uvarints8 decodes eight varints of one byte, or one of any length, into dst,
// which has room for eight, and says how many numbers and bytes that was; no
// numbers if src, of at least eight bytes, does not hold one up to limit.
func uvarints8(dst []int64, src []byte, limit uint64) (n, size int) {
	w := binary.LittleEndian.Uint64(src)
	if w&tops == 0 && limit >= 1<<7 {
		for i := range dst[:8] {
			dst[i] = int64(src[i])
		}
		return 8, 8
	}
	var v uint64
	if s := ^w & tops; s != 0 {
		first := s ^ (s - 1)
		v, size = joinSevens(w&first), bits.OnesCount64(first)>>3
		v = v&(1<<28-1) | v>>32<<28
	} else {
		v, size = binary.Uvarint(src)
	}
	if size <= 0 || v > limit {
		return 0, 0
	}
	dst[0] = int64(v)
	return 1, size
}
