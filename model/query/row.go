package query

import (
	"fmt"
	"strings"

	"dwell/model"
)

// rowAnalysis is one stored event with the file and line it came from.
func rowAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "row", Title: "Raw row", Help: "one stored event: all its columns, and the file and line it came from", ID: NeedsID, IDIs: "key of a row, as the rows screen gives it",
			Keys: keys([]KeySpec{
				{Name: "line", Type: Word, Values: []string{"auto", "yes", "no"}, Default: "auto", Help: "read the file again to find the line; auto: if it is not larger than 64 MiB"},
			}, zoneKeys())},
		plan: func(r *Run) (*Plan, error) {
			tl, i, err := rawEvent(r.Ctx, r.Snap, r.Info, r.Q.ID, r.Cut)
			if err != nil {
				return nil, err
			}
			return &Plan{Layout: func(b *Builder) error { return r.layoutRow(b, tl, i) }}, nil
		},
	}
}

// soonFound is the size of a file, in bytes, that is read again unasked.
const soonFound = 64 << 20

func (r *Run) layoutRow(b *Builder, tl *model.Timeline, i int) error {
	b.A.volatile = true // the file may be gone tomorrow
	b.A.Title = fmt.Sprintf("Raw row of %s · %s", tl.ID, r.Cal.Stamp(tl, i))
	b.A.Definition = "One event as it is stored, beside the line it came from."
	bl := Block{Kind: TableBlock, Name: "event", Title: "as stored", Heads: []Head{{"", false}}}
	add := func(key, value, open string) {
		bl.Rows = append(bl.Rows, Row{Key: key, Label: key, Cells: []Cell{TextCell(value)}, Open: open})
	}
	name := r.Info.Names[tl.Name[i]].Name
	day := r.Cal.EventDay(tl, i)
	add("user", tl.ID, r.link(Query{Analysis: "user", ID: tl.ID}))
	add("time", r.Cal.Stamp(tl, i), r.link(question("rows", "user", tl.ID, "at", day.String())))
	add("event", name, r.link(Query{Analysis: "event", ID: name}))
	if tl.Amount != nil && tl.Amount[i] != model.NoMoney {
		add("amount", tl.Amount[i].String(), "")
	}
	for k := range r.Info.Keys {
		info := &r.Info.Keys[k]
		if v := tl.Props[k].At(info, i); v != "" {
			add(info.Name, v, r.link(question("rows", "property", info.Name, "value", v)))
		}
	}
	b.Block(bl)
	b.Block(Block{Kind: TextBlock, Name: "source", Title: "where it came from", Lines: r.sourceLines(tl, i)})
	return nil
}

// sourceLines names the file and, where it may be read again, the line.
func (r *Run) sourceLines(tl *model.Timeline, i int) []string {
	src, ok := sourceOf(r.Info, tl, i)
	if !ok {
		return []string{"The data do not say which file this event came from."}
	}
	out := []string{"file " + src.Path}
	ask := r.Str("line")
	if ask == "no" || r.eng.opt.Lines == nil {
		return out
	}
	if ask == "auto" && src.Bytes > soonFound {
		return append(out, fmt.Sprintf("The file has %d MB: its line is found on demand, with line=yes.", src.Bytes>>20))
	}
	found, err := r.eng.line(r.Ctx, r.Info, tl, i)
	switch {
	case err != nil:
		return append(out, err.Error())
	case len(found.Lines) == 0:
		return append(out, "The file has no such row any more.")
	case len(found.Lines) == 1:
		out = append(out, fmt.Sprintf("line %d", found.Lines[0]))
	default:
		var ns []string
		for _, n := range found.Lines[:min(10, len(found.Lines))] {
			ns = append(ns, fmt.Sprint(n))
		}
		more := ""
		if len(found.Lines) > 10 {
			more = fmt.Sprintf(" and %d more", len(found.Lines)-10)
		}
		out = append(out, "lines "+strings.Join(ns, ", ")+more+": equal rows of one file cannot be told apart")
	}
	return append(out, found.Text)
}
