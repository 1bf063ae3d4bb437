package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/dustin/go-humanize"

	"dwell/model/query"
	"dwell/sample"
	"dwell/store"
)

// A session is an open data set with its engine.
type session struct {
	dir    string
	store  *store.Store
	shelf  *store.Shelf
	engine *query.Engine
}

// open opens the data set for reading, beside other readers.
func (a *app) open() (*session, error) {
	dir, from := a.dataSet()
	return a.openAt(dir, from)
}

// with does something over the data set, open for reading, and closes it.
func (a *app) with(do func(*session) error) error {
	s, err := a.open()
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.close())
}

func (a *app) openAt(dir, from string) (*session, error) {
	db, err := a.openStore(dir, from, true)
	if err != nil {
		return nil, err
	}
	return a.sessionOn(db, dir)
}

// sessionOn puts an engine on an open data set, which it closes if it cannot.
func (a *app) sessionOn(db *store.Store, dir string) (*session, error) {
	s := &session{dir: dir, store: db, shelf: store.NewShelf(dir, a.now)}
	var err error
	cache := store.NewCache(filepath.Join(a.cacheDir(), "answers"), 0)
	s.engine, err = query.New(db, s.shelf, cache, query.Options{Workers: workers(), Version: version, Lines: lineFinder{}, Now: a.now})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// nothingAt says what to try where there is no data set: the sample data, by
// their place where they have been looked at.
func (a *app) nothingAt(dir, from string) error {
	try := "look at sample data first: dwell demo"
	for _, set := range sample.Sets() {
		if demo := filepath.Join(a.cacheDir(), "demo", set.Name); store.Exists(demo) {
			try = "ask the sample data: --db " + shellWord(demo)
			break
		}
	}
	return noData(fmt.Errorf("there is no data set in %s (%s)\ntry: dwell load FILE, or %s", dir, from, try))
}

// openStore opens a data set that is there, for reading beside others or for
// writing alone.
func (a *app) openStore(dir, from string, readOnly bool) (*store.Store, error) {
	if !store.Exists(dir) {
		return nil, a.nothingAt(dir, from)
	}
	o, err := a.storeOptions()
	if err != nil {
		return nil, err
	}
	o.ReadOnly = readOnly
	db, err := store.Open(dir, o)
	if err != nil {
		return nil, storeError(err)
	}
	return db, nil
}

func (s *session) close() error { return errors.Join(s.engine.Close(), s.store.Close()) }

func (a *app) storeOptions() (store.Options, error) {
	n, err := humanize.ParseBytes(a.memory)
	if err != nil || n < 32<<20 {
		return store.Options{}, usage(fmt.Errorf("--memory %s: give at least 32MiB, as --memory 512MiB", a.memory))
	}
	return store.Options{Memory: int64(n), Now: a.now}, nil
}

// storeError gives the store's errors their exit codes.
func storeError(err error) error {
	switch {
	case errors.Is(err, store.ErrNoData):
		return noData(err)
	case errors.Is(err, store.ErrInUse), errors.Is(err, store.ErrBusy):
		return &coded{exitBusy, err}
	case errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrBadKey):
		return &coded{exitDamaged, err}
	}
	return err
}
