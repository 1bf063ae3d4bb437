package tui

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"dwell/model/churn"
	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// newWhatIf asks what the model would say of a user with other values. The
// measures are sliders between the least and the greatest value that training
// users had; the model itself is at hand (query.Subject). What is tried stands in
// the address as set=. Below stand the parts of the answer that do not depend on
// it: the question, and what moved the score since an earlier day.
func newWhatIf(s *session, q query.Query) Screen {
	v := newSliderScreen(s, q)
	v.title, v.bars, v.hides = "what if   ○ as it is  ● tried  ┊ usual", true, []string{"score", "parts"}
	v.read = func(ctx context.Context, e Engine, q query.Query, p query.Progress) (levers, error) {
		b, err := e.WhatIf(ctx, q.With("set"), p)
		if err != nil {
			return nil, err
		}
		return newTrying(b), nil
	}
	return v
}

// A trying is one user whose measures may be moved, the strongest part first.
type trying struct {
	b      *query.Subject
	nudges []query.Nudge
	own    churn.Trial
}

func newTrying(b *query.Subject) *trying {
	t := &trying{b: b, nudges: b.Nudges(), own: b.Try(nil)}
	parts := b.Parts(&t.own)
	slices.SortStableFunc(t.nudges, func(x, y query.Nudge) int {
		return cmp.Compare(math.Abs(parts[y.Column]), math.Abs(parts[x.Column]))
	})
	return t
}

func (t *trying) slides(a *query.Answer, q query.Query) []widget.Slide {
	out := make([]widget.Slide, len(t.nudges))
	for i := range t.nudges {
		n := &t.nudges[i]
		s := widget.Slide{Key: n.Name, Label: n.Label, Least: n.Least, Most: n.Most, Own: n.Own, Now: n.Own, Usual: n.Usual, OwnText: n.Text(n.Own), Figure: query.NoFigure}
		switch {
		case !n.Known:
			s.OwnText = format.None
		case len(n.Words) == 0:
			s.OwnText = n.Text(t.b.Values[n.Column]) // it may lie beyond what training users had
		}
		for f := range a.Figures {
			if a.Figures[f].Key == n.Part {
				s.Figure = f
			}
		}
		for _, set := range q.All("set") {
			if to, ok := n.At(t.b, set); ok {
				s.Now = to
			}
		}
		out[i] = s
	}
	return out
}

func (t *trying) move(i int, s *widget.Slide, steps int) float64 {
	return t.nudges[i].Move(s.Now, steps)
}

func (t *trying) figure(int) string { return "" }

func (t *trying) ask(q query.Query, slides []widget.Slide) query.Query {
	sets := t.sets(slides)
	if len(sets) == 0 {
		return q.With("set")
	}
	return q.With("set", sets...)
}

// sets are the values that were moved, as the address has them.
func (t *trying) sets(slides []widget.Slide) (out []string) {
	for i := range slides {
		if s := &slides[i]; s.Moved() {
			out = append(out, t.nudges[i].Set(s.Now))
		}
	}
	return out
}

// try asks the model of the values as they are.
func (t *trying) try(to *widget.Sliders, st *widget.Styles, width int) {
	var changes []churn.Change
	for _, set := range t.sets(to.Slides) {
		if c, err := t.b.Change(set); err == nil {
			changes = append(changes, c)
		}
	}
	trial := t.b.Try(changes)
	parts, held := t.b.Parts(&trial), t.b.Held(&trial)
	for i := range to.Slides {
		s, n := &to.Slides[i], &t.nudges[i]
		s.Text, s.Part, s.Note = n.Text(s.Now), parts[n.Column], ""
		if held[n.Column] {
			s.Note = " *"
		}
	}
	to.Top = t.score(&trial, st, width, len(changes) > 0, slices.Contains(held, true))
}

// score are the lines above the sliders: the probability beside the base rate, as
// numbers and on a line from 0 to 100 %, and how far this is from anything seen.
func (t *trying) score(trial *churn.Trial, st *widget.Styles, width int, moved, held bool) []string {
	percent := func(p float64) string { return fmt.Sprintf("%.1f%%", 100*p) }
	own := t.own.Probability
	line := "  probability " + st.Head.Render(percent(own))
	if moved {
		line += " → " + st.Accent.Render(percent(trial.Probability)) + fmt.Sprintf(" (%+.1f points)", 100*(trial.Probability-own))
	}
	line += st.Dim.Render("   base rate " + percent(t.b.BaseRate()))
	n := max(min(51, width-14), 11)
	cells := []rune(strings.Repeat("─", n))
	put := func(p float64, r rune) { cells[min(max(int(math.Round(p*float64(n-1))), 0), n-1)] = r }
	put(t.b.BaseRate(), '┊')
	put(own, '○')
	put(trial.Probability, '●')
	last := st.Dim.Render("signals, not causes: what the model says of such a user")
	switch {
	case trial.Far > 1 && moved:
		last = st.Warn.Render(fmt.Sprintf("! far from the data: %.2f × what 99 in 100 stay within", trial.Far))
	case trial.Far > 1:
		last = st.Warn.Render(fmt.Sprintf("! unlike training users: %.2f × what 99 in 100 stay within", trial.Far))
	case held:
		last = st.Dim.Render("* taken as a bound: too few training users went so far")
	}
	return []string{line, "  0%├" + string(cells) + "┤100%", "  " + last}
}
