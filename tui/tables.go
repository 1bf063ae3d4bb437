package tui

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/text"
	"dwell/tui/widget"
)

// A tableScreen shows a windowed table of any length: users, or raw rows. Pages
// come by jobs; sort and filter are keys of the address, so that what is on
// screen is what its address says.
type tableScreen struct {
	*session
	q    query.Query
	keys tableKeys

	open  *job // of the table
	page  *job // of one window
	seek  *job
	src   query.Table
	err   error
	table *widget.Table
	stay  string // key the cursor returns to after a sort

	w, h    int
	filter  *widget.Input
	chooser *columnChooser
	form    *form
}

type tableKeys struct{ Enter, Filter, Sort, Columns, Options, Retry key.Binding }

func newTableScreen(s *session, q query.Query) Screen {
	t := &tableScreen{session: s, q: q, table: widget.NewTable(s.styles, s.keys.w, q.Analysis)}
	t.keys = tableKeys{Enter: s.keys.Enter, Filter: s.keys.Filter, Sort: s.keys.w.Sort,
		Columns: bind("C", "columns", "C"), Options: s.keys.Options, Retry: bind("r", "try again", "r")}
	if t.keyFor("sort") == nil {
		t.keys.Sort.SetEnabled(false)
	}
	if t.filterKeyName() == "" {
		t.keys.Filter.SetEnabled(false)
	}
	return t
}

// keyFor is the spec of a key of this analysis, nil if it has none.
func (t *tableScreen) keyFor(name string) *query.KeySpec {
	for _, sp := range query.Specs() {
		if sp.Name == t.q.Analysis {
			return sp.Key(name)
		}
	}
	return nil
}

// filterKeyName is the key that the filter line sets.
func (t *tableScreen) filterKeyName() string {
	for _, n := range []string{"find", "text", "event", "where"} {
		if t.keyFor(n) != nil {
			return n
		}
	}
	return ""
}

// Init opens the table.
func (t *tableScreen) Init() tea.Cmd {
	if t.open != nil {
		return nil
	}
	if t.src != nil {
		return t.fetch()
	}
	t.err = nil
	e, q := t.desk.Engine, t.q
	var cmd tea.Cmd
	t.open, cmd = start(t.jobs, t, q.Analysis, "events", func(ctx context.Context, p query.Progress) (query.Table, error) {
		return e.Table(ctx, q, p)
	})
	return cmd
}

// Leave cancels what runs.
func (t *tableScreen) Leave() {
	t.open.stop()
	t.page.stop()
	t.seek.stop()
}

// A window is one page of rows.
type window struct {
	from int
	rows []widget.Row
	n    int // of the table, as known after reading
	all  bool
}

type sought struct {
	key string
	at  int
}

// Update takes keys, the mouse, and pages.
func (t *tableScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		return t.key(msg)
	case tea.MouseMsg:
		switch {
		case msg.Button == tea.MouseButtonWheelUp:
			t.table.Wheel(-3)
		case msg.Button == tea.MouseButtonWheelDown:
			t.table.Wheel(3)
		case msg.Button == tea.MouseButtonLeft && msg.Action == tea.MouseActionPress:
			if t.table.Click(msg.X, msg.Y) {
				return t.enter()
			}
		}
		return t.fetch()
	case progressMsg:
		for _, j := range []*job{t.open, t.page, t.seek} {
			if j.owns(msg.job) {
				return j.next
			}
		}
	case doneMsg[query.Table]:
		if t.open.owns(msg.job) {
			t.open = nil
			if msg.err != nil {
				t.err = msg.err
				if cancelled(msg.err) {
					t.err = errCancelled
				}
				return nil
			}
			return t.take(msg.value)
		}
		if msg.value != nil {
			t.jobs.aside(func() { _ = msg.value.Close() }) // nothing was written
		}
	case doneMsg[window]:
		if t.page.owns(msg.job) {
			t.page = nil
			switch {
			case cancelled(msg.err):
				t.table.Refuse(msg.value.from)
				return nil
			case msg.err != nil:
				t.table.Refuse(msg.value.from)
				t.err = msg.err
				return nil
			}
			t.table.SetLen(msg.value.n, msg.value.all)
			t.table.Fill(msg.value.from, msg.value.rows)
			return t.fetch()
		}
	case doneMsg[sought]:
		if t.seek.owns(msg.job) {
			t.seek = nil
			if msg.err == nil {
				t.table.Move(msg.value.at)
			}
			return t.fetch()
		}
	case dataMsg:
		t.Close()
		t.Leave()
		t.open, t.page, t.seek = nil, nil, nil
		return t.Init()
	case restyleMsg:
		t.table.Restyle(t.styles)
	}
	return nil
}

