package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// What was measured before a cancelling is printed, and both forms say what it
// was cancelled at.
func TestBenchCutShort(t *testing.T) {
	dir := t.TempDir()
	file, db := filepath.Join(dir, "one.csv"), filepath.Join(dir, "db")
	if err := os.WriteFile(file, []byte("user,time,event\na,2024-01-01,open\nb,2024-01-02,open\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"load", file, "--db", db, "--quiet"}, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("load: %d, %s", code, errs.String())
	}
	told := map[string]bool{}
	for asked := int64(8); asked <= 128; asked *= 2 { // some of them after the first figure
		for _, form := range []string{"--json", "--json=false"} {
			out.Reset()
			errs.Reset()
			ctx := &askedContext{Context: context.Background()}
			ctx.left.Store(asked)
			switch code := run(ctx, []string{"bench", "--db", db, "--runs", "1", "--only", "open,scan,ordered,summary,retention", form}, strings.NewReader(""), &out, &errs); {
			case code == 0 && !strings.Contains(out.String(), "retention") || code != 0 && code != 130:
				t.Fatalf("exit %d: %s%s", code, out.String(), errs.String())
			case code == 0 || out.Len() == 0: // all, or nothing yet
				continue
			}
			got := map[string]any{}
			if form == "--json" {
				if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["cut_short"] == nil || got["open"] == nil || got["retention"] != nil {
					t.Errorf("%v: %s", err, out.String())
				}
			} else if s := out.String(); !strings.Contains(s, "\nopen ") || !strings.Contains(s, "\ncancelled at ") {
				t.Errorf("what was measured, or the cancelling, is not told: %s", s)
			}
			told[form] = true
		}
	}
	if len(told) != 2 {
		t.Errorf("no cancelling came after the first figure: %v", told)
	}
}

// An askedContext is cancelled once it has been asked that often.
type askedContext struct {
	context.Context
	left atomic.Int64
}

// Err is nil the first times.
func (c *askedContext) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}
