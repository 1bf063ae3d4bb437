package ingest

import (
	"bytes"
	"encoding/csv"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// scanAll cuts data into rows of fields through splitter and scanner, as a load
// does; bad rows give nil.
func scanAll(t testing.TB, data []byte, sx syntax, size int) (rows [][]string, lines []int64, raw []byte) {
	t.Helper()
	pool := &sync.Pool{New: func() any { return new([]byte) }}
	sp := newSplitter(bytes.NewReader(data), sx, size, pool)
	for {
		b, err := sp.next()
		if err == io.EOF {
			return rows, lines, raw
		}
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, b.data...)
		line := b.line
		for p := 0; p < len(b.data); {
			end, kind := len(b.data), rowLong
			if b.long == longNone {
				end, kind = sx.next(b.data, p, true)
			}
			if kind == rowMore || end <= p {
				t.Fatalf("the scanner does not advance: kind %d, from %d to %d of %.300q", kind, p, end, b.data)
			}
			row := b.data[p:end]
			switch {
			case b.long != longNone || kind == rowLong:
				rows, lines = append(rows, nil), append(lines, line)
			case kind == rowBad:
				rows, lines = append(rows, nil), append(lines, line)
			case len(chomp(row)) > 0:
				var arena []byte
				var cells []string
				for _, f := range sx.fields(chomp(row), nil, &arena) {
					cells = append(cells, string(f))
				}
				rows, lines = append(rows, cells), append(lines, line)
			}
			line += countLines(row)
			p = end
		}
	}
}

// FuzzCSV holds the scanner against encoding/csv wherever that accepts a file,
// and everywhere: no byte is lost, and where blocks end does not matter.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a,\"b \"\"x\"\" c\"\r\n\"line\nbreak\",2", "\"open,1\n2,3\n", "a\rb\rc", "\"a\"b,c\nd,e", "\n\n,\n\"\"\n", "x,\"\"\"\"\n", "\"\r\n\",1\r\n"} {
		f.Add([]byte(s), 7)
	}
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		size = 1 + (size&0x7fffffff)%64
		sx := syntax{mode: modeTable, delim: ','}
		got, lines, raw := scanAll(t, data, sx, size)
		if !bytes.Equal(raw, data) {
			t.Fatalf("bytes were lost: %q became %q", data, raw)
		}
		whole, wholeLines, _ := scanAll(t, data, sx, len(data)+1)
		if !equalRows(got, whole) {
			t.Fatalf("blocks of %d bytes give %.300q, one block %.300q", size, got, whole)
		}
		for i := range lines {
			if lines[i] != wholeLines[i] {
				t.Fatalf("row %d is in line %d by blocks, %d in one", i, lines[i], wholeLines[i])
			}
		}
		if bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r")) {
			return // a CR alone ends a line here, not in encoding/csv
		}
		r := csv.NewReader(bytes.NewReader(data))
		r.FieldsPerRecord = -1
		want, err := r.ReadAll()
		if err != nil {
			return
		}
		for _, row := range got { // encoding/csv makes LF of CRLF within quotes
			for i := range row {
				row[i] = strings.ReplaceAll(row[i], "\r\n", "\n")
			}
		}
		if !equalRows(got, want) {
			t.Fatalf("%q\n got %q\nwant %q", data, got, want)
		}
	})
}

func equalRows(a, b [][]string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) != len(b[i]) || (a[i] == nil) != (b[i] == nil) {
			return false
		}
		for j := range a[i] {
			if a[i][j] != b[i][j] {
				return false
			}
		}
	}
	return true
}

