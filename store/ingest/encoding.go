package ingest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const utf8Name = "utf-8"

var (
	bomUTF8 = []byte{0xef, 0xbb, 0xbf}
	bomLE   = []byte{0xff, 0xfe}
	bomBE   = []byte{0xfe, 0xff}
)

// decode gives the stream's text as UTF-8 without a byte order mark. want is a
// name given by a person or a mapping, "" to recognise it; used is what was
// taken. A byte order mark overrules any name but a UTF-16 one, because it
// cannot be there by chance.
func (s *stream) decode(want string) (used string, err error) {
	head, err := s.text.Peek(64 << 10)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return "", s.readError(err)
	}
	if err := refuse(s.in.Name(), head); err != nil {
		return "", err
	}
	if want, err = encodingName(want); err != nil {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, bomUTF8):
		if _, err := s.text.Discard(3); err != nil {
			return "", s.readError(err)
		}
		return utf8Name, nil
	case bytes.HasPrefix(head, bomLE) && !strings.HasPrefix(want, "utf-16"):
		want = "utf-16le"
	case bytes.HasPrefix(head, bomBE) && !strings.HasPrefix(want, "utf-16"):
		want = "utf-16be"
	case want == "":
		want = guessEncoding(head)
	}
	var e encoding.Encoding
	switch want {
	case utf8Name:
		if isBinary(head) {
			return "", &sentence{ErrNotEvents, s.in.Name() + ": is a binary file, not text: dwell loads CSV, NDJSON and Parquet (for UTF-16 text, say --encoding utf-16)"}
		}
		return want, nil
	case "utf-16", "utf-16le":
		e = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case "utf-16be":
		e = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case "windows-1252":
		e = charmap.Windows1252
	default:
		if e, err = htmlindex.Get(want); err != nil {
			return "", badEncoding(want)
		}
	}
	s.text = bufio.NewReaderSize(transform.NewReader(s.text, e.NewDecoder()), 256<<10)
	return want, nil
}

// sepLine takes a first line "sep=;" off the text, as Excel writes it: it names
// the delimiter and is no row.
func (s *stream) sepLine() {
	head, _ := s.text.Peek(7) // an error comes again with the next read
	if len(head) < 6 || string(head[:4]) != "sep=" {
		return
	}
	n := 0
	switch {
	case head[5] == '\n':
		n = 6
	case len(head) == 7 && head[5] == '\r' && head[6] == '\n':
		n = 7
	default:
		return
	}
	if d, err := delimiterByte(string(head[4])); err == nil {
		if _, err := s.text.Discard(n); err == nil {
			s.sep, s.skipped = d, 1
		}
	}
}

// comments takes lines of comment that stand before the first row off the text.
func (s *stream) comments() {
	head, _ := s.text.Peek(64 << 10) // an error comes again with the next read
	n, lines := commentLines(head)
	if n > 0 {
		if _, err := s.text.Discard(n); err == nil {
			s.skipped, s.remarks = s.skipped+int64(lines), lines
		}
	}
}

// commentLines are the lines that begin with # before the first row of a table, in
// bytes and lines. One that has as many delimiters as the row below them is itself a
// header or a row: it stays, and so does what follows it.
func commentLines(head []byte) (n, lines int) {
	var starts []int
	p := 0
	for p < len(head) && head[p] == '#' {
		starts = append(starts, p)
		if p = lineEnd(head, p, false); p < 0 {
			return 0, 0
		}
	}
	if p == 0 {
		return 0, 0
	}
	end := p
	for p < len(head) && blank(head[p]) && head[p] != '\t' {
		p++
	}
	row := head[p:]
	if e := lineEnd(row, 0, true); e >= 0 {
		row = row[:e]
	}
	delim, most := byte(0), 0
	for _, d := range []byte{',', '\t', ';', '|'} {
		if c := bytes.Count(row, []byte{d}); c > most {
			delim, most = d, c
		}
	}
	if most == 0 {
		return 0, 0
	}
	starts = append(starts, end)
	for i := range starts[:len(starts)-1] {
		if bytes.Count(head[starts[i]:starts[i+1]], []byte{delim}) >= most {
			return starts[i], i
		}
	}
	return end, len(starts) - 1
}

