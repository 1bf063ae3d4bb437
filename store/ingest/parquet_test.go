package ingest

import (
	"bytes"
	"context"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"dwell/model"
	"dwell/model/modeltest"
)

type parquetRow struct {
	User   string    `parquet:"user_id"`
	At     time.Time `parquet:"timestamp,timestamp(microsecond)"`
	Event  string    `parquet:"event,dict"`
	Amount int64     `parquet:"amount,decimal(2:18)"`
	Plan   *string   `parquet:"plan,optional,zstd"`
	Seats  int32     `parquet:"seats"`
	Trial  bool      `parquet:"trial"`
	Score  float64   `parquet:"score"`
	Tags   []string  `parquet:"tags,list"`
	Where  struct {
		City string `parquet:"city"`
	} `parquet:"where"`
}

func writeParquet(t *testing.T, rows []parquetRow) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[parquetRow](f, parquet.MaxRowsPerRowGroup(700), parquet.PageBufferSize(4096))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func someRows(n int) []parquetRow {
	var rows []parquetRow
	pro := "pro \"x\"\n"
	for i := range n {
		r := parquetRow{User: "u" + big.NewInt(int64(i%37)).Text(36), At: time.Date(2024, 1, 1, 0, 0, i, 123_000_000, time.UTC), Event: "open",
			Amount: int64(i) - 5, Seats: int32(-i), Trial: i%2 == 0, Score: float64(i) / 4}
		if i%3 == 0 {
			r.Plan, r.Event = &pro, "buy"
		}
		for range i % 3 {
			r.Tags = append(r.Tags, "t")
		}
		r.Where.City = "Wien"
		rows = append(rows, r)
	}
	return rows
}

