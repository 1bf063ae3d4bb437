package ingest

import (
	"context"
	"strings"
	"testing"

	"dwell/model"
)

// What a person names settles what the file does not show: a header of unknown
// words over words, columns of a file that is written otherwise than the files
// before it. A column that is surely the time is one though it is full of faults.
func TestColumnsNamed(t *testing.T) {
	german := &Mapping{Format: FormatCSV, Delimiter: ";", Header: true, User: "Kunde", Time: "Zeit", TimeFormat: "d/m/y", Event: "Ereignis", Amount: "Betrag", Zone: "UTC", Encoding: "utf-8", AllProps: true}
	plain := "user_id,event,time,amount\nann,buy,2025-01-01T10:00:00Z,2\nbob,buy,2025-01-02T10:00:00Z,3\n"
	faults := "user_id,event,time\na,x,0000-01-01T00:00:00Z\na,x,2025-01-01T00:00:00Z\na,x,2025-02-30T00:00:00Z\na,x,soon\na,x,9999-12-31T00:00:00Z\n"
	for _, c := range []struct {
		name, content                     string
		o                                 Options
		user, time, event, amount, format string
	}{
		{"a header of unknown words", "foo,bar,baz\nann,Jan 1 of 2025,open\nbob,Jan 2 of 2025,buy\n", Options{User: "foo", Time: "bar", Event: "baz", TimeFormat: "Jan 2 of 2006"}, "foo", "bar", "baz", "", "Jan 2 of 2006"},
		{"a header without the column named", "foo,bar,baz\nann,then,open\nbob,now,buy\n", Options{User: "foo", Time: "nope"}, "", "", "", "", ""},
		{"columns by number", "ann,2025-01-01,open\nbob,2025-01-02,buy\n", Options{User: "1", Event: "3"}, "c1", "c2", "c3", "", "iso"},
		{"another dress, users named", plain, Options{Stored: german, User: "user_id"}, "user_id", "time", "event", "amount", "iso"},
		{"another dress, all named", plain, Options{Stored: german, User: "user_id", Time: "time", Event: "event", Amount: "amount"}, "user_id", "time", "event", "amount", "iso"},
		{"another dress, nothing named", plain, Options{Stored: german}, "", "", "", "", ""},
		{"a time of faults", faults, Options{}, "user_id", "time", "event", "", "iso"},
	} {
		c.o.Now = testNow
		rec, err := Inspect(context.Background(), File(write(t, "a.csv", c.content)), c.o)
		if c.user == "" {
			if err == nil || strings.Contains(err.Error(), "has user_id,event") {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if m := rec.Mapping; m.User != c.user || m.Time != c.time || m.Event != c.event || m.Amount != c.amount || m.TimeFormat != c.format {
			t.Errorf("%s: user %q, time %q as %s, event %q, amount %q", c.name, m.User, m.Time, m.TimeFormat, m.Event, m.Amount)
		}
	}
}

// Words over words are no header until somebody names one of them, and a list of
// columns without names shows what stands in them.
func TestHeaderByName(t *testing.T) {
	path := write(t, "a.csv", "foo,bar\nann,noon\nbob,night\n")
	_, err := Inspect(context.Background(), File(path), Options{Now: testNow})
	if err == nil || !strings.Contains(err.Error(), "The columns are c1 (foo), c2 (bar).") {
		t.Errorf("the columns are listed as: %v", err)
	}
	_, err = Inspect(context.Background(), File(path), Options{Now: testNow, User: "foo", Time: "bar"})
	if err == nil || !strings.Contains(err.Error(), `column bar does not hold times that can be recognised ("noon")`) {
		t.Errorf("a column named makes no header: %v", err)
	}
}

// A column whose name begins with a number is a column like others.
func TestColumnCalledByNumber(t *testing.T) {
	m := Mapping{Format: FormatCSV, Delimiter: ",", Header: true, User: "user_id", Time: "2024 start", TimeFormat: "iso", EventConst: "x", Zone: "UTC"}
	_, err := Load(context.Background(), model.NewMemory().Begin, []*Input{File(write(t, "a.csv", "user_id,time\na,2024-01-01\n"))}, m, Options{Now: testNow}, nil)
	if err == nil || !strings.Contains(err.Error(), `wants a column "2024 start"`) {
		t.Errorf("a missing column: %v", err)
	}
}

// The comment in a stored mapping names every form that its time_format takes.
func TestMappingNamesTimeForms(t *testing.T) {
	m := Mapping{TimeFormat: "iso"}
	for _, form := range TimeForms() {
		if !strings.Contains(string(m.TOML()), form+",") {
			t.Errorf("%s is not in\n%s", form, m.TOML())
		}
	}
}
