package model

import (
	"context"
	"math"
	"strconv"
)

// A Source holds a data set and gives views of it.
type Source interface {
	// Snapshot is one immutable data version, from now until Close.
	Snapshot(ctx context.Context) (Snapshot, error)
}

// A Snapshot is one data version. Its methods may be called by many goroutines.
type Snapshot interface {
	// Info describes the data version. It is shared: do not modify it.
	Info() *Info
	// Splits divides all persons into at most n disjoint ranges, in key order.
	Splits(n int) []Split
	// Scan calls fn for each person of the split who has an event the filter
	// lets through, in key order, events by time, ties by load and row. An
	// error of fn ends the scan and is returned. The Timeline is valid until fn
	// returns. Scan asks ctx every few thousand events.
	Scan(ctx context.Context, split Split, f Filter, fn func(*Timeline) error) error
	// User is one person's timeline with every column of the filter. It fails
	// with ErrNoUser if nobody has the id, and is empty, without error, if the
	// filter leaves no event.
	User(ctx context.Context, id string, f Filter) (Timeline, error)
	// Find calls fn with the ids of persons that hold text, letter case
	// ignored, those that start with it first, until fn returns false.
	Find(ctx context.Context, text string, fn func(id string) bool) error
	Close() error
}

// Buckets is how many parts the persons are divided into, by BucketOf.
const Buckets = 1024

// MaxUser is the longest user id a data set takes, in bytes: it has to fit into a
// key. A reader of files rejects longer ones by reason; a Loader refuses them.
const MaxUser = 4096

// A Split is the buckets [From, To).
type Split struct{ From, To int }

// A Cut is where reading ends: an as-of day in some calendar.
type Cut struct {
	At  int64 // events with a time of day: only those before this instant (ms)
	Day Day   // dates alone: only those up to this day
}

// NoCut lets every event through.
var NoCut = Cut{At: math.MaxInt64, Day: math.MaxInt32}

// Allows says whether the cut lets an event through.
func (c Cut) Allows(ms int64, dated bool) bool {
	if dated {
		return floorDay(ms) <= c.Day
	}
	return ms < c.At
}

// A Filter says what a scan reads. It has no From: a history is never cut at
// its start.
type Filter struct {
	Until   Cut      // nothing later is read; NoCut for all
	Names   []string // event names wanted; nil means all
	Columns []string // property keys wanted, in this order; an unknown key gives an empty column
	Amounts bool     // fill Timeline.Amount
	Sources bool     // fill Timeline.Source
	NoNames bool     // leave Timeline.Name nil: of passes over times and columns alone; not with Names
}

// Info describes one data version.
type Info struct {
	Version Version
	Users   int64
	Events  int64
	First   int64 // ms of the earliest event; 0 if Events is 0
	Last    int64 // ms of the latest
	Dated   bool  // some event is a date alone
	// Dates and Clock are the reach of the dates alone and of the times of day.
	// Where a data set of an earlier program did not tell them apart, both are
	// the whole range.
	Dates, Clock Reach
	Amounts      bool // some event has an amount

	Names   []NameInfo
	Keys    []KeyInfo
	Sources []SourceInfo
	Loads   []LoadInfo // in commit order
}

// A Version names a data version: two snapshots with the same Hash hold the
// same events.
type Version struct {
	Ordinal uint64 // counts commits in this data set
	Hash    string // of content; hex
}

// A NameInfo is one event name, in order of first appearance in the loads.
type NameInfo struct {
	Name  string
	Count int64
}

// A KeyInfo is one property key.
type KeyInfo struct {
	Name string
	// Plain keys have more distinct values than are worth numbering: their
	// columns hold strings and Values is nil.
	Plain bool
	// Values are the distinct values of a coded key in order of first
	// appearance; Values[0] is "", absent.
	Values []string
}

// NameIndex finds an event name, or -1.
func (in *Info) NameIndex(name string) int {
	for i := range in.Names {
		if in.Names[i].Name == name {
			return i
		}
	}
	return -1
}

// Key finds a property key, or nil.
func (in *Info) Key(name string) *KeyInfo {
	for i := range in.Keys {
		if in.Keys[i].Name == name {
			return &in.Keys[i]
		}
	}
	return nil
}

// A SourceInfo is one file (or stream) of a load.
type SourceInfo struct {
	Path   string // as given; "-" for standard input
	Digest string // of its bytes as read (compressed, if it was); hex
	Load   int    // index into Info.Loads
	Bytes  int64
	Rows   int64

	// Of a piece of a file that is followed: Bytes is how far the file had been read
	// by its end, Digest is of the file up to there, From is where the piece begins.
	// The pieces with one Stream, and the whole file with that Digest, are one source.
	Stream string `json:",omitempty"`
	From   int64  `json:",omitempty"`
	// Counted says that the data set knows how often each row stands in the stream up
	// to this piece's end, those among them that another source had. The loader sets it.
	Counted bool `json:",omitempty"`
}

