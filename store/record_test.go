package store

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"dwell/model"
)

func TestTableRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	rows := &[buckets]bucketRow{}
	for i := range rows {
		if r.IntN(3) > 0 {
			first := r.Int64N(1<<42) - 1<<41
			rows[i] = bucketRow{events: 1 + r.Int64N(1000), users: r.Int64N(99), newUsers: r.Int64N(9), chunks: r.Int64N(5), pages: r.Int64N(3), first: first, last: first + r.Int64N(1<<40)}
		}
	}
	key := appendLoadKey(nil, kindTable, 3)
	got, err := decodeTable(key, seal(key, appendTable(rows)))
	if err != nil || *got != *rows {
		t.Errorf("the table comes back differently: %v", err)
	}
	other := appendLoadKey(nil, kindTable, 4)
	if _, err := decodeTable(other, seal(key, appendTable(rows))); err == nil {
		t.Error("another load's table was taken")
	}
}

func TestSummariesRoundTrip(t *testing.T) {
	users := []summary{{"a", 1, 5, 5}, {"a\x00", 7, -3, 9}, {"ab", 2, 0, 0}, {"abc", 1 << 40, -1 << 60, 1 << 60}, {"日本", 1, 2, 3}}
	got, err := decodeSummaries(appendSummaries(users)[envelopeLen:])
	if err != nil || !reflect.DeepEqual(got, users) {
		t.Errorf("summaries come back as %+v, %v", got, err)
	}
}

func TestSpilledRowsRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var w pieceWriter
	var want []spillRow
	for i := range 500 {
		row := spillRow{user: []byte{byte(i), 0, byte(i >> 8)}, time: r.Int64() - r.Int64(), num: int64(r.IntN(1 << 30)), source: uint32(r.IntN(3)), tail: make([]byte, r.IntN(9))}
		w.add(row.user, row.time, row.num, row.source, row.tail)
		want = append(want, row)
	}
	p := pieceReader{b: w.b}
	var got spillRow
	for i := range want {
		if !p.next(&got) || !reflect.DeepEqual(got, want[i]) {
			t.Fatalf("row %d comes back as %+v, want %+v", i, got, want[i])
		}
	}
	if p.next(&got) || p.bad {
		t.Error("there is a row too many")
	}
}

// FuzzRecords reads any bytes as every other kind of record: an error or a
// value, never a panic.
func FuzzRecords(f *testing.F) {
	f.Add(appendTable(&[buckets]bucketRow{3: {events: 4, users: 1, chunks: 1, pages: 1, first: -5, last: 9}})[envelopeLen:])
	f.Add(appendSummaries([]summary{{"a", 1, 2, 3}, {"ab", 1, 2, 3}})[envelopeLen:])
	f.Add(appendStringPage([]string{"", "x", "long enough"})[envelopeLen:])
	f.Add(appendCountPage([]int64{0, 1, 1 << 50})[envelopeLen:])
	f.Add([]byte(`{"Load":1,"Events":3,"Keys":[{"Values":2}]}`))
	var w pieceWriter
	w.add([]byte("u"), 5, 3, 0, appendTailPlain(putUvarint(appendTailHead(nil, 3, true, 7), 1), 1, "x"))
	f.Add(w.b)
	f.Fuzz(func(t *testing.T, b []byte) {
		value := append(make([]byte, envelopeLen), b...)
		for _, key := range [][]byte{appendLoadKey(nil, kindMarker, 1), appendLoadKey(nil, kindTable, 1)} {
			sealed := seal(key, value)
			_, _ = decodeMarker(key, sealed)
			_, _ = decodeTable(key, sealed)
			_, _ = decodeStringPage(key, b)
			_, _ = decodeCountPage(key, b)
			d := &dictionary{values: [][]string{{""}}}
			_ = d.page(entry{key, sealed})
		}
		_, _ = decodeSummaries(b)
		p := pieceReader{b: b}
		var r spillRow
		for p.next(&r) {
			tl := parseTail(r.tail)
			for {
				if _, _, _, ok := tl.next(); !ok {
					break
				}
			}
		}
		_, _ = unseal(nil, b)
		e := model.Entry{Body: b}
		parseShelfHeader(&e)
	})
}

// FuzzLedger: whatever is in the file, it is read or refused.
func FuzzLedger(f *testing.F) {
	f.Add([]byte("load 1 ab 3\nsum 00000000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, err := parseLedger(b)
		if err != nil && lines != nil {
			t.Fatal("lines and an error")
		}
	})
}
