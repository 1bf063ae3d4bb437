// Command dwell explores user lifecycles in a terminal: it loads event files
// into an embedded store, says in which stage of its life each user is and why,
// and opens the users behind every figure.
//
// The command holds no logic of its own: it wires files, store, engine and
// screen together. One file holds one subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
	_ "time/tzdata" // zones are known on machines that have none

	"golang.org/x/term"
)

// version is set by the linker in releases: -X main.version=1.2.3.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it returns the exit code and never ends the process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, getenv: os.Getenv, now: time.Now}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	code := exitCode(err)
	switch {
	case err == nil:
	case ctx.Err() != nil && code != exitUsage:
		code = exitCancelled
		fmt.Fprintln(stderr, "dwell: cancelled; nothing was half-done")
	case !errors.Is(err, errSilent):
		fmt.Fprintf(stderr, "dwell: %v\n", err)
	}
	a.closeLog(code, err)
	return code
}

// app is what every subcommand is given: the streams of the process, its
// environment and clock, and the persistent flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time

	db      string // --db
	memory  string // --memory
	logFile string // --log-file
	log     *os.File
}

// terminal says whether a stream is a terminal, and how wide it is.
func terminal(stream any) (width int, ok bool) {
	f, isFile := stream.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 80, false
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil || w <= 0 {
		w = 80
	}
	return w, true
}

// workers is how many goroutines one run may use: one processor is left for the
// screen.
func workers() int { return max(runtime.GOMAXPROCS(0)-1, 1) }
