package query

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dwell/model/churn"
)

func (t *targetsPlan) explain(f *Figure) []ExplainLine {
	out := []ExplainLine{{Head: "Definition", Text: t.set.q.Sentence()}}
	line := func(format string, args ...any) {
		out = append(out, ExplainLine{Head: "Formula", Text: fmt.Sprintf(format, args...)})
	}
	switch {
	case f.Slot >= targetTiers:
		line("the first of the playbook's tiers whose conditions hold: probability, thirds of probability and value, active within %d days or not; seasonal users have none", t.playbook.ReachDays)
	case f.Slot >= targetGrid:
		line("thirds of the %d scored users: %s up to %s and %s, probability up to %s and %s; equal values stand together, so thirds may be unequal",
			t.cuts.users-t.cuts.seasonal, t.worth.words, showNumber("money", t.cuts.value[0]), showNumber("money", t.cuts.value[1]), churnShare(t.cuts.risk[0]), churnShare(t.cuts.risk[1]))
	case f.Slot == targetSeasonal:
		line("%d days of silence at the same time of an earlier year, covering half of the horizon's days or more, with %d active days in the %d days before it and after it each", t.set.q.Gap, seasonDays, seasonWithin)
	case f.Key == "contact.gain":
		line("success × Σ probability × %s − cost × users; success %s is an assumption", t.worth.words, churnPercent(t.reach.Success))
	case f.Slot == targetTested || f.Slot == targetRest:
		line("the same share of the users scored at the end of %s, by the same order, and who of them %s in the %d days after", t.set.cuts.Test, t.set.q.Happened(), t.set.q.Horizon)
	case f.Slot == targetContact:
		line("sum of the probabilities of the first users of the list; the interval takes the probabilities as right")
	}
	return append(out, ExplainLine{Head: "Quality", Text: t.model.Quality.Verdict})
}

// order names what the lists are ordered by.
func (t *targetsPlan) order() string {
	switch {
	case !t.valued:
		return "probability"
	case t.set.q.Definition == churn.ByGoal:
		return "expected value"
	}
	return "expected loss"
}

// figure is the count of a slot, whose list carries what is at stake.
func (t *targetsPlan) figure(b *Builder, slot int, key, label string) int {
	i := b.Count(slot, key, label)
	f := b.Fig(i)
	f.Carry, f.Beside, f.More = t.order(), "probability", t.worth.words
	if !t.valued {
		f.Carry, f.Beside, f.More = "probability", "", ""
	}
	return i
}

func (t *targetsPlan) layout(b *Builder) error {
	q := t.set.q
	b.A.volatile = t.set.saved != nil
	b.A.Title = "Whom to act on · " + t.what() + " · " + t.method() + " · " + asOfNote(b.Run)
	b.A.Definition = q.Sentence()
	b.Block(Block{Kind: TextBlock, Name: "question", Title: "The question", Lines: []string{q.Sentence()}})
	if !t.model.usable() {
		b.Block(Block{Kind: TextBlock, Name: "verdict", Title: "No score", Lines: []string{t.model.Why}})
		b.Warn("no-model", "%s", t.model.Why)
		return nil
	}
	b.Block(Block{Kind: TextBlock, Name: "verdict", Title: "What it is worth", Lines: []string{t.model.Quality.Verdict + " Base rate " + churnPercent(t.model.Quality.BaseRate) + "."}})
	if !t.model.Quality.Better {
		b.Warn("no-better-than-guessing", "%s Do not act on these scores.", t.model.Quality.Verdict)
	}
	if t.why != "" {
		b.Warn("no-playbook", "There are no tiers: %s. Mend it, or drop it with dwell playbook drop.", t.why)
	}
	if t.unused != "" {
		b.Warn("playbook-stages", "%s", t.unused)
	}
	if t.cuts.users == 0 {
		b.Block(Block{Kind: TextBlock, Name: "nobody", Title: "Nobody", Lines: []string{"Nobody is scored on this day, so there is nobody to act on."}})
		return nil
	}
	t.lists(b)
	t.tierRows(b)
	t.contact(b)
	if t.valued {
		t.grid(b)
		note := ""
		if t.worth.note != "" {
			note = " (" + t.worth.note + ")"
		}
		users := plural(t.cuts.users-t.cuts.seasonal, "scored user")
		if t.cuts.seasonal > 0 {
			users += fmt.Sprintf(" (%d seasonal ones left out)", t.cuts.seasonal)
		}
		b.Block(Block{Kind: TextBlock, Name: "stake", Title: "At stake", Lines: []string{fmt.Sprintf("The %s of %s adds up to %s, taking the %s as what a user is worth%s.", t.order(), users, showNumber("money", t.cuts.expected), t.worth.words, note)}})
	} else {
		b.Warn("no-amounts", "%s Lists are ordered by probability alone, and there is no grid of value.", t.unvalued)
	}
	t.ready(b)
	if err := b.coins(t.coin); err != nil {
		return err
	}
	b.Warn("signals", "Signals, not causes: whom to look at, not what to do or what it would bring. That takes a test with a control group.")
	return nil
}