// Close gives the table's data version back, once no worker reads it.
func (t *tableScreen) Close() {
	if src := t.src; src != nil {
		t.src = nil
		t.jobs.aside(func() { _ = src.Close() }) // nothing was written
	}
}

// A lockedTable lets one worker at a time at a table: a page, a place looked for
// and an export may be asked for at once.
type lockedTable struct {
	query.Table
	turn chan struct{} // of one
}

func lockTable(t query.Table) *lockedTable {
	return &lockedTable{Table: t, turn: make(chan struct{}, 1)}
}

// Window waits for its turn as long as somebody wants the rows.
func (l *lockedTable) Window(ctx context.Context, from, n int) ([]query.TableRow, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
		return l.Table.Window(ctx, from, n)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *lockedTable) Seek(key string) (int, error) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	return l.Table.Seek(key)
}

func (l *lockedTable) Len() (int, bool) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	return l.Table.Len()
}

func (l *lockedTable) Close() error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	return l.Table.Close()
}

// take shows a new table.
func (t *tableScreen) take(opened query.Table) tea.Cmd {
	src := lockTable(opened) // nobody else has it yet: Len does not wait
	t.src, t.err = src, nil
	heads := src.Heads()
	cols := make([]widget.Column, len(heads))
	for i, h := range heads {
		cols[i] = widget.Column{Name: h.Name, Label: h.Label, Right: h.Right}
	}
	n, exact := src.Len()
	t.table.SetSource(cols, n, exact)
	if s := t.q.Get("sort"); s != "" {
		name, desc := strings.CutPrefix(s, "-")
		if d := t.q.Get("order"); d != "" {
			desc = d == "desc"
		}
		t.table.ShowSort(name, desc)
	}
	if t.stay == "" && t.keyFor("at") != nil {
		t.stay = t.q.Get("at") // the day to stand on
	}
	if t.stay != "" {
		key := t.stay
		t.stay = ""
		var cmd tea.Cmd
		t.seek, cmd = start(t.jobs, t, "find the row again", "", func(context.Context, query.Progress) (sought, error) {
			at, err := src.Seek(key)
			return sought{key, at}, err
		})
		return cmd
	}
	return t.fetch()
}

// fetch asks for the page the window needs, one at a time.
func (t *tableScreen) fetch() tea.Cmd {
	if t.src == nil || t.page != nil {
		return nil
	}
	from, n, ok := t.table.Want()
	if !ok {
		return nil
	}
	src, named := t.src, t.namer()
	var cmd tea.Cmd
	t.page, cmd = start(t.jobs, t, "read rows", "", func(ctx context.Context, _ query.Progress) (window, error) {
		rows, err := src.Window(ctx, from, n)
		w := window{from: from}
		for _, r := range rows {
			w.rows = append(w.rows, named(r))
		}
		w.n, w.all = src.Len()
		return w, err
	})
	return cmd
}

// namer turns rows as the engine gives them into rows as this session may see
// them: the column that holds a user's id goes through the Namer.
func (t *tableScreen) namer() func(query.TableRow) widget.Row {
	heads, nm := t.src.Heads(), t.desk.Namer
	return func(r query.TableRow) widget.Row {
		cells := slices.Clone(r.Cells)
		for i := range cells {
			if i >= len(heads) {
				break
			}
			switch heads[i].Name {
			case "user", "id":
				cells[i] = nm.ID(cells[i])
			default:
				if i >= len(r.Values) || r.Values[i] == nil {
					cells[i] = nm.Value(heads[i].Name, cells[i])
				}
			}
		}
		return widget.Row{Key: r.Key, Open: r.Open, Cells: cells, Values: r.Values}
	}
}

