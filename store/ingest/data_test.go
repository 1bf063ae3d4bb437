package ingest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dwell/model"
)

var testNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// shared finds the reference data: DWELL_SHARED, else ../shared beside the
// module root. Where it is absent the test is skipped, in CI it fails.
func shared(t *testing.T, path string) string {
	t.Helper()
	root := os.Getenv("DWELL_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	file := filepath.Join(root, "data", path)
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("reference data is needed in CI: %v", err)
		}
		t.Skipf("no reference data (set DWELL_SHARED): %v", err)
	}
	return file
}

// loadFile inspects and loads one file into a new Memory.
func loadFile(t *testing.T, path string, o Options) (*Recognition, model.LoadInfo, *model.Memory) {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = testNow
	}
	in := File(path)
	rec, err := Inspect(context.Background(), in, o)
	if err != nil {
		t.Fatalf("Inspect: %v", err)
	}
	m := model.NewMemory()
	info, err := Load(context.Background(), m.Begin, []*Input{in}, rec.Mapping, o, nil)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	q := info.Quality
	if q.Read != q.Stored+q.Already+q.Dropped+q.RejectedTotal() {
		t.Errorf("rows do not add up: read %d, stored %d, already %d, dropped %d, rejected %d", q.Read, q.Stored, q.Already, q.Dropped, q.RejectedTotal())
	}
	return rec, info, m
}

// The counts are those of the data sets' READMEs and of reference/events_*.json.
func TestDataSets(t *testing.T) {
	cases := []struct {
		file         string
		rows, reject int64
		users        int64
		m            Mapping // what must be recognised
	}{
		{"cdnow/CDNOW_master.txt.gz", 69_659, 0, 23_570,
			Mapping{User: "customer_id", Time: "date", TimeFormat: "yyyymmdd", EventConst: "purchase", Amount: "dollar_value", Delimiter: "blanks", Header: true}},
		{"cdnow/CDNOW_sample.txt", 6919, 0, 2357,
			Mapping{User: "c1", Time: "c3", TimeFormat: "yyyymmdd", EventConst: "purchase", Amount: "c5", Delimiter: "blanks"}},
		{"online_retail/online_retail.csv.gz", 541_909, 135_080, 4372,
			Mapping{User: "CustomerID", Time: "InvoiceDate", TimeFormat: "iso", EventConst: "purchase", Amount: "Quantity*UnitPrice", Delimiter: ",", Header: true, UserInteger: true}},
		{"rees46_sample/2019-Oct-head.csv.gz", 17_435, 1, 4504,
			Mapping{User: "user_id", Time: "event_time", TimeFormat: "iso", Event: "event_type", Amount: "price", Delimiter: ",", Header: true}},
		{"retentioneering_ecom/ecom.csv.gz", 31_106, 0, 600,
			Mapping{User: "user_id", Time: "timestamp", TimeFormat: "iso", Event: "event", Delimiter: ",", Header: true}},
	}
	for _, c := range cases {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			rec, info, _ := loadFile(t, shared(t, c.file), Options{})
			t.Log("\n" + strings.Join(rec.Lines, "\n"))
			q := info.Quality
			if q.Read != c.rows || q.RejectedTotal() != c.reject || info.Users != c.users {
				t.Errorf("read %d, rejected %d, users %d; want %d, %d, %d", q.Read, q.RejectedTotal(), info.Users, c.rows, c.reject, c.users)
			}
			got := rec.Mapping
			got.Format, got.Width, got.Zone, got.Props, got.AllProps, got.Number, got.Encoding = "", 0, "", nil, false, "", ""
			if string(got.TOML()) != string(c.m.TOML()) {
				t.Errorf("mapping\n%s\nwant\n%s", got.TOML(), c.m.TOML())
			}
		})
	}
}
