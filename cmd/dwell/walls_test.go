package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// walls are the dependency rules of the house: what a room's own files (tests
// apart) may not import. A trailing "/..." also covers everything below.
var walls = []struct {
	room   string // folder, with everything below it
	except string // a folder below it that the rule leaves out
	forbid []string
	why    string
}{
	{"tui", "", []string{"dwell/store/...", "github.com/dgraph-io/...", "os", "os/...", "dwell/sample/...", "dwell/cmd/..."}, "screens see the model alone"},
	{"model", "", []string{"dwell/store/...", "dwell/tui/...", "dwell/sample/...", "github.com/dgraph-io/...", "net", "net/http/...", "os", "os/...", "log", "log/...", "github.com/charmbracelet/...", "github.com/muesli/...", "github.com/guptarohit/..."}, "the domain reads no disk, no net and draws nothing"},
	{"store", "store/ingest", []string{"dwell/tui/...", "dwell/store/ingest/...", "dwell/sample/...", "dwell/model/query/..."}, "the store knows the vocabulary alone"},
	{"store/ingest", "", []string{"dwell/store", "dwell/tui/...", "dwell/sample/...", "github.com/dgraph-io/..."}, "readers of files know no store"},
	{"sample", "", []string{"dwell/store/...", "dwell/tui/...", "dwell/model/stage/..."}, "the sample may not read the stage rules"},
	{"tui/quiet", "", []string{"dwell/tui", "github.com/charmbracelet/bubbletea"}, "its init must run before Bubble Tea's"},
}

// analyses do not import one another.
var analyses = []string{"retention", "lifecycle", "funnel", "survival", "churn", "value", "acquisition", "experiment"}

func TestImportWalls(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := 0
	for _, top := range []string{"cmd", "tui", "model", "store", "sample"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			seen++
			rel, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			dir := path.Dir(filepath.ToSlash(rel))
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			if within(dir, "model") && !within(dir, "model/query") && !within(dir, "model/modeltest") {
				ast.Inspect(f, func(n ast.Node) bool {
					if _, ok := n.(*ast.GoStmt); ok {
						t.Errorf("%s starts a goroutine: within model they live in query alone", rel)
					}
					return true
				})
			}
			for _, im := range f.Imports {
				p, err := strconv.Unquote(im.Path.Value)
				if err != nil {
					return err
				}
				checkImport(t, filepath.ToSlash(rel), dir, p)
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if seen < 50 {
		t.Fatalf("walked %d files; the house has more", seen)
	}
}

func checkImport(t *testing.T, file, dir, imported string) {
	t.Helper()
	for _, w := range walls {
		if !within(dir, w.room) || w.except != "" && within(dir, w.except) {
			continue
		}
		for _, f := range w.forbid {
			base, below := strings.CutSuffix(f, "/...")
			if imported == base || below && strings.HasPrefix(imported, base+"/") {
				t.Errorf("%s imports %s: %s", file, imported, w.why)
			}
		}
	}
	// modeltest holds implementations of the ports to their promises: it knows
	// their contexts, and adds to a load from several goroutines at once.
	if within(dir, "model") && imported == "context" && dir != "model" && !within(dir, "model/query") && !within(dir, "model/modeltest") {
		t.Errorf("%s imports %s: within model, contexts live in query and the ports", file, imported)
	}
	for _, tests := range []string{"dwell/model/modeltest", "dwell/sample/reference"} {
		if within(imported, tests) && !within("dwell/"+dir, tests) {
			t.Errorf("%s imports %s: that room serves tests alone", file, imported)
		}
	}
	if !within(dir, "cmd") && within(imported, "dwell/cmd") || dir != "tui" && !within(dir, "tui") && !within(dir, "cmd") && within(imported, "dwell/tui") {
		t.Errorf("%s imports %s: no room imports cmd, and tui is imported by cmd alone", file, imported)
	}
	for _, a := range analyses {
		for _, b := range analyses {
			if a != b && within(dir, "model/"+a) && within(imported, "dwell/model/"+b) {
				t.Errorf("%s imports %s: the analyses do not import one another", file, imported)
			}
		}
	}
}

func within(p, room string) bool { return p == room || strings.HasPrefix(p, room+"/") }
