package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/modeltest"
)

// A followed is a data set that a tail is stored into.
type followed struct {
	t    *testing.T
	mem  *model.Memory
	tail *Tail
	opt  Options
}

func follow(t *testing.T, path string, mem *model.Memory) *followed {
	t.Helper()
	f := &followed{t: t, mem: mem, opt: Options{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	f.tail = Follow(path, f.known)
	t.Cleanup(func() { f.tail.Close() })
	return f
}

func followReader(t *testing.T, r io.Reader, mem *model.Memory) *followed {
	t.Helper()
	f := &followed{t: t, mem: mem, opt: Options{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	f.tail = FollowReader(r, f.known)
	return f
}

func (f *followed) known(context.Context) (*model.Info, error) { return f.info(), nil }

func (f *followed) info() *model.Info {
	f.t.Helper()
	s, err := f.mem.Snapshot(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	defer s.Close()
	return s.Info()
}

// step stores what has come, and gives the rows read and stored.
func (f *followed) step() (q model.Quality, notes []string) {
	f.t.Helper()
	p, notes, err := f.tail.Next(context.Background(), f.opt)
	if err != nil {
		f.t.Fatal(err)
	}
	if p == nil {
		return q, notes
	}
	load, err := p.Load(context.Background(), f.mem.Begin, f.opt, nil)
	if errors.Is(err, model.ErrKnownSource) {
		f.tail.Known(p, f.opt)
		f.opt.Now = f.opt.Now.Add(time.Second)
		p, err = nil, nil
	}
	if err != nil {
		f.t.Fatal(err)
	}
	if p != nil {
		f.tail.Done(p)
	}
	return load.Quality, notes
}

func (f *followed) wants(what string, read, stored int64) model.Quality {
	f.t.Helper()
	q, _ := f.step()
	if q.Read != read || q.Stored != stored {
		f.t.Errorf("%s: %d rows read, %d stored; want %d and %d", what, q.Read, q.Stored, read, stored)
	}
	return q
}

func (f *followed) dump() string {
	f.t.Helper()
	s, err := f.mem.Snapshot(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	defer s.Close()
	filter := modeltest.AllColumns(s.Info())
	filter.Sources = false
	return strings.Join(modeltest.Dump(f.t, s, filter), "")
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	w, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

const tailHead = "user,time,event,note\n"

func tailRow(i int) string {
	return fmt.Sprintf("u%d,2024-01-%02dT00:00:%02dZ,see,n%d\n", i%7, 1+i/60%28, i%60, i)
}

// A row is stored once its end has come, and no sooner: neither half a line nor
// half a quoted field, nor a CR that an LF may follow. Rejects keep their lines.
func TestTailWaitsForWholeRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.csv")
	appendTo(t, path, tailHead)
	f := follow(t, path, model.NewMemory())
	f.wants("a header alone", 0, 0)
	appendTo(t, path, tailRow(1)+"u2,2024-01-01T00:0")
	f.wants("a row and a half", 1, 1)
	f.wants("nothing new", 0, 0)
	appendTo(t, path, "0:09Z,see,\n")
	f.wants("the other half", 1, 1)
	appendTo(t, path, "u3,2024-01-01T00:00:10Z,see,\"two\n")
	f.wants("an open quote", 0, 0)
	appendTo(t, path, "lines\"\r")
	f.wants("a CR", 0, 0)
	appendTo(t, path, "\n"+"garbage\n")
	q := f.wants("the quote closed, and a bad row", 2, 1)
	if len(q.Rejected) != 1 || q.Rejected[0].Lines[0].Line != 6 {
		t.Errorf("rejected %+v, want line 6", q.Rejected)
	}
	appendTo(t, path, "more garbage\n")
	if q := f.wants("a bad row alone", 1, 0); q.Rejected[0].Lines[0].Line != 7 {
		t.Errorf("rejected %+v, want line 7", q.Rejected)
	}
	if in := f.info(); in.Sources[0].Stream == "" || in.Sources[1].Stream != in.Sources[0].Stream || in.Sources[1].From != in.Sources[0].Bytes {
		t.Errorf("the pieces are %+v", in.Sources)
	}
}

// However a file grows, following it stores what loading it stores.
func TestTailStoresWhatALoadStores(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.csv")
	text := "\ufeffsep=;\n" + strings.ReplaceAll(tailHead, ",", ";")
	for i := range 200 {
		text += strings.ReplaceAll(tailRow(i), ",", ";")
	}
	var f *followed
	for step, at := 1, 0; at < len(text); step = step*7%523 + 1 {
		to := min(at+step, len(text))
		appendTo(t, path, text[at:to])
		if at == 0 {
			f = follow(t, path, model.NewMemory())
		}
		f.step()
		at = to
	}
	whole := model.NewMemory()
	in := File(path)
	rec, err := Inspect(context.Background(), in, f.opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(context.Background(), whole.Begin, []*Input{in}, rec.Mapping, f.opt, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := f.dump(), (&followed{t: t, mem: whole}).dump(); got != want {
		t.Errorf("followed:\n%.400s\nloaded:\n%.400s", got, want)
	}
	if _, err := Load(context.Background(), f.mem.Begin, []*Input{in}, rec.Mapping, f.opt, nil); err == nil {
		t.Error("the file that was followed to its end is loaded again")
	}
	appendTo(t, path, strings.ReplaceAll(tailRow(200), ",", ";"))
	// Another session goes on where this one ended, and after a load as well.
	follow(t, path, f.mem).wants("followed further", 1, 1)
	follow(t, path, whole).wants("followed after a load", 1, 1)
}

// A file that is replaced is read to the end of the old one, then from its
// beginning; so is one that is cut short or written anew, and one that comes back.
func TestTailOfAFileThatChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.csv")
	appendTo(t, path, tailHead+tailRow(1)+tailRow(2))
	f := follow(t, path, model.NewMemory())
	f.wants("at first", 2, 2)

	appendTo(t, path, tailRow(3)+strings.TrimSuffix(tailRow(4), "\n"))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if _, notes := f.step(); len(notes) != 1 || !strings.Contains(notes[0], "is gone") {
		t.Errorf("of a file that is gone it says %q", notes)
	}
	appendTo(t, path, tailHead+tailRow(5))
	f.wants("the end of the old file", 1, 1)
	q, notes := f.step()
	if q.Stored != 1 || len(notes) != 1 || !strings.Contains(notes[0], "was replaced") {
		t.Errorf("of the new file it stores %d and says %q", q.Stored, notes)
	}

	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, tailHead)
	if q, notes = f.step(); q.Read != 0 || len(notes) != 1 || !strings.Contains(notes[0], "cut short") {
		t.Errorf("of a file that was cut short it reads %d and says %q", q.Read, notes)
	}
	appendTo(t, path, tailRow(6)+tailRow(7))
	f.wants("after the cut", 2, 2)
	if err := os.WriteFile(path, []byte(tailHead+tailRow(6)+tailRow(8)+tailRow(9)), 0o666); err != nil {
		t.Fatal(err)
	}
	if q, notes = f.step(); len(notes) != 1 || q.Stored != 2 || q.Already != 1 {
		t.Errorf("of a file written anew it stores %d, has %d already, and says %q", q.Stored, q.Already, notes)
	}
	if in := f.info(); in.Events != 9 {
		t.Errorf("%d events, want 9", in.Events)
	}
}

// Standard input is read as it comes; its last row needs no line end.
func TestTailOfStandardInput(t *testing.T) {
	r, w := io.Pipe()
	f := followReader(t, r, model.NewMemory())
	f.wants("nothing", 0, 0)
	var got int64
	for i := range 30 {
		text := ""
		if i == 0 {
			text = "{\"user\":\"u0\",\"time\":\"2024-01-01T00:00:00Z\",\"event\":\"see\"}\nno object\n"
		}
		text += fmt.Sprintf("{\"user\":\"u%d\",\"time\":\"2024-01-01T00:01:%02dZ\",\"event\":\"see\"}", i, i)
		if i < 29 {
			text += "\n"
		}
		if _, err := io.WriteString(w, text); err != nil { // returns once it was read
			t.Fatal(err)
		}
		q, _ := f.step()
		got += q.Stored
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for !f.tail.Ended() {
		q, _ := f.step()
		got += q.Stored
	}
	if in := f.info(); got != 31 || in.Events != 31 || in.Loads[0].Quality.RejectedTotal()+in.Loads[1].Quality.RejectedTotal() != 1 {
		t.Errorf("%d rows stored, %d events, want 31 and one reject", got, in.Events)
	}
}

// A row of many MiB, on standard input or in a file, is rejected like any that is too
// long, in bounded memory, and what follows it is stored. Its end may be long in coming.
func TestTailStepsOverALongRow(t *testing.T) {
	long := func(end string) string {
		return "u1,2024-01-01T00:00:00Z," + strings.Repeat("x", pipeKept+pipeKept/4) + end
	}
	for _, end := range []string{"\r\n", ",\"a\nb\"\n"} {
		r, w := io.Pipe()
		f := followReader(t, r, model.NewMemory())
		written := make(chan error, 1)
		go func() {
			_, err := io.WriteString(w, tailHead+tailRow(1)+long(end)+tailRow(2)+long(end)+tailRow(3))
			written <- errors.Join(err, w.Close())
		}()
		for !f.tail.Ended() {
			f.step()
		}
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		in := f.info()
		var read, rejected int64
		for i := range in.Loads {
			read += in.Loads[i].Quality.Read
			rejected += in.Loads[i].Quality.RejectedTotal()
		}
		if in.Events != 3 || read-rejected != 3 || rejected < 2 {
			t.Errorf("with an end of %q: %d rows stored, %d of %d rejected", end, in.Events, rejected, read)
		}
	}
	path := filepath.Join(t.TempDir(), "app.csv")
	appendTo(t, path, tailHead+tailRow(1))
	f := follow(t, path, model.NewMemory())
	f.wants("at first", 1, 1)
	appendTo(t, path, tailRow(2)+long(""))
	f.wants("a row that does not end yet", 1, 1)
	appendTo(t, path, "x\r")
	f.wants("half of its end", 0, 0)
	appendTo(t, path, "\n"+tailRow(3)+tailRow(4)[:9])
	if q := f.wants("its end", 2, 1); q.RejectedTotal() != 1 {
		t.Errorf("%d rejected", q.RejectedTotal())
	}
	appendTo(t, path, tailRow(4)[9:])
	if q := f.wants("what follows", 1, 1); len(q.Rejected) != 0 {
		t.Errorf("rejected %v", q.Rejected)
	}
}

// What cannot grow line by line is refused in words.
func TestTailRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"no/x.csv":  {"", "there is no folder"},
		"packed.gz": {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\n", "can be followed"},
		"x.parquet": {"PAR1abc\n", "can be followed"},
		"array.json": {"[{\"user\":\"a\",\"time\":\"2024-01-01\",\"event\":\"x\"},\n{\"user\":\"b\",\"time\":\"2024-01-02\",\"event\":\"x\"}]\n",
			"not one object a line"},
		"wide.txt": {"\xff\xfeu\x00s\x00e\x00r\x00,\x00t\x00i\x00m\x00e\x00,\x00e\x00v\x00e\x00n\x00t\x00\n\x00a\x00,\x002\x000\x002\x004\x00-\x000\x001\x00-\x000\x001\x00,\x00x\x00\n\x00", "followed"},
	} {
		path := filepath.Join(dir, name)
		if c.text != "" {
			appendTo(t, path, c.text)
		}
		tail := follow(t, path, model.NewMemory()).tail
		_, _, err := tail.Next(context.Background(), Options{Now: time.Now()})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err := tail.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Wherever a text is cut, the whole rows before the cut end where a row of the whole
// text ends: a row is never taken apart.
func FuzzTail(f *testing.F) {
	f.Add("a,b\n1,\"x\ny\"\r\n2,z", 9, byte(','), true)
	f.Add("{\"a\":1}\n{\"a\":\n", 10, byte(0), false)
	f.Add("a\r\nb\rc", 2, byte(','), true)
	f.Add("a,\"b\"\"\n\"\r", 6, byte(','), true)
	f.Fuzz(func(t *testing.T, text string, cut int, delim byte, table bool) {
		sx := syntax{mode: modeLines}
		if table {
			sx = syntax{mode: modeTable, delim: delim}
			if delim == '"' || delim == '\n' || delim == '\r' || delim >= 0x80 {
				return
			}
		}
		if cut < 0 || cut > len(text) || len(text) > 1<<16 {
			return
		}
		ends := map[int64]bool{0: true}
		for p := 0; p < len(text); {
			end, kind := sx.next([]byte(text), p, true)
			if kind == rowLong || kind == rowMore || end <= p {
				t.Fatalf("a short text has a row of kind %d at %d", kind, p)
			}
			p = end
			ends[int64(p)] = true
		}
		h := sha256.New()
		n, lines, err := wholeRows(context.Background(), section(text[:cut]), sx, false, h)
		if err != nil || !ends[n] || n > int64(cut) {
			t.Fatalf("of %q, cut at %d, the whole rows end at %d (%v)", text, cut, n, err)
		}
		if lines != countLines([]byte(text[:n])) || !bytes.Equal(h.Sum(nil), sum(text[:n])) {
			t.Errorf("of %q, cut at %d: %d lines, or another digest", text, cut, lines)
		}
		if n, _, _ := wholeRows(context.Background(), section(text), sx, true, sha256.New()); n != int64(len(text)) {
			t.Errorf("of %q, which has ended, %d of %d bytes are taken", text, n, len(text))
		}
	})
}

func section(text string) *io.SectionReader {
	return io.NewSectionReader(strings.NewReader(text), 0, int64(len(text)))
}

func sum(text string) []byte {
	s := sha256.Sum256([]byte(text))
	return s[:]
}

// A load whose rejected rows cannot be written down fails, and stores nothing.
func TestRejectsFail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.csv")
	text := tailHead
	for i := range 500 {
		if text += tailRow(i); i > 100 && i%2 == 0 {
			text += "u1,2099-01-01T00:00:00Z,see,\n" // in the future
		}
	}
	appendTo(t, path, text)
	for _, room := range []int{0, 1, 100, 5000} {
		mem := model.NewMemory()
		w := &narrowWriter{left: room}
		o := Options{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Rejects: w}
		in := File(path)
		rec, err := Inspect(context.Background(), in, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Load(context.Background(), mem.Begin, []*Input{in}, rec.Mapping, o, nil); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("with room for %d bytes: %v", room, err)
		}
		s, err := mem.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Info().Events; n != 0 {
			t.Errorf("with room for %d bytes %d rows are stored", room, n)
		}
	}
}

// A narrowWriter takes some bytes and then has no room.
type narrowWriter struct{ left int }

func (w *narrowWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, &os.PathError{Op: "write", Path: "rejects.csv", Err: syscall.ENOSPC}
	}
	w.left -= len(p)
	return len(p), nil
}
