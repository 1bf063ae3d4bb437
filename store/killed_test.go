package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/modeltest"
	"dwell/store/ingest"
)

// Kills beyond those of loads (TestKilled): while a model is changed, while a backup
// is written and restored, while a file is followed.

// untilKilled starts a child and kills it at a random moment after it has said up to
// most lines; it gives the greatest number after word that was said.
func untilKilled(t *testing.T, r *rand.Rand, what, dir, word string, most int) (acked int) {
	t.Helper()
	return killedAt(t, what, dir, word, r.IntN(most), time.Duration(r.IntN(20_000))*time.Microsecond)
}

// killedAt kills a child so long after it has said so many lines; it gives the greatest
// number after word that was said.
func killedAt(t *testing.T, what, dir, word string, lines int, delay time.Duration) (acked int) {
	t.Helper()
	cmd := child(what, dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	sc := bufio.NewScanner(out)
	for n := 0; sc.Scan(); n++ {
		said, rest, _ := strings.Cut(sc.Text(), " ")
		switch said {
		case "error":
			t.Errorf("the child failed: %s", rest)
		case word:
			acked, _ = strconv.Atoi(rest)
		}
		if timer == nil && n >= lines {
			timer = time.AfterFunc(delay, func() { cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // it was killed
	if timer != nil {
		timer.Stop()
	}
	return acked
}

// said prints an error for the parent.
func said(err error) int {
	fmt.Println("error", err)
	return 1
}

func modelBody(n int) string { return fmt.Sprintf("name = \"mine\"\nrevision = %d\n", n) }

// revisions are those on the shelf, oldest first, each once.
func revisions(s *Shelf) (out []string, err error) {
	newest, err := s.Get(model.KindModel, "mine", 0)
	if err != nil {
		return nil, nil // none yet
	}
	for v := 1; v <= newest.Version; v++ {
		e, err := s.Get(model.KindModel, "mine", v)
		if err != nil {
			return nil, fmt.Errorf("version %d of %d: %w", v, newest.Version, err)
		}
		if body := string(e.Body); len(out) == 0 || out[len(out)-1] != body {
			out = append(out, body)
		}
	}
	return out, nil
}

// childChangesModel changes a model until it is killed.
func childChangesModel(dir string) int {
	s := NewShelf(dir, time.Now)
	have, err := revisions(s)
	if err != nil {
		return said(err)
	}
	fmt.Println("begin")
	for n := len(have) + 1; ; n++ {
		if _, err := s.Put(model.KindModel, "mine", []byte(modelBody(n)), "changed"); err != nil {
			return said(err)
		}
		fmt.Println("ack", n)
	}
}

// Whenever a process that changes a model is killed, every revision it has
// acknowledged is there, whole, in its order, and at most one more.
func TestKilledWhileTheModelChanges(t *testing.T) {
	r := rand.New(rand.NewPCG(freshSeed(t), 16))
	dir, have := t.TempDir(), 0
	for range long(20, 100) {
		acked := max(have, untilKilled(t, r, "model", dir, "ack", 12))
		got, err := revisions(NewShelf(dir, time.Now))
		if err != nil || len(got) < acked || len(got) > acked+1 {
			t.Fatalf("%d revisions are there, %d were acknowledged: %v", len(got), acked, err)
		}
		for i, body := range got {
			if body != modelBody(i+1) {
				t.Fatalf("revision %d is %q", i+1, body)
			}
		}
		if have = len(got); have > 60 {
			dir, have = t.TempDir(), 0 // small again, to stay quick
		}
	}
}

// childBacksUp writes backups until it is killed.
func childBacksUp(dir string) int {
	s, err := Open(filepath.Join(dir, "data"), Options{ReadOnly: true})
	if err != nil {
		return said(err)
	}
	fmt.Println("begin")
	for n := 1; ; n++ {
		if err := s.Backup(context.Background(), filepath.Join(dir, fmt.Sprint("backup", n))); err != nil {
			return said(err)
		}
		fmt.Println("ack", n)
	}
}

// childRestores restores a backup until it is killed.
func childRestores(dir string) int {
	fmt.Println("begin")
	for n := 1; ; n++ {
		if _, err := Restore(context.Background(), filepath.Join(dir, "whole"), filepath.Join(dir, fmt.Sprint("restored", n)), Options{}); err != nil {
			return said(err)
		}
		fmt.Println("ack", n)
	}
}

// Whenever a process that writes or restores a backup is killed, the data set is as
// it was, and whatever bears the name of a backup or of a restored data set is whole.
// What was half done bears no such name, and the next one takes it away.
func TestKilledWhileBackingUp(t *testing.T) {
	r := rand.New(rand.NewPCG(freshSeed(t), 17))
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	s, err := Open(data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	loadN(t, &onDisk{Store: s}, 1)
	want, err := digestOf(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	same := func(path string) {
		t.Helper()
		s, err := Open(path, Options{ReadOnly: true})
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(path), err)
		}
		defer s.Close()
		mustCheck(t, s)
		if got, err := digestOf(s); got != want || err != nil {
			t.Errorf("%s: it holds something else: %v", filepath.Base(path), err)
		}
	}
	s, err = Open(data, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Backup(context.Background(), filepath.Join(dir, "whole")), s.Close()); err != nil {
		t.Fatal(err)
	}
	half := 0
	for i := range 2 * long(20, 100) {
		what, within := "backup", 3*time.Millisecond // so long one takes
		if i%2 == 1 {
			what, within = "restore", 50*time.Millisecond
		}
		acked := killedAt(t, what, dir, "ack", r.IntN(2), time.Duration(r.Int64N(int64(within))))
		if i%8 == 0 { // it is only read
			same(data)
		}
		found, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		left, whole := 0, 0
		for _, e := range found {
			path := filepath.Join(dir, e.Name())
			if strings.HasPrefix(e.Name(), backupTemp) && what == "backup" || strings.HasPrefix(e.Name(), restoreTemp) && what == "restore" {
				left++
			}
			if strings.HasPrefix(e.Name(), "restored") || strings.HasPrefix(e.Name(), "backup") {
				whole++
			}
			switch {
			case strings.HasPrefix(e.Name(), "restored"):
				same(path)
			case strings.HasPrefix(e.Name(), "backup"):
				to := filepath.Join(t.TempDir(), "again")
				if _, err := Restore(context.Background(), path, to, Options{}); err != nil {
					t.Fatalf("%s: %v", e.Name(), err)
				}
				same(to)
			}
			if strings.HasPrefix(e.Name(), "restored") || strings.HasPrefix(e.Name(), "backup") {
				os.RemoveAll(path)
			}
		}
		if left > 1 || whole < acked || whole > acked+1 {
			t.Errorf("%s: %d are half done and %d whole; %d were acknowledged", what, left, whole, acked)
		}
		half += left
	}
	t.Logf("%d were killed half done", half)
	if s, err = Open(data, Options{ReadOnly: true}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Backup(context.Background(), filepath.Join(dir, "last")); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(context.Background(), filepath.Join(dir, "last"), filepath.Join(dir, "again"), Options{}); err != nil {
		t.Fatal(err)
	}
	if left := append(temps(dir, backupTemp), temps(dir, restoreTemp)...); left != nil {
		t.Errorf("%v are left", left)
	}
}

// childCompacts adds a small load and merges it with the others, until it is killed.
func childCompacts(dir string) int {
	s, err := Open(dir, Options{})
	if err != nil {
		return said(err)
	}
	snap, err := s.Snapshot(context.Background())
	if err != nil {
		return said(err)
	}
	n := len(snap.Info().Loads)
	snap.Close()
	for {
		n++
		p := loadPlan(n)
		ld, err := s.Begin(context.Background(), p)
		if err != nil {
			return said(err)
		}
		for _, b := range modeltest.Batches(smallRows(n), 100) {
			if err := ld.Add(b); err != nil {
				return said(err)
			}
		}
		if _, err := ld.Commit(model.Quality{Read: int64(len(smallRows(n)))}, p.Sources); err != nil {
			return said(err)
		}
		fmt.Println("ack", n)
		if _, err := s.Compact(context.Background()); err != nil {
			return said(err)
		}
		fmt.Println("merged", n)
	}
}

// smallRows are the rows of a load that takes a moment.
func smallRows(n int) []modeltest.Row { return loadRows(n)[:60] }

// Whenever a process is killed while it merges loads, the old ones stand or the new
// one: every event, name and load that was acknowledged is there, once.
func TestKilledWhileCompacting(t *testing.T) {
	r := rand.New(rand.NewPCG(freshSeed(t), 20))
	dir, have, mem := t.TempDir(), 0, model.NewMemory()
	inside := 0
	for range long(20, 100) {
		// After an ack comes the merging.
		acked := max(have, killedAt(t, "compact", dir, "ack", 2*r.IntN(3), time.Duration(r.IntN(12_000))*time.Microsecond))
		if !Exists(dir) {
			continue
		}
		s, err := Open(dir, Options{ReadOnly: r.IntN(2) == 0})
		if err != nil {
			t.Fatal(err)
		}
		mustCheck(t, s)
		in, got := seenOf(t, s)
		for n := have; n < len(in.Loads); n++ {
			if _, err := modeltest.Load(t, mem, loadPlan(n+1), smallRows(n+1), 1); err != nil {
				t.Fatal(err)
			}
		}
		if have = len(in.Loads); have < acked || have > acked+1 {
			t.Errorf("%d loads are there, %d were acknowledged", have, acked)
		}
		want, err := mem.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(modeltest.Dump(t, want, modeltest.AllColumns(want.Info())), "") != got {
			t.Errorf("after a kill with %d loads the events differ from what was loaded", have)
		}
		if physical(t, s) > 1 {
			inside++
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if have > 40 {
			dir, have, mem = t.TempDir(), 0, model.NewMemory()
		}
	}
	t.Logf("%d kills left loads unmerged", inside)
}

func followedRow(n int) string {
	return fmt.Sprintf("user%d,%s,event%d,%d\n", n%13, time.UnixMilli(int64(n)*61_000).UTC().Format(time.RFC3339), n%5, n)
}

// childFollows appends to a file and follows it, until it is killed.
func childFollows(dir string) int {
	ctx := context.Background()
	s, err := Open(filepath.Join(dir, "data"), Options{})
	if err != nil {
		return said(err)
	}
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return said(err)
	}
	path := filepath.Join(dir, "app.csv")
	body, err := os.ReadFile(path)
	if err != nil {
		return said(err)
	}
	stored := snap.Info().Events
	snap.Close()
	tail := ingest.Follow(path, func(ctx context.Context) (*model.Info, error) {
		s, err := s.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		return s.Info(), nil
	})
	w, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return said(err)
	}
	fmt.Println("begin")
	o := ingest.Options{Now: time.Now()}
	for n := strings.Count(string(body), "\n"); ; {
		for range 1 + n%9 {
			if _, err := w.WriteString(followedRow(n)); err != nil {
				return said(err)
			}
			n++
		}
		p, _, err := tail.Next(ctx, o)
		if err != nil {
			return said(err)
		}
		load, err := p.Load(ctx, s.Begin, o, nil)
		if err != nil {
			return said(err)
		}
		tail.Done(p)
		stored += load.Quality.Stored
		fmt.Println("ack", stored)
	}
}

// Whenever the follower of a file is killed, the data set holds the file's first
// rows, each once, as far as was acknowledged or a load further; and the next
// follower goes on from there.
func TestKilledWhileFollowing(t *testing.T) {
	r := rand.New(rand.NewPCG(freshSeed(t), 18))
	dir, have := t.TempDir(), int64(0)
	for range long(20, 100) {
		path := filepath.Join(dir, "app.csv")
		if have == 0 {
			if err := os.WriteFile(path, []byte("user,time,event,n\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		acked := max(have, int64(untilKilled(t, r, "follow", dir, "ack", 5)))
		if !Exists(filepath.Join(dir, "data")) {
			continue
		}
		s, err := Open(filepath.Join(dir, "data"), Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		mustCheck(t, s)
		snap, err := s.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		in := snap.Info()
		if have = in.Events; have < acked {
			t.Errorf("%d rows are there, %d were acknowledged", have, acked)
		}
		seen := map[string]bool{}
		err = snap.Scan(context.Background(), model.Split{To: model.Buckets}, model.Filter{Until: model.NoCut, Columns: []string{"n"}}, func(tl *model.Timeline) error {
			for i := range tl.Time {
				text := tl.Props[0].At(in.Key("n"), i)
				n, err := strconv.Atoi(text)
				want := strings.Split(strings.TrimSpace(followedRow(n)), ",")
				at := time.UnixMilli(tl.Time[i]).UTC().Format(time.RFC3339)
				if name := in.Names[tl.Name[i]].Name; err != nil || seen[text] || int64(n) > have || tl.ID != want[0] || at != want[1] || name != want[2] {
					return fmt.Errorf("row %q of %s at %s, %s, is none of the file's, or is there twice", text, tl.ID, at, name)
				}
				seen[text] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		snap.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if have > 200 {
			dir, have = t.TempDir(), 0
		}
	}
}
