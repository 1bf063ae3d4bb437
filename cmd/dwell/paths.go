package main

import (
	"fmt"
	"path/filepath"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"
)

// dataSet is the data set's folder and where it was taken from: --db, DWELL_DB,
// or the XDG data folder.
func (a *app) dataSet() (dir, from string) {
	switch {
	case a.db != "":
		return a.db, "--db"
	case a.getenv("DWELL_DB") != "":
		return a.getenv("DWELL_DB"), "DWELL_DB"
	}
	return filepath.Join(a.xdg("XDG_DATA_HOME", xdg.DataHome), "dwell", "default"), "the default"
}

// xdg prefers the environment handed to the program over what the library read
// at start.
func (a *app) xdg(name, fallback string) string {
	if v := a.getenv(name); v != "" {
		return v
	}
	return fallback
}

func (a *app) cacheDir() string {
	return filepath.Join(a.xdg("XDG_CACHE_HOME", xdg.CacheHome), "dwell")
}

func (a *app) stateDir() string {
	return filepath.Join(a.xdg("XDG_STATE_HOME", xdg.StateHome), "dwell")
}

func newPaths(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "paths",
		GroupID: groupData,
		Short:   "Print where dwell keeps its files",
		Long:    "Print where dwell keeps its files. All but the data set, with the shelf in it, are safe to delete.",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, from := a.dataSet()
			fmt.Fprintf(a.stdout, "data set  %s  (from %s)\n", dir, from)
			fmt.Fprintf(a.stdout, "shelf     %s\n", filepath.Join(dir, "shelf"))
			fmt.Fprintf(a.stdout, "demo      %s\n", filepath.Join(a.cacheDir(), "demo"))
			fmt.Fprintf(a.stdout, "cache     %s\n", a.cacheDir())
			fmt.Fprintf(a.stdout, "state     %s\n", a.stateDir())
			return nil
		},
	}
}
