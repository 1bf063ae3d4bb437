package ingest

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// A parquetLeaf is a column that holds values, and what they mean.
type parquetLeaf struct {
	name   string
	key    []byte // the name as JSON
	index  int    // among the leaves of the file
	list   bool   // a row has any number of values
	maxDef byte   // the definition level of a value that is not null
	kind   parquet.Kind
	form   parquetForm
	unit   int64 // of formStamp and formClock: nanoseconds
	scale  int   // of formDecimal
	local  bool  // of formStamp: of a zone that is not said

	fixed []byte // of a column that the file's folder stands for: its one value; nil otherwise
}

// A parquetForm is what the values of a column mean.
type parquetForm uint8

const (
	formPlain    parquetForm = iota // what the kind says: byte arrays are text
	formStamp                       // a moment
	formDay                         // a date alone
	formClock                       // a time of day alone
	formDecimal                     // an integer whose last digits stand behind a point
	formUnsigned                    // an integer without sign
	formUUID
	formHalf     // a floating number of two bytes
	formInterval // months, days and milliseconds
)

func newParquetLeaf(name string, c *parquet.Column) *parquetLeaf {
	l := &parquetLeaf{name: name, key: appendJSONString(nil, []byte(name)), index: c.Index(), list: c.MaxRepetitionLevel() > 0,
		maxDef: byte(c.MaxDefinitionLevel()), kind: c.Type().Kind()}
	if l.kind == parquet.Int96 { // an old form of time
		l.form = formStamp
	}
	logical := c.Type().LogicalType()
	if logical == nil {
		if old := c.Type().ConvertedType(); old != nil && *old == deprecated.Interval {
			l.form = formInterval
		}
		return l
	}
	switch t := logical.Value.(type) {
	case *format.TimestampType:
		l.form, l.unit, l.local = formStamp, parquetUnit(t.Unit), !t.IsAdjustedToUTC
	case *format.DateType:
		l.form = formDay
	case *format.TimeType:
		l.form, l.unit = formClock, parquetUnit(t.Unit)
	case *format.DecimalType:
		if t.Scale >= 0 && t.Scale <= maxScale {
			l.form, l.scale = formDecimal, int(t.Scale)
		}
	case *format.IntType:
		if !t.IsSigned {
			l.form = formUnsigned
		}
	case *format.UUIDType:
		l.form = formUUID
	case *format.Float16Type:
		l.form = formHalf
	}
	return l
}

// maxScale is the greatest scale a decimal is read with; 38 digits are usual.
const maxScale = 1000

func parquetUnit(u format.TimeUnit) int64 {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return 1e6
	case *format.MicroSeconds:
		return 1e3
	}
	return 1
}

// isText says whether values are byte arrays that stand for themselves.
func (l *parquetLeaf) isText() bool {
	return l.form == formPlain && (l.kind == parquet.ByteArray || l.kind == parquet.FixedLenByteArray)
}

// look is what a value of the column looks like before a text is looked into.
func (l *parquetLeaf) look() valueKind {
	switch l.form {
	case formDecimal, formUnsigned, formHalf:
		return kindNumber
	case formPlain:
		switch l.kind {
		case parquet.Boolean:
			return kindBool
		case parquet.Int32, parquet.Int64, parquet.Float, parquet.Double:
			return kindNumber
		}
	}
	return kindText
}

// append writes value k of a page as text. Nothing is written for a floating
// number that is none: no row means one.
func (l *parquetLeaf) append(dst []byte, p *parquetPage, k int) []byte {
	p, k = p.resolve(k)
	switch l.form {
	case formStamp:
		return l.moment(p, k).AppendFormat(dst, l.layout())
	case formDay:
		return time.Unix(int64(p.int32s[k])*86_400, 0).UTC().AppendFormat(dst, "2006-01-02")
	case formClock:
		return time.Unix(0, l.integer(p, k)*l.unit).UTC().AppendFormat(dst, "15:04:05.999999999")
	case formDecimal:
		return l.appendDecimal(dst, p, k)
	case formUnsigned:
		if l.kind == parquet.Int32 {
			return strconv.AppendUint(dst, uint64(uint32(p.int32s[k])), 10)
		}
		return strconv.AppendUint(dst, uint64(p.int64s[k]), 10)
	case formUUID:
		if b := p.bytes(k); len(b) == 16 {
			h := hex.AppendEncode(nil, b)
			for i, n := range []int{8, 4, 4, 4, 12} {
				if i > 0 {
					dst = append(dst, '-')
				}
				dst, h = append(dst, h[:n]...), h[n:]
			}
			return dst
		}
	case formInterval:
		if b := p.bytes(k); len(b) == 12 {
			return appendInterval(dst, binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]))
		}
	case formHalf:
		if b := p.bytes(k); len(b) == 2 {
			return appendFloat(dst, half(binary.LittleEndian.Uint16(b)), 32)
		}
	}
	switch l.kind {
	case parquet.Boolean:
		return strconv.AppendBool(dst, p.bits[k/8]>>(k%8)&1 == 1)
	case parquet.Int32, parquet.Int64:
		return strconv.AppendInt(dst, l.integer(p, k), 10)
	case parquet.Float:
		return appendFloat(dst, float64(p.floats[k]), 32)
	case parquet.Double:
		return appendFloat(dst, p.double[k], 64)
	}
	b := p.bytes(k)
	if !p.valid && !utf8.Valid(b) {
		b = []byte(strings.ToValidUTF8(string(b), "\uFFFD"))
	}
	return append(dst, b...)
}

