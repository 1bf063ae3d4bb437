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

func TestCommentLines(t *testing.T) {
	const header = "user_id,timestamp,event\n"
	for text, want := range map[string]int{
		header:                                        0,
		"# exported\n" + header:                       1,
		"# a, b\r\n#\r\n\r\n" + header:                2,
		"#user_id,timestamp,event\nu,1,x\n":           0, // a header
		"# by, x\n#user_id,timestamp,e\n" + "u,1,x\n": 1,
		"# a\nno delimiter\n":                         0,
		"# a":                                         0,
		"#u1,2024-01-02,open\n#u2,2024,b\n":           0,
	} {
		if _, lines := commentLines([]byte(text)); lines != want {
			t.Errorf("%q: %d lines of comment, want %d", text, lines, want)
		}
	}
}

// What stands above the rows: comments are left out and told, and a row's line is
// still that of the file; a file of few and ragged rows is cut by its header's names;
// a row beyond all bounds at the beginning costs that row alone.
func TestAboveRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# exported, by a tool\n# twice\nuser_id,timestamp,event\nu1,2024-01-02,open\nu2,when,open\n")
	rec, info, _ := loadFile(t, path, Options{})
	if q := info.Quality; q.Stored != 1 || q.Read != 2 || q.Rejected[0].Lines[0].Line != 5 || rec.Rows[0].Line != 4 {
		t.Errorf("%+v %+v", q, rec.Rows)
	}
	if said := strings.Join(rec.Lines, "\n"); !strings.Contains(said, "2 lines of comment before the first row left out") {
		t.Errorf("nothing is said of the comments:\n%s", said)
	}
	places, err := FindRows(context.Background(), path, "", rec.Mapping, []Wanted{{User: "u1", Time: 1704153600000, Dated: true, Event: "open", Amount: model.NoMoney}})
	if err != nil || len(places[0].Lines) != 1 || places[0].Lines[0] != 4 {
		t.Errorf("the row is at %+v: %v", places, err)
	}
	write("user_id;timestamp;event;a;b\nu1;2024-01-02;open\nu1;2024-01-02;open;;\nu1;2024-01-02;open;1;2;3;4\n")
	if _, info, _ = loadFile(t, path, Options{}); info.Quality.Stored != 1 || info.Quality.RejectedTotal() != 2 {
		t.Errorf("%+v", info.Quality)
	}
	long := strings.Repeat("y", 9<<20)
	write("user_id,timestamp,event,x\nu1,2024-01-02,open," + long + "\nu2,2024-01-02,open,z\n")
	if _, info, _ = loadFile(t, path, Options{}); info.Quality.Stored != 1 || info.Quality.RejectedTotal() != 1 {
		t.Errorf("%+v", info.Quality)
	}
	for text, want := range map[string]string{
		"My report\n\nuser_id,timestamp,event\nu1,2024-01-02,open\n": "if a title stands above the header",
		`{"n":1,"events":[ {"user_id":"u"}]}` + "\n":                 "as jq -c '.events[]' does",
		"{}\n{}\n":                    "its objects are empty",
		"[]":                          "is an empty list of JSON",
		"{'user_id':'a','b':'c'}\n":   "looks like JSON",
		"user_id:timestamp\nu:2024\n": "or any other character",
	} {
		write(text)
		_, err := Inspect(context.Background(), File(path), Options{Now: testNow})
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, ErrColumns) && !errors.Is(err, ErrNotEvents) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}
