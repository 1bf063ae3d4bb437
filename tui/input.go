package tui

import (
	"io"

	tea "github.com/charmbracelet/bubbletea"
)

// keys splits what arrived in one read into single keys, unless a text input has
// the focus or it is a paste. esc and j in one read arrive as alt+j.
func (a *App) keys(m tea.KeyMsg) tea.Cmd {
	if a.answer.swallow(m) {
		if dark, ok := a.answer.take(); ok {
			a.setDark(dark)
		}
		return nil
	}
	if m.Type != tea.KeyRunes || m.Paste || len(m.Runes) < 2 && !m.Alt || a.typing() && !m.Alt {
		return a.drain(a.key(m))
	}
	if a.typing() {
		return a.drain(a.key(m)) // alt and a letter edits the line
	}
	var cmds []tea.Cmd
	if m.Alt {
		cmds = append(cmds, a.drain(a.key(tea.KeyMsg{Type: tea.KeyEsc})))
	}
	for _, r := range m.Runes {
		k := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}
		if r == ' ' {
			k.Type = tea.KeySpace
		}
		cmds = append(cmds, a.drain(a.key(k)))
	}
	return tea.Batch(cmds...)
}

// typing says whether a text input has the keys.
func (a *App) typing() bool {
	if a.mode == modePalette || a.mode == modePrompt {
		return true
	}
	t, ok := a.screen().(typist)
	return a.mode == modeScreen && ok && t.Typing()
}

// key is one key: to whoever has the keys in this mode.
func (a *App) key(m tea.KeyMsg) tea.Cmd {
	k := &a.s.keys
	if matches(m, k.Kill) {
		return a.quit()
	}
	if matches(m, k.Suspend) {
		return a.suspend()
	}
	if a.small() {
		if matches(m, k.Quit) {
			return a.quit()
		}
		return nil
	}
	switch a.mode {
	case modePalette:
		return a.paletteKey(m)
	case modePrompt:
		return a.promptKey(m)
	case modePager:
		return a.pagerKey(m)
	case modeChoice:
		return a.choiceKey(m)
	}
	s := a.screen()
	if s == nil {
		if matches(m, k.Quit) {
			return a.quit()
		}
		return nil
	}
	if a.typing() {
		return s.Update(m)
	}
	a.status = statusMsg{}
	if k.isAside(m) { // what was typed ahead of it is not meant any more
		a.ahead = nil
	}
	switch {
	case matches(m, k.Quit):
		return a.quit()
	case a.awaits(m):
		if a.ahead = append(a.ahead, m); len(a.ahead) > keepAhead {
			a.ahead = a.ahead[:keepAhead]
		}
	case matches(m, k.Help):
		a.showPager("keys", a.helpLines())
	case matches(m, k.Palette):
		a.mode, a.palette = modePalette, newPalettePrompt(a)
	case matches(m, k.Back):
		return a.show(a.at - 1)
	case matches(m, k.Forward):
		return a.show(a.at + 1)
	case matches(m, k.Escape):
		return a.escape()
	case matches(m, k.YankAddress):
		return a.copy(copyMsg{text: a.address(), what: "address"})
	case matches(m, k.Yank):
		if y, ok := s.(yanker); ok {
			if t := y.Yank(); t != "" {
				return a.copy(copyMsg{text: t, what: "row"})
			}
		}
		a.status = statusMsg{text: "there is no row to copy here"}
	case matches(m, k.Explain):
		return a.explainKey()
	case matches(m, k.Export):
		return a.exportKey("")
	case matches(m, k.About):
		if d, ok := s.(describer); ok {
			a.showPager(s.Place().Title, d.About())
		}
	case matches(m, k.Mouse):
		return a.toggleMouse()
	default:
		if cmd, took := a.newsKey(m); took {
			return cmd
		}
		if cmd, took := a.travel(m); took {
			return cmd
		}
		return s.Update(m)
	}
	return nil
}

func (a *App) toggleMouse() tea.Cmd {
	a.mouse = !a.mouse
	if a.mouse {
		a.status = statusMsg{text: "the mouse selects and scrolls; M gives it back to the terminal"}
		return tea.EnableMouseCellMotion
	}
	a.status = statusMsg{text: "the mouse belongs to the terminal again"}
	return tea.DisableMouse
}

// click gives a mouse event to the screen in front, in the screen's own cells.
func (a *App) click(m tea.MouseMsg) tea.Cmd {
	if a.small() {
		return nil
	}
	if a.mode == modePager {
		switch m.Button {
		case tea.MouseButtonWheelUp:
			a.pager.text.Wheel(-3)
		case tea.MouseButtonWheelDown:
			a.pager.text.Wheel(3)
		}
		return nil
	}
	if a.mode == modeChoice {
		return a.chooserClick(m)
	}
	if a.mode != modeScreen || a.screen() == nil {
		return nil
	}
	if m.Y -= headLines; m.Y < 0 || m.Y >= a.body() {
		return nil
	}
	return a.screen().Update(m)
}

// A suspension is what runs while the terminal belongs to the shell.
type suspension func() error

// Run stops the program until it is brought back.
func (s suspension) Run() error { return s() }

// SetStdin, SetStdout and SetStderr are of no use to it.
func (suspension) SetStdin(io.Reader)  {}
func (suspension) SetStdout(io.Writer) {}
func (suspension) SetStderr(io.Writer) {}

// resumedMsg says that the terminal is the program's again.
type resumedMsg struct{ err error }

func (a *App) suspend() tea.Cmd {
	return tea.Exec(suspension(a.s.desk.Suspend), func(err error) tea.Msg { return resumedMsg{err} })
}

// resumed takes the mouse again, which the library does not.
func (a *App) resumed(m resumedMsg) tea.Cmd {
	if m.err != nil {
		a.status = statusMsg{text: m.err.Error(), bad: true}
	}
	if a.mouse {
		return tea.EnableMouseCellMotion
	}
	return nil
}

// quit cancels every job and waits for the workers, in a command: the screen
// stays alive meanwhile. Asked twice, it does not wait.
func (a *App) quit() tea.Cmd {
	if a.quitting {
		a.hurry = true
		return tea.Quit
	}
	a.quitting = true
	js := a.s.jobs
	for i := range a.hist {
		if c, ok := a.hist[i].screen.(closer); ok {
			c.Close()
		}
	}
	js.close()
	a.status = statusMsg{text: "stopping what runs …"}
	return func() tea.Msg {
		js.wait()
		return tea.QuitMsg{}
	}
}
