package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/measure"
)

// A userTable is a list of users over the population's columns. It holds row
// numbers and makes strings only for the rows that are looked at.
type userTable struct {
	r     *Run
	pop   *Population
	cols  []*measure.Column
	heads []TableHead

	rows  []int32 // of the population; −1: not there on this day
	list  *List   // of a figure; nil for the population's own
	entry []int32 // for each row its place in list.Users, nil without a list
	pairs bool    // a user may stand in several rows

	sort string
	desc bool
}

// userTable resolves the question's members, their order and columns.
func (r *Run) userTable() (*userTable, error) {
	pop, err := r.Population()
	if err != nil {
		return nil, err
	}
	refs, err := r.columnRefs(r.Str("columns"))
	if err != nil {
		return nil, fmt.Errorf("columns=: %w", err)
	}
	t := &userTable{r: r, pop: pop}
	t.sort = r.Str("sort")
	if s, ok := strings.CutPrefix(t.sort, "-"); ok {
		t.sort, t.desc = s, true
	}
	if t.cols, err = pop.Columns(r, refs); err != nil {
		return nil, err
	}
	in, err := r.members(pop)
	if err != nil {
		return nil, err
	}
	if of := r.Str("of"); of != "" {
		if err := t.behind(of, r.Str("key"), in); err != nil {
			return nil, err
		}
	}
	if t.sort == "" {
		t.sort = "recency_days"
		if t.list != nil && t.list.Figure.Carry != "" {
			t.sort, t.desc = "score", true
		}
	}
	order, err := t.order()
	if err != nil {
		return nil, err
	}
	if t.list == nil {
		t.rows = order
		if in != nil {
			t.rows = make([]int32, 0, in.Count())
			for _, row := range order {
				if in.Get(int(row)) {
					t.rows = append(t.rows, row)
				}
			}
		}
	}
	t.makeHeads()
	return t, nil
}

// behind takes the users of a figure, those of them who are members.
func (t *userTable) behind(of, key string, in measure.Bits) error {
	q, err := Parse(of)
	if err != nil {
		return fmt.Errorf("of=: %w", err)
	}
	a, err := t.r.within(q)
	if err != nil {
		return fmt.Errorf("of=: %w", err)
	}
	l, err := t.r.eng.behind(t.r.Ctx, t.r.st, a, key, t.r.progress)
	if err != nil {
		return err
	}
	t.list, t.pairs = l, l.Figure.Kind == Pairs
	for i := range l.Users {
		row := t.pop.Row(l.Users[i].ID)
		if in != nil && (row < 0 || !in.Get(row)) {
			continue
		}
		t.rows = append(t.rows, int32(row))
		t.entry = append(t.entry, int32(i))
	}
	return nil
}

// order sorts: it returns the population's rows, or sorts the list's in place.
func (t *userTable) order() ([]int32, error) {
	var rows []int32
	switch {
	case t.sort == "id" || t.sort == "user" && t.r.Info.Key("user") == nil: // the column is headed "user"
		rows = t.pop.ByID()
		if t.desc {
			rows = slices.Clone(rows)
			slices.Reverse(rows)
		}
	case t.list != nil && (t.sort == "amount" || t.sort == "times" || t.sort == "score"):
		t.sortEntries()
		return nil, nil
	default:
		refs, err := t.r.columnRefs(t.sort)
		if err != nil || len(refs) != 1 {
			return nil, fmt.Errorf("sort=: %w", cmp.Or(err, fmt.Errorf("%q is not one column", t.sort)))
		}
		cols, err := t.pop.Columns(t.r, refs)
		if err != nil {
			return nil, err
		}
		if rows, err = t.pop.Sorted(t.r.Ctx, cols[0], t.desc); err != nil {
			return nil, err
		}
	}
	if t.list == nil {
		return rows, nil
	}
	place := make([]int32, t.pop.Len())
	for at, row := range rows {
		place[row] = int32(at)
	}
	at := func(i int) int32 {
		if t.rows[i] < 0 {
			return int32(len(place)) // not there on this day: at the end
		}
		return place[t.rows[i]]
	}
	t.permute(func(a, b int) int { return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(t.entry[a], t.entry[b])) })
	return nil, nil
}

// sortEntries sorts a figure's list by the amounts or numbers it came with.
func (t *userTable) sortEntries() {
	t.permute(func(a, b int) int {
		x, y := t.list.Users[t.entry[a]], t.list.Users[t.entry[b]]
		c := cmp.Compare(x.Amount, y.Amount)
		switch t.sort {
		case "times":
			c = cmp.Compare(x.Times, y.Times)
		case "score":
			c = cmp.Compare(x.Score, y.Score)
		}
		if t.desc {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(t.entry[a], t.entry[b]))
	})
}

