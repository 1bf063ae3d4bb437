package query

import (
	"fmt"

	"dwell/model"
	"dwell/model/stage"
)

// life counts how long the user lasted before the first loss: a loss by silence
// falls due G days after the last activity, so a life is that much shorter, and one
// that goes on is known up to G days before the end. Who may have come before the
// data begin has no known age.
func (v *adviser) life(u *Person, hist *stage.History, h *Hits) {
	r, lost := v.p.r, v.p.r.machine.Lost()
	first := u.Days[0]
	if lost < 0 || len(hist.Transitions) == 0 || r.Truncated(first) {
		return
	}
	gap := model.Day(r.paramIn(hist.State.Variant, "G", float64(stage.GapFloor)))
	days, ended := r.AsOf-gap-first, false
	for _, t := range hist.Transitions {
		if int(t.To) == lost {
			days, ended = max(0, t.Day-gap-first), true
			break
		}
	}
	if days >= 0 {
		v.ages.Add(u.TL.ID, int(days), ended)
		h.Hit(advLives, Self)
	}
}

// boundaries shows the ages at which the hazard of loss changes: what the data
// themselves would take as boundaries, beside the model's (SPEC R2.5).
func (p *advicePlan) boundaries(b *Builder, v *adviser) {
	if p.r.machine.Lost() < 0 {
		return
	}
	h := v.ages.Estimate()
	bl := Block{Kind: TableBlock, Name: "boundaries", Title: "Ages at which the hazard of loss changes: boundaries that the data would set", Heads: []Head{{Label: "age", Right: true}, {Label: "95 % interval", Right: true}, {Label: "before", Right: true}, {Label: "after", Right: true}}}
	lives := b.Count(advLives, "lives", "users whose life is known long enough")
	daily := func(rate float64) string { return fmt.Sprintf("%.2g %% a day", 100*rate) }
	for i, x := range h.Bounds {
		key := fmt.Sprintf("boundary.%d", i+1)
		f := b.Stat(advLives, key, fmt.Sprintf("age of boundary %d", i+1), float64(x.Day), false, "days")
		band := "—"
		if x.Banded {
			to := b.Fig(f)
			to.Interval, to.Lo, to.Hi, to.Method = true, x.Band.Lo, x.Band.Hi, "95 % by resampling users"
			band = fmt.Sprintf("%.0f–%.0f days", x.Band.Lo, x.Band.Hi)
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: fmt.Sprintf("boundary %d", i+1), Cells: []Cell{b.Cell(f), TextCell(band), TextCell(daily(x.Before)), TextCell(daily(x.After))}})
	}
	text := Block{Kind: TextBlock, Name: "boundaries", Title: bl.Title}
	switch {
	case b.Fig(lives).N == 0 || h.Lost == 0:
		text.Lines = []string{"Too short, or nobody is lost yet."}
	case len(h.Bounds) == 0:
		text.Lines = []string{fmt.Sprintf("None: one hazard, %s, describes the %s best.", daily(h.Flat), countOf(h.Lives, "life"))}
	default:
		bl.Rows = append(bl.Rows, Row{Key: "lives", Label: "users", Apart: true, Cells: []Cell{b.Cell(lives), TextCell(""), TextCell(""), TextCell("")}})
		b.Block(bl)
		text.Name, text.Title = "boundaries.note", ""
		text.Lines = []string{fmt.Sprintf("A hazard constant between the boundaries, whose number is chosen by BIC (%.0f; %.0f without any). Ages in weeks, from the first event to the last activity before the first loss. A stage's least and most dwell may be held against them; no edit is made of them.", h.Best, h.One)}
	}
	b.Block(text)
}
