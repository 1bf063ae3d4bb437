//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"dwell/model"
	"dwell/store"
	"dwell/store/ingest"
)

// asProgram makes this test's binary be the program itself (TestMain).
const asProgram = "DWELL_AS_PROGRAM" // read by TestMain

// An onScreen is the program in a pseudo-terminal.
type onScreen struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File
	mu   sync.Mutex
	vt   vt10x.Terminal
	more chan struct{} // closed and renewed when output has come
	done chan struct{}
}

// startOnScreen runs the program; with stdin, its standard input is that and its
// keys come from the terminal.
func startOnScreen(t *testing.T, dir string, stdin io.Reader, args ...string) *onScreen {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asProgram+"=1", "TERM=xterm-256color", "NO_COLOR=1", "TZ=UTC", "DWELL_DB=",
		"XDG_DATA_HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "XDG_STATE_HOME="+filepath.Join(dir, "state"))
	size := &pty.Winsize{Rows: 24, Cols: 100}
	master, slave, err := pty.Open()
	if err == nil {
		err = pty.Setsize(master, size)
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	// The terminal controls the child, so that /dev/tty is it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	if stdin != nil {
		cmd.Stdin = stdin
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	x := &onScreen{t: t, cmd: cmd, file: master, vt: vt10x.New(vt10x.WithSize(100, 24)), more: make(chan struct{}), done: make(chan struct{})}
	go x.read()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = master.Close()
		<-x.done
		go cmd.Wait() // it may wait for a standard input that nobody closes
	})
	return x
}

