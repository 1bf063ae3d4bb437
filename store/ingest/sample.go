package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"unicode/utf8"
)

// A table is the first megabyte of a file, taken apart: what a recognition
// looks at.
type table struct {
	sx     syntax
	header []byte   // the header line, nil without one
	names  []string // of the columns
	rows   [][]string
	kinds  [][]valueKind // of JSON
	bad    int           // rows whose quotes do not match
}

const maxSampleRows = 20_000

// maxSampleCells bounds a sample of JSON rows with ever new names, which is as many
// cells as rows times names.
const maxSampleCells = 1 << 20

// sample takes the beginning of the text apart, without taking it off the
// stream. A megabyte is enough, unless a row longer than that stands in it: then
// eight are looked at, and sixty-four.
func (s *stream) sample(read func(text []byte, whole bool) (*table, error)) (*table, error) {
	s.sepLine()
	s.comments()
	for size := sampleSize; ; size *= 8 {
		text, whole, err := s.peekSample(size)
		if err != nil {
			return nil, err
		}
		t, err := read(text, whole)
		if whole || size == 64*sampleSize || err != nil && !errors.Is(err, errLongSample) || err == nil && len(t.rows) > 0 {
			return t, err
		}
	}
}

// errLongSample says that the sample ends within a row.
var errLongSample = fmt.Errorf("%w: the sample ends within a row", ErrNotEvents)

// peekSample looks at the first size bytes of text.
func (s *stream) peekSample(size int) (text []byte, whole bool, err error) {
	s.text = bufio.NewReaderSize(s.text, size)
	text, err = s.text.Peek(size)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return nil, false, s.readError(err)
	}
	if len(trim(text)) == 0 && err == io.EOF {
		return nil, false, &sentence{ErrNothing, s.in.Name() + ": holds nothing but blanks: there is nothing to load"}
	}
	if isBinary(text) {
		return nil, false, &sentence{ErrNotEvents, s.in.Name() + ": is a binary file, not text: dwell loads CSV and NDJSON, plain, .gz or .zst, and Parquet"}
	}
	return text, err == io.EOF, nil
}

// isBinary says whether more than one byte in fifty of the sample's beginning
// is a control character that no text has.
func isBinary(text []byte) bool {
	text = text[:min(len(text), 64<<10)]
	odd := 0
	for _, b := range text {
		if b < 0x20 && !blank(b) && b != 0x1b && b != 0x1c && b != 0x1d && b != 0x1e && b != 0x1f && b != 0x01 {
			odd++
		}
	}
	return odd*50 > len(text)
}

// guessFormat tells JSON from tables by the first character and the first row.
func guessFormat(text []byte) string {
	t := trim(text)
	if len(t) == 0 {
		return FormatCSV
	}
	j := jsonReader{arena: new([]byte), emit: func([]byte, []byte, valueKind) {}}
	switch t[0] {
	case '{':
		end := lineEnd(t, 0, true)
		if end < 0 {
			end = len(t)
		}
		if j.object(t[:end]) {
			return FormatNDJSON
		}
		// An object over several lines, or a first line that is damaged or longer
		// than the sample: the second line tells.
		if next := trim(t[end:]); len(next) > 0 && next[0] != '{' && bytes.IndexByte(t[:end], ',') < 0 {
			return FormatJSON
		}
		if line, comma := bytes.CutSuffix(trim(t[:end]), []byte{','}); comma && j.object(line) {
			return FormatJSON // a list without its brackets
		}
		return FormatNDJSON // be it damaged: no table begins so
	case '[':
		rest := trim(t[1:])
		if len(rest) > 0 && (rest[0] == '{' || rest[0] == ']') {
			return FormatJSON
		}
	}
	return FormatCSV
}

// guessDelimiter is the one that cuts most rows into the same number of fields,
// at least two; among equals the one that gives most fields. Blanks come last:
// they occur within fields of every other kind.
func guessDelimiter(text []byte, whole bool) (byte, bool) {
	best, bestShare, bestN := byte(0), 0.0, 0
	for _, d := range []byte{',', '\t', ';', '|'} {
		n, share := evenness(text, whole, d)
		if n < 2 || share < 0.6 {
			continue
		}
		if share > bestShare+0.05 || share > bestShare-0.05 && n > bestN {
			best, bestShare, bestN = d, share, n
		}
	}
	if best != 0 {
		return best, true
	}
	if n, share := evenness(text, whole, ' '); n >= 2 && share >= 0.9 {
		return ' ', true
	}
	return 0, false
}

