//go:build linux

package store

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
)

// A disk of 320 MiB, mounted where the system allows it (a mount namespace of its
// own needs root, or user namespaces); elsewhere TestSpace and TestSpillFails inject
// the same. Somebody else fills it up before and during a load: the load is refused
// or rolled back with a sentence, what was acknowledged stays, nothing crashes.
func TestSmallDisk(t *testing.T) {
	at := t.TempDir()
	cmd := child("smalldisk", at)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	cmd.Stderr = nil
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch text := string(out); {
	case err != nil && !errors.As(err, &exit), strings.Contains(text, "cannot mount"):
		t.Logf("no small disk can be mounted here (%v): TestSpace has it with injected errors\n%s", err, text)
	case err != nil || !strings.Contains(text, "all held"):
		t.Errorf("%v:\n%s", err, text)
	default:
		t.Log(text)
	}
}

// childOnSmallDisk mounts a small disk, which nobody else sees, and fills it.
func childOnSmallDisk(dir string) int {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=320m"); err != nil {
		println("cannot mount:", err.Error())
		return 0
	}
	bad := func(what string, err error) int {
		text := "no error"
		if err != nil {
			text = err.Error()
		}
		println(what+":", text)
		return 1
	}
	data, ballast := filepath.Join(dir, "data"), filepath.Join(dir, "ballast")
	// leave makes the ballast so large that n MiB are free.
	leave := func(n int64) error {
		if err := os.Remove(ballast); err != nil && !os.IsNotExist(err) {
			return err
		}
		free, err := freeSpace(dir)
		if err != nil {
			return err
		}
		f, err := os.Create(ballast)
		if err != nil {
			return err
		}
		chunk := make([]byte, 1<<20)
		for left := int64(free) - n<<20; left > 0; left -= int64(len(chunk)) {
			if _, err := f.Write(chunk[:min(left, int64(len(chunk)))]); err != nil {
				return errors.Join(err, f.Close())
			}
		}
		return f.Close()
	}
	s, err := Open(data, Options{Memory: 1 << 18})
	if err != nil {
		return bad("open", err)
	}
	load := func(n int, during func(batch int)) error {
		p := loadPlan(n)
		ld, err := s.Begin(context.Background(), p)
		if err != nil {
			return err
		}
		for i, b := range modeltest.Batches(loadRows(n), 100) {
			during(i)
			if err := ld.Add(b); err != nil {
				return errors.Join(err, ld.Abort())
			}
		}
		during(-1)
		_, err = ld.Commit(model.Quality{Read: 1500}, p.Sources)
		return err
	}
	quiet := func(int) {}
	if err := load(1, quiet); err != nil {
		return bad("the first load", err)
	}
	want, err := digestOf(s)
	if err != nil {
		return bad("read", err)
	}
	println("the disk fills up before the load")
	if err := leave(40); err != nil {
		return bad("fill", err)
	}
	if err := load(2, quiet); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "MiB are free") {
		return bad("a load on a full disk", err)
	}
	for _, when := range []int{3, 9, -1} { // while rows come, and before they are packed
		println("the disk fills up during the load, at " + strconv.Itoa(when))
		if err := os.Remove(ballast); err != nil {
			return bad("empty", err)
		}
		err := load(2, func(batch int) {
			if batch == when {
				if err := leave(40); err != nil {
					println("fill:", err.Error())
				}
			}
		})
		if !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "free some") {
			return bad("a load on a disk that fills up", err)
		}
		if got, err := digestOf(s); err != nil || got != want {
			return bad("the data after it", err)
		}
	}
	println("nothing is left of the disk: shelf, backup and cache")
	shelf, cache := s.Shelf(), NewCache(filepath.Join(dir, "cache"), 0)
	if _, err := shelf.Put(model.KindSegment, "mine", []byte("rule = 'x'\n"), ""); err != nil {
		return bad("put", err)
	}
	if err := leave(0); err != nil {
		return bad("fill", err)
	}
	if _, err := shelf.Put(model.KindSegment, "mine", []byte("rule = 'y'\n"), ""); err == nil || !strings.Contains(err.Error(), "free some") {
		return bad("put on a full disk", err)
	}
	if e, err := shelf.Get(model.KindSegment, "mine", 0); err != nil || string(e.Body) != "rule = 'x'\n" {
		return bad("the shelf after it: "+string(e.Body), err)
	}
	if err := s.Backup(context.Background(), filepath.Join(dir, "backup")); !errors.Is(err, ErrNoSpace) {
		return bad("backup on a full disk", err)
	}
	cache.Keep("key", make([]byte, 100_000))
	if _, ok := cache.Recall("key"); ok {
		return bad("the cache on a full disk", nil)
	}
	if left := append(temps(dir, backupTemp), temps(filepath.Join(dir, "cache"), cacheTemp)...); left != nil {
		return bad("left behind: "+strings.Join(left, " "), nil)
	}
	if err := errors.Join(os.Remove(ballast), s.Close()); err != nil {
		return bad("close", err)
	}
	if s, err = Open(data, Options{}); err != nil {
		return bad("open again", err)
	}
	if err := s.Check(context.Background(), nil, func(p Problem) { err = errors.New(p.String()) }); err != nil {
		return bad("check", err)
	}
	if got, err2 := digestOf(s); err != nil || err2 != nil || got != want {
		return bad("the data in the end", errors.Join(err, err2))
	}
	if err := load(2, quiet); err != nil {
		return bad("once there is room", err)
	}
	println("all held")
	return 0
}
