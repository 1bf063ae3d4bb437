package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"dwell/model"
	"dwell/model/query"
	"dwell/store"
	"dwell/store/ingest"
	"dwell/tui"
)

// A following is a data set open for writing while its explorer shows it: with a
// writer open even a reader is refused, so the explorer itself appends the rows of
// the file it follows.
type following struct {
	app   *app
	db    *store.Store
	shelf *store.Shelf
	tail  *ingest.Tail
	opt   ingest.Options

	mu    sync.Mutex // one load at a time
	names int        // of events and properties that the dictionary has been taught
	notes []string   // of the first look, for the explorer to say again
}

// How often the file is looked at, and how far apart loads begin at least: a load
// costs a few writes to disk whatever it brings, and at most a quarter of the time
// goes into them.
const (
	followLook  = 200 * time.Millisecond
	followShare = 4
	followMost  = 5 * time.Second       // is waited at most, however long a load took
	followAgain = time.Second           // after a load that failed
	followLast  = 5 * time.Second       // may be spent on leaving
	followRead  = 50 * time.Millisecond // for what stands in the pipe
	followSay   = 500 * time.Millisecond
)

// followAt opens the explorer on a data set that a file is loaded into meanwhile.
func (a *app) followAt(ctx context.Context, dir, from string, q query.Query, o exploreOptions) (err error) {
	if _, ok := terminal(a.stdout); !ok {
		return usage(fmt.Errorf("--follow opens the explorer, and there is no terminal to draw on\ntry: dwell load %s", o.follow))
	}
	keys, err := a.keyboard(o.follow)
	if err != nil {
		return err
	}
	if keys != a.stdin {
		defer keys.(io.Closer).Close()
	}
	so, err := a.storeOptions()
	if err != nil {
		return err
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(max(so.Memory, 1<<30))) // the explorer's own share on top
	fresh := isEmptyFolder(dir)
	db, err := store.Open(dir, so)
	if err != nil {
		return storeError(err)
	}
	f := &following{app: a, db: db, shelf: store.NewShelf(dir, a.now)}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer func() {
		cancel()
		wg.Wait()
		empty := fresh && f.names == 0
		if err = errors.Join(err, f.close()); err != nil && empty {
			err = errors.Join(err, emptyFolder(dir))
		}
		err = inputError(storeError(err))
	}()
	if err := f.begin(ctx, o.follow, dir, from); err != nil {
		return err
	}
	s, err := a.sessionOn(db, dir)
	if err != nil {
		return err
	}
	news := make(chan tui.News, 16)
	wg.Go(func() { f.run(ctx, news) })
	d := &desk{app: a, session: s, follow: f}
	err = a.drawOn(ctx, d, keys, q, o, news)
	cancel()
	wg.Wait()
	return errors.Join(err, f.last(), s.engine.Close())
}

// keyboard is where keys come from: the terminal itself where standard input is the
// data.
func (a *app) keyboard(file string) (io.Reader, error) {
	if file != "-" {
		if _, ok := terminal(a.stdin); !ok {
			return nil, usage(fmt.Errorf("--follow opens the explorer, and standard input is no terminal\ntry: --follow - if it is the data"))
		}
		return a.stdin, nil
	}
	if _, ok := terminal(a.stdin); ok {
		return nil, usage(fmt.Errorf("--follow - reads events from standard input, and that is the keyboard\ntry: tail -F app.log | dwell --follow -"))
	}
	name := "/dev/tty"
	if runtime.GOOS == "windows" {
		name = "CONIN$"
	}
	tty, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, usage(fmt.Errorf("standard input is the data, and there is no terminal to read keys from: %w", err))
	}
	return tty, nil
}

// begin stores what the file has now, or waits for the first rows: there is nothing
// to explore before.
func (f *following) begin(ctx context.Context, file, dir, from string) error {
	a := f.app
	l := loading{quiet: true, opt: ingest.Options{Now: a.now()}}
	if err := l.stored(f.shelf); err != nil {
		return err
	}
	f.opt = l.opt
	in, err := known(ctx, f.db)
	if err != nil {
		return err
	}
	f.names = len(in.Names) + len(in.Keys)
	stored := func(ctx context.Context) (*model.Info, error) { return known(ctx, f.db) }
	if file == "-" {
		f.tail = ingest.FollowReader(a.stdin, stored)
	} else {
		full, err := filepath.Abs(file)
		if err != nil {
			full = file
		}
		f.tail = ingest.Follow(full, stored)
	}
	fmt.Fprintf(a.stderr, "data set  %s (%s)\n", dir, from)
	bar := a.progressLine(false)
	said := false
	for {
		n, notes, err := f.step(ctx, bar.show)
		bar.clear()
		if text := rejectedText(&n.Quality); text != "" {
			notes = append(notes, text)
		}
		for _, line := range notes {
			fmt.Fprintln(a.stderr, line)
		}
		if err != nil {
			return err
		}
		f.notes = notes
		if in.Events > 0 || n.Quality.Stored > 0 {
			return nil
		}
		if now, err := known(ctx, f.db); err != nil {
			return err
		} else if now.Events > 0 {
			return nil
		}
		if f.tail.Ended() {
			return fmt.Errorf("%w: %s has ended without a row that could be stored", model.ErrNoRows, f.tail.Name())
		}
		if !said {
			said = true
			fmt.Fprintf(a.stderr, "waiting for the first rows of %s (ctrl+c stops)\n", f.tail.Name())
		}
		if !pause(ctx, followLook) {
			return ctx.Err()
		}
	}
}

