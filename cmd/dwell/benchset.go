package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/query"
	"dwell/store"
	"dwell/tui"
)

// A measuring is dwell bench over one data set.
type measuring struct {
	*app
	b     benching
	dir   string
	o     store.Options
	db    *store.Store
	shelf model.Shelf
	res   *benchResult
	at    string // what is being measured
}

// benchAt measures one data set. The result is what was measured before an error;
// if that is the caller's cancelling, it says so.
func (a *app) benchAt(ctx context.Context, dir string, b benching) (*benchResult, error) {
	if b.workers <= 0 {
		b.workers = runtime.GOMAXPROCS(0)
	}
	m := measuring{app: a, b: b, dir: dir, res: &benchResult{Cores: runtime.NumCPU()}, at: "the data"}
	err := m.run(ctx)
	if err != nil && ctx.Err() != nil {
		m.res.Cut, err = m.at, ctx.Err()
	}
	return m.res, err
}

// wants says whether an operation is measured, which it then begins to be.
func (m *measuring) wants(name string) bool {
	if len(m.b.only) > 0 && !slices.Contains(m.b.only, name) {
		return false
	}
	m.at = name
	return true
}

func (m *measuring) run(ctx context.Context) (err error) {
	if m.o, err = m.storeOptions(); err != nil {
		return err
	}
	m.o.ReadOnly = true
	if err := m.open(ctx); err != nil {
		return err
	}
	if m.db, err = store.Open(m.dir, m.o); err != nil {
		return storeError(err)
	}
	defer m.db.Close()
	snap, err := m.db.Snapshot(ctx)
	if err != nil {
		return err
	}
	m.res.Events, m.res.Users = snap.Info().Events, snap.Info().Users
	if err := snap.Close(); err != nil {
		return err
	}
	m.shelf = store.NewShelf(m.dir, m.now)
	if err := m.questions(ctx); err != nil {
		return err
	}
	return m.explorer(ctx)
}

// open times what stands between a command and the data.
func (m *measuring) open(ctx context.Context) error {
	if !m.wants("open") {
		return nil
	}
	f, err := medianOf(m.b.runs, func() (float64, error) {
		db, err := store.Open(m.dir, m.o)
		if err != nil {
			return 0, storeError(err)
		}
		snap, err := db.Snapshot(ctx)
		if err != nil {
			return 0, errors.Join(err, db.Close())
		}
		events := snap.Info().Events
		return float64(events), errors.Join(snap.Close(), db.Close())
	})
	if err != nil {
		return err
	}
	m.res.add("open", f)
	return nil
}

// engine is one without kept answers.
func (m *measuring) engine(workers int) (*query.Engine, error) {
	return query.New(m.db, m.shelf, nil, query.Options{Workers: workers, Version: version, Forget: true, Now: m.now})
}

// questions times the probes and the lookups.
func (m *measuring) questions(ctx context.Context) error {
	e, err := m.engine(m.b.workers)
	if err != nil {
		return err
	}
	defer e.Close()
	bench, err := e.Bench(ctx, m.b.segment)
	if err != nil {
		return err
	}
	for _, p := range bench.Probes() {
		if !m.wants(p.Name) {
			continue
		}
		f, err := m.probe(ctx, bench, p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		m.res.add(p.Name, f)
	}
	if !m.wants("lookup") {
		return nil
	}
	var took []time.Duration
	for _, id := range bench.IDs {
		begin := time.Now()
		if _, err := bench.Lookup(ctx, id); err != nil {
			return fmt.Errorf("lookup: %w", err)
		}
		took = append(took, time.Since(begin))
	}
	m.res.add("lookup", percentiles(took))
	return nil
}

// probe runs one operation, once before it is timed: what is kept from one
// question to the next is kept then.
func (m *measuring) probe(ctx context.Context, bench *query.Bench, p query.Probe) (f benchFigure, err error) {
	_, err = p.Run(ctx)
	if errors.Is(err, churn.ErrShort) {
		return benchFigure{Note: err.Error()}, nil
	}
	if err != nil {
		return f, err
	}
	if f, err = medianOf(m.b.runs, func() (float64, error) { return p.Run(ctx) }); err != nil {
		return f, err
	}
	switch p.Name {
	case "retention_recut":
		f.Rule = bench.Segment
	case "filter":
		f.Rule = bench.Filter
	case "population":
		n, err := bench.BytesPerUser(ctx)
		if err != nil {
			return f, err
		}
		f.Bytes = &n
	}
	return f, nil
}

// explorer times frames. The explorer leaves a processor to the screen, so they are
// timed beside a job that does: on an engine of its own.
func (m *measuring) explorer(ctx context.Context) error {
	tour := m.b.frames || slices.Contains(m.b.only, "frames")
	if !m.wants("frame") && !m.wants("session_mib") && !tour {
		return nil
	}
	screen, err := m.engine(workers())
	if err != nil {
		return err
	}
	defer screen.Close()
	desk := &tui.Desk{Engine: screen, Shelf: m.shelf, Name: filepath.Base(m.dir), Now: m.now}
	if m.wants("frame") {
		busy, err := screen.Bench(ctx, m.b.segment)
		if err != nil {
			return err
		}
		f, err := frames(ctx, desk, busy)
		if err != nil {
			return fmt.Errorf("frame: %w", err)
		}
		m.res.add("frame", f)
	}
	if m.wants("session_mib") {
		n, err := sessionMiB(ctx, desk)
		if err != nil {
			return fmt.Errorf("session_mib: %w", err)
		}
		m.res.add("session_mib", benchFigure{Plain: &n})
	}
	if !tour {
		return nil
	}
	f, last, err := m.tour(ctx, m.db, m.dir, m.b)
	if m.at = strings.TrimSpace("frames " + last); len(f.Screens) > 0 {
		m.res.add("frames", f)
	}
	if err != nil {
		return fmt.Errorf("frames: %w", err)
	}
	return nil
}
