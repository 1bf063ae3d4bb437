package ingest

import "bytes"

// A syntax says how rows and fields are told apart.
type syntax struct {
	mode  byte // modeTable, modeLines or modeJSON
	delim byte // of a table; ' ' means runs of blanks and tabs
}

const (
	modeTable = 't' // delimited fields with quotes
	modeLines = 'l' // one JSON object a line
	modeJSON  = 'j' // JSON objects however laid out: an array of them, or indented
)

// A rowKind is what next found.
type rowKind uint8

const (
	rowOK   rowKind = iota
	rowBad          // quotes or braces do not match; the row is its first line
	rowLong         // no end within MaxRow bytes
	rowMore         // the end is beyond the buffer
)

// next finds the row that begins at from: it ends before end, its line end
// included. atEOF says that nothing follows the buffer.
//
// A quote opens a quoted field only as the field's first byte; elsewhere it is
// an ordinary character. A quoted field ends at a quote that a delimiter or a
// line end follows, and a doubled quote in it stands for one. If it does not
// end so within MaxRow bytes the row is bad and is taken to end with its first
// line: one stray quote costs one row, not the rest of the file. Line ends are
// LF, CRLF and CR, in any mixture.
func (sx syntax) next(buf []byte, from int, atEOF bool) (end int, kind rowKind) {
	if sx.mode == modeJSON {
		return nextObject(buf, from, atEOF)
	}
	limit := min(len(buf), from+MaxRow+2)
	p := from
	for {
		nl := lineEnd(buf[:limit], p, atEOF && limit == len(buf))
		stop := nl
		if nl < 0 {
			stop = limit
		}
		q := -1
		if sx.mode == modeTable {
			q = bytes.IndexByte(buf[p:stop], '"')
		}
		if q < 0 {
			switch {
			case nl >= 0:
				return nl, rowOK
			case limit < len(buf) || limit == from+MaxRow+2:
				return 0, rowLong
			case atEOF:
				return len(buf), rowOK
			}
			return 0, rowMore
		}
		q += p
		if !sx.opens(buf, from, q) {
			p = q + 1
			continue
		}
		c, found := sx.closing(buf[:limit], q+1, atEOF && limit == len(buf))
		switch {
		case found:
			p = c + 1
		case c < 0 && !atEOF && limit == len(buf) && limit < from+MaxRow+2:
			return 0, rowMore
		default:
			return sx.firstLine(buf, from, limit, atEOF)
		}
	}
}

// firstLine ends a row whose quotes do not match with its first line.
func (sx syntax) firstLine(buf []byte, from, limit int, atEOF bool) (int, rowKind) {
	if nl := lineEnd(buf[:limit], from, atEOF && limit == len(buf)); nl >= 0 {
		return nl, rowBad
	}
	if atEOF && limit == len(buf) {
		return limit, rowBad
	}
	if limit == len(buf) && limit < from+MaxRow+2 {
		return 0, rowMore
	}
	return 0, rowLong
}

// opens says whether the quote at q is the first byte of a field of the row
// that begins at from.
func (sx syntax) opens(buf []byte, from, q int) bool {
	if q == from {
		return true
	}
	b := buf[q-1]
	return b == sx.delim || sx.delim == ' ' && b == '\t'
}

// closing finds the quote that ends a quoted field begun before p. If there is
// none, c is -1 where more bytes could bring it, and -2 where a quote stands
// that neither ends the field nor is doubled.
func (sx syntax) closing(buf []byte, p int, atEOF bool) (c int, ok bool) {
	for {
		i := bytes.IndexByte(buf[p:], '"')
		if i < 0 {
			return -1, false
		}
		p += i
		if p+1 == len(buf) {
			if atEOF {
				return p, true
			}
			return -1, false
		}
		switch b := buf[p+1]; {
		case b == '"':
			p += 2
		case b == sx.delim || b == '\n' || b == '\r' || sx.delim == ' ' && b == '\t':
			return p, true
		default:
			return -2, false
		}
	}
}

// lineEnd is the position after the first line end at or after p, or -1. A CR
// as the very last byte may be half of a CRLF: it counts only at the end. The
// search goes by windows that grow, because a file may have one kind of line
// end alone, and looking for the other to the end of the buffer for every row
// would make its cost quadratic.
func lineEnd(buf []byte, p int, atEOF bool) int {
	for step := 256; p < len(buf); step *= 2 {
		w := buf[p:min(p+step, len(buf))]
		nl := bytes.IndexByte(w, '\n')
		stop := len(w)
		if nl >= 0 {
			stop = nl
		}
		if cr := bytes.IndexByte(w[:stop], '\r'); cr >= 0 {
			at := p + cr + 1
			switch {
			case at < len(buf) && buf[at] == '\n':
				return at + 1
			case at < len(buf) || atEOF:
				return at
			}
			return -1
		}
		if nl >= 0 {
			return p + nl + 1
		}
		p += len(w)
	}
	return -1
}

