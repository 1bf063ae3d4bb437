package ingest

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Parquet is a producer of text beside the others: each record becomes a line of
// JSON, so that a record's number is its line, and recognition, mapping, quality
// report and finding a row again work as for any file. Only the columns that the
// mapping names are read from the file; a recognition reads them all.
//
// github.com/parquet-go/parquet-go reads the format: encodings and compressions
// are many, and it is the one kept library for them in Go.

var parquetMagic = []byte("PAR1")

// A parquetText gives the records of a file as lines of JSON.
type parquetText struct {
	name string
	f    *os.File
	file *parquet.File
	want func(name string) bool // nil: every column

	group int // the row group at hand
	cols  []*parquetColumn
	left  int64 // rows of it
	buf   []byte
	out   []byte // of buf, not yet given out
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
	p := &parquetText{name: s.in.Name(), f: f, group: -1}
	if err := p.open(size); err != nil {
		return &sentence{ErrUnreadable, fmt.Sprintf("%s: is a Parquet file and cannot be read (%v): write it again, or write it as CSV", s.in.Name(), err)}
	}
	s.parquet, s.packed = p, "parquet"
	s.text = bufio.NewReaderSize(p, 256<<10)
	return nil
}

func (p *parquetText) open(size int64) (err error) {
	defer recovered(&err)
	p.file, err = parquet.OpenFile(p.f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	return err
}

// only limits the columns to those the mapping needs.
func (p *parquetText) only(m *Mapping) {
	if m.AllProps {
		return
	}
	names := append([]string{m.User, m.Time, m.Event, m.Clock}, m.Props...)
	if m.Amount != "" {
		if a, err := parseAmount(m.Amount, func(string) bool { return true }); err == nil {
			names = append(names, a.names...)
		}
	}
	p.want = func(name string) bool { return slices.Contains(names, name) }
}

// narrow begins the text again with the columns of the mapping alone.
func (s *stream) narrow(m *Mapping) error {
	p := s.parquet
	p.closeGroup()
	p.group, p.left, p.out = -1, 0, nil
	p.only(m)
	s.text = bufio.NewReaderSize(p, 256<<10)
	return nil
}

// Read gives text; a file that cannot be decoded is an error, never a panic.
func (p *parquetText) Read(b []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, fmt.Errorf("its data is damaged: %v", r)
		}
	}()
	for len(p.out) == 0 {
		if err := p.fill(); err != nil {
			return 0, err
		}
	}
	n = copy(b, p.out)
	p.out = p.out[n:]
	return n, nil
}

// fill writes some more records.
func (p *parquetText) fill() error {
	for p.left == 0 {
		p.closeGroup()
		p.group++
		groups := p.file.RowGroups()
		if p.group >= len(groups) {
			return io.EOF
		}
		p.left = groups[p.group].NumRows()
		p.openGroup(groups[p.group])
	}
	p.buf = p.buf[:0]
	for p.left > 0 && len(p.buf) < 64<<10 {
		p.buf = append(p.buf, '{')
		first := true
		for _, c := range p.cols {
			values, err := c.next()
			if err != nil {
				return err
			}
			if len(values) == 1 && values[0].IsNull() {
				continue
			}
			if !first {
				p.buf = append(p.buf, ',')
			}
			first = false
			p.buf = append(append(p.buf, c.key...), ':')
			p.buf = c.append(p.buf, values)
		}
		p.buf = append(p.buf, '}', '\n')
		p.left--
	}
	p.out = p.buf
	return nil
}

func (p *parquetText) openGroup(g parquet.RowGroup) {
	chunks := g.ColumnChunks()
	for _, leaf := range leaves(p.file.Root()) {
		name := parquetName(leaf.Path())
		if p.want != nil && !p.want(name) {
			continue
		}
		p.cols = append(p.cols, newParquetColumn(name, leaf, chunks[leaf.Index()]))
	}
}

func (p *parquetText) closeGroup() {
	for _, c := range p.cols {
		c.close()
	}
	p.cols = p.cols[:0]
}

// leaves are the columns that hold values, in the order of the file.
func leaves(c *parquet.Column) []*parquet.Column {
	if c.Leaf() {
		return []*parquet.Column{c}
	}
	var out []*parquet.Column
	for _, child := range c.Columns() {
		out = append(out, leaves(child)...)
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

// A parquetColumn reads one column of one row group, a record at a time.
type parquetColumn struct {
	key    []byte // as JSON
	list   bool   // a record has any number of values
	kind   parquet.Kind
	typ    *format.LogicalType
	pages  parquet.Pages
	values parquet.ValueReader
	batch  []parquet.Value
	have   []parquet.Value // of batch, not yet given out
	row    []parquet.Value
}

func newParquetColumn(name string, leaf *parquet.Column, chunk parquet.ColumnChunk) *parquetColumn {
	return &parquetColumn{
		key: appendJSONString(nil, []byte(name)), list: leaf.MaxRepetitionLevel() > 0,
		kind: leaf.Type().Kind(), typ: leaf.Type().LogicalType(), pages: chunk.Pages(), batch: make([]parquet.Value, 1024),
	}
}

func (c *parquetColumn) close() { c.pages.Close() }

// more reads the next values of the column.
func (c *parquetColumn) more() error {
	for {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return err
			}
			c.values = page.Values()
		}
		n, err := c.values.ReadValues(c.batch)
		c.have = c.batch[:n]
		if err == io.EOF {
			c.values, err = nil, nil
		}
		if err != nil || n > 0 {
			return err
		}
	}
}

