// Package modeltest holds what tests of several rooms need: the conformance
// suite of the ports, and the reference data sets loaded into model.Memory.
//
// The reference data lie outside the module. A test that needs them skips, with
// a sentence, where they are absent, and fails where CI is set:
//
//	mem, dict := modeltest.CDNOW(t)
//	snap, err := mem.Snapshot(ctx)
package modeltest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dwell/model"
)

// Shared is the folder that holds reference/ and data/: DWELL_SHARED, else
// ../shared beside the module root. Without one the test skips, or fails where
// CI is set.
func Shared(t testing.TB) string {
	t.Helper()
	dir, err := sharedDir()
	if err != nil {
		absent(t, err)
	}
	return dir
}

func absent(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("reference data: %v", err)
	}
	t.Skipf("reference data: %v", err)
}

func sharedDir() (string, error) {
	dir := os.Getenv("DWELL_SHARED")
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(filepath.Dir(root), "shared")
	}
	for _, sub := range []string{"reference", "data"} {
		if st, err := os.Stat(filepath.Join(dir, sub)); err != nil || !st.IsDir() {
			return "", fmt.Errorf("%s has no folder %s; set DWELL_SHARED to the folder that holds reference and data", dir, sub)
		}
	}
	return dir, nil
}

// moduleRoot is the nearest directory above the test's own with a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the test")
		}
		dir = up
	}
}

// A dataset is one reference data set, read at most once in a test binary.
type dataset struct {
	mem  *model.Memory
	dict *model.Dictionary
}

// The loads are shared by the tests of one binary; each test works on a Fork.
var (
	cdnow  = sync.OnceValues(loadCDNOW)
	retail = sync.OnceValues(loadRetail)
	ecom   = sync.OnceValues(loadEcom)
	rees46 = sync.OnceValues(loadREES46)
)

func open(t testing.TB, load func() (dataset, error)) (*model.Memory, *model.Dictionary) {
	t.Helper()
	Shared(t)
	d, err := load()
	if err != nil {
		t.Fatal(err)
	}
	dict, err := model.ParseDictionary(d.dict.Format()) // a copy that the test may change
	if err != nil {
		t.Fatal(err)
	}
	return d.mem.Fork(), dict
}

// CDNOW is the whole CDNOW set: 69,659 purchases of 23,570 customers, dates
// alone, amount in dollars, property cds.
func CDNOW(t testing.TB) (*model.Memory, *model.Dictionary) { t.Helper(); return open(t, cdnow) }

// OnlineRetail is the UCI set without the 135,080 rows that name no customer:
// event purchase, amount Quantity*UnitPrice exactly, below zero a refund.
func OnlineRetail(t testing.TB) (*model.Memory, *model.Dictionary) {
	t.Helper()
	return open(t, retail)
}

// Ecom is retentioneering's click stream: 31,106 events of 600 users.
func Ecom(t testing.TB) (*model.Memory, *model.Dictionary) { t.Helper(); return open(t, ecom) }

// Rees46 is the head of REES46's October 2019 without its truncated last row.
func Rees46(t testing.TB) (*model.Memory, *model.Dictionary) { t.Helper(); return open(t, rees46) }

func loadCDNOW() (dataset, error) {
	d := model.NewDictionary()
	d.Starts = "complete"
	d.Events["purchase"] = "purchase"
	text, err := read("cdnow/CDNOW_master.txt.gz")
	if err != nil {
		return dataset{}, err
	}
	l := newLoad([]string{"cds"}, true, true)
	for i, line := range strings.Split(string(text), "\n")[1:] {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		at, err := time.Parse("20060102", f[1])
		if err != nil {
			return dataset{}, fmt.Errorf("CDNOW_master.txt line %d: %w", i+2, err)
		}
		amount, err := decimal(f[3])
		if err != nil {
			return dataset{}, fmt.Errorf("CDNOW_master.txt line %d: %w", i+2, err)
		}
		l.add(i+2, f[0], at.UnixMilli(), "purchase", amount, f[2])
	}
	return l.done("CDNOW_master.txt.gz", d)
}

func loadRetail() (dataset, error) {
	d := model.NewDictionary()
	d.Events["purchase"] = "purchase"
	d.Columns.Order, d.Columns.Item = "InvoiceNo", "StockCode"
	l := newLoad([]string{"InvoiceNo", "StockCode", "Description", "Quantity", "UnitPrice", "Country"}, true, false)
	err := each("online_retail/online_retail.csv.gz", func(line int, f []string) error {
		if f[6] == "" {
			return nil
		}
		at, err := time.Parse("2006-01-02 15:04:05", f[4])
		if err != nil {
			return err
		}
		price, err := decimal(f[5])
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(f[3])
		if err != nil {
			return err
		}
		l.add(line, strings.TrimSuffix(f[6], ".0"), at.UnixMilli(), "purchase", price*model.Money(n), f[0], f[1], f[2], f[3], f[5], f[7])
		return nil
	})
	if err != nil {
		return dataset{}, err
	}
	return l.done("online_retail.csv.gz", d)
}

