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

// An exportDisk is full after some bytes, or fails at Sync or Close.
type exportDisk struct {
	exportFile
	room          int
	noSync, noEnd bool
}

func (f *exportDisk) Write(b []byte) (int, error) {
	if len(b) > f.room {
		n, _ := f.exportFile.Write(b[:f.room])
		f.room = 0
		return n, syscall.ENOSPC
	}
	f.room -= len(b)
	return f.exportFile.Write(b)
}

func (f *exportDisk) Sync() error {
	if f.noSync {
		return syscall.ENOSPC
	}
	return f.exportFile.Sync()
}

func (f *exportDisk) Close() error {
	if err := f.exportFile.Close(); err != nil || !f.noEnd {
		return err
	}
	return syscall.ENOSPC
}

// Wherever the disk ends, no half export has the name of one, while it is written or
// after.
func TestExportOnAFullDisk(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, disk := range []exportDisk{{room: 0}, {room: 1}, {room: 7}, {room: 11}, {room: 99, noSync: true}, {room: 99, noEnd: true}} {
		d := &desk{create: func() (exportFile, error) {
			f, err := newExport()
			disk.exportFile = f
			return &disk, err
		}}
		_, err := d.export("figures.csv", func(w io.Writer) error {
			for range 4 {
				if _, err := io.WriteString(w, "a,b\n"); err != nil {
					return err
				}
				if _, err := os.Stat("figures.csv"); err == nil {
					t.Error("a half export has its name")
				}
			}
			return nil
		})
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the export was not written") {
			t.Errorf("%+v: %v", disk, err)
		}
		if left, _ := os.ReadDir("."); len(left) != 0 {
			t.Errorf("%v is left behind", left)
		}
	}
}
