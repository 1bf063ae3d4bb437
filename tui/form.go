package tui

import (
	"cmp"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// A form shows the keys of a question and lets a person choose other values. It
// is made from the table of analyses, so that a new key needs no code here:
// words are walked through with left and right, everything else is typed.
type form struct {
	s     *session
	q     query.Query
	spec  query.Spec
	found []query.Choice // what the data offer for keys without fixed words
	at    int
	input *widget.Input // of the value being typed
	why   string        // what is wrong with the question as it stands

	names map[string][]string // by key: what lies on the shelf for it
}

// newForm is nil for a question without keys. ans is the answer to it, nil where
// there is none yet.
func newForm(s *session, q query.Query, ans *query.Answer) *form {
	for _, sp := range query.Specs() {
		if sp.Name == q.Analysis {
			f := &form{s: s, q: q, spec: sp, names: shelvedNames(s, sp)}
			if ans != nil {
				f.found = ans.Choices
			}
			return f
		}
	}
	return nil
}

// words are what line i can be walked through, and which of them holds where
// nothing is set.
func (f *form) words(i int) (values []string, dflt string) {
	if i == 0 {
		return nil, "end of data"
	}
	ks := f.spec.Keys[i-1]
	values, dflt = ks.Values, ks.Default
	if names := f.names[ks.Name]; len(names) > 0 {
		values = append([]string{""}, names...) // "": none of them
	}
	for _, c := range f.found {
		if c.Key == ks.Name && len(values) == 0 && len(c.Values) > 0 {
			values, dflt = c.Values, cmp.Or(dflt, c.Values[0])
		}
	}
	return values, dflt
}

// rows are the lines of the form: the as-of day, then the keys.
func (f *form) rows() int { return len(f.spec.Keys) + 1 }

// value is what is set on line i, "" for the default.
func (f *form) value(i int) string {
	if i == 0 {
		return f.q.AsOf.String()
	}
	return strings.Join(f.q.All(f.spec.Keys[i-1].Name), " | ")
}

// key takes a key; done says that the form is closed with the question it gives.
func (f *form) key(m tea.KeyMsg) (q query.Query, done bool) {
	if f.input != nil {
		switch m.Type {
		case tea.KeyEsc:
			f.input = nil
		case tea.KeyEnter:
			f.set(strings.TrimSpace(f.input.Value()))
		default:
			f.input.Key(m)
		}
		return f.q, false
	}
	k := &f.s.keys
	switch {
	case matches(m, k.w.Up):
		f.at = max(f.at-1, 0)
	case matches(m, k.w.Down):
		f.at = min(f.at+1, f.rows()-1)
	case matches(m, k.w.Left):
		f.walk(-1)
	case matches(m, k.w.Right):
		f.walk(1)
	case matches(m, k.w.Mark):
		f.edit()
	case matches(m, k.Enter):
		checked, err := query.Parse(f.q.String())
		if err != nil {
			f.why = err.Error()
			return f.q, false
		}
		return checked, true
	}
	return f.q, false
}

// walk takes the next word of a key that has words.
func (f *form) walk(n int) {
	values, dflt := f.words(f.at)
	if len(values) == 0 {
		f.edit()
		return
	}
	now := f.q.Get(f.spec.Keys[f.at-1].Name)
	if now == "" {
		now = dflt
	}
	i := slices.Index(values, now)
	if i < 0 && n < 0 {
		i = 0
	}
	f.apply(values[(i+n+len(values))%len(values)])
}

func (f *form) edit() {
	name, hint := "as of", "YYYY-MM-DD; empty: the end of the data"
	if f.at > 0 {
		name, hint = f.spec.Keys[f.at-1].Name, f.spec.Keys[f.at-1].Help
	}
	f.input = widget.NewInput(f.s.styles, name+" = ", f.value(f.at))
	f.input.Hint = hint
}

func (f *form) set(v string) {
	if f.at == 0 {
		if v == "" {
			f.q.AsOf = model.NoDay
		} else if d, err := model.ParseDay(v); err != nil {
			f.why = err.Error()
			return
		} else {
			f.q.AsOf = d
		}
		f.input, f.why = nil, ""
		return
	}
	f.apply(v)
	if f.why == "" {
		f.input = nil
	}
}

// apply sets the key on the cursor's line; a value that cannot be is refused
// with the reason.
func (f *form) apply(v string) {
	name := f.spec.Keys[f.at-1].Name
	q := f.q.With(name)
	if v != "" {
		q = q.With(name, v)
	}
	f.why = ""
	if _, err := query.Parse(q.String()); err != nil {
		f.why = err.Error()
		if f.input != nil {
			return
		}
	}
	f.q = q
}

func (f *form) view(w, h int) string {
	st := f.s.styles
	wide := 6
	for _, k := range f.spec.Keys {
		wide = max(wide, format.Width(k.Name))
	}
	var out []string
	line := func(i int, name, value, help string) {
		shown := value
		words, dflt := f.words(i)
		if shown == "" {
			if shown = dflt; shown == "" {
				shown = format.None
			}
		}
		if len(words) > 0 {
			shown = st.Glyphs.Left + " " + shown + " " + st.Glyphs.Right
		}
		g := "  "
		if i == f.at {
			g = st.Glyphs.Cursor + " "
		}
		l := format.Cut(g+format.Pad(name, wide, false)+"  "+format.Pad(format.Clean(shown), 22, false)+"  "+help, w)
		if i == f.at {
			l = st.Cursor.Render(l)
		} else if value == "" {
			l = st.Dim.Render(l)
		}
		out = append(out, l)
	}
	line(0, "as of", f.value(0), "the day the question is asked for")
	for i, k := range f.spec.Keys {
		line(i+1, k.Name, f.value(i+1), k.Help)
	}
	help := f.helpOf(w)
	room := h - 3 - len(help)
	from := max(min(f.at-room/2, len(out)-room), 0)
	shown := append([]string{st.Head.Render("  options of " + f.spec.Name)}, out[from:min(from+room, len(out))]...)
	for len(shown) < h-1-len(help) {
		shown = append(shown, "")
	}
	for _, l := range help {
		shown = append(shown, st.Dim.Render(l))
	}
	last := ""
	switch {
	case f.why != "":
		last = st.Bad.Render(format.Cut("! "+f.why, w))
	case f.input == nil:
		last = st.Dim.Render(format.Cut("  "+f.q.String(), w))
	}
	if f.input != nil && f.why == "" {
		last = f.input.View(w)
	} else if f.input != nil {
		shown[len(shown)-1] = f.input.View(w)
	}
	return strings.Join(append(shown, last), "\n")
}

// helpOf is what the key on the cursor's line means, in whole: as many lines for
// every key, so that the list stands still; none where all fit in the list.
func (f *form) helpOf(w int) []string {
	most, now := 1, []string(nil)
	for i, k := range f.spec.Keys {
		l := format.Wrap(k.Name+": "+k.Help, w-4)
		if most = max(most, len(l)); i+1 == f.at {
			now = l
		}
	}
	if most == 1 && !f.cut(w) {
		return nil
	}
	out := make([]string, most)
	for i, l := range now {
		out[i] = "  " + l
	}
	return out
}

// cut says whether the help of any key is longer than its place in the list.
func (f *form) cut(w int) bool {
	wide := 6
	for _, k := range f.spec.Keys {
		wide = max(wide, format.Width(k.Name))
	}
	for _, k := range f.spec.Keys {
		if 2+wide+2+22+2+format.Width(k.Help) > w {
			return true
		}
	}
	return false
}

func (f *form) help() []key.Binding {
	if f.input != nil {
		return []key.Binding{bind("enter", "take it", "enter"), bind("esc", "leave it", "esc")}
	}
	return []key.Binding{bind("←/→", "change", "left", "right"), bind("space", "type a value", " "), bind("enter", "ask", "enter")}
}
