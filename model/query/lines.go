package query

import (
	"context"
	"errors"
	"fmt"

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

// Line finds the line in its file of a raw row, by the row's key. The file is
// read again: it may take as long as a load, and fails with a sentence if the
// file is gone or has changed.
func (e *Engine) Line(ctx context.Context, key string) (*FoundLine, error) {
	st, err := e.hold(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.drop() }() // nothing more is read
	tl, i, err := rawEvent(ctx, st.snap, st.info, key, model.NoCut)
	if err != nil {
		return nil, err
	}
	return e.line(ctx, st.info, tl, i)
}

// rawEvent reads the event of a row key: its user's timeline, with every column,
// and its place there.
func rawEvent(ctx context.Context, snap model.Snapshot, in *model.Info, key string, until model.Cut) (*model.Timeline, int, error) {
	p, err := parseRowKey(key)
	if err != nil {
		return nil, 0, err
	}
	f := model.Filter{Until: until, Amounts: true, Sources: true}
	for _, k := range in.Keys {
		f.Columns = append(f.Columns, k.Name)
	}
	tl, err := snap.User(ctx, p.user, f)
	if err != nil {
		return nil, 0, err
	}
	for i := range tl.Time {
		if tl.Time[i] == p.ms && tl.Name[i] == p.name && nth(&tl, i) == p.nth {
			return &tl, i, nil
		}
	}
	return nil, 0, fmt.Errorf("%s has no such event in these data: ask for the rows again", p.user)
}

// sourceOf is the file an event came from.
func sourceOf(in *model.Info, tl *model.Timeline, i int) (src model.SourceInfo, ok bool) {
	if tl.Source == nil || int(tl.Source[i]) >= len(in.Sources) {
		return src, false
	}
	return in.Sources[tl.Source[i]], true
}

func (e *Engine) line(ctx context.Context, in *model.Info, tl *model.Timeline, i int) (*FoundLine, error) {
	src, ok := sourceOf(in, tl, i)
	if !ok {
		return nil, errors.New("the data do not say which file this event came from")
	}
	out := &FoundLine{Path: src.Path}
	if e.opt.Lines == nil {
		return out, nil
	}
	ev := RawEvent{User: tl.ID, Time: tl.Time[i], Dated: tl.IsDated(i), Event: in.Names[tl.Name[i]].Name, Amount: model.NoMoney, Props: map[string]string{}}
	if tl.Amount != nil {
		ev.Amount = tl.Amount[i]
	}
	for k := range in.Keys {
		ev.Props[in.Keys[k].Name] = tl.Props[k].At(&in.Keys[k], i)
	}
	found, err := e.opt.Lines.FindLines(ctx, src, in.Loads[src.Load], []RawEvent{ev})
	if err != nil {
		return nil, err
	}
	if len(found) == 1 {
		out.Lines, out.Text = found[0].Lines, found[0].Text
	}
	return out, nil
}
