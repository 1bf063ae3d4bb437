package model

import "errors"

// Reading.
var (
	// ErrNoUser says that nobody in the data set has the id.
	ErrNoUser = errors.New("no such user")
	// ErrNoEntry says that the shelf holds nothing of that kind and name.
	ErrNoEntry = errors.New("nothing of that name on the shelf")
	// ErrClosed says that a snapshot or source was used after Close.
	ErrClosed = errors.New("the data set is closed")
)

// Loading.
var (
	// ErrKnownSource says that a file with the same bytes was loaded before.
	ErrKnownSource = errors.New("this file has been loaded before")
	// ErrNoRows says that a load has no row to store.
	ErrNoRows = errors.New("no row could be stored")
)
