package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dwell/model/query"
	"dwell/store"
	"dwell/tui"
)

// benching is one call of dwell bench.
type benching struct {
	json    bool
	runs    int
	segment string
	only    []string
	workers int
	scale   bool
	frames  bool
	screens []string // of frames; nil: all
	train   bool
	table   training
	sizes   []int
}

func newBench(a *app) *cobra.Command {
	b := benching{}
	c := &cobra.Command{
		Use:     "bench",
		GroupID: groupData,
		Short:   "Measure how fast this machine answers over your data",
		Long: `Time the operations behind the screens over the data set, in this process and with
no kept answers: opening it, decoding every event, retention from events and from
what is kept per user, replaying all histories, building the population, filters,
the search for an id, one user's timeline, a frame of the users screen while a
job runs, training the churn model. Each is run several times and the median
given; of lookups and frames the median and the 99th percentile.

--frames goes through every screen of the explorer, at 80×24 and 200×60, with the
keys that move, scroll, sort, type, open and go back, while jobs run, and prints
for each screen how long Update and View of a message took, how much of it on a
processor, and what a key sends to the terminal; 16 ms at the 99th percentile is
what a screen may take. It opens every analysis and what lies behind it: minutes
over millions of events. --only frames leaves the rest out, --screens names some.

Nothing is changed. Single times on a shared machine say little: compare ratios
of one run. --scale needs no data set: it makes 1, 3 and 10 million events in the
cache folder, loads and measures them, prints how each figure grows, and removes
them again. --train needs none either: it trains churn models on a made-up table,
in turn with scikit-learn if --peer names a Python that has it.`,
		Example: "  dwell bench\n  dwell bench --json --only retention,lookup\n  dwell bench --segment 'plan == \"pro\"'\n  dwell bench --only frames --screens retention,users\n  dwell bench --scale\n  dwell bench --train --runs 3 --peer /usr/bin/python3",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.runs < 1 {
				return usage(fmt.Errorf("--runs %d: at least 1", b.runs))
			}
			if len(b.screens) > 0 && !b.frames && !slices.Contains(b.only, "frames") {
				return usage(fmt.Errorf("--screens chooses among the screens of --frames: give that too, or --only frames"))
			}
			for _, name := range b.screens {
				if !slices.ContainsFunc(query.Specs(), func(sp query.Spec) bool { return sp.Name == name }) {
					return usage(fmt.Errorf("--screens %s: there is no such analysis; dwell help addresses names them", name))
				}
			}
			for _, name := range b.only {
				if !slices.Contains(benchNames(), name) {
					return usage(fmt.Errorf("--only %s: there is no such operation; there are %s", name, strings.Join(benchNames(), ", ")))
				}
			}
			if b.train {
				b.table.runs, b.table.json = b.runs, b.json
				return a.benchTrain(cmd.Context(), b.table)
			}
			if b.scale {
				return a.benchScale(cmd.Context(), b)
			}
			dir, from := a.dataSet()
			if !store.Exists(dir) {
				return noData(fmt.Errorf("there is no data set in %s (%s)\ntry: dwell load FILE, or dwell bench --scale, which makes its own", dir, from))
			}
			res, err := a.benchAt(cmd.Context(), dir, b)
			if err != nil && !(res.Cut != "" && len(res.Figures) > 0) {
				return err
			}
			return errors.Join(err, b.write(a.stdout, res)) // minutes of measuring are not thrown away
		},
	}
	f := c.Flags()
	f.BoolVar(&b.json, "json", false, "print one JSON object")
	f.IntVar(&b.runs, "runs", 5, "how often each operation is run")
	f.BoolVar(&b.frames, "frames", false, "also measure every screen of the explorer, which takes some minutes over a million users (alone: --only frames)")
	f.StringSliceVar(&b.screens, "screens", nil, "with --frames, only the screens of these analyses: `a,b`")
	f.StringVar(&b.segment, "segment", "", "the `RULE` of retention_recut (default: a common value of a property)")
	f.StringSliceVar(&b.only, "only", nil, "measure only these: `a,b`")
	f.IntVar(&b.workers, "workers", 0, "goroutines of one run (default: one for each processor)")
	f.BoolVar(&b.scale, "scale", false, "measure growth over made-up data of several sizes")
	f.BoolVar(&b.train, "train", false, "train churn models on a made-up table instead: logistic, and 100 trees of depth 6")
	f.IntVar(&b.table.users, "train-users", 1_000_000, "users of the table of --train")
	f.IntVar(&b.table.measures, "measures", 30, "measures of the table of --train")
	f.StringVar(&b.table.peer, "peer", "", "the `PYTHON` with scikit-learn (Debian: /usr/bin/python3 with python3-sklearn) to train on the same table in turn")
	f.IntSliceVar(&b.sizes, "sizes", []int{1_000_000, 3_000_000, 10_000_000}, "events of each size of --scale")
	return c
}

