package main

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// timing measures one load: wall and processor time, and the peak
// of anonymous memory (the part no file backs), read from the system every 20 ms
// where it tells.
type timing struct {
	start time.Time
	cpu   float64
	stop  chan struct{}
	once  sync.Once
	wait  sync.WaitGroup
	peak  int64 // KiB

	wall time.Duration // once it has ended
	used float64       // processor seconds
}

func startTiming() *timing {
	t := &timing{start: time.Now(), cpu: cpuSeconds(), stop: make(chan struct{})}
	t.wait.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			t.peak = max(t.peak, anonKiB())
			select {
			case <-t.stop:
				return
			case <-tick.C:
			}
		}
	})
	return t
}

// end stops the measurement, if it has not ended: wall time, processor time in
// seconds, and the peak of anonymous memory in MiB.
func (t *timing) end() (wall time.Duration, cpu, peak float64) {
	t.once.Do(func() {
		close(t.stop)
		t.wait.Wait()
		t.wall, t.used = time.Since(t.start), cpuSeconds()-t.cpu
	})
	return t.wall, t.used, float64(t.peak) / 1024
}

// write ends the measurement and writes it as one JSON line.
func (t *timing) write(w io.Writer, rows, users int64) error {
	wall, cpu, peak := t.end()
	return json.NewEncoder(w).Encode(struct {
		Wall  float64 `json:"wall_s"`
		CPU   float64 `json:"cpu_s"`
		Rows  int64   `json:"rows"`
		Users int64   `json:"users"`
		Peak  float64 `json:"peak_rss_anon_mib"`
	}{round3(wall.Seconds()), round3(cpu), rows, users, round3(peak)})
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }

// anonKiB is the process's anonymous memory in KiB; 0 where the system does not
// tell (all but Linux).
func anonKiB() int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if rest, ok := strings.CutPrefix(sc.Text(), "RssAnon:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}
