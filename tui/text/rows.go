package text

import (
	"bufio"
	"io"
	"strings"

	"dwell/model/query"
	"dwell/tui/format"
)

// Rows writes a table of any length row by row. Column widths are settled by
// the heading and the first rows, which are held back until then; later cells
// that are wider are cut with "…".
type Rows struct {
	w      *bufio.Writer
	heads  []query.TableHead
	width  int
	held   []query.TableRow
	widths []int
	count  int
}

// hold is how many rows settle the widths.
const hold = 200

// NewRows starts a table in lines of at most width cells; 0 means 80.
func NewRows(w io.Writer, heads []query.TableHead, width int) *Rows {
	if width <= 0 {
		width = 80
	}
	return &Rows{w: bufio.NewWriter(w), heads: heads, width: width}
}

// Row writes one row.
func (t *Rows) Row(r query.TableRow) error {
	t.count++
	if t.widths == nil {
		t.held = append(t.held, r)
		if len(t.held) < hold {
			return nil
		}
		return t.settle()
	}
	return t.write(r.Cells)
}

// Close writes what is held back, and "(none)" if there was no row.
func (t *Rows) Close() error {
	if t.widths == nil {
		if err := t.settle(); err != nil {
			return err
		}
	}
	if t.count == 0 {
		t.w.WriteString("(none)\n")
	}
	return t.w.Flush()
}

func (t *Rows) settle() error {
	t.widths = make([]int, len(t.heads))
	for i, h := range t.heads {
		t.widths[i] = format.Width(h.Label)
	}
	for _, r := range t.held {
		for i := range r.Cells {
			if i < len(t.widths) {
				t.widths[i] = min(max(t.widths[i], format.Width(format.Clean(r.Cells[i]))), 40)
			}
		}
	}
	labels := make([]string, len(t.heads))
	for i, h := range t.heads {
		labels[i] = h.Label
	}
	if err := t.write(labels); err != nil {
		return err
	}
	for _, r := range t.held {
		if err := t.write(r.Cells); err != nil {
			return err
		}
	}
	t.held = nil
	return nil
}

func (t *Rows) write(cells []string) error {
	var b strings.Builder
	used := 0
	for i := range t.heads {
		w := t.widths[i]
		if used > 0 {
			if used+2+w > t.width {
				break // whole columns only; --format csv has them all
			}
			b.WriteString("  ")
			used += 2
		}
		s := ""
		if i < len(cells) {
			s = format.Clean(cells[i])
		}
		b.WriteString(format.Pad(s, min(w, t.width), t.heads[i].Right))
		used += w
	}
	_, err := t.w.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	return err
}