func (t *userTable) permute(compare func(a, b int) int) {
	ord := make([]int, len(t.rows))
	for i := range ord {
		ord[i] = i
	}
	slices.SortFunc(ord, compare)
	rows, entry := make([]int32, len(ord)), make([]int32, len(ord))
	for i, o := range ord {
		rows[i], entry[i] = t.rows[o], t.entry[o]
	}
	t.rows, t.entry = rows, entry
}

func (t *userTable) makeHeads() {
	t.heads = []TableHead{{Name: "id", Label: "user"}}
	if t.list != nil {
		switch t.list.Figure.Kind {
		case Sum:
			t.heads = append(t.heads, TableHead{Name: "amount", Label: "amount", Unit: t.list.Figure.Unit, Right: true})
		case Rows:
			t.heads = append(t.heads, TableHead{Name: "times", Label: "events", Unit: "events", Right: true})
		case Pairs:
			t.heads = append(t.heads, TableHead{Name: "times", Label: "interval", Right: true})
		}
	}
	if t.list != nil && t.list.Figure.Carry != "" {
		t.heads = append(t.heads, TableHead{Name: "score", Label: t.list.Figure.Carry, Right: true})
	}
	if t.list != nil && t.list.Figure.Beside != "" {
		t.heads = append(t.heads, TableHead{Name: "beside", Label: t.list.Figure.Beside, Right: true})
	}
	if t.list != nil && t.list.Figure.More != "" {
		t.heads = append(t.heads, TableHead{Name: "value", Label: t.list.Figure.More, Right: true}, TableHead{Name: "tier", Label: "tier"}, TableHead{Name: "suggest", Label: "suggested"}, TableHead{Name: "why", Label: "signals"})
	}
	for _, c := range t.cols {
		f, _, _ := measure.Lookup(c.Ref.Name) // the column was compiled from it
		t.heads = append(t.heads, TableHead{Name: columnName(c.Ref), Label: t.r.columnLabel(c.Ref), Unit: f.Unit, Right: c.Type == measure.Number})
	}
}

// columnName is how a column is written in columns= and rules.
func columnName(ref measure.Ref) string {
	if ref.Name == "prop" && plainWord(ref.Key) {
		return ref.Key
	}
	return ref.String()
}

func columnLabel(ref measure.Ref) string {
	if ref.Name == "prop" {
		return ref.Key
	}
	return strings.ReplaceAll(ref.String(), "_", " ")
}

// columnLabel is the same, with one currency's revenue named by it.
func (r *Run) columnLabel(ref measure.Ref) string {
	if cur := r.onlyCurrency(ref); cur != "" {
		return ref.Name + " " + cur
	}
	return columnLabel(ref)
}

// onlyCurrency is the currency that one of revenues is about, "" for any other
// measure.
func (r *Run) onlyCurrency(ref measure.Ref) string {
	if ref.Name != "revenue" || ref.Where == nil || ref.Days != 0 {
		return ""
	}
	of, units := r.revenues()
	for i := range of {
		if of[i].String() == ref.String() {
			return units[i]
		}
	}
	return ""
}

