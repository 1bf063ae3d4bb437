package ingest

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dwell/model"
)

// write puts content into a new file.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every unusable input is refused with a sentence that names the file, says
// what is wrong and what to try.
func TestRefused(t *testing.T) {
	good := "user_id,time,event\nu1,2020-01-01,a\n"
	cases := []struct {
		name    string
		content string // "" with path set: no file is written
		path    string
		o       Options
		kind    error
		want    []string
	}{
		{"no such file", "", "nowhere.csv", Options{}, ErrUnreadable, []string{"nowhere.csv", "there is no such file", "check the path"}},
		{"directory", "", ".", Options{}, ErrUnreadable, []string{"is a directory", "name the files"}},
		{"empty", "-", "", Options{}, ErrNotEvents, []string{"is empty"}},
		{"blanks", " \n\n", "", Options{}, ErrNotEvents, []string{"nothing but blanks"}},
		{"header alone", "user_id,time,event\n", "", Options{}, ErrNotEvents, []string{"a header and no rows"}},
		{"every quote open", "user_id,time,event\nu1,2020-01-01,\"a\nu2,2020-01-02,\"b\n", "", Options{}, ErrNotEvents, []string{"none of its first 2 rows can be read", "quote"}},
		{"binary", "\x00\x01\x02user\x00\xff" + strings.Repeat("\x00\x07", 100), "", Options{}, ErrNotEvents, []string{"binary file"}},
		{"parquet", "PAR1\x15\x04\x15\x10", "", Options{}, ErrUnreadable, []string{"Parquet", "write it as CSV"}},
		{"workbook", "PK\x03\x04\x14\x00\x06\x00", "", Options{}, ErrNotEvents, []string{"ZIP archive", "save the sheet as CSV"}},
		{"xz", "\xfd7zXZ\x00\x00", "", Options{}, ErrNotEvents, []string{"xz", "decompress it first"}},
		{"broken gzip", "\x1f\x8bnot gzip at all", "", Options{}, ErrUnreadable, []string{"damaged or cut short"}},
		{"one column", "justone\n1\n2\n", "", Options{}, ErrNotEvents, []string{"no delimiter", "--delimiter"}},
		{"no time", "userid,version,rounds\n1,gate_30,3\n2,gate_40,5\n", "", Options{}, ErrColumns, []string{"no column looks like a time", "userid, version, rounds", "--time COLUMN"}},
		{"no user", "when,event\n2020-01-01,a\n2020-01-02,b\n", "", Options{}, ErrColumns, []string{"no column looks like a user id", "--user COLUMN"}},
		{"neither", "path,total\na > b,3\nb,4\n", "", Options{}, ErrColumns, []string{"a user id, and none like a time", "--user COLUMN and --time COLUMN"}},
		{"unknown --user", good, "", Options{User: "usr_id"}, ErrColumns, []string{`no column "usr_id"`, `did you mean "user_id"`}},
		{"unknown --amount", good, "", Options{Amount: "Quantity*2"}, ErrColumns, []string{`no column "Quantity"`, "--amount"}},
		{"unknown --props", good, "", Options{Props: []string{"colour"}}, ErrColumns, []string{`no column "colour"`, "--props"}},
		{"bad expression", good, "", Options{Amount: "time**2"}, ErrOption, []string{"cannot be understood"}},
		{"bad zone", good, "", Options{Zone: "Vienna"}, ErrOption, []string{"Vienna", "Europe/Vienna"}},
		{"bad time format", good, "", Options{TimeFormat: "%H:%M"}, ErrOption, []string{"whole date"}},
		{"wrong time format", good, "", Options{TimeFormat: "unix"}, ErrColumns, []string{"no time of the sample is of the form unix", "2020-01-01"}},
		{"bad delimiter", good, "", Options{Delimiter: ",,"}, ErrOption, []string{"not a delimiter"}},
		{"bad encoding", good, "", Options{Encoding: "klingon"}, ErrOption, []string{"klingon", "latin1"}},
		{"both event and constant", good, "", Options{Event: "event", EventConst: "x"}, ErrOption, []string{"use one of them"}},
		{"times that are none", "user_id,time,event\nu1,soon,a\nu2,later,b\n", "", Options{Time: "time"}, ErrColumns, []string{"does not hold times", "--time-format"}},
		{"broken JSON", "{\"a\":1\n{\"b\":\n", "", Options{}, ErrNotEvents, []string{"looks like JSON"}},
		{"stored mapping", good, "", Options{Stored: &Mapping{Format: FormatCSV, Delimiter: ",", Header: true, User: "customer", Time: "time", TimeFormat: "iso", Zone: "UTC", EventConst: "x", AllProps: true}},
			ErrColumns, []string{`wants a column "customer"`, "user_id, time, event", "--user"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := c.path
			if path == "" {
				path = write(t, "events.csv", strings.TrimPrefix(c.content, "-"))
			}
			c.o.Now = testNow
			_, err := Inspect(context.Background(), File(path), c.o)
			if err == nil {
				t.Fatal("it was accepted")
			}
			if !errors.Is(err, c.kind) {
				t.Errorf("kind of error: %v is no %v", err, c.kind)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("sentence %q lacks %q", err, w)
				}
			}
			t.Log(err)
		})
	}
}

