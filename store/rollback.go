package store

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// rollback removes what loads without a marker left behind. Their intents name
// them; it may be repeated after a crash, for the intent goes last.
func (s *Store) rollback() error {
	var loads []uint32
	err := s.db.View(func(txn *badger.Txn) error {
		for e, err := range entries(txn, []byte{kindIntent}, false) {
			if err != nil {
				return err
			}
			load, err := parseLoadKey(e.key, kindIntent)
			if err != nil {
				return err
			}
			loads = append(loads, load)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, load := range loads {
		if _, err := s.dropLoad(load); err != nil {
			return fmt.Errorf("roll back the interrupted load %d: %w", load, err)
		}
	}
	return nil
}

// dropLoad deletes every entry of a load that has no marker; of one that has, and so
// stands, the intent alone.
func (s *Store) dropLoad(load uint32) (stands bool, err error) {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	if _, err := txn.Get(appendLoadKey(nil, kindMarker, load)); err == nil {
		// The marker stands: only the intent is left over.
		return true, s.dropKeys([][]byte{appendLoadKey(nil, kindIntent, load)})
	}
	prefixes := [][]byte{appendLoadKey(nil, kindDict, load), appendLoadKey(nil, kindTable, load), appendLoadKey(nil, kindHidden, load)}
	for b := range buckets {
		prefixes = append(prefixes, appendBucketKey(nil, kindChunk, b, load), appendBucketKey(nil, kindSummary, b, load))
	}
	var keys [][]byte
	for _, p := range prefixes {
		for e, err := range entries(txn, p, false) {
			if err != nil {
				return false, err
			}
			if keys = append(keys, e.key); len(keys) >= 4096 {
				if err := s.dropKeys(keys); err != nil {
					return false, err
				}
				keys = keys[:0]
			}
		}
	}
	if err := s.dropKeys(keys); err != nil {
		return false, err
	}
	return false, s.dropKeys([][]byte{appendLoadKey(nil, kindIntent, load)})
}

func (s *Store) dropKeys(keys [][]byte) error {
	batch := s.db.NewWriteBatch()
	defer batch.Cancel()
	for _, k := range keys {
		if err := batch.Delete(k); err != nil {
			return err
		}
	}
	if err := batch.Flush(); err != nil {
		return err
	}
	return s.sync()
}
