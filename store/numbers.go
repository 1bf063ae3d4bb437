package store

import (
	"encoding/binary"
	"math"
	"math/bits"

	"dwell/model"
)

// timeUnits are the steps in which times may all be given, longest first: most
// data is in whole seconds or days, and a shorter number is a shorter varint.
var timeUnits = [...]int64{86_400_000, 3_600_000, 60_000, 1000, 1}

// unitOf is the longest unit that divides every time.
func unitOf(times []int64) int64 {
	u := 0
	for _, t := range times {
		for t%timeUnits[u] != 0 {
			u++
		}
	}
	return timeUnits[u]
}

// appendTimes writes the times of a chunk: the unit, then for each user the
// first time from base and each further one from the one before, in units.
// counts are the users' events; each user's times ascend and none is before base.
func appendTimes(dst []byte, times []int64, counts []int32, base int64) []byte {
	unit := unitOf(times)
	dst = binary.AppendUvarint(dst, uint64(unit))
	i := 0
	for _, n := range counts {
		prev := base
		for range n {
			dst = binary.AppendUvarint(dst, uint64(times[i]-prev)/uint64(unit))
			prev = times[i]
			i++
		}
	}
	return dst
}

// decodeTimes reads what appendTimes wrote into times, of which there are as
// many as the counts add up to.
func decodeTimes(times []int64, src []byte, counts []int32, base int64) error {
	unit64, n := binary.Uvarint(src)
	if n <= 0 || unit64 == 0 || unit64 > uint64(timeUnits[0]) {
		return errShort
	}
	if err := readUvarints(times, src[n:], math.MaxInt64/unit64); err != nil {
		return err
	}
	unit := int64(unit64)
	for _, n := range counts {
		t := base
		mine := times[:n]
		times = times[n:]
		for i, gap := range mine {
			t += gap * unit
			mine[i] = t
		}
	}
	return nil
}

// moneyScales are the powers of ten that may divide every amount of a chunk.
var moneyScales = [...]model.Money{1_000_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1}

// appendAmounts writes which events have an amount, then the amounts of those,
// divided by their common power of ten, zigzag. mask is scratch of at least
// len(amounts). Nothing but NoMoney writes nothing, and the caller leaves the
// column out.
func (w *columnWriter) appendAmounts(dst []byte, amounts []model.Money, mask []uint32) []byte {
	s, any := 0, false
	for i, a := range amounts {
		mask[i] = 0
		if a == model.NoMoney {
			continue
		}
		mask[i], any = 1, true
		for a%moneyScales[s] != 0 {
			s++
		}
	}
	if !any {
		return dst
	}
	known := w.appendCodes(nil, mask[:len(amounts)])
	dst = binary.AppendUvarint(dst, uint64(len(known)))
	dst = append(dst, known...)
	dst = append(dst, byte(s))
	for _, a := range amounts {
		if a != model.NoMoney {
			v := int64(a / moneyScales[s])
			dst = binary.AppendUvarint(dst, uint64(v<<1)^uint64(v>>63))
		}
	}
	return dst
}

// amounts decodes what appendAmounts wrote; mask is scratch of len(dst).
func (r *columnReader) amounts(dst []model.Money, src []byte, mask []uint32) error {
	size, n := binary.Uvarint(src)
	if n <= 0 || size > uint64(len(src)-n) {
		return errShort
	}
	known, src := src[n:n+int(size)], src[n+int(size):]
	if len(src) == 0 || int(src[0]) >= len(moneyScales) {
		return errShort
	}
	scale, src := moneyScales[src[0]], src[1:]
	if packed, zero, ok := bitColumn(known, len(dst)); ok {
		return amountsOf(dst, packed, zero, src, scale)
	}
	if err := r.codes(mask, known, codeMap{limit: 2}); err != nil {
		return err
	}
	for i := range dst {
		if mask[i] == 0 {
			dst[i] = model.NoMoney
			continue
		}
		u, n := binary.Uvarint(src)
		if n <= 0 {
			return errShort
		}
		dst[i], src = model.Money(int64(u>>1)^-int64(u&1))*scale, src[n:]
	}
	if len(src) != 0 {
		return errShort
	}
	return nil
}

