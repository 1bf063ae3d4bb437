package query

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"dwell/model/measure"
	"dwell/model/rule"
)

// defaultColumns are the columns of a list of users, unless others are asked for.
const defaultColumns = "stage,dwell_days,recency_days,active_days,events,revenue"

// usersAnalysis is the list of users: everybody, those who meet rules, or those
// behind a figure of another question.
func usersAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "users", Title: "Users", Help: "who they are: any number of users, with columns of your choice", ID: NoID, Windowed: true,
			Keys: keys([]KeySpec{
				{Name: "columns", Type: Text, Default: defaultColumns, Help: "measures and properties, parted by commas"},
				{Name: "sort", Type: Text, Help: "a measure or property; - before it for descending; id for the user; if left out recency_days, or what a figure's list brings, highest first"},
				{Name: "stage", Type: Text, Help: "only users in this stage"},
				{Name: "mark", Type: Text, Help: "only users with this mark: silent, late, declining …"},
				{Name: "find", Type: Text, Help: "only users whose id or searchable property holds the text"},
			}, groupKeys(), zoneKeys())},
		check: func(q Query) error {
			if len(q.All("where")) > 1 || len(q.All("segment")) > 1 {
				return fmt.Errorf("a list is of one group: join rules with \"and\" or \"or\" instead of giving several where= or segment=")
			}
			return nil
		},
		plan: planUsers,
	}
}

// ListQuery is the question for the list behind a figure of an answer, by key.
func ListQuery(a *Answer, key string) Query {
	return Query{Analysis: "users", AsOf: a.Query.AsOf, Params: []Param{{"key", key}, {"of", a.Address}}}
}

func planUsers(r *Run) (*Plan, error) {
	list := func() (*userTable, error) { return r.userTable() }
	return &Plan{
		Layout: func(b *Builder) error {
			t, err := list()
			if err != nil {
				return err
			}
			n, _ := t.Len()
			b.A.Title = t.title()
			b.A.Definition = t.definition()
			f := Figure{Key: "users", Label: "users in the list", Kind: Count, Value: float64(n), Unit: "users", N: int64(n)}
			if t.pairs {
				f.Kind, f.Unit = Pairs, "user-intervals"
			}
			total := b.Own(f)
			b.Block(Block{Kind: TableBlock, Name: "total", Heads: []Head{{Label: "users", Right: true}}, Rows: []Row{{Key: "users", Label: "in the list", Cells: []Cell{b.Cell(total)}}}})
			bl := Block{Kind: TableBlock, Name: "users", Title: "The first of them"}
			for _, h := range t.Heads()[1:] {
				bl.Heads = append(bl.Heads, Head{Label: h.Label, Right: h.Right})
			}
			rows, err := t.Window(r.Ctx, 0, shownUsers)
			if err != nil {
				return err
			}
			for _, row := range rows {
				out := Row{Key: row.Key, Label: row.Cells[0], Open: row.Open}
				for _, c := range row.Cells[1:] {
					out.Cells = append(out.Cells, TextCell(c))
				}
				bl.Rows = append(bl.Rows, out)
			}
			b.Block(bl)
			return nil
		},
		List: func(f *Figure, p Part) ([]User, error) {
			t, err := list()
			if err != nil {
				return nil, err
			}
			return t.users(), nil
		},
		Table: func() (Table, error) { return list() },
	}, nil
}

// shownUsers is how many users stand in the answer itself; the table and Rows
// have all.
const shownUsers = 50