// A Parquet file gives the rows it was written from: times, decimals, missing
// values, nested columns, over several row groups and pages.
func TestParquet(t *testing.T) {
	rows := someRows(2000)
	path := writeParquet(t, rows)
	o := Options{Now: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	rec, err := Inspect(context.Background(), File(path), o)
	if err != nil {
		t.Fatal(err)
	}
	m := rec.Mapping
	if m.User != "user_id" || m.Time != "timestamp" || m.Event != "event" || m.Amount != "amount" || !strings.Contains(rec.Lines[0], "Parquet") {
		t.Fatalf("recognised as %+v\n%s", m, strings.Join(rec.Lines, "\n"))
	}
	mem := model.NewMemory()
	info, err := Load(context.Background(), mem.Begin, []*Input{File(path)}, m, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if info.Quality.Read != 2000 || info.Quality.Stored != 2000 {
		t.Fatalf("%+v", info.Quality)
	}
	snap, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	f := model.Filter{Until: model.NoCut, Amounts: true, Columns: []string{"plan", "seats", "trial", "score", "where.city"}}
	tl, err := snap.User(context.Background(), "u1", f)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for i, r := range rows {
		if r.User != "u1" {
			continue
		}
		in := snap.Info()
		if tl.Time[want] != r.At.UnixMilli() || in.Names[tl.Name[want]].Name != r.Event || int64(tl.Amount[want]) != r.Amount*10_000 {
			t.Fatalf("row %d: %d %s %d, want %+v", i, tl.Time[want], in.Names[tl.Name[want]].Name, tl.Amount[want], r)
		}
		got := []string{}
		for k, name := range f.Columns {
			got = append(got, tl.Props[k].At(in.Key(name), want))
		}
		plan := ""
		if r.Plan != nil {
			plan = strings.TrimSpace(*r.Plan)
		}
		exp := []string{plan, big.NewInt(int64(r.Seats)).String(), map[bool]string{true: "true", false: "false"}[r.Trial], strings.TrimSpace(string(appendFloat(nil, r.Score, 64))), "Wien"}
		got[0] = strings.TrimSpace(got[0])
		if !slices.Equal(got, exp) {
			t.Fatalf("row %d has %q, want %q", i, got, exp)
		}
		want++
	}
	if want != tl.Len() {
		t.Errorf("%d events, want %d", tl.Len(), want)
	}
	// Its bytes are hashed whole, though it is read from its end.
	if _, err := Load(context.Background(), mem.Begin, []*Input{File(path)}, m, Options{Now: o.Now, Known: snap.Info().Sources}, nil); err == nil {
		t.Error("the file was loaded twice")
	}
	modeltest.Dump(t, snap, modeltest.AllColumns(snap.Info()))
}

// Columns that the mapping does not name are not read.
func TestParquetReadsWantedColumnsAlone(t *testing.T) {
	path := writeParquet(t, someRows(50))
	o := Options{Now: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Props: []string{"plan"}}
	rec, err := Inspect(context.Background(), File(path), o)
	if err != nil {
		t.Fatal(err)
	}
	s, p, err := openPlan(File(path), &rec.Mapping, &o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var read []string
	for _, c := range p.parquet.leaves {
		read = append(read, c.name)
	}
	if !slices.Equal(read, []string{"user_id", "timestamp", "event", "amount", "plan"}) {
		t.Errorf("columns %s are read", read)
	}
	mem := model.NewMemory()
	if _, err := Load(context.Background(), mem.Begin, []*Input{File(path)}, rec.Mapping, o, nil); err != nil {
		t.Fatal(err)
	}
	snap, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(snap.Info().Keys) != 1 || snap.Info().Keys[0].Name != "plan" {
		t.Errorf("properties %+v", snap.Info().Keys)
	}
}

// Whatever is wrong with a Parquet file gives a sentence.
func TestDamagedParquet(t *testing.T) {
	path := writeParquet(t, someRows(300))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Now: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	rec, err := Inspect(context.Background(), File(path), o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		bad := bytes.Clone(whole)
		if i%4 == 0 {
			bad = bad[:4+i*(len(bad)-4)/60]
		} else {
			bad[4+i*(len(bad)-8)/60] ^= 0x55
		}
		if err := os.WriteFile(path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		mem := model.NewMemory()
		// Read or refused: a flipped byte within a value is no damage that the
		// format could tell.
		if _, err := Load(context.Background(), mem.Begin, []*Input{File(path)}, rec.Mapping, o, nil); err != nil && len(err.Error()) < 20 {
			t.Errorf("refused with %v", err)
		}
	}
	if _, err := Inspect(context.Background(), Stdin(bytes.NewReader(whole)), o); err == nil || !strings.Contains(err.Error(), "save it") {
		t.Errorf("from standard input: %v", err)
	}
}

// A column that the first rows leave empty is a column all the same: it is listed,
// can be asked for, and its values come.
func TestParquetLateColumn(t *testing.T) {
	type row struct {
		User  string   `parquet:"user_id"`
		Late  *string  `parquet:"late,optional"`
		At    int64    `parquet:"time,timestamp(millisecond)"`
		Price *float64 `parquet:"price,optional"`
		Never *int32   `parquet:"never,optional"`
	}
	rows := make([]row, 30_000)
	word, price := "yes", 2.5
	for i := range rows {
		rows[i] = row{User: "u", At: 1_700_000_000_000 + int64(i)}
		if i >= 29_000 {
			rows[i].Late, rows[i].Price = &word, &price
		}
	}
	var b bytes.Buffer
	if err := parquet.Write(&b, rows, parquet.MaxRowsPerRowGroup(10_000)); err != nil {
		t.Fatal(err)
	}
	rec, info, m := loadFile(t, write(t, "e.parquet", b.String()), Options{Amount: "price", EventConst: "e"})
	if !slices.Equal(rec.Columns, []string{"user_id", "late", "time", "price", "never"}) || info.Quality.Stored != 30_000 {
		t.Errorf("columns %q, %+v", rec.Columns, info.Quality)
	}
	snap, err := m.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tl, err := snap.User(t.Context(), "u", model.Filter{Until: model.NoCut, Amounts: true, Columns: []string{"late"}})
	if err != nil {
		t.Fatal(err)
	}
	if k := snap.Info().Key("late"); tl.Amount[28_999] != model.NoMoney || tl.Amount[29_000].String() != "2.5" || tl.Props[0].At(k, 28_999) != "" || tl.Props[0].At(k, 29_999) != "yes" {
		t.Errorf("amounts %v %v", tl.Amount[28_999], tl.Amount[29_000])
	}
}

func TestInterval(t *testing.T) {
	for want, in := range map[string][3]uint32{"P1M2DT3.5S": {1, 2, 3500}, "PT0S": {0, 0, 0}, "P14M": {14, 0, 0}, "P3DT86400S": {0, 3, 86_400_000}} {
		if got := string(appendInterval(nil, in[0], in[1], in[2])); got != want {
			t.Errorf("%v is %s, want %s", in, got, want)
		}
	}
}
