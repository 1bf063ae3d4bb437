package retention_test

import (
	"dwell/model"
	"dwell/model/retention"
)

// count counts one life's cell.
func count(t *retention.Tally, c retention.Cell) {
	switch c {
	case retention.Back:
		t.Closed++
		t.Back++
	case retention.Lost:
		t.Closed++
	case retention.RunningBack:
		t.Open++
		t.OpenBack++
	default:
		t.Open++
	}
}

// merge adds another tally.
func merge(t *retention.Tally, o retention.Tally) {
	t.Closed += o.Closed
	t.Back += o.Back
	t.Open += o.Open
	t.OpenBack += o.OpenBack
}

// A table adds lives up by cohort and column. Pooled holds all lives but the
// left truncated: Σ back / Σ closed, never a mean of rates.
type table struct {
	columns int
	Rows    map[model.Period][]retention.Tally
	Size    map[model.Period]int64
	Pooled  []retention.Tally
	Users   int64 // lives in Pooled
	Kept    int64 // left truncated lives: in their cohort's row, not in Pooled
}

// newTable makes a table with that many columns.
func newTable(columns int) *table {
	return &table{columns: columns, Rows: map[model.Period][]retention.Tally{}, Size: map[model.Period]int64{}, Pooled: make([]retention.Tally, columns)}
}

// add counts one life.
func (t *table) add(l retention.Life) {
	row := t.Rows[l.Cohort]
	if row == nil {
		row = make([]retention.Tally, t.columns)
		t.Rows[l.Cohort] = row
	}
	t.Size[l.Cohort]++
	if l.Truncated {
		t.Kept++
	} else {
		t.Users++
	}
	for c, cell := range l.Cells {
		count(&row[c], cell)
		if !l.Truncated {
			count(&t.Pooled[c], cell)
		}
	}
}

// merge adds another table of the same definition.
func (t *table) merge(o *table) {
	for p, row := range o.Rows {
		if t.Rows[p] == nil {
			t.Rows[p] = make([]retention.Tally, t.columns)
		}
		for c := range row {
			merge(&t.Rows[p][c], row[c])
		}
		t.Size[p] += o.Size[p]
	}
	for c := range o.Pooled {
		merge(&t.Pooled[c], o.Pooled[c])
	}
	t.Users += o.Users
	t.Kept += o.Kept
}
