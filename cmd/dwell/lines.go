package main

import (
	"context"
	"fmt"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample"
	"dwell/store/ingest"
)

// lineFinder finds stored events in the files they came from, by reading the
// file again: the store keeps no line numbers.
type lineFinder struct{}

var _ query.LineFinder = lineFinder{}

// FindLines gives the places of events of one source, in the order asked.
func (lineFinder) FindLines(ctx context.Context, src model.SourceInfo, load model.LoadInfo, events []query.RawEvent) ([]query.FoundLine, error) {
	m, err := ingest.ParseMapping([]byte(load.Mapping))
	if err != nil {
		return nil, fmt.Errorf("the mapping of the load of %s: %w", src.Path, err)
	}
	for _, set := range sample.Sets() {
		if set.File == src.Path {
			return nil, fmt.Errorf("%s is embedded in the program: there is no file to look into", src.Path)
		}
	}
	wanted := make([]ingest.Wanted, len(events))
	for i, e := range events {
		wanted[i] = ingest.Wanted(e)
	}
	places, err := ingest.FindRows(ctx, src.Path, src.Digest, *m, wanted)
	if err != nil {
		return nil, err
	}
	out := make([]query.FoundLine, len(places))
	for i, p := range places {
		out[i] = query.FoundLine{Path: src.Path, Lines: p.Lines, Text: p.Text}
	}
	return out, nil
}
