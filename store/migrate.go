package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// formatNumber is the layout this program writes. A changed layout takes the
// next number and a step below; a step is kept forever.
//
//	1  as key.go has it
//	2  a marker may hold the place and the parts of merged loads
//	3  a load of a followed file may have pages of hidden rows
const formatNumber = 3

// oldestReadable is the oldest format that is read as it stands: the markers of
// format 1 are those of format 2 without merged loads, and only a load reads the
// pages that format 3 has besides.
const oldestReadable = 1

// steps bring a data set from one format to the next: steps[1] from 1 to 2. A
// step may be repeated after a crash, for the number is written after it.
var steps = map[uint32]func(*badger.DB) error{
	1: func(*badger.DB) error { return nil },
	2: func(*badger.DB) error { return nil },
}

// migrate brings the data set up from format have; 0 is a new one.
func (s *Store) migrate(have uint32) error {
	for ; have != 0 && have < formatNumber; have++ {
		step, ok := steps[have]
		if !ok {
			return fmt.Errorf("%s has format %d, from which no way leads to %d: load the files again into a new directory", s.dir, have, formatNumber)
		}
		if err := step(s.db); err != nil {
			return fmt.Errorf("bring %s from format %d to %d: %w", s.dir, have, have+1, err)
		}
	}
	return s.writeFormat(formatNumber)
}

func (s *Store) writeFormat(n uint32) error {
	v := binary.BigEndian.AppendUint32(make([]byte, envelopeLen), n)
	err := s.db.Update(func(txn *badger.Txn) error { return txn.Set(formatKey(), seal(formatKey(), v)) })
	if err != nil {
		return err
	}
	return s.sync()
}

// checkFormat reads the format number, writing it into a new data set.
func (s *Store) checkFormat() error {
	var have uint32
	err := s.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(formatKey())
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return damaged(formatKey(), "%v", err)
		}
		v, err := item.ValueCopy(nil)
		if err != nil {
			return damaged(formatKey(), "%v", err)
		}
		rec, err := unseal(formatKey(), v)
		if err != nil {
			return err
		}
		if len(rec) < 4 {
			return damaged(formatKey(), "it has %d bytes", len(rec))
		}
		have = binary.BigEndian.Uint32(rec)
		return nil
	})
	if err != nil {
		return err
	}
	switch {
	case have > formatNumber:
		return fmt.Errorf("%s has format %d and this dwell knows formats up to %d: %w", s.dir, have, formatNumber, ErrNewer)
	case have == formatNumber:
		return nil
	case s.opt.ReadOnly && have == 0:
		return nil // made and killed before the first record: empty
	case s.opt.ReadOnly && have >= oldestReadable:
		return nil
	case s.opt.ReadOnly:
		return fmt.Errorf("%s has the older format %d: load something into it once, which brings it up to %d", s.dir, have, formatNumber)
	}
	return s.migrate(have)
}
