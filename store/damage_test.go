package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
)

// childReads opens a data set that may be damaged and says what it finds, in one
// line: refused, problems, or the digest of everything in it.
func childReads(dir string) int {
	s, err := Open(dir, Options{ReadOnly: os.Getenv("DWELL_STORE_WRITE") == ""})
	if err != nil {
		fmt.Println("refused", err)
		return 0
	}
	n := 0
	if err := s.Check(context.Background(), nil, func(p Problem) {
		if n++; n == 1 {
			fmt.Println("problem", p)
		}
	}); err != nil {
		fmt.Println("problem", err)
	}
	digest, err := digestOf(s)
	if err != nil {
		fmt.Println("refused", err)
	} else {
		fmt.Println("digest", digest)
	}
	if err := s.Close(); err != nil {
		fmt.Println("problem", err)
	}
	return 0
}

// digestOf reads everything there is by Scan, and some of it by User.
func digestOf(s *Store) (string, error) {
	snap, err := s.Snapshot(context.Background())
	if err != nil {
		return "", err
	}
	defer snap.Close()
	in := snap.Info()
	f := modeltest.AllColumns(in)
	h := sha256.New()
	for _, split := range snap.Splits(2) {
		err := snap.Scan(context.Background(), split, f, func(tl *model.Timeline) error {
			fmt.Fprint(h, modeltest.Text(in, f, tl))
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	for i := range 400 {
		tl, err := snap.User(context.Background(), fmt.Sprint("user", i), f)
		if err != nil && !errors.Is(err, model.ErrNoUser) {
			return "", err
		}
		fmt.Fprint(h, err == nil, modeltest.Text(in, f, &tl))
	}
	if err := snap.Find(context.Background(), "1", func(id string) bool { fmt.Fprint(h, id); return true }); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}

// places are how a report names what is damaged: a record, a file, or the whole.
var places = []string{"chunk of bucket", "chunks of bucket", "summaries of bucket", "dictionary of load", "marker of load", "bucket table of load", "rows of load", "intent of load",
	"format number", "ledger", ".sst", ".vlog", ".mem", "MANIFEST", "KEYREGISTRY", "DISCARD"}

// TestDamaged flips bits of, truncates, blanks and deletes files of a data set
// and reads it in another process. That process ends by itself, without a
// panic, and either reports the damage or has read exactly what was stored.
func TestDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(freshSeed(t), 8))
	whole := t.TempDir()
	s, err := Open(whole, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		if _, err := modeltest.Load(t, s, loadPlan(n+1), loadRows(n+1), 1); err != nil {
			t.Fatal(err)
		}
		if n == 1 { // so that there are several tables, and merged loads
			if _, err := s.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(whole, Options{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Pieces of a followed file, with rows that another source has.
	for n := 1; n <= 2; n++ {
		if _, err := modeltest.Load(t, s, piecePlan(n), loadRows(4)[n*50:n*50+90], 1); err != nil {
			t.Fatal(err)
		}
	}
	want, err := digestOf(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]int{}
	for range long(60, 500) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		what := damageSomething(t, dir, r)
		cmd := child("read", dir)
		if r.IntN(3) == 0 {
			cmd.Env = append(cmd.Env, "DWELL_STORE_WRITE=1")
			what += ", opened for writing"
		}
		var errOut bytes.Buffer
		cmd.Stderr = &errOut
		out, err := cmd.Output()
		if err != nil || strings.Contains(errOut.String(), "panic") {
			t.Errorf("%s: the process ended with %v:\n%s%s", what, err, out, errOut.String())
			continue
		}
		switch text := string(out); {
		case strings.Contains(text, "refused") || strings.Contains(text, "problem"):
			verdicts["reported"]++
			if !slices.ContainsFunc(places, func(p string) bool { return strings.Contains(text, p) }) {
				t.Errorf("%s: it is not said where: %s", what, text)
			}
		case strings.Contains(text, "digest "+want):
			verdicts["harmless"]++
		default:
			t.Errorf("%s: silently wrong: %s", what, text)
		}
		os.RemoveAll(dir)
	}
	t.Logf("%v", verdicts)
}

// damageSomething harms one file and says how.
func damageSomething(t *testing.T, dir string, r *rand.Rand) string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != "LOCK" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	path := files[r.IntN(len(files))]
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name, _ := filepath.Rel(dir, path)
	what := ""
	switch kind := r.IntN(6); {
	case kind == 0:
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return "deleted " + name
	case len(b) == 0:
		b, what = []byte("x"), "wrote into empty "
	case kind == 1:
		n := r.IntN(len(b))
		b, what = b[:n], fmt.Sprintf("cut to %d bytes ", n)
	case kind == 2:
		at := r.IntN(len(b))
		end := min(len(b), at+1+r.IntN(8192))
		clear(b[at:end])
		what = fmt.Sprintf("blanked %d to %d of ", at, end)
	default:
		at, bit := r.IntN(len(b)), r.IntN(8)
		b[at] ^= 1 << bit
		what = fmt.Sprintf("flipped bit %d of byte %d of %d of ", bit, at, len(b))
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return what + name
}

// TestCheckGoesOn flips a byte in the middle of a data set: what lies in that block is
// reported, and nothing that can be read.
func TestCheckGoesOn(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if _, err := modeltest.Load(t, s, loadPlan(n+1), loadRows(n+1), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, dirBadger, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	b, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{len(b) / 5, len(b) / 2} { // among chunks
		flipped := bytes.Clone(b)
		flipped[at] ^= 0x10
		if err := os.WriteFile(tables[0], flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		if err := s.Check(context.Background(), nil, func(p Problem) { found = append(found, p.String()) }); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 || len(found) > 150 || !slices.ContainsFunc(found, func(p string) bool {
			return strings.HasPrefix(p, "chunk of bucket ") && strings.Contains(p, "more must follow and cannot be read")
		}) {
			t.Errorf("byte %d of %d: %d problems, first %q", at, len(b), len(found), found[:min(len(found), 3)])
		}
		t.Logf("%d problems", len(found))
	}
}
