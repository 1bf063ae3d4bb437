// Package ingest turns event files into batches of rows for a model.Loader.
//
// A file goes through four hands. Input opens it: plain, gzip or zstd told by
// content, text decoded to UTF-8, its raw bytes counted and hashed as they pass.
// A splitter cuts the text into blocks of whole rows. Workers turn blocks into
// model.Batch values, each with the ordinal of its block, so that the load does
// not depend on which worker was faster. A collector adds up the quality report
// in block order.
//
// What holds always:
//   - no row is lost: rows read = rows handed to the loader + rows rejected, each
//     reject under a reason with its line;
//   - memory does not grow with the file: a row is at most MaxRow bytes long;
//   - the same bytes under the same Mapping give the same batches, whatever the
//     number of workers;
//   - a load that fails or is cancelled is aborted, so nothing of it is seen.
//
// How a file is read is a Mapping: recognised from names and content by Inspect,
// printed, stored by the caller as TOML, and used again for the next file.
//
//	in := ingest.File("events.csv.gz")
//	rec, err := ingest.Inspect(ctx, in, ingest.Options{Now: now})
//	fmt.Println(strings.Join(rec.Lines, "\n"))
//	load, err := ingest.Load(ctx, db.Begin, []*ingest.Input{in}, rec.Mapping, opts, nil)
//
// Parquet files are told by their content; each record becomes a line of text
// for the splitter (see parquetText), read from the columns that are wanted alone.
package ingest

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"dwell/model"
)

// Limits that bound memory. A row beyond one is a reject under its own reason.
const (
	MaxRow     = 1 << 20  // bytes of one row of text
	MaxValue   = 64 << 10 // bytes of one property value
	MaxID      = 1024     // bytes of a user id, an event name or a property name
	MaxColumns = 4096     // columns of a table
	MaxNewKeys = 8192     // different property names in one block of JSON (about 1 MiB)

	blockSize  = 1 << 20 // bytes of text in a block
	sampleSize = 1 << 20 // bytes of text a recognition looks at
	lineText   = 200     // bytes of a rejected row kept in the quality report
)

// Errors of this package wrap one of these.
var (
	// ErrUnreadable says that a file cannot be opened or read at all.
	ErrUnreadable = errors.New("the file cannot be read")
	// ErrNotEvents says that a file can be read and is not a table of events.
	ErrNotEvents = errors.New("the file is not a table of events")
	// ErrNothing says that a file holds no rows: an ErrNotEvents that may be left out.
	ErrNothing = fmt.Errorf("%w: it holds no rows", ErrNotEvents)
	// ErrColumns says that a column is missing, unknown or not what it should be.
	ErrColumns = errors.New("the columns do not fit")
	// ErrOption says that an option or a mapping entry cannot be understood.
	ErrOption = errors.New("the option cannot be used")
	// ErrChanged says that a file is no longer the one that was loaded.
	ErrChanged = errors.New("the file is not the one that was loaded")
)

// A sentence is an error whose text is complete in itself and which still
// wraps a sentinel for errors.Is.
type sentence struct {
	kind error
	text string
}

func (s *sentence) Error() string { return s.text }
func (s *sentence) Unwrap() error { return s.kind }

// Options override what would be recognised, and say how to load. The zero
// value recognises everything, with the current zone taken as UTC.
type Options struct {
	User, Time, Event, Amount string   // column names; Amount may be an expression
	EventConst                string   // every row is an event of this name
	Props                     []string // only these properties; nil means every other column
	TimeFormat                string   // see Mapping.TimeFormat
	Zone                      string   // of zone-less times, IANA
	Delimiter                 string   // "," ";" "|" "tab" "blanks", or any one ASCII character
	Encoding                  string   // utf-8, latin1, windows-1252, utf-16, … (WHATWG names)
	Header                    string   // "yes", "no", "" recognises it

	// Stored is the mapping of an earlier load; nil if there is none. Fields set
	// above overrule it.
	Stored *Mapping

	Now         time.Time          // the load's clock: rows more than a day later are future
	AllowFuture bool               // store future rows instead of rejecting them
	KeepEqual   bool               // as model.LoadPlan
	Dedupe      bool               // as model.LoadPlan
	Known       []model.SourceInfo // sources already in the data set, for an early refusal
	Rejects     io.Writer          // receives every rejected row as CSV: file, line, reason, row
	Workers     int                // parsing goroutines; 0 means one a core
	Note        func(string)       // told in what a file is read otherwise than the mapping says; may be nil
	// Skip is told of each of several inputs that is left out because it holds no rows
	// or is known: its path, and why in a sentence. nil refuses the load for it.
	Skip func(path, why string)

	rejectsAlone bool // a load of nothing but rejected rows is one (Piece.Load)
}

// workers is how many goroutines parse.
func (o *Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Progress is how far a load has come. Bytes are those of the files as they lie
// on disk, compressed if they are.
type Progress struct {
	Bytes, TotalBytes int64 // TotalBytes is 0 if it is not known (standard input)
	Rows, Rejected    int64
	File              string // being read
}