// lists counts the lists by themselves; seasonal users stand apart from them.
func (t *targetsPlan) lists(b *Builder) {
	by := t.order()
	if t.valued {
		by += " = probability × " + t.worth.words
	}
	bl := Block{Kind: BarBlock, Name: "lists", Title: "Lists, each ordered by " + by}
	more := "" // of the figure's label, too long to stand beside a bar
	row := func(slot int, key, label string, apart bool) {
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(t.figure(b, slot, key, label+more))}, Apart: apart})
	}
	row(targetScored, "scored", "scored", false)
	row(targetLikely, "at-risk", t.likely()+", from "+churnPercent(t.at), false)
	row(targetTop, "top10", "top tenth by probability", false)
	if t.valued {
		row(targetWorth, "worth10", "top tenth by "+t.order(), false)
	}
	row(targetLow, "low10", "low tenth by probability", false)
	if t.set.q.Definition != churn.ByGoal {
		more = ": silent at this time of an earlier year too, and came back"
		row(targetSeasonal, "seasonal", "seasonal, apart", true)
		if span := int(t.set.cuts.Score - t.r.FirstDay); span < year+t.set.q.Gap {
			b.Warn("no-season", "The data reach %s back: who is silent at the same time of every year cannot be told from who leaves.", plural(span, "day"))
		}
	}
	b.Block(bl)
}

// tierRows are the playbook's tiers, and each by stage, with what is suggested.
func (t *targetsPlan) tierRows(b *Builder) {
	if t.tiers() == 0 {
		return
	}
	heads := []Head{{Label: "users", Right: true}}
	if t.valued {
		heads = append(heads, Head{Label: t.order(), Right: true})
	}
	heads = append(heads, Head{Label: "suggested"})
	all := Block{Kind: TableBlock, Name: "tiers", Title: "Tiers of the playbook, by probability, value and where a user is reached", Heads: heads}
	each := Block{Kind: TableBlock, Name: "tiers.stages", Title: "The same by stage", Heads: []Head{{Label: "users", Right: true}, {Label: "suggested"}}}
	for _, name := range t.playbook.Names() {
		key := "tier." + strings.ReplaceAll(name, " ", "-")
		slot := t.tierSlot(name, -1)
		row := Row{Key: key, Label: name, Cells: []Cell{b.Cell(t.figure(b, slot, key, "users of the tier "+name))}}
		if t.valued {
			row.Cells = append(row.Cells, b.Cell(b.Stat(slot, key+".loss", t.order()+" of the tier "+name, t.cuts.losses[name], false, "")))
		}
		var texts []string
		var one *churn.Tier
		for i := range t.playbook.Tiers {
			if tier := &t.playbook.Tiers[i]; tier.Name == name {
				if one == nil {
					one = tier
				}
				if tier.Suggest != "" && !slices.Contains(texts, tier.Suggest) {
					texts = append(texts, tier.Suggest)
				}
			}
		}
		row.Cells = append(row.Cells, TextCell(strings.Join(texts, "; or: ")))
		all.Rows = append(all.Rows, row)
		for i, in := range b.Run.Schema.Stages {
			if at := t.tierSlot(name, i); b.N(at, Self) > 0 {
				k := key + ".stage." + in
				text := t.playbook.Suggest(one, in)
				if _, more := t.playbook.For(in); len(more) > 0 && !strings.Contains(text, more[0]) {
					text += ": " + strings.Join(more, "; ")
				}
				each.Rows = append(each.Rows, Row{Key: k, Label: name + ", " + in, Cells: []Cell{b.Cell(t.figure(b, at, k, name+", in "+in)), TextCell(text)}})
			}
		}
	}
	b.Block(all)
	if len(each.Rows) > 0 {
		b.Block(each)
	}
}

