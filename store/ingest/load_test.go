package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"dwell/model"
)

// A recorder is a Loader that keeps its batches in order.
type recorder struct {
	mu      sync.Mutex
	batches map[int]*model.Batch
	fail    int // Add fails for this Seq; 0: never
	aborted int
	done    bool
	quality model.Quality
	sources []model.SourceInfo
	mapping Mapping
}

func (r *recorder) begin(context.Context, model.LoadPlan) (model.Loader, error) {
	r.batches = map[int]*model.Batch{}
	return r, nil
}

func clone2(b [][]byte) (out [][]byte) {
	for _, x := range b {
		out = append(out, bytes.Clone(x))
	}
	return out
}

func (r *recorder) Add(b *model.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail > 0 && b.Seq == r.fail {
		return errors.New("the disk is full")
	}
	c := &model.Batch{Seq: b.Seq, Source: b.Source, Line: slices.Clone(b.Line), User: clone2(b.User), Time: slices.Clone(b.Time),
		Dated: slices.Clone(b.Dated), Event: clone2(b.Event), Amount: slices.Clone(b.Amount)}
	for _, p := range b.Props {
		c.Props = append(c.Props, model.BatchCol{Key: p.Key, Values: clone2(p.Values), At: slices.Clone(p.At)})
	}
	r.batches[b.Seq] = c
	return nil
}

func (r *recorder) Commit(q model.Quality, s []model.SourceInfo) (model.LoadInfo, error) {
	r.done, r.quality, r.sources = true, q, s
	return model.LoadInfo{Quality: q}, nil
}

func (r *recorder) Abort() error { r.aborted++; return nil }

// rows writes all batches in order, one row a line.
func (r *recorder) rows(t *testing.T) []string {
	t.Helper()
	var out []string
	for seq := range len(r.batches) {
		b := r.batches[seq]
		if b == nil {
			t.Fatalf("batch %d is missing", seq)
		}
		for i := range b.Time {
			s := fmt.Sprintf("%d:%d %s %d %s", b.Source, b.Line[i], b.User[i], b.Time[i], b.Event[i])
			if b.Dated != nil && b.Dated[i] {
				s += " dated"
			}
			if b.Amount != nil {
				s += " " + b.Amount[i].String()
			}
			for _, p := range b.Props {
				if v := p.Value(i); len(v) > 0 {
					s += fmt.Sprintf(" %s=%s", p.Key, v)
				}
			}
			out = append(out, s)
		}
	}
	return out
}

