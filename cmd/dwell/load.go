package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/model/query"
	"dwell/store"
	"dwell/store/ingest"
)

// loading is one call of dwell load.
type loading struct {
	opt     ingest.Options
	starts  string
	rejects string
	dryRun  bool
	quiet   bool
	timing  bool

	paths  []string
	inputs []*ingest.Input // of the paths
	out    map[string]bool // paths of the inputs that are left out, once loaded
}

func newLoad(a *app) *cobra.Command {
	var l loading
	c := &cobra.Command{
		Use:     "load FILE…",
		GroupID: groupStart,
		Short:   "Load event files into the data set",
		Long: `Load event files (CSV or JSON, plain, gzip or zstd, and Parquet; - is standard
input) into the data set. Columns are recognised by name and content, printed, and
stored: a second file needs no flags. A load is all or nothing: cancelled or failed,
it leaves nothing behind. Rows that cannot be read are counted by reason and named
by line, never dropped in silence.`,
		Example: `  dwell load events.csv.gz --dry-run          what would be stored, and nothing is
  dwell load events.csv.gz
  dwell load jan.csv feb.csv mar.csv
  dwell load invoices.csv --user CustomerID --time InvoiceDate \
             --event-const purchase --amount 'Quantity*UnitPrice'
  zcat log.gz | dwell load - --tz Europe/Vienna --rejects bad.csv`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.load(cmd.Context(), args, l)
		},
	}
	f := c.Flags()
	o := &l.opt
	f.StringVar(&o.User, "user", "", "`COLUMN` with the user's id")
	f.StringVar(&o.Time, "time", "", "`COLUMN` with the time")
	f.StringVar(&o.Event, "event", "", "`COLUMN` with the event's name")
	f.StringVar(&o.EventConst, "event-const", "", "every row is an event of this `NAME`")
	f.StringVar(&o.Amount, "amount", "", "`COLUMN` with the amount, or an expression: Quantity*UnitPrice")
	f.StringSliceVar(&o.Props, "props", nil, "keep only these columns as properties: `a,b` (default: all others)")
	f.StringVar(&o.TimeFormat, "time-format", "", "`LAYOUT` of the times, as Go or strftime writes it")
	f.StringVar(&o.Zone, "tz", "", "`ZONE` of times that name none (IANA; default UTC, asked for in a terminal)")
	f.StringVar(&o.Delimiter, "delimiter", "", "`CHAR` between fields: , ; | tab blanks")
	f.StringVar(&o.Encoding, "encoding", "", "text `ENCODING` of the file: utf-8, latin1, windows-1252, utf-16 …")
	f.StringVar(&o.Header, "header", "", "is the first line a header: yes or no (default: recognised)")
	f.BoolVar(&o.AllowFuture, "allow-future", false, "store rows later than tomorrow instead of rejecting them")
	f.BoolVar(&o.KeepEqual, "keep-equal", false, "store rows although another file of the data set holds an equal one")
	f.BoolVar(&o.Dedupe, "dedupe", false, "drop rows equal to an earlier row of the same file")
	f.StringVar(&l.rejects, "rejects", "", "write every rejected row, with its reason, to `FILE`")
	f.StringVar(&l.starts, "starts", "", "complete: nobody used the product before the data's first day; partial: some did")
	f.BoolVar(&l.dryRun, "dry-run", false, "print what was recognised and the first rows; store nothing")
	f.BoolVar(&l.quiet, "quiet", false, "print errors only")
	f.BoolVar(&l.timing, "timing", false, "print time and memory as one JSON line at the end")
	completeWords(c, "header", "yes", "no")
	completeWords(c, "starts", "complete", "partial")
	completeWords(c, "time-format", ingest.TimeForms()...)
	completeWords(c, "encoding", "utf-8", "latin1", "windows-1252", "utf-16", "utf-16le", "utf-16be")
	return c
}

func (a *app) load(ctx context.Context, paths []string, l loading) error {
	if l.starts != "" && l.starts != "complete" && l.starts != "partial" {
		return usage(fmt.Errorf("--starts %s: use complete or partial", l.starts))
	}
	var timer *timing
	if l.timing {
		timer = startTiming()
		defer timer.end()
	}
	var err error
	l.paths = paths
	if l.inputs, err = a.inputs(paths); err != nil {
		return err
	}
	if err := l.apart(paths); err != nil {
		return err
	}
	l.opt.Now = a.now()
	dir, from := a.dataSet()
	say := a.stdout
	if l.quiet {
		say = io.Discard
	}

	// Whatever can be refused is refused before the data set is taken.
	shelf := store.NewShelf(dir, a.now)
	if err := l.stored(shelf); err != nil {
		return err
	}
	rec, err := a.recognise(ctx, l.inputs[0], &l, say)
	for i := 1; i < len(l.inputs) && errors.Is(err, ingest.ErrNothing); i++ {
		rec, err = a.recognise(ctx, l.inputs[i], &l, say) // of several files an empty one is left out
	}
	if err != nil {
		return inputError(err)
	}
	if l.dryRun {
		writePreview(say, rec)
		return nil
	}
	load, err := a.loadAt(ctx, dir, from, rec.Mapping, &l, say)
	if err != nil {
		return inputError(storeError(err))
	}
	if !l.quiet {
		var read []string // as they were named
		for i, p := range paths {
			if !l.out[l.inputs[i].Path] {
				read = append(read, p)
			}
		}
		writeQuality(say, &load.Quality, read)
		fmt.Fprintf(say, "%s of %s stored; look at them with: %s\n", counted(load.Quality.Stored, "row"), counted(load.Users, "user"), a.again("dwell"))
	}
	if timer != nil {
		return timer.write(a.stdout, load.Quality.Stored, load.Users)
	}
	return nil
}

