package tui

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/widget"
)

// Levers are what the sliders of an answer move: values that stand in keys of its
// address, and a calculation quick enough for every key that is pressed.
type levers interface {
	// slides are the values as the question has them.
	slides(a *query.Answer, q query.Query) []widget.Slide
	// move is the value of slide i so many steps on.
	move(i int, s *widget.Slide, steps int) float64
	// try works out what follows and writes it beside and above the sliders.
	try(to *widget.Sliders, st *widget.Styles, width int)
	// ask is the question with the values of the slides.
	ask(q query.Query, s []widget.Slide) query.Query
	// figure is the key of the users that slide i chooses, "" if it chooses none.
	figure(i int) string
}

// A sliderScreen is an answer with sliders before it. The engine is asked twice,
// for the answer and for the levers, and not again while one nudges: what follows
// is drawn anew with every key, and the values stand in the address.
type sliderScreen struct {
	*answerScreen
	title  string
	bars   bool
	hides  []string // blocks of the answer that the sliders stand for
	settle bool     // the rest of the answer depends on the values: it is asked for once they rest
	read   func(ctx context.Context, e Engine, q query.Query, p query.Progress) (levers, error)

	reading   *job // of the levers
	levers    levers
	renews    bool // the levers are of older data
	sliders   *widget.Sliders
	onSliders bool // they had the focus before the answer was laid out anew
}

// settled is how long values must rest before the rest of the answer is asked for.
const settled = 500 * time.Millisecond

// A settleMsg comes when nobody has nudged for a moment.
type settleMsg struct {
	screen *sliderScreen
	asked  string
}

func newSliderScreen(s *session, q query.Query) *sliderScreen {
	v := &sliderScreen{answerScreen: newAnswerScreen(s, q)}
	v.owner = v
	v.skip = func(b *query.Block) bool { return v.sliders != nil && slices.Contains(v.hides, b.Name) }
	return v
}

// Update takes the nudges, and reads the levers once the answer is there.
func (v *sliderScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		if v.moving() && v.filter == nil && v.form == nil {
			if matches(msg, v.answerScreen.keys.Enter) {
				return v.enterSlide()
			}
			if v.sliders.Key(msg) {
				return v.nudge()
			}
		}
	case settleMsg:
		if msg.screen == v && msg.asked == v.q.String() && v.ans != nil && v.ans.Address != msg.asked {
			return v.answerScreen.ask()
		}
		return nil
	case doneMsg[*query.Answer]:
		mine := v.job.owns(msg.job)
		v.onSliders = v.levers == nil || v.moving()
		cmd := v.answerScreen.Update(msg)
		if !mine || msg.err != nil {
			return cmd
		}
		if v.levers != nil { // the rest of the answer has followed
			v.insert()
			if !v.renews {
				return cmd
			}
		}
		return tea.Batch(cmd, v.readLevers())
	case doneMsg[levers]:
		if v.reading.owns(msg.job) {
			v.reading = nil
			if msg.err == nil { // where there is no model the answer says why
				v.begin(msg.value)
			}
		}
		return nil
	case dataMsg:
		v.renews = true // the old ones stand until the new ones are read
	case restyleMsg:
		cmd := v.answerScreen.Update(msg)
		v.try()
		return cmd
	case progressMsg:
		if v.reading.owns(msg.job) {
			return v.reading.next
		}
	}
	return v.answerScreen.Update(msg)
}

// SetSize draws the lines above the sliders anew.
func (v *sliderScreen) SetSize(w, h int) {
	v.w, v.h = w, h
	v.try()
	v.answerScreen.SetSize(w, h)
}

// moving says whether the sliders have the keys.
func (v *sliderScreen) moving() bool {
	return v.sliders != nil && v.pane() == widget.Pane(v.sliders)
}

func (v *sliderScreen) readLevers() tea.Cmd {
	v.reading.stop()
	e, q, read := v.desk.Engine, v.q, v.read
	var cmd tea.Cmd
	v.reading, cmd = start(v.jobs, v, "read what can be moved", "events", func(ctx context.Context, p query.Progress) (levers, error) {
		return read(ctx, e, q, p)
	})
	return cmd
}

