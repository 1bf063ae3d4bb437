package store

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"dwell/model"
)

// randomCodes draws a column of one of the shapes that columns have.
func randomCodes(r *rand.Rand, n int, limit uint32) []uint32 {
	out := make([]uint32, n)
	switch shape := r.IntN(5); shape {
	case 0: // constant
		c := r.Uint32N(limit)
		for i := range out {
			out[i] = c
		}
	case 1: // runs
		c := r.Uint32N(limit)
		for i := range out {
			if r.IntN(10) == 0 {
				c = r.Uint32N(limit)
			}
			out[i] = c
		}
	case 2: // few
		few := min(limit, 1+r.Uint32N(20))
		for i := range out {
			out[i] = r.Uint32N(few)
		}
	case 3: // counting
		from := r.Uint32N(limit)
		for i := range out {
			out[i] = min(limit-1, from+uint32(i))
		}
	default:
		for i := range out {
			out[i] = r.Uint32N(limit)
		}
	}
	return out
}

func TestCodesRoundTrip(t *testing.T) {
	var w columnWriter
	var rd columnReader
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		limit := uint32(1) << r.IntN(20)
		codes := randomCodes(r, 1+r.IntN(3000), limit)
		b := w.appendCodes(nil, codes)
		got := make([]uint32, len(codes))
		if err := rd.codes(got, b, codeMap{limit: limit}); err != nil {
			t.Fatalf("seed %d, mode %d: %v", seed, b[0], err)
		}
		if !slices.Equal(got, codes) {
			t.Fatalf("seed %d, mode %d: codes differ", seed, b[0])
		}
		table := make([]uint32, limit)
		for i := range table {
			table[i] = uint32(i)*7 + 3
		}
		if err := rd.codes(got, b, codeMap{table: table, limit: limit}); err != nil {
			t.Fatal(err)
		}
		for i, c := range codes {
			if got[i] != table[c] {
				t.Fatalf("seed %d: code %d mapped to %d, want %d", seed, c, got[i], table[c])
			}
		}
		if top := slices.Max(codes); top > 0 {
			if err := rd.codes(got, b, codeMap{limit: top}); err == nil {
				t.Fatalf("seed %d, mode %d: a code beyond the dictionary was accepted", seed, b[0])
			}
		}
	}
}

func TestTimesAndAmountsRoundTrip(t *testing.T) {
	var w columnWriter
	var rd columnReader
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		unit := timeUnits[r.IntN(len(timeUnits))]
		var times []int64
		var counts []int32
		base := int64(math.MaxInt64)
		for range 1 + r.IntN(20) {
			at := (r.Int64N(4_000_000) - 1_000_000) * unit
			n := 1 + r.IntN(50)
			for range n {
				times = append(times, at)
				at += r.Int64N(1<<r.IntN(40)) / unit * unit
			}
			counts = append(counts, int32(n))
		}
		base = slices.Min(times)
		b := appendTimes(nil, times, counts, base)
		got := make([]int64, len(times))
		if err := decodeTimes(got, b, counts, base); err != nil || !slices.Equal(got, times) {
			t.Fatalf("seed %d: times differ: %v", seed, err)
		}
		amounts := make([]model.Money, len(times))
		scale := moneyScales[r.IntN(len(moneyScales))]
		for i := range amounts {
			amounts[i] = model.Money(r.Int64N(2_000_000)-1_000_000) * scale
			if r.IntN(3) == 0 {
				amounts[i] = model.NoMoney
			}
		}
		if seed == 0 {
			amounts[0], amounts[1] = model.MaxMoney, -model.MaxMoney
		}
		if seed == 1 {
			amounts[0] = math.MinInt64 + 1
		}
		mask := make([]uint32, len(amounts))
		b = w.appendAmounts(nil, amounts, mask)
		back := make([]model.Money, len(amounts))
		if err := rd.amounts(back, b, mask); err != nil || !slices.Equal(back, amounts) {
			t.Fatalf("seed %d: amounts differ: %v", seed, err)
		}
	}
}

// randomRows draws the rows of a chunk.
func randomRows(r *rand.Rand) *chunkRows {
	rows := &chunkRows{}
	ids := map[string]bool{}
	for range 1 + r.IntN(30) {
		id := make([]byte, 1+r.IntN(8))
		for i := range id {
			id[i] = "ab\x00\xff"[r.IntN(4)]
		}
		ids[string(id)] = true
	}
	for id := range ids {
		rows.users = append(rows.users, id)
	}
	slices.Sort(rows.users)
	for range rows.users {
		n := 1 + r.IntN(40)
		at := r.Int64N(1 << 40)
		for range n {
			rows.time = append(rows.time, at)
			at += r.Int64N(1 << 30)
			rows.amount = append(rows.amount, model.Money(r.Int64N(100)))
		}
		rows.counts = append(rows.counts, int32(n))
	}
	n := len(rows.time)
	rows.name, rows.source, rows.dated = randomCodes(r, n, 12), randomCodes(r, n, 3), randomCodes(r, n, 2)
	rows.props = []propRows{{key: 0, codes: randomCodes(r, n, 300)}, {key: 3, plain: make([]string, n)}}
	for i := range rows.props[1].plain {
		rows.props[1].plain[i] = "xyz"[:r.IntN(4)]
	}
	return rows
}

