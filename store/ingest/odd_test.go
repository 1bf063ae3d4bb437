package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/text/encoding/unicode"
)

func oddTable(n int) string {
	var b strings.Builder
	b.WriteString("user_id,time,event,plan\n")
	for i := range n {
		fmt.Fprintf(&b, "u%d,2024-01-%02d,größe,p%d\n", i%9, 1+i%28, i%3)
	}
	return b.String()
}

func gzipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// UTF-16 is known without a byte order mark too, and a stray NUL does not make a
// text binary.
func TestZeroBytes(t *testing.T) {
	for name, e := range map[string]unicode.Endianness{"utf-16le": unicode.LittleEndian, "utf-16be": unicode.BigEndian} {
		text, err := unicode.UTF16(e, unicode.IgnoreBOM).NewEncoder().String(oddTable(300))
		if err != nil {
			t.Fatal(err)
		}
		rec, info, _ := loadFile(t, write(t, "e.csv", text), Options{})
		if !strings.Contains(rec.Lines[0], name) || info.Quality.Stored != 300 || rec.Rows[0].Event != "größe" {
			t.Errorf("%s: %s: %+v", name, rec.Lines[0], info.Quality)
		}
	}
	_, info, _ := loadFile(t, write(t, "e.csv", oddTable(300)+"u\x00ne,2024-01-01,e\x00,p\nend\x00\n"), Options{})
	if q := info.Quality; q.Stored != 301 || q.RejectedTotal() != 1 || q.Rejected[0].Lines[0].Line != 303 {
		t.Errorf("with NUL: %+v", q)
	}
}

// Members of gzip follow one another, zeros may follow the last, and anything else
// is refused, for rows might be in it.
func TestGzipMembers(t *testing.T) {
	one, rest := gzipped(t, oddTable(2000)), gzipped(t, strings.SplitAfterN(oddTable(500), "\n", 2)[1])
	for name, c := range map[string]struct {
		content string
		stored  int64
	}{"one": {one, 2000}, "two": {one + rest, 2500}, "an empty one between": {one + gzipped(t, "") + rest, 2500}, "zeros": {one + rest + strings.Repeat("\x00", 70_000), 2500}} {
		_, info, m := loadFile(t, write(t, "e.csv.gz", c.content), Options{})
		if info.Quality.Stored != c.stored || info.Quality.Read != c.stored {
			t.Errorf("%s: %+v", name, info.Quality)
		}
		snap, err := m.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := snap.Info().Sources[0].Bytes; got != int64(len(c.content)) {
			t.Errorf("%s: %d bytes, want %d", name, got, len(c.content))
		}
	}
	for name, content := range map[string]string{"text": one + "u1,2024-01-01,a,b\n", "zeros and text": one + "\x00\x00u1", "half a member": one + rest[:len(rest)/2], "half a header": one + rest[:1]} {
		in := File(write(t, "e.csv.gz", content))
		_, err := Inspect(t.Context(), in, Options{Now: testNow})
		if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "fetch the file again") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
