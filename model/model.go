// Package model is dwell's vocabulary: what an event, a user's timeline, a
// calendar day and a dictionary are, and the ports through which everything else
// reads them.
//
// A Timeline is one person's events in time order, held column by column: a
// timeline of ten million events is read by walking a few slices, and a caller
// that asks for no amounts pays for none. Every analysis is a fold over
// timelines; what several of them need lives in model/measure, model/rule,
// model/stage or model/stat, and the analyses do not import one another.
//
// The package imports nothing that draws, opens a file or knows a database. The
// ports (Source, Shelf, Cache) are implemented by Memory here and by package
// store; modeltest holds one conformance suite for both.
//
//	snap, err := src.Snapshot(ctx)
//	for _, split := range snap.Splits(2) {
//		err = snap.Scan(ctx, split, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
//			n += tl.Len()
//			return nil
//		})
//	}
package model

import "slices"

// A NameID is an index into Info.Names.
type NameID uint32

// A SourceID is an index into Info.Sources: the file (or stream) an event came from.
type SourceID uint32

// A Timeline is everything one person did, in time order; equal times keep the
// order of load and row. All columns have one entry per event.
//
// A Timeline handed to a Scan callback is valid until the callback returns: its
// slices are reused. Clone keeps it.
type Timeline struct {
	ID  string   // the person's id as shown
	IDs []string // every id of the person, ID among them

	Time   []int64    // milliseconds since 1970-01-01 UTC; of a date alone, its midnight in UTC
	Dated  []bool     // true: a date without a time of day, which no zone moves; nil if no event is one
	Name   []NameID   // into Info.Names; nil if Filter.NoNames
	Amount []Money    // NoMoney where absent; nil unless Filter.Amounts
	Source []SourceID // nil unless Filter.Sources
	Props  []Column   // one for each of Filter.Columns, in that order
}

// A Column holds one property over the events of a timeline: codes into the
// key's Values where the property is coded, else plain strings. "" and code 0
// mean the event does not have it.
type Column struct {
	Codes []uint32 // into KeyInfo.Values; nil if the key is Plain
	Plain []string // nil if the key is coded
}

// Len is the number of events.
func (tl *Timeline) Len() int { return len(tl.Time) }

// IsDated says whether event i is a date alone.
func (tl *Timeline) IsDated(i int) bool { return tl.Dated != nil && tl.Dated[i] }

// Clone is a deep copy that outlives the callback it was made in.
func (tl *Timeline) Clone() *Timeline {
	c := &Timeline{ID: tl.ID}
	c.IDs = append([]string(nil), tl.IDs...)
	c.Time = append([]int64(nil), tl.Time...)
	c.Dated = append([]bool(nil), tl.Dated...)
	c.Name = append([]NameID(nil), tl.Name...)
	c.Amount = append([]Money(nil), tl.Amount...)
	c.Source = append([]SourceID(nil), tl.Source...)
	for _, p := range tl.Props {
		c.Props = append(c.Props, Column{
			Codes: append([]uint32(nil), p.Codes...),
			Plain: append([]string(nil), p.Plain...),
		})
	}
	return c
}

// At is the property's value for event i, "" where the event does not have it.
// key describes the property the column was asked for.
func (c Column) At(key *KeyInfo, i int) string {
	if c.Plain != nil {
		return c.Plain[i]
	}
	if c.Codes == nil {
		return ""
	}
	return key.Values[c.Codes[i]]
}

// A Batch is a block of rows as read from one source, column by column, in
// source order: what ingest hands to a Loader. The byte slices belong to the
// reader and are valid until the Loader's Add returns.
type Batch struct {
	Seq    int        // ordinal of the block in its load: 0, 1, 2 … without gaps, whatever worker read it
	Source int        // index into the sources of this load
	Line   []int64    // 1-based line (of text) or record number (of anything else) where each row starts
	User   [][]byte   // never empty
	Time   []int64    // as Timeline.Time
	Dated  []bool     // nil if no row is a date alone
	Event  [][]byte   // never empty
	Amount []Money    // NoMoney where absent; nil if the load has no amounts
	Props  []BatchCol // each key at most once
}

// A BatchCol is one property of a batch's rows; a nil or empty value is absent.
type BatchCol struct {
	Key    string
	Values [][]byte
	// At are the rows that have a value where few do, ascending: Values are theirs
	// alone. nil: Values has one for every row.
	At []int32
}

// Value is the property of one row; nil or empty is absent.
func (c *BatchCol) Value(row int) []byte {
	if c.At == nil {
		return c.Values[row]
	}
	if i, ok := slices.BinarySearch(c.At, int32(row)); ok {
		return c.Values[i]
	}
	return nil
}

// Len is the number of rows.
func (b *Batch) Len() int { return len(b.Time) }