// Await keeps keys for the sliders until they are there.
func (v *sliderScreen) Await(m tea.KeyMsg) bool {
	return v.answerScreen.Await(m) || v.reading != nil && v.sliders == nil && v.form == nil
}

// Leave cancels what runs.
func (v *sliderScreen) Leave() {
	v.answerScreen.Leave()
	v.reading.stop()
	v.reading = nil
}

// Init reads the levers where they were left unread.
func (v *sliderScreen) Init() tea.Cmd {
	if cmd := v.answerScreen.Init(); cmd != nil {
		return cmd
	}
	if v.ans != nil && (v.levers == nil || v.renews) && v.reading == nil {
		return v.readLevers()
	}
	return nil
}

// begin shows the sliders at what the address says; where there were some, the cursor
// stays where it is.
func (v *sliderScreen) begin(l levers) {
	at, before := 0, v.sliders != nil
	if before {
		at, v.onSliders = v.sliders.At(), v.moving()
	}
	v.levers, v.renews = l, false
	v.sliders = widget.NewSliders(v.styles, v.session.keys.w, v.title)
	v.sliders.Bars = v.bars
	v.sliders.Slides = l.slides(v.ans, v.q)
	v.try()
	v.sliders.Move(at)
	v.take(v.ans)
	v.insert()
	if !before {
		v.focus = 0
	}
	v.layout()
}

// insert puts the sliders before the parts of the answer; the focus stays on the
// part that has it.
func (v *sliderScreen) insert() {
	v.panes = slices.Insert(v.panes, 0, widget.Pane(v.sliders))
	v.blocks = slices.Insert(v.blocks, 0, &query.Block{Name: "sliders"})
	if v.focus++; v.onSliders {
		v.focus = 0
	}
	v.layout()
}

// try asks the levers what follows.
func (v *sliderScreen) try() {
	if v.sliders != nil {
		v.levers.try(v.sliders, v.styles, v.w)
	}
}

// nudge moves the slider under the cursor as its keys asked.
func (v *sliderScreen) nudge() tea.Cmd {
	steps, reset, all := v.sliders.Nudged()
	if steps == 0 && !reset && !all || len(v.sliders.Slides) == 0 {
		return nil
	}
	at := v.sliders.At()
	s := &v.sliders.Slides[at]
	switch {
	case all:
		for i := range v.sliders.Slides {
			v.sliders.Slides[i].Now = v.sliders.Slides[i].Own
		}
	case reset:
		s.Now = s.Own
	default:
		s.Now = v.levers.move(at, s, steps)
	}
	v.try()
	v.q = v.levers.ask(v.q, v.sliders.Slides)
	v.post(addressMsg{from: v, q: v.q})
	if !v.settle {
		return nil
	}
	return v.after(settled, settleMsg{v, v.q.String()})
}

// enterSlide opens the users that the slider chooses, as it stands now.
func (v *sliderScreen) enterSlide() tea.Cmd {
	if k := v.levers.figure(v.sliders.At()); k != "" {
		return v.open(query.ListQuery(&query.Answer{Query: v.q, Address: v.q.String()}, k).String())
	}
	return v.enter()
}

// Export asks for what the sliders show: the answer on the screen may be of
// other values.
func (v *sliderScreen) Export() []export {
	if v.ans == nil || v.ans.Address == v.q.String() {
		return v.answerScreen.Export()
	}
	e, q, w, ascii := v.desk.Engine, v.q, v.w, v.styles.ASCII
	var out []export
	for i, x := range answerExports(v.ans, w, ascii) {
		out = append(out, export{x.name, func(ctx context.Context, to io.Writer) error {
			a, err := e.Answer(ctx, q, nil)
			if err != nil {
				return err
			}
			return answerExports(a, w, ascii)[i].write(ctx, to)
		}})
	}
	return out
}

// ShortHelp names the keys of the sliders first.
func (v *sliderScreen) ShortHelp() []key.Binding {
	if !v.moving() || v.filter != nil || v.form != nil {
		return v.answerScreen.ShortHelp()
	}
	k := &v.session.keys
	return []key.Binding{bind("←/→", "less, more", "left"), bind("H/L", "by ten", "H"), bind("0", "as it was", "0"), bind("backspace", "all", "backspace"), v.answerScreen.keys.Next, k.Explain, k.Export}
}