// One row of each fault: each is rejected under its own reason with its line,
// nothing is lost, and the rejects file holds the rows as they stand.
func TestRejectReasons(t *testing.T) {
	big := strings.Repeat("x", 5<<20)
	rows := []struct{ row, reason string }{
		{"u1,2020-01-01 10:00:00,buy,1.5,red", ""},
		{",2020-01-01 10:00:00,buy,1,red", "no user id"},
		{"NaN,2020-01-01 10:00:00,buy,1,red", "no user id"},
		{"u1,,buy,1,red", "no time"},
		{"u1,yesterday,buy,1,red", "time is not in the recognised form"},
		{"u1,0000-00-00 00:00:00,buy,1,red", "time is before 1970"},
		{"u1,0001-01-01 00:00:00,buy,1,red", "time is before 1970"},
		{"u1,9999-12-31 23:59:59,buy,1,red", "time is beyond the year 2199"},
		{"u1,2030-01-01 00:00:00,buy,1,red", "time is more than a day after the load"},
		{"u1,2020-01-01 10:00:00,,1,red", "no event name"},
		{"u1,2020-01-01 10:00:00,buy,abc,red", "amount is not a number"},
		{"u1,2020-01-01 10:00:00,buy,12abc,red", "amount is not a number"},
		{"u1,2020-01-01 10:00:00,buy,-Inf,red", "amount is not a number"},
		{"u1,2020-01-01 10:00:00,buy,1e300,red", "amount is beyond 1,000,000,000,000"},
		{"u1,2020-01-01 10:00:00,buy,-5,red", ""},
		{"u1,2020-01-01 10:00:00,buy,,red", ""},
		{"u1,2020-01-01 10:00:00,buy,1", "fewer columns than the header"},
		{"u1,2020-01-01 10:00:00,buy,1,red,more", "more columns than the header"},
		{"u1,2020-01-01 10:00:00,buy,1,red,,", ""}, // empty cells at the end are harmless
		{"u1,2020-01-01 10:00:00,buy,1,\"open", "quotes do not match"},
		{"u1,2020-01-01 10:00:00,buy,1,\"two\nlines\"", ""},
		{"user_id,time,event,amount,colour", "the header again"},
		{strings.Repeat("u", 2000) + ",2020-01-01 10:00:00,buy,1,red", "user id longer than 1024 bytes"},
		{"u1,2020-01-01 10:00:00," + strings.Repeat("e", 2000) + ",1,red", "event name longer than 1024 bytes"},
		{"u1,2020-01-01 10:00:00,buy,1," + big[:MaxValue+1], "a property value longer than 64 KiB"},
		{"u1,2020-01-01 10:00:00,buy,1," + big, "row longer than 1 MiB"},
		{"u2,2020-01-02 10:00:00,buy,2,blue", ""},
	}
	var text strings.Builder
	text.WriteString("user_id,time,event,amount,colour\n")
	want := map[string]int64{}
	lines := map[string]int64{}
	line, bad := int64(2), 0
	for i, r := range rows {
		end := []string{"\n", "\r\n"}[i%2]
		text.WriteString(r.row + end)
		if r.reason != "" {
			if want[r.reason]++; want[r.reason] == 1 {
				lines[r.reason] = line
			}
			bad++
		}
		line += 1 + int64(strings.Count(r.row, "\n"))
	}
	var rejects bytes.Buffer
	_, info, _ := loadFile(t, write(t, "events.csv", text.String()), Options{Rejects: &rejects})
	q := info.Quality
	if q.Read != int64(len(rows)) || q.Stored != int64(len(rows)-bad) {
		t.Errorf("read %d, stored %d; want %d, %d", q.Read, q.Stored, len(rows), len(rows)-bad)
	}
	for _, r := range q.Rejected {
		if r.Count != want[r.Reason] || r.Lines[0].Line != lines[r.Reason] {
			t.Errorf("%s: %d rows from line %d, want %d from line %d", r.Reason, r.Count, r.Lines[0].Line, want[r.Reason], lines[r.Reason])
		}
		delete(want, r.Reason)
	}
	if len(want) > 0 {
		t.Errorf("no reject for %v", want)
	}
	if q.Future != 1 {
		t.Errorf("future rows: %d, want 1", q.Future)
	}
	got, err := csv.NewReader(&rejects).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at, joined := 0, []string{}
	for _, rec := range got[1:] {
		if rec[2] == "continued" {
			joined[len(joined)-1] += rec[3]
			continue
		}
		joined = append(joined, rec[3])
	}
	for _, r := range rows {
		if r.reason == "" {
			continue
		}
		if at >= len(joined) || strings.TrimRight(joined[at], "\r\n") != r.row {
			t.Fatalf("rejected row %d is not verbatim: %.80q, want %.80q", at, joined[at], r.row)
		}
		at++
	}
}

func TestAllowFuture(t *testing.T) {
	path := write(t, "e.csv", "user_id,time,event\nu1,2020-01-01,a\nu1,2030-01-01,b\nu1,9999-01-01,c\n")
	_, info, _ := loadFile(t, path, Options{AllowFuture: true})
	if q := info.Quality; q.Stored != 2 || q.Future != 1 || q.RejectedTotal() != 1 {
		t.Errorf("stored %d, future %d, rejected %d", q.Stored, q.Future, q.RejectedTotal())
	}
}

func TestNoRowsStored(t *testing.T) {
	path := write(t, "e.csv", "user_id,time,event\nu1,2030-01-01,a\nu1,2030-01-02,b\n")
	in, o := File(path), Options{Now: testNow}
	rec, err := Inspect(context.Background(), in, o)
	if err != nil {
		t.Fatal(err)
	}
	m := model.NewMemory()
	info, err := Load(context.Background(), m.Begin, []*Input{in}, rec.Mapping, o, nil)
	if !errors.Is(err, model.ErrNoRows) || !strings.Contains(err.Error(), "time is more than a day after the load (2 rows, first in line 2") {
		t.Errorf("error %v", err)
	}
	if info.Quality.Read != 2 {
		t.Errorf("the report is lost: %+v", info.Quality)
	}
	if s, _ := m.Snapshot(context.Background()); s.Info().Events != 0 || len(s.Info().Loads) != 0 {
		t.Errorf("something was stored")
	}
}
