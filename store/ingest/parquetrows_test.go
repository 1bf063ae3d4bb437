package ingest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"dwell/model"
)

// oddRow has a column of each kind that can stand for a user, a time, an amount
// or a property, with values that must be rejected among them.
type oddRow struct {
	User   *string          `parquet:"user_id,optional,dict"`
	At     *time.Time       `parquet:"ts,optional,timestamp(microsecond)"`
	Local  time.Time        `parquet:"local,timestamp(nanosecond:local)"`
	Day    int32            `parquet:"day,date"`
	Clock  int64            `parquet:"clock,time(microsecond)"`
	Epoch  *int64           `parquet:"epoch,optional,dict"`
	Second float64          `parquet:"second"`
	Text   string           `parquet:"text_time,dict"`
	Event  *string          `parquet:"event,optional"`
	Price  *float64         `parquet:"price,optional"`
	Cents  int64            `parquet:"cents,decimal(2:18),dict"`
	Small  int32            `parquet:"small,decimal(3:9)"`
	Long   [16]byte         `parquet:"long,decimal(4:38)"`
	Quant  *int32           `parquet:"quantity,optional"`
	Half   float32          `parquet:"half"`
	Size   uint64           `parquet:"size"`
	ID     [16]byte         `parquet:"id,uuid"`
	Flag   *bool            `parquet:"flag,optional"`
	Note   *string          `parquet:"note,optional,zstd"`
	Tags   []string         `parquet:"tags,list"`
	Pairs  []oddPair        `parquet:"pairs"`
	Where  *oddPlace        `parquet:"where,optional"`
	Map    map[string]int64 `parquet:"map"`
}

type oddPair struct {
	Name  string   `parquet:"name"`
	Price *float64 `parquet:"price,optional"`
}

type oddPlace struct {
	City *string `parquet:"city,optional"`
	At   oddPair `parquet:"at"`
}

func oddRows(rng *rand.Rand, n int) []oddRow {
	some := func(s ...string) *string {
		if i := rng.IntN(len(s) + 1); i < len(s) {
			return &s[i]
		}
		return nil
	}
	var rows []oddRow
	for i := range n {
		at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i)*11*time.Hour*time.Duration(1+i%5) + time.Duration(rng.IntN(1e9)))
		if rng.IntN(50) == 0 {
			at = time.Date([]int{1950, 2090, 2300}[rng.IntN(3)], 1, 1, 0, 0, 0, 0, time.UTC)
		}
		epoch := at.Unix()
		r := oddRow{User: some("u1", "u2", " u3 ", "17.0", "18", "NaN", "", "ü", "bad\xff"), At: &at, Local: at, Day: int32(at.Unix() / 86_400), Clock: int64(rng.IntN(86_400)) * 1e6,
			Epoch: &epoch, Second: float64(at.UnixMilli()) / 1000, Text: at.Format("02.01.2006 15:04"), Event: some("open", "buy", " sell", "NULL", ""),
			Cents: rng.Int64N(1e9) - 5e8, Small: rng.Int32N(2000) - 1000, Half: float32(rng.NormFloat64()), Size: rng.Uint64(), Note: some("", "  x ", "2024-01-01", "true", "12", "null", "a\"b\\\n", "é\xc3")}
		v := []float64{0, 0.1, 2.55, 1e-7, 1.5e12, -3, math.NaN(), math.Inf(1), 123456789.123456, 1e300, 0.1 + 0.2}[rng.IntN(11)]
		q := rng.Int32N(100)
		b := rng.IntN(2) == 0
		switch rng.IntN(4) {
		case 0:
			r.At, r.Epoch = nil, nil
		case 1:
			r.Price, r.Flag = &v, &b
		case 2:
			r.Quant, r.Price = &q, &v
			p := oddPlace{City: some("Wien", "Graz"), At: oddPair{Name: "n", Price: &v}}
			r.Where = &p
		}
		for k := range r.ID {
			r.ID[k] = byte(rng.Uint32())
		}
		copy(r.Long[10:], r.ID[:6])
		if rng.IntN(2) == 0 {
			for k := range 10 {
				r.Long[k] = 0xff
			}
		}
		if rng.IntN(100) == 0 {
			long := strings.Repeat("long", 20_000)
			r.Note = &long
		}
		for range rng.IntN(4) {
			r.Tags = append(r.Tags, *cmpOr(some("a", "b\"", "c"), &r.Text))
			r.Pairs = append(r.Pairs, oddPair{Name: "p", Price: r.Price})
		}
		if rng.IntN(3) == 0 {
			r.Map = map[string]int64{"k": int64(i)}
		}
		rows = append(rows, r)
	}
	return rows
}

func cmpOr(a, b *string) *string {
	if a != nil {
		return a
	}
	return b
}

// A rowKeeper is a Loader that keeps every row as a text.
type rowKeeper struct {
	mu   sync.Mutex
	rows map[int64]string
}