// encodingName brings the spellings of an encoding to one name.
func encodingName(name string) (string, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "", utf8Name, "utf-16", "utf-16le", "utf-16be":
		return name, nil
	case "utf8":
		return utf8Name, nil
	case "utf16":
		return "utf-16", nil
	case "latin1", "latin-1", "iso-8859-1", "cp1252", "windows-1252":
		return "windows-1252", nil // the WHATWG rule: latin1 in the wild is windows-1252
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return "", badEncoding(name)
	}
	if canon, err := htmlindex.Name(e); err == nil {
		return canon, nil
	}
	return name, nil
}

func badEncoding(name string) error {
	return &sentence{ErrOption, fmt.Sprintf("%q is not an encoding: use utf-8, latin1, windows-1252, utf-16, utf-16le, utf-16be or a WHATWG name such as gbk or shift_jis", name)}
}

// guessUTF16 tells UTF-16 without a byte order mark by its zeros: in text of mostly
// Latin letters every other byte is one, always on the same side.
func guessUTF16(head []byte) string {
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch n := len(head); {
	case zeros[1]*5 > n && zeros[0]*50 < n:
		return "utf-16le"
	case zeros[0]*5 > n && zeros[1]*50 < n:
		return "utf-16be"
	}
	return ""
}

// guessEncoding tells UTF-8 from the other encodings that are common enough
// to guess. Windows-1252 needs three wrong bytes and no right multi-byte
// character: a UTF-8 file with a damaged byte stays UTF-8.
func guessEncoding(head []byte) string {
	if wide := guessUTF16(head); wide != "" {
		return wide
	}
	right, wrong := 0, 0
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && n == 1 && !utf8.FullRune(head):
			head = head[len(head)-1:] // the sample ends inside a character
		case r == utf8.RuneError && n == 1:
			wrong++
		case n > 1:
			right++
		}
		head = head[n:]
	}
	if wrong >= 3 && right == 0 {
		return "windows-1252"
	}
	return utf8Name
}

// A signature is how a kind of file that is not text begins.
type signature struct{ magic, what string }

var signatures = []signature{
	{"PK\x03\x04", "a ZIP archive (an Excel workbook is one): unpack it, or save the sheet as CSV"},
	{"\xd0\xcf\x11\xe0", "an old Excel or Office document: save the sheet as CSV"},
	{"SQLite format 3\x00", "an SQLite database: export the table as CSV"},
	{"%PDF-", "a PDF document: dwell loads CSV, JSON and Parquet"},
	{"BZh", "compressed with bzip2: dwell reads gzip and zstd, so decompress it first"},
	{"\xfd7zXZ\x00", "compressed with xz: dwell reads gzip and zstd, so decompress it first"},
	{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"},
	{"Obj\x01", "an Avro file: write it as CSV or NDJSON"},
	{"ORC", "an ORC file: write it as CSV or NDJSON"},
	{"\x1f\x8b", "compressed twice: decompress it once"},
	{"\x28\xb5\x2f\xfd", "compressed twice: decompress it once"},
	{"\x89PNG", "a picture: dwell loads CSV, JSON and Parquet"},
	{"\x7fELF", "a program: dwell loads CSV, JSON and Parquet"},
}

// refuse tells files that are surely no table of events by how they begin.
func refuse(name string, head []byte) error {
	for _, sig := range signatures {
		if !bytes.HasPrefix(head, []byte(sig.magic)) {
			continue
		}
		// Short magic made of letters could open a text file too.
		if (sig.magic == "ORC" || sig.magic == "BZh") && bytes.IndexByte(head, 0) < 0 && utf8.Valid(head[:min(len(head), 512)]) {
			continue
		}
		return &sentence{ErrNotEvents, name + ": is " + sig.what}
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return &sentence{ErrNotEvents, name + ": is a tar archive: unpack it first"}
	}
	return nil
}
