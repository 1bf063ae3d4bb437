package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"dwell/store"
)

func newCompact(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "compact",
		GroupID: groupData,
		Short:   "Merge many small loads into one",
		Long: `Write all loads of the data set as one, which makes reading and looking up faster
after many small loads. Nothing that can be seen changes: every load stays listed
with its files and its report, and a file that was loaded is known. Loading merges
small loads by itself; this merges all, now. Cancelled or killed, it leaves the
data set as it was.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.compact(cmd.Context())
		},
	}
}

func (a *app) compact(ctx context.Context) error {
	dir, from := a.dataSet()
	db, err := a.openStore(dir, from, false)
	if err != nil {
		return err
	}
	before, err := db.Stats()
	if err != nil {
		return errors.Join(storeError(err), db.Close())
	}
	merged, err := db.Compact(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return storeError(err)
	}
	if merged == 0 {
		fmt.Fprintf(a.stdout, "nothing to merge: %s in %s stand as one already\n", counted(before.Events, "event"), counted(int64(before.Loads), "load"))
		return nil
	}
	fmt.Fprintf(a.stdout, "%d loads were written as one: %s of %s\n", merged, counted(before.Events, "event"), counted(before.Users, "user"))
	return nil
}

func newBackup(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "backup FILE",
		GroupID: groupData,
		Short:   "Write the whole data set into one file",
		Long: `Write the data set with everything people made on it (stage models, segments, the
dictionary) into one file, from which restore makes it again. Others may read the
data set meanwhile. The file appears when it is whole; one that is there is not
written over.`,
		Example: "  dwell backup /backups/dwell-2024-05-01.zip",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backup(cmd.Context(), args[0])
		},
	}
}

func (a *app) backup(ctx context.Context, file string) error {
	dir, from := a.dataSet()
	db, err := a.openStore(dir, from, true)
	if err != nil {
		return err
	}
	st, err := db.Stats()
	if err == nil {
		err = db.Backup(ctx, file)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return storeError(err)
	}
	fmt.Fprintf(a.stdout, "%s of %s in %s are in %s\n", counted(st.Events, "event"), counted(st.Users, "user"), counted(int64(st.Loads), "load"), file)
	return nil
}

func newRestore(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "restore FILE",
		GroupID: groupData,
		Short:   "Make a data set from a backup",
		Long: `Make the data set from a file that backup wrote. There must be none yet where it
goes (--db). Every record is read and checked first: a damaged backup is refused
and leaves nothing behind.`,
		Example: "  dwell restore /backups/dwell-2024-05-01.zip --db /data/dwell",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, _ := a.dataSet()
			o, err := a.storeOptions()
			if err != nil {
				return err
			}
			in, err := store.Restore(cmd.Context(), args[0], dir, o)
			if errors.Is(err, store.ErrNotBackup) {
				return &coded{exitInput, err}
			}
			if err != nil {
				return storeError(err)
			}
			fmt.Fprintf(a.stdout, "%s of %s in %s are in %s\n", counted(in.Events, "event"), counted(in.Users, "user"), counted(int64(len(in.Loads)), "load"), dir)
			return nil
		},
	}
}