// namedDelimiter is the one that cuts the first row into names among which are a
// user's and a time's, however ragged the few rows below it are.
func namedDelimiter(text []byte, whole bool) (byte, bool) {
	for _, d := range []byte{',', '\t', ';', '|', '^', '~', 1} {
		sx := syntax{mode: modeTable, delim: d}
		end, kind := sx.next(text, 0, whole)
		if kind != rowOK {
			continue
		}
		user, when := false, false
		var arena []byte
		for _, f := range sx.fields(chomp(text[:end]), nil, &arena) {
			name := string(trim(f))
			user, when = user || userWords.of(name) > 0, when || timeScore(name) > 0
		}
		if user && when {
			return d, true
		}
	}
	return 0, false
}

// evenness is the most common number of fields and the share of rows that have it.
func evenness(text []byte, whole bool, d byte) (n int, share float64) {
	counts, rows := map[int]int{}, 0
	var vals [][]byte
	var arena []byte
	sx := syntax{mode: modeTable, delim: d}
	for p := 0; p < len(text) && rows < 500; {
		end, kind := sx.next(text, p, whole)
		if kind == rowMore || kind == rowLong {
			break
		}
		row := chomp(text[p:end])
		p = end
		if len(trim(row)) == 0 || kind != rowOK {
			continue
		}
		vals = sx.fields(row, vals[:0], &arena)
		counts[len(vals)]++
		rows++
	}
	for k, c := range counts {
		if c > counts[n] || c == counts[n] && k > n {
			n = k
		}
	}
	if rows == 0 {
		return 0, 0
	}
	return n, float64(counts[n]) / float64(rows)
}

// readTable takes the sample apart. header is "yes", "no" or "" to recognise it;
// delim 0 is recognised.
func readTable(name string, text []byte, whole bool, format string, delim byte, header string) (*table, error) {
	t := &table{}
	if format != FormatCSV {
		t.sx.mode = modeLines
		if format == FormatJSON {
			t.sx.mode = modeJSON
		}
		return t, t.readJSON(name, text, whole)
	}
	if delim == 0 {
		d, ok := guessDelimiter(text, whole)
		if !ok {
			d, ok = namedDelimiter(text, whole)
		}
		if !ok {
			return nil, &sentence{ErrNotEvents, name + ": has no delimiter that cuts its rows into columns evenly: say which with --delimiter (, ; | tab blanks, or any other character)"}
		}
		delim = d
	}
	t.sx = syntax{mode: modeTable, delim: delim}
	return t, t.readRows(name, text, whole, header)
}

// pastLong is where the row after a long one begins, or -1 if the sample ends
// before.
func (t *table) pastLong(text []byte, p int, whole bool) int {
	if len(text)-p <= MaxRow {
		return -1
	}
	return lineEnd(text, p+MaxRow, whole)
}

