package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/modeltest"
)

// childHolds opens the data set, says so, and holds it until its input ends.
func childHolds(dir string) int {
	s, err := Open(dir, Options{ReadOnly: os.Getenv("DWELL_STORE_WRITE") == ""})
	if err != nil {
		fmt.Println("refused", err)
		return 0
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Close(); err != nil {
		fmt.Println("close", err)
	}
	return 0
}

// hold has another process hold the data set for the rest of the test, or until
// release is called.
func hold(t *testing.T, dir string, write bool) (pid int, release func()) {
	t.Helper()
	cmd := child("hold", dir)
	if write {
		cmd.Env = append(cmd.Env, "DWELL_STORE_WRITE=1")
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	release = func() {
		if in != nil {
			in.Close()
			in = nil
			_ = cmd.Wait()
		}
	}
	t.Cleanup(release)
	sc := bufio.NewScanner(out)
	if !sc.Scan() || sc.Text() != "open" {
		t.Fatalf("the other process says %q", sc.Text())
	}
	return cmd.Process.Pid, release
}

// filled is the directory of a closed data set with a few loads.
func filled(t testing.TB, loads int) string {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range loads {
		if _, err := modeltest.Load(t, s, loadPlan(n+1), loadRows(n+1), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadersShare(t *testing.T) {
	dir := filled(t, 1)
	for range 3 {
		hold(t, dir, false)
	}
	for range 2 {
		s, err := Open(dir, Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Begin(context.Background(), loadPlan(2)); !errors.Is(err, ErrReadOnly) {
			t.Errorf("a load into a data set open for reading gives %v", err)
		}
		mustCheck(t, s)
		// The shelf needs no lock.
		if _, err := s.Shelf().Put(model.KindSegment, "mine", []byte("rule = 'x'\n"), ""); err != nil {
			t.Error(err)
		}
	}
}

// TestRefusals wants who holds the data set in the sentence.
func TestRefusals(t *testing.T) {
	dir := filled(t, 1)
	pid, release := hold(t, dir, false)
	_, err := Open(dir, Options{})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", pid)) || !strings.Contains(err.Error(), "for reading since") {
		t.Errorf("a writer while a reader holds it: %v", err)
	}
	release()
	pid, release = hold(t, dir, true)
	for _, readOnly := range []bool{true, false} {
		_, err := Open(dir, Options{ReadOnly: readOnly})
		if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", pid)) || !strings.Contains(err.Error(), "for writing since") {
			t.Errorf("read-only %t while a writer holds it: %v", readOnly, err)
		}
	}
	release()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatalf("once it is free: %v", err)
	}
	s.Close()
	if left, _ := os.ReadDir(filepath.Join(dir, dirHolders)); len(left) != 0 {
		t.Errorf("%d holders are left behind", len(left))
	}
}

func TestStaleHolder(t *testing.T) {
	dir := filled(t, 1)
	cmd := child("nothing", dir) // a process that has ended: its number is free
	cmd.Args, cmd.Stderr = append(cmd.Args, "-test.run=^$"), nil
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	stale := fmt.Sprintf("pid = %d\ncommand = \"gone\"\nmode = \"writing\"\nsince = 2020-01-01T00:00:00Z\n", cmd.Process.Pid)
	if err := os.WriteFile(filepath.Join(dir, dirHolders, "1-x.toml"), []byte(stale), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := holders(dir); len(got) != 0 {
		t.Errorf("the dead hold it: %+v", got)
	}
}

// A writer removes what killed processes have left, even where another process has their
// number by now or they were killed while they wrote it; never what the living hold.
func TestDeadHoldersGo(t *testing.T) {
	dir := filled(t, 1)
	put := func(name, body string) string {
		t.Helper()
		path := filepath.Join(dir, dirHolders, name)
		if err := os.WriteFile(path, []byte(body), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	body := func(pid int, more string) string {
		return fmt.Sprintf("pid = %d\ncommand = \"x\"\nmode = \"reading\"\nsince = 2020-01-01T00:00:00Z\n%s", pid, more)
	}
	dead := []string{
		put("reused", body(os.Getpid(), "locked = true\n")), // by this process
		put("halfway", "pid ="),
		put("empty", ""),
	}
	living := []string{put("earlier-program", body(os.Getpid(), ""))}
	release := register(dir, modeRecovering, time.Now())
	defer release()
	if got := holders(dir); len(got) != 2 || !recovering(got) {
		t.Errorf("the living are %+v", got)
	}
	put("reused", body(os.Getpid(), "locked = true\n"))
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range dead {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s stays", filepath.Base(path))
		}
	}
	for _, path := range living {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
	if got := holders(dir); len(got) != 3 {
		t.Errorf("the living and the writer are %+v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := holders(dir); len(got) != 2 {
		t.Errorf("after the writer there are %+v", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, Options{}); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("a file gives %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none"), Options{ReadOnly: true}); !errors.Is(err, ErrNoData) {
		t.Errorf("nothing gives %v", err)
	}
	if Exists(dir) {
		t.Error("an empty directory is taken for a data set")
	}
	newer := filled(t, 0)
	s, err := Open(newer, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.writeFormat(formatNumber + 1); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, readOnly := range []bool{true, false} {
		if _, err := Open(newer, Options{ReadOnly: readOnly}); !errors.Is(err, ErrNewer) {
			t.Errorf("a newer format gives %v", err)
		}
	}
	if os.Geteuid() != 0 { // root may write anywhere
		locked := filled(t, 1)
		if err := os.Chmod(locked, 0o555); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(locked, 0o777)
		if _, err := Open(locked, Options{}); err == nil || !strings.Contains(err.Error(), "ask its owner") {
			t.Errorf("a read-only directory gives %v", err)
		}
		r, err := Open(locked, Options{ReadOnly: true})
		if err != nil {
			t.Errorf("a read-only directory cannot be read: %v", err)
		} else {
			r.Close()
		}
	}
}

// TestManifestGone: Badger would begin anew and delete the tables.
func TestManifestGone(t *testing.T) {
	dir := filled(t, 2)
	if err := os.Remove(filepath.Join(dir, dirBadger, "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadDir(filepath.Join(dir, dirBadger))
	if err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{true, false} {
		if _, err := Open(dir, Options{ReadOnly: readOnly}); !errors.Is(err, ErrDamaged) {
			t.Errorf("without its manifest (read-only %t): %v", readOnly, err)
		}
	}
	after, err := os.ReadDir(filepath.Join(dir, dirBadger))
	if err != nil || len(after) != len(before) {
		t.Errorf("%d files were there, %d are: %v", len(before), len(after), err)
	}
}

// TestModes wants Badger's files readable by whom the umask lets read.
func TestModes(t *testing.T) {
	dir := filled(t, 2)
	di, err := os.Stat(filepath.Join(dir, dirBadger))
	if err != nil {
		t.Fatal(err)
	}
	want := di.Mode().Perm() & 0o444
	plain := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(plain, 0o777); err != nil {
		t.Fatal(err)
	}
	if pi, err := os.Stat(plain); err != nil || pi.Mode() != di.Mode() {
		t.Errorf("Badger's directory has mode %v, and one made here %v", di.Mode(), pi.Mode())
	}
	files, err := os.ReadDir(filepath.Join(dir, dirBadger))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if fi, err := f.Info(); err != nil || fi.Mode().Perm()&want != want {
			t.Errorf("%s has mode %v, %v", f.Name(), fi.Mode(), err)
		}
	}
}

// TestSpace runs out of room at each point where a load asks.
func TestSpace(t *testing.T) {
	asked := 0
	free := func(limit int) func(string) (uint64, error) {
		asked = 0
		return func(string) (uint64, error) {
			if asked++; asked > limit {
				return 1 << 20, nil
			}
			return 1 << 40, nil
		}
	}
	if _, err := Open(t.TempDir(), Options{Free: free(0)}); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "1 MiB are free") {
		t.Errorf("a full disk gives %v", err)
	}
	dir := t.TempDir() // what a refused opening made goes again
	for _, at := range []string{dir, filepath.Join(dir, "new")} {
		if _, err := Open(at, Options{Free: free(0)}); !errors.Is(err, ErrNoSpace) {
			t.Errorf("a full disk gives %v", err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("opening %s left %v, %v", at, left, err)
		}
	}
	d := open(t, Options{Memory: 1 << 18})
	if _, err := modeltest.Load(t, d, loadPlan(1), loadRows(1), 1); err != nil {
		t.Fatal(err)
	}
	whole := func() int {
		d.Store.opt.Free = free(1 << 30)
		ld, err := d.Begin(context.Background(), loadPlan(2))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range modeltest.Batches(loadRows(2), 100) {
			if err := ld.Add(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := ld.Abort(); err != nil {
			t.Fatal(err)
		}
		return asked
	}()
	if whole < 2 {
		t.Fatalf("the load asked %d times before its commit; it should have spilled", whole)
	}
	for _, limit := range []int{0, 1, whole - 1, whole, whole + 1, whole + 50, whole + 200} {
		d.Store.opt.Free = free(limit)
		if _, err := modeltest.Load(t, d, loadPlan(2), loadRows(2), 1); !errors.Is(err, ErrNoSpace) {
			t.Errorf("with room for %d steps the load gives %v", limit, err)
		}
		mustCheck(t, d.Store)
		if st, err := d.Stats(); err != nil || st.Loads != 1 {
			t.Errorf("%d loads are there, %v", st.Loads, err)
		}
		if _, err := os.Stat(filepath.Join(d.dir, dirSpill)); err == nil {
			t.Error("the spill folder is still there")
		}
	}
	d.Store.opt.Free = free(1 << 30)
	if _, err := modeltest.Load(t, d, loadPlan(2), loadRows(2), 1); err != nil {
		t.Errorf("once there is room: %v", err)
	}
}

func TestLoadCancelled(t *testing.T) {
	d := open(t, Options{Memory: 1 << 18})
	ctx, cancel := context.WithCancel(context.Background())
	ld, err := d.Begin(ctx, loadPlan(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Begin(context.Background(), loadPlan(2)); !errors.Is(err, ErrBusy) {
		t.Errorf("a second load at once gives %v", err)
	}
	bs := modeltest.Batches(loadRows(1), 100)
	for _, b := range bs[:5] {
		if err := ld.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	waiting := make(chan error)
	go func() { waiting <- ld.Add(bs[7]) }() // its turn never comes
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("a batch that waits gives %v", err)
	}
	if _, err := ld.Commit(model.Quality{}, nil); err == nil {
		t.Error("a cancelled load can be committed")
	}
	if err := ld.Abort(); err != nil {
		t.Fatal(err)
	}
	if _, err := modeltest.Load(t, d, loadPlan(1), loadRows(1), 1); err != nil {
		t.Errorf("the load after it: %v", err)
	}
}

// TestWorkersDoNotMatter loads the same rows with one worker and with several,
// spilling or not: names, numbers, chunks and version are the same.
func TestWorkersDoNotMatter(t *testing.T) {
	type result struct {
		hash  string
		names []model.NameInfo
		keys  []model.KeyInfo
	}
	var want result
	for i, o := range []Options{{}, {Memory: 1 << 18}, {Memory: 1 << 18, Workers: 1}, {Workers: 7}} {
		d := open(t, o)
		for n := range 2 {
			rows := loadRows(n + 1)
			if _, err := modeltest.Load(t, d, loadPlan(n+1), rows, 1+3*(i%2)); err != nil {
				t.Fatal(err)
			}
		}
		s, err := d.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got := result{s.Info().Version.Hash, s.Info().Names, s.Info().Keys}
		s.Close()
		if i == 0 {
			want = got
		} else if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("options %d: the data set differs:\n%.300v\nwant\n%.300v", i, got, want)
		}
	}
}

// TestMarkerText pins how a marker is written: it is JSON by field names, so a
// renamed field of the model would read as zero.
func TestMarkerText(t *testing.T) {
	text := `{"Load":7,"Info":{"ID":7,"At":5,"Mapping":"m","Zone":"UTC","Users":2,"Quality":{"Read":9,"Stored":3,"Already":2,"Dropped":1,` +
		`"Rejected":[{"Reason":"no user id","Count":3,"Lines":[{"Source":0,"Line":4,"Text":"t"}]}],"Equal":1,"Ambiguous":1,"Missing":1,"Future":1,` +
		`"Unordered":1,"Rounded":1,"BadUTF8":1,"EmptyDays":[3],"Impossible":1,"Types":[{"Key":"k","Text":1,"Number":1,"Bool":1,"Time":1,"Null":1,"Compound":1}]}},` +
		`"Sources":[{"Path":"p","Digest":"d","Load":0,"Bytes":8,"Rows":9}],"Events":3,"NewUsers":1,"Chunks":2,"Pages":2,"Bytes":100,"First":1,"Last":2,` +
		`"Dated":true,"Amounts":true,"Names":4,"Keys":[{"Plain":false,"Values":3}],"KeepEqual":true,"Digest":"x"}`
	key := appendLoadKey(nil, kindMarker, 7)
	m, err := decodeMarker(key, seal(key, append(make([]byte, envelopeLen), text...)))
	if err != nil {
		t.Fatal(err)
	}
	back, err := encodeMarker(m)
	if dates, clock := m.reach(); dates != clock || dates != (model.Reach{First: 1, Last: 2, Any: true}) {
		t.Errorf("an earlier program's marker has dates in %+v and times in %+v, want both anywhere", dates, clock)
	}
	m.AllDated = true
	if _, clock := m.reach(); clock.Any {
		t.Errorf("a load of dates alone has times in %+v", clock)
	}
	m.AllDated = false
	if err != nil || string(back[envelopeLen:]) != text {
		t.Errorf("the marker comes back as\n%s\nwant\n%s", back[envelopeLen:], text)
	}
}

func TestSnapshotsOutliveNothing(t *testing.T) {
	dir := filled(t, 1)
	s, err := Open(dir, Options{ReadOnly: true, Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := s.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	started, done := make(chan bool), make(chan error)
	go func() {
		first := true
		done <- snap.Scan(context.Background(), model.Split{To: model.Buckets}, model.Filter{Until: model.NoCut}, func(*model.Timeline) error {
			if first {
				close(started)
				first = false
			}
			return nil
		})
	}()
	<-started
	if err := s.Close(); err != nil { // waits for the scan
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("the scan under way gives %v", err)
	}
	if _, err := snap.User(context.Background(), "user1", model.Filter{}); !errors.Is(err, model.ErrClosed) {
		t.Errorf("a read after Close gives %v", err)
	}
	if _, err := s.Snapshot(context.Background()); !errors.Is(err, model.ErrClosed) {
		t.Errorf("a snapshot after Close gives %v", err)
	}
}
