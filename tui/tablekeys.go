package tui

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/widget"
)

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
		t.form = newForm(t.session, t.q, nil)
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
		if t.keyFor("day") != nil {
			t.filter.Set(cmp.Or(t.q.Get(name), t.q.Get("day")))
			t.filter.Hint = "enter filters by " + name + "=, or a day: YYYY-MM-DD; empty: all"
		}
		return nil
	case matches(m, t.keys.Sort):
		return t.sort()
	case matches(m, t.keys.Columns) && t.src != nil:
		t.chooser = &columnChooser{s: t.session}
		return nil
	}
	if cmd, took := t.theseKey(m); took {
		return cmd
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
	return t.post(replaceMsg{q: checked})
}

func (t *tableScreen) filterKey(m tea.KeyMsg) tea.Cmd {
	switch m.Type {
	case tea.KeyEsc:
		t.filter = nil
	case tea.KeyEnter:
		v := strings.TrimSpace(t.filter.Value())
		t.filter = nil
		name := t.filterKeyName()
		q := t.q.With(name)
		if t.keyFor("day") != nil {
			q = q.With("day")
			if _, err := model.ParseDay(v); err == nil {
				name = "day"
			}
		}
		if v != "" {
			q = q.With(name, v)
			t.top = true // one looks for somebody else now
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

// Typing is true while the filter is typed.
func (t *tableScreen) Typing() bool { return t.filter != nil || t.form != nil && t.form.input != nil }

// Over names what lies over the table, "" if nothing does.
func (t *tableScreen) Over() string {
	switch {
	case t.form != nil:
		return "(options)"
	case t.chooser != nil:
		return "(columns)"
	}
	return ""
}

// Escape closes the column list, cancels, or drops the filter.
func (t *tableScreen) Escape() bool {
	switch {
	case t.form != nil:
		t.form = nil
	case t.chooser != nil:
		t.chooser = nil
	case t.open != nil && t.src == nil:
		t.open.stop()
	default:
		return false
	}
	return true
}

// ShortHelp and FullHelp list what Update takes now.
func (t *tableScreen) ShortHelp() []key.Binding {
	switch {
	case t.filter != nil:
		return []key.Binding{bind("enter", "filter", "enter"), bind("esc", "leave it", "esc")}
	case t.form != nil:
		return t.form.help()
	case t.chooser != nil:
		return []key.Binding{bind("space", "show or hide", " "), bind("enter", "done", "enter")}
	case t.err != nil:
		return []key.Binding{t.keys.Retry, t.keys.Filter, t.keys.Options}
	case t.src == nil:
		return nil
	}
	out := []key.Binding{t.keys.Enter, t.keys.Filter, t.keys.Sort, t.keys.Columns}
	if t.q.Analysis == "users" {
		out = append(out, bind("R", "retention", "R"))
	}
	return append(out, t.keys.Options, t.session.keys.w.Mark, t.session.keys.Export)
}

func (t *tableScreen) FullHelp() [][]key.Binding {
	own := []key.Binding{t.keys.Enter, t.keys.Filter, t.keys.Sort, t.keys.Columns, t.keys.Options}
	if t.err != nil {
		own = append(own, t.keys.Retry)
	}
	if t.q.Analysis == "users" {
		own = append(own, t.session.keys.Kept, t.session.keys.Ask)
	}
	return [][]key.Binding{own, t.table.Bindings()[:11]}
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