func loadEcom() (dataset, error) {
	d := model.NewDictionary()
	d.Starts = "complete"
	d.Columns.Channel = "acquisition_channel"
	l := newLoad([]string{"session_id", "platform", "acquisition_channel", "user_cohort", "user_lifecycle"}, false, false)
	err := each("retentioneering_ecom/ecom.csv.gz", func(line int, f []string) error {
		at, err := time.Parse("2006-01-02 15:04:05", f[3])
		if err != nil {
			return err
		}
		l.add(line, f[0], at.UnixMilli(), f[2], model.NoMoney, f[1], f[4], f[5], f[6], f[7])
		return nil
	})
	if err != nil {
		return dataset{}, err
	}
	return l.done("ecom.csv.gz", d)
}

func loadREES46() (dataset, error) {
	d := model.NewDictionary()
	d.Events["purchase"] = "purchase"
	d.Columns.Item = "product_id"
	l := newLoad([]string{"product_id", "category_id", "category_code", "brand", "user_session"}, true, false)
	err := each("rees46_sample/2019-Oct-head.csv.gz", func(line int, f []string) error {
		if len(f) != 9 {
			return nil // the truncated last row
		}
		at, err := time.Parse("2006-01-02 15:04:05 UTC", f[0])
		if err != nil {
			return err
		}
		price, err := decimal(f[6])
		if err != nil {
			return err
		}
		l.add(line, f[7], at.UnixMilli(), f[1], price, f[2], f[3], f[4], f[5], f[8])
		return nil
	})
	if err != nil {
		return dataset{}, err
	}
	return l.done("2019-Oct-head.csv.gz", d)
}

// read gives a gzipped file of data/ whole.
func read(name string) ([]byte, error) {
	dir, err := sharedDir()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, "data", filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return io.ReadAll(z)
}

// each calls fn with every data row of a CSV file and the line it starts on.
func each(name string, fn func(line int, f []string) error) error {
	body, err := read(name)
	if err != nil {
		return err
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord, r.ReuseRecord, r.LazyQuotes = -1, true, true
	for first := true; ; first = false {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if first {
			continue
		}
		line, _ := r.FieldPos(0)
		if err := fn(line, f); err != nil {
			return fmt.Errorf("%s line %d: %w", name, line, err)
		}
	}
}

// decimal reads an amount of at most six decimals exactly.
func decimal(s string) (model.Money, error) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > 6 {
		frac = strings.TrimRight(frac, "0")
	}
	if len(frac) > 6 {
		return 0, fmt.Errorf("amount %q has more than six decimals", s)
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", 6-len(frac)), 10, 64)
	return model.Money(n), err
}

// A load gathers rows into one batch.
type load struct{ b model.Batch }

func newLoad(keys []string, amounts, dated bool) *load {
	l := &load{}
	for _, k := range keys {
		l.b.Props = append(l.b.Props, model.BatchCol{Key: k})
	}
	if amounts {
		l.b.Amount = []model.Money{}
	}
	if dated {
		l.b.Dated = []bool{}
	}
	return l
}

func (l *load) add(line int, user string, at int64, event string, amount model.Money, props ...string) {
	b := &l.b
	b.Line, b.Time = append(b.Line, int64(line)), append(b.Time, at)
	b.User, b.Event = append(b.User, []byte(user)), append(b.Event, []byte(event))
	if b.Amount != nil {
		b.Amount = append(b.Amount, amount)
	}
	if b.Dated != nil {
		b.Dated = append(b.Dated, true)
	}
	for i, p := range props {
		b.Props[i].Values = append(b.Props[i].Values, []byte(p))
	}
}

func (l *load) done(path string, d *model.Dictionary) (dataset, error) {
	m := model.NewMemory()
	src := []model.SourceInfo{{Path: path, Digest: path, Rows: int64(l.b.Len())}}
	ld, err := m.Begin(context.Background(), model.LoadPlan{Sources: src, Zone: "UTC"})
	if err != nil {
		return dataset{}, err
	}
	if err := ld.Add(&l.b); err != nil {
		return dataset{}, err
	}
	_, err = ld.Commit(model.Quality{Read: int64(l.b.Len())}, src)
	return dataset{m, d}, err
}
