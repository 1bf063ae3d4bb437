package store

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// errShort is what every decoder says of bytes that do not follow its layout;
// the caller names the place.
var errShort = errors.New("a column ends early or holds an impossible number")

// How a column of codes is written: whichever is shortest for the chunk.
const (
	codesConst  = 0 // one code for all
	codesRuns   = 1 // (code, length) pairs
	codesPacked = 2 // a palette, then an index of some bits for each event
	codesPlain  = 3 // a varint each
	codesCount  = 4 // first, first+1, first+2 …
)

// packPad follows packed bits, so that eight bytes can be read at every index.
const packPad = 7

// A columnWriter encodes columns; it keeps scratch between calls and is used by
// one goroutine.
type columnWriter struct {
	stamp   []uint32 // generation in which a code was last seen
	slot    []uint32 // its index in the palette
	gen     uint32
	palette []uint32
}

// maxPalette bounds the palette and the codes it may hold.
const (
	maxPalette     = 1 << 16
	maxPaletteCode = 1 << 18
)

func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// appendCodes writes codes, of which there is at least one.
func (w *columnWriter) appendCodes(dst []byte, codes []uint32) []byte {
	runs, runBytes, plainBytes, counting := 0, 0, 0, true
	var top uint32
	for i := 0; i < len(codes); {
		c := codes[i]
		j := i + 1
		for j < len(codes) && codes[j] == c {
			j++
		}
		l := uvarintLen(uint64(c))
		runs++
		runBytes += l + uvarintLen(uint64(j-i))
		plainBytes += l * (j - i)
		top = max(top, c)
		counting = counting && j == i+1 && c == codes[0]+uint32(i)
		i = j
	}
	switch {
	case runs == 1:
		return binary.AppendUvarint(append(dst, codesConst), uint64(codes[0]))
	case counting:
		return binary.AppendUvarint(append(dst, codesCount), uint64(codes[0]))
	}
	best := min(runBytes, plainBytes)
	if top < maxPaletteCode && best > len(codes)/8 && w.collect(codes, top) {
		width := bits.Len32(uint32(len(w.palette) - 1))
		size := 2 + packPad + (len(codes)*width+7)/8
		for _, c := range w.palette {
			size += uvarintLen(uint64(c))
		}
		if size < best {
			return w.appendPacked(dst, codes, width)
		}
	}
	if runBytes <= plainBytes {
		dst = append(dst, codesRuns)
		for i := 0; i < len(codes); {
			j := i + 1
			for j < len(codes) && codes[j] == codes[i] {
				j++
			}
			dst = binary.AppendUvarint(dst, uint64(codes[i]))
			dst = binary.AppendUvarint(dst, uint64(j-i))
			i = j
		}
		return dst
	}
	dst = append(dst, codesPlain)
	for _, c := range codes {
		dst = binary.AppendUvarint(dst, uint64(c))
	}
	return dst
}

// collect fills the palette in order of first appearance; false if it is too long.
func (w *columnWriter) collect(codes []uint32, top uint32) bool {
	if int(top) >= len(w.stamp) {
		w.stamp = make([]uint32, int(top)*2+1)
		w.slot = make([]uint32, len(w.stamp))
		w.gen = 0
	}
	w.gen++
	if w.gen == 0 { // wrapped: old stamps would look new
		clear(w.stamp)
		w.gen = 1
	}
	w.palette = w.palette[:0]
	for _, c := range codes {
		if w.stamp[c] != w.gen {
			if len(w.palette) == maxPalette {
				return false
			}
			w.stamp[c], w.slot[c] = w.gen, uint32(len(w.palette))
			w.palette = append(w.palette, c)
		}
	}
	return true
}

func (w *columnWriter) appendPacked(dst []byte, codes []uint32, width int) []byte {
	dst = binary.AppendUvarint(append(dst, codesPacked), uint64(len(w.palette)))
	for _, c := range w.palette {
		dst = binary.AppendUvarint(dst, uint64(c))
	}
	var acc uint64
	var have int
	for _, c := range codes {
		acc |= uint64(w.slot[c]) << have
		have += width
		for have >= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
			have -= 8
		}
	}
	if have > 0 {
		dst = append(dst, byte(acc))
	}
	return append(dst, make([]byte, packPad)...)
}

