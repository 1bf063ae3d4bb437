package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/sample"
	"dwell/store"
	"dwell/store/ingest"
)

func newDemo(a *app) *cobra.Command {
	var set string
	var o exploreOptions
	var names []string
	for _, s := range sample.Sets() {
		names = append(names, s.Name)
	}
	c := &cobra.Command{
		Use:     "demo",
		GroupID: groupStart,
		Short:   "Explore embedded sample data: a first look in one command",
		Long: `Load an embedded sample into a data set of its own (dwell paths says where) and
open the explorer. Without a terminal the overview is printed instead.

  quillpad  a made-up writing app with a template shop: 18 months of some five
            thousand people, with a known truth behind it
  cdnow     every purchase of 23,570 customers of an early online record shop`,
		Example: "  dwell demo\n  dwell demo --set cdnow",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context(), set, o)
		},
	}
	c.Flags().StringVar(&set, "set", sample.Sets()[0].Name, "which sample: "+strings.Join(names, " or "))
	o.flags(c)
	completeWords(c, "set", names...)
	return c
}

// demo loads a sample, unless it is there already, and explores it.
func (a *app) demo(ctx context.Context, name string, o exploreOptions) error {
	set, rows, err := sample.Open(name)
	if err != nil {
		return usage(err)
	}
	dir, from := filepath.Join(a.cacheDir(), "demo", name), "the demo's own"
	if a.db != "" || a.getenv("DWELL_DB") != "" {
		dir, from = a.dataSet()
	}
	here, err := a.holdsSample(ctx, dir, set)
	if err != nil {
		return err
	}
	if !here {
		if err := a.loadSample(ctx, dir, set, rows); err != nil {
			return err
		}
	}
	o.name = set.Name
	return a.exploreAt(ctx, dir, from, "overview", o)
}

// holdsSample says whether the sample is in the data set already; a data set
// that holds something else is not touched.
func (a *app) holdsSample(ctx context.Context, dir string, set sample.Set) (bool, error) {
	if !store.Exists(dir) {
		return false, nil
	}
	s, err := a.openAt(dir, "")
	if err != nil {
		return false, err
	}
	defer s.close()
	in, err := known(ctx, s.store)
	if err != nil {
		return false, err
	}
	for _, src := range in.Sources {
		if src.Path == set.File {
			return true, nil
		}
	}
	if in.Events > 0 {
		return false, usage(fmt.Errorf("%s holds other data: name an empty folder with --db, or leave --db out", dir))
	}
	return false, nil
}

func (a *app) loadSample(ctx context.Context, dir string, set sample.Set, rows io.Reader) (err error) {
	o, err := a.storeOptions()
	if err != nil {
		return err
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	db, err := store.Open(dir, o)
	if err != nil {
		return storeError(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	in := ingest.Stdin(rows)
	in.Path = set.File
	h := set.Hints
	opt := ingest.Options{User: h.User, Time: h.Time, TimeFormat: h.TimeFormat, Zone: h.Zone, Event: h.Event, EventConst: h.EventConst, Amount: h.Amount, Now: a.now()}
	rec, err := ingest.Inspect(ctx, in, opt)
	if err != nil {
		return err
	}
	bar := a.progressLine(false)
	load, err := ingest.Load(ctx, db.Begin, []*ingest.Input{in}, rec.Mapping, opt, bar.show)
	bar.clear()
	if err != nil {
		return err
	}
	shelf := store.NewShelf(dir, a.now)
	if _, err := shelf.Put(model.KindMapping, model.KindMapping, rec.Mapping.TOML(), "of the sample"); err != nil {
		return err
	}
	if _, err := shelf.Put(model.KindDictionary, model.KindDictionary, set.Dictionary.Format(), "of the sample"); err != nil {
		return err
	}
	if _, ok := terminal(a.stdout); !ok {
		fmt.Fprintf(a.stdout, "%s\n%s\n", set.Title, set.Origin)
		writeQuality(a.stdout, &load.Quality, []string{set.File})
		fmt.Fprintln(a.stdout)
	}
	return nil
}