// A benchFigure is the result of one operation; fields that do not apply are
// left out of the JSON.
type benchFigure struct {
	Name   string   `json:"-"`
	Median *float64 `json:"median_ms,omitempty"`
	P50    *float64 `json:"p50_ms,omitempty"`
	P99    *float64 `json:"p99_ms,omitempty"`
	Bytes  *float64 `json:"bytes_per_user,omitempty"`
	Rule   string   `json:"rule,omitempty"`
	Note   string   `json:"note,omitempty"`  // why there is no figure
	Check  *float64 `json:"check,omitempty"` // depends on all that was read
	Plain  *float64 `json:"-"`               // written as a number alone

	Screens []screenFrames `json:"-"` // of frames
}

// benchResult is what one data set gave.
type benchResult struct {
	Cores   int
	Events  int64
	Users   int64
	Figures []benchFigure
	Cut     string // what was being measured when it was cancelled; "": all was
}

// benchNames are the operations, in their order.
func benchNames() []string {
	out := []string{"open"}
	for _, p := range (&query.Bench{}).Probes() {
		out = append(out, p.Name)
	}
	return append(out, "lookup", "frame", "session_mib", "frames")
}

func (r *benchResult) add(name string, f benchFigure) {
	f.Name = name
	r.Figures = append(r.Figures, f)
}

// medianOf runs an operation n times.
func medianOf(n int, run func() (float64, error)) (benchFigure, error) {
	var ms []float64
	var check float64
	for range n {
		begin := time.Now()
		c, err := run()
		if err != nil {
			return benchFigure{}, err
		}
		ms, check = append(ms, milliseconds(time.Since(begin))), c
	}
	slices.Sort(ms)
	return benchFigure{Median: &ms[len(ms)/2], Check: &check}, nil
}

func milliseconds(d time.Duration) float64 { return round3(d.Seconds() * 1000) }

func percentiles(took []time.Duration) benchFigure {
	slices.Sort(took)
	p50, p99 := milliseconds(took[len(took)/2]), milliseconds(took[len(took)*99/100])
	return benchFigure{P50: &p50, P99: &p99}
}

// frames times the users screen under every kind of key that moves it, while
// questions that read all events run one after the other.
func frames(ctx context.Context, desk *tui.Desk, bench *query.Bench) (benchFigure, error) {
	var keys []string
	for range 40 {
		keys = append(keys, "j", "j", "pgdown", "k", "G", "pgup", "g", "l", "j", "h")
	}
	busy, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	scan := bench.Probes()[0]
	go func() {
		for busy.Err() == nil {
			if _, err := scan.Run(busy); err != nil && busy.Err() == nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	took, err := tui.Frames(ctx, desk, "users", keys)
	stop()
	if err = errors.Join(err, <-done); err != nil {
		return benchFigure{}, err
	}
	return percentiles(took), nil
}

// sessionMiB is what a second session of the process adds to the heap.
func sessionMiB(ctx context.Context, desk *tui.Desk) (float64, error) {
	first, err := tui.Hold(ctx, desk, "users")
	if err != nil {
		return 0, err
	}
	defer first()
	before := heapBytes()
	second, err := tui.Hold(ctx, desk, "users")
	if err != nil {
		return 0, err
	}
	defer second()
	return round3(max(float64(heapBytes())-float64(before), 0) / (1 << 20)), nil
}

func heapBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// write prints the figures as JSON, in their order, or as a table.
func (b benching) write(w io.Writer, r *benchResult) error {
	if b.json {
		body, err := r.object()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", body)
		return err
	}
	fmt.Fprintf(w, "%d events of %d users, %d cores; medians of %d runs\n\n", r.Events, r.Users, r.Cores, b.runs)
	for i := range r.Figures {
		fmt.Fprintf(w, "%-16s %s\n", r.Figures[i].Name, r.Figures[i].text())
	}
	if r.Cut != "" {
		fmt.Fprintf(w, "\ncancelled at %s: that is not whole, and what follows it is missing\n", r.Cut)
	}
	return nil
}

func (f *benchFigure) text() string {
	if f.Screens != nil {
		return framesText(f.Screens)
	}
	var out []string
	if f.Median != nil {
		out = append(out, fmt.Sprintf("%10.3f ms", *f.Median))
	}
	if f.P50 != nil {
		out = append(out, fmt.Sprintf("%10.3f ms median, %.3f ms at the 99th percentile", *f.P50, *f.P99))
	}
	if f.Bytes != nil {
		out = append(out, fmt.Sprintf("%.0f bytes a user", *f.Bytes))
	}
	if f.Plain != nil {
		out = append(out, fmt.Sprintf("%10.3f MiB", *f.Plain))
	}
	for _, said := range []string{f.Rule, f.Note} {
		if said != "" {
			out = append(out, said)
		}
	}
	return strings.Join(out, "  ")
}

// object is the figures as one JSON object that keeps their order.
func (r *benchResult) object() ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, `{"cores":%d,"events":%d,"users":%d`, r.Cores, r.Events, r.Users)
	for i := range r.Figures {
		f := &r.Figures[i]
		body, err := json.Marshal(f)
		switch {
		case f.Plain != nil:
			body, err = json.Marshal(*f.Plain)
		case f.Screens != nil:
			body, err = framesObject(f.Screens)
		}
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, ",%q:%s", f.Name, body)
	}
	if r.Cut != "" {
		fmt.Fprintf(&out, `,"cut_short":%q`, r.Cut)
	}
	out.WriteString("}")
	return out.Bytes(), nil
}
