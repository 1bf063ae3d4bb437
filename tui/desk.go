package tui

import (
	"context"
	"io"
	"time"

	"dwell/model"
	"dwell/model/query"
)

// An Engine answers the explorer's questions; *query.Engine is one. Every method
// may take long and is called from jobs alone, except those without a context,
// which read the shelf.
type Engine interface {
	Answer(ctx context.Context, q query.Query, p query.Progress) (*query.Answer, error)
	Users(ctx context.Context, q query.Query, key string, p query.Progress) (*query.List, error)
	Table(ctx context.Context, q query.Query, p query.Progress) (query.Table, error)
	Explain(ctx context.Context, q query.Query, key string, p query.Progress) (*query.Explanation, error)
	Find(ctx context.Context, text string, max int) ([]query.Found, error)
	Data(ctx context.Context) (*query.Data, error)
	Reload(ctx context.Context) error

	WhatIf(ctx context.Context, q query.Query, p query.Progress) (*query.Subject, error)
	Reach(ctx context.Context, q query.Query, p query.Progress) (*query.Reach, error)

	CountRule(ctx context.Context, rule string) (n, total int, err error)
	// Named are the names on the shelf of a kind: what a key may be given.
	Named(kind string) ([]string, error)
	SaveChurn(ctx context.Context, q query.Query, name, note string, p query.Progress) error
	RenameChurn(old, name string) error
	RemoveChurn(name string) error
	SaveExpected(ctx context.Context, q query.Query, name, note string, p query.Progress) error
	RemoveExpected(name string) error

	Segments() ([]query.Segment, error)
	PutSegment(ctx context.Context, s query.Segment) error
	RemoveSegment(name string) error

	Dictionary() (*model.Dictionary, []byte, error)
	PutDictionary(ctx context.Context, d *model.Dictionary, note string) error
	PreviewDictionary(ctx context.Context, d *model.Dictionary, p query.Progress) ([]query.StageChange, error)

	Model(ctx context.Context, p query.Progress) (*query.ModelState, error)
	AcceptModel(ctx context.Context, restage query.Query, note string) (version int, err error)
	Models() ([]query.ModelVersion, error)
	ModelLog(name string) ([]query.ModelVersion, error)
	ConfirmModel(ctx context.Context, params map[string]float64, note string) error
}

var _ Engine = (*query.Engine)(nil)

// A Desk is all that a session may touch: the engine, the shelf, and the
// actions that reach the machine. The command hands one to Run; a session from
// afar can be given another, with fewer actions. An action that is nil is one
// the session does not have, and the screen says so.
type Desk struct {
	Engine Engine
	Shelf  model.Shelf // bookmarks; what else people make goes through the engine
	Name   string      // of the data set, for the header
	Now    func() time.Time

	// Export writes a file of that name where the person works and returns its
	// full path. A file that exists is not overwritten: the name gets a number.
	Export func(name string, write func(io.Writer) error) (path string, err error)
	// Load brings files into the data set: it closes the data set, loads,
	// reopens, and returns the engine that stands on it from now on, and one
	// sentence about the load. The engine is not nil even if the load failed.
	Load func(ctx context.Context, paths []string, p query.Progress) (e Engine, summary string, err error)
	// News tells of rows that are stored while the session lasts (a file is followed);
	// nil if none are. Follows names what they come from; Auto shows them as they come,
	// without being asked.
	News    <-chan News
	Follows string
	Auto    bool
	// Suspend stops the program until it is brought back; the terminal is given back
	// meanwhile. nil where that cannot be.
	Suspend func() error
	// Crash keeps the report of a panic and returns where.
	Crash func(report string) (path string, err error)
	// Remember is told the address that was on screen last, to come back to it.
	Remember func(address string)
	// Namer writes the names of people; nil shows them as they are.
	Namer Namer
}

// A Namer turns ids and property values into what this session may show of
// them. Every name of a person reaches screen, export and address through it.
type Namer interface {
	ID(id string) string
	Value(key, value string) string
}

// Clear is the Namer that shows everything as it is.
type Clear struct{}

// ID is the id itself.
func (Clear) ID(id string) string { return id }

// Value is the value itself.
func (Clear) Value(_, value string) string { return value }
