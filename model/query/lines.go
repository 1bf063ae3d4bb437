package query

import (
	"context"

	"dwell/model"
)

// A LineFinder finds stored events in the files they were loaded from. The store
// keeps no line numbers, so it reads the file again; cmd hands one to the engine
// (Options.Lines), because the model opens no files.
type LineFinder interface {
	// FindLines gives the places of events of one source, in the order asked.
	// It fails with a sentence where the file is gone or has changed since.
	FindLines(ctx context.Context, src model.SourceInfo, load model.LoadInfo, events []RawEvent) ([]FoundLine, error)
}

// A RawEvent is one stored event by its content, as it stood in its file.
type RawEvent struct {
	User   string
	Time   int64 // as Timeline.Time
	Dated  bool
	Event  string
	Amount model.Money       // NoMoney if it has none
	Props  map[string]string // every property of the data; "" where the event lacks it
}

// A FoundLine is where an event stands. Equal rows of one file cannot be told
// apart: all their lines are given.
type FoundLine struct {
	Path  string  // of the source
	Lines []int64 // ascending, from 1; none if the file has no such row
	Text  string  // the beginning of the first of them
}
