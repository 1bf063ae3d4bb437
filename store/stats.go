package store

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
)

// Stats describe the data set's size.
type Stats struct {
	Disk   int64 // bytes, see DiskUse
	Loads  int
	Chunks int64
	Users  int64
	Events int64
}

// Stats measures the data set.
func (s *Store) Stats() (Stats, error) {
	sn, err := s.Snapshot(context.Background())
	if err != nil {
		return Stats{}, err
	}
	defer sn.Close()
	in := sn.Info()
	st := Stats{Loads: len(in.Loads), Users: in.Users, Events: in.Events}
	for _, l := range sn.(*snapshot).view.loads {
		st.Chunks += l.mark.Chunks
	}
	st.Disk, err = DiskUse(s.dir)
	return st, err
}

// DiskUse is how many bytes the files below dir take. Badger's logs are sparse while
// it is open, so files count by blocks where the system tells.
func DiskUse(dir string) (int64, error) {
	var n int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed while we looked
			}
			return err
		}
		if fi, err := d.Info(); err == nil {
			n += roomOf(fi)
		}
		return nil
	})
	return n, err
}
