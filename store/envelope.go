package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// recordVersion is the version of every record so far. A changed layout takes
// the next number and a step in migrate.go.
const recordVersion = 1

// envelopeLen is what stands before each record: its version (one byte) and the
// CRC-32C of key, version and record. The key is part of it, so that a record
// found under another's key is known as damage.
const envelopeLen = 5

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal fills in the envelope of value, whose first envelopeLen bytes are free.
func seal(key, value []byte) []byte {
	value[0] = recordVersion
	binary.LittleEndian.PutUint32(value[1:], checksum(key, value))
	return value
}

func checksum(key, value []byte) uint32 {
	c := crc32.Update(0, castagnoli, key)
	c = crc32.Update(c, castagnoli, value[:1])
	return crc32.Update(c, castagnoli, value[envelopeLen:])
}

// unseal gives the record inside a value, or ErrDamaged, or ErrNewer if its
// version is one this program does not know.
func unseal(key, value []byte) ([]byte, error) {
	if len(value) < envelopeLen {
		return nil, damaged(key, "it has %d bytes", len(value))
	}
	if binary.LittleEndian.Uint32(value[1:]) != checksum(key, value) {
		return nil, damaged(key, "its checksum does not match")
	}
	if value[0] != recordVersion {
		return nil, fmt.Errorf("%s: %w (record version %d)", placeOf(key), ErrNewer, value[0])
	}
	return value[envelopeLen:], nil
}

// damaged is ErrDamaged with its place and what is wrong.
func damaged(key []byte, format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s; run dwell check, then restore a backup or load the files again into a new directory",
		placeOf(key), ErrDamaged, fmt.Sprintf(format, args...))
}

// placeOf says in words which record a key names.
func placeOf(key []byte) string {
	if k, err := parseChunkKey(key); err == nil {
		return fmt.Sprintf("chunk of bucket %d, load %d, from user %q part %d", k.bucket, k.load, k.user, k.part)
	}
	if k, err := parseSummaryKey(key); err == nil {
		return fmt.Sprintf("summaries of bucket %d, load %d, page %d", k.bucket, k.load, k.page)
	}
	if k, err := parseHiddenKey(key); err == nil {
		return fmt.Sprintf("rows of load %d that another source had, bucket %d, page %d", k.load, k.bucket, k.page)
	}
	if k, err := parseDictKey(key); err == nil {
		what := map[byte]string{dictNames: "event names", dictCounts: "event counts", dictKeys: "property keys", dictValues: fmt.Sprintf("values of property %d", k.key)}[k.kind]
		return fmt.Sprintf("dictionary of load %d, %s from %d", k.load, what, k.first)
	}
	if len(key) == 5 {
		if what, ok := map[byte]string{kindIntent: "intent", kindMarker: "marker", kindTable: "bucket table", kindHidden: "repeated rows"}[key[0]]; ok {
			load, _ := parseLoadKey(key, key[0])
			return fmt.Sprintf("%s of load %d", what, load)
		}
	}
	if len(key) == 7 { // all of a bucket
		for kind, what := range map[byte]string{kindChunk: "chunks", kindSummary: "summaries"} {
			if b, load, ok := parseBucket(key, kind); ok {
				return fmt.Sprintf("%s of bucket %d, load %d", what, b, load)
			}
		}
	}
	if len(key) == 1 && key[0] == kindFormat {
		return "format number"
	}
	return fmt.Sprintf("key %q", key[:min(len(key), 64)])
}
