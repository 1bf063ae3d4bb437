package tui

import (
	"context"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// A dictionary is the editor of the data set's dictionary: what each event name
// means, which property means what, the calendar. Each change shows what it does
// to the stages; nothing is saved before w, and no event file is read again.
type dictionary struct {
	*session
	owner   Screen
	keys    dictKeys
	dict    *model.Dictionary // as edited
	saved   string            // as it stood when it was read
	lines   []dictLine
	names   []model.NameInfo
	props   []string
	failure error
	closed  bool

	at, top, w, h int
	start         string // key of the line to begin on
	input         *widget.Input
	roles         []bool // of the line under the cursor, while they are chosen
	role          int
	several       bool // roles were set or cleared one by one

	read    *job
	preview *job
	save    *job
	effect  []query.StageChange
}

type dictKeys struct{ Change, Toggle, Save, Up, Down key.Binding }

// A dictLine is one thing to set.
type dictLine struct {
	group, name string // group: setting, event, column or affinity
	note        string
}

// dictRead is the dictionary with what the data hold.
type dictRead struct {
	dict  *model.Dictionary
	names []model.NameInfo
	props []string
}

func newDictionary(s *session, owner Screen, at string) (*dictionary, tea.Cmd) {
	d := &dictionary{session: s, owner: owner, start: at}
	d.keys = dictKeys{Change: bind("enter", "change", "enter"), Toggle: bind("space", "set or clear", " "), Save: bind("w", "save", "w"), Up: s.keys.w.Up, Down: s.keys.w.Down}
	e := s.desk.Engine
	var cmd tea.Cmd
	d.read, cmd = start(s.jobs, owner, "read the dictionary", "", func(ctx context.Context, _ query.Progress) (dictRead, error) {
		dict, _, err := e.Dictionary()
		if err != nil {
			return dictRead{}, err
		}
		data, err := e.Data(ctx)
		if err != nil {
			return dictRead{}, err
		}
		r := dictRead{dict: dict}
		if data.Schema != nil && data.Schema.Info != nil {
			r.names = slices.Clone(data.Schema.Info.Names)
			for _, k := range data.Schema.Info.Keys {
				r.props = append(r.props, k.Name)
			}
		}
		return r, nil
	})
	return d, cmd
}

func (d *dictionary) leave() {
	d.read.stop()
	d.preview.stop()
}

func (d *dictionary) resize(w, h int) { d.w, d.h = w, h }

// update takes keys and results; took is false for what is not the editor's.
func (d *dictionary) update(msg tea.Msg) (cmd tea.Cmd, took bool) {
	switch m := msg.(type) {
	case tea.KeyMsg:
		return d.key(m), true
	case progressMsg:
		for _, j := range []*job{d.read, d.preview, d.save} {
			if j.owns(m.job) {
				return j.next, true
			}
		}
	case doneMsg[dictRead]:
		if d.read.owns(m.job) {
			d.read, d.failure = nil, m.err
			if m.err == nil {
				d.take(m.value)
			}
			return nil, true
		}
	case doneMsg[[]query.StageChange]:
		if d.preview.owns(m.job) {
			d.preview, d.effect, d.failure = nil, m.value, m.err
			return nil, true
		}
	case doneMsg[saved]:
		if d.save.owns(m.job) {
			d.save = nil
			if m.err != nil {
				return d.complain(m.err), true
			}
			d.closed = true
			d.say(m.value.what)
			return d.post(dataMsg{}), true
		}
	}
	return nil, false
}

func (d *dictionary) take(r dictRead) {
	d.dict, d.names, d.props = r.dict, r.names, r.props
	if d.dict.Events == nil {
		d.dict.Events = map[string]string{}
	}
	d.saved = string(d.dict.Format()) // the file may be laid out in another way
	for _, n := range []string{"zone", "week_start", "starts", "negative"} {
		d.lines = append(d.lines, dictLine{group: "setting", name: n})
	}
	seen := map[string]bool{}
	for _, n := range d.names {
		d.lines = append(d.lines, dictLine{"event", n.Name, format.Plural(n.Count, "event", "events")})
		seen[n.Name] = true
	}
	var rest []string
	for n := range d.dict.Events {
		if !seen[n] {
			rest = append(rest, n)
		}
	}
	sort.Strings(rest)
	for _, n := range rest {
		d.lines = append(d.lines, dictLine{"event", n, "not in the data"})
	}
	for _, c := range columnNames {
		d.lines = append(d.lines, dictLine{group: "column", name: c})
	}
	for _, n := range model.AffinitySettings() {
		d.lines = append(d.lines, dictLine{group: "affinity", name: n})
	}
	for i, l := range d.lines {
		if l.name == d.start {
			d.at = i
		}
	}
}

var columnNames = []string{"currency", "channel", "arm", "item", "order", "inviter", "plan", "paid_until", "period", "score", "rating", "alias", "reason", "personal", "searchable"}

// column is the field behind a column line; lists are joined by commas.
func column(c *model.Columns, name string) *string {
	switch name {
	case "currency":
		return &c.Currency
	case "channel":
		return &c.Channel
	case "arm":
		return &c.Arm
	case "item":
		return &c.Item
	case "order":
		return &c.Order
	case "inviter":
		return &c.Inviter
	case "plan":
		return &c.Plan
	case "paid_until":
		return &c.PaidUntil
	case "period":
		return &c.Period
	case "score":
		return &c.Score
	case "rating":
		return &c.Rating
	case "alias":
		return &c.Alias
	case "reason":
		return &c.Reason
	}
	return nil
}

func (d *dictionary) value(l dictLine) string {
	switch l.group {
	case "event":
		if r := d.dict.Events[l.name]; r != "" {
			return r
		}
		return "use"
	case "column":
		switch l.name {
		case "personal":
			return strings.Join(d.dict.Columns.Personal, ", ")
		case "searchable":
			return strings.Join(d.dict.Columns.Searchable, ", ")
		}
		return *column(&d.dict.Columns, l.name)
	case "affinity":
		return strconv.FormatFloat(*d.dict.Affinity.Setting(l.name), 'f', -1, 64)
	}
	switch l.name {
	case "zone":
		return d.dict.Zone
	case "week_start":
		return d.dict.WeekStart
	case "starts":
		return d.dict.Starts
	}
	return d.dict.Negative
}

func (d *dictionary) set(l dictLine, v string) {
	switch {
	case l.group == "event":
		d.dict.Events[l.name] = v
	case l.group == "affinity":
		x, err := strconv.ParseFloat(v, 64)
		if err != nil {
			x = math.NaN() // which the dictionary refuses, with the reason
		}
		*d.dict.Affinity.Setting(l.name) = x
	case l.name == "personal":
		d.dict.Columns.Personal = splitList(v)
	case l.name == "searchable":
		d.dict.Columns.Searchable = splitList(v)
	case l.group == "column":
		*column(&d.dict.Columns, l.name) = v
	case l.name == "zone":
		d.dict.Zone = v
	case l.name == "week_start":
		d.dict.WeekStart = v
	case l.name == "starts":
		d.dict.Starts = v
	default:
		d.dict.Negative = v
	}
}

func splitList(s string) []string {
	var out []string
	for _, x := range strings.Split(s, ",") {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}

// hint says what may be typed on a line.
func (d *dictionary) hint(l dictLine) string {
	switch {
	case l.name == "zone":
		return "an IANA name, as Europe/Vienna"
	case l.name == "week_start":
		return "monday … sunday"
	case l.name == "starts":
		return "complete: nobody was there before the data; or partial"
	case l.name == "negative":
		return "what a purchase below zero is: refund or purchase"
	case l.group == "affinity" && l.name == "half_life":
		return "days after which an act counts half"
	case l.group == "affinity":
		return "a weight; 0 leaves such acts out"
	case l.group == "column":
		return "a property: " + strings.Join(d.props, ", ")
	}
	return ""
}

func (d *dictionary) view() string {
	st := d.styles
	if d.dict == nil {
		if d.failure != nil {
			return failedView(d.session, d.failure, d.w, "esc closes it")
		}
		return workingView(d.session, d.read, d.w)
	}
	note := "as saved"
	if d.dirty() {
		note = "changed, not saved: w saves, esc drops the changes"
	}
	out := []string{st.Head.Render("  Dictionary") + "  " + st.Dim.Render(note)}
	foot := d.foot()
	room := max(d.h-1-len(foot), 1)
	shownRoles := min(len(d.roles), max(room-3, 1))
	if d.roles != nil {
		room = max(room-shownRoles, 1)
	}
	if d.at < d.top || d.at >= d.top+room {
		d.top = d.at - room/2
	}
	d.top = min(max(d.top, 0), max(len(d.lines)-room, 0))
	wide := 10
	for _, l := range d.lines {
		wide = max(wide, min(format.Width(format.Clean(l.name)), 30))
	}
	values := 8
	for _, l := range d.lines[d.top:min(d.top+room, len(d.lines))] {
		values = max(values, min(format.Width(format.Clean(d.value(l))), 24))
	}
	for i := d.top; i < min(d.top+room, len(d.lines)); i++ {
		l := d.lines[i]
		g := "  "
		if i == d.at {
			g = st.Glyphs.Cursor + " "
		}
		v := d.value(l)
		if v == "" {
			v = format.None
		}
		line := format.Cut(g+format.Pad(l.group, 9, false)+format.Pad(format.Clean(l.name), wide, false)+"  "+format.Pad(format.Clean(v), values, false)+"  "+l.note, d.w)
		if i == d.at {
			line = st.Cursor.Render(line)
		}
		out = append(out, line)
		if i == d.at && d.roles != nil {
			from := min(max(d.role-shownRoles/2, 0), len(d.roles)-shownRoles)
			for k, w := range model.RoleNames() {
				if k < from || k >= from+shownRoles {
					continue
				}
				box, g := "[ ] ", "      "
				if d.roles[k] {
					box = "[x] "
				}
				if k == d.role {
					g = "    " + st.Glyphs.Cursor + " "
				}
				out = append(out, g+box+w)
			}
		}
	}
	for len(out) < d.h-len(foot) {
		out = append(out, "")
	}
	return strings.Join(append(out[:max(d.h-len(foot), 0)], foot...), "\n")
}

// foot is the line being typed and what the change does.
func (d *dictionary) foot() []string {
	st := d.styles
	var out []string
	switch {
	case d.failure != nil:
		for i, l := range format.Wrap("! "+d.failure.Error(), d.w) {
			if i < 3 {
				out = append(out, st.Bad.Render(format.Cut(l, d.w)))
			}
		}
	case d.preview != nil:
		out = append(out, st.Dim.Render("  working out what this does to the stages …"))
	case len(d.effect) > 0:
		out = append(out, effectLines(d.effect, d.w)...)
	}
	if d.input != nil {
		out = append(out, d.input.View(d.w))
	}
	return out
}

func (d *dictionary) help() []key.Binding {
	switch {
	case d.input != nil:
		return []key.Binding{bind("enter", "take it", "enter"), bind("esc", "leave it", "esc")}
	case d.roles != nil:
		return []key.Binding{d.keys.Toggle, bind("enter", "take these", "enter"), bind("esc", "leave it", "esc")}
	}
	return []key.Binding{d.keys.Change, d.keys.Save, d.keys.Up, d.keys.Down}
}
