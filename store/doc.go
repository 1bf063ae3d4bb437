// Package store keeps a data set on disk: packed chunks of whole users in an
// embedded Badger, what people make as TOML files on a shelf beside it, and
// derived bytes in a cache that may vanish.
//
// # Idea
//
// One entry an event is many times slower to load and to scan than packing, so
// a load is divided into 1024 buckets by the hash of the user id, each bucket is
// sorted by user and time, and about 16 KiB of whole users become one chunk:
// a directory, its time range, then the columns one after the other. A reader
// that wants times and names alone skips the rest of each chunk.
//
// # Invariants
//
//   - A load counts only once its marker stands. Chunks, summaries and
//     dictionaries are written and synced first; every reader goes by the
//     markers, and an interrupted load is rolled back at the next exclusive
//     open.
//   - A key is built and parsed in key.go alone. Every value starts with its
//     version and a checksum over key and value: damage is named, it never
//     panics and never reads as something else.
//   - Dictionary ids are given in file order (Batch.Seq), so that two loads of
//     one file are equal however many workers parsed it.
//   - No load needs memory in proportion to its input: rows are spilled by
//     bucket under a budget, and a bucket is packed alone. What a single user
//     did is the one thing that must fit in memory.
//   - Loads are exclusive, readers share. A refusal says who holds the data set.
//   - Nothing is read that is less than was written: a reader counts the chunks
//     of each bucket, and the ledger names the loads that have to be there,
//     because Badger ends an iteration at a bad block and leaves out a bad table
//     without a word.
//
// # A data set's directory
//
//	events/   Badger's files; the directory itself carries the lock
//	ledger    the committed loads, one line each
//	shelf/    what people make, as TOML
//	spill/    a load's temporary file
//	holders/  who has it open, to be named in a refusal
//
// # Example
//
//	st, err := store.Open(dir, store.Options{})
//	if err != nil {
//		return err
//	}
//	defer st.Close()
//	ld, err := st.Begin(ctx, model.LoadPlan{Sources: []model.SourceInfo{{Path: "events.csv"}}, At: now.UnixMilli()})
//	… ld.Add(batch) from several goroutines …
//	info, err := ld.Commit(quality, sources)
//	snap, err := st.Snapshot(ctx)
package store
