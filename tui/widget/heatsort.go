package widget

import (
	"slices"

	"dwell/model/query"
)

// rowAt is the row that is drawn at place i.
func (t *Heat) rowAt(i int) *query.Row { return &t.b.Rows[t.order[i]] }

// cycleSort puts the rows in the order of the cursor's column: the greatest
// first, then the least first (which cohort does worst), then as the answer has
// them. The row of all stays on top, and rows without a value come last. The
// cursor goes with its row.
func (t *Heat) cycleSort() {
	at := t.Target().Key
	switch {
	case t.sortBy != t.col:
		t.sortBy, t.desc = t.col, true
	case t.desc:
		t.desc = false
	default:
		t.sortBy = -1
	}
	t.arrange(at)
}

// arrange puts the rows in order and finds the cursor's row again.
func (t *Heat) arrange(at string) {
	slices.Sort(t.order)
	if t.sortBy >= 0 {
		slices.SortStableFunc(t.order, func(i, j int) int {
			a, b := &t.b.Rows[i], &t.b.Rows[j]
			if (a.Key == "all") != (b.Key == "all") {
				if a.Key == "all" {
					return -1
				}
				return 1
			}
			x, y := t.value(a), t.value(b)
			switch {
			case x == nil && y == nil:
				return 0
			case y == nil:
				return -1
			case x == nil:
				return 1
			case *x == *y:
				return 0
			case (*x > *y) == t.desc:
				return -1
			}
			return 1
		})
	}
	for i, o := range t.order {
		if at != "" && t.b.Rows[o].Key == at {
			t.row = i
			break
		}
	}
}

// value is what a row is sorted by, nil where it has none.
func (t *Heat) value(r *query.Row) *float64 {
	if t.sortBy >= len(r.Cells) {
		return nil
	}
	if f := t.figure(&r.Cells[t.sortBy]); f != nil && !f.None {
		return &f.Value
	}
	return nil
}

func (t *Heat) sortSign() string {
	if t.desc {
		return t.styles.Glyphs.Down
	}
	return t.styles.Glyphs.Up
}