// Rows streams every row of a windowed analysis, in its order.
func (e *Engine) Rows(ctx context.Context, q Query, p Progress) iter.Seq2[TableRow, error] {
	return func(yield func(TableRow, error) bool) {
		t, err := e.Table(ctx, q, p)
		if err != nil {
			yield(TableRow{}, err)
			return
		}
		defer func() { _ = t.Close() }() // it has been read to its end, or is not wanted
		const step = 1024
		for from := 0; ; from += step {
			rows, err := t.Window(ctx, from, step)
			if err != nil {
				yield(TableRow{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if len(rows) < step {
				return
			}
		}
	}
}

// columnRefs resolves the names of columns=, sort= and their like: measures as
// they are written in rules, and properties.
func (r *Run) columnRefs(list string) ([]measure.Ref, error) {
	var out []measure.Ref
	for _, name := range splitColumns(list) {
		ref, err := r.columnRef(name)
		if err == nil {
			if f, _, ok := measure.Lookup(ref.Name); ok && f.Kind == measure.User {
				_, err = measure.Compile([]measure.Ref{ref}, r.Schema)
			}
		}
		switch {
		case err == nil:
			out = append(out, ref)
		case name == "revenue" && r.Q.Get("columns") == "": // a default column that these data cannot have
			each, _ := r.revenues()
			out = append(out, each...)
		default:
			return nil, err
		}
	}
	return out, nil
}

// mostCurrencies is how many currencies get a column or a measure of their own
// where nobody has asked for one.
const mostCurrencies = 4

// revenues is the revenue of each currency by itself, where there are several:
// they are never added up. It is empty where there are no amounts, or one
// currency, which revenue itself then serves.
func (r *Run) revenues() (out []measure.Ref, units []string) {
	key := r.Dict.Columns.Currency
	k := r.Info.Key(key)
	if key == "" || k == nil {
		return nil, nil
	}
	if _, err := measure.Compile([]measure.Ref{measure.Of("revenue")}, r.Schema); err == nil {
		return nil, nil
	}
	for _, v := range k.Values {
		if v == "" || len(out) == mostCurrencies {
			continue
		}
		ref, err := r.columnRef("revenue(" + rule.Equals(key, v, r.Schema) + ")")
		if err != nil {
			return nil, nil
		}
		if _, err := measure.Compile([]measure.Ref{ref}, r.Schema); err != nil {
			return nil, nil
		}
		out, units = append(out, ref), append(units, v)
	}
	return out, units
}

// splitColumns parts a list at commas that do not stand within parentheses or
// quotes.
func splitColumns(list string) (out []string) {
	depth, from, quoted := 0, 0, false
	for i := range len(list) {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out = append(out, strings.TrimSpace(list[from:i]))
			from = i + 1
		}
	}
	return append(out, strings.TrimSpace(list[from:]))
}

// members are the rows of the population that the question is about, before
// sorting; nil is everybody.
func (r *Run) members(pop *Population) (measure.Bits, error) {
	var in measure.Bits
	and := func(b measure.Bits) {
		if in == nil {
			in = b
		} else {
			in.And(b)
		}
	}
	if rule := r.Groups[0].Rule; rule != "" {
		b, err := r.match(pop, rule)
		if err != nil {
			return nil, err
		}
		and(b)
	}
	if s := r.Str("stage"); s != "" {
		names := r.Schema.Stages
		if !slices.Contains(names, s) {
			return nil, fmt.Errorf("stage=: there is no stage %q%s: use one of %s", s, didYouMean(s, names), strings.Join(names, ", "))
		}
		cols, err := pop.Columns(r, []measure.Ref{measure.Of("stage")})
		if err != nil {
			return nil, err
		}
		b := measure.NewBits(pop.Len())
		code := uint32(slices.Index(cols[0].Dict, s))
		for row, c := range cols[0].Codes {
			if c == code {
				b.Set(row)
			}
		}
		and(b)
	}
	if m := r.Str("mark"); m != "" {
		b, err := r.mark(pop, m)
		if err != nil {
			return nil, err
		}
		and(b)
	}
	if text := r.Str("find"); text != "" {
		b := measure.NewBits(pop.Len())
		err := r.search(text, func(f Found) bool {
			if row := pop.Row(f.ID); row >= 0 {
				b.Set(row)
			}
			return true
		})
		if err != nil {
			return nil, err
		}
		and(b)
	}
	return in, nil
}

// asOfNote says on which day a list stands, in words.
func asOfNote(r *Run) string { return "as of " + r.AsOf.String() + " (" + r.Cal.Zone + ")" }
