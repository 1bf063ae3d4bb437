package tui

import (
	"context"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// An answerScreen shows any answer: its blocks, one below the other, or side by
// side where there is room and the analysis asks for it. It answers whatever the
// engine can be asked; a screen of its own is made only where an analysis needs
// keys that no other has.
//
// Its keys: tab and shift+tab move the focus between blocks, the block's own
// keys move its cursor, enter opens what is under it (the row's address, else
// the users behind the figure), t shows a chart as a table, / filters a table.
type answerScreen struct {
	*session
	q    query.Query
	job  *job
	ans  *query.Answer
	err  error
	keys answerKeys

	panes  []widget.Pane
	focus  int
	rects  []rect // of the panes that are shown; others have no height
	top    int    // first pane shown, where not all fit
	w, h   int
	filter *widget.Input // not nil while the filter is typed
	seeks  bool          // the filter was begun on a part that is no table: it goes where something holds it
	form   *form         // not nil while the question's keys are chosen

	owner Screen   // to whom the answer comes: the screen around, nil for this one
	kept  keepsake // of the same question asked in another way, until the answer is there

	columns int // side by side at 120 cells and more
	stale   bool
	blocks  []*query.Block          // behind the panes, one each
	skip    func(*query.Block) bool // blocks that the screen shows in its own way
	extra   []key.Binding           // keys of the screen around, for its help
}

type answerKeys struct{ Enter, Next, Prev, Table, Filter, Options, Retry key.Binding }

func newAnswerScreen(s *session, q query.Query) *answerScreen {
	k := &s.keys
	return &answerScreen{session: s, q: q, columns: 1,
		keys: answerKeys{Enter: k.Enter, Next: k.Next, Prev: k.Prev, Table: k.Table, Filter: k.Filter, Options: k.Options, Retry: bind("r", "try again", "r")}}
}

// Init asks the engine, unless the answer is there or on its way.
func (s *answerScreen) Init() tea.Cmd {
	if s.job != nil || s.ans != nil && !s.stale {
		return nil
	}
	return s.ask()
}

func (s *answerScreen) ask() tea.Cmd {
	s.job.stop()
	s.err, s.stale = nil, false
	e, q := s.desk.Engine, s.q
	var cmd tea.Cmd
	owner := s.owner
	if owner == nil {
		owner = s
	}
	s.job, cmd = start(s.jobs, owner, q.Analysis, "events", func(ctx context.Context, p query.Progress) (*query.Answer, error) {
		return e.Answer(ctx, q, p)
	})
	return cmd
}

// Await says whether a key is for the answer that is on its way. What leads away
// or says what runs is not.
func (s *answerScreen) Await(m tea.KeyMsg) bool {
	return s.ans == nil && s.job != nil && !matches(m, s.keys.Options)
}

// Failed says whether there is a failure on the screen.
func (s *answerScreen) Failed() bool { return s.ans == nil && s.err != nil }

// Leave cancels the question; who comes back asks it again.
func (s *answerScreen) Leave() {
	s.job.stop()
	s.job = nil
}

// Update takes keys, the mouse, and the answer.
func (s *answerScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		return s.key(msg)
	case tea.MouseMsg:
		return s.mouse(msg)
	case progressMsg:
		if s.job.owns(msg.job) {
			return s.job.next
		}
	case doneMsg[*query.Answer]:
		if s.job.owns(msg.job) {
			s.job = nil
			switch {
			case cancelled(msg.err):
				s.stale = true
				if s.ans == nil {
					s.err = errCancelled
				}
			case msg.err != nil && s.ans != nil:
				return s.complain(fmt.Errorf("what is on screen is not up to date: %w", msg.err))
			case msg.err != nil:
				s.err = msg.err
			default:
				s.take(msg.value)
			}
		}
	case dataMsg:
		cmd := s.ask()
		s.stale, s.job.quiet = s.ans != nil, s.ans != nil // until the new answer is there, the old one stands
		return cmd
	case restyleMsg:
		for _, p := range s.panes {
			p.Restyle(s.styles)
		}
		s.layout()
	}
	return nil
}

