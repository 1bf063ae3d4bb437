package tui

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"

	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/text"
	"dwell/tui/widget"
)

// Export writes all rows of the table, or the marked ones if there are any.
func (t *tableScreen) Export() []export {
	if t.src == nil {
		return nil
	}
	src, named, marks := t.src, t.namer(), t.table.Marks()
	name := fileName(t.q)
	each := func(ctx context.Context, fn func(widget.Row) error) error {
		for from := 0; ; from += 1000 {
			rows, err := src.Window(ctx, from, 1000)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if len(marks) > 0 && !slices.Contains(marks, r.Key) {
					continue
				}
				if err := fn(named(r)); err != nil {
					return err
				}
			}
			if len(rows) < 1000 {
				return nil
			}
		}
	}
	heads := src.Heads()
	return []export{
		{name + ".csv", func(ctx context.Context, w io.Writer) error {
			c := csv.NewWriter(w)
			var names []string
			for _, h := range heads {
				names = append(names, exportName(h))
			}
			if err := c.Write(names); err != nil {
				return err
			}
			if err := each(ctx, func(r widget.Row) error { return c.Write(exactCells(r)) }); err != nil {
				return err
			}
			c.Flush()
			return c.Error()
		}},
		{name + ".json", func(ctx context.Context, w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			return each(ctx, func(r widget.Row) error { return e.Encode(rowObject(heads, r)) })
		}},
		{name + ".txt", func(ctx context.Context, w io.Writer) error {
			rows := text.NewRows(w, heads, 200)
			if err := each(ctx, func(r widget.Row) error { return rows.Row(query.TableRow{Cells: r.Cells}) }); err != nil {
				return err
			}
			return rows.Close()
		}},
	}
}

// exportName is the name of a column in a file: of what a list carries beside its
// users that is what it is, "expected loss", not that it is carried.
func exportName(h query.TableHead) string {
	if slices.Contains([]string{"score", "beside", "value"}, h.Name) && h.Label != "" {
		return h.Label
	}
	return h.Name
}

// exactCells are a row's cells with numbers in full.
func exactCells(r widget.Row) []string {
	out := slices.Clone(r.Cells)
	for i := range out {
		if i < len(r.Values) && r.Values[i] != nil {
			out[i] = query.Number(*r.Values[i])
		}
	}
	return out
}

// rowObject is a row as a JSON object: numbers as numbers, what is missing null.
func rowObject(heads []query.TableHead, r widget.Row) map[string]any {
	o := make(map[string]any, len(heads))
	for i, h := range heads {
		switch {
		case i < len(r.Values) && r.Values[i] != nil:
			o[exportName(h)] = *r.Values[i]
		case i >= len(r.Cells) || r.Cells[i] == format.None:
			o[exportName(h)] = nil
		default:
			o[exportName(h)] = r.Cells[i]
		}
	}
	return o
}