// contact says how far contacting the first so many users reaches, and what the
// same share would have met at the test's cut-off.
func (t *targetsPlan) contact(b *Builder) {
	r := t.reach
	if r.Users == 0 {
		return
	}
	c := r.At(t.cuts.contact.n)
	if t.wanted > r.Users {
		b.Warn("contact-all", "contact=%d is more than the %s who can be contacted: all of them are.", t.wanted, plural(r.Users, "user"))
	}
	yes, no := "would leave", "would stay anyway"
	if r.Goal {
		yes, no = "would reach the goal", "would not"
	}
	bl := Block{Kind: TableBlock, Name: "contact", Title: fmt.Sprintf("Contacting the first %d of %s by %s", c.N, plural(r.Users, "user"), t.order()), Heads: []Head{{Label: "", Right: true}, {Label: ""}}}
	row := func(key, label string, i int, note string) {
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(i), TextCell(note)}})
	}
	stat := func(key, label string, v float64, unit string) int {
		return b.Stat(targetContact, key, label, v, false, unit)
	}
	row("contact", "users to contact", t.figure(b, targetContact, "contact", "users to contact"), "contact= sets how many; this list is what x exports")
	hits := stat("contact.hits", "expected hits: contacted users who "+yes, c.Hits, "users")
	f := b.Fig(hits)
	f.Interval, f.Lo, f.Hi, f.Method = true, c.Band.Lo, c.Band.Hi, "sum of the probabilities, 95 %"
	row("contact.hits", "expected hits: "+yes, hits, fmt.Sprintf("%s of all who %s", churnPercent(math.Round(1000*c.Share)/1000), yes))
	row("contact.vain", "in vain: "+no, stat("contact.vain", "contacted users who "+no, c.Vain, "users"), "")
	row("contact.missed", "expected misses: "+yes+", not contacted", stat("contact.missed", "users who "+yes+" and are not contacted", c.Missed, "users"), "")
	if r.Valued {
		row("contact.loss", t.order()+" of the contacted", stat("contact.loss", t.order()+" of the contacted", c.Loss, ""), "")
		if !r.Goal {
			note := fmt.Sprintf("assuming that %s of the hits are kept (success=) at a cost of %s each (cost=)", churnPercent(r.Success), showNumber("money", r.Cost))
			if best := r.Best(); r.Cost > 0 {
				note += fmt.Sprintf("; highest at contact=%d", best)
			}
			row("contact.gain", "expected gain", stat("contact.gain", "expected gain", c.Gain, ""), note)
		}
	}
	tested := b.Rate(targetTested, "contact.tested", "of as large a share at the test's cut-off, who "+t.set.q.Happened())
	row("contact.tested", "the same share at "+t.set.cuts.Test.String(), tested, "who "+t.set.q.Happened()+" of them")
	rest := b.Rate(targetRest, "contact.rest", "of the others at the test's cut-off, who "+t.set.q.Happened())
	row("contact.rest", "and of the others", rest, "")
	b.Block(bl)
	t.curve(b, yes)
}