func (x *onScreen) read() {
	defer close(x.done)
	buf := make([]byte, 1<<16)
	for {
		n, err := x.file.Read(buf)
		if n > 0 {
			x.mu.Lock()
			_, _ = x.vt.Write(buf[:n])
			close(x.more)
			x.more = make(chan struct{})
			x.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// wait blocks until the screen holds all of the texts; the deadline only keeps a
// broken program from hanging the test.
func (x *onScreen) wait(texts ...string) {
	x.t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		x.mu.Lock()
		screen, more := x.vt.String(), x.more
		x.mu.Unlock()
		held := true
		for _, text := range texts {
			held = held && strings.Contains(screen, text)
		}
		if held {
			return
		}
		select {
		case <-more:
		case <-x.done:
			x.t.Fatalf("the program ended before %q was on screen:\n%s", texts, screen)
		case <-deadline:
			x.t.Fatalf("%q never came on screen:\n%s", texts, screen)
		}
	}
}

func (x *onScreen) send(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.file, keys); err != nil {
		x.t.Fatal(err)
	}
}

func followRow(user string, day int) string {
	return fmt.Sprintf("%s,2024-03-%02dT10:00:00Z,see\n", user, day)
}

// The explorer follows a file: it says that there is new data, shows it on U with
// the cursor on its row, and by itself after F; what it has stored stays. It waits for a
// file that is not there, or no longer.
func TestFollowAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.csv")
	var text bytes.Buffer
	text.WriteString("user,time,event\n")
	for i := range 8 {
		text.WriteString(followRow(fmt.Sprintf("kim%d", i), 1+i))
	}
	more := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	x := startOnScreen(t, dir, nil, "--db", filepath.Join(dir, "data"), "open", "users?sort=user", "--follow", "app.csv", "--ascii")
	x.wait("app.csv is not there yet: waiting for it to come")
	if err := os.WriteFile(path, text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	x.wait("1/8", "> kim0")
	x.send("jjj")
	x.wait("4/8", "> kim3")
	more(followRow("adam", 9) + followRow("kim3", 9) + "no row\n" + followRow("half", 9)[:9])
	x.wait("new data: 2 rows, 1 rejected", "4/8")
	x.send("U")
	x.wait("5/9", "> kim3") // adam stands before it now
	x.send("F")
	x.wait("as it comes")
	more(followRow("half", 9)[9:] + followRow("abel", 10))
	x.wait("7/11", "> kim3", "abel", "adam", "half")
	x.send(":quality\r")
	x.wait("load 3", "stored")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	x.wait("is gone: waiting for it to come back")
	if err := os.WriteFile(path, []byte("user,time,event\n"+followRow("late", 11)), 0o666); err != nil {
		t.Fatal(err)
	}
	x.wait("load 4")
	x.send("q")
	<-x.done
}

// With - the rows come from standard input, and the keys from the terminal; a data
// set that has nothing yet waits for the first rows.
func TestFollowStandardInput(t *testing.T) {
	dir := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	x := startOnScreen(t, dir, r, "--db", filepath.Join(dir, "data"), "--follow", "-", "--auto", "--ascii")
	r.Close()
	x.wait("waiting for the first rows of standard input")
	if _, err := io.WriteString(w, "user,time,event\n"+followRow("kim", 1)); err != nil {
		t.Fatal(err)
	}
	x.wait("Overview", "users 1")
	if _, err := io.WriteString(w, followRow("adam", 2)+strings.TrimSuffix(followRow("eve", 2), "\n")); err != nil {
		t.Fatal(err)
	}
	x.wait("users 2")
	if err := w.Close(); err != nil { // the last row needs no line end
		t.Fatal(err)
	}
	x.wait("users 3")
	x.send("q")
	<-x.done
}

// A signal ends it as q does, also when the terminal is closed. ctrl+z stops nothing that no shell could bring back.
func TestFollowIsToldToEnd(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			data := filepath.Join(dir, "data")
			x := startOnScreen(t, dir, r, "--db", data, "--follow", "-", "--auto", "--ascii")
			r.Close()
			if _, err := io.WriteString(w, "user,time,event\n"+followRow("kim", 1)); err != nil {
				t.Fatal(err)
			}
			x.wait("Overview", "users 1")
			x.send("\x1a")
			x.send(":quality\r")
			x.wait("load 1")
			if _, err := io.WriteString(w, followRow("adam", 2)+followRow("eve", 3)); err != nil {
				t.Fatal(err)
			}
			x.wait("load 2")
			if err := x.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if err := x.cmd.Wait(); err != nil {
				t.Errorf("after %v: %v", sig, err)
			}
			show := exec.Command(os.Args[0], "--db", data, "show", "events")
			show.Env = append(x.cmd.Env, "COLUMNS=80")
			out, err := show.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "events         3") {
				t.Errorf("after %v (%v) there is\n%s", sig, err, out)
			}
		})
	}
}

// A named pipe is refused: opening it would wait for a writer, and no key would end that.
func TestFollowRefusesANamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	none := func(context.Context) (*model.Info, error) { return &model.Info{}, nil }
	_, _, err := ingest.Follow(path, none).Next(t.Context(), ingest.Options{Now: time.Now()})
	if err == nil || !strings.Contains(err.Error(), "is no regular file: pipe it, as: cat ") {
		t.Errorf("it says %v", err)
	}
}

// What standard input has brought when the explorer is left is stored: nobody else has it.
func TestFollowStoresTheLastOfStandardInput(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, w := io.Pipe()
	f := &following{app: &app{now: time.Now}, db: db, shelf: store.NewShelf(dir, time.Now), opt: ingest.Options{Now: time.Now()}}
	f.tail = ingest.FollowReader(r, func(ctx context.Context) (*model.Info, error) { return known(ctx, db) })
	for _, text := range []string{"user,time,event\n" + followRow("kim", 1) + followRow("half", 2)[:9], ""} { // an empty write returns once the other was taken
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.last(); err != nil {
		t.Fatal(err)
	}
	if in, err := known(t.Context(), db); err != nil || in.Events != 1 {
		t.Errorf("%d events, want one (%v)", in.Events, err)
	}
	if n := f.tail.Behind(); n != 9 {
		t.Errorf("%d bytes are left, want the half row's 9", n)
	}
	w.Close()
}