// Counted says that the data set knows how often each row stands in a stream: from
// its last piece, or because every row of it was stored. If not, a piece that goes on
// from there may store too few of the rows that stand several times in the file and
// in another source too; one that begins with the file's first byte again may not.
func (in *Info) Counted(stream string) bool {
	all := true
	for i := range in.Sources {
		if s := &in.Sources[i]; s.Stream == stream || s.Stream == "" && s.Digest == stream {
			all = s.Counted || all && in.Loads[s.Load].Quality.Already == 0
		}
	}
	return all
}

// A LoadInfo is one acknowledged load.
type LoadInfo struct {
	ID      uint32
	At      int64  // when it was committed, ms
	Mapping string // the recognised columns, as TOML; see ingest.Mapping
	Zone    string // of zone-less times
	Users   int64  // persons with a row in it
	Quality Quality
}

// Quality is the report of one load (SPEC R3.11). Read == Stored + Already +
// Dropped + the sum of Rejected.
type Quality struct {
	Read     int64
	Stored   int64
	Already  int64 // equal to a row of another source
	Dropped  int64 // equal to a row of the same source, under --dedupe
	Rejected []Reject

	Equal      int64 // rows equal to an earlier one of the same source, kept and counted
	Ambiguous  int64 // local times that a clock change repeats: taken as the first reading
	Missing    int64 // local times that a clock change skips: moved forward
	Future     int64 // later than the load; stored only if asked for
	Unordered  int64 // rows earlier than the row before them
	Rounded    int64 // amounts with more than six decimals
	BadUTF8    int64 // rows with bytes that are not text in the encoding: replaced
	EmptyDays  []Day // days between first and last without an event, in the parse zone; at most MaxEmptyDays
	Impossible int64 // users with more than 10,000 events on one day
	Types      []KeyTypes
}

// Bounds of what a report lists.
const (
	MaxEmptyDays   = 1000
	MaxRejectLines = 5
)

// A Reject is a reason with its rows.
type Reject struct {
	Reason string // a stable short sentence, as "no user id"
	Count  int64
	Lines  []Line // the first, at most MaxRejectLines
}

// A Line is a place in a source.
type Line struct {
	Source int // index into the load's sources, in the order given
	Line   int64
	Text   string // the row's beginning, as it stands in the file
}

// KeyTypes counts what a property's values looked like in the file.
type KeyTypes struct {
	Key                                      string
	Text, Number, Bool, Time, Null, Compound int64
}

// RejectedTotal adds the rejected rows of all reasons.
func (q *Quality) RejectedTotal() (n int64) {
	for _, r := range q.Rejected {
		n += r.Count
	}
	return n
}

// A Shelf keeps what people make: stage models, segments, dictionaries,
// bookmarks, annotations, churn models. Every Put makes a new version; none is
// lost.
type Shelf interface {
	// List gives the newest version of each entry of a kind, by name.
	List(kind string) ([]Entry, error)
	// Get gives one version, the newest if version is 0; ErrNoEntry if absent.
	Get(kind, name string, version int) (Entry, error)
	// Put stores body as the next version of name.
	Put(kind, name string, body []byte, note string) (Entry, error)
	// Remove takes an entry off the shelf; its versions stay readable by number.
	Remove(kind, name string) error
}

// Kinds of shelf entries.
const (
	KindDictionary = "dictionary"
	KindModel      = "model"
	KindSegment    = "segment"
	KindBookmark   = "bookmark"
	KindAnnotation = "annotation"
	KindChurn      = "churn"
	KindExpected   = "expected" // fits of expected value
	KindMapping    = "mapping"
)

// An Entry is one version of something on the shelf.
type Entry struct {
	Kind, Name string
	Version    int // from 1
	Note       string
	At         int64 // ms
	Body       []byte
}

// A Cache holds derived bytes that may vanish at any time.
type Cache interface {
	Recall(key string) ([]byte, bool)
	Keep(key string, body []byte)
}

// A LoadPlan says what a load is going to bring.
type LoadPlan struct {
	Sources   []SourceInfo // Path and Bytes; digests come with Commit
	Mapping   string
	Zone      string
	At        int64 // the load's clock, ms
	KeepEqual bool  // store rows although another source holds an equal one
	Dedupe    bool  // drop rows equal to an earlier one of the same source
}

// A Loader takes the rows of one load. Nothing of it is seen by anybody before
// Commit returns, and nothing at all after Abort.
type Loader interface {
	// Add takes one batch. Many goroutines may call it at once, each with
	// another Seq; it may wait until the batches before it have numbered their
	// new strings, so a caller must not hold back a smaller Seq for a larger.
	Add(b *Batch) error
	// Commit makes the load part of the data set. It fills in the counts of the
	// quality report that only the store knows (Stored, Already, Dropped,
	// Equal), takes digests, bytes and rows of the sources in plan order, and
	// fails with ErrKnownSource if one of them has been loaded before.
	Commit(q Quality, sources []SourceInfo) (LoadInfo, error)
	// Abort forgets the load. It does nothing after Commit.
	Abort() error
}

// String is the version as it is printed: "3 (9f2c41d07ab3e815)".
func (v Version) String() string { return strconv.FormatUint(v.Ordinal, 10) + " (" + v.Hash + ")" }
