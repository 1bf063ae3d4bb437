package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

// An export that cannot be written whole leaves no file behind, and one whose name
// is taken gets a number.
func TestExportFails(t *testing.T) {
	t.Chdir(t.TempDir())
	d := &desk{}
	_, err := d.export("figures.csv", func(w io.Writer) error {
		if _, err := io.WriteString(w, "a,b\n"); err != nil {
			return err
		}
		return syscall.ENOSPC
	})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk gives %v", err)
	}
	if left, _ := os.ReadDir("."); len(left) != 0 {
		t.Errorf("%v is left behind", left)
	}
	for _, want := range []string{"figures.csv", "figures-2.csv"} {
		path, err := d.export("figures.csv", func(w io.Writer) error { _, err := io.WriteString(w, want); return err })
		if err != nil || !strings.HasSuffix(path, string(os.PathSeparator)+want) {
			t.Errorf("exported to %s: %v", path, err)
		}
		if body, err := os.ReadFile(path); err != nil || string(body) != want {
			t.Errorf("%s holds %q: %v", path, body, err)
		}
	}
	if err := os.Symlink("nowhere/x", "lost.csv"); err == nil { // the name is taken by a link to nothing
		if path, err := d.export("lost.csv", func(io.Writer) error { return nil }); err != nil || !strings.HasSuffix(path, "lost-2.csv") {
			t.Errorf("exported to %s: %v", path, err)
		}
	}
}
