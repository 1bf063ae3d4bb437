package tui

import (
	"context"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/widget"
)

// explainKey explains the figure under the cursor, over the screen.
func (a *App) explainKey() tea.Cmd {
	x, ok := a.screen().(explainer)
	if !ok {
		a.status = statusMsg{text: "there is no figure to explain here"}
		return nil
	}
	key := x.Explain()
	if key == "" {
		a.status = statusMsg{text: "no figure is under the cursor"}
		return nil
	}
	q, e := a.screen().Place().Query, a.s.desk.Engine
	a.showPager("explain "+key, []string{"working …"})
	var cmd tea.Cmd
	a.explain.stop()
	a.explain, cmd = start(a.s.jobs, nil, "explain "+key, "events", func(ctx context.Context, p query.Progress) (*query.Explanation, error) {
		return e.Explain(ctx, q, key, p)
	})
	return cmd
}

func (a *App) showPager(title string, lines []string) {
	a.mode = modePager
	a.pager = newPager(a.s, title, lines)
	a.pager.resize(a.w, a.body())
}

func (a *App) pagerKey(m tea.KeyMsg) tea.Cmd {
	k := &a.s.keys
	switch {
	case matches(m, k.Escape), matches(m, k.Quit), matches(m, k.Help), matches(m, k.Enter):
		a.explain.stop()
		a.mode, a.explain, a.pager = modeScreen, nil, nil
	case matches(m, k.Yank):
		return a.copy(copyMsg{text: a.pager.text.Yank(), what: "text"})
	default:
		if address := a.pager.link(m); address != "" {
			a.pager = nil
			return a.s.open(address)
		}
		a.pager.text.Key(m)
	}
	return nil
}

// A pager shows text over the screen; numbered links lead on.
type pager struct {
	title string
	text  *widget.Text
	links []string
}

func newPager(s *session, title string, lines []string) *pager {
	return &pager{title: title, text: widget.NewText(s.styles, s.keys.w, title, lines)}
}

func (p *pager) resize(w, h int) { p.text.SetSize(w, h) }

// link is the address behind a digit, "" if none.
func (p *pager) link(m tea.KeyMsg) string {
	s := m.String()
	if len(s) == 1 && s[0] >= '1' && s[0] <= '9' && int(s[0]-'1') < len(p.links) {
		return p.links[s[0]-'1']
	}
	return ""
}

// explain fills the pager with what a figure is.
func (p *pager) explain(x *query.Explanation, err error) {
	if err != nil {
		p.text.SetLines([]string{err.Error()})
		return
	}
	lines := []string{explainTitle(x), ""}
	for _, l := range x.Lines {
		head := l.Head
		if l.Go != "" && len(p.links) < 9 {
			p.links = append(p.links, l.Go)
			head += fmt.Sprintf("  [%d opens it]", len(p.links))
		}
		lines = append(lines, head)
		for _, t := range strings.Split(l.Text, "\n") {
			lines = append(lines, "  "+t)
		}
		lines = append(lines, "")
	}
	p.text.SetLines(lines)
}
