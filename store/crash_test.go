package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/modeltest"
)

// TestMain lets this binary be the process that other tests kill or feed with
// damaged files: with DWELL_STORE_CHILD set it does that and no test.
func TestMain(m *testing.M) {
	var code int
	switch dir := os.Getenv("DWELL_STORE_DIR"); os.Getenv("DWELL_STORE_CHILD") {
	case "load":
		code = childLoads(dir)
	case "read":
		code = childReads(dir)
	case "hold":
		code = childHolds(dir)
	case "model":
		code = childChangesModel(dir)
	case "backup":
		code = childBacksUp(dir)
	case "restore":
		code = childRestores(dir)
	case "compact":
		code = childCompacts(dir)
	case "follow":
		code = childFollows(dir)
	case "smalldisk":
		code = childOnSmallDisk(dir)
	default:
		code = m.Run()
	}
	os.Exit(code)
}

// child is a command that runs this binary as what over dir.
func child(what, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DWELL_STORE_CHILD="+what, "DWELL_STORE_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// long is how often a random test is repeated: few times, many under
// DWELL_LONG=1, a quarter with -short.
func long(few, many int) int {
	switch {
	case os.Getenv("DWELL_LONG") == "1":
		return many
	case testing.Short():
		return few / 4
	}
	return few
}

// loadRows are the rows of the n-th load of a child; every fifth equals one of
// the load before.
func loadRows(n int) []modeltest.Row {
	r := rand.New(rand.NewPCG(uint64(n), 5))
	var rows []modeltest.Row
	for i := range 1500 {
		k := n
		if i%5 == 0 && n > 1 {
			k--
		}
		rows = append(rows, modeltest.Row{
			User: fmt.Sprint("user", r.IntN(400)), Time: int64(k)*1_000_000 + int64(i), Event: fmt.Sprint("event", i%7), Amount: model.Money(i),
			Props: map[string]string{"k": fmt.Sprint("value", r.IntN(900)), "load": strconv.Itoa(k)},
		})
	}
	return rows
}

func loadPlan(n int) model.LoadPlan {
	return model.LoadPlan{Zone: "UTC", At: int64(n), Sources: []model.SourceInfo{{Path: fmt.Sprint("file", n), Digest: fmt.Sprint("digest", n), Rows: 1500}}}
}

// childLoads loads one after the other until it is killed, saying what it does.
func childLoads(dir string) int {
	s, err := Open(dir, Options{Memory: 1 << 18})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	snap, err := s.Snapshot(context.Background())
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	n := len(snap.Info().Loads) + 1
	snap.Close()
	for ; ; n++ {
		p := loadPlan(n)
		ld, err := s.Begin(context.Background(), p)
		if err != nil {
			fmt.Println("error", err)
			return 1
		}
		for i, b := range modeltest.Batches(loadRows(n), 100) {
			if err := ld.Add(b); err != nil {
				fmt.Println("error", err)
				return 1
			}
			fmt.Println("batch", n, i)
		}
		fmt.Println("commit", n)
		if _, err := ld.Commit(model.Quality{Read: 1500}, p.Sources); err != nil {
			fmt.Println("error", err)
			return 1
		}
		fmt.Println("ack", n)
		if n%3 == 0 {
			if _, err := s.Compact(context.Background()); err != nil {
				fmt.Println("error", err)
				return 1
			}
			fmt.Println("merged", n)
		}
	}
}

// TestKilled kills a process that loads, and merges its loads now and then, at
// random moments. Whatever the moment, the
// data set then holds every load that was acknowledged, at most one that was
// about to be, and nothing else.
func TestKilled(t *testing.T) {
	r := rand.New(rand.NewPCG(freshSeed(t), 6))
	dir, have := t.TempDir(), 0
	for range long(20, 100) {
		acked := max(have, loadedUntilKilled(t, dir, r))
		if have = verifyLoads(t, dir, acked, r.IntN(2) == 0); have > 12 {
			dir, have = t.TempDir(), 0 // small again, to stay quick
		}
	}
}

// loadedUntilKilled gives the greatest load acknowledged before the kill.
func loadedUntilKilled(t *testing.T, dir string, r *rand.Rand) (acked int) {
	t.Helper()
	cmd := child("load", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, delay, after := r.IntN(40), time.Duration(r.IntN(30_000))*time.Microsecond, r.IntN(3)
	var timer *time.Timer
	sc := bufio.NewScanner(out)
	for n := 0; sc.Scan(); n++ {
		word, rest, _ := strings.Cut(sc.Text(), " ")
		switch word {
		case "error":
			t.Errorf("the child failed: %s", rest)
		case "ack":
			acked, _ = strconv.Atoi(rest)
		case "commit":
			after--
		}
		// Half the kills come while batches are added, half in a commit, from
		// its begin to well after.
		if timer == nil && (lines < 20 && n >= lines || lines >= 20 && after < 0) {
			timer = time.AfterFunc(delay, func() { cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait()
	if timer != nil {
		timer.Stop()
	}
	return acked
}

// verifyLoads opens the data set both ways and compares it with what the loads
// should have brought. It gives how many there are.
func verifyLoads(t *testing.T, dir string, acked int, readOnlyFirst bool) (n int) {
	t.Helper()
	modes := []bool{readOnlyFirst, !readOnlyFirst}
	var have []string
	for _, readOnly := range modes {
		if readOnly && !Exists(dir) {
			continue // killed before anything was there
		}
		s, err := Open(dir, Options{ReadOnly: readOnly})
		if errors.Is(err, ErrInUse) {
			t.Fatalf("a killed process still holds the data set: %v", err)
		}
		if err != nil {
			t.Fatalf("open after a kill (read-only %t): %v", readOnly, err)
		}
		mustCheck(t, s)
		snap, err := s.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		in := snap.Info()
		n = len(in.Loads)
		if n < acked || n > acked+1 {
			t.Errorf("%d loads are there, %d were acknowledged", n, acked)
		}
		for i, src := range in.Sources {
			if src.Path != fmt.Sprint("file", i+1) {
				t.Errorf("source %d is %s", i, src.Path)
			}
		}
		mem := model.NewMemory()
		for i := range n {
			if _, err := modeltest.Load(t, mem, loadPlan(i+1), loadRows(i+1), 1); err != nil {
				t.Fatal(err)
			}
		}
		want, err := mem.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		f := modeltest.AllColumns(want.Info())
		got, exp := modeltest.Dump(t, snap, f), modeltest.Dump(t, want, f)
		if strings.Join(got, "") != strings.Join(exp, "") {
			t.Errorf("after a kill with %d loads the events differ from what was loaded", n)
		}
		if have != nil && strings.Join(have, "") != strings.Join(got, "") {
			t.Error("read-only and writing opens see different events")
		}
		have = got
		snap.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	return n
}
