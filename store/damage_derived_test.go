package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/modeltest"
	"dwell/model/query"
	"dwell/model/stage"
)

// harm damages every file below dir.
func harm(t *testing.T, dir string, r *rand.Rand) (what []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		one := t.TempDir()
		if err := os.Rename(filepath.Join(dir, e.Name()), filepath.Join(one, e.Name())); err != nil {
			t.Fatal(err)
		}
		what = append(what, damageSomething(t, one, r))
		if err := os.Rename(filepath.Join(one, e.Name()), filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return what
}

// Whatever happens to the files of a cache - answers, and the population of many
// users -, what is answered over them is what was answered without.
func TestDamagedCache(t *testing.T) {
	r := rand.New(rand.NewPCG(freshSeed(t), 22))
	d := open(t, Options{})
	var rows []modeltest.Row
	for i := range 20_050 { // a population of fewer is not kept
		rows = append(rows, modeltest.Row{User: fmt.Sprint("u", i), Time: int64(19_700+i%40) * 86_400_000, Event: "open", Amount: model.NoMoney})
	}
	if _, err := modeltest.Load(t, d, loadPlan(1), rows, 2); err != nil {
		t.Fatal(err)
	}
	ask := func(dir string) string {
		t.Helper()
		e, err := query.New(d.Store, d.Shelf(), NewCache(dir, 0), query.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		var out strings.Builder
		for _, address := range []string{"users?where=tenure_days>20", "retention", "stages"} {
			q, err := query.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			a, err := e.Answer(context.Background(), q, nil)
			if err != nil {
				t.Fatalf("%s: %v", address, err)
			}
			if err := json.NewEncoder(&out).Encode(a); err != nil {
				t.Fatal(err)
			}
		}
		return out.String()
	}
	whole := t.TempDir()
	want := ask(whole)
	if got := ask(whole); got != want {
		t.Fatal("the cache changes the answer")
	}
	files, err := os.ReadDir(whole)
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files are in the cache, want the population and the answers: %v", len(files), err)
	}
	for range long(6, 100) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		what := harm(t, dir, r)
		if ask(dir) != want {
			t.Errorf("another answer over a cache with %q", what)
		}
	}
}

// A damaged shelf - dictionary, stage model, segment, note - is reported by kind and
// name, or what is left of it means something; it is never a fault of the program.
func TestDamagedShelf(t *testing.T) {
	r := rand.New(rand.NewPCG(freshSeed(t), 23))
	d := open(t, Options{})
	loadN(t, d, 1)
	whole := t.TempDir()
	_, preset, err := stage.Preset(stage.Default)
	if err != nil {
		t.Fatal(err)
	}
	s := NewShelf(whole, time.Now)
	for _, e := range []model.Entry{
		{Kind: model.KindDictionary, Name: model.KindDictionary, Body: model.NewDictionary().Format()},
		{Kind: model.KindModel, Name: "mine", Body: preset},
		{Kind: model.KindSegment, Name: "pros", Body: []byte("rule = \"events > 2\"\nnote = \"x\"\n")},
		{Kind: model.KindAnnotation, Name: "2024-01-01 x", Body: []byte("day = \"2024-01-01\"\ntext = \"x\"\n")},
	} {
		for range 2 { // with a version before it
			if _, err := s.Put(e.Kind, e.Name, e.Body, "note"); err != nil {
				t.Fatal(err)
			}
		}
	}
	reported := 0
	for range long(60, 500) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		what := damageSomething(t, dir, r)
		shelf := NewShelf(dir, time.Now)
		e, err := query.New(d.Store, shelf, nil, query.Options{Workers: 1, Forget: true})
		if err != nil {
			t.Fatal(err)
		}
		errs := []error{}
		for _, address := range []string{"stages", "users?segment=pros"} {
			q, err := query.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.Answer(context.Background(), q, nil)
			errs = append(errs, err)
		}
		_, err = e.Segments()
		errs = append(errs, err)
		_, err = e.Annotations()
		errs = append(errs, err)
		for _, kind := range []string{model.KindModel, model.KindDictionary, model.KindSegment} {
			_, err := shelf.List(kind)
			errs = append(errs, err)
		}
		// The next version can be put, whatever lies there.
		_, err = shelf.Put(model.KindSegment, "pros", []byte("rule = \"events > 3\"\n"), "")
		errs = append(errs, err)
		if err == nil {
			if got, err := shelf.Get(model.KindSegment, "pros", 0); err != nil || string(got.Body) != "rule = \"events > 3\"\n" {
				t.Errorf("%s: the segment put after it is %q, %v", what, got.Body, err)
			}
		}
		said := errors.Join(errs...)
		var fault *query.Fault
		if errors.As(said, &fault) {
			t.Errorf("%s: %v\n%s", what, said, fault.Stack)
		}
		if said != nil {
			if reported++; !strings.Contains(said.Error(), "dictionary") && !strings.Contains(said.Error(), "model") && !strings.Contains(said.Error(), "segment") && !strings.Contains(said.Error(), "annotation") {
				t.Errorf("%s: it is not said what is damaged: %v", what, said)
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d reported", reported)
}