var errCancelled = fmt.Errorf("cancelled: r asks again")

// take lays a new answer out. Focus and cursors stay where they were, or where
// they stood on the screen that was replaced.
func (s *answerScreen) take(a *query.Answer) {
	first, from := s.ans == nil, s.focus
	if !first {
		s.kept = s.Kept()
	}
	s.ans, s.err, s.stale = a, nil, false
	s.panes, s.blocks = nil, nil
	for i := range a.Blocks {
		if b := &a.Blocks[i]; s.skip == nil || !s.skip(b) {
			s.blocks = append(s.blocks, b)
		}
	}
	if len(a.Blocks) == 0 {
		s.blocks = append(s.blocks, figuresBlock(a))
	}
	for _, b := range s.blocks {
		p := widget.NewPane(s.styles, s.session.keys.w, a, s.named(b))
		if h, ok := p.(*widget.Heat); ok {
			h.ToFirstRate() // past the column of cohort sizes
		}
		s.panes = append(s.panes, p)
	}
	found := s.restore()
	if !first && found && s.top > 0 { // parts that came before it push nothing down
		s.top += max(s.focus-from, 0)
	}
	if !found && (s.focus >= len(s.panes) || !opens(s.panes[s.focus])) {
		s.focus = 0
		for i, p := range s.panes { // text has no cursor: start where there is one
			if opens(p) {
				s.focus = i
				break
			}
		}
	}
	s.layout()
}

// Kept is where one stands: the part with the focus, and the cursor of each part.
func (s *answerScreen) Kept() keepsake {
	if s.ans == nil {
		return s.kept
	}
	k := keepsake{parts: map[string]widget.Held{}}
	for i, p := range s.panes {
		if h, ok := p.(widget.Holder); ok && i < len(s.blocks) {
			k.parts[s.blocks[i].Name] = h.Hold()
		}
		if i == s.focus && i < len(s.blocks) {
			k.focus = s.blocks[i].Name
		}
	}
	return k
}

// Keep takes what the screen that was replaced handed on.
func (s *answerScreen) Keep(k keepsake) {
	s.kept = k
	if s.ans != nil { // the answer was quicker
		s.restore()
		s.layout()
	}
}

// restore puts focus and cursors where they stood; false if nothing says where the
// focus was.
func (s *answerScreen) restore() (found bool) {
	for i, p := range s.panes {
		if i >= len(s.blocks) {
			break
		}
		name := s.blocks[i].Name
		if held, had := s.kept.parts[name]; had {
			if h, ok := p.(widget.Holder); ok {
				h.Restore(held)
			}
		}
		if name != "" && name == s.kept.focus {
			s.focus, found = i, true
		}
	}
	s.kept = keepsake{}
	return found
}

// opens says whether a pane has a cursor to open things with.
func opens(p widget.Pane) bool {
	_, plain := p.(*widget.Text)
	return !plain
}

// named passes the names of people in a block through the session's Namer, and
// spares a title that the header has.
func (s *answerScreen) named(b *query.Block) *query.Block {
	if b.Title != "" && strings.HasPrefix(s.ans.Title, b.Title) && b.Name != "" { // the header has said it
		c := *b
		c.Title = b.Name
		b = &c
	}
	if _, ok := s.desk.Namer.(Clear); ok {
		return b
	}
	c := *b
	c.Rows = append([]query.Row(nil), b.Rows...)
	for i := range c.Rows {
		if strings.HasPrefix(c.Rows[i].Open, "user/") {
			c.Rows[i].Label = s.desk.Namer.ID(c.Rows[i].Label)
		}
	}
	return &c
}

