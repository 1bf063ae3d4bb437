package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"dwell/store"
)

func newCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "check",
		GroupID: groupData,
		Short:   "Walk the data set and report every broken promise",
		Long: `Read every record of the data set and hold it against its checksums, its order and
its load's marker. Damage is named with its place, and the exit code is 6.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Context()) },
	}
}

func (a *app) check(ctx context.Context) error {
	dir, from := a.dataSet()
	db, err := a.openStore(dir, from, true)
	if err != nil {
		return err
	}
	problems := 0
	bar := a.progressLine(false)
	err = db.Check(ctx, func(done, total int64) { bar.count(done, total, "chunk") }, func(p store.Problem) {
		problems++
		bar.clear()
		fmt.Fprintln(a.stdout, p)
	})
	bar.clear()
	st, statsErr := db.Stats()
	if err = errors.Join(err, statsErr, db.Close()); err != nil {
		return storeError(err)
	}
	if problems > 0 {
		return &coded{exitDamaged, fmt.Errorf("%s is damaged: %s; restore a backup, or load its files into a new data set", dir, counted(int64(problems), "problem"))}
	}
	fmt.Fprintf(a.stdout, "%s is sound: %s, %s, %s on disk\n", dir, counted(int64(st.Loads), "load"), counted(st.Chunks, "chunk"), humanize.Bytes(uint64(st.Disk)))
	return nil
}
