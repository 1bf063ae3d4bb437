package ingest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dwell/model"
)

func TestFolderColumns(t *testing.T) {
	path := filepath.FromSlash("/data/event=buy%20it/day=2024-01-02/none=__HIVE_DEFAULT_PARTITION__/x=/1a=b/a-b=c/bad=%zz/part=0.parquet")
	want := [][2]string{{"event", "buy it"}, {"day", "2024-01-02"}, {"bad", "%zz"}}
	if got := folderColumns(path); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The folders of a parted table are columns: the event of each row is that of its
// folder, a column of the file's own wins, and a row is found again with its folder's.
func TestParquetFolders(t *testing.T) {
	whole, err := os.ReadFile(writeParquet(t, someRows(2000)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var inputs []*Input
	for _, city := range []string{"Wien", "Graz%2FOst"} {
		path := filepath.Join(dir, "what="+city, "seats=7", "part-0.parquet")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, File(path))
	}
	o := Options{Now: testNow, Event: "what", Props: []string{"seats"}, KeepEqual: true}
	rec, err := Inspect(context.Background(), inputs[0], o)
	if err != nil {
		t.Fatal(err)
	}
	mem := model.NewMemory()
	info, err := Load(context.Background(), mem.Begin, inputs, rec.Mapping, o, nil)
	if err != nil || info.Quality.Stored != 4000 {
		t.Fatalf("stored %d: %v", info.Quality.Stored, err)
	}
	snap, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if names := fmt.Sprint(snap.Info().Names); names != "[{Wien 2000} {Graz/Ost 2000}]" {
		t.Errorf("events are %s", names)
	}
	if k := snap.Info().Key("seats"); k == nil || len(k.Values) != 2001 {
		t.Error("the folder's seats stand in place of the file's")
	}
	at := someRows(1)[0].At.UnixMilli()
	places, err := FindRows(context.Background(), inputs[1].Path, "", rec.Mapping, []Wanted{{User: "u0", Time: at, Event: "Graz/Ost", Amount: -50_000}})
	if err != nil || len(places[0].Lines) != 1 || places[0].Lines[0] != 1 {
		t.Errorf("the first row is at %+v: %v", places, err)
	}
}