func TestChunkRoundTrip(t *testing.T) {
	var w chunkWriter
	for seed := range uint64(200) {
		rows := randomRows(rand.New(rand.NewPCG(seed, 3)))
		b := w.append(rows)
		var c chunkReader
		if err := c.load(b[envelopeLen:]); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		maps := loadMaps{names: codeMap{limit: 12}, sources: codeMap{limit: 3}}
		if err := c.decode(columnWish{names: true, amounts: true, sources: true, dated: true}, maps); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !slices.Equal(c.ids, rows.users) || !slices.Equal(c.counts, rows.counts) || !slices.Equal(c.time, rows.time) ||
			!slices.Equal(c.name, asNames(rows.name)) || !slices.Equal(c.amount, rows.amount) {
			t.Fatalf("seed %d: columns differ", seed)
		}
		codes := make([]uint32, len(rows.time))
		if err := c.col.codes(codes, c.head.section(tagProps), codeMap{limit: 300}); err != nil || !slices.Equal(codes, rows.props[0].codes) {
			t.Fatalf("seed %d: coded property differs: %v", seed, err)
		}
		plain := make([]string, len(rows.time))
		if err := c.col.strings(plain, c.head.section(tagProps+7), codes); err != nil || !slices.Equal(plain, rows.props[1].plain) {
			t.Fatalf("seed %d: plain property differs: %v", seed, err)
		}
	}
}

func asNames(codes []uint32) []model.NameID {
	out := make([]model.NameID, len(codes))
	for i, c := range codes {
		out[i] = model.NameID(c)
	}
	return out
}

// FuzzChunk reads any bytes as a chunk: an error or columns that agree with one
// another, never a panic.
func FuzzChunk(f *testing.F) {
	var w chunkWriter
	for seed := range uint64(8) {
		f.Add(w.append(randomRows(rand.New(rand.NewPCG(seed, 4))))[envelopeLen:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var c chunkReader
		if c.load(b) != nil {
			return
		}
		err := c.decode(columnWish{names: true, amounts: true, sources: true, dated: true}, loadMaps{names: codeMap{limit: 12}, sources: codeMap{limit: 3}})
		if err == nil && (len(c.time) != c.head.events || len(c.name) != c.head.events || len(c.ids) != c.head.users) {
			t.Fatalf("%d events, %d times, %d names", c.head.events, len(c.time), len(c.name))
		}
		codes, plain := make([]uint32, c.head.events), make([]string, c.head.events)
		for _, s := range c.head.sections {
			_ = c.col.codes(codes, s.body, codeMap{limit: 1000})
			_ = c.col.strings(plain, s.body, codes)
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte("e\x00\x01\x00\x00\x00\x01user\x00\x01\x00\x00\x00\x00"))
	f.Add(appendChunkKey(nil, chunkKey{bucket: 3, load: 9, user: "a\x00b", part: 2}))
	f.Add(appendDictKey(nil, dictKey{load: 1, kind: dictValues, key: 3, first: 1}))
	f.Add(appendSummaryKey(nil, summaryKey{bucket: 1023, load: 2, page: 7}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := parseChunkKey(b); err == nil && !bytes.Equal(appendChunkKey(nil, k), b) {
			t.Fatalf("chunk key %q does not come back", b)
		}
		if k, err := parseDictKey(b); err == nil && !bytes.Equal(appendDictKey(nil, k), b) {
			t.Fatalf("dictionary key %q does not come back", b)
		}
		if k, err := parseSummaryKey(b); err == nil && !bytes.Equal(appendSummaryKey(nil, k), b) {
			t.Fatalf("summary key %q does not come back", b)
		}
		if k, err := parseHiddenKey(b); err == nil && !bytes.Equal(appendHiddenKey(nil, k), b) {
			t.Fatalf("key of hidden rows %q does not come back", b)
		}
		if l, err := parseLoadKey(b, kindMarker); err == nil && !bytes.Equal(appendLoadKey(nil, kindMarker, l), b) {
			t.Fatalf("marker key %q does not come back", b)
		}
		if placeOf(b) == "" {
			t.Fatal("a place without a name")
		}
	})
}

// FuzzKeyOrder holds the order of chunk keys to the order of what they name.
func FuzzKeyOrder(f *testing.F) {
	f.Add("a", "a\x00", uint32(0), uint32(1))
	f.Add("a\x00\xff", "a\x00", uint32(7), uint32(1))
	f.Fuzz(func(t *testing.T, a, b string, p, q uint32) {
		if a == "" || b == "" {
			return
		}
		x, y := appendChunkKey(nil, chunkKey{user: a, part: p}), appendChunkKey(nil, chunkKey{user: b, part: q})
		want := 0
		switch {
		case a < b || a == b && p < q:
			want = -1
		case a > b || a == b && p > q:
			want = 1
		}
		if got := bytes.Compare(x, y); got != want {
			t.Fatalf("keys of %q/%d and %q/%d compare %d, want %d", a, p, b, q, got, want)
		}
		k, err := parseChunkKey(x)
		if err != nil || !reflect.DeepEqual(k, chunkKey{user: a, part: p}) {
			t.Fatalf("%q/%d came back as %v, %v", a, p, k, err)
		}
	})
}
