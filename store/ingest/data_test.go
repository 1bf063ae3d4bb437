package ingest

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"dwell/model"
	"dwell/sample/reference"
)

var testNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

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
			r := record(t, Options{}, File(reference.File(t, c.file)))
			q, users, stored := r.quality, map[string]bool{}, int64(0)
			for _, b := range r.batches {
				stored += int64(b.Len())
				for _, u := range b.User {
					users[string(u)] = true
				}
			}
			if q.Read != c.rows || q.RejectedTotal() != c.reject || int64(len(users)) != c.users || stored != c.rows-c.reject {
				t.Errorf("read %d, stored %d, rejected %d, users %d; want %d rows, %d rejected, %d users", q.Read, stored, q.RejectedTotal(), len(users), c.rows, c.reject, c.users)
			}
			got := r.mapping
			got.Format, got.Width, got.Zone, got.Props, got.AllProps, got.Number, got.Encoding = "", 0, "", nil, false, "", ""
			if string(got.TOML()) != string(c.m.TOML()) {
				t.Errorf("mapping\n%s\nwant\n%s", got.TOML(), c.m.TOML())
			}
		})
	}
}

// Every line of online_retail goes where encoding/csv says it must, and the
// amounts of purchases add up to the revenue of reference/events_online_retail.json.
func TestOnlineRetailRows(t *testing.T) {
	path := reference.File(t, "online_retail/online_retail.csv.gz")
	var rejects bytes.Buffer
	r := record(t, Options{Rejects: &rejects}, File(path))

	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	slow := csv.NewReader(z)
	slow.ReuseRecord = true
	if _, err := slow.Read(); err != nil {
		t.Fatal(err)
	}
	rej := csv.NewReader(&rejects)
	rej.ReuseRecord = true
	if _, err := rej.Read(); err != nil {
		t.Fatal(err)
	}
	seq, at := 0, 0
	var revenue model.Sum
	for {
		rec, err := slow.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		line, _ := slow.FieldPos(0)
		if rec[6] == "" {
			got, err := rej.Read()
			if err != nil || got[1] != strconv.Itoa(line) || got[2] != "no user id" || !strings.HasPrefix(got[3], rec[0]+","+rec[1]) {
				t.Fatalf("line %d has no customer; the rejects have %q (%v)", line, got, err)
			}
			continue
		}
		for at == len(r.batches[seq].Line) {
			seq, at = seq+1, 0
		}
		b := r.batches[seq]
		if b.Line[at] != int64(line) || string(b.User[at])+".0" != rec[6] || string(b.Props[0].Values[at]) != rec[0] {
			t.Fatalf("line %d: got line %d of user %s, invoice %s", line, b.Line[at], b.User[at], b.Props[0].Values[at])
		}
		if rec[0][0] != 'C' {
			revenue.Add(b.Amount[at])
		}
		at++
	}
	if total, err := revenue.Money(); err != nil || total.String() != "8911407.904" {
		t.Errorf("revenue %s, want 8911407.904", total)
	}
}

// The truncated last row of rees46 is one reject, and told as what it is.
func TestTruncatedRow(t *testing.T) {
	_, info, _ := loadFile(t, reference.File(t, "rees46_sample/2019-Oct-head.csv.gz"), Options{})
	rej := info.Quality.Rejected
	if len(rej) != 1 || rej[0].Reason != "fewer columns than the header" || rej[0].Lines[0].Line != 17_436 || !strings.HasSuffix(rej[0].Lines[0].Text, ",52040330") {
		t.Errorf("rejects %+v", rej)
	}
}

// Tables that are no events are refused in words that name what is missing.
func TestTablesWithoutTime(t *testing.T) {
	for file, want := range map[string]string{
		"cookie_cats/cookie_cats.csv.gz":                      "no column looks like a time",
		"telco_churn/Telco-Customer-Churn.csv.gz":             "no column looks like a time",
		"survival/rossi.csv":                                  "a user id, and none like a time",
		"attribution_paths/paths.csv.gz":                      "a user id, and none like a time",
		"groceries/groceries.csv":                             "",
		"cdnow/cdnow_customers_summary_with_transactions.csv": "no column looks like a time",
	} {
		_, err := Inspect(context.Background(), File(reference.File(t, file)), Options{Now: testNow})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--") {
			t.Errorf("%s: %v", file, err)
		}
	}
}
