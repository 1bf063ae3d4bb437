package tui

import (
	"context"

	"dwell/model/query"
)

// A lockedTable lets one worker at a time at a table: a page, a place looked for
// and an export may be asked for at once.
type lockedTable struct {
	query.Table
	turn chan struct{} // of one
}

func lockTable(t query.Table) *lockedTable {
	return &lockedTable{Table: t, turn: make(chan struct{}, 1)}
}

// Window waits for its turn as long as somebody wants the rows.
func (l *lockedTable) Window(ctx context.Context, from, n int) ([]query.TableRow, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
		return l.Table.Window(ctx, from, n)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *lockedTable) Seek(key string) (int, error) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	return l.Table.Seek(key)
}

func (l *lockedTable) Len() (int, bool) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	return l.Table.Len()
}

func (l *lockedTable) Close() error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	return l.Table.Close()
}
