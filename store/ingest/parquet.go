package ingest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
)

// Parquet is read by columns. A parquetFile cuts the row groups into blocks of
// rows, each a stretch of some pages of every wanted column; pages are
// decompressed by as many goroutines as there are workers, and a column that the
// mapping does not want is never touched. Workers make batches of the blocks
// (parquetgather.go, parquetrows.go). What is equal for all rows of a dictionary entry, such as the
// time a text stands for, is found out once for the entry.
//
// Where rows are wanted as text, to recognise a file and to show a row, each record
// is a line of JSON: so a record's number is its line, and recognition, mapping,
// quality report and finding a row again work as for any file.
//
// github.com/parquet-go/parquet-go reads the format: encodings and compressions
// are many, and it is the one kept library for them in Go.

var parquetMagic = []byte("PAR1")

// A parquetFile is an opened file and its columns.
type parquetFile struct {
	name    string
	f       *os.File
	file    *parquet.File
	leaves  []*parquetLeaf
	total   int64 // records
	workers int
	lz4     []map[int]lz4Span // by row group: columns that the library cannot unpack

	done atomic.Int64 // records given out, for the progress
}

// openParquet opens the file a second time: the format is read from its end,
// while the bytes themselves are counted and hashed from its beginning.
func (s *stream) openParquet() error {
	if s.in.stdin != nil || s.packed != "" {
		return &sentence{ErrUnreadable, s.in.Name() + ": is a Parquet file, which is read from its end: save it to a file of its own first, not packed in gzip or zstd"}
	}
	f, size, err := openFile(s.in.Path)
	if err != nil {
		return err
	}
	s.close = append(s.close, func() { f.Close() })
	p := &parquetFile{name: s.in.Name(), f: f, workers: 1}
	if err := p.open(size); err != nil {
		return &sentence{ErrUnreadable, fmt.Sprintf("%s: is a Parquet file and cannot be read (%v): write it again, or write it as CSV", s.in.Name(), err)}
	}
	if p.total == 0 {
		return &sentence{ErrNothing, s.in.Name() + ": is a Parquet file without a row: there is nothing to load"}
	}
	s.parquet, s.packed = p, "parquet"
	s.text = p.asText(p.leaves)
	return nil
}

