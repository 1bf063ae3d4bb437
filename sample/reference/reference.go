// Package reference finds the reference data for tests and loads its data sets
// into model.Memory. It stands outside model because it reads files and the
// environment; tests of every room may use it, no program does.
//
// The reference data lie outside the module. A test that needs them skips, with
// a sentence, where they are absent, and fails where CI is set:
//
//	mem, dict := reference.CDNOW(t)
//	snap, err := mem.Snapshot(ctx)
package reference

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Shared is the folder that holds reference/ and data/: DWELL_SHARED, else
// ../shared beside the module root. Without one the test skips, or fails where
// CI is set.
func Shared(t testing.TB) string {
	t.Helper()
	dir, err := sharedDir()
	if err != nil {
		absent(t, err)
	}
	return dir
}

// JSON reads one of the peers' result files of reference/ into a value.
func JSON(t testing.TB, name string, into any) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(Shared(t), "reference", name))
	if err != nil {
		absent(t, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Data reads a file of data/ whole, unpacked where its name ends in .gz.
func Data(t testing.TB, name string) []byte {
	t.Helper()
	File(t, name)
	body, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// File is the path of a file of data/, given with slashes.
func File(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(Shared(t), "data", filepath.FromSlash(name))
	if _, err := os.Stat(file); err != nil {
		absent(t, err)
	}
	return file
}

func absent(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("reference data: %v", err)
	}
	t.Skipf("reference data: %v", err)
}

func sharedDir() (string, error) {
	dir := os.Getenv("DWELL_SHARED")
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(filepath.Dir(root), "shared")
	}
	for _, sub := range []string{"reference", "data"} {
		if st, err := os.Stat(filepath.Join(dir, sub)); err != nil || !st.IsDir() {
			return "", fmt.Errorf("%s has no folder %s; set DWELL_SHARED to the folder that holds reference and data", dir, sub)
		}
	}
	return dir, nil
}

// moduleRoot is the nearest directory above the test's own with a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the test")
		}
		dir = up
	}
}
