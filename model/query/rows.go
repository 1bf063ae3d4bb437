package query

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model"
)

// rowsAnalysis pages through raw events as they were stored.
func rowsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "rows", Title: "Raw rows", Help: "stored events, one a line, by user and time, with the file each came from", ID: NoID, Windowed: true,
			Keys: keys([]KeySpec{
				{Name: "event", Type: Text, Repeat: true, Help: "only events of this name; several add up"},
				{Name: "user", Type: Text, Help: "only of this user"},
				{Name: "property", Type: Text, Help: "only events that have this property"},
				{Name: "value", Type: Text, Help: "only events on which property= has this value"},
				{Name: "day", Type: DayType, Help: "only of this day"},
				{Name: "from", Type: DayType, Help: "only from this day on"},
				{Name: "to", Type: DayType, Help: "only up to this day"},
				{Name: "double", Type: Word, Values: []string{"no", "yes"}, Default: "no", Help: "only events that share user, name and second with another"},
				{Name: "at", Type: DayType, Help: "the day to stand on: the first row on or after it (with user=)"},
			}, zoneKeys())},
		check: func(q Query) error {
			switch {
			case q.Get("value") != "" && q.Get("property") == "":
				return fmt.Errorf("value= needs property=, which says whose value it is")
			case q.Get("day") != "" && (q.Get("from") != "" || q.Get("to") != ""):
				return fmt.Errorf("day= is one day, from= and to= are a range: give one of the two")
			case q.Get("from") != "" && q.Get("to") != "" && q.Get("from") > q.Get("to"):
				return fmt.Errorf("from=%s is later than to=%s", q.Get("from"), q.Get("to"))
			case q.Get("at") != "" && q.Get("user") == "":
				return fmt.Errorf("at= is a place in one user's time line: give user= with it")
			}
			return nil
		},
		plan: func(r *Run) (*Plan, error) {
			f, err := newRowFilter(r)
			if err != nil {
				return nil, err
			}
			return &Plan{Slots: 1, Columns: f.columns, Names: f.names, Kernel: f.kernel, Layout: f.layout,
				Table: func() (Table, error) { return newRowTable(r, f) }}, nil
		},
	}
}

// A rowFilter says which events are rows of the table.
type rowFilter struct {
	r        *Run
	names    []string // nil: all; the scan leaves others out
	ids      map[model.NameID]bool
	user     string
	columns  []string // needed to decide: the property asked for, the twin columns
	key      *model.KeyInfo
	value    string // "": any
	from, to model.Day
	double   bool
}

func newRowFilter(r *Run) (*rowFilter, error) {
	f := &rowFilter{r: r, user: r.Str("user"), value: r.Str("value"), from: model.NoDay, to: r.AsOf, double: r.Str("double") == "yes"}
	for _, name := range r.Strs("event") {
		i := r.Info.NameIndex(name)
		if i < 0 {
			_, err := r.pick("name:" + name)
			return nil, fmt.Errorf("event=: %w", err)
		}
		if f.ids == nil {
			f.ids = map[model.NameID]bool{}
		}
		f.ids[model.NameID(i)] = true
		f.names = append(f.names, name)
	}
	if p := r.Str("property"); p != "" {
		if f.key = r.Info.Key(p); f.key == nil {
			var ns []string
			for _, k := range r.Info.Keys {
				ns = append(ns, k.Name)
			}
			return nil, fmt.Errorf("property=: no property is named %q%s", p, didYouMean(p, ns))
		}
		f.columns = []string{p}
	}
	if f.double {
		f.columns = append(f.columns, r.twinKeys()...)
	}
	if d := r.Day("day"); d != model.NoDay {
		f.from, f.to = d, min(d, r.AsOf)
	}
	if d := r.Day("from"); d != model.NoDay {
		f.from = d
	}
	if d := r.Day("to"); d != model.NoDay {
		f.to = min(d, r.AsOf)
	}
	if f.user != "" {
		// A user who does not exist is an error, not an empty table.
		if _, err := r.user(f.user, model.Filter{Until: r.Cut}); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// A rowView is where a filter's columns stand among those of a scan.
type rowView struct {
	property int
	twins    []int
}

func (f *rowFilter) view(columns []string) rowView {
	v := rowView{twins: places(f.r.twinKeys(), columns)}
	if f.key != nil {
		v.property = slices.Index(columns, f.key.Name)
	}
	return v
}

// takes says whether event i is a row.
func (f *rowFilter) takes(tl *model.Timeline, days []model.Day, i int, v rowView) bool {
	if days[i] < f.from || days[i] > f.to || f.ids != nil && !f.ids[tl.Name[i]] {
		return false
	}
	if f.key != nil {
		has := tl.Props[v.property].At(f.key, i)
		if has == "" || f.value != "" && has != f.value {
			return false
		}
	}
	return !f.double || isDouble(tl, i, v.twins)
}

// kernel counts the rows, so that a table of them is an answer with users too.
func (f *rowFilter) kernel() Kernel {
	v := f.view(f.columns)
	return Visit(func(u *Person, h *Hits) {
		if f.user != "" && u.TL.ID != f.user {
			return
		}
		n := int64(0)
		for i := range u.Days {
			if f.takes(u.TL, u.Days, i, v) {
				n++
			}
		}
		if n > 0 {
			h.Times(0, Self, n)
		}
	})
}

func (f *rowFilter) layout(b *Builder) error {
	b.A.Title = f.title()
	b.A.Definition = "Stored events up to the as-of day, by user and time. The table itself is read page by page."
	rows, users := b.Rows(0, "rows", "rows"), b.Count(0, "users", "users with such rows")
	b.Block(Block{Kind: TableBlock, Name: "totals", Title: "in all", Heads: []Head{{"", true}}, Rows: []Row{
		{Key: "rows", Label: "rows", Cells: []Cell{b.Cell(rows)}},
		{Key: "users", Label: "users", Cells: []Cell{b.Cell(users)}},
	}})
	return nil
}

func (f *rowFilter) title() string {
	parts := []string{"Raw rows"}
	if f.user != "" {
		parts = append(parts, "of "+f.user)
	}
	if f.names != nil {
		parts = append(parts, strings.Join(f.names, " or "))
	}
	switch {
	case f.value != "":
		parts = append(parts, f.key.Name+" = "+f.value)
	case f.key != nil:
		parts = append(parts, "with "+f.key.Name)
	}
	switch {
	case f.from != model.NoDay && f.from == f.to:
		parts = append(parts, "on "+f.from.String())
	case f.from != model.NoDay:
		parts = append(parts, f.from.String()+" to "+f.to.String())
	case f.to < f.r.AsOf:
		parts = append(parts, "up to "+f.to.String())
	}
	if f.double {
		parts = append(parts, "fired double")
	}
	return strings.Join(append(parts, f.r.Cal.Zone), " · ")
}
