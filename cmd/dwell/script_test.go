package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if os.Getenv("DWELL_AS_PROGRAM") != "" { // of tests in a terminal
		main()
	}
	testscript.Main(m, map[string]func(){
		"dwell": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// TestScripts drives the whole program: arguments and files in; standard output,
// standard error and exit code out. Each script has its own folders.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			for _, kv := range [][2]string{{"XDG_DATA_HOME", "data"}, {"XDG_CACHE_HOME", "cache"}, {"XDG_STATE_HOME", "state"}, {"XDG_CONFIG_HOME", "config"}} {
				e.Setenv(kv[0], filepath.Join(e.WorkDir, kv[1]))
			}
			e.Setenv("DWELL_DB", "")
			e.Setenv("TZ", "UTC")
			return nil
		},
	})
}
