package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dwell/model"
)

// Files that write times and amounts otherwise than the first are read as they are
// written, and that is said; what is open, and what a person has said, stays.
func TestFilesInOtherDress(t *testing.T) {
	day := time.Date(2024, 3, 14, 15, 9, 26, 0, time.UTC)
	table := func(layout, amount string) string {
		out := "user_id;time;event;amount\n"
		for i := range 40 {
			at := day.AddDate(0, 0, i)
			cell := at.Format(layout)
			switch layout {
			case "s":
				cell = fmt.Sprint(at.Unix())
			case "ms":
				cell = fmt.Sprint(at.UnixMilli())
			}
			out += fmt.Sprintf("u;%s;buy;%s\n", cell, amount)
		}
		return out
	}
	forms := map[string]string{"iso": time.RFC3339, "s": "s", "ms": "ms", "us": "01/02/2006 15:04:05", "eu": "02.01.2006 15:04:05", "names": "2 Jan 2006 15:04:05"}
	for first, a := range forms {
		for second, b := range forms {
			dir := t.TempDir()
			one, two := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
			put(t, one, table(a, "1234.50"))
			put(t, two, table(b, "1.234,50"))
			var notes []string
			o := Options{Now: testNow, Note: func(n string) { notes = append(notes, n) }}
			rec, err := Inspect(t.Context(), File(one), o)
			if err != nil {
				t.Fatal(err)
			}
			mem := model.NewMemory()
			info, err := Load(t.Context(), mem.Begin, []*Input{File(one), File(two)}, rec.Mapping, o, nil)
			if err != nil {
				t.Fatalf("%s, %s: %v", first, second, err)
			}
			snap, err := mem.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tl, err := snap.User(t.Context(), "u", model.Filter{Until: model.NoCut, Amounts: true})
			if err != nil {
				t.Fatal(err)
			}
			// The second file's rows are those of the first: each is known already.
			want := 2
			if first == second || second == "iso" && (first == "us" || first == "eu") { // which take ISO times too
				want = 1
			}
			if info.Quality.Read != 80 || tl.Len() != 40 || tl.Time[39] != day.AddDate(0, 0, 39).UnixMilli() || tl.Amount[39].String() != "1234.5" || len(notes) != want {
				t.Errorf("%s, %s: %d rows, %+v, notes %q", first, second, tl.Len(), info.Quality, notes)
			}
		}
	}
	// Open or said: days that could be months, and a form given by a person.
	early := strings.Join(slices.DeleteFunc(strings.SplitAfter(table(forms["us"], "1"), "\n"), func(l string) bool {
		return len(l) > 5 && l[5] > '0' && l[0] == 'u' && l[1] == ';'
	}), "")
	for _, c := range []struct{ m, content, given string }{{"d/m/y", early, ""}, {"iso", table("s", "1"), "iso"}, {"unix", table("ms", "1"), "unix"}} {
		m := Mapping{Format: FormatCSV, Delimiter: ";", Header: true, User: "user_id", Time: "time", TimeFormat: c.m, Event: "event", AllProps: true}
		in := File(write(t, "e.csv", c.content))
		s, p, err := openPlan(in, &m, &Options{TimeFormat: c.given})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if p.times.String() != c.m || len(p.notes) > 0 {
			t.Errorf("%s became %s: %q", c.m, p.times, p.notes)
		}
	}
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