// bitColumn gives the bits of a packed column of noughts and ones, of n events,
// and what a 0 among them means.
func bitColumn(src []byte, n int) (packed []byte, first byte, ok bool) {
	if len(src) != 4+(n+7)/8+packPad || src[0] != codesPacked || src[1] != 2 || src[2]|src[3] != 1 || src[2] == src[3] {
		return nil, 0, false
	}
	return src[4:], src[2], true
}

// amountsOf is the end of amounts where the mask is a bit an event: mostly few
// have an amount, and 64 without one are stepped over at once.
func amountsOf(dst []model.Money, packed []byte, first byte, src []byte, scale model.Money) error {
	flip := -uint64(first)
	fill(dst, model.NoMoney)
	at := 0
	for from := 0; from < len(dst); from += 64 {
		word := binary.LittleEndian.Uint64(packed[from>>3:]) ^ flip
		if left := len(dst) - from; left < 64 {
			word &= 1<<left - 1
		}
		for ; word != 0; word &= word - 1 {
			var u uint64
			if at+1 < len(src) && src[at+1] < 0x80 && src[at] >= 0x80 {
				u = uint64(src[at]&0x7F) | uint64(src[at+1])<<7
				at += 2
			} else {
				v, n := binary.Uvarint(src[at:])
				if n <= 0 {
					return errShort
				}
				u = v
				at += n
			}
			dst[from+bits.TrailingZeros64(word)] = model.Money(int64(u>>1)^-int64(u&1)) * scale
		}
	}
	if at != len(src) {
		return errShort
	}
	return nil
}

// appendStrings writes strings as the distinct ones in order of appearance and a
// column of indexes; "" is absent, and index 0. codes is scratch of at least
// len(vals).
func (w *columnWriter) appendStrings(dst []byte, vals []string, codes []uint32) []byte {
	seen := map[string]uint32{"": 0}
	var list []byte
	for i, v := range vals {
		id, ok := seen[v]
		if !ok {
			id = uint32(len(seen))
			seen[v] = id
			list = append(binary.AppendUvarint(list, uint64(len(v))), v...)
		}
		codes[i] = id
	}
	dst = binary.AppendUvarint(dst, uint64(len(seen)-1))
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	dst = append(dst, list...)
	return w.appendCodes(dst, codes[:len(vals)])
}

// strings decodes what appendStrings wrote; codes is scratch of len(dst). All
// strings share one allocation.
func (r *columnReader) strings(dst []string, src []byte, codes []uint32) error {
	count, n := binary.Uvarint(src)
	if n <= 0 {
		return errShort
	}
	src = src[n:]
	size, n := binary.Uvarint(src)
	if n <= 0 || size > uint64(len(src)-n) || count > size {
		return errShort
	}
	list, src := string(src[n:n+int(size)]), src[n+int(size):]
	vals := make([]string, 1, count+1)
	for range count {
		l, n := uvarintString(list)
		if n <= 0 || l > uint64(len(list)-n) {
			return errShort
		}
		vals = append(vals, list[n:n+int(l)])
		list = list[n+int(l):]
	}
	if list != "" {
		return errShort
	}
	if err := r.codes(codes, src, codeMap{limit: uint32(len(vals))}); err != nil {
		return err
	}
	for i, c := range codes {
		dst[i] = vals[c]
	}
	return nil
}

// uvarintString is binary.Uvarint of a string.
func uvarintString(s string) (v uint64, n int) {
	for i := 0; i < len(s) && i < binary.MaxVarintLen64; i++ {
		if s[i] < 0x80 {
			return v | uint64(s[i])<<(7*i), i + 1
		}
		v |= uint64(s[i]&0x7F) << (7 * i)
	}
	return 0, 0
}
