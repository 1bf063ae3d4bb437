package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dwell/model"
)

// A pipe that the shell makes of <(command) is read once, though it is looked at
// first and loaded after: every row is there.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		return // a system without such paths
	}
	go func() {
		defer w.Close()
		fmt.Fprintln(w, "user_id,timestamp,event")
		for i := range 5000 {
			fmt.Fprintf(w, "u%d,2024-01-02 10:00:00,open\n", i)
		}
	}()
	in := File(path)
	rec, err := Inspect(context.Background(), in, Options{Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	info, err := Load(context.Background(), model.NewMemory().Begin, []*Input{in}, rec.Mapping, Options{Now: testNow}, nil)
	if err != nil || info.Quality.Stored != 5000 {
		t.Fatalf("stored %d rows of 5,000: %v", info.Quality.Stored, err)
	}
	if _, err := FindRows(context.Background(), path, "", rec.Mapping, []Wanted{{User: "u1"}}); !errors.Is(err, ErrChanged) {
		t.Fatalf("looking for a row of a pipe gives %v", err)
	}
}

// What is said of a path that is no file names the way on.
func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"day=1/part.csv.gz", "empty/.hidden.csv", "empty/readme.md"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"":         filepath.Join(dir, "*", "*.csv.gz"),
		"empty":    "without a CSV, NDJSON or Parquet file",
		"link.csv": "is a link to a file that is not there",
		"no*.csv":  "check the pattern",
		"no.csv":   "check the path",
	} {
		if _, err := Inspect(context.Background(), File(filepath.Join(dir, path)), Options{Now: testNow}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", path, err, want)
		}
	}
}
