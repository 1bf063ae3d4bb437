package tui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// The tests of this file run the explorer in a real pseudo-terminal: the test's
// own binary is started again as the child that draws.

const childEnv = "DWELL_TUI_CHILD"

func TestMain(m *testing.M) {
	if address := os.Getenv(childEnv); address != "" {
		os.Exit(child(address))
	}
	os.Exit(m.Run())
}

func child(address string) int {
	e := sampleEngine()
	desk := &Desk{Engine: e, Name: "demo", Now: time.Now,
		Crash: func(report string) (string, error) {
			fmt.Fprintln(os.Stderr, strings.Contains(report, "goroutine"))
			return "crash.txt", nil
		}}
	if address == "panic" {
		address, desk.Namer = "user/x", faultyNamer{}
	}
	last, err := Run(context.Background(), desk, Options{In: os.Stdin, Out: os.Stdout, Profile: ProfileOf(os.Environ(), true), Mouse: true}, address)
	if err != nil {
		fmt.Println("child: " + err.Error())
		return 1
	}
	fmt.Println("child: ended at " + last)
	return 0
}

// A faultyNamer panics while the header is drawn.
type faultyNamer struct{ Clear }

func (faultyNamer) ID(string) string { panic("a fault in drawing") }

// A term is a pseudo-terminal with a child in it. It is mute: it never answers.
type term struct {
	t    *testing.T
	file *os.File
	vt   vt10x.Terminal
	mu   sync.Mutex
	raw  bytes.Buffer
	more chan struct{} // closed and renewed when output has come
	done chan struct{} // closed when the output has ended
	cmd  *exec.Cmd
}

func startTerm(t *testing.T, cols, rows int, address string, env ...string) *term {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append([]string{childEnv + "=" + address, "TERM=xterm-256color", "COLORTERM=", "NO_COLOR="}, env...)...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)})
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	x := &term{t: t, file: f, vt: vt10x.New(vt10x.WithSize(cols, rows)), more: make(chan struct{}), done: make(chan struct{}), cmd: cmd}
	go x.read()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = f.Close()
		<-x.done
	})
	return x
}