func (t *tableScreen) key(m tea.KeyMsg) tea.Cmd {
	switch {
	case t.filter != nil:
		return t.filterKey(m)
	case t.chooser != nil:
		if t.chooser.key(m, t.table) {
			t.chooser = nil
		}
		return nil
	case t.form != nil:
		q, done := t.form.key(m)
		if !done {
			return nil
		}
		t.form = nil
		return t.ask(q)
	case matches(m, t.keys.Options):
		t.form = newForm(t.session, t.q)
		return nil
	case t.err != nil && matches(m, t.keys.Retry):
		t.Close()
		return t.Init()
	case matches(m, t.keys.Enter):
		return t.enter()
	case matches(m, t.keys.Filter):
		name := t.filterKeyName()
		t.filter = widget.NewInput(t.styles, "/", t.q.Get(name))
		t.filter.Hint = "enter filters by " + name + "=, empty: all"
		return nil
	case matches(m, t.keys.Sort):
		return t.sort()
	case matches(m, t.keys.Columns) && t.src != nil:
		t.chooser = &columnChooser{s: t.session}
		return nil
	}
	t.table.Key(m)
	return t.fetch()
}

// sort asks for the table in the order of the column under the cursor: numbers
// descending first, text ascending, a second time the other way. The cursor
// goes with its row.
func (t *tableScreen) sort() tea.Cmd {
	name := t.table.ColumnName()
	if name == "" {
		return nil
	}
	right := false
	for _, c := range t.table.Columns() {
		if c.Name == name {
			right = c.Right
		}
	}
	is, desc := t.table.SortedBy()
	if is == name {
		desc = !desc
	} else {
		desc = right
	}
	q := sortQuery(t.q, t.keyFor, name, desc)
	if q.String() == t.q.String() {
		q = sortQuery(t.q, t.keyFor, name, !desc)
	}
	t.stay = t.table.Target().Key
	return t.ask(q)
}

func sortQuery(q query.Query, keyFor func(string) *query.KeySpec, name string, desc bool) query.Query {
	if k := keyFor("order"); k != nil && len(k.Values) == 2 {
		order := "asc"
		if desc {
			order = "desc"
		}
		return q.With("sort", name).With("order", order)
	}
	if desc {
		name = "-" + name
	}
	return q.With("sort", name)
}

// ask shows the same screen with another address.
func (t *tableScreen) ask(q query.Query) tea.Cmd {
	checked, err := query.Parse(q.String())
	if err != nil {
		return t.complain(err)
	}
	return t.post(replaceMsg{q: checked, stay: t.stay})
}

func (t *tableScreen) filterKey(m tea.KeyMsg) tea.Cmd {
	switch m.Type {
	case tea.KeyEsc:
		t.filter = nil
	case tea.KeyEnter:
		v := strings.TrimSpace(t.filter.Value())
		t.filter = nil
		q := t.q.With(t.filterKeyName())
		if v != "" {
			q = t.q.With(t.filterKeyName(), v)
		}
		return t.ask(q)
	default:
		t.filter.Key(m)
	}
	return nil
}

func (t *tableScreen) enter() tea.Cmd {
	if r := t.table.Target(); r.Open != "" {
		return t.session.open(r.Open)
	}
	return t.say("nothing lies behind this row")
}

// Keep puts the cursor on a row once the table is there.
func (t *tableScreen) Keep(key string) { t.stay = key }

// SetSize gives the table the body.
func (t *tableScreen) SetSize(w, h int) { t.w, t.h = w, h; t.table.SetSize(w, h) }

// View draws the state the screen is in.
func (t *tableScreen) View() string {
	switch {
	case t.form != nil:
		return t.form.view(t.w, t.h)
	case t.err != nil:
		return failedView(t.session, t.err, t.w, "r tries again, esc goes out")
	case t.src == nil:
		return workingView(t.session, t.open, t.w)
	case t.chooser != nil:
		return t.chooser.view(t.table, t.h)
	}
	if t.table.Len() == 0 {
		return strings.Join([]string{"", "  Nobody and nothing is in this list.", "", "  " + t.styles.Dim.Render("/ with an empty line drops the filter, :where alone drops the rule, esc goes out")}, "\n")
	}
	v := t.table.View(t.filter == nil)
	if t.filter != nil {
		lines := strings.Split(v, "\n")
		if len(lines) > 0 {
			lines[len(lines)-1] = t.filter.View(t.w)
		}
		v = strings.Join(lines, "\n")
	}
	return v
}

