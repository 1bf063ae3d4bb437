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
	form   *form         // not nil while the question's keys are chosen

	columns int // side by side at 120 cells and more
	stale   bool
	blocks  []*query.Block          // behind the panes, one each
	skip    func(*query.Block) bool // blocks that the screen shows in its own way
	extra   []key.Binding           // keys of the screen around, for its help
}

// A rect is a pane's place in the body.
type rect struct{ x, y, w, h int }

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
	s.job, cmd = start(s.jobs, s, q.Analysis, "events", func(ctx context.Context, p query.Progress) (*query.Answer, error) {
		return e.Answer(ctx, q, p)
	})
	return cmd
}

// Leave cancels the question.
func (s *answerScreen) Leave() { s.job.stop() }

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
			case msg.err != nil:
				s.err = msg.err
			default:
				s.take(msg.value)
			}
		}
	case dataMsg:
		s.stale = true
		return s.ask()
	case restyleMsg:
		for _, p := range s.panes {
			p.Restyle(s.styles)
		}
		s.layout()
	}
	return nil
}

var errCancelled = fmt.Errorf("cancelled: r asks again")

// take lays a new answer out. Cursors start anew; the focus stays.
func (s *answerScreen) take(a *query.Answer) {
	s.ans, s.err = a, nil
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
	if s.focus >= len(s.panes) || !opens(s.panes[s.focus]) {
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

// opens says whether a pane has a cursor to open things with.
func opens(p widget.Pane) bool {
	_, plain := p.(*widget.Text)
	return !plain
}

// named passes the names of people in a block through the session's Namer, and
// spares a title that the header has.
func (s *answerScreen) named(b *query.Block) *query.Block {
	if b.Title == s.ans.Title && b.Name != "" { // the header has said it
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

// SetSize lays the panes out anew.
func (s *answerScreen) SetSize(w, h int) { s.w, s.h = w, h; s.layout() }

// layout gives each pane its place. What does not fit is reached with tab.
func (s *answerScreen) layout() {
	if s.w == 0 || len(s.panes) == 0 {
		return
	}
	two := s.columns > 1 && s.w >= 120 && len(s.panes) > 1 || s.w >= 160 && len(s.panes) > 3
	if two {
		s.rects = sideBySide(s.panes, s.w, s.h)
		s.top = 0
	} else {
		s.rects, s.top = stack(s.panes, 0, s.w, s.h, s.focus, s.top)
	}
	for i, r := range s.rects {
		s.panes[i].SetSize(r.w, max(r.h, 0))
	}
}

// stack places panes below each other in h lines, beginning with the first that
// lets the focused one be seen. Each gets at least what it needs; what is left
// goes to those that wish for more.
func stack(panes []widget.Pane, x, w, h, focus, top int) ([]rect, int) {
	least := make([]int, len(panes))
	wish := make([]int, len(panes))
	for i, p := range panes {
		least[i], wish[i] = p.Room(w)
		least[i] = min(least[i], wish[i], h)
		if i == focus && h < 30 { // where room is short it goes to what is looked at
			least[i] = min(wish[i], max(least[i], h/2))
		}
	}
	top = min(top, focus)
	end := top
	for {
		used := 0
		for end = top; end < len(panes) && used+least[end] <= h; end++ {
			used += least[end] + 1 // a blank line between panes
		}
		end = max(end, top+1)
		if focus < end {
			break
		}
		top++
	}
	for top > 0 { // room above is used before it is left empty below
		used := 0
		for i := top - 1; i < end; i++ {
			used += least[i] + 1
		}
		if used-1 > h || end < len(panes) {
			break
		}
		top--
	}
	height := make([]int, len(panes))
	left := h - (end - top - 1)
	for i := top; i < end; i++ {
		height[i] = min(least[i], max(left, 0))
		left -= height[i]
	}
	for left > 0 {
		gave := false
		for i := top; i < end && left > 0; i++ {
			if height[i] < wish[i] {
				height[i]++
				left--
				gave = true
			}
		}
		if !gave {
			break
		}
	}
	rects := make([]rect, len(panes))
	y := 0
	for i := top; i < end; i++ {
		rects[i] = rect{x, y, w, height[i]}
		y += height[i] + 1
	}
	return rects, top
}

// sideBySide fills two columns, each pane into the one that is shorter so far.
func sideBySide(panes []widget.Pane, w, h int) []rect {
	half := (w - 2) / 2
	var cols [2][]int
	var used [2]int
	for i, p := range panes {
		_, wish := p.Room(half)
		c := 0
		if used[1] < used[0] {
			c = 1
		}
		cols[c] = append(cols[c], i)
		used[c] += min(wish, h) + 1
	}
	rects := make([]rect, len(panes))
	for c, list := range cols {
		var sub []widget.Pane
		for _, i := range list {
			sub = append(sub, panes[i])
		}
		if len(sub) == 0 {
			continue
		}
		rs, _ := stack(sub, c*(half+2), half, h, 0, 0)
		for k, i := range list {
			rects[i] = rs[k]
		}
	}
	return rects
}

func (s *answerScreen) pane() widget.Pane {
	if s.focus < len(s.panes) {
		return s.panes[s.focus]
	}
	return nil
}

func (s *answerScreen) key(m tea.KeyMsg) tea.Cmd {
	if s.filter != nil {
		return s.filterKey(m)
	}
	if s.form != nil {
		return s.formKey(m)
	}
	p := s.pane()
	switch {
	case matches(m, s.keys.Options):
		if s.form = newForm(s.session, s.q); s.form == nil {
			return s.say("this question has no keys to choose")
		}
	case s.ans == nil && s.err != nil && matches(m, s.keys.Retry):
		return s.ask()
	case p == nil:
		return nil
	case matches(m, s.keys.Next):
		s.move(1)
	case matches(m, s.keys.Prev):
		s.move(-1)
	case matches(m, s.keys.Table):
		if c, ok := p.(*widget.Chart); ok {
			c.Flip()
			return nil
		}
		for i, q := range s.panes { // not on a chart: the first one there is
			if c, ok := q.(*widget.Chart); ok {
				s.focus = i
				s.layout()
				c.Flip()
				return nil
			}
		}
		return s.say("there is no chart here")
	case matches(m, s.keys.Filter):
		t := s.table()
		if t == nil {
			return s.say("there is no table to filter here")
		}
		s.filter = widget.NewInput(s.styles, "/", t.FilterText())
		s.filter.Hint = "rows that hold this; enter keeps it, esc drops it"
	case matches(m, s.keys.Enter):
		return s.enter()
	default:
		p.Key(m)
	}
	return nil
}

// table is the table under the cursor, or the only one on the screen.
func (s *answerScreen) table() *widget.Table {
	if t, ok := s.pane().(*widget.Table); ok {
		return t
	}
	for i, p := range s.panes {
		if t, ok := p.(*widget.Table); ok {
			s.focus = i
			s.layout()
			return t
		}
	}
	return nil
}

func (s *answerScreen) filterKey(m tea.KeyMsg) tea.Cmd {
	t := s.table()
	switch m.Type {
	case tea.KeyEnter:
		s.filter = nil
	case tea.KeyEsc:
		s.filter = nil
		t.Filter("")
	default:
		if s.filter.Key(m) {
			t.Filter(s.filter.Value())
		}
	}
	return nil
}

// formKey asks the question anew once its keys are chosen.
func (s *answerScreen) formKey(m tea.KeyMsg) tea.Cmd {
	q, done := s.form.key(m)
	if !done {
		return nil
	}
	s.form = nil
	if q.String() == s.q.String() {
		return nil
	}
	return s.post(replaceMsg{q: q})
}

// Typing is true while the filter, or a value of the form, is typed.
func (s *answerScreen) Typing() bool { return s.filter != nil || s.form != nil && s.form.input != nil }

// Escape clears a filter, or cancels the question that runs.
func (s *answerScreen) Escape() bool {
	if s.form != nil {
		s.form = nil
		return true
	}
	if t, ok := s.pane().(*widget.Table); ok && t.FilterText() != "" {
		t.Filter("")
		return true
	}
	if s.job != nil {
		s.job.stop()
		return true
	}
	return false
}

// move takes the focus to the next pane that has a cursor or can scroll.
func (s *answerScreen) move(n int) {
	if len(s.panes) > 0 {
		s.focus = (s.focus + n + len(s.panes)) % len(s.panes)
		s.layout()
	}
}

func (s *answerScreen) mouse(m tea.MouseMsg) tea.Cmd {
	for i, r := range s.rects {
		if r.h == 0 || m.X < r.x || m.X >= r.x+r.w || m.Y < r.y || m.Y >= r.y+r.h {
			continue
		}
		switch {
		case m.Button == tea.MouseButtonWheelUp:
			s.panes[i].Wheel(-3)
		case m.Button == tea.MouseButtonWheelDown:
			s.panes[i].Wheel(3)
		case m.Button == tea.MouseButtonLeft && m.Action == tea.MouseActionPress:
			had := i == s.focus
			s.focus = i
			if s.panes[i].Click(m.X-r.x, m.Y-r.y) && had {
				return s.enter()
			}
		}
		return nil
	}
	return nil
}

// enter opens what is under the cursor.
func (s *answerScreen) enter() tea.Cmd {
	p := s.pane()
	if p == nil {
		return nil
	}
	t := p.Target()
	switch {
	case t.Open != "":
		return s.open(t.Open)
	case t.Figure != query.NoFigure:
		return s.openFigure(s.ans, t.Figure)
	}
	if y := p.Yank(); strings.Contains(y, "\t") { // a row of text that may be cut: all of it
		return s.post(showMsg{title: t.Label, lines: strings.Split(y, "\t")})
	}
	return s.say("nothing lies behind this")
}

// openFigure goes to the users behind a figure. A rate has several lists: those
// it counts, all it is a share of, and with retention the lost and the open.
func (s *session) openFigure(a *query.Answer, i int) tea.Cmd {
	f := &a.Figures[i]
	if f.None {
		return s.say("this figure has no value, so there is nobody behind it")
	}
	of := func(part string) openMsg {
		key := f.Key
		if part != "" {
			key += "/" + part
		}
		return openMsg{query.ListQuery(a, key).String()}
	}
	if f.Kind != query.Rate {
		return s.post(of(""))
	}
	counted := int64(f.Value*float64(f.N) + 0.5)
	cs := []choice{
		{"1", fmt.Sprintf("the %s it counts", format.Plural(counted, "user", "users")), of(query.PartSelf)},
		{"2", fmt.Sprintf("all %s it is a share of", format.Plural(f.N, "user", "users")), of(query.PartOf)},
	}
	if a.Query.Analysis == "retention" {
		cs = append(cs, choice{"3", fmt.Sprintf("the %s lost", format.Plural(f.N-counted, "user", "users")), of(query.PartLost)})
	}
	if f.Open > 0 {
		cs = append(cs, choice{"4", fmt.Sprintf("%s whose time has not come", format.Plural(f.Open, "user", "users")), of(query.PartOpen)})
	}
	if f.OpenReturned > 0 {
		cs = append(cs, choice{"5", fmt.Sprintf("%s of them who came back already", format.Plural(f.OpenReturned, "user", "users")), of(query.PartOpenReturned)})
	}
	return s.post(chooseMsg{title: format.Clean(f.Label) + "  " + format.Line(f), choices: cs})
}

// View draws the state the screen is in: working, failed, empty or the answer.
func (s *answerScreen) View() string {
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
			for k, l := range strings.Split(s.panes[i].View(i == s.focus && s.filter == nil), "\n") {
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

// ShortHelp and FullHelp list what Update takes now.
func (s *answerScreen) ShortHelp() []key.Binding {
	if s.filter != nil {
		return []key.Binding{bind("enter", "keep", "enter"), bind("esc", "drop", "esc")}
	}
	if s.form != nil {
		return s.form.help()
	}
	if s.ans == nil {
		if s.err != nil {
			return []key.Binding{s.keys.Retry, s.keys.Options}
		}
		return nil
	}
	bs := append([]key.Binding{s.keys.Enter}, s.extra...)
	if len(s.panes) > 1 {
		bs = append(bs, s.keys.Next)
	}
	switch s.pane().(type) {
	case *widget.Chart:
		bs = append(bs, s.keys.Table)
	case *widget.Table:
		bs = append(bs, s.keys.Filter, s.session.keys.w.Sort)
	}
	return append(bs, s.keys.Options, s.session.keys.Explain, s.session.keys.Export)
}

func (s *answerScreen) FullHelp() [][]key.Binding {
	own := append([]key.Binding{s.keys.Enter, s.keys.Next, s.keys.Prev, s.keys.Table, s.keys.Filter, s.keys.Options}, s.extra...)
	if s.ans == nil && s.err != nil {
		own = append(own, s.keys.Retry)
	}
	out := [][]key.Binding{own}
	if p := s.pane(); p != nil {
		out = append(out, p.Bindings())
	}
	return out
}
