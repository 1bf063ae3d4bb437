package widget

import (
	"math"
	"sort"
	"strings"

	"dwell/tui/format"
)

// Want is the next page that the window needs and that nobody has asked for.
func (t *Table) Want() (from, n int, ok bool) {
	if t.static || t.n == 0 {
		return 0, 0, false
	}
	first, last := t.top/Page, min(t.top+max(t.body(), 1)-1, t.n-1)/Page
	for _, p := range []int{first, last, t.cursor / Page} {
		if t.pages[p] == nil && !t.asked[p] {
			t.asked[p] = true
			return p * Page, Page, true
		}
	}
	return 0, 0, false
}

// Fill brings the rows of a page. A page without rows ends the table there: its
// length was an estimate.
func (t *Table) Fill(from int, rows []Row) {
	p := from / Page
	delete(t.asked, p)
	if rows == nil {
		rows = []Row{}
	}
	if _, had := t.pages[p]; !had {
		t.used = append(t.used, p)
	}
	t.pages[p] = rows
	for i := range rows {
		t.widen(&rows[i])
	}
	if len(rows) < Page && from+len(rows) < t.n {
		t.SetLen(from+len(rows), true)
	}
	for len(t.used) > keepPages {
		delete(t.pages, t.used[0])
		t.used = t.used[1:]
	}
}

// Refuse forgets that a page was asked for, after its job failed or was cancelled.
func (t *Table) Refuse(from int) { delete(t.asked, from/Page) }

func (t *Table) widen(r *Row) {
	for i := range r.Cells {
		if i < len(t.width) {
			most := widest
			if i == 0 && t.static {
				most = 2 * widest // labels are read, and there is one column of them
			}
			t.width[i] = min(max(t.width[i], format.Width(format.Clean(r.Cells[i]))), most)
		}
	}
}

// At is row i, or nil while its page is not there.
func (t *Table) At(i int) *Row {
	if i < 0 || i >= t.n {
		return nil
	}
	if t.static {
		return &t.rows[t.order[i]]
	}
	p := t.pages[i/Page]
	if k := i % Page; k < len(p) {
		return &p[k]
	}
	return nil
}

// Filter keeps the rows of a static table that hold the text, case ignored.
func (t *Table) Filter(s string) {
	at := t.Target().Key
	t.filter = s
	t.arrange(at)
}

// FilterText is the filter in force.
func (t *Table) FilterText() string { return t.filter }

// SortedBy names the column a static table is sorted by, "" if none.
func (t *Table) SortedBy() (name string, desc bool) {
	if t.sortBy < 0 || t.sortBy >= len(t.cols) {
		return "", false
	}
	return t.cols[t.sortBy].Name, t.desc
}

// ShowSort draws the sort sign of a table that is sorted by its source.
func (t *Table) ShowSort(name string, desc bool) {
	t.sortBy = -1
	for i := range t.cols {
		if t.cols[i].Name == name {
			t.sortBy, t.desc = i, desc
		}
	}
}

// arrange filters and sorts the rows of a static table and finds the cursor's
// row again.
func (t *Table) arrange(at string) {
	if !t.static {
		return
	}
	t.order = t.order[:0]
	want := strings.ToLower(t.filter)
	for i := range t.rows {
		if want == "" || rowHolds(&t.rows[i], want) {
			t.order = append(t.order, i)
		}
	}
	if t.sortBy >= 0 && t.sortBy < len(t.cols) {
		c, desc := t.sortBy, t.desc
		sort.SliceStable(t.order, func(i, j int) bool { return rowLess(&t.rows[t.order[i]], &t.rows[t.order[j]], c, desc) })
	}
	t.n = len(t.order)
	t.cursor = step(t.cursor, 0, t.n-1)
	if at != "" {
		for i, o := range t.order {
			if t.rows[o].Key == at {
				t.cursor = i
				break
			}
		}
	}
	t.follow()
}

func rowHolds(r *Row, want string) bool {
	for _, c := range r.Cells {
		if strings.Contains(strings.ToLower(c), want) {
			return true
		}
	}
	return false
}

// rowLess compares numbers as numbers; rows without a value come last either way.
func rowLess(a, b *Row, c int, desc bool) bool {
	av, bv := valueOf(a, c), valueOf(b, c)
	if av != nil || bv != nil {
		if av == nil || bv == nil {
			return bv == nil
		}
		if desc {
			return *av > *bv
		}
		return *av < *bv
	}
	as, bs := cellOf(a, c), cellOf(b, c)
	if desc {
		return as > bs
	}
	return as < bs
}

func valueOf(r *Row, c int) *float64 {
	if c < len(r.Values) && r.Values[c] != nil && !math.IsNaN(*r.Values[c]) {
		return r.Values[c]
	}
	return nil
}

func cellOf(r *Row, c int) string {
	if c < len(r.Cells) {
		return r.Cells[c]
	}
	return ""
}
