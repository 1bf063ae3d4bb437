package query

import (
	"fmt"
	"slices"

	"dwell/model/churn"
	"dwell/model/stage"
	"dwell/model/stat"
)

// targetsAnalysis says whom to act on: scores weighed by what the users are
// worth.
func targetsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "targets", Title: "Whom to act on", Help: "users by probability × value to date: the list, the grid of value and risk, and ready lists", ID: NoID,
			Keys: keys(churnKeys(), []KeySpec{{Name: "stage", Type: Text, Help: "only users who are in this stage on the as-of day"}})},
		check: checkChurn,
		plan:  planTargets,
	}
}

// The slots of the targets' kernel.
const (
	targetScored = iota
	targetLikely // probability from at=
	targetTop    // the tenth with the highest probability
	targetWorth  // the tenth with the highest probability × value
	targetLow    // the tenth with the lowest probability
	targetGrid   // thirds of value × thirds of probability, low to high
	targetSlots  = targetGrid + 9
)

// A targetsPlan is one list of users to act on. Thirds and tenths are cut before
// the figures are made, by a pass of its own: a cut depends on all users.
type targetsPlan struct {
	*churnPlan
	stage       int        // −1: all
	valued      bool       // the data have amounts
	risk, value [2]float64 // where the thirds end
	top, worth  float64    // where the highest tenths begin
	low         float64    // where the lowest tenth ends
	users       int
	expected    float64 // sum of probability × value
}

func planTargets(r *Run) (*Plan, error) {
	c, err := r.churnPlan()
	if err != nil {
		return nil, err
	}
	t := &targetsPlan{churnPlan: c, stage: -1, valued: c.set.worth >= 0}
	if s := r.Str("stage"); s != "" {
		if t.stage = slices.Index(r.Schema.Stages, s); t.stage < 0 {
			return nil, fmt.Errorf("stage=: there is no stage %q%s", s, didYouMean(s, r.Schema.Stages))
		}
		if !c.set.staged {
			c.set.staged = true
			c.set.filter = r.Machine().Widen(c.set.filter)
			if _, err := r.Staging(c.set.filter); err != nil {
				return nil, err
			}
		}
	}
	if c.model.usable() {
		if err := t.cut(r); err != nil {
			return nil, err
		}
	}
	return &Plan{
		Columns: c.set.filter.Columns, Amounts: c.set.filter.Amounts,
		Slots: targetSlots,
		Kernel: func() Kernel {
			k := c.set.scorer()
			return Visit(func(p *Person, h *Hits) { t.visit(k, p, h) })
		},
		Layout:  t.layout,
		Explain: t.explain,
	}, nil
}

// score is a person's probability and value; ok is false for who is not scored.
func (t *targetsPlan) score(k *scorer, p *Person) (prob, value float64, ok bool) {
	if !t.model.usable() {
		return 0, 0, false
	}
	k.take(p)
	cut := t.set.cuts.Score
	if st, _ := k.label(cut); st != churn.AtStake {
		return 0, 0, false
	}
	if t.stage >= 0 && (k.hist == nil || k.hist.On(cut) == stage.NoStage || k.hist.On(cut) != t.stage) {
		return 0, 0, false
	}
	k.features(cut)
	return k.predict(&t.model.Fitted), k.worth(), true
}

// cut finds the thirds and tenths.
func (t *targetsPlan) cut(r *Run) error {
	type acc struct {
		k    *scorer
		p, v []float64
	}
	var p, v, e []float64
	err := Scan(r, t.set.needs(),
		func() *acc { return &acc{k: t.set.scorer()} },
		func(a *acc, who *Person) error {
			if prob, value, ok := t.score(a.k, who); ok {
				a.p, a.v = append(a.p, prob), append(a.v, value)
			}
			return nil
		},
		func(a *acc) error {
			p, v = append(p, a.p...), append(v, a.v...)
			return nil
		})
	if err != nil {
		return err
	}
	t.users = len(p)
	for i := range p {
		e = append(e, p[i]*v[i])
		t.expected += e[i]
	}
	for _, s := range [][]float64{p, v, e} {
		slices.Sort(s)
	}
	at := func(s []float64, share float64) float64 {
		q, _ := stat.Quantile(s, share)
		return q
	}
	t.risk, t.value = [2]float64{at(p, 1./3), at(p, 2./3)}, [2]float64{at(v, 1./3), at(v, 2./3)}
	t.top, t.low, t.worth = at(p, 0.9), at(p, 0.1), at(e, 0.9)
	return nil
}

// third is 0, 1 or 2: values equal to an edge stand below it.
func third(x float64, edges [2]float64) int {
	switch {
	case x <= edges[0]:
		return 0
	case x <= edges[1]:
		return 1
	}
	return 2
}

