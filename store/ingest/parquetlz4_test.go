package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"dwell/model"
)

type lz4Row struct {
	User  string    `parquet:"user_id,lz4"`
	At    time.Time `parquet:"timestamp,timestamp(millisecond),lz4"`
	Event string    `parquet:"event,dict,lz4"`
	Code  int64     `parquet:"code,lz4"` // required, of bytes that cannot be packed: the library made zeros of them
	Plan  *string   `parquet:"plan,optional,lz4"`
	Tags  []int64   `parquet:"tags,list,lz4"`
}

func lz4File(t *testing.T, version int) (path string, rows []lz4Row) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(version)))
	for i := range 3000 {
		row := lz4Row{User: fmt.Sprintf("u%x", r.Uint64()), At: time.UnixMilli(r.Int64N(1_700_000_000_000)).UTC(), Event: []string{"open", "buy"}[i%2], Code: r.Int64()}
		if i%3 == 0 {
			plan := fmt.Sprintf("%x", r.Uint64())
			row.Plan = &plan
		}
		for range i % 4 {
			row.Tags = append(row.Tags, r.Int64())
		}
		rows = append(rows, row)
	}
	path = filepath.Join(t.TempDir(), "lz4.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[lz4Row](f, parquet.MaxRowsPerRowGroup(1100), parquet.PageBufferSize(4096), parquet.DataPageVersion(version))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path, rows
}

// Columns packed with LZ4 hold what was written, also where packing made them no
// smaller, in pages of both kinds.
func TestParquetLZ4(t *testing.T) {
	for version := 1; version <= 2; version++ {
		path, rows := lz4File(t, version)
		_, _, mem := loadFile(t, path, Options{Now: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)})
		snap, err := mem.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			tl, err := snap.User(context.Background(), r.User, model.Filter{Until: model.NoCut, Columns: []string{"code", "plan", "tags"}})
			if err != nil {
				t.Fatalf("pages of version %d: %v", version, err)
			}
			want := []string{fmt.Sprint(r.Code), "", ""}
			if r.Plan != nil {
				want[1] = *r.Plan
			}
			for i, tag := range r.Tags {
				want[2] += fmt.Sprintf("%c%d", "[,"[min(i, 1)], tag)
			}
			if len(r.Tags) > 0 {
				want[2] += "]"
			}
			for c, key := range []string{"code", "plan", "tags"} {
				got := ""
				if p := tl.Props[c]; p.Codes != nil {
					got = snap.Info().Key(key).Values[p.Codes[0]]
				} else if p.Plain != nil {
					got = p.Plain[0]
				}
				if got != want[c] || tl.Time[0] != r.At.UnixMilli() {
					t.Fatalf("pages of version %d: %s of %s is %q at %d, written was %q at %d", version, key, r.User, got, tl.Time[0], want[c], r.At.UnixMilli())
				}
			}
		}
	}
}

// Damaged pages end in a sentence or in other values, never in a panic or in memory
// without bounds.
func TestParquetLZ4Damaged(t *testing.T) {
	path, _ := lz4File(t, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		b := append([]byte(nil), whole...)
		for range 1 + r.IntN(3) {
			b[4+r.IntN(len(b)-4)] ^= byte(1 + r.IntN(255))
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		o := Options{Now: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
		rec, err := Inspect(context.Background(), File(path), o)
		if err != nil {
			continue
		}
		_, _ = Load(context.Background(), model.NewMemory().Begin, []*Input{File(path)}, rec.Mapping, o, nil)
	}
}
