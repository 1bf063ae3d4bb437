package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dwell/model/churn"
)

// trainPeer is the script that trains scikit-learn on the same table.
//
//go:embed trainpeer.py
var trainPeer []byte

// A training is the benchmark of churn models on a made-up table.
type training struct {
	users, measures, runs int
	peer                  string // the Python to hold against; "": none
	json                  bool
}

// benchTrain times both kinds of model on a made-up table of any size, run by run
// in turn with scikit-learn where a Python that has it is named: on a shared
// machine only ratios of one run say anything.
func (a *app) benchTrain(ctx context.Context, b training) (err error) {
	if b.users < 1000 || b.measures < 1 || b.users*b.measures > 1<<28 {
		return usage(fmt.Errorf("--train-users %d and --measures %d: from 1000 users and one measure up to %d values", b.users, b.measures, 1<<28))
	}
	tab := trainTable(b.users, b.measures)
	dir := ""
	if b.peer != "" {
		if err := makeDir(a.cacheDir()); err != nil {
			return err
		}
		if dir, err = os.MkdirTemp(a.cacheDir(), "train-*"); err != nil {
			return fmt.Errorf("the table for the peer cannot be made: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		if err := writeTrainTable(dir, tab); err != nil {
			return fmt.Errorf("the table for the peer cannot be made: %w", err)
		}
	}
	out := map[string]map[string]float64{}
	for _, kind := range []churn.Kind{churn.LogisticKind, churn.BoostingKind} {
		var ours, theirs []float64
		for range b.runs {
			begin := time.Now()
			_, err := churn.Train(tab, churn.Options{Kind: kind, Boosting: churn.Boosting{Trees: 100, Depth: 6, Sample: 1, Seed: 1}, Parallel: allCores, Stop: func() bool { return ctx.Err() != nil }})
			if err != nil {
				return err
			}
			ours = append(ours, time.Since(begin).Seconds())
			if b.peer != "" {
				s, err := peerTrains(ctx, b, dir, string(kind))
				if err != nil {
					return err
				}
				theirs = append(theirs, s)
			}
		}
		slices.Sort(ours)
		slices.Sort(theirs)
		row := map[string]float64{"seconds": round3(ours[len(ours)/2])}
		if len(theirs) > 0 {
			row["peer_seconds"] = round3(theirs[len(theirs)/2])
			row["ratio"] = round3(ours[len(ours)/2] / theirs[len(theirs)/2])
		}
		out[string(kind)] = row
		if !b.json {
			fmt.Fprintf(a.stdout, "%-10s %8.2f s", kind, row["seconds"])
			if len(theirs) > 0 {
				fmt.Fprintf(a.stdout, "  scikit-learn %8.2f s  ratio %.2f", row["peer_seconds"], row["ratio"])
			}
			fmt.Fprintln(a.stdout)
		}
	}
	if b.json {
		return json.NewEncoder(a.stdout).Encode(out)
	}
	fmt.Fprintf(a.stdout, "\n%d users × %d measures, %d cores; medians of %d runs, each kind in turn with its peer\n", b.users, b.measures, runtime.NumCPU(), b.runs)
	return nil
}

// peerTrains runs the script once and gives the seconds it trained.
func peerTrains(ctx context.Context, b training, dir, kind string) (float64, error) {
	c := exec.CommandContext(ctx, b.peer, filepath.Join(dir, "peer.py"), filepath.Join(dir, "table.bin"), strconv.Itoa(b.users), strconv.Itoa(b.measures), kind)
	body, err := c.Output()
	if err != nil {
		var ee *exec.ExitError
		if errors.As(err, &ee) && len(ee.Stderr) > 0 {
			lines := strings.Split(strings.TrimSpace(string(ee.Stderr)), "\n")
			return 0, usage(fmt.Errorf("--peer %s: %s", b.peer, lines[len(lines)-1]))
		}
		return 0, usage(fmt.Errorf("--peer %s: %w", b.peer, err))
	}
	var said struct {
		Seconds float64 `json:"seconds"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return 0, fmt.Errorf("--peer %s: %w", b.peer, err)
	}
	return said.Seconds, nil
}

// trainTable makes users whose measures look like counts, days and amounts, and
// whose outcome depends on some of them, with one corner that no line tells.
func trainTable(users, measures int) *churn.Table {
	rng := rand.New(rand.NewPCG(1, 2))
	busy := make([]float64, users)
	odds := make([]float64, users)
	for i := range busy {
		busy[i] = math.Exp(rng.NormFloat64())
	}
	t := &churn.Table{Known: make([][]bool, measures), Units: make([]string, measures)}
	for m := range measures {
		col := make([]float64, users)
		weight := 0.3 * rng.NormFloat64()
		for i := range col {
			switch m % 3 {
			case 0: // a count
				col[i] = math.Floor(rng.ExpFloat64() * busy[i] * float64(1+m%7))
			case 1: // days
				col[i] = math.Round(rng.ExpFloat64() * 30 / (0.2 + busy[i]))
			default: // an amount
				col[i] = math.Round(100*math.Exp(3+rng.NormFloat64())) / 100
			}
			odds[i] += weight * math.Log1p(col[i])
		}
		t.Names, t.X = append(t.Names, fmt.Sprintf("m%d", m+1)), append(t.X, col)
	}
	mean := 0.0
	for _, o := range odds {
		mean += o / float64(users)
	}
	for i, o := range odds {
		o -= mean + 1
		if t.X[0][i] < 1 && t.X[min(1, measures-1)][i] > 40 {
			o++
		}
		t.Yes = append(t.Yes, rng.Float64() < 1/(1+math.Exp(-o)))
	}
	return t
}

// writeTrainTable writes the table and the script for the peer.
func writeTrainTable(dir string, t *churn.Table) error {
	if err := os.WriteFile(filepath.Join(dir, "peer.py"), trainPeer, 0o600); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "table.bin"))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for _, col := range t.X {
		if err = binary.Write(w, binary.LittleEndian, col); err != nil {
			break
		}
	}
	if err == nil {
		err = binary.Write(w, binary.LittleEndian, t.Yes)
	}
	return errors.Join(err, w.Flush(), f.Close())
}

// allCores calls f(0) … f(n−1) on all processors.
func allCores(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
