package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

// The ledger is a small text file beside Badger's, one line a committed load,
// written after its marker and before the load is acknowledged:
//
//	load 1 8f2c… 541909
//	sum 1a2b3c4d
//
// Badger goes by its MANIFEST alone: with that file damaged it opens without a
// word with fewer tables, and opened for writing it deletes the rest. So the
// ledger is held against the markers at every open, and before a writing one.
// It may lack the last load, if a crash came between marker and ledger; it may
// be absent. It never names a load that does not stand.
const ledgerFile = "ledger"

type ledgerLine struct {
	load   uint32
	digest string
	events int64
}

// ledger writes the loads of a view, by rename.
func (create createFunc) ledger(dir string, v *view) error {
	var b bytes.Buffer
	for _, l := range v.loads {
		fmt.Fprintf(&b, "load %d %s %d\n", l.mark.Load, l.mark.Digest, l.mark.Events)
	}
	fmt.Fprintf(&b, "sum %08x\n", crc32.Checksum(b.Bytes(), castagnoli))
	tmp, err := create.write(dir, ledgerTemp, b.Bytes(), true)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if fi, err := os.Stat(filepath.Join(dir, dirBadger)); err == nil {
		_ = os.Chmod(tmp, fi.Mode().Perm()&0o666|0o600)
	}
	return renameSynced(tmp, filepath.Join(dir, ledgerFile))
}

// errLedger says that the ledger itself is damaged, which harms no data.
var errLedger = errors.New("the ledger of loads is damaged; the next load writes it anew")

// readLedger reads the ledger; none is empty.
func readLedger(dir string) ([]ledgerLine, error) {
	raw, err := os.ReadFile(filepath.Join(dir, ledgerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLedger, err)
	}
	return parseLedger(raw)
}

func parseLedger(raw []byte) ([]ledgerLine, error) {
	i := bytes.LastIndex(raw, []byte("sum "))
	if i < 0 || string(raw[i:]) != fmt.Sprintf("sum %08x\n", crc32.Checksum(raw[:i], castagnoli)) {
		return nil, errLedger
	}
	var out []ledgerLine
	for line := range strings.Lines(string(raw[:i])) {
		f := strings.Fields(line)
		if len(f) != 4 || f[0] != "load" {
			return nil, errLedger
		}
		load, err := strconv.ParseUint(f[1], 10, 32)
		if err != nil {
			return nil, errLedger
		}
		events, err := strconv.ParseInt(f[3], 10, 64)
		if err != nil {
			return nil, errLedger
		}
		out = append(out, ledgerLine{load: uint32(load), digest: f[2], events: events})
	}
	return out, nil
}

// checkLedger says which load of the ledger the transaction does not see.
func checkLedger(dir string, txn *badger.Txn) error {
	lines, err := readLedger(dir)
	if err != nil {
		return nil // Check reports it; the data may well be whole
	}
	marks, err := readMarkers(txn)
	if err != nil {
		return err
	}
	have := map[uint32]string{}
	for _, m := range marks {
		have[m.Load] = m.Digest
	}
	for _, l := range lines {
		if digest, ok := have[l.load]; !ok || digest != l.digest {
			return damaged(appendLoadKey(nil, kindMarker, l.load), "the ledger names it and it cannot be found; nothing was changed")
		}
	}
	return nil
}

// manifestThere says that Badger's MANIFEST is gone though there are loads:
// Badger would begin a new one and delete every table.
func (s *Store) manifestThere() error {
	lines, err := readLedger(s.dir)
	if hasManifest(s.dir) || len(lines) == 0 && err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %s is missing though files have been loaded; nothing was changed; restore a backup, or load the files again into a new directory",
		s.dir, ErrDamaged, filepath.Join(dirBadger, badger.ManifestFilename))
}

// preflight keeps a damaged data set from being opened for writing, by which
// Badger would make the damage final. The lock is held.
func (s *Store) preflight() error {
	if lines, _ := readLedger(s.dir); len(lines) == 0 || !canShare {
		return nil // nothing to hold it against; a damaged ledger is for Check to report
	}
	db, err := openBadger(badgerOptions(s.dir, true))
	if needsRecovery(err) {
		return nil // only the open for writing can go on from here
	}
	if err != nil {
		return err
	}
	defer func() { _ = closeBadger(db) }() // it has written nothing
	return db.View(func(txn *badger.Txn) (err error) {
		var never bool
		defer guard(&never, &err)
		return checkLedger(s.dir, txn)
	})
}