// appendInterval writes a length of time as ISO 8601-1, 5.5.2 has it: P1M2DT3.5S.
func appendInterval(dst []byte, months, days, millis uint32) []byte {
	dst = append(dst, 'P')
	if months > 0 {
		dst = append(strconv.AppendUint(dst, uint64(months), 10), 'M')
	}
	if days > 0 {
		dst = append(strconv.AppendUint(dst, uint64(days), 10), 'D')
	}
	if millis > 0 || months == 0 && days == 0 {
		dst = append(strconv.AppendFloat(append(dst, 'T'), float64(millis)/1000, 'f', -1, 64), 'S')
	}
	return dst
}

// integer is value k of a column of Int32 or Int64.
func (l *parquetLeaf) integer(p *parquetPage, k int) int64 {
	if l.kind == parquet.Int32 {
		return int64(p.int32s[k])
	}
	return p.int64s[k]
}

// moment is value k of formStamp.
func (l *parquetLeaf) moment(p *parquetPage, k int) time.Time {
	if l.kind == parquet.Int96 { // nanoseconds of a Julian day
		i := p.int96s[k]
		return time.Unix((int64(int32(i[2]))-2_440_588)*86_400, int64(uint64(i[1])<<32|uint64(i[0]))).UTC()
	}
	v, second := l.integer(p, k), int64(1e9)/l.unit
	return time.Unix(v/second, v%second*l.unit).UTC()
}

// layout is how moments of the column are written.
func (l *parquetLeaf) layout() string {
	if l.local {
		return "2006-01-02T15:04:05.999999999"
	}
	return "2006-01-02T15:04:05.999999999Z"
}

// appendDecimal writes an integer with its last digits behind a point.
func (l *parquetLeaf) appendDecimal(dst []byte, p *parquetPage, k int) []byte {
	n := new(big.Int)
	if v, ok := l.unscaled(p, k); ok {
		n.SetInt64(v)
	} else { // big-endian two's complement
		b := p.bytes(k)
		n.SetBytes(b)
		if len(b) > 0 && b[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
	}
	s := new(big.Int).Abs(n).String()
	if n.Sign() < 0 {
		dst = append(dst, '-')
	}
	if l.scale <= 0 {
		return append(dst, s...)
	}
	if len(s) <= l.scale {
		s = strings.Repeat("0", l.scale+1-len(s)) + s
	}
	dst = append(dst, s[:len(s)-l.scale]...)
	return append(append(dst, '.'), s[len(s)-l.scale:]...)
}

// unscaled is the integer of a decimal, if 64 bits hold it.
func (l *parquetLeaf) unscaled(p *parquetPage, k int) (v int64, ok bool) {
	if l.kind == parquet.Int32 || l.kind == parquet.Int64 {
		return l.integer(p, k), true
	}
	b := p.bytes(k)
	if len(b) == 0 {
		return 0, true
	}
	sign := int64(int8(b[0])) >> 7 // 0 or -1
	for len(b) > 8 {
		if b[0] != byte(sign) {
			return 0, false
		}
		b = b[1:]
	}
	v = sign
	for _, c := range b {
		v = v<<8 | int64(c)
	}
	return v, (v < 0) == (sign < 0)
}

// half is the value of a floating number of 16 bits (IEEE 754-2008, 3.6).
func half(b uint16) float64 {
	exp, frac := int(b>>10&31), float64(b&1023)
	v := math.Ldexp(frac/1024+1, exp-15)
	switch exp {
	case 0:
		v = math.Ldexp(frac/1024, -14)
	case 31:
		return math.NaN() // or infinite: no number either way
	}
	if b&0x8000 != 0 {
		return -v
	}
	return v
}

func appendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return dst
	case math.Abs(v) < 1e15:
		return strconv.AppendFloat(dst, v, 'f', -1, bits)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}

// appendJSON writes value k as JSON.
func (l *parquetLeaf) appendJSON(dst []byte, p *parquetPage, k int) []byte {
	if l.look() != kindText {
		start := len(dst)
		if dst = l.append(dst, p, k); len(dst) == start {
			dst = append(dst, "null"...)
		}
		return dst
	}
	return appendJSONString(dst, l.append(nil, p, k))
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
