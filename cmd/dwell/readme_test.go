package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dwell/model/query"
)

// TestReadmeExamples runs every console block of the README against the demo
// and compares what it prints: a line that is "…" alone stands for any lines.
func TestReadmeExamples(t *testing.T) {
	body, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	t.Setenv("DWELL_DB", filepath.Join(dir, "db"))
	if _, stderr, code := call("demo"); code != 0 {
		t.Fatalf("dwell demo: exit %d: %s", code, stderr)
	}
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(body), -1) {
		for _, example := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, want, _ := strings.Cut(example, "\n")
			args := shellWords(command)
			if len(args) == 0 || args[0] != "dwell" {
				t.Fatalf("an example that is no dwell command: %q", command)
			}
			stdout, stderr, code := call(args[1:]...)
			if code != 0 {
				t.Errorf("$ %s\nexit %d: %s", command, code, stderr)
			}
			if !matches(strings.TrimRight(want, "\n"), strings.TrimRight(stdout, "\n")) {
				t.Errorf("$ %s\nprints\n%s\nthe README says\n%s", command, stdout, want)
			}
			ran++
		}
	}
	if ran < 4 {
		t.Fatalf("%d examples were run", ran)
	}
}

// TestReadmeNamesEverything holds the README to the program: every subcommand
// and every analysis is in it.
func TestReadmeNamesEverything(t *testing.T) {
	body, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range query.Specs() {
		if !bytes.Contains(body, []byte("`"+s.Name)) {
			t.Errorf("the README does not name the analysis `%s`", s.Name)
		}
	}
	for _, c := range newRoot(&app{}).Commands() {
		if c.Name() != "help" && !c.Hidden && c.Runnable() && !bytes.Contains(body, []byte("`"+c.Name())) && !bytes.Contains(body, []byte("dwell "+c.Name())) {
			t.Errorf("the README does not name the subcommand %s", c.Name())
		}
	}
}

func call(args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), code
}

// shellWords parts a command at blanks outside single quotes.
func shellWords(s string) (words []string) {
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(s, -1) {
		words = append(words, m[1]+m[2])
	}
	return words
}

func matches(want, got string) bool {
	parts := strings.Split("\n"+want, "\n…")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, "(\n.*)?") + "$").MatchString("\n" + got)
}
