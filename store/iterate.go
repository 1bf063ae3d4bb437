package store

import (
	"errors"
	"iter"

	"github.com/dgraph-io/badger/v4"
)

// An entry is one key with its sealed value, both owned by the receiver.
type entry struct{ key, value []byte }

// entries walks the keys with a prefix in order, reading values only if asked.
// After an error nothing follows.
func entries(txn *badger.Txn, prefix []byte, values bool) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		o := badger.DefaultIteratorOptions
		o.Prefix, o.PrefetchValues = prefix, false
		it := txn.NewIterator(o)
		defer it.Close()
		for it.Rewind(); it.ValidForPrefix(prefix); it.Next() {
			e := entry{key: it.Item().KeyCopy(nil)}
			if values {
				var err error
				if e.value, err = it.Item().ValueCopy(nil); err != nil {
					yield(entry{}, damaged(e.key, "%v", err))
					return
				}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// getSealed reads one value with its envelope; a missing one is damage.
func getSealed(txn *badger.Txn, key []byte) ([]byte, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, damaged(key, "it is missing")
	}
	if err != nil {
		return nil, damaged(key, "%v", err)
	}
	v, err := item.ValueCopy(nil)
	if err != nil {
		return nil, damaged(key, "%v", err)
	}
	return v, nil
}
