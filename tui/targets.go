package tui

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"dwell/model/query"
	"dwell/tui/format"
	"dwell/tui/widget"
)

// newTargets asks whom to act on, with sliders for how many users to contact, how
// many of the leavers a contact keeps, and what one costs: expected hits, misses
// and gain are drawn anew with every key. The list, the tiers and the grid below
// follow once the sliders rest.
func newTargets(s *session, q query.Query) Screen {
	v := newSliderScreen(s, q)
	v.title, v.settle, v.hides = "how many to contact   ○ as it was  ● now", true, []string{"contact"}
	v.read = func(ctx context.Context, e Engine, q query.Query, p query.Progress) (levers, error) {
		r, err := e.Reach(ctx, q, p)
		if err != nil {
			return nil, err
		}
		if r.Users == 0 {
			return nil, fmt.Errorf("there is nobody to contact")
		}
		return &contacting{r: *r}, nil
	}
	return v
}

// A contacting is a list of users in the order in which they would be contacted.
type contacting struct{ r query.Reach }

// The slides of a contacting.
const (
	slideContact = iota
	slideSuccess
	slideCost
)

var contactKeys = [...]string{"contact", "success", "cost"}

func (c *contacting) slides(a *query.Answer, q query.Query) []widget.Slide {
	n := float64((c.r.Users + 9) / 10) // as the question has it where contact= is left out
	if v, err := strconv.Atoi(q.Get("contact")); err == nil {
		n = float64(min(v, c.r.Users))
	}
	s := []widget.Slide{
		{Label: "to contact", Least: 1, Most: float64(c.r.Users), Own: n},
		{Label: "kept of leavers", Least: 0, Most: 1, Own: c.r.Success},
		{Label: "cost of each", Least: 0, Most: c.dearest(), Own: c.r.Cost},
	}
	if c.r.Goal {
		s[slideSuccess].Label = "won of them"
	}
	if !c.r.Valued {
		s = s[:slideContact+1] // without amounts there is no gain
	}
	for i := range s {
		s[i].Key, s[i].Now, s[i].OwnText, s[i].Usual, s[i].Figure = contactKeys[i], s[i].Own, contactText(i, s[i].Own), math.NaN(), query.NoFigure
		for f := range a.Figures {
			if a.Figures[f].Key == "contact" && i == slideContact {
				s[i].Figure = f
			}
		}
	}
	return s
}

// dearest is the cost at which contacting everybody would not be worth it, were
// every leaver kept.
func (c *contacting) dearest() float64 {
	return math.Max(math.Max(c.r.At(c.r.Users).Loss/float64(c.r.Users), c.r.Cost), 1)
}

func contactText(i int, v float64) string {
	switch i {
	case slideContact:
		return format.Count(int64(v))
	case slideSuccess:
		return fmt.Sprintf("%.0f%%", 100*v)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func (c *contacting) move(i int, s *widget.Slide, steps int) float64 {
	step := 0.01
	switch i {
	case slideContact:
		step = roundStep(s.Most / 100)
	case slideCost:
		step = roundStep(s.Most/200*100) / 100
	}
	v := math.Round(s.Now/step+float64(steps)) * step
	if steps < 0 && s.Now >= s.Most { // back onto the grid from an end that is not on it
		v = math.Min(v, math.Ceil(s.Most/step-1)*step)
	}
	v = math.Min(math.Max(v, s.Least), s.Most)
	return math.Round(v*1e4) / 1e4
}

// roundStep is 1, 2 or 5 times a power of ten, no less than x and no less than 1.
func roundStep(x float64) float64 {
	for p := 1.0; ; p *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if m*p >= x {
				return m * p
			}
		}
	}
}

func (c *contacting) figure(i int) string {
	if i == slideContact {
		return "contact"
	}
	return ""
}

func (c *contacting) ask(q query.Query, slides []widget.Slide) query.Query {
	for i := range slides {
		if s := &slides[i]; s.Moved() || q.Get(s.Key) != "" {
			q = q.With(s.Key, strconv.FormatFloat(s.Now, 'f', -1, 64))
		}
	}
	return q
}

// try says what the contacts would bring as the sliders stand.
func (c *contacting) try(to *widget.Sliders, st *widget.Styles, _ int) {
	r := c.r
	for i := range to.Slides {
		to.Slides[i].Text = contactText(i, to.Slides[i].Now)
	}
	if len(to.Slides) > slideCost {
		r.Success, r.Cost = to.Slides[slideSuccess].Now, to.Slides[slideCost].Now
	}
	x := r.At(int(to.Slides[slideContact].Now))
	yes, no := "would leave", "would stay anyway"
	if r.Goal {
		yes, no = "would reach the goal", "would not"
	}
	count := func(v float64) string { return format.Count(int64(math.Round(v))) }
	to.Top = []string{
		fmt.Sprintf("  hits   %s of %s %s (%s–%s), %.0f%% of all who do", st.Accent.Render(count(x.Hits)), format.Count(int64(x.N)), yes, count(x.Band.Lo), count(x.Band.Hi), 100*x.Share),
		fmt.Sprintf("  in vain %s %s   missed %s", count(x.Vain), no, count(x.Missed)),
	}
	if r.Valued {
		line := fmt.Sprintf("  at stake %s   expected gain %s", format.Number(math.Round(x.Loss)), st.Accent.Render(format.Number(math.Round(x.Gain))))
		if best := r.Best(); r.Cost > 0 {
			line += fmt.Sprintf("   most with %s contacted", format.Count(int64(best)))
		}
		to.Top = append(to.Top, line)
	}
}