// loadAt opens the data set for the load, makes it, and learns from it. What a failed
// first load has made of the folder goes again.
func (a *app) loadAt(ctx context.Context, dir, from string, m ingest.Mapping, l *loading, say io.Writer) (info model.LoadInfo, err error) {
	o, err := a.storeOptions()
	if err != nil {
		return info, err
	}
	o.Bulk = bulky(l.paths)
	// The collector works harder as the process comes near its budget.
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(o.Memory))
	fresh := isEmptyFolder(dir)
	_, statErr := os.Stat(dir)
	made := errors.Is(statErr, fs.ErrNotExist)
	db, err := store.Open(dir, o)
	if err != nil {
		return info, err
	}
	fmt.Fprintf(say, "data set  %s (%s)\n", dir, from)
	before, err := known(ctx, db)
	if err != nil {
		return info, errors.Join(err, db.Close())
	}
	fresh = fresh && len(before.Loads) == 0 // nobody else was quicker
	l.opt.Note = func(note string) { fmt.Fprintln(say, "  note     ", note) }
	l.out = map[string]bool{}
	l.opt.Skip = func(path, why string) {
		l.out[path] = true
		l.opt.Note(why)
	}
	info, err = a.loadInto(ctx, db, m, l)
	if err == nil {
		// The rows are stored: it is too late to cancel.
		err = a.learn(context.WithoutCancel(ctx), db, store.NewShelf(dir, a.now), lesson{m, before, l.starts}, say)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		if fresh && !errors.Is(err, store.ErrUnsynced) {
			err = errors.Join(err, emptyFolder(dir))
		}
		if made {
			_ = os.Remove(dir) // it goes only if it is empty, and may stay
		}
	}
	return info, err
}

// loadQuietly is a load from within the explorer: recognised as the earlier
// loads were, one sentence at the end.
func (a *app) loadQuietly(ctx context.Context, dir string, paths []string, p query.Progress) (string, error) {
	l := loading{quiet: true, opt: ingest.Options{Now: a.now()}}
	shelf := store.NewShelf(dir, a.now)
	if err := l.stored(shelf); err != nil {
		return "", err
	}
	inputs, err := a.inputs(paths)
	if err != nil {
		return "", err
	}
	o, err := a.storeOptions()
	if err != nil {
		return "", err
	}
	o.Bulk = bulky(paths)
	db, err := store.Open(dir, o)
	if err != nil {
		return "", err
	}
	said, err := a.loadOpen(ctx, db, shelf, inputs, &l, p)
	return said, errors.Join(err, db.Close())
}

// loadOpen is loadQuietly into a data set that is open for it.
func (a *app) loadOpen(ctx context.Context, db *store.Store, shelf model.Shelf, inputs []*ingest.Input, l *loading, p query.Progress) (string, error) {
	rec, err := ingest.Inspect(ctx, inputs[0], l.opt)
	for i := 1; i < len(inputs) && errors.Is(err, ingest.ErrNothing); i++ {
		rec, err = ingest.Inspect(ctx, inputs[i], l.opt)
	}
	if err != nil {
		return "", err
	}
	before, err := known(ctx, db)
	if err != nil {
		return "", err
	}
	out := 0
	l.opt.Known, l.opt.Skip = before.Sources, func(string, string) { out++ }
	load, err := ingest.Load(ctx, db.Begin, inputs, rec.Mapping, l.opt, func(pr ingest.Progress) {
		if p != nil {
			p(pr.Bytes, pr.TotalBytes)
		}
	})
	if err == nil {
		err = a.learn(context.WithoutCancel(ctx), db, shelf, lesson{rec.Mapping, before, ""}, io.Discard)
	}
	if err != nil {
		return "", err
	}
	said := rowsIn(load.Quality.Stored, load.Quality.RejectedTotal())
	if out > 0 {
		said += fmt.Sprintf("; %s known or empty and left out", counted(int64(out), "file"))
	}
	return said, nil
}

// isEmptyFolder says that nothing is there yet: a load that fails may then take
// away all it has made.
func isEmptyFolder(dir string) bool {
	found, err := os.ReadDir(dir)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(found) == 0
}