// figuresBlock lists the figures of an answer that has no blocks.
func figuresBlock(a *query.Answer) *query.Block {
	b := &query.Block{Kind: query.TableBlock, Title: "figures", Heads: []query.Head{{Label: "value", Right: true}, {Label: "interval", Right: true}, {Label: "n", Right: true}}}
	for i := range a.Figures {
		f := &a.Figures[i]
		b.Rows = append(b.Rows, query.Row{Key: f.Key, Label: f.Label, Cells: []query.Cell{
			{Figure: i}, {Figure: query.NoFigure, Text: format.Interval(f)}, {Figure: query.NoFigure, Text: format.Count(f.N)}}})
	}
	return b
}

func (s *answerScreen) pane() widget.Pane {
	if s.focus < len(s.panes) {
		return s.panes[s.focus]
	}
	return nil
}

// View draws the state the screen is in: working, failed, empty or the answer.
func (s *answerScreen) View() string { return s.viewed(true) }

// viewed is View; without here the cursor is elsewhere on the screen, and none is
// drawn.
func (s *answerScreen) viewed(here bool) string {
	switch {
	case s.form != nil:
		return s.form.view(s.w, s.h)
	case s.ans == nil && s.err != nil:
		return failedView(s.session, s.err, s.w, "r tries again, esc goes out, :messages has all that was said")
	case s.ans == nil:
		return workingView(s.session, s.job, s.w)
	case len(s.ans.Figures) == 0 && blank(s.ans):
		return emptyView(s.session, s.ans, s.w)
	}
	lines := make([]string, s.h)
	twoCols := false
	for _, r := range s.rects {
		twoCols = twoCols || r.x > 0 && r.h > 0
	}
	left := 0
	if twoCols {
		left = (s.w - 2) / 2
	}
	for pass := range 2 {
		for i, r := range s.rects {
			if r.h <= 0 || (r.x > 0) != (pass == 1) {
				continue
			}
			for k, l := range strings.Split(s.panes[i].View(i == s.focus && s.filter == nil && here), "\n") {
				if y := r.y + k; y < s.h && k < r.h {
					if pass == 1 {
						lines[y] = padTo(lines[y], left) + "  " + l
					} else {
						lines[y] = l
					}
				}
			}
		}
	}
	out := strings.Join(lines, "\n")
	if s.filter != nil && s.h > 0 {
		lines[s.h-1] = s.filter.View(s.w)
		out = strings.Join(lines, "\n")
	}
	return out
}

// blank says whether no block has anything to show.
func blank(a *query.Answer) bool {
	for i := range a.Blocks {
		if len(a.Blocks[i].Rows) > 0 || len(a.Blocks[i].Lines) > 0 || a.Blocks[i].Chart != nil {
			return false
		}
	}
	return true
}

// Place is what the header says.
func (s *answerScreen) Place() Place {
	p := placeOf(s.session, s.q)
	if s.ans != nil {
		if s.ans.Title != "" {
			p.Title = s.ans.Title
		}
		p.AsOf, p.Zone, p.Warnings = s.ans.AsOf.String(), s.ans.Zone, len(s.ans.Warnings)
	}
	return p
}

// Yank is the row under the cursor.
func (s *answerScreen) Yank() string {
	if p := s.pane(); p != nil {
		return p.Yank()
	}
	return ""
}

// Explain is the key of the figure under the cursor.
func (s *answerScreen) Explain() string {
	if p := s.pane(); p != nil && s.ans != nil {
		if f := p.Target().Figure; f != query.NoFigure && f < len(s.ans.Figures) {
			return s.ans.Figures[f].Key
		}
	}
	return ""
}

// About is the definition with all warnings.
func (s *answerScreen) About() []string {
	if s.ans == nil {
		return []string{"there is no answer yet"}
	}
	out := []string{s.ans.Definition, ""}
	for _, w := range s.ans.Warnings {
		out = append(out, "! "+w.Text, "")
	}
	out = append(out, "address  "+s.ans.Address, "data     "+s.ans.Data.Hash)
	if s.ans.Model != "" {
		out = append(out, "model    "+s.ans.Model)
	}
	return out
}

// Export writes the answer.
func (s *answerScreen) Export() []export {
	if s.ans == nil {
		return nil
	}
	return answerExports(s.ans, s.w, s.styles.ASCII)
}