func (t *table) readRows(name string, text []byte, whole bool, header string) error {
	var arena []byte
	var first []byte
	long := false
	for p := 0; p < len(text) && len(t.rows) < maxSampleRows; {
		end, kind := t.sx.next(text, p, whole)
		if kind == rowMore || kind == rowLong {
			if first == nil {
				return &sentence{errLongSample, fmt.Sprintf("%s: its first row is longer than %d bytes: that is no table dwell can read", name, MaxRow)}
			}
			long = true
			if p = t.pastLong(text, p, whole); p < 0 {
				break
			}
			continue
		}
		row := chomp(text[p:end])
		p = end
		if kind == rowBad {
			t.bad++
		}
		if len(trim(row)) == 0 || kind != rowOK {
			continue
		}
		if first == nil {
			first = row
		}
		var cells []string
		for _, f := range t.sx.fields(row, nil, &arena) {
			cells = append(cells, string(trim(bytes.ToValidUTF8(f, []byte("\uFFFD")))))
		}
		t.rows = append(t.rows, cells)
	}
	if len(t.rows) == 0 {
		return &sentence{ErrNotEvents, name + ": has no row that can be read"}
	}
	if len(t.rows[0]) > MaxColumns {
		return &sentence{ErrNotEvents, fmt.Sprintf("%s: has %d columns; dwell reads up to %d", name, len(t.rows[0]), MaxColumns)}
	}
	if header == "yes" || header == "" && t.looksHeaded() {
		for i, c := range t.rows[0] {
			if len(c) > MaxID {
				return &sentence{ErrNotEvents, fmt.Sprintf("%s: the name of its column %d is longer than %d bytes: that is no table dwell can read", name, i+1, MaxID)}
			}
		}
		t.header = bytes.Clone(trim(first))
		t.names = uniqueNames(t.rows[0])
		t.rows = t.rows[1:]
		if long && len(t.rows) == 0 {
			return &sentence{errLongSample, fmt.Sprintf("%s: its first rows are longer than %d bytes each: dwell does not read rows as long as that", name, MaxRow)}
		}
	} else {
		for i := range t.rows[0] {
			t.names = append(t.names, fmt.Sprintf("c%d", i+1))
		}
	}
	return nil
}

// looksHeaded says whether the first row names columns: it has a name we know,
// or words where the rows below have numbers or times.
func (t *table) looksHeaded() bool {
	first := t.rows[0]
	for _, c := range first {
		if c == "" {
			continue
		}
		if _, isTime := guessTime([]string{c}, false); isTime || classify([]byte(c)) == kindNumber || !utf8.ValidString(c) {
			return false
		}
	}
	for _, c := range first {
		if userWords.of(c) > 0 || timeScore(c) > 0 || eventWords.of(c) > 30 || amountWords.of(c) > 60 {
			return true
		}
	}
	below := table{names: first, rows: t.rows[1:min(len(t.rows), 200)]}
	for i, c := range first {
		cells := below.column(i)
		if c == "" || len(cells) == 0 {
			continue
		}
		if _, ok := guessStyle(cells); ok {
			return true // a word over numbers
		}
		if _, ok := guessTime(cells, false); ok {
			return true
		}
	}
	return len(below.rows) == 0
}

// uniqueNames gives every column a name, each once.
func uniqueNames(cells []string) []string {
	seen := map[string]bool{}
	out := make([]string, len(cells))
	for i, c := range cells {
		if c == "" {
			c = fmt.Sprintf("c%d", i+1)
		}
		name := c
		for n := 2; seen[name]; n++ {
			name = fmt.Sprintf("%s_%d", c, n)
		}
		seen[name] = true
		out[i] = name
	}
	return out
}

func (t *table) readJSON(name string, text []byte, whole bool) error {
	at := map[string]int{}
	arena := []byte{}
	var row []string
	var ks []valueKind
	j := jsonReader{arena: &arena}
	j.emit = func(path, value []byte, kind valueKind) {
		i, ok := at[string(path)]
		if !ok {
			if len(t.names) >= MaxColumns {
				return
			}
			i = len(t.names)
			at[string(path)] = i
			t.names = append(t.names, string(path))
		}
		for len(row) <= i {
			row, ks = append(row, ""), append(ks, kindAbsent)
		}
		row[i], ks[i] = string(trim(value)), kind
		if kind == kindNull {
			row[i] = ""
		}
	}
	bad := 0
	for p := 0; p < len(text) && len(t.rows) < maxSampleRows && len(t.rows)*len(t.names) < maxSampleCells; {
		end, kind := t.sx.next(text, p, whole)
		if kind == rowMore || kind == rowLong {
			if p = t.pastLong(text, p, whole); p < 0 {
				break
			}
			continue
		}
		b := text[p:end]
		p = end
		for t.sx.mode == modeJSON && len(b) > 0 && between(b[0]) {
			b = b[1:]
		}
		if len(trim(b)) == 0 {
			continue
		}
		row, ks, arena = nil, nil, arena[:0]
		if !j.object(b) {
			bad++
			continue
		}
		t.rows, t.kinds = append(t.rows, row), append(t.kinds, ks)
	}
	if len(t.rows) == 0 && bad == 0 && !whole {
		return &sentence{errLongSample, fmt.Sprintf("%s: its first rows are longer than %d bytes each: dwell does not read rows as long as that", name, MaxRow)}
	}
	if len(t.rows) == 0 && bad == 0 {
		return &sentence{ErrNothing, name + ": is an empty list of JSON: there is nothing to load"}
	}
	if len(t.rows) == 0 {
		return &sentence{ErrNotEvents, fmt.Sprintf("%s: looks like JSON, and none of its first %d rows is a JSON object: dwell reads one object a line, or an array of objects", name, bad)}
	}
	for i, r := range t.rows {
		for len(r) < len(t.names) {
			r = append(r, "")
			t.kinds[i] = append(t.kinds[i], kindAbsent)
		}
		t.rows[i] = r
	}
	t.dropParents()
	return nil
}