// run stores what comes until ctx is done, and tells.
func (f *following) run(ctx context.Context, news chan<- tui.News) {
	last, ended := "", false
	for _, line := range f.notes {
		select {
		case news <- tui.News{Text: line}:
		case <-ctx.Done():
			return
		}
	}
	for wait := followLook; pause(ctx, wait); {
		begin := time.Now()
		load, notes, err := f.step(ctx, f.stands(begin, news))
		wait = min(max(followLook, followShare*time.Since(begin)), followMost)
		if err != nil {
			wait = max(wait, followAgain)
		}
		var out []tui.News
		for _, line := range notes {
			out = append(out, tui.News{Text: line})
		}
		if load.Quality.Read > 0 {
			out = append(out, tui.News{Rows: load.Quality.Stored, Rejected: load.Quality.RejectedTotal(), Text: rejectedText(&load.Quality)})
		}
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && last != "":
			last = ""
			out = append(out, tui.News{Text: f.tail.Name() + " is stored again"})
		case err != nil && err.Error() != last: // said once, tried again
			last = err.Error()
			out = append(out, tui.News{Text: f.tail.Name() + " is not being stored: " + last, Bad: true})
		case err == nil && f.tail.Ended() && !ended:
			ended = true
			out = append(out, tui.News{Text: "standard input has ended: nothing more will come"})
		}
		for _, n := range out {
			select {
			case news <- n:
			case <-ctx.Done():
				return
			}
		}
	}
}

// stands tells how far a load is that takes long; what nobody takes is dropped.
func (f *following) stands(begin time.Time, news chan<- tui.News) func(ingest.Progress) {
	next := begin.Add(followSay)
	return func(p ingest.Progress) {
		if now := time.Now(); p.TotalBytes > 0 && now.After(next) {
			next = now.Add(followSay)
			select {
			case news <- tui.News{Done: p.Bytes, Total: p.TotalBytes}:
			default:
			}
		}
	}
}

// last stores what standard input has brought until the explorer was left: nobody else
// has it. Of a file the next follow stores it.
func (f *following) last() error {
	if !f.tail.Piped() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), followLast)
	defer cancel()
	pause(ctx, followRead)
	if _, _, err := f.step(ctx, nil); err != nil {
		return fmt.Errorf("the last %d bytes of %s are not stored: %w", f.tail.Behind(), f.tail.Name(), err)
	}
	return nil
}

// rejectedText says that rows of a piece could not be read; "" if all could.
func rejectedText(q *model.Quality) string {
	if q.RejectedTotal() == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %d that came could not be read (%s): the quality screen has them", counted(q.RejectedTotal(), "row"), q.Read, q.Rejected[0].Reason)
}

// step stores what has come since the last one, as one load.
func (f *following) step(ctx context.Context, show func(ingest.Progress)) (model.LoadInfo, []string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opt.Now = f.app.now()
	p, notes, err := f.tail.Next(ctx, f.opt)
	if errors.Is(err, ingest.ErrChanged) {
		err = nil // the next look finds out how
	}
	if p == nil || err != nil {
		return model.LoadInfo{}, notes, err
	}
	before, err := known(ctx, f.db)
	if err != nil {
		return model.LoadInfo{}, notes, err
	}
	load, err := p.Load(ctx, f.db.Begin, f.opt, show)
	switch {
	case errors.Is(err, ingest.ErrChanged):
		return model.LoadInfo{}, notes, nil
	case errors.Is(err, model.ErrKnownSource):
		f.tail.Known(p, f.opt)
		return model.LoadInfo{}, notes, nil
	case errors.Is(err, model.ErrNoRows):
		f.tail.Done(p) // blank lines
		return model.LoadInfo{}, notes, nil
	case err != nil:
		return model.LoadInfo{}, notes, err
	}
	f.tail.Done(p)
	// Leaving now does not leave the new names untaught: their rows are stored.
	return load, notes, f.learn(context.WithoutCancel(ctx), before, p.Mapping())
}

// learn teaches the dictionary the names that are new.
func (f *following) learn(ctx context.Context, before *model.Info, m ingest.Mapping) error {
	now, err := known(ctx, f.db)
	if err != nil || len(now.Names)+len(now.Keys) == f.names {
		return err
	}
	if f.opt.Stored == nil {
		own := m
		f.opt.Stored = &own
		err = f.app.learn(ctx, f.db, f.shelf, lesson{m, before, ""}, io.Discard)
	} else {
		err = f.app.learnNames(ctx, f.db, f.shelf, lesson{m, before, ""}, io.Discard)
	}
	if err == nil {
		f.names = len(now.Names) + len(now.Keys)
	}
	return err
}

// loadToo is :load while a file is followed: the data set is open for it already.
func (f *following) loadToo(ctx context.Context, paths []string, p query.Progress) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := loading{quiet: true, opt: ingest.Options{Now: f.app.now()}}
	if err := l.stored(f.shelf); err != nil {
		return "", err
	}
	inputs, err := f.app.inputs(paths)
	if err != nil {
		return "", err
	}
	return f.app.loadOpen(ctx, f.db, f.shelf, inputs, &l, p)
}

func (f *following) close() error {
	var err error
	if f.tail != nil {
		err = f.tail.Close()
	}
	return errors.Join(err, f.db.Close())
}

// pause waits; false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