// A codeMap turns the codes of one load into those of a snapshot. A nil table
// leaves them as they are; limit is how many codes the load has.
type codeMap struct {
	table []uint32
	limit uint32
}

func (m codeMap) of(v uint64) (uint32, bool) {
	if v >= uint64(m.limit) {
		return 0, false
	}
	if m.table != nil {
		return m.table[v], true
	}
	return uint32(v), true
}

// A columnReader decodes columns; it keeps scratch between calls.
type columnReader struct{ palette []uint32 }

// codes decodes len(dst) codes, mapped. src must hold nothing else.
func (r *columnReader) codes(dst []uint32, src []byte, m codeMap) error {
	return readCodes(r, dst, src, m)
}

// readCodes is codes for any kind of number.
func readCodes[T ~uint32](r *columnReader, dst []T, src []byte, m codeMap) error {
	if len(src) == 0 {
		return errShort
	}
	mode, src := src[0], src[1:]
	switch mode {
	case codesConst:
		v, n := binary.Uvarint(src)
		c, ok := m.of(v)
		if n <= 0 || n != len(src) || !ok {
			return errShort
		}
		fill(dst, T(c))
		return nil
	case codesCount:
		v, n := binary.Uvarint(src)
		if n <= 0 || n != len(src) || v > 1<<32 {
			return errShort
		}
		for i := range dst {
			c, ok := m.of(v + uint64(i))
			if !ok {
				return errShort
			}
			dst[i] = T(c)
		}
		return nil
	case codesRuns:
		return readRuns(dst, src, m)
	case codesPacked:
		return readPacked(r, dst, src, m)
	case codesPlain:
		for i := range dst {
			v, n := binary.Uvarint(src)
			c, ok := m.of(v)
			if n <= 0 || !ok {
				return errShort
			}
			dst[i], src = T(c), src[n:]
		}
		if len(src) != 0 {
			return errShort
		}
		return nil
	}
	return errShort
}

// fill sets every element, a long slice by copying what is filled already.
func fill[T any](dst []T, v T) {
	n := min(len(dst), 32)
	for i := range dst[:n] {
		dst[i] = v
	}
	for ; n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

func readRuns[T ~uint32](dst []T, src []byte, m codeMap) error {
	for len(dst) > 0 {
		v, n := binary.Uvarint(src)
		c, ok := m.of(v)
		if n <= 0 || !ok {
			return errShort
		}
		run, k := binary.Uvarint(src[n:])
		if k <= 0 || run == 0 || run > uint64(len(dst)) {
			return errShort
		}
		src = src[n+k:]
		fill(dst[:run], T(c))
		dst = dst[run:]
	}
	if len(src) != 0 {
		return errShort
	}
	return nil
}

func readPacked[T ~uint32](r *columnReader, dst []T, src []byte, m codeMap) error {
	size, n := binary.Uvarint(src)
	if n <= 0 || size < 2 || size > maxPalette || size > uint64(len(src)) {
		return errShort
	}
	src = src[n:]
	r.palette = r.palette[:0]
	for range size {
		v, n := binary.Uvarint(src)
		c, ok := m.of(v)
		if n <= 0 || !ok {
			return errShort
		}
		r.palette, src = append(r.palette, c), src[n:]
	}
	width := bits.Len32(uint32(size - 1))
	if len(src) != (len(dst)*width+7)/8+packPad {
		return errShort
	}
	mask := uint64(1)<<width - 1
	palette := r.palette
	at := 0
	for i := range dst {
		v := binary.LittleEndian.Uint64(src[at>>3:]) >> (at & 7) & mask
		if v >= uint64(len(palette)) {
			return errShort
		}
		dst[i] = T(palette[v])
		at += width
	}
	return nil
}