// widen adds the columns of a Parquet file that are null throughout the sample, in
// the order of the file.
func (t *table) widen(leaves []*parquetLeaf) {
	for at, l := range leaves {
		if t.has(l.name) {
			continue
		}
		at = min(at, len(t.names))
		t.names = slices.Insert(t.names, at, l.name)
		for k := range t.rows {
			t.rows[k], t.kinds[k] = slices.Insert(t.rows[k], at, ""), slices.Insert(t.kinds[k], at, kindAbsent)
		}
	}
}

// dropParents takes out the columns that are null wherever they are named and of
// which others are members: "user": null beside user.id is an object that is not
// there, and no column.
func (t *table) dropParents() {
	for i := len(t.names) - 1; i >= 0; i-- {
		if !isParent(t.names[i], t.names) || slices.ContainsFunc(t.kinds, func(ks []valueKind) bool { return ks[i] != kindNull && ks[i] != kindAbsent }) {
			continue
		}
		t.names = slices.Delete(t.names, i, i+1)
		for k := range t.rows {
			t.rows[k], t.kinds[k] = slices.Delete(t.rows[k], i, i+1), slices.Delete(t.kinds[k], i, i+1)
		}
	}
}

// isParent says whether one of the names is a member of the object called name.
func isParent(name string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return len(n) > len(name) && n[len(name)] == '.' && n[:len(name)] == name })
}

// column gives the non-empty cells of a column; rows of another width are left out.
func (t *table) column(i int) (out []string) {
	for _, r := range t.rows {
		if len(r) >= len(t.names) && !isAbsent([]byte(r[i])) {
			out = append(out, r[i])
		}
	}
	return out
}

// noRows is the sentence for a table with a header and nothing below it.
func (t *table) noRows(file string) error {
	if t.bad > 0 {
		return &sentence{ErrNotEvents, fmt.Sprintf("%s: none of its first %d rows can be read: each opens a quote that no delimiter or line end follows when it closes; a quote within a field must be doubled", file, t.bad)}
	}
	return &sentence{ErrNothing, file + ": has a header and no rows: there is nothing to load"}
}

// list names the columns for a sentence.
func (t *table) list() string {
	if t.header == nil && t.sx.mode == modeTable && len(t.names) <= 30 && len(t.rows) > 0 {
		return t.listed()
	}
	if len(t.names) > 30 {
		return strings.Join(t.names[:30], ", ") + fmt.Sprintf(" and %d more", len(t.names)-30)
	}
	return strings.Join(t.names, ", ")
}

// listed is list for a file without header: the columns beside what their first
// cells hold, for c1 alone tells nobody which column it is.
func (t *table) listed() string {
	out := make([]string, len(t.names))
	for i, n := range t.names {
		out[i] = n
		if i < len(t.rows[0]) && t.rows[0][i] != "" {
			out[i] += " (" + shortCell(t.rows[0][i], 20) + ")"
		}
	}
	return strings.Join(out, ", ")
}

// shortCell is the beginning of a cell, of at most n letters.
func shortCell(s string, n int) string {
	if rs := []rune(s); len(rs) > n {
		return string(rs[:n]) + "…"
	}
	return s
}
