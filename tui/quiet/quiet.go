// Package quiet keeps a mute terminal from delaying the program.
//
// Bubble Tea's own init asks the terminal for its background colour and waits
// up to five seconds for the answer. Go runs the inits of packages that are
// ready in the order of their import paths, and dwell/tui/quiet, which imports
// Lip Gloss alone, comes before github.com/charmbracelet/bubbletea: by telling
// the default renderer that the background is dark it ends that question before
// it is put. The real background is asked later by package tui, in the
// background and with a deadline of its own.
//
// Package tui imports it for its effect; a test on a terminal that never answers
// guards it. It is the only init of the program.
//
//	import _ "dwell/tui/quiet"
package quiet

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) }