func (t *targetsPlan) visit(k *scorer, p *Person, h *Hits) {
	prob, value, ok := t.score(k, p)
	if !ok {
		return
	}
	// The list is ordered by what is at stake; without amounts, by probability.
	first, second := prob*value, prob
	if !t.valued {
		first, second = prob, value
	}
	hit := func(slot int, in bool) {
		if in {
			h.ScoreBeside(slot, first, second)
		}
	}
	hit(targetScored, true)
	hit(targetLikely, prob >= t.at)
	hit(targetTop, prob >= t.top)
	hit(targetWorth, prob*value >= t.worth && t.valued)
	hit(targetLow, prob <= t.low)
	hit(targetGrid+3*third(value, t.value)+third(prob, t.risk), t.valued)
}

func (t *targetsPlan) explain(f *Figure) []ExplainLine {
	out := []ExplainLine{{Head: "Definition", Text: t.set.q.Sentence()}}
	if f.Slot >= targetGrid {
		out = append(out, ExplainLine{Head: "Formula", Text: fmt.Sprintf("thirds of the %d scored users: value to date up to %s and %s, probability up to %s and %s; equal values stand together, so thirds may be unequal",
			t.users, showNumber("money", t.value[0]), showNumber("money", t.value[1]), churnShare(t.risk[0]), churnShare(t.risk[1]))})
	}
	return append(out, ExplainLine{Head: "Quality", Text: t.model.Quality.Verdict})
}

func (t *targetsPlan) layout(b *Builder) error {
	q := t.set.q
	goal := q.Definition == churn.ByGoal
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
	what := "expected loss"
	if goal {
		what = "expected value"
	}
	figure := func(slot int, key, label string) int {
		i := b.Count(slot, key, label)
		f := b.Fig(i)
		f.Carry, f.Beside = what, "probability"
		if !t.valued {
			f.Carry, f.Beside = "probability", ""
		}
		return i
	}
	word := t.likely()
	bl := Block{Kind: BarBlock, Name: "lists", Title: "Lists, each ordered by " + what + " = probability × value to date"}
	row := func(slot int, key, label string) {
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(figure(slot, key, label))}})
	}
	row(targetScored, "scored", "scored")
	row(targetLikely, "at-risk", word+", from "+churnPercent(t.at))
	row(targetTop, "top10", "highest probability, a tenth")
	if t.valued {
		row(targetWorth, "worth10", "highest "+what+", a tenth")
	}
	row(targetLow, "low10", "lowest probability, a tenth")
	b.Block(bl)
	if t.valued {
		t.grid(b, figure)
		b.Block(Block{Kind: TextBlock, Name: "stake", Title: "At stake", Lines: []string{fmt.Sprintf("The %s of all %d scored users adds up to %s, taking the value to date as what a user is worth.", what, t.users, showNumber("money", t.expected))}})
	} else {
		b.Warn("no-amounts", "No event has an amount in one currency, so lists are ordered by probability alone and there is no grid of value.")
	}
	t.ready(b)
	b.Warn("signals", "Signals, not causes: whom to look at, not what to do or what it would bring. That takes a test with a control group.")
	return nil
}

// grid is value × risk, each cell a list.
func (t *targetsPlan) grid(b *Builder, figure func(slot int, key, label string) int) {
	words := [3]string{"low", "middle", "high"}
	bl := Block{Kind: HeatBlock, Name: "grid", Title: "Value to date × probability, in thirds of the scored users"}
	for i, w := range words {
		edge := ""
		switch i {
		case 0:
			edge = " ≤ " + churnShare(t.risk[0])
		case 1:
			edge = " ≤ " + churnShare(t.risk[1])
		}
		bl.Heads = append(bl.Heads, Head{Label: w + edge, Right: true})
	}
	for v := 2; v >= 0; v-- {
		label := words[v] + " value"
		if v < 2 {
			label += " ≤ " + showNumber("money", t.value[v])
		}
		row := Row{Key: "grid." + words[v], Label: label}
		for p := range 3 {
			row.Cells = append(row.Cells, b.Cell(figure(targetGrid+3*v+p, "grid."+words[v]+"."+words[p], words[v]+" value, "+words[p]+" probability")))
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
	if m := r.Machine(); m != nil {
		for _, s := range r.Schema.Stages {
			if s == "churned" || s == "silence" {
				add(s, "win-back of the lost: P(return) × value", "worth10", "goal", "active", "who", "silent")
			}
		}
	}
	if len(bl.Rows) > 0 {
		b.Block(bl)
	}
}
