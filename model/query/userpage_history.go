package query

import (
	"fmt"
	"strings"

	"dwell/model"
	"dwell/model/stage"
)

// rowsAt is the address of the user's events, standing on a day.
func (u *userLife) rowsAt(d model.Day) string {
	return u.r.link(question("rows", "user", u.id, "at", d.String()))
}

// history is the stages as intervals, each with the transition that began it.
func (u *userLife) history(b *Builder) {
	bl := Block{Kind: SpansBlock, Name: "history", Title: "stage history: " + plural(len(u.proofs), "change"),
		Heads: []Head{{"from", false}, {"to", false}, {"days", true}, {"by", false}, {"why", false}}}
	for _, iv := range u.hist.Intervals(nil) {
		bl.Spans = append(bl.Spans, Span{From: iv.From, To: iv.To, Stage: iv.Stage, Name: u.label(iv.Stage), Colour: u.r.machine.Model().Stages[iv.Stage].Colour})
	}
	for i, p := range u.proofs {
		to := u.r.AsOf // of the stage the user is in: days are those of dwell_days
		if i+1 < len(u.proofs) {
			to = u.proofs[i+1].Day
		}
		until := to.String()
		if i+1 == len(u.proofs) {
			until = "now"
		}
		bl.Rows = append(bl.Rows, Row{Key: fmt.Sprint(i + 1), Label: u.label(int(p.To)), Open: u.proofAt(i),
			Cells: []Cell{TextCell(p.Day.String()), TextCell(until), TextCell(fmt.Sprint(int(to - p.Day))), TextCell(p.Rule), TextCell(p.Sentence)}})
	}
	b.Block(bl)
}

// proofAt is the address of the proof of transition i.
func (u *userLife) proofAt(i int) string {
	return u.r.link(Query{Analysis: "user", ID: u.id}.With("proof", fmt.Sprint(i+1)))
}

// proof shows why a transition happened: the sentence, each clause with its
// numbers, the events behind them, and what nearly happened instead.
func (u *userLife) proof(b *Builder, i int) {
	p := u.proofs[i]
	b.A.Title = fmt.Sprintf("User %s · proof of stage change %d of %d · %s", u.id, i+1, len(u.proofs), asOfNote(u.r))
	lines := []string{p.Sentence, "Rule " + p.Rule + ": " + p.When}
	if p.When == "" {
		lines[1] = "Rule " + p.Rule + ": the first event"
	}
	if p.FromName != "" {
		line := fmt.Sprintf("%s in %s before.", capital(plural(p.Lasted, "day")), u.label(int(p.From)))
		if p.Least > 0 {
			line += fmt.Sprintf(" It had to last at least %s.", plural(p.Least, "day"))
		}
		lines = append(lines, line)
	}
	b.Block(Block{Kind: TextBlock, Name: "proof", Title: u.label(int(p.To)) + " from " + p.Day.String(), Lines: lines})
	clauses := Block{Kind: TableBlock, Name: "clauses", Title: "what met the rule", Heads: []Head{{"value", true}, {"asked for", true}, {"holds", false}, {"in words", false}}}
	for k, c := range p.Clauses {
		clauses.Rows = append(clauses.Rows, clauseRow(k, c))
	}
	if len(clauses.Rows) > 0 {
		b.Block(clauses)
	}
	if n := p.Near; n != nil {
		near := Block{Kind: TableBlock, Name: "near", Title: "nearest that did not happen, " + n.Plain, Heads: clauses.Heads}
		for k, c := range n.Missing {
			near.Rows = append(near.Rows, clauseRow(k, c))
		}
		b.Block(near)
	}
	const most = 200
	events := Block{Kind: TableBlock, Name: "events", Title: plural(len(p.Events), "event") + " behind it", Heads: []Head{{"event", false}, {"amount", true}, {"file", false}}}
	for _, e := range p.Events[max(0, len(p.Events)-most):] {
		amount, file := "", ""
		if u.tl.Amount != nil {
			amount = u.tl.Amount[e].String()
		}
		if u.tl.Source != nil && int(u.tl.Source[e]) < len(u.r.Info.Sources) {
			file = u.r.Info.Sources[u.tl.Source[e]].Path
		}
		events.Rows = append(events.Rows, Row{Key: rowKey(&u.tl, e), Label: u.r.Cal.Stamp(&u.tl, e), Open: u.r.link(Query{Analysis: "row", ID: rowKey(&u.tl, e)}),
			Cells: []Cell{TextCell(u.r.Info.Names[u.tl.Name[e]].Name), TextCell(amount), TextCell(file)}})
	}
	if len(p.Events) > most {
		events.Title += fmt.Sprintf(", the last %d", most)
	}
	b.Block(events)
}

func clauseRow(k int, c stage.Clause) Row {
	got, want, holds := "", "", "no"
	if c.Op != "" {
		got, want = "—", c.Op+" "+Number(c.Bound)
		if c.Known {
			got = showNumber("", c.Value)
		}
	}
	if c.Holds != c.Not {
		holds = "yes"
	}
	label := c.Text
	if c.Not { // what holds is that it does not
		label = "not " + label
	}
	return Row{Key: fmt.Sprint(k + 1), Label: label, Cells: []Cell{TextCell(got), TextCell(want), TextCell(holds), TextCell(c.Plain)}}
}

// riskBlock is the probability of churn beside the base rate, with its reasons.
func (u *userLife) riskBlock(b *Builder) {
	x := u.risk
	if x == nil {
		return
	}
	if !x.Scored {
		b.Block(Block{Kind: TextBlock, Name: "risk", Title: "risk of churn", Lines: []string{x.Why}})
		return
	}
	bl := Block{Kind: TableBlock, Name: "risk", Title: "risk of churn: " + strings.TrimPrefix(x.Question, "Churned: "), Heads: []Head{{"", true}, {"", false}}}
	i := b.Own(Figure{Key: "risk", Label: "probability of churn", Kind: Stat, Value: x.Probability, Unit: "share", N: 1})
	bl.Rows = append(bl.Rows,
		Row{Key: "probability", Label: fmt.Sprintf("within %s", plural(x.Horizon, "day")), Cells: []Cell{b.Cell(i), TextCell(x.Verdict)}, Open: x.Address},
		Row{Key: "base", Label: "base rate in the test", Cells: []Cell{TextCell(churnShare(x.BaseRate)), TextCell("")}, Open: x.Address})
	for k, reason := range x.Reasons[:min(5, len(x.Reasons))] {
		bl.Rows = append(bl.Rows, Row{Key: "reason." + fmt.Sprint(k+1), Label: "because", Cells: []Cell{TextCell(""), TextCell(reason.Text)}})
	}
	b.Block(bl)
}
