package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/tui/widget"
)

// keyMap are the keys that mean the same on every screen. Each is declared once,
// here, with its help; screens declare their own beside their code. The names
// follow what users of k9s, lazygit and VisiData have in their fingers.
type keyMap struct {
	Enter, Escape, Back, Forward, Palette, Filter, Help, Quit, Kill key.Binding
	Next, Prev, Yank, YankAddress, Explain, Export, Table, About    key.Binding
	Options, Mouse, Kept, Ask, Update, Follow, Suspend              key.Binding

	travel travelKeys
	w      widget.Keys
}

func bind(help, what string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, what))
}

func newKeyMap() keyMap {
	return keyMap{
		Enter:       bind("enter", "open", "enter"),
		Escape:      bind("esc", "out", "esc"),
		Back:        bind("[", "back", "["),
		Forward:     bind("]", "forward", "]"),
		Palette:     bind(":", "go, do", ":"),
		Filter:      bind("/", "filter", "/"),
		Help:        bind("?", "help", "?"),
		Quit:        bind("q", "quit", "q"),
		Kill:        bind("ctrl+c", "quit at once", "ctrl+c"),
		Next:        bind("tab", "next part", "tab"),
		Prev:        bind("shift+tab", "part before", "shift+tab"),
		Suspend:     bind("ctrl+z", "stop; fg comes back", "ctrl+z"),
		Yank:        bind("y", "copy row", "y"),
		YankAddress: bind("Y", "copy address", "Y"),
		Explain:     bind("e", "explain", "e"),
		Export:      bind("x", "export", "x"),
		Table:       bind("t", "chart as table", "t"),
		About:       bind("i", "definition, warnings", "i"),
		Mouse:       bind("M", "mouse on/off", "M"),
		Options:     bind("o", "options", "o"),
		Kept:        bind("R", "retention of these users", "R"),
		Ask:         bind("A", "ask something of these users", "A"),
		Update:      bind("U", "show the new data", "U"),
		Follow:      bind("F", "show new data as it comes, on/off", "F"),
		travel:      newTravelKeys(),
		w:           widget.NewKeys(),
	}
}

// isAside says whether a key belongs to the program around the screen: it acts at
// once, whatever the screen is waiting for.
func (k *keyMap) isAside(m tea.KeyMsg) bool {
	return matches(m, k.Help, k.Palette, k.Back, k.Forward, k.Mouse, k.YankAddress, k.Update, k.Follow, k.Quit, k.Kill, k.Escape)
}
