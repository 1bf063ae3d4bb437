package query

import (
	"context"
	"errors"
	"sync"
	"time"

	"dwell/model"
	"dwell/model/measure"
)

// Progress is told how many of how many events have been read; it may be
// called by any goroutine and must return at once. nil is allowed.
type Progress func(done, total int64)

// Options set an engine up.
type Options struct {
	Workers int    // goroutines of one run; 0: one less than the processors, at least 1
	Version string // of the program's own definitions; part of every cache key

	Forget bool // keep no answers: every question is computed anew, to be timed

	Now   func() time.Time // the clock that says how old the data are; nil: their age at the load is said
	Lines LineFinder       // finds the line of an event in its file; nil: the file alone is named
}

// An Engine answers queries over one data set. It is safe for many goroutines
// and serves all sessions of a process: equal questions in flight share one run,
// and populations are kept for the last two days asked about.
type Engine struct {
	src   model.Source
	shelf model.Shelf
	cache model.Cache
	opt   Options

	mu      sync.Mutex
	now     *state             // what new questions are asked of; nil before the first
	flights map[string]*flight // running questions by cache key
	answers map[string]*Answer // answered ones, a few
	recent  []string           // their keys, oldest first
	jobs    chan struct{}      // bounds running questions
	opening chan struct{}      // of one: the data are opened once
}

// New makes an engine. Nothing is read before the first question. cache may be
// nil.
func New(src model.Source, shelf model.Shelf, cache model.Cache, o Options) (*Engine, error) {
	if src == nil || shelf == nil {
		return nil, errors.New("an engine needs a data set and a shelf")
	}
	return &Engine{
		src: src, shelf: shelf, cache: cache, opt: o,
		flights: map[string]*flight{}, answers: map[string]*Answer{}, jobs: make(chan struct{}, maxJobs), opening: make(chan struct{}, 1),
	}, nil
}

// maxJobs is how many questions run at once; more wait for their turn.
const maxJobs = 4

// A List is the users behind one figure.
type List struct {
	Figure Figure // of KEY; for a part, with that part's count as Value
	Part   string
	Users  []User // in key order
}

// An Explanation says what a figure is, with two of its own users worked through.
type Explanation struct {
	Figure Figure
	Lines  []ExplainLine
}

// An ExplainLine is one heading with its sentence: Definition, Formula,
// Population, Window, Zone, Interval, Versions, and "For example" twice.
type ExplainLine struct{ Head, Text, Go string }

// A Table is a windowed table of any length: the users of a query, or raw rows.
// Its methods are called by one session.
type Table interface {
	Heads() []TableHead
	// Len is the number of rows; exact is false while it is an estimate.
	Len() (n int, exact bool)
	Window(ctx context.Context, from, n int) ([]TableRow, error)
	// Seek is the index of the row with this key, or of where it would stand.
	Seek(key string) (int, error)
	// Close gives the data version back; the table is not used after it.
	Close() error
}

// A TableHead is a column of a Table.
type TableHead struct {
	Name  string // the measure or property, as in rules
	Label string
	Unit  string
	Right bool
}

// A TableRow is one row; Cells are written as for a person, Values hold the
// number behind each cell, or nil where it is text or missing.
type TableRow struct {
	Key    string
	Open   string // address that enter goes to
	Cells  []string
	Values []*float64
}

// Data is what the engine stands on: one data version with its dictionary.
type Data struct {
	Schema    *measure.Schema
	AsOf      model.Day // the default as-of day
	ModelName string
	ModelHash string
	Confirmed bool // the stage parameters have been looked at by a person
}