func (p *parquetFile) open(size int64) (err error) {
	defer damaged(&err)
	p.file, err = parquet.OpenFile(p.f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	for _, g := range p.file.RowGroups() {
		if g.NumRows() < 0 {
			return errParquet
		}
		p.total += g.NumRows()
	}
	if err := p.unpackLZ4(size); err != nil {
		return err
	}
	var names []string
	columns := leafColumns(p.file.Root())
	for _, c := range columns {
		names = append(names, parquetName(c.Path()))
	}
	for i, name := range uniqueNames(names) {
		p.leaves = append(p.leaves, newParquetLeaf(name, columns[i]))
	}
	p.addFolders(p.f.Name())
	return nil
}

// leafColumns are the columns that hold values, in the order of the file.
func leafColumns(c *parquet.Column) []*parquet.Column {
	if c.Leaf() {
		return []*parquet.Column{c}
	}
	var out []*parquet.Column
	for _, child := range c.Columns() {
		out = append(out, leafColumns(child)...)
	}
	return out
}

// parquetName joins a path with dots, without the levels that lists add.
func parquetName(path []string) string {
	var out []string
	for i, s := range path {
		if i > 0 && (s == "list" || s == "element" || s == "array" || s == "key_value") {
			continue
		}
		out = append(out, s)
	}
	return strings.Join(out, ".")
}

func (p *parquetFile) has(name string) bool {
	return slices.ContainsFunc(p.leaves, func(l *parquetLeaf) bool { return l.name == name })
}

// wanted are the columns that the mapping needs.
func (p *parquetFile) wanted(m *Mapping) []*parquetLeaf {
	if m.AllProps {
		return p.leaves
	}
	names := append([]string{m.User, m.Time, m.Event, m.Clock}, m.Props...)
	if m.Amount != "" {
		if a, err := parseAmount(m.Amount, p.has); err == nil {
			names = append(names, a.names...)
		}
	}
	var out []*parquetLeaf
	for _, l := range p.leaves {
		if slices.Contains(names, l.name) {
			out = append(out, l)
		}
	}
	return out
}

// A parquetReader cuts a file into blocks, in order.
type parquetReader struct {
	p      *parquetFile
	leaves []*parquetLeaf
	rows   int // of a block
	group  int // that comes next
	left   int // rows of the group at hand
	record int64
	chunks []*parquetChunk
}

// parquetCells is how many values a block has, about: a few hundred KiB of
// pointers to them. Wide files have blocks of fewer rows.
const parquetCells = 64 << 10

func (p *parquetFile) reader(leaves []*parquetLeaf) *parquetReader {
	return &parquetReader{p: p, leaves: leaves, rows: min(max(parquetCells/max(len(leaves), 1), 64), 16<<10), record: 1}
}

// A parquetRows is a block of a Parquet file.
type parquetRows struct {
	n     int
	parts [][]parquetPart // of each of the reader's leaves
	leaf  []*parquetLeaf
}

func (b *parquetRows) release() {
	for _, parts := range b.parts {
		for _, part := range parts {
			part.page.release()
		}
	}
}

// next gives the next block, or io.EOF.
func (r *parquetReader) next() (b block, err error) {
	defer damaged(&err)
	for r.left == 0 {
		r.close()
		groups := r.p.file.RowGroups()
		if r.group == len(groups) {
			return b, io.EOF
		}
		r.left = int(groups[r.group].NumRows())
		columns := groups[r.group].ColumnChunks()
		for _, l := range r.leaves {
			if l.fixed != nil {
				r.chunks = append(r.chunks, &parquetChunk{leaf: l})
				continue
			}
			r.chunks = append(r.chunks, &parquetChunk{leaf: l, pages: r.p.pages(r.group, l.index, columns[l.index])})
		}
		r.group++
	}
	n := min(r.rows, r.left)
	if err := r.fill(n); err != nil {
		return b, err
	}
	rows := &parquetRows{n: n, leaf: r.leaves}
	for _, c := range r.chunks {
		rows.parts = append(rows.parts, c.cut(n))
	}
	b = block{line: r.record, rows: rows}
	r.left -= n
	r.record += int64(n)
	r.p.done.Store(r.record - 1)
	return b, nil
}

// fill makes n rows of every column ready, several columns at a time.
func (r *parquetReader) fill(n int) error {
	var dry []*parquetChunk
	for _, c := range r.chunks {
		if c.row < n {
			dry = append(dry, c)
		}
	}
	if len(dry) == 0 {
		return nil
	}
	errs := make([]error, len(dry))
	var wg sync.WaitGroup
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < len(dry); i = int(next.Add(1)) - 1 {
			errs[i] = dry[i].fill(n)
		}
	}
	for range min(r.p.workers, len(dry)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *parquetReader) close() {
	for _, c := range r.chunks {
		c.close()
	}
	r.chunks = r.chunks[:0]
}

// A parquetText gives the records of a file as lines of JSON.
type parquetText struct {
	r   *parquetReader
	buf []byte
	out []byte // of buf, not yet given out
}

// asText gives the rows as text, of these columns.
func (p *parquetFile) asText(leaves []*parquetLeaf) *bufio.Reader {
	r := p.reader(leaves)
	r.rows = min(r.rows, 256)
	return bufio.NewReaderSize(&parquetText{r: r}, 256<<10)
}

// Read gives text; a file that cannot be decoded is an error, never a panic.
func (t *parquetText) Read(b []byte) (n int, err error) {
	defer damaged(&err)
	for len(t.out) == 0 {
		rows, err := t.r.next()
		if err != nil {
			return 0, err
		}
		t.buf = rows.rows.appendLines(t.buf[:0])
		t.out = t.buf
		rows.rows.release()
	}
	n = copy(b, t.out)
	t.out = t.out[n:]
	return n, nil
}

// appendLines writes the rows as lines of JSON.
func (b *parquetRows) appendLines(dst []byte) []byte {
	walks := make([]*parquetWalk, len(b.parts))
	for i := range b.parts {
		walks[i] = b.walk(i)
	}
	for range b.n {
		dst = append(dst, '{')
		first := true
		for _, w := range walks {
			mark := len(dst)
			if !first {
				dst = append(dst, ',')
			}
			dst = append(append(dst, w.leaf.key...), ':')
			var some bool
			if dst, some = w.append(dst); !some {
				dst = dst[:mark]
				continue
			}
			first = false
		}
		dst = append(dst, '}', '\n')
	}
	return dst
}

// A parquetWalk goes through a column row by row.
type parquetWalk struct {
	leaf  *parquetLeaf
	parts []parquetPart
}

func (b *parquetRows) walk(i int) *parquetWalk {
	return &parquetWalk{leaf: b.leaf[i], parts: slices.Clone(b.parts[i])}
}

// append writes the value of the next row as JSON; some is false, and nothing of
// use is written, if it has none. A list of nothing, or of one nothing, has none.
func (w *parquetWalk) append(dst []byte) (out []byte, some bool) {
	if !w.leaf.list {
		p, k, null := w.step()
		if null {
			return dst, false
		}
		return w.leaf.appendJSON(dst, p, k), true
	}
	dst = append(dst, '[')
	for n := 0; ; n++ {
		p, k, null := w.step()
		if n > 0 {
			dst = append(dst, ',')
		}
		if null {
			dst = append(dst, "null"...)
		} else {
			dst = w.leaf.appendJSON(dst, p, k)
		}
		some = some || n > 0 || !null
		if len(w.parts) == 0 || w.parts[0].page.rep[w.parts[0].from] == 0 {
			return append(dst, ']'), some
		}
	}
}

// step takes the next value.
func (w *parquetWalk) step() (p *parquetPage, k int, null bool) {
	part := &w.parts[0]
	p, k = part.page, part.value
	if p.def != nil && p.def[part.from] != w.leaf.maxDef {
		null = true
	} else {
		part.value++
	}
	if part.from++; part.from == part.to {
		w.parts = w.parts[1:]
	}
	return p, k, null
}

// fault says that the file's bytes are not what they should be.
func (p *parquetFile) fault(err error) error {
	return &sentence{ErrUnreadable, fmt.Sprintf("%s: is a Parquet file and cannot be read (%v): fetch it again, or write it again", p.name, err)}
}

// blocks gives the rows of the stream, block by block.
func (s *stream) blocks(p *plan, l *load) func() (block, error) {
	if p.parquet == nil {
		return s.splitter(p.sx, &l.pool).next
	}
	s.parquet.workers = l.o.workers()
	return s.parquet.reader(p.parquet.leaves).next
}

// progress is how many bytes of the file have been used.
func (s *stream) progress() int64 {
	if s.parquet == nil {
		return s.raw.n.Load()
	}
	return int64(float64(s.size) * float64(s.parquet.done.Load()) / float64(s.parquet.total))
}
