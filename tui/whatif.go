package tui

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/churn"
	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// A whatifScreen asks what the model would say of a user with other values. The
// measures are sliders between the least and the greatest value that training
// users had; the model itself is at hand (query.Subject), so that probability and
// bars are drawn anew with every key and the engine is not asked again. What is
// tried stands in the address as set=.
//
// Below the sliders stand the parts of the answer that do not depend on them: the
// question, and what moved the score since an earlier day.
type whatifScreen struct {
	*answerScreen
	read    *job // of the subject
	subject *query.Subject
	nudges  []query.Nudge
	own     churn.Trial
	sliders *widget.Sliders
}

func newWhatIf(s *session, q query.Query) Screen {
	v := &whatifScreen{answerScreen: newAnswerScreen(s, q)}
	v.owner = v
	v.skip = func(b *query.Block) bool { return v.sliders != nil && (b.Name == "score" || b.Name == "parts") }
	return v
}

// Update takes the nudges, and reads the subject once the answer is there.
func (v *whatifScreen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		if v.moving() && v.filter == nil && v.form == nil && v.sliders.Key(msg) {
			return v.nudge()
		}
	case doneMsg[*query.Answer]:
		mine := v.job.owns(msg.job)
		cmd := v.answerScreen.Update(msg)
		if !mine || msg.err != nil {
			return cmd
		}
		v.sliders = nil
		return tea.Batch(cmd, v.readSubject())
	case doneMsg[*query.Subject]:
		if v.read.owns(msg.job) {
			v.read = nil
			if msg.err == nil { // who is not scored hears why from the answer
				return v.begin(msg.value)
			}
		}
		return nil
	case restyleMsg:
		cmd := v.answerScreen.Update(msg)
		if v.sliders != nil {
			v.try()
		}
		return cmd
	case progressMsg:
		if v.read.owns(msg.job) {
			return v.read.next
		}
	}
	return v.answerScreen.Update(msg)
}

// SetSize draws the lines above the sliders anew.
func (v *whatifScreen) SetSize(w, h int) {
	v.w, v.h = w, h
	if v.sliders != nil {
		v.try()
	}
	v.answerScreen.SetSize(w, h)
}

// moving says whether the sliders have the keys.
func (v *whatifScreen) moving() bool {
	return v.sliders != nil && v.pane() == widget.Pane(v.sliders)
}

func (v *whatifScreen) readSubject() tea.Cmd {
	v.read.stop()
	e, q := v.desk.Engine, v.q.With("set")
	var cmd tea.Cmd
	v.read, cmd = start(v.jobs, v, "read the user", "events", func(ctx context.Context, p query.Progress) (*query.Subject, error) {
		return e.WhatIf(ctx, q, p)
	})
	return cmd
}

// Await keeps keys for the sliders until they are there.
func (v *whatifScreen) Await(m tea.KeyMsg) bool {
	return v.answerScreen.Await(m) || v.read != nil && v.form == nil
}

// Leave cancels what runs.
func (v *whatifScreen) Leave() {
	v.answerScreen.Leave()
	v.read.stop()
	v.read = nil
}

// Init asks anew where coming back finds no sliders: they were left unread.
func (v *whatifScreen) Init() tea.Cmd {
	if cmd := v.answerScreen.Init(); cmd != nil {
		return cmd
	}
	if v.ans != nil && v.subject == nil && v.read == nil {
		return v.readSubject()
	}
	return nil
}

// begin shows the sliders, the strongest part first, at what the address tries.
func (v *whatifScreen) begin(b *query.Subject) tea.Cmd {
	v.subject, v.nudges, v.own = b, b.Nudges(), b.Try(nil)
	parts := b.Parts(&v.own)
	slices.SortStableFunc(v.nudges, func(x, y query.Nudge) int {
		return cmp.Compare(math.Abs(parts[y.Column]), math.Abs(parts[x.Column]))
	})
	v.sliders = widget.NewSliders(v.styles, v.session.keys.w, "what if   ○ as it is  ● tried  ┊ usual")
	v.sliders.Bars = true
	for i := range v.nudges {
		n := &v.nudges[i]
		s := widget.Slide{Key: n.Name, Label: n.Label, Least: n.Least, Most: n.Most, Own: n.Own, Now: n.Own, OwnText: n.Text(n.Own), Figure: query.NoFigure}
		s.Usual = n.Usual
		switch {
		case !n.Known:
			s.OwnText = format.None
		case len(n.Words) == 0:
			s.OwnText = n.Text(b.Values[n.Column]) // it may lie beyond what training users had
		}
		for f := range v.ans.Figures {
			if v.ans.Figures[f].Key == n.Part {
				s.Figure = f
			}
		}
		for _, set := range v.q.All("set") {
			if to, ok := n.At(b, set); ok {
				s.Now = to
			}
		}
		v.sliders.Slides = append(v.sliders.Slides, s)
	}
	v.try()
	held := v.Kept()
	v.take(v.ans)
	v.panes = slices.Insert(v.panes, 0, widget.Pane(v.sliders))
	v.blocks = slices.Insert(v.blocks, 0, &query.Block{Name: "sliders"})
	v.focus = 0
	if h, had := held.parts["sliders"]; had {
		v.sliders.Restore(h)
	}
	v.layout()
	return nil
}

