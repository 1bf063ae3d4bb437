package reference

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dwell/model"
)

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