// plainWord says whether a name can stand bare in a rule.
func plainWord(s string) bool {
	for i, c := range s {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// Heads are the columns: the user, what the figure's list brings, and those
// asked for.
func (t *userTable) Heads() []TableHead { return t.heads }

// Len is the number of rows, always exact.
func (t *userTable) Len() (n int, exact bool) { return len(t.rows), true }

// Close does nothing: the engine gives the data back.
func (t *userTable) Close() error { return nil }

func (t *userTable) id(i int) string {
	if t.entry != nil {
		return t.list.Users[t.entry[i]].ID
	}
	return t.pop.ID(int(t.rows[i]))
}

func (t *userTable) key(i int) string {
	if t.pairs {
		return t.id(i) + " " + strconv.FormatInt(t.list.Users[t.entry[i]].Times, 10)
	}
	return t.id(i)
}

// Window is up to n rows from a place on.
func (t *userTable) Window(ctx context.Context, from, n int) ([]TableRow, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	from = min(max(from, 0), len(t.rows))
	n = min(max(n, 0), len(t.rows)-from)
	out := make([]TableRow, 0, n)
	for i := from; i < from+n; i++ {
		id := t.id(i)
		row := TableRow{Key: t.key(i), Open: Query{Analysis: "user", ID: id, AsOf: t.r.Q.AsOf}.String(), Cells: make([]string, 0, len(t.heads)), Values: make([]*float64, 0, len(t.heads))}
		put := func(text string, v *float64) {
			row.Cells, row.Values = append(row.Cells, text), append(row.Values, v)
		}
		put(id, nil)
		if t.list != nil {
			u := t.list.Users[t.entry[i]]
			switch t.list.Figure.Kind {
			case Sum:
				v := u.Amount.Float()
				put(u.Amount.String(), &v)
			case Rows, Pairs:
				v := float64(u.Times)
				put(strconv.FormatInt(u.Times, 10), &v)
			}
			if t.list.Figure.Carry != "" {
				put(showNumber(carriedUnit(t.list.Figure.Carry), u.Score), &u.Score)
			}
			if t.list.Figure.Beside != "" {
				put(showNumber(carriedUnit(t.list.Figure.Beside), u.Beside), &u.Beside)
			}
			if t.list.Figure.More != "" {
				more := u.More
				if more == nil {
					more = &UserMore{}
				}
				put(showNumber("money", more.Value), &more.Value)
				put(more.Tier, nil)
				put(more.Suggest, nil)
				put(more.sentence(), nil)
			}
		}
		for _, c := range t.cols {
			put(cellOf(c, int(t.rows[i])))
		}
		out = append(out, row)
	}
	return out, nil
}

// cellOf writes a column's value as for a person, with the number behind it.
func cellOf(c *measure.Column, row int) (string, *float64) {
	if row < 0 {
		return "", nil
	}
	v, known := c.At(row)
	switch {
	case !known:
		return "", nil
	case c.Type == measure.Text:
		return c.Text(row), nil
	case c.Type == measure.Bool:
		if v != 0 {
			return "yes", &v
		}
		return "no", &v
	case c.Type == measure.Day:
		return model.Day(v).String(), nil
	}
	f, _, _ := measure.Lookup(c.Ref.Name) // the column was compiled from it
	return showNumber(f.Unit, v), &v
}

// carriedUnit is the unit of what a figure's list brings, by its name; "" if none is
// written in a way of its own.
func carriedUnit(name string) string {
	switch name {
	case "monetary", "revenue", "value expected", "expected loss":
		return "money"
	}
	return ""
}

// showNumber writes a number for a person: whole ones without a point, money
// with two decimals, anything else with up to three digits after the point.
func showNumber(unit string, v float64) string {
	switch {
	case unit == "money":
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v == float64(int64(v)):
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// Seek is the place of a user's row, or of where it would stand: the first row
// after it in the order of the list, as far as the order is known for it.
func (t *userTable) Seek(key string) (int, error) {
	id := key
	if t.pairs {
		if at := strings.LastIndexByte(key, ' '); at > 0 {
			id = key[:at]
		}
	}
	if t.entry != nil {
		for i := range t.entry {
			if t.key(i) == key || t.id(i) == key {
				return i, nil
			}
		}
	}
	row := int32(t.pop.Row(id))
	if row >= 0 && t.entry == nil {
		if at := slices.Index(t.rows, row); at >= 0 {
			return at, nil
		}
	}
	if t.sort == "id" {
		return slices.IndexFunc(append(slices.Clone(t.rows), -1), func(row int32) bool {
			return row < 0 || (strings.Compare(t.pop.ID(int(row)), id) >= 0) != t.desc
		}), nil
	}
	if row < 0 {
		return 0, nil // nobody of that id: the list begins where it begins
	}
	return t.between(row)
}

// between is where a row of the population that is not in the list would stand.
func (t *userTable) between(row int32) (int, error) {
	if t.entry != nil {
		return 0, nil
	}
	order, err := t.order()
	if err != nil {
		return 0, err
	}
	at := 0
	for _, o := range order {
		if o == row {
			return at, nil
		}
		if at < len(t.rows) && t.rows[at] == o {
			at++
		}
	}
	return at, nil
}

// users is the whole list, for the figure's own list.
func (t *userTable) users() []User {
	out := make([]User, len(t.rows))
	for i := range out {
		if t.entry != nil {
			out[i] = t.list.Users[t.entry[i]]
		} else {
			out[i] = User{ID: t.id(i), Amount: model.NoMoney}
		}
	}
	return out
}

func (t *userTable) title() string {
	if t.list != nil {
		return "Users behind “" + t.list.Figure.Label + "” · " + asOfNote(t.r)
	}
	return "Users · " + asOfNote(t.r)
}

func (t *userTable) definition() string {
	switch {
	case t.list != nil:
		return "The users counted by " + t.list.Figure.Key + " of " + t.r.Str("of") + "; the columns show them " + asOfNote(t.r) + "."
	case t.r.Groups[0].Rule != "":
		return "Users with an event up to the day who meet the rule " + t.r.Groups[0].Rule + ", judged on the day itself."
	}
	return "Everybody with an event up to the day."
}
