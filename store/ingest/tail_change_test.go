package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dwell/model"
)

// A look is what a prefix sees of a file.
type look struct {
	fs.FileInfo
	size int64
	time time.Time
}

func (l look) Size() int64        { return l.size }
func (l look) ModTime() time.Time { return l.time }

// A prefix notices a changed byte wherever it is: at once at both ends, and within one
// sweep between them.
func TestPrefixNoticesEveryByte(t *testing.T) {
	body := make([]byte, (2*sweepBlocks+3)*prefixBlock+777)
	r := rand.New(rand.NewPCG(7, 7))
	for i := range body {
		body[i] = byte(r.Uint32())
	}
	p := newPrefix()
	for rest := body; len(rest) > 0; { // however it is written
		n := min(1+r.IntN(200_000), len(rest))
		if _, err := p.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	at := time.Unix(1000, 0)
	for range 4 {
		if !p.stands(bytes.NewReader(body), look{size: int64(len(body)), time: at}) {
			t.Fatal("a file that stands is said to be another")
		}
	}
	if p.left != 0 {
		t.Errorf("%d blocks are left after four looks", p.left)
	}
	if p.stands(bytes.NewReader(body[:9]), look{size: 9, time: at}) {
		t.Error("a cut is not noticed")
	}
	for i, pos := range []int{0, len(body) - 1, len(body) - 778, 10 * prefixBlock, (sweepBlocks + 9) * prefixBlock, r.IntN(len(body))} {
		q := p
		body[pos] ^= 1
		looks := 0
		for q.stands(bytes.NewReader(body), look{size: int64(len(body)), time: at.Add(time.Second)}) {
			if looks++; looks > 3 {
				break
			}
		}
		if looks > 2 || i < 3 && looks > 0 {
			t.Errorf("byte %d of %d is another, and %d looks did not tell", pos, len(body), looks)
		}
		body[pos] ^= 1
	}
}

// A file written anew with the same size, beginning and end is noticed.
func TestTailNoticesAnotherMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.csv")
	rows := make([]string, 3000)
	for i := range rows {
		rows[i] = fmt.Sprintf("u%04d,2024-01-01T00:00:00Z,see,n\n", i)
	}
	appendTo(t, path, tailHead+strings.Join(rows, ""))
	f := follow(t, path, model.NewMemory())
	f.wants("at first", 3000, 3000)
	f.wants("nothing new", 0, 0)
	rows[1500] = "x1500,2024-01-01T00:00:00Z,see,n\n"
	if err := os.WriteFile(path, []byte(tailHead+strings.Join(rows, "")), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Unix(2_000_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	q, notes := f.step()
	if q.Stored != 1 || q.Already != 2999 || len(notes) != 1 || !strings.Contains(notes[0], "written anew") {
		t.Errorf("it stores %d, has %d already, and says %q", q.Stored, q.Already, notes)
	}
	f.wants("nothing new", 0, 0)
}

// A file that is cut or written anew while its rows are read stores nothing of what was
// half read, and all of what it has afterwards.
func TestTailChangedWhileItIsRead(t *testing.T) {
	for what, change := range map[string]func(path string) error{
		"cut":           func(path string) error { return os.Truncate(path, int64(len(tailHead)+40)) },
		"written anew":  func(path string) error { return os.WriteFile(path, []byte(tailHead+tailRow(7)+tailRow(8)), 0o666) },
		"another byte":  func(path string) error { return os.WriteFile(path, []byte(tailHead+tailRow(9)+tailRow(2)), 0o666) },
		"cut to 0":      func(path string) error { return os.Truncate(path, 0) },
		"only appended": func(path string) error { return nil },
	} {
		path := filepath.Join(t.TempDir(), "app.csv")
		appendTo(t, path, tailHead+tailRow(1)+tailRow(2))
		f := follow(t, path, model.NewMemory())
		p, _, err := f.tail.Next(context.Background(), f.opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if what == "only appended" {
			appendTo(t, path, tailRow(3))
		}
		_, err = p.Load(context.Background(), f.mem.Begin, f.opt, nil)
		if what == "only appended" {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		if !errors.Is(err, ErrChanged) || f.info().Events != 0 {
			t.Errorf("%s: %v, with %d rows stored", what, err, f.info().Events)
		}
		appendTo(t, path, "\n"+tailHead+tailRow(20))
		f.step()
		if n := f.info().Events; n == 0 {
			t.Errorf("%s: nothing is stored afterwards", what)
		}
		if strings.Contains(f.dump(), "n2\n") && what == "cut" {
			t.Errorf("%s: a row is stored that was cut away:\n%s", what, f.dump())
		}
	}
}

// A file that is not there yet is waited for; one that is deleted and comes back is
// read on where it was, if it begins as it did.
func TestTailOfAFileThatComesAndGoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.csv")
	f := follow(t, path, model.NewMemory())
	if q, notes := f.step(); q.Read != 0 || len(notes) != 1 || !strings.Contains(notes[0], "is not there yet: waiting") {
		t.Errorf("of a file that is not there it says %q", notes)
	}
	if _, notes := f.step(); len(notes) != 0 {
		t.Errorf("it says so again: %q", notes)
	}
	appendTo(t, path, tailHead+tailRow(1))
	f.wants("it comes", 1, 1)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, notes := f.step(); len(notes) != 1 || !strings.Contains(notes[0], "is gone") {
		t.Errorf("of a file that is deleted it says %q", notes)
	}
	appendTo(t, path, tailHead+tailRow(1)+tailRow(2))
	q, notes := f.step()
	if q.Read != 1 || q.Stored != 1 || len(notes) != 1 || !strings.Contains(notes[0], "are stored already") {
		t.Errorf("come back it reads %d, stores %d, and says %q", q.Read, q.Stored, notes)
	}
}

// Objects a line, with CRLF, halves of lines, and a line that is none.
func TestTailOfObjects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.ndjson")
	object := func(i int) string {
		return fmt.Sprintf("{\"user\":\"u%d\",\"time\":\"2024-01-01T00:00:%02dZ\",\"event\":\"see\",\"n\":%d}\r\n", i%3, i, i)
	}
	appendTo(t, path, object(1)+object(2)[:20])
	f := follow(t, path, model.NewMemory())
	f.wants("one and a half", 1, 1)
	appendTo(t, path, object(2)[20:]+"garbage {\r\n"+object(3)+strings.TrimSuffix(object(4), "\r\n"))
	if q := f.wants("the other half, garbage, and one without its end", 3, 2); len(q.Rejected) != 1 || q.Rejected[0].Lines[0].Line != 3 {
		t.Errorf("rejected %+v, want line 3", q.Rejected)
	}
	appendTo(t, path, "\r")
	f.wants("half a line end", 0, 0)
	appendTo(t, path, "\n{\"time\":\"2024-01-01T00:00:09Z\",\"user\":\"u1\",\"event\":\"buy\",\"amount\":3,\"new\":true}\r\n")
	f.wants("the other half, and other keys", 2, 2)
	if in := f.info(); in.Events != 5 || in.Key("new") == nil {
		t.Errorf("%d events with %+v", in.Events, in.Keys)
	}
}

// After a rotation the columns may stand otherwise, and there may be more of them; a
// column that is missing is a sentence, and what could not be stored is said to lie in
// the old file.
func TestTailOfAHeaderThatChanges(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.csv")
	rotate := func(n int, text string) {
		t.Helper()
		if err := os.Rename(path, filepath.Join(dir, fmt.Sprint("app.", n))); err != nil {
			t.Fatal(err)
		}
		appendTo(t, path, text)
	}
	appendTo(t, path, tailHead+tailRow(1))
	f := follow(t, path, model.NewMemory())
	f.wants("at first", 1, 1)
	m := f.tail.m
	f.opt.Stored = &m
	rotate(1, "event,colour,user,note,time\nbuy,red,u9,x,2024-02-01T00:00:00Z\n")
	f.wants("columns in another order, and one more", 1, 1)
	if text := f.dump(); !strings.Contains(text, "u9") || !strings.Contains(text, "buy") || strings.Contains(text, "red red") {
		t.Errorf("it stores\n%s", text)
	}
	rotate(2, "who,when,what\nu1,2024-02-02T00:00:00Z,see\n")
	_, _, err := f.tail.Next(context.Background(), f.opt)
	if !errors.Is(err, ErrColumns) || !strings.Contains(err.Error(), "user") {
		t.Errorf("without the columns it gives %v", err)
	}
	rotate(3, tailHead+tailRow(5))
	q, notes := f.step()
	if q.Stored != 1 || len(notes) != 2 || !strings.Contains(notes[0], "could be stored") || !strings.Contains(notes[0], "load that by itself") {
		t.Errorf("it stores %d and says %q", q.Stored, notes)
	}
}

// Whatever happens to a followed file - rows appended in pieces, rotation, cuts, new
// beginnings that repeat the old, another session, loads of the file and of others that
// overlap it, standard input read twice - each content is stored as often as it stood in
// that file which had it most often.
func TestTailStoresEachRowOfEachFile(t *testing.T) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 3))
		dir := t.TempDir()
		path := filepath.Join(dir, "app.csv")
		f := follow(t, path, model.NewMemory())
		most := map[string]int{}
		holds := func(lines []string) {
			n := map[string]int{}
			for _, l := range lines {
				n[l]++
				most[l] = max(most[l], n[l])
			}
		}
		var lines []string
		some := func(n int) (out []string) {
			for range n {
				out = append(out, fmt.Sprintf("u%d,2024-01-01T00:00:0%dZ,see,n%d\n", r.IntN(2), r.IntN(2), r.IntN(2)))
			}
			return out
		}
		write := func() {
			t.Helper()
			if err := os.WriteFile(path, []byte(tailHead+strings.Join(lines, "")), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		load := func(path string) {
			t.Helper()
			in := File(path)
			rec, err := Inspect(context.Background(), in, f.opt)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Load(context.Background(), f.mem.Begin, []*Input{in}, rec.Mapping, f.opt, nil); err != nil && !errors.Is(err, model.ErrKnownSource) {
				t.Fatal(err)
			}
		}
		lines = some(3)
		write()
		var log []string
		for step := range 12 {
			what := r.IntN(9)
			log = append(log, fmt.Sprint(what))
			switch what {
			case 0: // rotated
				if err := os.Rename(path, filepath.Join(dir, fmt.Sprint("old", step))); err != nil {
					t.Fatal(err)
				}
				lines = some(1 + r.IntN(4))
				write()
			case 1: // written anew, perhaps with the same beginning
				lines = append(append([]string(nil), lines[:r.IntN(len(lines)+1)]...), some(1+r.IntN(5))...)
				write()
			case 2: // another session
				f.tail.Close()
				f.tail = Follow(path, f.known)
			case 3: // the file is loaded, perhaps before the tail has seen all of it
				if r.IntN(2) == 0 {
					more := some(2)
					appendTo(t, path, strings.Join(more, ""))
					lines = append(lines, more...)
				}
				load(path)
			case 4: // another file has some of it
				other := filepath.Join(dir, fmt.Sprint("other", step))
				some := append(append([]string(nil), lines[r.IntN(len(lines)):]...), some(1+r.IntN(3))...)
				appendTo(t, other, tailHead+strings.Join(some, ""))
				load(other)
				holds(some)
			default:
				more := some(1 + r.IntN(4))
				appendTo(t, path, strings.Join(more, ""))
				lines = append(lines, more...)
			}
			// The time of a file may be as coarse as a second; here every change has one.
			if err := os.Chtimes(path, time.Time{}, time.Unix(1_800_000_000+int64(step), 0)); err != nil {
				t.Fatal(err)
			}
			for range 4 { // a piece of the old file, a refusal, a piece
				f.step()
			}
			holds(lines)
		}
		if r.IntN(2) == 0 {
			for range 2 {
				in := followReader(t, strings.NewReader(tailHead+strings.Join(lines, "")), f.mem)
				for !in.tail.Ended() {
					in.step()
				}
			}
		}
		got := map[string]int{}
		s, err := f.mem.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		in := s.Info()
		err = s.Scan(context.Background(), model.Split{To: model.Buckets}, model.Filter{Until: model.NoCut, Columns: []string{"note"}}, func(tl *model.Timeline) error {
			for i := range tl.Time {
				got[fmt.Sprintf("%s,%s,%s,%s\n", tl.ID, time.UnixMilli(tl.Time[i]).UTC().Format(time.RFC3339), in.Names[tl.Name[i]].Name, tl.Props[0].At(in.Key("note"), i))]++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		for line, n := range most {
			if got[line] != n {
				t.Errorf("seed %d, steps %v: %q is stored %d times, and stood up to %d times in one file", seed, log, line, got[line], n)
			}
		}
		for line := range got {
			if most[line] == 0 {
				t.Errorf("seed %d: %q is stored and stood nowhere", seed, line)
			}
		}
	}
}
