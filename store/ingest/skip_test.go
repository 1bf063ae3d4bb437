package ingest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dwell/model"
)

// Of several files those that are known or hold no rows are left out by name; if
// there is nothing else, or nobody to tell, the load is refused for them.
func TestLeftOut(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) *Input {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return File(path)
	}
	const header = "user_id,timestamp,event\n"
	a, b := file("a.csv", header+"u1,2024-01-02,open\n"), file("b.csv", header+"u2,2024-01-02,open\n")
	empty, head := file("empty.csv", ""), file("head.csv", header)
	rec, _, mem := loadFile(t, a.Path, Options{})
	load := func(told *[]string, inputs ...*Input) (model.LoadInfo, error) {
		snap, err := mem.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Now: testNow, Known: snap.Info().Sources}
		if told != nil {
			o.Skip = func(path, why string) { *told = append(*told, filepath.Base(path)+strings.TrimPrefix(why, path)) }
		}
		return Load(context.Background(), mem.Begin, inputs, rec.Mapping, o, nil)
	}
	if _, err := load(nil, a, b); !errors.Is(err, model.ErrKnownSource) {
		t.Errorf("nobody is told, and the load gives %v", err)
	}
	if _, err := load(nil, empty, b); !errors.Is(err, ErrNothing) || !errors.Is(err, ErrNotEvents) {
		t.Errorf("nobody is told, and the load gives %v", err)
	}
	var told []string
	info, err := load(&told, empty, a, head, b)
	if err != nil || info.Quality.Stored != 1 || info.Quality.Read != 1 {
		t.Fatalf("%+v, %v", info.Quality, err)
	}
	if got, want := strings.Join(told, "; "), "empty.csv: is empty: it is left out; a.csv: this file has been loaded before, as "+a.Path+": it is left out; head.csv: has a header and no rows: it is left out"; got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
	if _, err := load(&told, a, b); !errors.Is(err, model.ErrKnownSource) || !strings.Contains(err.Error(), "none of the 2 files") {
		t.Errorf("both are known, and the load gives %v", err)
	}
	if _, err := load(&told, a); !errors.Is(err, model.ErrKnownSource) {
		t.Errorf("the one file is known, and the load gives %v", err)
	}
}
