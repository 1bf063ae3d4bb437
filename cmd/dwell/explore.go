package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dwell/model/query"
	"dwell/tui"
	"dwell/tui/format"
)

type exploreOptions struct {
	name  string // of the data set in the header; "" takes the folder's
	theme string
	ascii bool
	mouse bool
}

func newOpen(a *app) *cobra.Command {
	var o exploreOptions
	c := &cobra.Command{
		Use:     "open [ADDRESS]",
		GroupID: groupStart,
		Short:   "Open the explorer, at an address if one is given",
		Long: `Open the explorer at an address (Y in the explorer copies the one on screen), or
where you were last. Without a terminal the answer is printed as text.`,
		Example: "  dwell open\n  dwell open 'retention?unit=week'\n  dwell open user/17850 --theme light",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			address := a.lastView()
			if len(args) > 0 {
				address = args[0]
			}
			return a.explore(cmd.Context(), address, o)
		},
	}
	o.flags(c.Flags())
	return c
}

// flags are those of every command that opens the explorer.
func (o *exploreOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.theme, "theme", "auto", "auto, light, dark or mono")
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII alone")
	f.BoolVar(&o.mouse, "mouse", true, "take the mouse's wheel and clicks")
}

func (a *app) explore(ctx context.Context, address string, o exploreOptions) error {
	dir, from := a.dataSet()
	return a.exploreAt(ctx, dir, from, address, o)
}

// exploreAt opens the explorer on a data set, or prints the address's answer
// where there is no terminal to draw on.
func (a *app) exploreAt(ctx context.Context, dir, from, address string, o exploreOptions) error {
	q, err := query.Parse(address)
	if err != nil {
		return usage(err)
	}
	switch o.theme {
	case "", "auto", "light", "dark", "mono":
	default:
		return usage(fmt.Errorf("%q is not a theme: use auto, light, dark or mono", o.theme))
	}
	s, err := a.openAt(ctx, dir, from)
	if err != nil {
		return err
	}
	_, out := terminal(a.stdout)
	_, in := terminal(a.stdin)
	if !out || !in {
		err := a.print(ctx, s.engine, q, view{format: "text"})
		return errors.Join(err, s.close())
	}
	d := &desk{app: a, session: s}
	if o.name == "" {
		o.name = filepath.Base(dir)
	}
	ui := &tui.Desk{Engine: s.engine, Shelf: s.shelf, Name: o.name, Now: a.now, Export: d.export, Load: d.load, Crash: d.crash, Remember: a.remember}
	_, err = tui.Run(ctx, ui, tui.Options{
		In: a.stdin, Out: a.stdout, Profile: tui.ProfileOf(os.Environ(), true), Theme: tui.Theme(o.theme), ASCII: o.ascii, Mouse: o.mouse,
	}, q.String())
	return errors.Join(err, d.close())
}

// A desk is what the explorer may do on this machine.
type desk struct {
	app     *app
	mu      sync.Mutex
	session *session
}

func (d *desk) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session.close()
}

// export writes a file into the working directory; a name that is taken gets a
// number.
func (d *desk) export(name string, write func(io.Writer) error) (string, error) {
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(filepath.Base(name), ext)
	for i := 1; ; i++ {
		try := stem + ext
		if i > 1 {
			try = stem + "-" + strconv.Itoa(i) + ext
		}
		f, err := os.OpenFile(try, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, fs.ErrExist) && i < 10_000 {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("the export cannot be written: %w", err)
		}
		err = errors.Join(write(f), f.Close())
		if err != nil {
			return "", errors.Join(err, os.Remove(try))
		}
		full, err := filepath.Abs(try)
		if err != nil {
			full = try
		}
		return full, nil
	}
}

// load closes the data set, loads the files, and reopens it.
func (d *desk) load(ctx context.Context, paths []string, p query.Progress) (tui.Engine, string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := d.session.dir
	if err := d.session.close(); err != nil {
		return d.session.engine, "", err
	}
	summary, loadErr := d.app.loadQuietly(ctx, dir, paths, p)
	s, err := d.app.openAt(context.WithoutCancel(ctx), dir, "")
	if err != nil {
		return d.session.engine, "", errors.Join(loadErr, err)
	}
	d.session = s
	return s.engine, summary, loadErr
}

// crash keeps the report of a panic among the program's state.
func (d *desk) crash(report string) (string, error) {
	dir := d.app.stateDir()
	if err := makeDir(dir); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "crash-"+d.app.now().UTC().Format("20060102T150405")+".txt")
	return path, os.WriteFile(path, []byte("dwell "+version+"\n"+report), 0o644)
}

// remember keeps the last view; that it could not be kept is no reason to stop.
func (a *app) remember(address string) {
	if makeDir(a.stateDir()) == nil {
		_ = os.WriteFile(a.lastViewFile(), []byte(address+"\n"), 0o644)
	}
}

func (a *app) lastViewFile() string { return filepath.Join(a.stateDir(), "last-view") }

// lastView is the address to open where none is given.
func (a *app) lastView() string {
	body, err := os.ReadFile(a.lastViewFile())
	if err != nil {
		return "overview"
	}
	address := strings.TrimSpace(string(body))
	if _, err := query.Parse(address); err != nil || address == "" {
		return "overview"
	}
	return address
}

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the folder %s cannot be made: %w", dir, err)
	}
	return nil
}

// rowsIn is the sentence about a load.
func rowsIn(stored, rejected int64) string {
	return fmt.Sprintf("%s rows stored, %s rejected", format.Count(stored), format.Count(rejected))
}