func (x *term) read() {
	defer close(x.done)
	buf := make([]byte, 1<<16)
	for {
		n, err := x.file.Read(buf)
		if n > 0 {
			x.mu.Lock()
			x.raw.Write(buf[:n])
			_, _ = x.vt.Write(buf[:n]) // a terminal takes what it is given
			close(x.more)
			x.more = make(chan struct{})
			x.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

func (x *term) send(s string) {
	x.t.Helper()
	if _, err := io.WriteString(x.file, s); err != nil {
		x.t.Fatal(err)
	}
}

func (x *term) bytes() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.raw.Len()
}

// wait blocks until the screen holds the text. The deadline only keeps a broken
// program from hanging the test.
func (x *term) wait(text string) {
	x.t.Helper()
	deadline := time.NewTimer(60 * time.Second)
	defer deadline.Stop()
	for {
		x.mu.Lock()
		shown, more := x.vt.String(), x.more
		x.mu.Unlock()
		if strings.Contains(shown, text) {
			return
		}
		select {
		case <-more:
		case <-x.done:
			x.mu.Lock()
			defer x.mu.Unlock()
			if strings.Contains(x.vt.String(), text) {
				return
			}
			x.t.Fatalf("the program has ended and never showed %q:\n%s", text, x.vt.String())
		case <-deadline.C:
			x.t.Fatalf("the screen never showed %q:\n%s", text, shown)
		}
	}
}

// A terminal that never answers does not delay the first frame, and nothing is
// asked of it before that frame.
func TestMuteTerminal(t *testing.T) {
	x := startTerm(t, 120, 40, "retention")
	x.wait("Cohorts by week")
	x.mu.Lock()
	raw := x.raw.String()
	x.mu.Unlock()
	frame := strings.Index(raw, "retention")
	for _, q := range []string{"\x1b]11;?", "\x1b]10;?", "\x1b[6n", "\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[?u"} {
		if at := strings.Index(raw, q); at >= 0 && at < frame {
			t.Errorf("%q is asked before the first frame", q)
		}
	}
}

// The terminal's answer to the question for its background changes the colours
// and never reaches the screen as keys.
func TestBackgroundAnswerIsNoKeys(t *testing.T) {
	x := startTerm(t, 80, 24, "users")
	x.wait("1/1,000,000")
	x.send("\x1b]11;rgb:ffff/ffff/ffff\x1b\\jj")
	x.wait("3/1,000,000")
}

// Keys that arrive in one read are all taken; esc and j in one read are esc, then j.
func TestKeyBursts(t *testing.T) {
	x := startTerm(t, 80, 24, "users")
	x.wait("1/1,000,000")
	x.send("jjjjjjjjjj")
	x.wait("11/1,000,000")
	x.send("\x1bj") // esc: out to the overview
	x.wait("maturity")
	x.send(":users\r")
	x.wait("1/1,000,000")
	x.send("Gk")
	x.wait("999,999/1,000,000")
}

// A held key costs at most 500 bytes at 120×40 on average, the jumps at the edge
// of the window included.
func TestBytesOfAHeldKey(t *testing.T) {
	x := startTerm(t, 120, 40, "users")
	x.wait("1/1,000,000")
	const keys = 120
	was := x.bytes()
	for i := range keys {
		x.send("j")
		x.wait(fmt.Sprintf(" %d/1,000,000", i+2))
	}
	if per := (x.bytes() - was) / keys; per > 500 {
		t.Errorf("%d bytes a key, want at most 500", per)
	} else {
		t.Logf("%d bytes a key", per)
	}
}

// No screen costs more than 12 kB at 120×40, colours included.
func TestBytesOfAScreen(t *testing.T) {
	for _, address := range []string{"retention", "users", "stages"} {
		x := startTerm(t, 120, 40, "overview")
		x.wait("overview")
		x.send(":" + address)
		x.wait(":" + address)
		was := x.bytes()
		x.send("\r")
		x.wait(map[string]string{"retention": "2011-10-03", "users": "1/1,000,000", "stages": "Nothing to show"}[address])
		x.send("M") // one more frame: what was being drawn is out
		x.wait("terminal again")
		if n := x.bytes() - was; n > 12_000 {
			t.Errorf("%s takes %d bytes, want at most 12,000", address, n)
		} else {
			t.Logf("%s: %d bytes", address, n)
		}
	}
}

// q restores the terminal and ends; so does a panic, which leaves a report.
func TestEnds(t *testing.T) {
	x := startTerm(t, 80, 24, "users")
	x.wait("1/1,000,000")
	x.send("q")
	x.wait("child: ended at users")
	x.mu.Lock()
	raw := x.raw.String()
	x.mu.Unlock()
	if !strings.Contains(raw, "\x1b[?1049l") {
		t.Error("the alternate screen was not left")
	}

	x = startTerm(t, 120, 24, "panic")
	x.wait("the report is in crash.txt")
	x.mu.Lock()
	raw = x.raw.String()
	x.mu.Unlock()
	if !strings.Contains(raw, "\x1b[?1049l") {
		t.Error("the alternate screen was not left after a panic")
	}
}

// NO_COLOR and TERM=dumb draw without a single colour, and the cursor still shows.
func TestWithoutColour(t *testing.T) {
	for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
		x := startTerm(t, 80, 24, "users", env)
		x.wait("▸ user-0000000")
		x.mu.Lock()
		raw := x.raw.String()
		x.mu.Unlock()
		for _, c := range []string{"\x1b[38", "\x1b[48", "\x1b[3", "\x1b[4"} {
			for at := strings.Index(raw, c); at >= 0; at = -1 {
				if end := strings.IndexByte(raw[at:], 'm'); end > 0 && end < 16 {
					t.Errorf("%s: a colour is drawn: %q", env, raw[at:at+end+1])
				}
			}
		}
	}
}
