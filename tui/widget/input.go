package widget

import (
	"slices"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/tui/format"
)

// An Input is one line of text being typed. The library's own input draws with
// the process's global renderer, which a process with many terminals must not
// touch; this one draws with the session's styles.
type Input struct {
	Label  string
	styles *Styles
	text   []rune
	at     int // the cursor is before text[at]
	Hint   string
}

// longest is how many characters a line takes: more than any rule needs, and few
// enough that a file pasted by mistake costs no thought with every key.
const longest = 16_384

// NewInput is an input that holds text, the cursor behind it.
func NewInput(s *Styles, label, text string) *Input {
	in := &Input{Label: label, styles: s}
	in.Set(text)
	return in
}

// Value is what has been typed.
func (in *Input) Value() string { return string(in.text) }

// Set replaces the text and puts the cursor behind it.
func (in *Input) Set(s string) { in.text = []rune(s); in.at = len(in.text) }

// Restyle takes the styles of another theme.
func (in *Input) Restyle(s *Styles) { in.styles = s }

// AtEnd says whether the cursor is behind the last character.
func (in *Input) AtEnd() bool { return in.at == len(in.text) }

// Key takes an editing key and says whether the text changed.
func (in *Input) Key(m tea.KeyMsg) bool {
	switch m.Type {
	case tea.KeyRunes, tea.KeySpace:
		if m.Alt {
			return false
		}
		var came []rune
		for _, r := range m.Runes {
			if r == '\n' || r == '\t' || r == '\r' {
				r = ' '
			}
			if !unicode.IsControl(r) {
				came = append(came, r)
			}
		}
		came = came[:min(len(came), max(longest-len(in.text), 0))]
		in.text = slices.Insert(in.text, in.at, came...)
		in.at += len(came)
		return true
	case tea.KeyBackspace, tea.KeyCtrlH:
		if in.at == 0 {
			return false
		}
		in.text = append(in.text[:in.at-1], in.text[in.at:]...)
		in.at--
		return true
	case tea.KeyDelete:
		if in.at == len(in.text) {
			return false
		}
		in.text = append(in.text[:in.at], in.text[in.at+1:]...)
		return true
	case tea.KeyCtrlW:
		from := in.at
		for from > 0 && in.text[from-1] == ' ' {
			from--
		}
		for from > 0 && in.text[from-1] != ' ' {
			from--
		}
		in.text = append(in.text[:from], in.text[in.at:]...)
		in.at = from
		return true
	case tea.KeyCtrlU:
		in.text = append([]rune(nil), in.text[in.at:]...)
		in.at = 0
		return true
	case tea.KeyCtrlK:
		in.text = in.text[:in.at]
		return true
	case tea.KeyLeft:
		in.at = max(in.at-1, 0)
	case tea.KeyRight:
		in.at = min(in.at+1, len(in.text))
	case tea.KeyHome, tea.KeyCtrlA:
		in.at = 0
	case tea.KeyEnd, tea.KeyCtrlE:
		in.at = len(in.text)
	}
	return false
}

// View draws the line in at most width cells. The cursor stands still: a
// blinking one would send bytes for as long as somebody thinks.
func (in *Input) View(width int) string {
	label := in.styles.Accent.Render(in.Label)
	room := width - format.Width(in.Label) - 1
	before, under, after := in.text[:in.at], " ", []rune(nil)
	if in.at < len(in.text) {
		under, after = string(in.text[in.at]), in.text[in.at+1:]
	}
	before = before[max(len(before)-4*max(room, 0)-1, 0):] // more is never seen, and measuring it costs
	for len(before) > 0 && format.Width(string(before))+1 > room*3/4 {
		before = before[1:]
	}
	after = after[:min(len(after), 4*max(room, 0)+1)]
	tail := format.Cut(string(after), room-format.Width(string(before))-1)
	if in.styles.ASCII && under == " " {
		under = "_"
	}
	line := label + string(before) + in.styles.Cell.Render(under) + tail
	if in.Hint != "" {
		if left := room - format.Width(string(before)) - 1 - format.Width(tail) - 2; left > 4 {
			line += "  " + in.styles.Dim.Render(format.Cut(in.Hint, left))
		}
	}
	return line
}