// Place is what the header says.
func (t *tableScreen) Place() Place {
	p := placeOf(t.session, t.q)
	if of := t.q.Get("of"); of != "" {
		p.Title = "Users behind " + t.q.Get("key") + " of " + of
	}
	if d := t.session.data; d != nil {
		if p.AsOf == "" {
			p.AsOf = d.AsOf.String()
		}
		if d.Schema != nil && d.Schema.Cal != nil {
			p.Zone = d.Schema.Cal.Zone
		}
	}
	return p
}

// Typing is true while the filter is typed.
func (t *tableScreen) Typing() bool { return t.filter != nil || t.form != nil && t.form.input != nil }

// Escape closes the column list, cancels, or drops the filter.
func (t *tableScreen) Escape() bool {
	switch {
	case t.form != nil:
		t.form = nil
	case t.chooser != nil:
		t.chooser = nil
	case t.open != nil:
		t.open.stop()
	default:
		return false
	}
	return true
}

// Yank is the row under the cursor.
func (t *tableScreen) Yank() string { return t.table.Yank() }

// About says what the list is.
func (t *tableScreen) About() []string {
	out := []string{t.q.String(), ""}
	for _, sp := range query.Specs() {
		if sp.Name == t.q.Analysis {
			out = append(out, sp.Help)
		}
	}
	return out
}

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
				names = append(names, h.Name)
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
			o[h.Name] = *r.Values[i]
		case i >= len(r.Cells) || r.Cells[i] == format.None:
			o[h.Name] = nil
		default:
			o[h.Name] = r.Cells[i]
		}
	}
	return o
}

// ShortHelp and FullHelp list what Update takes now.
func (t *tableScreen) ShortHelp() []key.Binding {
	switch {
	case t.filter != nil:
		return []key.Binding{bind("enter", "filter", "enter"), bind("esc", "leave it", "esc")}
	case t.form != nil:
		return t.form.help()
	case t.chooser != nil:
		return []key.Binding{t.session.keys.w.Mark, t.session.keys.Escape}
	case t.err != nil:
		return []key.Binding{t.keys.Retry, t.keys.Options}
	case t.src == nil:
		return nil
	}
	return []key.Binding{t.keys.Enter, t.keys.Filter, t.keys.Sort, t.keys.Columns, t.keys.Options, t.session.keys.w.Mark, t.session.keys.Export}
}

func (t *tableScreen) FullHelp() [][]key.Binding {
	return [][]key.Binding{{t.keys.Enter, t.keys.Filter, t.keys.Sort, t.keys.Columns, t.keys.Options, t.keys.Retry}, t.table.Bindings()[:11]}
}

// A columnChooser lists the columns; space shows or hides one.
type columnChooser struct {
	s  *session
	at int
}

// key takes a key; true closes the list.
func (c *columnChooser) key(m tea.KeyMsg, t *widget.Table) bool {
	k, cols := &c.s.keys, t.Columns()
	switch {
	case matches(m, k.w.Up):
		c.at = max(c.at-1, 0)
	case matches(m, k.w.Down):
		c.at = min(c.at+1, len(cols)-1)
	case matches(m, k.w.Mark):
		t.Show(cols[c.at].Name, cols[c.at].Hidden)
	case matches(m, k.Enter):
		return true
	}
	return false
}

func (c *columnChooser) view(t *widget.Table, h int) string {
	st := c.s.styles
	out := []string{st.Head.Render("  columns") + "  " + st.Dim.Render("space shows or hides, enter is done")}
	from := max(c.at-(h-3), 0)
	for i, col := range t.Columns()[from:] {
		i += from
		box := "[x] "
		if col.Hidden {
			box = "[ ] "
		}
		if i == 0 {
			box = " =  " // the first column is always there
		}
		g := "  "
		if i == c.at {
			g = st.Glyphs.Cursor + " "
		}
		line := fmt.Sprintf("%s%s%s", g, box, col.Label)
		if col.Label != col.Name {
			line += "  (" + col.Name + ")"
		}
		if i == c.at {
			line = st.Cursor.Render(line)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}
