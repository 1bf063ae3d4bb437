package tui

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"dwell/tui/widget"
)

// A Theme names the colours of a session.
type Theme string

// The themes. Auto starts dark and follows the terminal's own answer when that
// comes; Mono has bold, underline and reverse alone.
const (
	Auto  Theme = "auto"
	Light Theme = "light"
	Dark  Theme = "dark"
	Mono  Theme = "mono"
)

// Themes lists them in the order of help.
func Themes() []Theme { return []Theme{Auto, Light, Dark, Mono} }

// ParseTheme reads a theme's name; "" is Auto.
func ParseTheme(s string) (Theme, error) {
	if s == "" {
		return Auto, nil
	}
	for _, t := range Themes() {
		if string(t) == s {
			return t, nil
		}
	}
	return "", fmt.Errorf("%q is not a theme: use auto, light, dark or mono", s)
}

// ProfileOf says how many colours a terminal shows, from its environment
// ("NAME=value" each) alone: nothing is asked of the terminal. NO_COLOR,
// TERM=dumb and an output that is no terminal mean none.
func ProfileOf(environ []string, tty bool) termenv.Profile {
	getenv := func(name string) string {
		for i := len(environ) - 1; i >= 0; i-- { // the last one counts
			if v, ok := strings.CutPrefix(environ[i], name+"="); ok {
				return v
			}
		}
		return ""
	}
	term, color := getenv("TERM"), getenv("COLORTERM")
	switch {
	case !tty, getenv("NO_COLOR") != "", term == "dumb", term == "":
		return termenv.Ascii
	case strings.Contains(color, "truecolor"), strings.Contains(color, "24bit"), strings.Contains(term, "256color"):
		return termenv.ANSI256
	}
	return termenv.ANSI
}

// newRenderer makes a session's renderer. Profile and background are told to
// it, so that it never asks the terminal.
func newRenderer(w io.Writer, p termenv.Profile, dark bool) *lipgloss.Renderer {
	r := lipgloss.NewRenderer(w)
	r.SetColorProfile(p)
	r.SetHasDarkBackground(dark)
	return r
}

// palette holds the colours of one background. Numbers are of the 256 colours,
// where a program may rely on them; default text is the terminal's own.
type palette struct {
	dim, accent, warn, bad, good, row, mark lipgloss.Color
	series                                  []lipgloss.Color
	heat                                    [][2]lipgloss.Color // background, text; from low to high
}

var (
	darkPalette = palette{dim: "245", accent: "80", warn: "221", bad: "210", good: "114", row: "237", mark: "221",
		series: []lipgloss.Color{"80", "221", "176", "114", "111", "210", "180", "152"},
		heat:   [][2]lipgloss.Color{{"235", "252"}, {"23", "255"}, {"29", "255"}, {"35", "16"}, {"84", "16"}}}
	lightPalette = palette{dim: "242", accent: "25", warn: "130", bad: "124", good: "28", row: "253", mark: "130",
		series: []lipgloss.Color{"25", "130", "90", "28", "61", "124", "94", "30"},
		heat:   [][2]lipgloss.Color{{"255", "16"}, {"194", "16"}, {"151", "16"}, {"72", "16"}, {"29", "255"}}}
)

// newStyles builds all styles of a theme: the one place where colours stand.
// Every one of them has a sign beside it on the screen.
func newStyles(r *lipgloss.Renderer, theme Theme, dark, ascii bool) *widget.Styles {
	s := &widget.Styles{ASCII: ascii, Glyphs: widget.UnicodeGlyphs()}
	if ascii {
		s.Glyphs = widget.ASCIIGlyphs()
	}
	plain := r.NewStyle()
	if theme == Mono || r.ColorProfile() == termenv.Ascii {
		s.Head, s.Dim, s.Accent = plain.Bold(true), plain, plain.Bold(true)
		s.Cursor, s.Cell, s.Rest = plain.Bold(true), plain.Reverse(true), plain
		s.Marked, s.Warn, s.Bad, s.Good = plain.Bold(true), plain, plain.Bold(true), plain
		s.Series = []lipgloss.Style{plain}
		return s
	}
	p := lightPalette
	if theme == Dark || theme == Auto && dark {
		p = darkPalette
	}
	fg := func(c lipgloss.Color) lipgloss.Style { return r.NewStyle().Foreground(c) }
	s.Head, s.Dim, s.Accent = plain.Bold(true), fg(p.dim), fg(p.accent).Bold(true)
	s.Cursor, s.Cell, s.Rest = plain.Background(p.row), plain.Reverse(true), plain.Bold(true)
	s.Marked, s.Warn, s.Bad, s.Good = fg(p.mark), fg(p.warn), fg(p.bad), fg(p.good)
	for _, c := range p.series {
		s.Series = append(s.Series, fg(c))
	}
	s.Colours = map[string]lipgloss.Style{}
	for name, c := range stageColours() {
		s.Colours[name] = fg(c)
	}
	if r.ColorProfile() == termenv.ANSI { // of sixteen colours none is a quiet background
		s.Cursor = plain.Bold(true)
		return s
	}
	for _, h := range p.heat {
		s.Heat = append(s.Heat, r.NewStyle().Background(h[0]).Foreground(h[1]))
	}
	return s
}

// stageColours are the terminal's own colours under the names that a stage model
// may use (stage.Colours): they follow the terminal's theme, dark or light.
func stageColours() map[string]lipgloss.Color {
	return map[string]lipgloss.Color{"red": "1", "green": "2", "yellow": "3", "blue": "4", "magenta": "5", "cyan": "6", "grey": "8"}
}