// next is the values of the next record: one, or those of a list. They are valid
// until the call after.
func (c *parquetColumn) next() ([]parquet.Value, error) {
	if len(c.have) == 0 {
		if err := c.more(); err == io.EOF {
			return nil, io.ErrUnexpectedEOF // the row group says it has more rows
		} else if err != nil {
			return nil, err
		}
	}
	if !c.list {
		v := c.have[:1]
		c.have = c.have[1:]
		return v, nil
	}
	c.row = append(c.row[:0], c.have[0].Clone())
	for c.have = c.have[1:]; ; c.have = c.have[1:] {
		if len(c.have) == 0 {
			if err := c.more(); err == io.EOF {
				return c.row, nil
			} else if err != nil {
				return nil, err
			}
		}
		if c.have[0].RepetitionLevel() == 0 {
			return c.row, nil
		}
		c.row = append(c.row, c.have[0].Clone())
	}
}

// append writes a record's values as JSON.
func (c *parquetColumn) append(dst []byte, values []parquet.Value) []byte {
	if !c.list {
		return c.value(dst, values[0])
	}
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		if v.IsNull() {
			dst = append(dst, "null"...)
		} else {
			dst = c.value(dst, v)
		}
	}
	return append(dst, ']')
}

// value writes one value by its kind and what the file says it means.
func (c *parquetColumn) value(dst []byte, v parquet.Value) []byte {
	if c.typ != nil {
		if out, ok := c.logical(dst, v); ok {
			return out
		}
	}
	switch c.kind {
	case parquet.Boolean:
		return strconv.AppendBool(dst, v.Boolean())
	case parquet.Int32:
		return strconv.AppendInt(dst, int64(v.Int32()), 10)
	case parquet.Int64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case parquet.Int96: // an old form of time: nanoseconds of a Julian day
		i := v.Int96()
		at := time.Unix((int64(int32(i[2]))-2_440_588)*86_400, int64(uint64(i[1])<<32|uint64(i[0]))).UTC()
		return quotedTime(dst, at, "2006-01-02T15:04:05.999999999Z")
	case parquet.Float:
		return appendFloat(dst, float64(v.Float()), 32)
	case parquet.Double:
		return appendFloat(dst, v.Double(), 64)
	}
	return appendJSONString(dst, v.ByteArray())
}

func (c *parquetColumn) logical(dst []byte, v parquet.Value) ([]byte, bool) {
	switch t := c.typ.Value.(type) {
	case *format.TimestampType:
		var at time.Time
		switch t.Unit.Value.(type) {
		case *format.MilliSeconds:
			at = time.UnixMilli(v.Int64())
		case *format.MicroSeconds:
			at = time.UnixMicro(v.Int64())
		default:
			at = time.Unix(v.Int64()/1e9, v.Int64()%1e9)
		}
		layout := "2006-01-02T15:04:05.999999999Z"
		if !t.IsAdjustedToUTC {
			layout = "2006-01-02T15:04:05.999999999" // a local time, of a zone that is not said
		}
		return quotedTime(dst, at.UTC(), layout), true
	case *format.DateType:
		return quotedTime(dst, time.Unix(int64(v.Int32())*86_400, 0).UTC(), "2006-01-02"), true
	case *format.TimeType:
		var ns int64
		switch t.Unit.Value.(type) {
		case *format.MilliSeconds:
			ns = int64(v.Int32()) * 1e6
		case *format.MicroSeconds:
			ns = v.Int64() * 1e3
		default:
			ns = v.Int64()
		}
		return quotedTime(dst, time.Unix(0, ns).UTC(), "15:04:05.999999999"), true
	case *format.DecimalType:
		return appendDecimal(dst, c.kind, v, int(t.Scale)), true
	case *format.IntType:
		switch {
		case t.IsSigned:
			return dst, false
		case c.kind == parquet.Int32:
			return strconv.AppendUint(dst, uint64(uint32(v.Int32())), 10), true
		}
		return strconv.AppendUint(dst, uint64(v.Int64()), 10), true
	case *format.UUIDType:
		if b := v.ByteArray(); len(b) == 16 {
			h := hex.EncodeToString(b)
			return fmt.Appendf(dst, `"%s-%s-%s-%s-%s"`, h[:8], h[8:12], h[12:16], h[16:20], h[20:]), true
		}
	}
	return dst, false
}

func quotedTime(dst []byte, t time.Time, layout string) []byte {
	return append(t.AppendFormat(append(dst, '"'), layout), '"')
}

// appendDecimal writes an integer with its last digits behind a point.
func appendDecimal(dst []byte, kind parquet.Kind, v parquet.Value, scale int) []byte {
	n := new(big.Int)
	switch kind {
	case parquet.Int32:
		n.SetInt64(int64(v.Int32()))
	case parquet.Int64:
		n.SetInt64(v.Int64())
	default: // big-endian two's complement
		b := v.ByteArray()
		n.SetBytes(b)
		if len(b) > 0 && b[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
	}
	s := new(big.Int).Abs(n).String()
	if n.Sign() < 0 {
		dst = append(dst, '-')
	}
	if scale <= 0 {
		return append(dst, s...)
	}
	if len(s) <= scale {
		s = strings.Repeat("0", scale+1-len(s)) + s
	}
	dst = append(dst, s[:len(s)-scale]...)
	return append(append(dst, '.'), s[len(s)-scale:]...)
}

func appendFloat(dst []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...) // JSON has no word for them, and no row means one
	}
	if math.Abs(v) < 1e15 {
		return strconv.AppendFloat(dst, v, 'f', -1, bits)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}

// appendJSONString quotes bytes; those that are not text are replaced.
func appendJSONString(dst, b []byte) []byte {
	const digits = "0123456789abcdef"
	if !utf8.Valid(b) {
		b = []byte(strings.ToValidUTF8(string(b), "\uFFFD"))
	}
	dst = append(dst, '"')
	for _, c := range b {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
