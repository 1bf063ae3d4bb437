package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// readTable reads a CSV file (- is standard input), gzipped or not, for --table: its
// heading, and at least one row below. The fields are parted by commas, semicolons or
// tabs, whichever the heading has most of. A row may be shorter than the heading if
// ragged is set, and never longer.
func (a *app) readTable(path string, ragged bool) (head []string, rows [][]string, err error) {
	name := filepath.Base(path)
	var in io.Reader = a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, nil, noData(fmt.Errorf("the table cannot be read: %w", err))
		}
		defer f.Close()
		in = f
	} else {
		name = "standard input"
	}
	r := bufio.NewReader(in)
	// What cannot be peeked at is said by the reading that follows.
	if magic, _ := r.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, usage(fmt.Errorf("%s begins like gzip and cannot be unpacked: %w", name, err))
		}
		r = bufio.NewReaderSize(z, 1<<15)
	}
	if bom, _ := r.Peek(3); string(bom) == "\ufeff" {
		_, _ = r.Discard(3) // it was peeked
	}
	c := csv.NewReader(r)
	c.LazyQuotes, c.FieldsPerRecord = true, -1
	first, _ := r.Peek(r.Size())
	first, _, _ = bytes.Cut(first, []byte("\n"))
	for _, sep := range ";\t" {
		if bytes.Count(first, []byte(string(sep))) > bytes.Count(first, []byte(string(c.Comma))) {
			c.Comma = sep
		}
	}
	all, err := c.ReadAll()
	if err != nil {
		return nil, nil, usage(fmt.Errorf("%s is not a table of values parted by commas, semicolons or tabs: %w", name, err))
	}
	if len(all) < 2 {
		return nil, nil, usage(fmt.Errorf("%s holds no rows below its heading", name))
	}
	head, rows = all[0], all[1:]
	for i, row := range rows {
		if len(row) > len(head) || len(row) < len(head) && !ragged {
			return nil, nil, usage(fmt.Errorf("%s: row %d has %d fields, the heading %d: a value that holds the separator needs quotes", name, i+1, len(row), len(head)))
		}
	}
	for i := range head {
		head[i] = strings.TrimSpace(head[i])
	}
	return head, rows, nil
}
