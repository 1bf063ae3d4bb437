package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/query"
	"dwell/store"
	"dwell/tui"
)

// screenFrames is what Update and View of one screen's messages took, over all
// sizes, and what its keys sent.
type screenFrames struct {
	Name  string  `json:"-"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Most  float64 `json:"max_ms"`
	Work  float64 `json:"work_p99_ms,omitempty"` // of it on a processor, where the system tells
	N     int     `json:"n"`
	Slow  string  `json:"slowest"`       // the message of max_ms
	Bytes int     `json:"bytes_per_key"` // of the keys, the median
	Wide  int     `json:"bytes_p99"`
}

// tourSizes are the terminals in which every screen is drawn.
func tourSizes() [][2]int { return [][2]int{{80, 24}, {200, 60}} }

// tour goes through every screen while jobs run: questions that read all events
// and build what many users take, one after the other, on an engine of their own.
// Beside an error it gives what was measured before, and the address it was at.
func (a *app) tour(ctx context.Context, db *store.Store, dir string, b benching) (f benchFigure, last string, err error) {
	o := query.Options{Workers: workers(), Version: version, Now: a.now}
	shelf := unwritten{store.NewShelf(dir, a.now)}
	e, err := query.New(db, shelf, nil, o)
	if err != nil {
		return f, last, err
	}
	defer e.Close()
	o.Forget = true
	other, err := query.New(db, shelf, nil, o)
	if err != nil {
		return f, last, err
	}
	defer other.Close()
	bench, err := other.Bench(ctx, b.segment)
	if err != nil {
		return f, last, err
	}
	user, most := "", -1
	for _, id := range bench.IDs { // the one with most events is the longest page
		n, err := bench.Lookup(ctx, id)
		if err != nil {
			return f, last, err
		}
		if n > most {
			user, most = id, n
		}
	}
	t := tui.Tour{Sizes: tourSizes(), Only: b.screens, User: user}
	if threadTime() > 0 {
		t.Clock = threadTime
	}
	_, watched := terminal(a.stderr)
	if watched = watched && !b.json; watched {
		defer fmt.Fprint(a.stderr, "\r\x1b[K")
	}
	t.Note = func(address string) {
		if last = address; watched {
			fmt.Fprintf(a.stderr, "\r\x1b[K%s", address)
		}
	}
	busy, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- keepBusy(busy, bench) }()
	all, err := t.Run(ctx, &tui.Desk{Engine: e, Shelf: shelf, Name: filepath.Base(dir), Now: a.now})
	stop()
	for _, s := range all {
		f.Screens = append(f.Screens, framesOf(s))
	}
	return f, last, errors.Join(err, <-done)
}

// keepBusy runs the heavy operations one after the other until it is stopped.
func keepBusy(ctx context.Context, bench *query.Bench) error {
	for {
		for _, p := range bench.Probes() {
			if !slices.Contains([]string{"scan", "retention", "restage", "population", "churn_train"}, p.Name) {
				continue
			}
			_, err := p.Run(ctx)
			switch {
			case ctx.Err() != nil:
				return nil
			case err != nil && p.Name != "churn_train": // data too small to train on are no fault
				return fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
}

// An unwritten shelf refuses what is put on it: a measurement changes nothing.
type unwritten struct{ model.Shelf }

var errUnwritten = errors.New("a measurement keeps nothing")

// Put refuses.
func (unwritten) Put(string, string, []byte, string) (model.Entry, error) {
	return model.Entry{}, errUnwritten
}

// Remove refuses.
func (unwritten) Remove(string, string) error { return errUnwritten }

// framesOf sums one screen up.
func framesOf(s *tui.ScreenFrames) screenFrames {
	slices.Sort(s.Took)
	slices.Sort(s.Bytes)
	n := len(s.Took)
	f := screenFrames{Name: s.Screen, N: n, P50: milliseconds(s.Took[n/2]), P99: milliseconds(s.Took[n*99/100]), Most: milliseconds(s.Took[n-1]), Slow: s.Slow}
	if len(s.Work) == n {
		slices.Sort(s.Work)
		f.Work = milliseconds(s.Work[n*99/100])
	}
	if k := len(s.Bytes); k > 0 {
		f.Bytes, f.Wide = s.Bytes[k/2], s.Bytes[k*99/100]
	}
	return f
}

// worstFirst orders screens by their 99th percentile.
func worstFirst(all []screenFrames) []screenFrames {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(x, y screenFrames) int { return cmp.Compare(y.P99, x.P99) })
	return out
}

// framesText is a table, the slowest screen first, and a sentence about it.
func framesText(all []screenFrames) string {
	all = worstFirst(all)
	var b strings.Builder
	fmt.Fprintf(&b, "Update and View of each message, milliseconds; bytes sent by each key\n\n  %-26s %7s %8s %8s %8s %8s  %-28s %7s %7s\n", "screen", "n", "median", "p99", "most", "work p99", "the slowest message", "bytes", "most")
	within := 0
	for _, f := range all {
		fmt.Fprintf(&b, "  %-26s %7d %8.2f %8.2f %8.2f %8.2f  %-28.28s %7d %7d\n", f.Name, f.N, f.P50, f.P99, f.Most, f.Work, f.Slow, f.Bytes, f.Wide)
		if f.P99 <= frameGoal {
			within++
		}
	}
	fmt.Fprintf(&b, "\n  the slowest screen is %s: %.2f ms at the 99th percentile; %d of %d are within %d ms", all[0].Name, all[0].P99, within, len(all), frameGoal)
	return b.String()
}

// frameGoal is how many milliseconds a frame may take.
const frameGoal = 16

// framesObject is the table as one JSON object that keeps the order of the tour,
// with the slowest screen under "worst".
func framesObject(all []screenFrames) ([]byte, error) {
	var b bytes.Buffer
	worst, err := json.Marshal(worstFirst(all)[0].Name)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, `{"worst":%s`, worst)
	for i := range all {
		body, err := json.Marshal(&all[i])
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, ",%q:%s", all[i].Name, body)
	}
	b.WriteString("}")
	return b.Bytes(), nil
}
