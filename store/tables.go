package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// checkTables looks at the end of every table that Badger is about to open.
//
// Badger opens tables in goroutines of its own, where a table that was cut short
// makes it panic beyond anybody's reach, and it leaves out a table whose index
// does not match its checksum without a word. So the same is looked at here
// first: index and last block, which is what an open reads of a table.
func checkTables(dir string, o badger.Options) error {
	f, err := os.Open(filepath.Join(o.Dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a new data set, or one of which preflight says that it is gone
	}
	if err != nil {
		return explainOpen(dir, err)
	}
	defer f.Close()
	m, _, err := badger.ReplayManifestFile(f, o.ExternalMagicVersion, o)
	if err != nil {
		return explainOpen(dir, fmt.Errorf("%s: %w", badger.ManifestFilename, err))
	}
	for id := range m.Tables {
		if err := checkTable(table.NewFilename(id, o.Dir)); err != nil {
			return explainOpen(dir, err)
		}
	}
	return nil
}

// checkTable checks index and last block of one table. A table ends with its
// index, the index's length, a checksum of the index, that checksum's length;
// a block with its checksum and that one's length. Lengths are four bytes.
func checkTable(path string) (err error) {
	defer func() {
		if p := recover(); p != nil { // an index that is no flatbuffer
			err = tableDamage(path, fmt.Sprint(p))
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	sum, end, err := readSized(f, fi.Size())
	if err != nil {
		return tableDamage(path, err.Error())
	}
	index, _, err := readSized(f, end)
	if err != nil {
		return tableDamage(path, err.Error())
	}
	if err := verify(index, sum); err != nil {
		return tableDamage(path, "its index: "+err.Error())
	}
	ti := fb.GetRootAsTableIndex(index, 0)
	n := ti.OffsetsLength()
	var last fb.BlockOffset
	if n == 0 || !ti.Offsets(&last, n-1) {
		return tableDamage(path, "its index is empty")
	}
	at, size := int64(last.Offset()), int64(last.Len())
	if at+size > fi.Size() {
		return tableDamage(path, "its last block lies outside")
	}
	sum, end, err = readSized(f, at+size)
	if err != nil || end < at {
		return tableDamage(path, "its last block has no checksum")
	}
	block := make([]byte, end-at)
	if _, err := f.ReadAt(block, at); err != nil {
		return tableDamage(path, err.Error())
	}
	if err := verify(block, sum); err != nil {
		return tableDamage(path, "its last block: "+err.Error())
	}
	return nil
}

// maxTablePart bounds what is read of a table whose lengths may be damaged.
const maxTablePart = 256 << 20

// readSized reads what stands before its own length, which ends at end.
func readSized(f *os.File, end int64) (b []byte, start int64, err error) {
	var l [4]byte
	if end < 4 {
		return nil, 0, errShort
	}
	if _, err := f.ReadAt(l[:], end-4); err != nil {
		return nil, 0, err
	}
	n := int64(binary.BigEndian.Uint32(l[:]))
	if n > maxTablePart || n > end-4 {
		return nil, 0, errShort
	}
	b = make([]byte, n)
	_, err = f.ReadAt(b, end-4-n)
	return b, end - 4 - n, err
}

func verify(data, sum []byte) error {
	var want pb.Checksum
	if err := proto.Unmarshal(sum, &want); err != nil {
		return err
	}
	if want.Algo != pb.Checksum_CRC32C && want.Algo != pb.Checksum_XXHash64 {
		return fmt.Errorf("its checksum is of an unknown kind")
	}
	return y.VerifyChecksum(data, &want)
}

func tableDamage(path, what string) error {
	return fmt.Errorf("%s: %w: %s", filepath.Base(path), ErrDamaged, what)
}