func (k *rowKeeper) Add(b *model.Batch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range b.Time {
		amount, dated := model.NoMoney, b.Dated != nil && b.Dated[i]
		if b.Amount != nil {
			amount = b.Amount[i]
		}
		var props []string
		for _, c := range b.Props {
			if v := c.Value(i); len(v) > 0 {
				props = append(props, fmt.Sprintf("%s=%.300s", c.Key, v))
			}
		}
		slices.Sort(props)
		k.rows[b.Line[i]] = fmt.Sprintf("%s %d %v %s %v %q", b.User[i], b.Time[i], dated, b.Event[i], amount, props)
	}
	return nil
}

func (k *rowKeeper) Commit(q model.Quality, _ []model.SourceInfo) (model.LoadInfo, error) {
	return model.LoadInfo{Quality: q}, nil
}

func (k *rowKeeper) Abort() error { return nil }

func keepRows(t *testing.T, path string, m Mapping, o Options) (map[int64]string, model.Quality) {
	t.Helper()
	k := &rowKeeper{rows: map[int64]string{}}
	begin := func(context.Context, model.LoadPlan) (model.Loader, error) { return k, nil }
	info, err := Load(context.Background(), begin, []*Input{File(path)}, m, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k.rows, info.Quality
}

// Read by columns, a file gives what its rows give that are written as lines of
// JSON and read one by one: the two share the writing of a value, and nothing else.
func TestParquetByColumnsIsParquetByRows(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	writers := [][]parquet.WriterOption{
		{parquet.DataPageVersion(1), parquet.PageBufferSize(500), parquet.MaxRowsPerRowGroup(133)},
		{parquet.DataPageVersion(2), parquet.PageBufferSize(100_000), parquet.Compression(&parquet.Snappy)},
		{parquet.DataPageVersion(1), parquet.PageBufferSize(60), parquet.Compression(&parquet.Gzip)},
	}
	mappings := []Mapping{
		{User: "user_id", Time: "ts", TimeFormat: "iso", Event: "event", Amount: "price", AllProps: true},
		{User: "user_id", Time: "local", TimeFormat: "m/d/y", Event: "event", Amount: "price*quantity", Zone: "Europe/Vienna", Props: []string{"note", "tags", "missing"}, UserInteger: true},
		{User: "user_id", Time: "epoch", TimeFormat: "unix", EventConst: "x", Amount: "cents", Props: []string{"map.key", "where.at.price", "id"}},
		{User: "id", Time: "day", Clock: "clock", TimeFormat: "iso", EventConst: "x", Amount: "small", Zone: "America/New_York"},
		{User: "size", Time: "text_time", TimeFormat: "02.01.2006 15:04", Event: "missing"},
		{User: "quantity", Time: "second", TimeFormat: "unix", EventConst: "x", Amount: "long", Props: []string{"pairs.price", "half", "flag"}},
		{User: "tags", Time: "ts", TimeFormat: "unix_ms", EventConst: "x", Amount: "note"},
		{User: "small", Time: "local", TimeFormat: "iso", Event: "flag", Amount: "half", AllProps: true},
	}
	for i, options := range writers {
		rows := oddRows(rand.New(rand.NewPCG(7, uint64(i))), 400)
		var file bytes.Buffer
		w := parquet.NewGenericWriter[oddRow](&file, options...)
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		path, lines := filepath.Join(dir, "x.parquet"), filepath.Join(dir, "x.ndjson")
		if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		for k, m := range mappings {
			m.Format = FormatNDJSON
			o := Options{Now: now, rejectsAlone: true, Workers: 1 + k%3}
			s, err := File(path).open()
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if _, err := text.ReadFrom(s.parquet.asText(s.parquet.wanted(&m))); err != nil {
				t.Fatal(err)
			}
			s.Close()
			if err := os.WriteFile(lines, text.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			var rejects, wantRejects bytes.Buffer
			o.Rejects = &rejects
			got, q := keepRows(t, path, m, o)
			o.Rejects = &wantRejects
			want, wantQ := keepRows(t, lines, m, o)
			for line := range int64(len(rows) + 2) {
				if got[line] != want[line] {
					t.Fatalf("file %d, mapping %d, row %d:\n%s\nwant\n%s", i, k, line, got[line], want[line])
				}
			}
			wantQ.BadUTF8 = q.BadUTF8 // what is written as JSON is mended already
			// A property that no stored row has is named or not.
			none := func(k model.KeyTypes) bool { return k == model.KeyTypes{Key: k.Key} }
			q.Types, wantQ.Types = slices.DeleteFunc(q.Types, none), slices.DeleteFunc(wantQ.Types, none)
			if !reflect.DeepEqual(q.Types, wantQ.Types) {
				t.Errorf("file %d, mapping %d: values look like\n%+v\nwant\n%+v", i, k, q.Types, wantQ.Types)
			}
			q.Types, wantQ.Types = nil, nil
			if !reflect.DeepEqual(q, wantQ) {
				t.Errorf("file %d, mapping %d: report\n%+v\nwant\n%+v", i, k, q, wantQ)
			}
			if a, b := rejects.String(), strings.ReplaceAll(wantRejects.String(), ".ndjson", ".parquet"); a != b {
				t.Errorf("file %d, mapping %d: rejects differ: %d bytes, want %d", i, k, len(a), len(b))
			}
		}
	}
}
