package widget

import (
	"slices"

	"dwell/tui/chart"
)

// A Held is where a person stood on a pane: what is handed on when the same
// question is asked in another way (another sort, another day, another unit) and
// a new pane takes the old one's place. Everything is by name, because rows and
// columns may be others now; what is no longer there is left out.
type Held struct {
	Row, Column string
	Sort        string // column of a table or heat table that sorts itself
	Desc        bool
	Filter      string
	Hidden      []string
	Marks       []string
	Series      int
	Flipped     bool // a chart shown as its table
	Zoom        zoom

	window *window // where the pane was scrolled to; nil: nowhere yet
}

// A window is what of a pane was on screen: how far below its first line the cursor
// stood, and its first column.
type window struct{ line, left int }

// A Holder is a pane that can hand on where it stands.
type Holder interface {
	Hold() Held
	Restore(Held)
}

// Hold is the table's cursor, columns, marks, and what it sorts and filters by.
func (t *Table) Hold() Held {
	h := Held{Marks: t.Marks(), Column: t.ColumnName(), Filter: t.filter}
	if r := t.At(t.cursor); r != nil {
		h.Row = r.Key
	}
	for _, c := range t.cols {
		if c.Hidden {
			h.Hidden = append(h.Hidden, c.Name)
		}
	}
	if t.static {
		h.Sort, h.Desc = t.SortedBy()
		h.window = &window{t.Line(), t.left}
	}
	if len(t.cols) == 0 && t.held != nil { // nothing has come yet: what was handed on goes on
		return *t.held
	}
	return h
}

// Restore puts the table there, now or once its columns are known. The row of a
// table that is read in pages is sought by whoever reads it.
func (t *Table) Restore(h Held) {
	t.held = &h
	t.SetMarks(h.Marks)
	if len(t.cols) > 0 {
		t.putBack()
	}
	if t.static {
		t.filter = h.Filter
		t.arrange(h.Row)
		if h.window != nil { // SetSize sees to it that the cursor is in sight
			t.top, t.left = max(t.cursor-h.window.line, 0), max(h.window.left, 1)
		}
	}
}

func (t *Table) putBack() {
	h := t.held
	if h == nil {
		return
	}
	t.held = nil
	for i := range t.cols {
		c := &t.cols[i]
		if i > 0 && slices.Contains(h.Hidden, c.Name) {
			c.Hidden = true
		}
		if c.Name == h.Column && !c.Hidden {
			t.col = i
		}
		if t.static && h.Sort != "" && c.Name == h.Sort {
			t.sortBy, t.desc = i, h.Desc
		}
	}
	t.reveal()
}

// Hold is the bar under the cursor.
func (t *Bars) Hold() Held {
	return Held{Row: t.Target().Key, window: &window{line: t.at - t.top}}
}

// Restore goes to the bar of that name.
func (t *Bars) Restore(h Held) {
	for i := range t.b.Rows {
		if t.b.Rows[i].Key == h.Row && h.Row != "" {
			t.at = i
		}
	}
	if h.window != nil {
		t.top = max(t.at-h.window.line, 0)
		return
	}
	t.follow()
}

// Hold is how far the text is scrolled.
func (t *Text) Hold() Held { return Held{window: &window{line: t.top}} }

// Restore scrolls as far.
func (t *Text) Restore(h Held) {
	if h.window != nil {
		t.top = h.window.line
	}
}

// Hold is the cell under the cursor.
func (t *Heat) Hold() Held {
	tg := t.Target()
	h := Held{Row: tg.Key, Column: tg.Column, Desc: t.desc, window: &window{t.row - t.top, t.left}}
	if t.sortBy >= 0 && t.sortBy < len(t.b.Heads) {
		h.Sort = t.b.Heads[t.sortBy].Label
	}
	return h
}

// Restore goes to the cell of that row and column.
func (t *Heat) Restore(h Held) {
	for i := range t.b.Heads {
		if t.b.Heads[i].Label == h.Column && h.Column != "" {
			t.col = i
		}
		if t.b.Heads[i].Label == h.Sort && h.Sort != "" {
			t.sortBy, t.desc = i, h.Desc
		}
	}
	t.arrange(h.Row)
	t.follow()
	if h.window != nil {
		t.top, t.left = max(t.row-h.window.line, 0), max(h.window.left, t.fixed)
	}
}

// Hold is the chart's point, series, and whether it is shown as a table.
func (t *Chart) Hold() Held {
	h := Held{Series: t.series, Flipped: t.table != nil, Zoom: t.zoom}
	if tg := t.Target(); t.at < chart.Points(t.b.Chart)-1 || t.table != nil {
		h.Row = tg.Key
	}
	return h
}

// Restore goes to the point of that name: the last one stays the last one.
func (t *Chart) Restore(h Held) {
	t.series, t.zoom = step(h.Series, 0, t.lines()-1), h.Zoom
	if h.Flipped != (t.table != nil) {
		t.Flip()
	}
	t.seek(h.Row)
}
