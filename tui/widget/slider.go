package widget

import (
	"fmt"
	"math"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
)

// A Slide is one value on its track between the least and the greatest it may
// take. Text, Part and the note are whatever the owner last worked out for it.
type Slide struct {
	Key, Label  string
	Least, Most float64
	Own, Now    float64 // where it began, and where it is
	Usual       float64 // what others have, marked on the track; NaN for none
	OwnText     string
	Text        string
	Part        float64 // what it adds to the whole, drawn as a bar to the left or right
	Note        string  // a sign behind the bar
	Figure      int     // behind it, or query.NoFigure
}

// Moved says whether the value is another than at the beginning.
func (s *Slide) Moved() bool { return s.Now != s.Own }

// Sliders are values that a person moves: up and down choose one, left and right
// nudge it, and the owner redraws whatever follows from it. The widget knows no
// steps: it says which way one went, and is told the new value.
type Sliders struct {
	styles *Styles
	keys   Keys
	name   string
	Top    []string // lines between title and sliders, made by the owner
	Slides []Slide
	Bars   bool // the parts are drawn

	at, top, w, h int
	nudge         int
	reset, all    bool
}

// NewSliders is an empty list of sliders.
func NewSliders(s *Styles, k Keys, name string) *Sliders {
	return &Sliders{styles: s, keys: k, name: name}
}

// At is the index of the slider under the cursor.
func (t *Sliders) At() int { return t.at }

// Move puts the cursor on another slider.
func (t *Sliders) Move(i int) {
	t.at = i
	t.follow()
}

// Nudged is what the last keys asked of the slider under the cursor: so many
// steps, back to its beginning, or all of them back. It is told once.
func (t *Sliders) Nudged() (steps int, reset, all bool) {
	steps, reset, all = t.nudge, t.reset, t.all
	t.nudge, t.reset, t.all = 0, false, false
	return steps, reset, all
}

// SetSize gives the room for title, lines and sliders.
func (t *Sliders) SetSize(w, h int) { t.w, t.h = w, h; t.follow() }

// Room asks for all sliders; three are enough to begin with.
func (t *Sliders) Room(int) (least, wish int) {
	n := 1 + len(t.Top) + len(t.Slides)
	return min(n, 4+len(t.Top)), n
}

// Title is the list's name.
func (t *Sliders) Title() string { return t.name }

// Restyle takes the styles of another theme.
func (t *Sliders) Restyle(s *Styles) { t.styles = s }

func (t *Sliders) body() int { return max(t.h-1-len(t.Top), 1) }

func (t *Sliders) follow() {
	t.at = step(t.at, 0, len(t.Slides)-1)
	if t.at < t.top || t.at >= t.top+t.body() {
		t.top = t.at - t.body()/2
	}
	t.top = min(max(t.top, 0), max(len(t.Slides)-t.body(), 0))
}

// Key moves the cursor or nudges.
func (t *Sliders) Key(m tea.KeyMsg) bool {
	k := &t.keys
	switch {
	case key.Matches(m, k.Up):
		t.at--
	case key.Matches(m, k.Down):
		t.at++
	case key.Matches(m, k.PageUp):
		t.at -= t.body()
	case key.Matches(m, k.PageDown):
		t.at += t.body()
	case key.Matches(m, k.Top):
		t.at = 0
	case key.Matches(m, k.Bottom):
		t.at = len(t.Slides) - 1
	case key.Matches(m, k.Left):
		t.nudge--
	case key.Matches(m, k.Right):
		t.nudge++
	case key.Matches(m, k.FarLeft):
		t.nudge -= 10
	case key.Matches(m, k.FarRight):
		t.nudge += 10
	case key.Matches(m, k.First):
		t.reset = true
	case key.Matches(m, k.Undo):
		t.all = true
	default:
		return false
	}
	t.follow()
	return true
}

// Bindings are the keys the sliders take.
func (t *Sliders) Bindings() []key.Binding {
	k := &t.keys
	named := func(b key.Binding, what string) key.Binding {
		b.SetHelp(b.Help().Key, what)
		return b
	}
	return []key.Binding{k.Up, k.Down, named(k.Left, "less"), named(k.Right, "more"), k.FarLeft, k.FarRight,
		named(k.First, "as it was"), k.Undo, k.PageUp, k.PageDown, k.Top, k.Bottom}
}

// Wheel goes from slider to slider.
func (t *Sliders) Wheel(n int) { t.at += n; t.follow() }

// Click chooses the slider of a line.
func (t *Sliders) Click(_, y int) bool {
	i := t.top + y - 1 - len(t.Top)
	if y < 1+len(t.Top) || i < 0 || i >= len(t.Slides) {
		return false
	}
	again := i == t.at
	t.at = i
	return again
}

// Target is the slider under the cursor.
func (t *Sliders) Target() Target {
	if t.at >= len(t.Slides) {
		return Target{Figure: query.NoFigure}
	}
	s := &t.Slides[t.at]
	return Target{Key: s.Key, Label: s.Label, Figure: s.Figure}
}

