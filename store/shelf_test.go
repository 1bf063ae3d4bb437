package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dwell/model"
)

// clock is a clock that moves a second at each look.
func clock() func() time.Time {
	t := time.Date(2011, 12, 9, 8, 26, 0, 0, time.UTC)
	return func() time.Time { t = t.Add(time.Second); return t }
}

// TestShelvesAgree runs one script on the files and on Memory.
func TestShelvesAgree(t *testing.T) {
	for name, s := range map[string]model.Shelf{"files": NewShelf(t.TempDir(), clock()), "memory": model.NewMemory()} {
		t.Run(name, func(t *testing.T) { shelfScript(t, s) })
	}
}

func shelfScript(t *testing.T, s model.Shelf) {
	if l, err := s.List("segment"); err != nil || len(l) != 0 {
		t.Fatalf("an empty shelf lists %v, %v", l, err)
	}
	if _, err := s.Get("segment", "x", 0); !errors.Is(err, model.ErrNoEntry) {
		t.Fatalf("Get of nothing gives %v", err)
	}
	names := []string{"x", "X", "a/b", "../up", "con", ".hidden", "größe", "x.v2", "two words", "100%"}
	for i, n := range names {
		for v := range 3 {
			e, err := s.Put("segment", n, fmt.Appendf(nil, "rule = %d\n# version 9\n", i*10+v), "note\n"+n)
			if err != nil || e.Version != v+1 {
				t.Fatalf("put %q gives version %d, %v", n, e.Version, err)
			}
		}
	}
	l, err := s.List("segment")
	if err != nil || len(l) != len(names) {
		t.Fatalf("%d entries, %v; want %d", len(l), err, len(names))
	}
	for i := 1; i < len(l); i++ {
		if l[i-1].Name >= l[i].Name {
			t.Errorf("%q stands before %q", l[i-1].Name, l[i].Name)
		}
	}
	for i, n := range names {
		for v := range 4 {
			e, err := s.Get("segment", n, v)
			want := v - 1
			if v == 0 {
				want = 2
			}
			if err != nil || string(e.Body) != fmt.Sprintf("rule = %d\n# version 9\n", i*10+want) || e.Version != want+1 || e.Name != n || e.At == 0 {
				t.Errorf("version %d of %q is %+v, %v", v, n, e, err)
			}
		}
		if _, err := s.Get("segment", n, 4); !errors.Is(err, model.ErrNoEntry) {
			t.Errorf("version 4 of %q gives %v", n, err)
		}
	}
	if err := s.Remove("segment", "X"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove("segment", "X"); !errors.Is(err, model.ErrNoEntry) {
		t.Errorf("a second Remove gives %v", err)
	}
	if e, err := s.Get("segment", "X", 3); err != nil || string(e.Body) != "rule = 12\n# version 9\n" {
		t.Errorf("a removed entry's version 3 is %q, %v", e.Body, err)
	}
	if _, err := s.Get("segment", "X", 0); !errors.Is(err, model.ErrNoEntry) {
		t.Errorf("a removed entry gives %v", err)
	}
	if e, err := s.Put("segment", "X", nil, ""); err != nil || e.Version != 4 {
		t.Errorf("put after Remove gives version %d, %v", e.Version, err)
	}
	if e, err := s.Get("segment", "X", 0); err != nil || len(e.Body) != 0 || e.Version != 4 {
		t.Errorf("an empty body comes back as %q, %v", e.Body, err)
	}
}

// TestShelfByHand edits and adds files as a person does.
func TestShelfByHand(t *testing.T) {
	dir := t.TempDir()
	s := NewShelf(dir, clock())
	if _, err := s.Put("model", "mine", []byte("a = 1\n"), "first"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "shelf", "model", "mine.toml")
	raw, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(raw), "# dwell: version 1, 2011-12-09T08:26:01.000Z, first\na = 1\n") {
		t.Fatalf("the file is %q, %v", raw, err)
	}
	write := func(path, body string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(body), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(path, "a = 2\n") // header gone
	if e, err := s.Get("model", "mine", 0); err != nil || string(e.Body) != "a = 2\n" {
		t.Errorf("an edited file is %q, %v", e.Body, err)
	}
	write(filepath.Join(dir, "shelf", "model", "Extra.toml"), "b = 1\n")
	if l, err := s.List("model"); err != nil || len(l) != 2 || l[0].Name != "Extra" {
		t.Errorf("the list is %+v, %v", l, err)
	}
	for _, n := range []string{"mine", "Extra"} {
		before, err := s.Get("model", n, 0)
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.Put("model", n, []byte("c = 3\n"), "")
		if err != nil || e.Version != before.Version+1 {
			t.Errorf("put after an edit of %s gives version %d, %v; want %d", n, e.Version, err, before.Version+1)
		}
		if old, err := s.Get("model", n, before.Version); err != nil || !bytes.Equal(old.Body, before.Body) {
			t.Errorf("the edited %s is kept as %q, %v", n, old.Body, err)
		}
	}
	if l, err := s.List("model"); err != nil || len(l) != 2 {
		t.Errorf("the list is %+v, %v", l, err)
	}
}

func FuzzShelfNames(f *testing.F) {
	f.Add("a.v2")
	f.Add("../..")
	f.Add("con")
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" {
			return
		}
		file := escapeName(name)
		if filepath.Base(file) != file || strings.HasPrefix(file, ".") || strings.ContainsAny(file, "/\\:*?\"<>|.") {
			t.Fatalf("%q becomes the file %q", name, file)
		}
		got, version, ok := parseShelfName(file + ".v12" + shelfExt)
		if !ok || got != name || version != 12 {
			t.Fatalf("%q came back as %q, %d, %t", name, got, version, ok)
		}
	})
}

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	c := NewCache(dir, 100_000)
	if _, ok := c.Recall("a"); ok {
		t.Error("an empty cache knows something")
	}
	c.Keep("a", []byte("body"))
	c.Keep("b", nil)
	if b, ok := c.Recall("a"); !ok || string(b) != "body" {
		t.Errorf("a is %q, %t", b, ok)
	}
	if b, ok := NewCache(dir, 0).Recall("b"); !ok || len(b) != 0 {
		t.Errorf("b is %q, %t", b, ok)
	}
	raw, err := os.ReadFile(c.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 0x40
		if err := os.WriteFile(c.path("a"), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if b, ok := c.Recall("a"); ok {
			t.Fatalf("with byte %d damaged it gives %q", i, b)
		}
	}
	if err := os.WriteFile(c.path("z"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Recall("z"); ok {
		t.Error("another key's file was taken")
	}
	for i := range 30 {
		c.Keep(fmt.Sprint("big", i), make([]byte, 10_000))
	}
	long := bytes.Repeat([]byte("the same again, "), 50_000) // is packed, or would be too long
	c.Keep("long", long)
	if b, ok := c.Recall("long"); !ok || !bytes.Equal(b, long) {
		t.Errorf("a long body came back with %d bytes, %t", len(b), ok)
	}
	noise := make([]byte, 90_000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	c.Keep("huge", noise)
	if _, ok := c.Recall("huge"); ok {
		t.Error("what takes most of the cache was kept")
	}
	n, err := diskLengths(dir)
	if err != nil || n > 100_000 {
		t.Errorf("the cache has %d bytes, %v", n, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Recall("long"); ok {
		t.Error("a deleted cache knows something")
	}
	c.Keep("a", []byte("again"))
	if _, ok := c.Recall("a"); !ok {
		t.Error("a deleted cache does not come back")
	}
}

func diskLengths(dir string) (n int64, err error) {
	files, err := os.ReadDir(dir)
	for _, f := range files {
		fi, err := f.Info()
		if err != nil {
			return 0, err
		}
		n += fi.Size()
	}
	return n, err
}