// curve shows what more or fewer contacts reach.
func (t *targetsPlan) curve(b *Builder, yes string) {
	r := t.reach
	bl := Block{Kind: TableBlock, Name: "contact.curve", Title: "How far more or fewer contacts reach", Heads: []Head{{Label: "expected hits", Right: true}, {Label: "of all hits", Right: true}, {Label: "misses", Right: true}}}
	if r.Valued {
		bl.Heads = append(bl.Heads, Head{Label: t.order(), Right: true})
		if !r.Goal {
			bl.Heads = append(bl.Heads, Head{Label: "gain", Right: true})
		}
	}
	ch := &Chart{XLabel: "users contacted", YLabel: "share of those who " + yes, Unit: "share", Zero: true}
	ours, chance := Series{Name: "by " + t.order()}, Series{Name: "at random"}
	seen := -1
	for _, share := range []float64{0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1} {
		c := r.At(int(math.Ceil(share * float64(r.Users))))
		if c.N == seen {
			continue
		}
		seen = c.N
		ch.X = append(ch.X, float64(c.N))
		ours.Y, ours.Figures = append(ours.Y, c.Share), append(ours.Figures, NoFigure)
		chance.Y = append(chance.Y, float64(c.N)/float64(r.Users))
		if c.N == 0 {
			continue
		}
		row := Row{Key: fmt.Sprintf("contact.%d", c.N), Label: plural(c.N, "user"), Open: t.r.link(t.r.Q.With("contact", fmt.Sprint(c.N))),
			Cells: []Cell{TextCell(fmt.Sprintf("%.1f", c.Hits)), TextCell(churnPercent(math.Round(1000*c.Share) / 1000)), TextCell(fmt.Sprintf("%.1f", c.Missed))}}
		if r.Valued {
			row.Cells = append(row.Cells, TextCell(showNumber("money", c.Loss)))
			if !r.Goal {
				row.Cells = append(row.Cells, TextCell(showNumber("money", c.Gain)))
			}
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
	if len(ch.X) > 2 {
		ch.Series = []Series{ours, chance}
		b.Block(Block{Kind: ChartBlock, Name: "contact.chart", Title: "Expected hits by users contacted", Chart: ch})
	}
}

// grid is value × risk, each cell a list.
func (t *targetsPlan) grid(b *Builder) {
	words := churn.Thirds
	c := &t.cuts
	bl := Block{Kind: HeatBlock, Name: "grid", Title: capital(t.worth.words) + " × probability, in thirds of the scored users"}
	for i, w := range words {
		edge := ""
		if i < 2 {
			edge = " ≤ " + churnShare(c.risk[i])
		}
		bl.Heads = append(bl.Heads, Head{Label: w + edge, Right: true})
	}
	for v := 2; v >= 0; v-- {
		label := words[v] + " value"
		if v < 2 {
			label += " ≤ " + showNumber("money", c.value[v])
		}
		row := Row{Key: "grid." + words[v], Label: label}
		for p := range 3 {
			row.Cells = append(row.Cells, b.Cell(t.figure(b, targetGrid+3*v+p, "grid."+words[v]+"."+words[p], words[v]+" value, "+words[p]+" probability")))
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// ready are the three lists of the source work (SPEC R2.16), as questions: high
// potential in exploration, high loyalty in maturity, win-back of the lost. They
// are offered where the stage model has such stages.
func (t *targetsPlan) ready(b *Builder) {
	r := b.Run
	bl := Block{Kind: TableBlock, Name: "ready", Title: "Ready lists", Heads: []Head{{Label: "which of its lists"}, {Label: "address"}}}
	add := func(stageName, label, key string, params ...string) {
		if !slices.Contains(r.Schema.Stages, stageName) {
			return
		}
		if c := r.Str("currency"); c != "" {
			params = append(params, "currency", c)
		}
		address := r.link(question("targets", append(params, "stage", stageName)...))
		bl.Rows = append(bl.Rows, Row{Key: "ready." + key, Label: label, Open: address, Cells: []Cell{TextCell(key), TextCell(address)}})
	}
	goal := "active"
	for _, n := range r.Info.Names {
		if roleOf, ok := r.Dict.Events[n.Name]; ok && roleOf == "purchase" {
			goal = "role:purchase"
		}
	}
	add("exploration", "high potential in exploration", "top10", "goal", goal, "who", "active")
	add("maturity", "high loyalty in maturity", "low10")
	winBack, list := "win-back of the lost: P(return) × value", "worth10"
	if !t.valued { // there is no value to weigh by
		winBack, list = "win-back of the lost: P(return)", "top10"
	}
	if m := r.Machine(); m != nil {
		for _, s := range r.Schema.Stages {
			if s == "churned" || s == "silence" {
				add(s, winBack, list, "goal", "active", "who", "silent")
			}
		}
	}
	if len(bl.Rows) > 0 {
		b.Block(bl)
	}
}
