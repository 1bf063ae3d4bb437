package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"dwell/sample"
	"dwell/store"
)

// benchScale makes data sets of growing size, loads and measures each, and
// prints the figures side by side with how much the last exceeds the first.
func (a *app) benchScale(ctx context.Context, b benching) (err error) {
	if err := makeDir(a.cacheDir()); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(a.cacheDir(), "bench-*")
	if err != nil {
		return fmt.Errorf("the data to measure cannot be made: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var all []*benchResult
	for _, n := range b.sizes {
		if n < 1000 {
			return usage(fmt.Errorf("--sizes %d: at least 1000 events", n))
		}
		res, err := a.benchSize(ctx, dir, n, b)
		if err != nil {
			return err
		}
		all = append(all, res)
	}
	if b.json {
		var lines []string
		for _, r := range all {
			body, err := r.object()
			if err != nil {
				return err
			}
			lines = append(lines, string(body))
		}
		_, err := fmt.Fprintf(a.stdout, "[%s]\n", strings.Join(lines, ",\n"))
		return err
	}
	fmt.Fprintf(a.stdout, "%-16s", "events")
	for _, r := range all {
		fmt.Fprintf(a.stdout, "%14d", r.Events)
	}
	first, last := all[0], all[len(all)-1]
	fmt.Fprintf(a.stdout, "%10.1f×\n", float64(last.Events)/float64(max(first.Events, 1)))
	for i := range first.Figures {
		fmt.Fprintf(a.stdout, "%-16s", first.Figures[i].Name)
		for _, r := range all {
			fmt.Fprintf(a.stdout, "%14.3f", r.Figures[i].number())
		}
		grown := last.Figures[i].number() / max(first.Figures[i].number(), 1e-3)
		fmt.Fprintf(a.stdout, "%10.1f×  %s\n", grown, growthWord(grown, float64(last.Events)/float64(max(first.Events, 1))))
	}
	fmt.Fprintf(a.stdout, "\nmilliseconds, but for load (s), load_peak and session_mib (MiB) and disk (MB); lookup and frame: the 99th percentile; %d cores\n", first.Cores)
	return nil
}

// growthWord says how a figure grew beside the events. A tenth more is taken for
// the noise of one machine.
func growthWord(grown, events float64) string {
	switch {
	case grown <= 1.5:
		return "hardly grows"
	case grown <= 1.1*events:
		return "linear or better"
	}
	return "more than linear"
}

// number is the figure that growth is told by.
func (f *benchFigure) number() float64 {
	for _, p := range []*float64{f.Median, f.P99, f.Plain} {
		if p != nil {
			return *p
		}
	}
	return 0
}

// benchSize makes, loads and measures one size.
func (a *app) benchSize(ctx context.Context, dir string, events int, b benching) (*benchResult, error) {
	file, db := filepath.Join(dir, "events.csv"), filepath.Join(dir, "data")
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	err = sample.Bulk{Events: events, Users: max(events/50, 1), Seed: 1}.Write(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	own := *a
	own.db = db
	o, err := a.storeOptions()
	if err != nil {
		return nil, err
	}
	timer := startTiming()
	defer timer.end()
	limit := debug.SetMemoryLimit(o.Memory) // as dwell load does
	_, err = own.loadQuietly(ctx, db, []string{file}, nil)
	debug.SetMemoryLimit(limit)
	if err != nil {
		return nil, err
	}
	wall, _, peak := timer.end()
	size, err := store.DiskUse(db)
	if err != nil {
		return nil, err
	}
	res, err := own.benchAt(ctx, db, b)
	if err != nil {
		return nil, err
	}
	load, mib, mb := round3(wall.Seconds()), round3(peak), round3(float64(size)/1e6)
	res.Figures = append([]benchFigure{{Name: "load", Plain: &load}, {Name: "load_peak", Plain: &mib}, {Name: "disk", Plain: &mb}}, res.Figures...)
	return res, errors.Join(os.Remove(file), os.RemoveAll(db))
}
