package query

import (
	"context"
	"fmt"
)

// Table opens the windowed table of an analysis that is one (users, rows). The
// table holds its data version until Close.
func (e *Engine) Table(ctx context.Context, q Query, p Progress) (Table, error) {
	q, err := q.Check()
	if err != nil {
		return nil, err
	}
	st, err := e.hold(ctx, p)
	if err != nil {
		return nil, err
	}
	t, err := guarded(func() (Table, error) {
		r, err := e.newRun(ctx, st, q, p)
		if err != nil {
			return nil, err
		}
		plan, err := r.an.plan(r)
		if err != nil {
			return nil, err
		}
		if plan.Table == nil {
			return nil, fmt.Errorf("%s is not a windowed table: ask for its answer", q.Analysis)
		}
		return plan.Table()
	})
	if err != nil {
		_ = st.drop() // the first error says more
		return nil, err
	}
	return &heldTable{Table: t, st: st}, nil
}

// A heldTable keeps its state from being closed under it.
type heldTable struct {
	Table
	st *state
}

// Close gives the data version back; the table must not be used after it.
func (t *heldTable) Close() error {
	if t.st == nil {
		return nil
	}
	st := t.st
	t.st = nil
	return st.drop()
}
