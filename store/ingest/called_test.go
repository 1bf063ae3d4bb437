package ingest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A column that is called like a time, and cannot be read as one, is named with what
// it holds and with how to say its form; said so, it is found without --time.
func TestCalledTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.csv")
	write := func(cells ...string) {
		text := "user_id,timestamp,event,other\n"
		for i, c := range cells {
			text += "u" + string(rune('a'+i)) + "," + c + ",open,02|01|24\n"
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(want string, o Options) {
		t.Helper()
		o.Now = testNow
		if _, err := Inspect(context.Background(), File(path), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	write("02|01|2024 10h05", "03|01|2024 11h05")
	refused(`column timestamp is called like a time, and how its values are written ("02|01|2024 10h05") is not recognised`, Options{})
	refused("no time of the sample is of the form 2006-1-2: column timestamp", Options{TimeFormat: "%Y-%m-%d"})
	refused("%Q is not known", Options{TimeFormat: "%Q"})
	_, info, _ := loadFile(t, path, Options{TimeFormat: "%d|%m|%Y %Hh%M"})
	if info.Quality.Stored != 2 {
		t.Errorf("stored %d rows of 2", info.Quality.Stored)
	}
	write("45293.4166666667", "45294.5")
	refused("--time-format, as excel", Options{})
	_, info, _ = loadFile(t, path, Options{TimeFormat: "excel"})
	if info.Quality.Stored != 2 {
		t.Errorf("stored %d rows of 2", info.Quality.Stored)
	}
	write("", "")
	refused("column timestamp is called like a time and is empty in the first 2 rows", Options{})
	write("2 Jan 2024 10:00", "15 March 2024", "Dec 31st, 2024 11 PM") // the last is no time
	rec, info, _ := loadFile(t, path, Options{})
	if rec.Mapping.TimeFormat != "d mon y" || info.Quality.Stored != 2 || info.Quality.RejectedTotal() != 1 {
		t.Errorf("read as %s: %+v", rec.Mapping.TimeFormat, info.Quality)
	}
}