// chomp cuts the line end off a row.
func chomp(row []byte) []byte {
	n := len(row)
	if n > 0 && row[n-1] == '\n' {
		n--
	}
	if n > 0 && row[n-1] == '\r' {
		n--
	}
	return row[:n]
}

// countLines is the number of line ends in b.
func countLines(b []byte) int64 {
	n := int64(bytes.Count(b, []byte{'\n'}))
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return n
		}
		b = b[i+1:]
		if len(b) == 0 || b[0] != '\n' {
			n++
		}
	}
}

// fields appends the fields of a row (without its line end) to dst. Quoted
// fields with doubled quotes are written to arena, all others are parts of row.
// The row must be one that next called rowOK.
func (sx syntax) fields(row []byte, dst [][]byte, arena *[]byte) [][]byte {
	if sx.delim == ' ' {
		return sx.blankFields(row, dst, arena)
	}
	quoted := bytes.IndexByte(row, '"') >= 0
	for {
		if quoted && len(row) > 0 && row[0] == '"' {
			f, n := sx.unquote(row, arena)
			dst = append(dst, f)
			if n >= len(row) {
				return dst
			}
			row = row[n+1:] // n is a delimiter: next saw to that
			continue
		}
		i := bytes.IndexByte(row, sx.delim)
		if i < 0 {
			return append(dst, row[:len(row):len(row)])
		}
		dst = append(dst, row[:i:i])
		row = row[i+1:]
	}
}

func (sx syntax) blankFields(row []byte, dst [][]byte, arena *[]byte) [][]byte {
	for {
		i := 0
		for i < len(row) && (row[i] == ' ' || row[i] == '\t') {
			i++
		}
		row = row[i:]
		if len(row) == 0 {
			return dst
		}
		n := 0
		if row[0] == '"' {
			var f []byte
			f, n = sx.unquote(row, arena)
			dst = append(dst, f)
		} else {
			for n < len(row) && row[n] != ' ' && row[n] != '\t' {
				n++
			}
			dst = append(dst, row[:n:n])
		}
		row = row[n:]
	}
}

// unquote reads the quoted field row begins with; n is where it ends, after its
// closing quote.
func (sx syntax) unquote(row []byte, arena *[]byte) (f []byte, n int) {
	c, ok := sx.closing(row, 1, true)
	if !ok {
		return row, len(row)
	}
	f = row[1:c:c]
	if bytes.IndexByte(f, '"') < 0 {
		return f, c + 1
	}
	a, start := *arena, len(*arena)
	for i := 0; i < len(f); i++ {
		a = append(a, f[i])
		if f[i] == '"' {
			i++ // the second of a pair
		}
	}
	*arena = a
	return a[start:len(a):len(a)], c + 1
}

// nextObject finds the end of the JSON object that begins at or after from;
// brackets, commas and blanks between objects belong to the row before the
// object. Strings are honoured, other syntax is left to the parser.
func nextObject(buf []byte, from int, atEOF bool) (int, rowKind) {
	p := from
	for p < len(buf) && between(buf[p]) {
		p++
	}
	limit := min(len(buf), from+MaxRow+2)
	if p >= limit {
		if p >= len(buf) && !atEOF && limit < from+MaxRow+2 {
			return 0, rowMore
		}
		return p, rowOK // blanks only
	}
	depth, inString := 0, false
	for i := p; i < limit; i++ {
		switch b := buf[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case inString:
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			if depth--; depth <= 0 {
				return i + 1, rowOK
			}
		case depth == 0 && (b == ',' || b == '\n'):
			return i + 1, rowBad // something that is no object
		}
	}
	if !atEOF && limit == len(buf) && limit < from+MaxRow+2 {
		return 0, rowMore
	}
	return syntax{mode: modeLines}.firstLine(buf, p, limit, atEOF)
}

// between says whether a byte may stand between the objects of a JSON file.
func between(b byte) bool {
	return b == ' ' || b == '\t' || b == '\n' || b == '\r' || b == ',' || b == '[' || b == ']'
}
