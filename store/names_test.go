package store

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"dwell/model"
	"dwell/model/modeltest"
	"dwell/store/ingest"
)

// A namedRow has strings of which new ones keep coming through the whole file.
type namedRow struct {
	User  string    `parquet:"user"`
	Time  time.Time `parquet:"time,timestamp(millisecond)"`
	Event string    `parquet:"event"`
	City  string    `parquet:"city"`
	Note  string    `parquet:"note"` // another in each row
	Pad   string    `parquet:"pad"`
}

func namedRows(n int) (rows []namedRow) {
	r := rand.New(rand.NewPCG(9, 9))
	pad := strings.Repeat("x", 230)
	for i := range n {
		row := namedRow{User: fmt.Sprint("u", r.IntN(700)), Time: time.UnixMilli(1_700_000_000_000 + int64(i)*1000).UTC(),
			Event: fmt.Sprint("event ", r.IntN(3+i/40)), City: fmt.Sprint("city ", r.IntN(2+i/9)), Note: fmt.Sprint("note ", i), Pad: pad}
		if r.IntN(4) == 0 {
			row.City = ""
		}
		rows = append(rows, row)
	}
	return rows
}

// inFormats writes the rows as files of each kind; the loads of a kind are its files.
func inFormats(t *testing.T, rows []namedRow) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	file := func(name string, body []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, body, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	table := func(rows []namedRow) []byte {
		var b bytes.Buffer
		b.WriteString("user,time,event,city,note,pad\n")
		for _, r := range rows {
			fmt.Fprintf(&b, "%s,%s,%s,%s,%s,%s\n", r.User, r.Time.Format(time.RFC3339), r.Event, r.City, r.Note, r.Pad)
		}
		return b.Bytes()
	}
	var objects, columns bytes.Buffer
	for _, r := range rows {
		fmt.Fprintf(&objects, `{"user":%q,"time":%q,"event":%q,"city":%q,"note":%q,"pad":%q}`+"\n", r.User, r.Time.Format(time.RFC3339), r.Event, r.City, r.Note, r.Pad)
	}
	w := parquet.NewGenericWriter[namedRow](&columns, parquet.MaxRowsPerRowGroup(3000))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	half := len(rows) / 2
	return map[string][]string{
		"CSV":       {file("a.csv", table(rows))},
		"CSV.zst":   {file("a.csv.zst", z.EncodeAll(table(rows), nil))},
		"NDJSON":    {file("a.ndjson", objects.Bytes())},
		"Parquet":   {file("a.parquet", columns.Bytes())},
		"two files": {file("b.csv", table(rows[:half])), file("c.csv", table(rows[half:]))},
	}
}

// Names and values have their ids in the order of the file, whatever the format and
// however many read, number and pack them; and each event has the name, the city and
// the note that stand in its row.
func TestNamesInFileOrder(t *testing.T) {
	rows := namedRows(14_000)
	var names, cities []string
	events := map[string]string{}
	for _, r := range rows {
		if !slices.Contains(names, r.Event) {
			names = append(names, r.Event)
		}
		if r.City != "" && !slices.Contains(cities, r.City) {
			cities = append(cities, r.City)
		}
		events[r.User] += fmt.Sprintln(r.Time.UnixMilli(), r.Event, r.City, r.Note)
	}
	workers := [][2]int{{1, 1}, {7, 3}}
	if testing.Short() {
		workers = workers[1:]
	}
	for kind, files := range inFormats(t, rows) {
		for _, n := range workers {
			what := fmt.Sprintf("%s, %d read and %d pack", kind, n[0], n[1])
			d := open(t, Options{Memory: 1 << 20, Workers: n[1]})
			o := ingest.Options{Now: time.Now(), Workers: n[0]}
			var inputs []*ingest.Input
			for _, f := range files {
				inputs = append(inputs, ingest.File(f))
			}
			rec, err := ingest.Inspect(context.Background(), inputs[0], o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ingest.Load(context.Background(), d.Begin, inputs, rec.Mapping, o, nil); err != nil {
				t.Fatal(err)
			}
			snap, err := d.Snapshot(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			in := snap.Info()
			var got []string
			for _, name := range in.Names {
				got = append(got, name.Name)
			}
			if !slices.Equal(got, names) {
				t.Errorf("%s: the names are %.200q, want %.200q", what, got, names)
			}
			if k := in.Key("city"); k == nil || !slices.Equal(k.Values[1:], cities) {
				t.Errorf("%s: the cities are not in the order of the file", what)
			}
			f := model.Filter{Until: model.NoCut, Columns: []string{"city", "note"}}
			users := 0
			err = snap.Scan(context.Background(), model.Split{To: model.Buckets}, f, func(tl *model.Timeline) error {
				text := ""
				for i := range tl.Time {
					text += fmt.Sprintln(tl.Time[i], in.Names[tl.Name[i]].Name, tl.Props[0].At(in.Key("city"), i), tl.Props[1].At(in.Key("note"), i))
				}
				if users++; text != events[tl.ID] {
					t.Errorf("%s: %s has\n%.300s\nwant\n%.300s", what, tl.ID, text, events[tl.ID])
				}
				return nil
			})
			if err != nil || users != len(events) {
				t.Errorf("%s: %d users, want %d: %v", what, users, len(events), err)
			}
			if err := snap.Close(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				return
			}
		}
	}
}

var _ modeltest.Beginner = (*Store)(nil)
