package store

import "errors"

// Opening.
var (
	// ErrNoData says that the directory holds no data set.
	ErrNoData = errors.New("there is no data set here: load a file first, or name another directory")
	// ErrInUse says that another process holds the data set in a way that
	// excludes this one; the error that wraps it says which and since when.
	ErrInUse = errors.New("the data set is in use")
	// ErrNewer says that a later dwell wrote the data set.
	ErrNewer = errors.New("the data set was written by a newer dwell: update dwell to read it")
	// ErrReadOnly says that something was asked that needs a data set open for writing.
	ErrReadOnly = errors.New("the data set is open for reading only")
)

// errLocked says that another process holds the lock; refusal says who.
var errLocked = errors.New("the lock is held")

// Reading.
var (
	// ErrBadKey says that a key does not follow its layout.
	ErrBadKey = errors.New("the key does not follow the layout")
	// ErrDamaged says that a record is not what was written; the error that
	// wraps it names the place.
	ErrDamaged = errors.New("the record is damaged")
)

// Loading.
var (
	// ErrNoSpace says that the disk is too full to go on; nothing of the load stays.
	ErrNoSpace = errors.New("not enough room on the disk")
	// ErrUnsynced says that a load or a merging is complete and can be read, but that the
	// disk has not confirmed it: whether it outlives a loss of power is not known.
	ErrUnsynced = errors.New("it is complete and can be read, but the disk did not confirm that it is kept")
	// ErrBusy says that the store has a load under way already.
	ErrBusy = errors.New("a load is under way in this data set: let it finish first")
	// ErrTooMany says that a load has more names or keys than the store numbers.
	ErrTooMany = errors.New("too many different names")
)