// record inspects and loads into a recorder.
func record(t *testing.T, o Options, ins ...*Input) *recorder {
	t.Helper()
	o.Now = testNow
	rec, err := Inspect(context.Background(), ins[0], o)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{mapping: rec.Mapping}
	if _, err := Load(context.Background(), r.begin, ins, rec.Mapping, o, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// The same rows in every dress a file can have.
func TestDresses(t *testing.T) {
	plain := "user_id,time,event,amount,city\nu1,2020-03-29 01:00:00,open,1.5,Köln\nu2,2020-03-30 02:00:00,buy,20,\"Paris, \"\"F\"\"\"\n"
	want := []string{
		`0:2 u1 1585443600000 open 1.5 city=Köln`,
		`0:3 u2 1585533600000 buy 20 city=Paris, "F"`,
	}
	encode := func(s string, f func([]byte) ([]byte, error)) string {
		b, err := f([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var gz, zs bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write([]byte(plain))
	g.Close()
	z, _ := zstd.NewWriter(&zs)
	z.Write([]byte(plain))
	z.Close()
	half := strings.SplitAfterN(plain, "\n", 3)
	var first, second bytes.Buffer
	for i, part := range []string{half[0] + half[1], half[2]} {
		w := gzip.NewWriter([]*bytes.Buffer{&first, &second}[i])
		w.Write([]byte(part))
		w.Close()
	}
	ndjson := `{"user_id":"u1","time":"2020-03-29 01:00:00","event":"open","amount":1.5,"city":"K\u00f6ln"}` + "\n" +
		`{"user_id":"u2","time":"2020-03-30 02:00:00","event":"buy","amount":20,"city":"Paris, \"F\""}` + "\n"
	jsonRows := strings.ReplaceAll(ndjson, "}\n{", "},\n{")
	cases := []struct {
		name, content string
		o             Options
		want          []string
	}{
		{"plain", plain, Options{}, nil},
		{"no newline at the end", strings.TrimSuffix(plain, "\n"), Options{}, nil},
		{"crlf", strings.ReplaceAll(plain, "\n", "\r\n"), Options{}, nil},
		{"cr", strings.ReplaceAll(plain, "\n", "\r"), Options{}, nil},
		{"bom and crlf", "\ufeff" + strings.ReplaceAll(plain, "\n", "\r\n"), Options{}, nil},
		{"semicolons", "user_id;time;event;amount;city\nu1;2020-03-29 01:00:00;open;1.5;Köln\nu2;2020-03-30 02:00:00;buy;20;\"Paris, \"\"F\"\"\"\n", Options{}, nil},
		{"semicolons, decimal commas", "user_id;time;event;amount;city\nu1;2020-03-29 01:00:00;open;1,5;Köln\nu2;2020-03-30 02:00:00;buy;20,00;\"Paris, \"\"F\"\"\"\n", Options{}, nil},
		{"pipes", "user_id|time|event|amount|city\nu1|2020-03-29 01:00:00|open|1.5|Köln\nu2|2020-03-30 02:00:00|buy|20|\"Paris, \"\"F\"\"\"\n", Options{}, nil},
		{"tabs", "user_id\ttime\tevent\tamount\tcity\nu1\t2020-03-29 01:00:00\topen\t1.5\tKöln\nu2\t2020-03-30 02:00:00\tbuy\t20\t\"Paris, \"\"F\"\"\"\n", Options{}, nil},
		{"blanks", "user_id  time  event  amount  city\nu1 \"2020-03-29 01:00:00\"\topen 1.5 Köln\nu2  2020-03-30T02:00:00 buy   20 \"Paris, \"\"F\"\"\" \n", Options{Delimiter: "blanks"}, nil},
		{"another delimiter", strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(plain, "Paris, ", "Paris# "), ",", "~"), "#", ","), Options{Delimiter: "~"}, nil},
		{"utf-16 with mark", encode(plain, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes), Options{}, nil},
		{"utf-16 big endian with mark", encode(plain, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes), Options{}, nil},
		{"utf-16 without mark", encode(plain, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().Bytes), Options{Encoding: "utf-16"}, nil},
		{"latin1", encode(plain, charmap.ISO8859_1.NewEncoder().Bytes), Options{Encoding: "latin1"}, nil},
		{"gzip", gz.String(), Options{}, nil},
		{"gzip of two members", first.String() + second.String(), Options{}, nil},
		{"zstd", zs.String(), Options{}, nil},
		{"ndjson", ndjson, Options{}, []string{strings.Replace(want[0], "0:2", "0:1", 1), strings.Replace(want[1], "0:3", "0:2", 1)}},
		{"json array", "[\n" + jsonRows + "]\n", Options{}, nil},
		{"json array in one line", "[" + strings.ReplaceAll(jsonRows, "\n", "") + "]", Options{}, []string{strings.Replace(want[0], "0:2", "0:1", 1), strings.Replace(want[1], "0:3", "0:1", 1)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			expect := c.want
			if expect == nil {
				expect = want
			}
			if got := record(t, c.o, File(write(t, "events.txt", c.content))).rows(t); !slices.Equal(got, expect) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(expect, "\n"))
			}
			if got := record(t, c.o, Stdin(strings.NewReader(c.content))).rows(t); !slices.Equal(got, expect) {
				t.Errorf("from standard input: got\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

func TestBadUTF8(t *testing.T) {
	r := record(t, Options{}, File(write(t, "e.csv", "user_id,time,event,city\nu1,2020-01-01,a,K\xf6ln\nu2,2020-01-02,b,Wien\n")))
	if got := r.rows(t)[0]; !strings.HasSuffix(got, "city=K\uFFFDln") || r.quality.BadUTF8 != 1 {
		t.Errorf("row %q, bad %d", got, r.quality.BadUTF8)
	}
	// Three such bytes and no valid one: the file is Windows-1252.
	r = record(t, Options{}, File(write(t, "e.csv", "user_id,time,event,city\nu1,2020-01-01,a,K\xf6ln\nu2,2020-01-02,b,D\xfcren \x80\n")))
	if got := r.rows(t)[1]; !strings.HasSuffix(got, "city=Düren €") || r.quality.BadUTF8 != 0 {
		t.Errorf("row %q, bad %d", got, r.quality.BadUTF8)
	}
}

// messy is a seeded file of many blocks with quotes, rejects and bad quotes.
func messy(rows int) string {
	rng := rand.New(rand.NewPCG(7, 11))
	var b strings.Builder
	b.WriteString("user_id,time,event,amount,note,tag\n")
	for i := range rows {
		note := []string{"plain", "\"quoted, with\nnewline\"", "", "\"doubled \"\" quote\"", "loose \" quote", "\"open"}[min(rng.IntN(40), 5)]
		if rng.IntN(500) > 0 && note == "\"open" {
			note = "x"
		}
		user := fmt.Sprintf("u%d", rng.IntN(500))
		if rng.IntN(50) == 0 {
			user = ""
		}
		fmt.Fprintf(&b, "%s,2020-%02d-%02d %02d:%02d:00,%s,%d.%02d,%s,t%d\n", user, 1+rng.IntN(12), 1+rng.IntN(28), rng.IntN(24), rng.IntN(60),
			[]string{"open", "buy", "view"}[rng.IntN(3)], rng.IntN(1000), rng.IntN(100), note, i%7)
	}
	return b.String()
}

// A load gives the same batches and the same report whatever the number of workers.
func TestWorkersDoNotMatter(t *testing.T) {
	path := write(t, "e.csv", messy(120_000))
	var base *recorder
	var rejects string
	for _, n := range []int{1, 2, 7} {
		var rej bytes.Buffer
		r := record(t, Options{Workers: n, Rejects: &rej}, File(path))
		if len(r.batches) < 4 {
			t.Fatalf("only %d blocks: the file is too small for this test", len(r.batches))
		}
		if base == nil {
			base, rejects = r, rej.String()
			continue
		}
		if !reflect.DeepEqual(r.batches, base.batches) {
			t.Errorf("%d workers give other batches", n)
		}
		if !reflect.DeepEqual(r.quality, base.quality) || !reflect.DeepEqual(r.sources, base.sources) {
			t.Errorf("%d workers give another report:\n%+v\n%+v", n, r.quality, base.quality)
		}
		if rej.String() != rejects {
			t.Errorf("%d workers give another rejects file", n)
		}
	}
}

// A load that is cancelled, or whose store fails, is aborted, never committed,
// and every batch that was taken before the end came in order.
func TestCancelAndFailure(t *testing.T) {
	path := write(t, "e.csv", messy(120_000))
	o := Options{Now: testNow, Workers: 3}
	rec, err := Inspect(context.Background(), File(path), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &recorder{}
	_, err = Load(ctx, r.begin, []*Input{File(path)}, rec.Mapping, o, func(p Progress) {
		if p.Rows > 0 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || r.done || r.aborted == 0 {
		t.Errorf("cancelled: error %v, committed %v, aborted %d", err, r.done, r.aborted)
	}
	for seq := range len(r.batches) {
		if r.batches[seq] == nil {
			t.Errorf("batch %d was left out before a later one", seq)
		}
	}
	r = &recorder{fail: 2}
	if _, err = Load(context.Background(), r.begin, []*Input{File(path)}, rec.Mapping, o, nil); err == nil || !strings.Contains(err.Error(), "disk is full") || r.done || r.aborted == 0 {
		t.Errorf("failing store: error %v, committed %v, aborted %d", err, r.done, r.aborted)
	}
	// Standard input that never answers does not hold a cancelled load.
	ctx, cancel = context.WithCancel(context.Background())
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pw.Close()
	defer pr.Close()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	go pw.Write(body)
	in := Stdin(pr)
	if _, err := Inspect(ctx, in, o); err != nil {
		t.Fatal(err)
	}
	r = &recorder{}
	_, err = Load(ctx, r.begin, []*Input{in}, rec.Mapping, o, func(Progress) { cancel() })
	if !errors.Is(err, context.Canceled) || r.done {
		t.Errorf("a mute pipe: error %v, committed %v", err, r.done)
	}
}

// Standard input that says nothing holds neither Inspect nor Load once ctx ends.
func TestMuteInput(t *testing.T) {
	pr, pw := io.Pipe()
	defer pw.Close()
	ctx, cancel := context.WithCancel(context.Background())
	in := Stdin(readerFunc(func(p []byte) (int, error) {
		cancel()
		return pr.Read(p)
	}))
	if _, err := Inspect(ctx, in, Options{Now: testNow}); !errors.Is(err, context.Canceled) {
		t.Errorf("Inspect: %v", err)
	}
}

// A damaged file is found out at its end, and nothing of it stays.
func TestCutShort(t *testing.T) {
	var gz bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write([]byte(messy(60_000)))
	g.Close()
	in := File(write(t, "e.csv.gz", gz.String()[:gz.Len()-1000]))
	rec, err := Inspect(context.Background(), in, Options{Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	_, err = Load(context.Background(), r.begin, []*Input{in}, rec.Mapping, Options{Now: testNow}, nil)
	if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "damaged or cut short") || r.done || r.aborted == 0 {
		t.Errorf("error %v, committed %v", err, r.done)
	}
}

func TestProgressAndDigest(t *testing.T) {
	path := write(t, "e.csv", messy(60_000))
	size := int64(len(messy(60_000)))
	o := Options{Now: testNow}
	rec, err := Inspect(context.Background(), File(path), o)
	if err != nil {
		t.Fatal(err)
	}
	var last Progress
	calls := 0
	m := model.NewMemory()
	if _, err := Load(context.Background(), m.Begin, []*Input{File(path)}, rec.Mapping, o, func(p Progress) {
		if p.Bytes < last.Bytes || p.Rows < last.Rows || p.TotalBytes != size {
			t.Errorf("progress goes back: %+v after %+v", p, last)
		}
		last = p
		calls++
	}); err != nil {
		t.Fatal(err)
	}
	if last.Bytes != size || calls < 2 {
		t.Errorf("last progress %+v after %d calls, size %d", last, calls, size)
	}
	s, _ := m.Snapshot(context.Background())
	o.Known = s.Info().Sources
	_, err = Load(context.Background(), func(context.Context, model.LoadPlan) (model.Loader, error) {
		t.Error("a known file reached the store")
		return nil, errors.New("no")
	}, []*Input{File(path)}, rec.Mapping, o, nil)
	if !errors.Is(err, model.ErrKnownSource) || !strings.Contains(err.Error(), "has been loaded before") {
		t.Errorf("known file: %v", err)
	}
}

// TestStoredMappingNewAmount: an amount that only the second file has is found in
// it; one that an earlier file had, and that was not taken then, is not taken now.
func TestStoredMappingNewAmount(t *testing.T) {
	now := Options{Now: testNow}
	rec, err := Inspect(context.Background(), File(write(t, "a.csv", "user,time,event,note\nu1,2020-07-01,open,x\n")), now)
	if err != nil {
		t.Fatal(err)
	}
	now.Stored = &rec.Mapping
	b := File(write(t, "b.csv", "user,time,event,amount,currency\nu1,2020-07-02,buy,12.50,EUR\nu2,2020-07-02,buy,3.50,USD\n"))
	second, err := Inspect(context.Background(), b, now)
	if err != nil || second.Mapping.Amount != "amount" {
		t.Fatalf("the second file's amount is %q: %v", second.Mapping.Amount, err)
	}
	without := rec.Mapping
	without.Props = append(without.Props, "amount")
	now.Stored = &without
	if second, err = Inspect(context.Background(), b, now); err != nil || second.Mapping.Amount != "" {
		t.Errorf("an amount that was not taken before is %q now: %v", second.Mapping.Amount, err)
	}
}

// A second file needs no flags, whatever order its columns have.
func TestStoredMapping(t *testing.T) {
	o := Options{Now: testNow, User: "who", Time: "at", Event: "what", Zone: "Europe/Vienna"}
	rec, err := Inspect(context.Background(), File(write(t, "a.csv", "who,at,what,x\nu1,2020-07-01 12:00:00,open,1\n")), o)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Zoneless {
		t.Error("the zone was given and is asked for")
	}
	m, err := ParseMapping(rec.Mapping.TOML())
	if err != nil || !reflect.DeepEqual(*m, rec.Mapping) {
		t.Fatalf("the mapping does not survive TOML: %v\n%+v\n%+v", err, m, rec.Mapping)
	}
	for _, content := range []string{
		"at,extra,what,x,who\n2020-07-01 12:00:00,e,open,1,u1\n",
		"at;extra;what;x;who\n2020-07-01 12:00:00;e;open;1;u1\n",
		`{"who":"u1","at":"2020-07-01 12:00:00","what":"open","x":"1","extra":"e"}` + "\n",
	} {
		in := File(write(t, "b.csv", content))
		second, err := Inspect(context.Background(), in, Options{Now: testNow, Stored: m})
		if err != nil {
			t.Errorf("second file: %v", err)
			continue
		}
		r := &recorder{}
		if _, err := Load(context.Background(), r.begin, []*Input{in}, second.Mapping, Options{Now: testNow}, nil); err != nil {
			t.Error(err)
			continue
		}
		row := r.rows(t)[0]
		if !strings.Contains(row, "u1 1593597600000 open") || !strings.Contains(row, "extra=e") || !strings.Contains(row, "x=1") {
			t.Errorf("second file: %q", row) // 12:00 in Vienna is 10:00 UTC
		}
	}
	if _, err := ParseMapping([]byte("user = \"a\"\ncolour = 3\n")); !errors.Is(err, ErrOption) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("an unknown setting: %v", err)
	}
}

// Several files are one load; line numbers and sources are each file's own.
func TestSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
	os.WriteFile(a, []byte("user_id,time,event\nu1,2020-01-01,a\n"), 0o600)
	os.WriteFile(b, []byte("event,user_id,time\nb,u2,2020-01-02\nc,u3,2020-01-01\n"), 0o600)
	r := record(t, Options{}, File(a), File(b))
	want := []string{"0:2 u1 1577836800000 a dated", "1:2 u2 1577923200000 b dated", "1:3 u3 1577836800000 c dated"}
	if got := r.rows(t); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if r.quality.Unordered != 1 || len(r.sources) != 2 || r.sources[1].Rows != 2 || r.sources[0].Digest == "" {
		t.Errorf("unordered %d, sources %+v", r.quality.Unordered, r.sources)
	}
	os.WriteFile(b, []byte("event,uid,time\nb,u2,2020-01-02\n"), 0o600)
	o := Options{Now: testNow}
	rec, err := Inspect(context.Background(), File(a), o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load(context.Background(), func(context.Context, model.LoadPlan) (model.Loader, error) {
		t.Error("the load began although the second file does not fit")
		return nil, errors.New("no")
	}, []*Input{File(a), File(b)}, rec.Mapping, o, nil)
	if !errors.Is(err, ErrColumns) || !strings.Contains(err.Error(), "b.csv") || !strings.Contains(err.Error(), `"user_id"`) {
		t.Errorf("second file without the column: %v", err)
	}
}

// Zones, days without events, unordered rows, types and users beyond what a
// person can do are counted.
func TestQuality(t *testing.T) {
	var b strings.Builder
	b.WriteString("user_id,time,event,price,p\n")
	b.WriteString("u1,2024-03-31 02:30:00,a,1.00000049,1\n") // missing in Vienna; more than six decimals
	b.WriteString("u1,2024-03-30 02:30:00,a,,true\n")        // earlier than the row before
	b.WriteString("u1,2024-10-27 02:30:00,a,,2024-01-01\n")  // ambiguous
	for range 10_001 {
		b.WriteString("bot,2024-10-28 10:00:00,a,,x\n")
	}
	for range 10_000 {
		b.WriteString("busy,2024-10-28 10:00:00,a,,\n")
	}
	_, info, _ := loadFile(t, write(t, "e.csv", b.String()), Options{Zone: "Europe/Vienna"})
	q := info.Quality
	if q.Missing != 1 || q.Ambiguous != 1 || q.Unordered != 1 || q.Rounded != 1 || q.Impossible != 1 {
		t.Errorf("missing %d, ambiguous %d, unordered %d, rounded %d, impossible %d; want 1 each", q.Missing, q.Ambiguous, q.Unordered, q.Rounded, q.Impossible)
	}
	if n := len(q.EmptyDays); n != 209 || q.EmptyDays[0].String() != "2024-04-01" || q.EmptyDays[n-1].String() != "2024-10-26" {
		t.Errorf("empty days: %d, from %v", n, q.EmptyDays)
	}
	want := model.KeyTypes{Key: "p", Text: 10_001, Number: 1, Bool: 1, Time: 1}
	if len(q.Types) != 1 || q.Types[0] != want {
		t.Errorf("types %+v, want %+v", q.Types, want)
	}
	if info.Zone != "Europe/Vienna" {
		t.Errorf("zone %q", info.Zone)
	}
}
