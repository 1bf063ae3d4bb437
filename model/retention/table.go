package retention

import (
	"sort"

	"dwell/model"
)

// A Tally counts the lives of one cell of the table.
type Tally struct {
	Closed   int64 // lives whose interval has ended: the denominator
	Back     int64 // of them, those who returned
	Open     int64 // lives whose interval has not ended
	OpenBack int64 // of them, those who have already returned
}

// Add counts one life's cell.
func (t *Tally) Add(c Cell) {
	switch c {
	case Back:
		t.Closed++
		t.Back++
	case Lost:
		t.Closed++
	case RunningBack:
		t.Open++
		t.OpenBack++
	default:
		t.Open++
	}
}

// Merge adds another tally.
func (t *Tally) Merge(o Tally) {
	t.Closed += o.Closed
	t.Back += o.Back
	t.Open += o.Open
	t.OpenBack += o.OpenBack
}

// Rate is Back/Closed; ok is false where nobody's interval has closed.
func (t Tally) Rate() (rate float64, ok bool) {
	if t.Closed == 0 {
		return 0, false
	}
	return float64(t.Back) / float64(t.Closed), true
}

// PlainMean is the mean of the cells' rates, each cohort counting once whatever
// its size. A cohort that lost everybody counts as 0, one without a closed user
// not at all (SPEC V3, V4). ok is false if no cell has a rate.
//
// It is not what an overall row shows unless asked for: ten users weigh as much
// as a thousand in it.
func PlainMean(cells []Tally) (mean float64, ok bool) {
	n := 0
	for _, c := range cells {
		if r, has := c.Rate(); has {
			mean += r
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	return mean / float64(n), true
}

// A Table adds lives up by cohort and column. Pooled holds all lives but the
// left truncated: Σ back / Σ closed, never a mean of rates.
type Table struct {
	columns int
	Rows    map[model.Period][]Tally
	Size    map[model.Period]int64
	Pooled  []Tally
	Users   int64 // lives in Pooled
	Kept    int64 // left truncated lives: in their cohort's row, not in Pooled
}

// NewTable makes a table with that many columns.
func NewTable(columns int) *Table {
	return &Table{columns: columns, Rows: map[model.Period][]Tally{}, Size: map[model.Period]int64{}, Pooled: make([]Tally, columns)}
}

// Add counts one life.
func (t *Table) Add(l Life) {
	row := t.Rows[l.Cohort]
	if row == nil {
		row = make([]Tally, t.columns)
		t.Rows[l.Cohort] = row
	}
	t.Size[l.Cohort]++
	if l.Truncated {
		t.Kept++
	} else {
		t.Users++
	}
	for c, cell := range l.Cells {
		row[c].Add(cell)
		if !l.Truncated {
			t.Pooled[c].Add(cell)
		}
	}
}

// Merge adds another table of the same definition.
func (t *Table) Merge(o *Table) {
	for p, row := range o.Rows {
		if t.Rows[p] == nil {
			t.Rows[p] = make([]Tally, t.columns)
		}
		for c := range row {
			t.Rows[p][c].Merge(row[c])
		}
		t.Size[p] += o.Size[p]
	}
	for c := range o.Pooled {
		t.Pooled[c].Merge(o.Pooled[c])
	}
	t.Users += o.Users
	t.Kept += o.Kept
}

// Cohorts are the cohorts of the table, earliest first.
func (t *Table) Cohorts() []model.Period {
	out := make([]model.Period, 0, len(t.Rows))
	for p := range t.Rows {
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}
