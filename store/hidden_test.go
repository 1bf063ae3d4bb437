package store

import (
	"reflect"
	"testing"
)

// Hidden rows come back as they were written; any other bytes are rows or an error.
func FuzzHidden(f *testing.F) {
	f.Add(appendHidden(nil)[envelopeLen:])
	f.Add(appendHidden([]hiddenRow{{"a", -5, 1, 1, 0}, {"a", 7, 1 << 63, 300, 2}, {"b\x00", 1 << 60, 0, 1, 0}})[envelopeLen:])
	f.Fuzz(func(t *testing.T, b []byte) {
		key := appendHiddenKey(nil, hiddenKey{load: 1, bucket: 2, page: 3})
		rows, err := decodeHidden(key, b)
		if err != nil {
			return
		}
		again, err := decodeHidden(key, appendHidden(rows)[envelopeLen:])
		if err != nil || !reflect.DeepEqual(again, rows) {
			t.Errorf("%+v comes back as %+v, %v", rows, again, err)
		}
	})
}

func TestHiddenKeys(t *testing.T) {
	for _, k := range []hiddenKey{{}, {load: 1, bucket: 1023, page: 7}, {load: 1<<32 - 1, bucket: 5, page: 1<<16 - 1}} {
		b := appendHiddenKey(nil, k)
		if got, err := parseHiddenKey(b); err != nil || got != k {
			t.Errorf("%+v comes back as %+v, %v", k, got, err)
		}
		if _, err := parseHiddenKey(b[:8]); err == nil {
			t.Error("a key cut short is read")
		}
	}
}
