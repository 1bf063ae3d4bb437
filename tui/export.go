package tui

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/text"
	"dwell/tui/widget"
)

// A prompt is a line typed for one purpose.
type prompt struct {
	input *widget.Input
	done  func(string) tea.Cmd
}

func (a *App) ask(label, value, hint string, done func(string) tea.Cmd) {
	a.mode = modePrompt
	a.prompt = &prompt{input: widget.NewInput(a.s.styles, label, value), done: done}
	a.prompt.input.Hint = hint
}

func (a *App) promptKey(m tea.KeyMsg) tea.Cmd {
	p := a.prompt
	switch m.Type {
	case tea.KeyEsc:
		a.mode, a.prompt = modeScreen, nil
		return nil
	case tea.KeyEnter:
		a.mode, a.prompt = modeScreen, nil
		return p.done(strings.TrimSpace(p.input.Value()))
	}
	p.input.Key(m)
	return nil
}

// exported is where an export went.
type exported struct{ path string }

// exportKey asks for the file's name, unless one is given, and writes what the
// screen shows. The name's ending chooses the format.
func (a *App) exportKey(name string) tea.Cmd {
	x, ok := a.screen().(exporter)
	var ways []export
	if ok {
		ways = x.Export()
	}
	switch {
	case len(ways) == 0:
		a.status = statusMsg{text: "there is nothing to export here yet"}
		return nil
	case a.s.desk.Export == nil:
		a.tell(statusMsg{text: "this session cannot write files: use dwell show with --format", bad: true})
		return nil
	}
	var endings []string
	for _, w := range ways {
		endings = append(endings, path.Ext(w.name))
	}
	if name == "" {
		a.ask("export to ", ways[0].name, "the ending says the format: "+strings.Join(endings, ", "), func(s string) tea.Cmd {
			if s == "" {
				return nil
			}
			return a.export(ways, s, endings)
		})
		return nil
	}
	return a.export(ways, name, endings)
}

func (a *App) export(ways []export, name string, endings []string) tea.Cmd {
	if strings.ContainsAny(name, `/\`) { // to drop the folder would put the file where nobody looks for it
		a.tell(statusMsg{text: fmt.Sprintf("%q names a folder: exports go to the folder that dwell was started in; give a name alone", name), bad: true})
		return nil
	}
	if path.Ext(name) == "" {
		name += path.Ext(ways[0].name)
	}
	for _, w := range ways {
		if !strings.EqualFold(path.Ext(w.name), path.Ext(name)) {
			continue
		}
		put, write := a.s.desk.Export, w.write
		j, cmd := start(a.s.jobs, nil, "export "+name, "bytes", func(ctx context.Context, p query.Progress) (exported, error) {
			path, err := put(name, func(w io.Writer) error { return write(ctx, &counting{w: w, told: p}) })
			if err != nil {
				return exported{}, fmt.Errorf("export %s: %w", name, err)
			}
			return exported{path}, nil
		})
		j.asked = true
		return cmd
	}
	a.tell(statusMsg{text: fmt.Sprintf("%q does not say a format: end it in %s", name, strings.Join(endings, ", ")), bad: true})
	return nil
}

// A counting writer reports how many bytes went through.
type counting struct {
	w    io.Writer
	n    int64
	told query.Progress
}

// Write passes on and counts.
func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.told(c.n, 0)
	return n, err
}

// answerExports are the ways to write an answer.
func answerExports(a *query.Answer, width int, ascii bool) []export {
	name := fileName(a.Query)
	return []export{
		{name + ".csv", func(_ context.Context, w io.Writer) error { return query.WriteCSV(w, a) }},
		{name + ".json", func(_ context.Context, w io.Writer) error { return query.WriteJSON(w, a) }},
		{name + ".txt", func(_ context.Context, w io.Writer) error {
			return text.WriteWith(w, a, max(width, 80), text.Options{ASCII: ascii})
		}},
	}
}

// fileName is a name without anything a file system or shell minds.
func fileName(q query.Query) string {
	s := q.Analysis
	if q.ID != "" {
		s += "-" + q.ID
	}
	if q.Get("key") != "" {
		s += "-" + q.Get("key")
	}
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
	return format.Cut(s, 60)
}

// copy puts text on the clipboard of whoever sits at the terminal (OSC 52), so
// that it works through SSH. It says what it did: a terminal may refuse in
// silence.
func (a *App) copy(m copyMsg) tea.Cmd {
	n := len(m.text)
	if n > 100_000 {
		a.status = statusMsg{text: "that is too long for a terminal's clipboard: x writes it to a file", bad: true}
		return nil
	}
	what := m.what
	if what == "address" {
		what = m.text
	}
	a.status = statusMsg{text: "copied: " + format.Cut(format.Clean(what), a.w-20)}
	out := a.out
	return func() tea.Msg {
		// A terminal without a clipboard ignores the sequence; there is nobody to tell.
		_, _ = io.WriteString(out, osc52.New(m.text).String())
		return nil
	}
}

func explainTitle(x *query.Explanation) string {
	return format.Clean(x.Figure.Label) + "  " + format.Line(&x.Figure)
}