// Yank is the slider under the cursor.
func (t *Sliders) Yank() string {
	if t.at >= len(t.Slides) {
		return ""
	}
	s := &t.Slides[t.at]
	return strings.Join([]string{s.Label, s.OwnText, s.Text}, "\t")
}

// Hold is the slider under the cursor; Restore goes to the one of that name.
func (t *Sliders) Hold() Held { return Held{Row: t.Target().Key} }

// Restore goes to the slider of that name.
func (t *Sliders) Restore(h Held) {
	for i := range t.Slides {
		if t.Slides[i].Key == h.Row {
			t.at = i
		}
	}
	t.follow()
}

// View draws title, lines and sliders.
func (t *Sliders) View(focused bool) string {
	s := t.styles
	note := ""
	if n := len(t.Slides); n > t.body() {
		note = format.Count(int64(t.at+1)) + "/" + format.Count(int64(n))
	}
	lines := []string{title(s, t.name, t.w, focused, note)}
	lines = append(lines, t.Top...)
	label, value := 0, 0
	most := 0.0
	for i := range t.Slides {
		x := &t.Slides[i]
		label = max(label, format.Width(format.Clean(x.Label)))
		value = max(value, format.Width(t.valueText(x)))
		most = math.Max(most, math.Abs(x.Part))
	}
	label = min(label, max(t.w/4, 12))
	value = min(value, max(t.w/4, 12))
	bars := 0
	if t.Bars {
		bars = min(max((t.w-label-value-26)/2, 7), 21) | 1
	}
	track := t.w - 2 - label - 2 - value - 2
	if bars > 0 {
		track -= bars + 11 // the part's number before the bar, the note behind it
	}
	track = min(max(track-2, 3), 40)
	for i := t.top; i < min(t.top+t.body(), len(t.Slides)); i++ {
		lines = append(lines, t.line(i, focused, label, value, track, bars, most))
	}
	if len(t.Slides) == 0 {
		lines = append(lines, "  "+s.Dim.Render("there is nothing to move here"))
	}
	return clip(lines, t.h)
}

// valueText is the value, and where it came from once it has moved.
func (t *Sliders) valueText(x *Slide) string {
	if !x.Moved() {
		return format.Clean(x.OwnText)
	}
	arrow := "→"
	if t.styles.ASCII {
		arrow = "->"
	}
	return format.Clean(x.OwnText) + arrow + format.Clean(x.Text)
}

func (t *Sliders) line(i int, focused bool, label, value, track, bars int, most float64) string {
	s, x := t.styles, &t.Slides[i]
	prefix := "  "
	if i == t.at && focused {
		prefix = s.Glyphs.Cursor + " "
	}
	head := prefix + format.Pad(format.Clean(x.Label), label, false) + "  " + format.Pad(t.valueText(x), value, true)
	switch {
	case i == t.at && focused:
		head = s.Cursor.Render(head)
	case i == t.at:
		head = s.Rest.Render(head)
	case x.Moved():
		head = s.Marked.Render(head)
	}
	out := head + "  " + t.track(x, track)
	if bars > 0 {
		out += " " + format.Pad(fmt.Sprintf("%+.2f", x.Part), 6, true) + " " + t.bar(x.Part, most, bars)
	}
	if x.Note != "" {
		out += x.Note
	}
	return strings.TrimRight(out, " ")
}

// track draws the way from least to most: a circle where the value began, a full
// one where it is.
func (t *Sliders) track(x *Slide, n int) string {
	s := t.styles
	left, right, rule, usual, own, now := "├", "┤", "─", '┊', '○', '●'
	if s.ASCII {
		left, right, rule, usual, own, now = "|", "|", "-", ':', 'o', '@'
	}
	cells := []rune(strings.Repeat(rule, n))
	place := func(v float64) int {
		if !(x.Most > x.Least) || math.IsNaN(v) {
			return -1
		}
		return step(int(math.Round((v-x.Least)/(x.Most-x.Least)*float64(n-1))), 0, n-1)
	}
	if p := place(x.Usual); p >= 0 {
		cells[p] = usual
	}
	if p := place(x.Own); p >= 0 && x.Own >= x.Least {
		cells[p] = own
	}
	p := -1
	if x.Now >= x.Least {
		p = place(x.Now)
	}
	if p < 0 {
		return s.Dim.Render(left + string(cells) + right)
	}
	return s.Dim.Render(left+string(cells[:p])) + s.Accent.Render(string(now)) + s.Dim.Render(string(cells[p+1:])+right)
}

// bar draws a part to the left or right of a line.
func (t *Sliders) bar(v, most float64, n int) string {
	s, half := t.styles, n/2
	k := 0
	if most > 0 {
		k = int(math.Round(math.Abs(v) / most * float64(half)))
	}
	full, mid := "█", "│"
	if s.ASCII {
		full, mid = "#", "|"
	}
	if v < 0 {
		return strings.Repeat(" ", half-k) + s.Accent.Render(strings.Repeat(full, k)) + s.Dim.Render(mid) + strings.Repeat(" ", half)
	}
	return strings.Repeat(" ", half) + s.Dim.Render(mid) + s.Warn.Render(strings.Repeat(full, k)) + strings.Repeat(" ", half-k)
}
