package tui

import (
	"context"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// A tableScreen shows a windowed table of any length: users, or raw rows. Pages
// come by jobs; sort and filter are keys of the address, so that what is on
// screen is what its address says.
type tableScreen struct {
	*session
	q    query.Query
	keys tableKeys

	open   *job // of the table
	page   *job // of one window
	seek   *job
	src    query.Table
	err    error
	table  *widget.Table
	stay   string // key the cursor returns to after a sort
	sought string // by seek
	stale  bool   // a newer table is wanted than is on screen
	top    bool   // what replaces the table begins at its first row

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
	if sp := query.SpecOf(t.q.Analysis); sp != nil {
		return sp.Key(name)
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
	switch {
	case t.src != nil && t.stale:
		return t.renew()
	case t.src != nil:
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

// Await says whether a key is for what is still being read: every key until the
// table is there, and those that act on a row until its page is.
func (t *tableScreen) Await(m tea.KeyMsg) bool {
	if t.err != nil || t.form != nil || t.chooser != nil || matches(m, t.keys.Options) {
		return false
	}
	if t.src == nil {
		return t.open != nil
	}
	k := &t.session.keys
	return (t.seek != nil || t.page != nil && t.table.Len() > 0 && t.table.At(t.table.Cursor()) == nil) &&
		matches(m, t.keys.Enter, k.w.Mark, k.w.Sort, k.Yank)
}

// Failed says whether there is a failure on the screen.
func (t *tableScreen) Failed() bool { return t.err != nil }

// Leave cancels what runs.
func (t *tableScreen) Leave() {
	t.open.stop()
	t.open = nil // who comes back opens it again
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
	case doneMsg[renewed]:
		return t.renewed(msg)
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
		t.open.stop()
		t.open = nil
		if t.src != nil {
			return t.renew()
		}
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

// take shows a new table.
func (t *tableScreen) take(opened query.Table) tea.Cmd {
	src := lockTable(opened) // nobody else has it yet: Len does not wait
	t.src, t.err = src, nil
	n, exact := src.Len()
	t.table.SetSource(columnsOf(src), n, exact)
	t.showSort()
	if t.stay == "" && t.keyFor("at") != nil {
		t.stay = t.q.Get("at") // the day to stand on
	}
	if t.stay != "" {
		key := t.stay
		t.stay, t.sought = "", key
		var cmd tea.Cmd
		t.seek, cmd = start(t.jobs, t, "find the row again", "", func(context.Context, query.Progress) (sought, error) {
			at, err := src.Seek(key)
			return sought{key, at}, err
		})
		return cmd
	}
	return t.fetch()
}

func columnsOf(src query.Table) []widget.Column {
	heads := src.Heads()
	cols := make([]widget.Column, len(heads))
	for i, h := range heads {
		cols[i] = widget.Column{Name: h.Name, Label: h.Label, Right: h.Right}
	}
	return cols
}

// showSort draws the sign of the order that the address asks for.
func (t *tableScreen) showSort() {
	if s := t.q.Get("sort"); s != "" {
		name, desc := strings.CutPrefix(s, "-")
		if d := t.q.Get("order"); d != "" {
			desc = d == "desc"
		}
		t.table.ShowSort(name, desc)
	}
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

// Kept is where the table stands; Keep puts another there once it has been read.
func (t *tableScreen) Kept() keepsake {
	h := t.table.Hold()
	if t.src == nil {
		h.Row = t.stay // it has not been there yet
	} else {
		h.Row = t.here()
	}
	if t.top {
		h.Row = ""
	}
	return keepsake{parts: map[string]widget.Held{"": h}}
}

// Keep takes what another table of the same question handed on.
func (t *tableScreen) Keep(k keepsake) {
	t.table.Restore(k.parts[""])
	t.stay = k.parts[""].Row
}

// SetSize gives the table the body.
func (t *tableScreen) SetSize(w, h int) { t.w, t.h = w, h; t.table.SetSize(w, h) }

// View draws the state the screen is in.
func (t *tableScreen) View() string {
	v := t.list()
	if t.filter != nil { // whatever is above it: the next filter is typed over an empty list, too
		lines := strings.Split(v, "\n")
		for len(lines) < t.h {
			lines = append(lines, "")
		}
		lines[len(lines)-1] = t.filter.View(t.w)
		v = strings.Join(lines, "\n")
	}
	return v
}

// list is the screen without the line of the filter.
func (t *tableScreen) list() string {
	switch {
	case t.form != nil:
		return t.form.view(t.w, t.h)
	case t.err != nil:
		hint := "r tries again, esc goes out"
		if t.keys.Filter.Enabled() {
			hint = "r tries again, / filters by something else, esc goes out"
		}
		return failedView(t.session, t.err, t.w, hint)
	case t.src == nil:
		return workingView(t.session, t.open, t.w)
	case t.chooser != nil:
		return t.chooser.view(t.table, t.h)
	case t.table.Len() == 0:
		lines := []string{"", "  Nobody and nothing is in this list.", ""}
		for _, l := range format.Wrap("/ and an empty line drop the filter, :where alone the rule; esc goes out", t.w-4) {
			lines = append(lines, "  "+t.styles.Dim.Render(l))
		}
		return strings.Join(lines, "\n")
	}
	return t.table.View(t.filter == nil)
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
	parts := t.narrowed()
	if p.Group != "" {
		parts = append(parts, p.Group)
	}
	p.Group = strings.Join(parts, ", ")
	return p
}

// narrowed is what the list is kept to besides a rule, so that a filter that is on
// is seen.
func (t *tableScreen) narrowed() (out []string) {
	for _, name := range []string{"find", "stage", "mark", "event", "day", "from", "to", "user", "property", "value"} {
		v := strings.Join(t.q.All(name), " + ")
		if name == "user" && v != "" {
			v = t.desk.Namer.ID(v)
		}
		if v != "" {
			out = append(out, name+" "+v)
		}
	}
	return out
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
