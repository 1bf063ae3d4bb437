package reference

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

	"dwell/model"
)

// read gives a file of data/ whole, unpacked where its name ends in .gz.
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
	if !strings.HasSuffix(name, ".gz") {
		return io.ReadAll(f)
	}
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