// nudge moves the slider under the cursor as its keys asked, and tries the values.
func (v *whatifScreen) nudge() tea.Cmd {
	steps, reset, all := v.sliders.Nudged()
	if steps == 0 && !reset && !all || len(v.nudges) == 0 {
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
		s.Now = v.nudges[at].Move(s.Now, steps)
	}
	v.try()
	q := v.q.With("set", v.sets()...)
	if len(v.sets()) == 0 {
		q = v.q.With("set")
	}
	v.q = q
	return v.post(addressMsg{from: v, q: q})
}

// sets are the values that were moved, as the address has them.
func (v *whatifScreen) sets() (out []string) {
	for i := range v.sliders.Slides {
		if s := &v.sliders.Slides[i]; s.Moved() {
			out = append(out, v.nudges[i].Set(s.Now))
		}
	}
	return out
}

// try asks the model, and writes what it says above and beside the sliders.
func (v *whatifScreen) try() {
	var changes []churn.Change
	for _, set := range v.sets() {
		if c, err := v.subject.Change(set); err == nil {
			changes = append(changes, c)
		}
	}
	t := v.subject.Try(changes)
	parts, held := v.subject.Parts(&t), v.subject.Held(&t)
	for i := range v.sliders.Slides {
		s, n := &v.sliders.Slides[i], &v.nudges[i]
		s.Text, s.Part, s.Note = n.Text(s.Now), parts[n.Column], ""
		if held[n.Column] {
			s.Note = " *"
		}
	}
	v.sliders.Top = v.score(&t, len(changes) > 0, slices.Contains(held, true))
}

// score are the lines above the sliders: the probability beside the base rate, as
// numbers and on a line from 0 to 100 %, and how far this is from anything seen.
func (v *whatifScreen) score(t *churn.Trial, moved, held bool) []string {
	st := v.styles
	percent := func(p float64) string { return fmt.Sprintf("%.1f%%", 100*p) }
	line := "  probability " + st.Head.Render(percent(v.own.Probability))
	if moved {
		line += " → " + st.Accent.Render(percent(t.Probability)) + fmt.Sprintf(" (%+.1f points)", 100*(t.Probability-v.own.Probability))
	}
	line += st.Dim.Render("   base rate " + percent(v.subject.BaseRate()))
	n := min(51, v.w-14)
	cells := []rune(strings.Repeat("─", n))
	put := func(p float64, r rune) { cells[min(max(int(math.Round(p*float64(n-1))), 0), n-1)] = r }
	put(v.subject.BaseRate(), '┊')
	put(v.own.Probability, '○')
	put(t.Probability, '●')
	out := []string{line, "  0%├" + string(cells) + "┤100%"}
	far := max(t.Far, 0)
	switch {
	case far > 1 && moved:
		out = append(out, "  "+st.Warn.Render(fmt.Sprintf("! far from the data: %.2f × what 1 in 100 training users exceeds", far)))
	case far > 1:
		out = append(out, "  "+st.Warn.Render(fmt.Sprintf("! unlike the training users: %.2f × what 1 in 100 of them exceeds", far)))
	case held:
		out = append(out, "  "+st.Dim.Render("* taken as a bound: too few training users went so far"))
	default:
		out = append(out, "  "+st.Dim.Render("signals, not causes: what the model says of such a user"))
	}
	return out
}

// Export asks for what the sliders show: the answer on the screen may be of
// other values.
func (v *whatifScreen) Export() []export {
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
func (v *whatifScreen) ShortHelp() []key.Binding {
	if !v.moving() || v.filter != nil || v.form != nil {
		return v.answerScreen.ShortHelp()
	}
	k := &v.session.keys
	return []key.Binding{bind("←/→", "less, more", "left"), bind("H/L", "by ten", "H"), bind("0", "as it was", "0"), bind("backspace", "all", "backspace"), v.keys.Next, k.Explain, k.Export}
}
