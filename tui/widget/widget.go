// Package widget holds the parts that screens are made of: a windowed table, a
// heat table, bars, a chart with a cursor, text, a time bar and an input line.
//
// A widget is passive. It draws what it was given, moves its cursor, and says
// what the cursor is on (Target); it reads nothing, starts nothing and knows no
// address. It draws with the Styles it is handed, never with styles of its own,
// so that one process can serve many terminals. Lines are cut in terminal cells
// and carry no trailing blanks: bytes are the budget over a slow link.
//
// The cursor always carries a glyph as well as a style, and every colour a sign,
// so that nothing is lost where a terminal shows neither.
//
//	t := widget.NewTable(styles, keys)
//	t.SetRows(columns, rows)
//	t.SetSize(80, 20)
//	t.Key(msg)          // true if the table took the key
//	t.Target().Open     // where enter leads
package widget

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"dwell/tui/format"
)

// Styles are all styles a widget draws with. They are built by package tui from
// the session's renderer.
type Styles struct {
	Head   lipgloss.Style   // headings of columns and panes
	Dim    lipgloss.Style   // axes, rules, hints
	Cursor lipgloss.Style   // the selected row of the focused widget
	Cell   lipgloss.Style   // the selected cell within it
	Rest   lipgloss.Style   // the selected row of a widget without focus
	Marked lipgloss.Style   // rows marked with space
	Warn   lipgloss.Style   // warnings
	Bad    lipgloss.Style   // failures, losses
	Good   lipgloss.Style   // gains
	Accent lipgloss.Style   // titles, links
	Heat   []lipgloss.Style // from low to high; empty where colours are off
	Series []lipgloss.Style // of a chart's lines and of stages; never empty
	// Colours are those that a stage model may name; empty where colours are off.
	Colours map[string]lipgloss.Style
	Glyphs  Glyphs
	ASCII   bool
}

// Paint is the style of a stage: of the colour that its model names, else by its
// place.
func (s *Styles) Paint(colour string, place int) lipgloss.Style {
	if st, ok := s.Colours[colour]; ok {
		return st
	}
	return s.Series[place%len(s.Series)]
}

// Glyphs are the signs that stand beside styles.
type Glyphs struct {
	Cursor, Mark, Left, Right, Up, Down, Rule, Bar, Dot string
	Shades                                              []string // of heat cells, from low to high
	Open                                                string   // of a heat cell whose time has not come
}

// UnicodeGlyphs is the glyph set of terminals that draw more than ASCII.
func UnicodeGlyphs() Glyphs {
	return Glyphs{Cursor: "▸", Mark: "●", Left: "‹", Right: "›", Up: "▲", Down: "▼", Rule: "─", Bar: "│", Dot: "·",
		Shades: []string{" ", "░", "▒", "▓", "█"}, Open: "╱"}
}

// ASCIIGlyphs is the glyph set of --ascii.
func ASCIIGlyphs() Glyphs {
	return Glyphs{Cursor: ">", Mark: "*", Left: "<", Right: ">", Up: "^", Down: "v", Rule: "-", Bar: "|", Dot: ".",
		Shades: []string{" ", ".", ":", "+", "#"}, Open: "/"}
}

// Keys are the keys of all widgets, declared once.
type Keys struct {
	Up, Down, Left, Right, PageUp, PageDown, Top, Bottom, First, Last, Mark, Sort, Zoom, FarLeft, FarRight, Undo key.Binding
}

// NewKeys is the key map of the widgets.
func NewKeys() Keys {
	b := func(help, what string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, what))
	}
	return Keys{
		Up: b("↑/k", "up", "up", "k"), Down: b("↓/j", "down", "down", "j"),
		Left: b("←/h", "left", "left", "h"), Right: b("→/l", "right", "right", "l"),
		PageUp: b("pgup", "page up", "pgup", "ctrl+b", "ctrl+u"), PageDown: b("pgdn", "page down", "pgdown", "ctrl+f", "ctrl+d"),
		Top: b("g", "top", "g", "home"), Bottom: b("G", "bottom", "G", "end"),
		First: b("0", "first column", "0", "^"), Last: b("$", "last column", "$"),
		Mark: b("space", "mark", " "), Sort: b("s", "sort by column", "s"), Zoom: b("z", "first point in or out", "z"),
		FarLeft: b("H", "ten steps less", "H", "shift+left"), FarRight: b("L", "ten steps more", "L", "shift+right"), Undo: b("backspace", "all as they were", "backspace"),
	}
}

// A Target is what the cursor is on.
type Target struct {
	Figure int    // index into the answer's figures, or NoFigure
	Open   string // address behind the row or cell, "" if none
	Key    string // of the row
	Label  string // how a person would name it
	Column string // heading of the column the cursor is in
}

// A Pane is a widget that can stand on a screen.
type Pane interface {
	Title() string
	SetSize(width, height int)
	// Room is how many lines the pane needs at least, and would fill at most.
	Room(width int) (least, wish int)
	View(focused bool) string
	// Key takes a key and says whether it was one of the pane's.
	Key(tea.KeyMsg) bool
	Wheel(lines int)
	// Click puts the cursor at a place of the pane; true if it was there already,
	// which opens it.
	Click(x, y int) bool
	Target() Target
	Yank() string // the row under the cursor, as text with tabs
	Bindings() []key.Binding
	Restyle(*Styles)
}

// clip brings a list of lines to exactly n.
func clip(lines []string, n int) string {
	if len(lines) > n {
		lines = lines[:n]
	}
	return strings.Join(lines, "\n") + strings.Repeat("\n", max(n-len(lines), 0))
}

// title draws a pane's heading; the focused pane carries the cursor's glyph.
func title(s *Styles, name string, width int, focused bool, note string) string {
	g := " "
	st := s.Head
	if focused {
		g, st = s.Glyphs.Cursor, s.Accent
	}
	line := format.Cut(name, width-2)
	if room := width - format.Width(line) - 4; note != "" && (format.Width(note) <= room || room >= 24) {
		note = format.Cut(note, room)
		return st.Render(g+" "+line) + "  " + s.Dim.Render(note)
	}
	return st.Render(g + " " + line)
}

// step moves a cursor by n within [0, last].
func step(at, n, last int) int { return min(max(at+n, 0), max(last, 0)) }
