package ingest

import (
	"strings"
	"testing"
	"time"

	"dwell/model"
)

func ms(t *testing.T, s string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

func TestParseTimes(t *testing.T) {
	const wall, zoned, dated, bad = "wall", "zoned", "dated", "bad"
	cases := []struct{ form, in, want, kind string }{
		{"iso", "2010-12-01T08:26:00Z", "2010-12-01T08:26:00Z", zoned},
		{"iso", "2010-12-01T08:26:00.123456+05:30", "2010-12-01T02:56:00.123Z", zoned},
		{"iso", "2010-12-01 08:26:00.123", "2010-12-01T08:26:00.123Z", wall},
		{"iso", "2010-12-01 08:26:00 UTC", "2010-12-01T08:26:00Z", zoned},
		{"iso", "2010-12-01 08:26:00-0800", "2010-12-01T16:26:00Z", zoned},
		{"iso", "2010-12-01 08:26:00+02", "2010-12-01T06:26:00Z", zoned},
		{"iso", "2010-12-01 8:26", "2010-12-01T08:26:00Z", wall},
		{"iso", "2010/12/01 08:26", "2010-12-01T08:26:00Z", wall},
		{"iso", "2010-12-01", "2010-12-01T00:00:00Z", dated},
		{"iso", "2012-02-29", "2012-02-29T00:00:00Z", dated},
		{"iso", "2010-12-01 24:00:00", "2010-12-02T00:00:00Z", wall},
		{"iso", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", zoned},
		{"iso", "2010-12-01T08:26:00,5Z", "2010-12-01T08:26:00.500Z", zoned},
		{"iso", "2011-02-29", "", bad},
		{"iso", "2010-13-01", "", bad},
		{"iso", "2010-12-01 25:00", "", bad},
		{"iso", "2010-12-01 10:61", "", bad},
		{"iso", "2010-12-01x", "", bad},
		{"iso", "2010-12-01 08:26:00 Mars", "", bad},
		{"iso", "", "", bad},
		{"yyyymmdd", "19970101", "1997-01-01T00:00:00Z", dated},
		{"yyyymmdd", "19970101083015", "1997-01-01T08:30:15Z", wall},
		{"yyyymmdd", "199701010830", "1997-01-01T08:30:00Z", wall},
		{"yyyymmdd", "19970101T083015Z", "1997-01-01T08:30:15Z", zoned},
		{"yyyymmdd", "19971301", "", bad},
		{"yyyymmdd", "1997010", "", bad},
		{"Mon, 02 Jan 2006 15:04:05 MST", "Wed, 01 Dec 2010 08:26:00 GMT", "2010-12-01T08:26:00Z", zoned},
		{"Mon, 02 Jan 2006 15:04:05 MST", "Wed, 01 Dec 2010 08:26:00 PST", "2010-12-01T16:26:00Z", zoned},
		{"Mon, 02 Jan 2006 15:04:05 MST", "Wed, 01 Dec 2010 08:26:00 CEST", "2010-12-01T06:26:00Z", zoned},
		{"Mon, 02 Jan 2006 15:04:05 MST", "Wed, 01 Dec 2010 08:26:00 GMT+3", "2010-12-01T05:26:00Z", zoned},
		{"Mon, 02 Jan 2006 15:04:05 MST", "Wed, 01 Dec 2010 08:26:00 +03", "2010-12-01T05:26:00Z", zoned},
		{"Mon, 02 Jan 2006 15:04:05 MST", "Wed, 01 Dec 2010 08:26:00 +0000", "2010-12-01T08:26:00Z", zoned},
		{"Mon, 02 Jan 2006 15:04:05 MST", "Wed, 01 Dec 2010 08:26:00 IST", "", bad},
		{"%Y-%m-%d %H:%M:%S %Z", "2010-12-01 08:26:00 EST", "2010-12-01T13:26:00Z", zoned},
		{"2006-01-02 15:04:05 -0700 MST", "2010-12-01 08:26:00 +0530 IST", "2010-12-01T02:56:00Z", zoned},
		{"unix", "1291191960", "2010-12-01T08:26:00Z", zoned},
		{"unix", "1291191960.5", "2010-12-01T08:26:00.5Z", zoned},
		{"unix", "1.29119196e9", "2010-12-01T08:26:00Z", zoned},
		{"unix_ms", "1291191960123", "2010-12-01T08:26:00.123Z", zoned},
		{"unix_ms", "1291191960123.9", "2010-12-01T08:26:00.123Z", zoned},
		{"unix_us", "1291191960123456", "2010-12-01T08:26:00.123Z", zoned},
		{"unix_ns", "1291191960123456789", "2010-12-01T08:26:00.123Z", zoned},
		{"iso", "2010-12-01 08", "2010-12-01T08:00:00Z", wall},
		{"iso", "2010-12-01 24", "", bad},
		{"iso", "2010-12-01 08:26:00:123", "2010-12-01T08:26:00.123Z", wall},
		{"iso", "2010-12-01T08:26+01:00[Europe/Vienna]", "2010-12-01T07:26:00Z", zoned},
		{"iso", "2010-12-01T08:26:00Z[UTC]", "2010-12-01T08:26:00Z", zoned},
		{"iso", "2010-12-01T08:26:00[Europe/Vienna]", "", bad},
		{"yyyymmdd", "20101201082600123", "2010-12-01T08:26:00.123Z", wall},
		{"yyyymmdd", "201012010826001234", "", bad},
		{"d mon y", "1 December 2010", "2010-12-01T00:00:00Z", dated},
		{"d mon y", "01-DEC-10 8:26:07 PM", "2010-12-01T20:26:07Z", wall},
		{"d mon y", "Dec. 1st, 2010 at 8:26", "2010-12-01T08:26:00Z", wall},
		{"d mon y", "Wednesday, December 1, 2010 8:26 PM", "2010-12-01T20:26:00Z", wall},
		{"d mon y", "Mittwoch, 1. Dezember 2010 um 08:26", "2010-12-01T08:26:00Z", wall},
		{"d mon y", "1 févr. 2012", "2012-02-01T00:00:00Z", dated},
		{"d mon y", "1 März 2010 08:26:00 +0100", "2010-03-01T07:26:00Z", zoned},
		{"d mon y", "Wed Dec 01 2010 08:26:00 GMT+0100 (Central European Standard Time)", "2010-12-01T07:26:00Z", zoned},
		{"d mon y", "1 jui 2010", "", bad}, // juin or juillet
		{"d mon y", "31 November 2010", "", bad},
		{"d mon y", "hello 1 December 2010", "", bad},
		{"d mon y", "December 2010", "", bad},
		{"excel", "40513", "2010-12-01T00:00:00Z", dated},
		{"excel", "40513.3513888889", "2010-12-01T08:26:00Z", wall},
		{"excel", "61", "1900-03-01T00:00:00Z", dated},
		{"excel", "60", "", bad}, // 1900-02-29, which never was
		{"unix", "NaN", "", bad},
		{"unix", "12:30", "", bad},
		{"m/d/y", "12/1/2010 8:26", "2010-12-01T08:26:00Z", wall},
		{"d/m/y", "12/1/2010 8:26", "2010-01-12T08:26:00Z", wall},
		{"m/d/y", "12/1/10 8:26:07 PM", "2010-12-01T20:26:07Z", wall},
		{"m/d/y", "12/1/2010, 12:05 am", "2010-12-01T00:05:00Z", wall},
		{"d/m/y", "31.12.2010", "2010-12-31T00:00:00Z", dated},
		{"m/d/y", "13/1/2010", "", bad},
		{"m/d/y", "2010-12-01 08:26:00", "2010-12-01T08:26:00Z", wall},
		{"%Y-%m-%d %H:%M", "2010-12-01 08:26", "2010-12-01T08:26:00Z", wall},
		{"%d.%m.%Y %H:%M:%S.%f", "01.12.2010 08:26:00.250", "2010-12-01T08:26:00.25Z", wall},
		{"%d %B %Y", "1 December 2010", "2010-12-01T00:00:00Z", dated},
		{"02.01.2006 15:04", "01.12.2010 08:26", "2010-12-01T08:26:00Z", wall},
		{"02/Jan/2006:15:04:05 -0700", "01/Dec/2010:08:26:00 +0100", "2010-12-01T07:26:00Z", zoned},
	}
	for _, c := range cases {
		p, err := parseFormat(c.form)
		if err != nil {
			t.Errorf("format %q: %v", c.form, err)
			continue
		}
		st, ok := p.parse([]byte(c.in))
		kind := wall
		switch {
		case !ok:
			kind = bad
		case st.dated:
			kind = dated
		case st.zoned:
			kind = zoned
		}
		if kind != c.kind || ok && st.ms != ms(t, c.want) {
			t.Errorf("%s %q: got %s %s, want %s %s", c.form, c.in, kind, time.UnixMilli(st.ms).UTC().Format(time.RFC3339Nano), c.kind, c.want)
		}
	}
	for _, bad := range []string{"yesterday", "%Y", "%H:%M", "%Q", "15:04", "%"} {
		if _, err := parseFormat(bad); err == nil {
			t.Errorf("format %q was accepted", bad)
		}
	}
}

// The wall times around clock changes of the IANA data base: Vienna skips 02–03
// on 2024-03-31 and repeats 02–03 on 2024-10-27; Kolkata has no changes; Lord
// Howe changes by half an hour (2024-04-07 02:00 → 01:30, 2024-10-06 02:00 → 02:30).
func TestZones(t *testing.T) {
	cases := []struct {
		zone, wall, want   string
		ambiguous, missing bool
	}{
		{"Europe/Vienna", "2024-03-31T01:59:59Z", "2024-03-31T00:59:59Z", false, false},
		{"Europe/Vienna", "2024-03-31T02:30:00Z", "2024-03-31T01:30:00Z", false, true}, // 03:30 summer time
		{"Europe/Vienna", "2024-03-31T03:00:00Z", "2024-03-31T01:00:00Z", false, false},
		{"Europe/Vienna", "2024-10-27T01:59:59Z", "2024-10-26T23:59:59Z", false, false},
		{"Europe/Vienna", "2024-10-27T02:30:00Z", "2024-10-27T00:30:00Z", true, false}, // the first reading
		{"Europe/Vienna", "2024-10-27T03:00:00Z", "2024-10-27T02:00:00Z", false, false},
		{"America/New_York", "2024-03-10T02:15:00Z", "2024-03-10T07:15:00Z", false, true},
		{"America/New_York", "2024-11-03T01:15:00Z", "2024-11-03T05:15:00Z", true, false},
		{"Asia/Kolkata", "2024-03-31T02:30:00Z", "2024-03-30T21:00:00Z", false, false},
		{"Australia/Lord_Howe", "2024-04-07T01:45:00Z", "2024-04-06T14:45:00Z", true, false},
		{"Australia/Lord_Howe", "2024-10-06T02:15:00Z", "2024-10-05T15:45:00Z", false, true},
		{"UTC", "2024-03-31T02:30:00Z", "2024-03-31T02:30:00Z", false, false},
	}
	for _, c := range cases {
		cal, err := model.NewCalendar(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		got, amb, miss := toUTC(ms(t, c.wall), cal)
		if got != ms(t, c.want) || amb != c.ambiguous || miss != c.missing {
			t.Errorf("%s in %s: got %s, ambiguous %v, missing %v; want %s, %v, %v", c.wall, c.zone, time.UnixMilli(got).UTC().Format(time.RFC3339), amb, miss, c.want, c.ambiguous, c.missing)
		}
	}
}

// FuzzTimes holds the fast parser against package time for what both read, and
// checks that nothing panics.
func FuzzTimes(f *testing.F) {
	for _, s := range []string{"2010-12-01T08:26:00Z", "2010-12-01 08:26:00.123", "12/1/2010 8:26", "19970101", "1291191960", "2010-12-01T08:26:00+05:30", "0000-00-00 00:00:00", "9999-12-31"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for form := formISO; form < formLayout; form++ {
			p := timeParser{form: form}
			p.parse([]byte(s))
		}
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02"} {
			want, err := time.Parse(layout, s)
			if err != nil || want.Year() == 0 {
				continue
			}
			got, ok := parseISO([]byte(s))
			if !ok && layout == time.RFC3339Nano {
				if _, off := want.Zone(); off > 18*3600 || off < -18*3600 {
					continue // no zone is that far from UTC
				}
			}
			if !ok || got.ms != want.UnixMilli() {
				t.Fatalf("%q: got %d %v, want %d", s, got.ms, ok, want.UnixMilli())
			}
		}
	})
}

func TestGuessSlash(t *testing.T) {
	cases := []struct {
		cells []string
		want  string
		ok    bool
	}{
		{[]string{"12/1/2010 8:26", "12/13/2010 9:00"}, "m/d/y", true},
		{[]string{"12/1/2010 8:26", "13/12/2010 9:00"}, "d/m/y", true},
		{[]string{"1/12/2010", "2/12/2010", "3/12/2010"}, "d/m/y", true}, // three days, not three months
		{[]string{"12/1/2010", "12/2/2010", "12/3/2010"}, "m/d/y", true},
		{[]string{"5/5/2010"}, "m/d/y", true},
		{[]string{"13/13/2010", "x"}, "", false},
	}
	for _, c := range cases {
		g, ok := guessTime(c.cells, true)
		if ok != c.ok || ok && g.String() != c.want {
			t.Errorf("%q: got %v %v, want %s", c.cells, g, ok, c.want)
		}
		if ok && g.note == "" {
			t.Errorf("%q: the assumption is not told", c.cells)
		}
	}
}

// A day above 12 beyond the sample settles what the sample leaves open.
func TestSlashBeyondTheSample(t *testing.T) {
	var b strings.Builder
	b.WriteString("user_id,date,event\n")
	for range 60_000 {
		b.WriteString("u1,01/02/2020 10:00,a\n")
	}
	b.WriteString("u1,13/02/2020 10:00,a\n")
	if b.Len() <= sampleSize {
		t.Fatal("the file is too small for this test")
	}
	rec, info, _ := loadFile(t, write(t, "e.csv", b.String()), Options{})
	if rec.Mapping.TimeFormat != "d/m/y" || info.Quality.RejectedTotal() != 0 || !strings.Contains(strings.Join(rec.Lines, "\n"), "13/02/2020 10:00, further down, shows it") {
		t.Errorf("time format %s, rejected %d\n%s", rec.Mapping.TimeFormat, info.Quality.RejectedTotal(), strings.Join(rec.Lines, "\n"))
	}
}

// Each way of writing times that is known is found from a day's worth of them.
func TestKnownLayouts(t *testing.T) {
	for _, layout := range knownLayouts {
		p, err := parseFormat(layout)
		if err != nil {
			t.Fatal(err)
		}
		var cells []string
		for i := range 50 {
			cells = append(cells, time.Date(2024, 2, 20+i/10, i%24, i, 0, 0, time.UTC).Format(layout))
		}
		g, ok := guessTime(cells, true)
		if !ok {
			t.Errorf("%s: %q is not recognised", layout, cells[0])
			continue
		}
		for _, c := range cells {
			got, ok := g.parse([]byte(c))
			want, _ := p.parse([]byte(c))
			if !ok || got != want {
				t.Errorf("%s: %q read as %s gives %+v, want %+v", layout, c, g.String(), got, want)
				break
			}
		}
	}
}
