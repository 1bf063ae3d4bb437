package store

import (
	"encoding/binary"
	"fmt"
)

// Key layouts. A key is a kind byte and fixed-width big-endian fields, so that
// byte order is the order of the fields.
//
//	f                                              format number of the data set
//	i | load u32                                   a load has begun; gone once its marker stands
//	l | load u32                                   marker: the load is part of the data set
//	b | load u32                                   bucket table: events, users, chunks, time range of each bucket
//	d | load u32 | kind u8 | key u32 | first u32   dictionary page, from id "first" on
//	h | load u32 | bucket u16 | page u16           rows of a followed file that another source had
//	s | bucket u16 | load u32 | page u16           summaries of a bucket's users
//	e | bucket u16 | load u32 | user | part u32    chunk that starts with this user
//
// The user in a chunk key is escaped (00 becomes 00 FF) and ends with 00 01, so
// that a user sorts before every longer one it begins and before its own parts.
// Only a user too long for one chunk has parts beyond 0.
const (
	kindFormat  = 'f'
	kindIntent  = 'i'
	kindMarker  = 'l'
	kindTable   = 'b'
	kindDict    = 'd'
	kindHidden  = 'h'
	kindSummary = 's'
	kindChunk   = 'e'
)

// Dictionary kinds.
const (
	dictNames  = 'n' // event names; key is 0
	dictCounts = 'c' // events of each name, numbered as the names; key is 0
	dictKeys   = 'k' // property keys; key is 0
	dictValues = 'v' // values of one coded property key, from id 1
)

// A chunkKey is the parsed key of a chunk.
type chunkKey struct {
	bucket int
	load   uint32
	user   string
	part   uint32
}

// A dictKey is the parsed key of a dictionary page.
type dictKey struct {
	load  uint32
	kind  byte
	key   uint32
	first uint32
}

// A summaryKey is the parsed key of a page of summaries.
type summaryKey struct {
	bucket int
	load   uint32
	page   uint16
}

func formatKey() []byte { return []byte{kindFormat} }

// appendLoadKey builds the keys that name a load alone: intent, marker, table.
func appendLoadKey(dst []byte, kind byte, load uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, kind), load)
}

// appendBucketKey builds the common start of a bucket's chunks or summaries in one load.
func appendBucketKey(dst []byte, kind byte, bucket int, load uint32) []byte {
	dst = binary.BigEndian.AppendUint16(append(dst, kind), uint16(bucket))
	return binary.BigEndian.AppendUint32(dst, load)
}

func appendDictKey(dst []byte, k dictKey) []byte {
	dst = append(appendLoadKey(dst, kindDict, k.load), k.kind)
	dst = binary.BigEndian.AppendUint32(dst, k.key)
	return binary.BigEndian.AppendUint32(dst, k.first)
}

func appendSummaryKey(dst []byte, k summaryKey) []byte {
	return binary.BigEndian.AppendUint16(appendBucketKey(dst, kindSummary, k.bucket, k.load), k.page)
}

func appendChunkKey(dst []byte, k chunkKey) []byte {
	dst = appendBucketKey(dst, kindChunk, k.bucket, k.load)
	dst = appendEscaped(dst, k.user)
	return binary.BigEndian.AppendUint32(dst, k.part)
}

// appendEscaped writes a string so that byte order is string order even with
// something after it.
func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = append(dst, s[i])
		if s[i] == 0 {
			dst = append(dst, 0xFF)
		}
	}
	return append(dst, 0, 1)
}

// cutEscaped reads what appendEscaped wrote and gives the rest.
func cutEscaped(b []byte) (s string, rest []byte, ok bool) {
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] != 0 {
			out = append(out, b[i])
			continue
		}
		if i+1 >= len(b) {
			return "", nil, false
		}
		switch b[i+1] {
		case 1:
			return string(out), b[i+2:], true
		case 0xFF:
			out = append(out, 0)
			i++
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}

func parseLoadKey(b []byte, kind byte) (uint32, error) {
	if len(b) != 5 || b[0] != kind {
		return 0, badKey(b)
	}
	return binary.BigEndian.Uint32(b[1:]), nil
}

func parseDictKey(b []byte) (dictKey, error) {
	if len(b) != 14 || b[0] != kindDict {
		return dictKey{}, badKey(b)
	}
	k := dictKey{load: binary.BigEndian.Uint32(b[1:]), kind: b[5], key: binary.BigEndian.Uint32(b[6:]), first: binary.BigEndian.Uint32(b[10:])}
	switch k.kind {
	case dictNames, dictCounts, dictKeys:
		if k.key != 0 {
			return dictKey{}, badKey(b)
		}
	case dictValues:
	default:
		return dictKey{}, badKey(b)
	}
	return k, nil
}

func parseSummaryKey(b []byte) (summaryKey, error) {
	bucket, load, ok := parseBucket(b, kindSummary)
	if !ok || len(b) != 9 {
		return summaryKey{}, badKey(b)
	}
	return summaryKey{bucket: bucket, load: load, page: binary.BigEndian.Uint16(b[7:])}, nil
}

func parseChunkKey(b []byte) (chunkKey, error) {
	bucket, load, ok := parseBucket(b, kindChunk)
	if !ok {
		return chunkKey{}, badKey(b)
	}
	user, rest, ok := cutEscaped(b[7:])
	if !ok || user == "" || len(rest) != 4 {
		return chunkKey{}, badKey(b)
	}
	return chunkKey{bucket: bucket, load: load, user: user, part: binary.BigEndian.Uint32(rest)}, nil
}

func parseBucket(b []byte, kind byte) (bucket int, load uint32, ok bool) {
	if len(b) < 7 || b[0] != kind {
		return 0, 0, false
	}
	bucket = int(binary.BigEndian.Uint16(b[1:]))
	return bucket, binary.BigEndian.Uint32(b[3:]), bucket < buckets
}

func badKey(b []byte) error {
	if len(b) > 64 {
		b = b[:64]
	}
	return fmt.Errorf("%w: %q", ErrBadKey, b)
}
