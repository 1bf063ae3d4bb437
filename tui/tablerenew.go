package tui

import (
	"context"
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/widget"
)

// When the data are others, a table is read anew beside the one on screen, which
// stays until the rows around the cursor are there: nothing blinks, and a key acts on
// the row one sees. The cursor stays on its row, and the row on its line.

// A renewed is a newer table, and what it shows around the row of that key.
type renewed struct {
	src   query.Table
	key   string // of the row the cursor stood on; "" if that was not known
	at    int    // where the row is now
	n     int
	exact bool
	pages [][]query.TableRow // from page first on
	first int
}

// renew opens the newer table.
func (t *tableScreen) renew() tea.Cmd {
	t.stale = true
	e, q := t.desk.Engine, t.q
	return t.bring(func(ctx context.Context, p query.Progress) (query.Table, error) {
		opened, err := e.Table(ctx, q, p)
		if err != nil {
			return nil, err
		}
		return lockTable(opened), nil
	})
}

// bring reads what the table that open gives has to show.
func (t *tableScreen) bring(open func(context.Context, query.Progress) (query.Table, error)) tea.Cmd {
	r := renewed{key: t.here(), at: t.table.Cursor()}
	line, body := t.table.Line(), t.table.Body()
	var cmd tea.Cmd
	t.open, cmd = start(t.jobs, t, t.q.Analysis, "events", func(ctx context.Context, p query.Progress) (renewed, error) {
		var err error
		if r.src, err = open(ctx, p); err != nil {
			return renewed{}, err
		}
		return r, r.read(ctx, line, body)
	})
	t.open.quiet = true
	return cmd
}

// here is the key of the row the cursor is on, or on its way to.
func (t *tableScreen) here() string {
	if t.seek != nil {
		return t.sought
	}
	return t.table.Hold().Row
}

// read finds the row, and the pages of the window that has it on that line.
func (r *renewed) read(ctx context.Context, line, body int) (err error) {
	if r.key != "" {
		if r.at, err = r.src.Seek(r.key); err != nil {
			return err
		}
	}
	n, _ := r.src.Len()
	top := max(min(r.at-line, n-body), 0)
	for p := top / widget.Page; p <= max(top+body-1, r.at)/widget.Page; p++ {
		rows, err := r.src.Window(ctx, p*widget.Page, widget.Page)
		if err != nil {
			return err
		}
		if len(r.pages) == 0 {
			r.first = p
		}
		r.pages = append(r.pages, rows)
	}
	r.n, r.exact = r.src.Len()
	return nil
}

// renewed puts the newer table in place of the one on screen, unless the cursor has
// moved meanwhile: then what is around it now is read first.
func (t *tableScreen) renewed(msg doneMsg[renewed]) tea.Cmd {
	r := msg.value
	drop := func() {
		if r.src != nil {
			t.jobs.aside(func() { _ = r.src.Close() }) // nothing was written
		}
	}
	if !t.open.owns(msg.job) {
		drop()
		return nil
	}
	t.open = nil
	if msg.err != nil {
		drop()
		if cancelled(msg.err) {
			return nil
		}
		return t.complain(fmt.Errorf("what is on screen is not up to date: %w", msg.err))
	}
	if r.key != t.here() || r.key == "" && r.at != t.table.Cursor() {
		return t.bring(func(context.Context, query.Progress) (query.Table, error) { return r.src, nil })
	}
	t.page.stop()
	t.seek.stop()
	t.page, t.seek = nil, nil
	t.Close()
	t.src, t.stale, t.err = r.src, false, nil
	t.table.Renew(columnsOf(r.src), r.n, r.exact, r.at)
	t.showSort()
	named := t.namer()
	for i, page := range r.pages {
		var rows []widget.Row
		for _, row := range page {
			rows = append(rows, named(row))
		}
		t.table.Fill((r.first+i)*widget.Page, rows)
	}
	return t.fetch()
}