func TestScan(t *testing.T) {
	cases := []struct {
		name, in string
		delim    byte
		want     [][]string
		lines    []int64
	}{
		{"mixed line ends", "a,b\r\nc,d\ne,f\rg,h", ',', [][]string{{"a", "b"}, {"c", "d"}, {"e", "f"}, {"g", "h"}}, []int64{1, 2, 3, 4}},
		{"newline in quotes", "1,\"x\ny\"\n2,z\n", ',', [][]string{{"1", "x\ny"}, {"2", "z"}}, []int64{1, 3}},
		{"doubled quotes", "\"a\"\"b\",c\n", ',', [][]string{{`a"b`, "c"}}, []int64{1}},
		{"quote within a field", "5\" pipe,1\n6\" pipe,2\n", ',', [][]string{{`5" pipe`, "1"}, {`6" pipe`, "2"}}, []int64{1, 2}},
		{"open quote costs one row", "1,\"open\n2,b\n3,c\n", ',', [][]string{nil, {"2", "b"}, {"3", "c"}}, []int64{1, 2, 3}},
		{"text after a closing quote", "\"a\" b,1\n2,c\n", ',', [][]string{nil, {"2", "c"}}, []int64{1, 2}},
		{"blanks", "  1  x \t 2\n\t3 \"a b\"   4 \n", ' ', [][]string{{"1", "x", "2"}, {"3", "a b", "4"}}, []int64{1, 2}},
		{"tabs", "a\t\tb\n", '\t', [][]string{{"a", "", "b"}}, []int64{1}},
		{"empty lines are no rows", "a\n\n\nb\n", ',', [][]string{{"a"}, {"b"}}, []int64{1, 4}},
	}
	for _, c := range cases {
		for size := 1; size < 40; size += 3 {
			got, lines, _ := scanAll(t, []byte(c.in), syntax{mode: modeTable, delim: c.delim}, size)
			if !equalRows(got, c.want) {
				t.Errorf("%s, blocks of %d: got %q, want %q", c.name, size, got, c.want)
			}
			for i := range lines {
				if i < len(c.lines) && lines[i] != c.lines[i] {
					t.Errorf("%s: row %d is in line %d, want %d", c.name, i, lines[i], c.lines[i])
				}
			}
		}
	}
}

// A row beyond MaxRow goes by in pieces, whatever surrounds it, and an open quote
// reaches no further than MaxRow.
func TestLongRows(t *testing.T) {
	long := strings.Repeat("x", 5<<20)
	for _, end := range []string{"\n", "\r\n", "\r"} {
		in := "1,a" + end + "2," + long + end + "3,b" + end
		rows, lines, raw := scanAll(t, []byte(in), syntax{mode: modeTable, delim: ','}, blockSize)
		if string(raw) != in {
			t.Fatalf("bytes were lost")
		}
		if got := rows[len(rows)-1]; len(got) != 2 || got[0] != "3" || lines[len(lines)-1] != 3 {
			t.Errorf("end %q: the row after the long one is %q in line %d", end, got, lines[len(lines)-1])
		}
	}
	// The long line is the quote's own: a bad row that is too long as well.
	in := "1,a\n2,\"" + long + "\n3,b\n"
	rows, _, raw := scanAll(t, []byte(in), syntax{mode: modeTable, delim: ','}, blockSize)
	if string(raw) != in || rows[len(rows)-1][1] != "b" {
		t.Errorf("an open quote before a long line: last row %q", rows[len(rows)-1])
	}
	// Many short lines after an open quote: one bad row, the rest as they are.
	var b strings.Builder
	b.WriteString("0,\"open\n")
	for range 300_000 {
		b.WriteString("7,seven\n")
	}
	rows, _, _ = scanAll(t, []byte(b.String()), syntax{mode: modeTable, delim: ','}, blockSize)
	if len(rows) != 300_001 || rows[0] != nil || rows[1] == nil {
		t.Errorf("an open quote: %d rows", len(rows))
	}
}

// A seeded mass of rows with quotes, written by encoding/csv, over block edges.
func TestScanManyRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "b,c", "d\"e", "f\ng", "", " h ", "\r\n", "ü"}
	var want [][]string
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	for range 3000 {
		row := []string{"k", "", ""}
		for i := range row[1:] {
			for range rng.IntN(3) {
				row[i+1] += parts[rng.IntN(len(parts))]
			}
		}
		want = append(want, row)
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	for _, size := range []int{50, 333, 4096} {
		got, _, _ := scanAll(t, buf.Bytes(), syntax{mode: modeTable, delim: ','}, size)
		if !equalRows(got, want) {
			t.Errorf("blocks of %d: rows differ", size)
		}
	}
}
