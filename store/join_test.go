package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/modeltest"
	"dwell/store/ingest"
)

// piecePlan is piece n (from 1) of a file that is followed, of which each piece is
// 100 bytes long.
func piecePlan(n int) model.LoadPlan {
	return model.LoadPlan{Zone: "UTC", At: int64(n), Sources: []model.SourceInfo{{
		Path: "app.csv", Digest: fmt.Sprint("up to ", n), Stream: "up to 1", From: int64(n-1) * 100, Bytes: int64(n) * 100,
	}}}
}

func see(user string, at int64) modeltest.Row {
	return modeltest.Row{User: user, Time: at, Event: "see", Amount: model.NoMoney}
}

func mustLoadRows(t *testing.T, d modeltest.Dataset, p model.LoadPlan, rows ...modeltest.Row) model.Quality {
	t.Helper()
	info, err := modeltest.Load(t, d, p, rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	return info.Quality
}

// The pieces of a file that is followed are one source: equal rows in two of them
// are two rows, and a load of the whole file has them already.
func TestPiecesAreOneSource(t *testing.T) {
	for _, merged := range []bool{false, true} {
		d := open(t, Options{})
		a, b := see("ann", 1000), see("ann", 2000)
		mustLoadRows(t, d, piecePlan(1), a, a, b)
		if q := mustLoadRows(t, d, piecePlan(2), a, b, see("bob", 3000)); q.Stored != 3 || q.Equal != 2 || q.Already != 0 {
			t.Errorf("the second piece: %+v", q)
		}
		if merged {
			if _, err := d.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if q := mustLoadRows(t, d, piecePlan(3), a); q.Stored != 1 {
			t.Errorf("the third piece: %+v", q)
		}
		whole := model.LoadPlan{Zone: "UTC", At: 9, Sources: []model.SourceInfo{{Path: "copy.csv", Digest: "another"}}}
		if q := mustLoadRows(t, d, whole, a, a, b, a, b, see("bob", 3000), a, a, see("eve", 1)); q.Stored != 2 || q.Already != 7 {
			t.Errorf("a copy of the whole with a fifth equal row and a new one: %+v", q)
		}
		mustCheck(t, d.Store)
	}
}

// What a file had when it was loaded whole, and what following it brought later,
// are one source as well.
func TestPiecesGoOnFromAFile(t *testing.T) {
	d := open(t, Options{})
	a := see("ann", 1000)
	mustLoadRows(t, d, model.LoadPlan{Zone: "UTC", At: 1, Sources: []model.SourceInfo{{Path: "app.csv", Digest: "up to 1", Bytes: 100}}}, a)
	if q := mustLoadRows(t, d, piecePlan(2), a); q.Stored != 1 {
		t.Errorf("the same row again, later in the file: %+v", q)
	}
}

// A thousand small loads of one follow become a few, with one report and one source
// for all that was merged, and a reader sees the same events all along.
func TestPiecesMerge(t *testing.T) {
	d, want := open(t, Options{}), model.NewMemory()
	var rows []modeltest.Row
	n := long(36, 1000)
	for i := 1; i <= n; i++ {
		piece := []modeltest.Row{see(fmt.Sprint("user", i%9), int64(i)*1000), see(fmt.Sprint("user", i%5), int64(i)*1000+1)}
		rows = append(rows, piece...)
		mustLoadRows(t, d, piecePlan(i), piece...)
		if p := physical(t, d.Store); p >= 2*mergeRun {
			t.Fatalf("after %d pieces %d loads stand side by side", i, p)
		}
	}
	if _, err := modeltest.Load(t, want, piecePlan(n), rows, 1); err != nil {
		t.Fatal(err)
	}
	w, err := want.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	f := modeltest.AllColumns(w.Info())
	f.Sources = false
	same := func(what string) {
		t.Helper()
		s, err := d.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if strings.Join(modeltest.Dump(t, s, f), "") != strings.Join(modeltest.Dump(t, w, f), "") {
			t.Errorf("%s: the events differ", what)
		}
	}
	same("merged by themselves")
	if in, _ := seenOf(t, d.Store); len(in.Loads) >= 2*mergeRun || len(in.Sources) != len(in.Loads) {
		t.Errorf("%d reports of %d sources are left of %d pieces", len(in.Loads), len(in.Sources), n)
	}
	if _, err := d.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	same("merged into one")
	in, _ := seenOf(t, d.Store)
	if len(in.Loads) != 1 || len(in.Sources) != 1 {
		t.Fatalf("%d loads of %d sources", len(in.Loads), len(in.Sources))
	}
	q, src := in.Loads[0].Quality, in.Sources[0]
	if q.Read != int64(2*n) || q.Stored != q.Read || in.Loads[0].Users != 9 || src.Bytes != int64(n)*100 || src.Digest != fmt.Sprint("up to ", n) {
		t.Errorf("the report is %+v of %d users, the source %+v", q, in.Loads[0].Users, src)
	}
	d.Reopen(t)
	mustCheck(t, d.Store)
}

// A file that is written anew and begins as it once did is another source, even where
// merging has left no digest of that beginning: what it repeats is not stored again.
func TestWrittenAnewAfterMerging(t *testing.T) {
	d := open(t, Options{})
	path := filepath.Join(t.TempDir(), "app.csv")
	o := ingest.Options{Now: time.Now()}
	tail := ingest.Follow(path, func(context.Context) (*model.Info, error) { return infoOf(t, d), nil })
	defer tail.Close()
	text := "user,time,event,n\n"
	step := func() {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		p, _, err := tail.Next(context.Background(), o)
		if err != nil || p == nil {
			t.Fatalf("nothing new: %v", err)
		}
		_, err = p.Load(context.Background(), d.Begin, o, nil)
		switch {
		case errors.Is(err, model.ErrKnownSource): // it is as long as it was, and the same
			tail.Known(p, o)
			err = nil
		case err == nil:
			tail.Done(p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 4 {
		text += followedRow(n)
		step()
	}
	if _, err := d.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	text = "user,time,event,n\n"
	for n := range 4 {
		text += followedRow(n)
		step()
	}
	text += followedRow(3) // twice now
	step()
	if in := infoOf(t, d); in.Events != 5 {
		t.Errorf("%d rows are stored, want 5", in.Events)
	}
	mustCheck(t, d.Store)
}

// Every count of a report is added up when two pieces become one.
func TestJoinQuality(t *testing.T) {
	var a, b model.Quality
	for i := range reflect.TypeFor[model.Quality]().NumField() {
		if f := reflect.ValueOf(&a).Elem().Field(i); f.Kind() == reflect.Int64 {
			f.SetInt(int64(i + 1))
			reflect.ValueOf(&b).Elem().Field(i).SetInt(int64(100 * (i + 1)))
		}
	}
	lines := func(n int) []model.Line { return make([]model.Line, n) }
	a.Rejected, b.Rejected = []model.Reject{{Reason: "x", Count: 3, Lines: lines(3)}}, []model.Reject{{Reason: "x", Count: 4, Lines: lines(4)}, {Reason: "y", Count: 1, Lines: lines(1)}}
	a.EmptyDays, b.EmptyDays = []model.Day{1, 2}, []model.Day{2, 3}
	a.Types, b.Types = []model.KeyTypes{{Key: "k", Text: 1, Number: 2, Bool: 3, Time: 4, Null: 5, Compound: 6}}, []model.KeyTypes{{Key: "k", Text: 10, Number: 20, Bool: 30, Time: 40, Null: 50, Compound: 60}}
	got := joinQuality(a, b)
	for i := range reflect.TypeFor[model.Quality]().NumField() {
		if f := reflect.ValueOf(got).Field(i); f.Kind() == reflect.Int64 && f.Int() != int64(101*(i+1)) {
			t.Errorf("%s is %d of two that make %d", reflect.TypeFor[model.Quality]().Field(i).Name, f.Int(), 101*(i+1))
		}
	}
	want := []model.Reject{{Reason: "x", Count: 7, Lines: lines(5)}, {Reason: "y", Count: 1, Lines: lines(1)}}
	if !reflect.DeepEqual(got.Rejected, want) || !reflect.DeepEqual(got.EmptyDays, []model.Day{1, 2, 3}) {
		t.Errorf("rejected %+v, empty days %v", got.Rejected, got.EmptyDays)
	}
	if types := []model.KeyTypes{{Key: "k", Text: 11, Number: 22, Bool: 33, Time: 44, Null: 55, Compound: 66}}; !reflect.DeepEqual(got.Types, types) {
		t.Errorf("types %+v", got.Types)
	}
}
