package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"dwell/model/query"
	"dwell/tui"
	"dwell/tui/format"
)

type exploreOptions struct {
	name  string // of the data set in the header; "" takes the folder's
	theme string
	ascii bool
	mouse bool

	follow string // a file that grows, or -
	auto   bool   // show what it brings without being asked
}

func newOpen(a *app) *cobra.Command {
	var o exploreOptions
	c := &cobra.Command{
		Use:     "open [ADDRESS]",
		GroupID: groupStart,
		Short:   "Open the explorer, at an address if one is given",
		Long: `Open the explorer at an address (Y in the explorer copies the one on screen), or
where you were last. Without a terminal the answer is printed as text.

With --follow the explorer also loads FILE, and then every whole line that is
appended to it, in small loads; it says when there is new data and shows it on U,
or as it comes after F (--auto). Rows that cannot be read are counted on the
quality screen. A file that is replaced or cut short is read from its beginning,
and no row is stored twice; a later --follow or load of the file goes on where
this one ended. Meanwhile nobody else can open the data set. With - the rows come
from standard input and the keys from the terminal; what has come is stored on
leaving.`,
		Example: "  dwell open\n  dwell open 'retention?unit=week'\n  dwell open user/17850 --theme light\n  dwell open events --follow app.log\n  ssh web tail -F -n +1 app.log | dwell open --follow -",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, _ := a.dataSet()
			address := a.lastView(dir)
			if len(args) > 0 {
				address = args[0]
			}
			return a.explore(cmd.Context(), address, o)
		},
		ValidArgsFunction: a.completeAddress,
	}
	o.flags(c)
	return c
}

// themes are what --theme takes.
func themes() []string { return []string{"auto", "light", "dark", "mono"} }

// flags defines the flags of every command that opens the explorer.
func (o *exploreOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.theme, "theme", "auto", "auto, light, dark or mono")
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII alone")
	f.BoolVar(&o.mouse, "mouse", true, "take the mouse's wheel and clicks")
	f.StringVar(&o.follow, "follow", "", "load `FILE` and what is appended to it while the explorer is open (- is standard input)")
	f.BoolVar(&o.auto, "auto", false, "with --follow: show new data as it comes (F in the explorer)")
	completeWords(c, "theme", themes()...)
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
	if !slices.Contains(themes(), o.theme) {
		return usage(fmt.Errorf("%q is not a theme: use auto, light, dark or mono", o.theme))
	}
	if o.follow != "" {
		return a.followAt(ctx, dir, from, q, o)
	}
	if o.auto {
		return usage(fmt.Errorf("--auto shows what --follow brings: name the file with --follow FILE"))
	}
	s, err := a.openAt(dir, from)
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
	return errors.Join(a.drawOn(ctx, d, a.stdin, q, o, nil), d.close())
}

// drawOn runs the explorer; keys come from in.
func (a *app) drawOn(ctx context.Context, d *desk, in io.Reader, q query.Query, o exploreOptions, news <-chan tui.News) error {
	if o.name == "" {
		o.name = filepath.Base(d.session.dir)
	}
	if !signal.Ignored(syscall.SIGHUP) { // a terminal that is closed ends it as q does
		var stop func()
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	}
	ui := &tui.Desk{Engine: d.session.engine, Shelf: d.session.shelf, Name: o.name, Now: a.now, Export: d.export, Load: d.load, Crash: d.crash, Suspend: suspend(), News: news, Auto: o.auto,
		Remember: func(address string) { a.remember(d.session.dir, address) }}
	if d.follow != nil {
		ui.Follows = d.follow.tail.Name()
	}
	_, err := tui.Run(ctx, ui, tui.Options{
		In: in, Out: a.stdout, Profile: tui.ProfileOf(os.Environ(), true), Theme: tui.Theme(o.theme), ASCII: o.ascii, Mouse: o.mouse,
	}, q.String())
	return err
}

// A desk is what the explorer may do on this machine.
type desk struct {
	app     *app
	mu      sync.Mutex
	session *session
	follow  *following // nil: no file is followed, and the data set is open for reading

	create func() (exportFile, error) // of exports; nil: newExport
}

func (d *desk) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session.close()
}

// An exportFile is a file being written; an error of Sync or Close is one of writing.
type exportFile interface {
	io.Writer
	Name() string
	Sync() error
	Close() error
}

// newExport makes the file that an export is written into before it has its name.
func newExport() (exportFile, error) {
	for i := 0; ; i++ {
		// Not os.CreateTemp, whose files are for their owner alone whatever the umask.
		f, err := os.OpenFile(fmt.Sprintf(".dwell-export-%d-%d", os.Getpid(), i), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if !errors.Is(err, fs.ErrExist) || i == 100 {
			return f, err
		}
	}
}

// export writes a file into the working directory; a name that is taken gets a
// number. It has its name once it is whole and on the disk: an export that fails, or
// is killed, leaves nothing that could be taken for one.
func (d *desk) export(name string, write func(io.Writer) error) (string, error) {
	create := newExport
	if d.create != nil {
		create = d.create
	}
	f, err := create()
	if err != nil {
		return "", fmt.Errorf("the export cannot be written: %w", err)
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	path := ""
	if err = errors.Join(err, f.Close()); err == nil {
		path, err = nameExport(f.Name(), name)
	}
	if err != nil {
		return "", fmt.Errorf("the export was not written: %w", errors.Join(err, os.Remove(f.Name())))
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	return path, nil
}

// nameExport gives a whole file the first name of its kind that is free.
func nameExport(tmp, name string) (string, error) {
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(filepath.Base(name), ext)
	for i := 1; ; i++ {
		try := stem + ext
		if i > 1 {
			try = stem + "-" + strconv.Itoa(i) + ext
		}
		err := os.Link(tmp, try) // which fails if the name is taken, and a rename does not
		if err == nil {
			return try, os.Remove(tmp)
		}
		if !errors.Is(err, fs.ErrExist) { // a file system without links
			var f *os.File
			if f, err = os.OpenFile(try, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644); err == nil {
				if err = errors.Join(f.Close(), os.Rename(tmp, try)); err != nil {
					err = errors.Join(err, os.Remove(try))
				}
				return try, err
			}
		}
		if !errors.Is(err, fs.ErrExist) || i == 10_000 {
			return "", err
		}
	}
}

// load closes the data set, loads the files, and reopens it.
func (d *desk) load(ctx context.Context, paths []string, p query.Progress) (tui.Engine, string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.follow != nil {
		summary, err := d.follow.loadToo(ctx, paths, p)
		return d.session.engine, summary, errors.Join(err, d.session.engine.Reload(ctx))
	}
	dir := d.session.dir
	if err := d.session.close(); err != nil {
		return d.session.engine, "", err
	}
	summary, loadErr := d.app.loadQuietly(ctx, dir, paths, p)
	s, err := d.app.openAt(dir, "")
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