// emptyFolder removes what a failed first load made, so that no empty data set
// is left behind.
func emptyFolder(dir string) error {
	found, err := os.ReadDir(dir)
	for _, e := range found {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// inputs names the files; standard input can be read once.
func (a *app) inputs(paths []string) ([]*ingest.Input, error) {
	var out []*ingest.Input
	seen := map[string]bool{}
	var files []os.FileInfo
	for _, p := range paths {
		if seen[p] {
			return nil, usage(fmt.Errorf("%s is named twice", p))
		}
		seen[p] = true
		if fi, err := os.Stat(p); err == nil && p != "-" {
			if i := slices.IndexFunc(files, func(f os.FileInfo) bool { return os.SameFile(f, fi) }); i >= 0 {
				return nil, usage(fmt.Errorf("%s is a file that is named before, as %s: name it once", p, files[i].Name()))
			}
			files = append(files, fi)
		}
		if p == "-" {
			out = append(out, ingest.Stdin(a.stdin))
		} else {
			// The whole path is stored, so that a row's line can be found from
			// wherever the program is called next.
			if full, err := filepath.Abs(p); err == nil {
				p = full
			}
			out = append(out, ingest.File(p))
		}
	}
	return out, nil
}

// bulky says that files hold some millions of rows; packed ones count five times.
func bulky(paths []string) bool {
	size := int64(0)
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			size += info.Size()
			if ext := filepath.Ext(p); ext == ".gz" || ext == ".zst" || ext == ".parquet" {
				size += 4 * info.Size()
			}
		}
	}
	return size >= 256<<20
}

// apart refuses to write the rejected rows over a file that is to be read: it would
// be empty by then.
func (l *loading) apart(paths []string) error {
	out, err := os.Stat(l.rejects)
	if l.rejects == "" || err != nil {
		return nil // there is none yet
	}
	for _, p := range paths {
		if in, err := os.Stat(p); err == nil && os.SameFile(in, out) {
			return usage(fmt.Errorf("--rejects %s is the file to load: name another, it is written over", l.rejects))
		}
	}
	return nil
}

// stored takes up the mapping of the earlier load.
func (l *loading) stored(shelf model.Shelf) error {
	e, err := shelf.Get(model.KindMapping, model.KindMapping, 0)
	if errors.Is(err, model.ErrNoEntry) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := ingest.ParseMapping(e.Body)
	if err != nil {
		return fmt.Errorf("the stored mapping: %w", err)
	}
	l.opt.Stored = m
	return nil
}

// recognise says how the first file is read, and asks for the zone of zone-less
// times where there is somebody to ask.
func (a *app) recognise(ctx context.Context, in *ingest.Input, l *loading, say io.Writer) (*ingest.Recognition, error) {
	rec, err := ingest.Inspect(ctx, in, l.opt)
	if err != nil {
		return nil, err
	}
	_, askable := terminal(a.stdin)
	if _, seen := terminal(a.stderr); rec.Zoneless && askable && seen && !l.quiet && !l.dryRun && in.Path != "-" {
		zone, err := askZone(a.stdin, a.stderr)
		if err != nil {
			return nil, err
		}
		l.opt.Zone = zone
		if rec, err = ingest.Inspect(ctx, in, l.opt); err != nil {
			return nil, err
		}
	}
	for _, line := range rec.Lines {
		fmt.Fprintln(say, line)
	}
	return rec, nil
}

// askZone asks until a zone is given; an empty line is UTC.
func askZone(in io.Reader, out io.Writer) (string, error) {
	r := bufio.NewReader(in)
	for {
		fmt.Fprint(out, "the times name no zone; in which are they? [UTC] ")
		line, err := r.ReadString('\n')
		zone := strings.TrimSpace(line)
		if zone == "" {
			zone = "UTC"
		}
		if _, bad := model.NewCalendar(zone); bad == nil {
			return zone, nil
		} else if err != nil {
			return "", usage(bad)
		} else {
			fmt.Fprintln(out, bad)
		}
	}
}

// loadInto runs the load with its progress line.
func (a *app) loadInto(ctx context.Context, db *store.Store, m ingest.Mapping, l *loading) (model.LoadInfo, error) {
	in, err := known(ctx, db)
	if err != nil {
		return model.LoadInfo{}, err
	}
	l.opt.Known = in.Sources
	var out *os.File
	if l.rejects != "" {
		if out, err = os.Create(l.rejects); err != nil {
			return model.LoadInfo{}, usage(fmt.Errorf("the rejected rows cannot be written: %w", err))
		}
		l.opt.Rejects = out
	}
	bar := a.progressLine(l.quiet)
	load, err := ingest.Load(ctx, db.Begin, l.inputs, m, l.opt, bar.show)
	bar.clear()
	if out != nil {
		if e := out.Close(); e != nil {
			e = fmt.Errorf("the rejected rows may not all be in %s: %w", l.rejects, e)
			if err == nil {
				e = fmt.Errorf("the load is stored, but %w", e)
			}
			err = errors.Join(err, e)
		}
	}
	return load, err
}

// inputError gives what is wrong with a file its exit code.
func inputError(err error) error {
	for _, e := range []error{ingest.ErrUnreadable, ingest.ErrNotEvents, ingest.ErrColumns, model.ErrKnownSource, model.ErrNoRows} {
		if errors.Is(err, e) {
			return &coded{exitInput, err}
		}
	}
	if errors.Is(err, ingest.ErrOption) {
		return usage(err)
	}
	return err
}
