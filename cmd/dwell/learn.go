package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"dwell/model"
	"dwell/store"
	"dwell/store/ingest"
)

// A lesson is what a load has to teach: how its file was read, what the data set
// held before it, and what --starts said.
type lesson struct {
	mapping ingest.Mapping
	before  *model.Info
	starts  string
}

// known is what a data set holds.
func known(ctx context.Context, db *store.Store) (*model.Info, error) {
	snap, err := db.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	in := snap.Info()
	return in, snap.Close()
}

// learn keeps what a load has taught: the mapping, and the guessed meaning of the
// names and columns it brought. What a person has written in the dictionary, or
// has left open, stays.
func (a *app) learn(ctx context.Context, db *store.Store, shelf model.Shelf, l lesson, say io.Writer) error {
	if _, err := shelf.Put(model.KindMapping, model.KindMapping, l.mapping.TOML(), "recognised by dwell load"); err != nil {
		return err
	}
	return a.learnNames(ctx, db, shelf, l, say)
}

// noteNoPurchase says that rows have amounts and no event name tells which of them
// were bought: nothing would be revenue until a person says so.
func noteNoPurchase(say io.Writer, d *model.Dictionary, m ingest.Mapping) {
	if m.Amount == "" {
		return
	}
	for _, role := range d.Events {
		if strings.Contains(role, model.Purchase.String()) {
			return
		}
	}
	fmt.Fprintln(say, "  note      rows have amounts, and no event name tells a purchase: nothing counts as bought until the dictionary says which event is")
}

// learnNames is learn without the mapping.
func (a *app) learnNames(ctx context.Context, db *store.Store, shelf model.Shelf, l lesson, say io.Writer) error {
	now, err := known(ctx, db)
	if err != nil {
		return err
	}
	guess := ingest.GuessDictionary(now, l.mapping)
	if l.starts != "" {
		guess.Starts = l.starts
	}
	e, err := shelf.Get(model.KindDictionary, model.KindDictionary, 0)
	switch {
	case errors.Is(err, model.ErrNoEntry):
		_, err = shelf.Put(model.KindDictionary, model.KindDictionary, guess.Format(), "guessed at load")
		if err == nil {
			writeDictionary(say, guess)
			noteNoPurchase(say, guess, l.mapping)
		}
		return err
	case err != nil:
		return err
	}
	d, err := model.ParseDictionary(e.Body)
	if err != nil {
		return err
	}
	added := d.Adopt(guess, l.before)
	if l.starts != "" {
		d.Starts = l.starts
	}
	if len(added) == 0 && l.starts == "" {
		return nil
	}
	if len(added) > 0 {
		fmt.Fprintln(say, "new to the data set, and guessed into the dictionary (dwell dictionary prints it, --set changes it)")
		for _, line := range added {
			fmt.Fprintln(say, "  "+line)
		}
	}
	_, err = shelf.Put(model.KindDictionary, model.KindDictionary, d.Format(), "new names guessed at load")
	return err
}
