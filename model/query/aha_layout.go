package query

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/stat"
)

// An ahaFinding is a behaviour with what it has to do with the outcome.
type ahaFinding struct {
	ahaRow
	four stat.Fourfold
	phi  float64
	p, q float64
}

// findings are the tested behaviours with their statistics, best first.
func (p *ahaPlan) findings(b *Builder) []ahaFinding {
	var out []ahaFinding
	var ps []float64
	all, back := b.N(ahaBase, Of), b.N(ahaBase, Self)
	for _, row := range p.tested(b) {
		both := b.N(p.did(row.name, row.c), Self)
		f := ahaFinding{ahaRow: row, four: stat.Fourfold{Both: both, Did: row.did - both, Result: back - both, None: all - row.did - (back - both)}}
		f.phi, _ = f.four.Phi() // 0 where it does not vary
		f.p = f.four.P()
		out, ps = append(out, f), append(ps, f.p)
	}
	for i, q := range stat.BenjaminiHochberg(ps) {
		out[i].q = q
	}
	by := func(f *ahaFinding) float64 {
		var x float64
		var ok bool
		switch p.r.Str("sort") {
		case "lift":
			x, ok = f.four.Lift()
		case "precision":
			x, ok = f.four.Above()
		case "recall":
			x, ok = f.four.Recall()
		case "users":
			x, ok = float64(f.did), true
		case "needed":
			x, ok = f.four.Needed()
			x = -x
		default:
			x, ok = f.phi, true
		}
		if !ok {
			return math.Inf(-1)
		}
		return x
	}
	slices.SortStableFunc(out, func(a, b ahaFinding) int {
		x, y := by(&a), by(&b)
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return out
}

func (p *ahaPlan) layout(b *Builder) error {
	r := p.r
	b.A.Title = fmt.Sprintf("Aha search · first %d d, then %s within %d d · correlation, not cause · %s", p.first, p.outcome.label, p.within, r.Cal.Zone)
	b.A.Definition = fmt.Sprintf("A user starts with the first ever %s. Behaviour is what they did on day offsets 0 to %d; the outcome is %s on day offsets %d to %d, strictly after. "+
		"Users count once all these days have passed. Above and below are the outcome's shares of those who did it so often and of those who did not; lift is above over the share of all, phi the correlation, recall the share of those with the outcome who did it, users needed 1 ÷ (above − below).",
		strings.TrimPrefix(p.start.label, "any "), p.first-1, p.outcome.label, p.first+1, p.first+p.within)
	b.Warn("not-cause", "Correlation, not cause: who is going to stay also does more at first. Making others do it need not make them stay; only an experiment can tell.")
	for g := range b.Groups() {
		b.Group(g)
		p.group(b)
	}
	return nil
}

func (p *ahaPlan) group(b *Builder) {
	base := b.Rate(ahaBase, "base", p.outcome.label+" after, of all users who are due")
	sums := Block{Kind: TableBlock, Name: b.Key("base"), Title: b.label("all users who started"), Heads: []Head{{"", true}, {"95 %", true}, {"of", true}}}
	sums.Rows = append(sums.Rows, Row{Key: "base", Label: "with the outcome", Cells: []Cell{b.Cell(base), TextCell(intervalText(b.Fig(base))), TextCell(count(b.Fig(base).N))}})
	open := b.Count(ahaOpen, "open", fmt.Sprintf("not due: fewer than %d days since the start", p.first+p.within))
	sums.Rows = append(sums.Rows, Row{Key: "open", Label: "not yet due", Cells: []Cell{b.Cell(open), TextCell(""), TextCell("")}})
	if n := b.N(ahaTruncated, Self); n > 0 {
		i := b.Count(ahaTruncated, "truncated", "first seen too early to know their start")
		sums.Rows = append(sums.Rows, Row{Key: "truncated", Label: "perhaps here before the data", Cells: []Cell{b.Cell(i), TextCell(""), TextCell("")}})
		b.Warn("truncated", "%s first seen before %s may have started before the data do and are left out (truncated=keep takes them in).", countOf(n, "user"), p.before)
	} else if p.r.truncates && p.before == model.NoDay {
		b.Warn("truncated", "Users first seen before %s may have started before the data do; as nobody who came later is due yet, they stay in.", p.r.truncatedBefore())
	} else {
		b.WarnTruncated(0)
	}
	b.Block(sums)

	found := p.findings(b)
	shown := found[:min(len(found), p.r.Int("top"))]
	t := Block{Kind: TableBlock, Name: b.Key("behaviour"), Title: b.label("behaviour in the first days, by " + p.r.Str("sort")), Heads: []Head{
		{"users", true}, {"above", true}, {"below", true}, {"lift", true}, {"phi", true}, {"recall", true}, {"needed", true}}}
	by := Block{Kind: TableBlock, Name: b.Key("intervals"), Title: b.label("the same with intervals"), Heads: []Head{
		{"above − below", true}, {"95 %", true}, {"p", true}, {"q", true}}}
	for _, f := range shown {
		p.row(b, &t, &by, f)
	}
	b.Block(t)
	b.Block(by)
	p.lint(b, found, shown)
}

// row adds a behaviour's figures to the two tables.
func (p *ahaPlan) row(b *Builder, t, by *Block, f ahaFinding) {
	what := p.behaviour(f.name, f.c)
	key := fmt.Sprintf("did.%d.%s", p.counts[f.c], p.r.Info.Names[f.name].Name)
	did, not := p.did(f.name, f.c), p.not(f.name, f.c)
	users := b.Stat(did, key+".both", what+", and the outcome", float64(f.four.Both), false, "users")
	b.Fig(users).Kind = Count
	above := b.Rate(did, key+".above", what+": with the outcome, of those who did it")
	below := b.derived(not, f.four.Result, f.four.Result+f.four.None, key+".below", what+": with the outcome, of those who did not")
	stats := func(name, label string, x float64, ok bool, unit string) int {
		return b.Stat(did, key+"."+name, what+": "+label, x, !ok, unit)
	}
	lift, ok := f.four.Lift()
	li := stats("lift", "lift", lift, ok, "times")
	ph := stats("phi", "phi, the correlation with the outcome", f.phi, true, "correlation")
	recall, ok := f.four.Recall()
	re := stats("recall", "recall, of those with the outcome who did it", recall, ok, "share")
	need, ok := f.four.Needed()
	ne := stats("needed", "users needed for one more outcome, were it the cause", need, ok, "users")
	t.Rows = append(t.Rows, Row{Key: key, Label: what, Cells: []Cell{TextCell(count(f.did)), b.Cell(above), b.Cell(below), b.Cell(li), b.Cell(ph), b.Cell(re), b.Cell(ne)}})
	diff, iv := TextCell("—"), TextCell("")
	p1, _ := f.four.Above()
	p0, ok := f.four.Below()
	if x, has := stat.Newcombe(f.four.Result, f.four.Result+f.four.None, f.four.Both, f.four.Both+f.four.Did, 0.95); has && ok {
		diff, iv = TextCell(fmt.Sprintf("%+.1f points", 100*(p1-p0))), TextCell(fmt.Sprintf("%+.1f to %+.1f", 100*x.Lo, 100*x.Hi))
	}
	by.Rows = append(by.Rows, Row{Key: key, Label: what, Cells: []Cell{diff, iv, TextCell(small(f.p)), TextCell(small(f.q))}})
}

// small writes a p or q.
func small(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

func (p *ahaPlan) lint(b *Builder, found, shown []ahaFinding) {
	if len(found) == 0 {
		b.Warn("nothing", "No behaviour is that of at least %d users and not that of at least %d others: lower least=, or choose other days.", p.r.Int("least"), p.r.Int("least"))
		return
	}
	chance := 0
	for _, f := range found {
		if f.p < 0.05 {
			chance++
		}
	}
	b.Warn("many-tests", "%d behaviours were tried: with none of them of any meaning about %s would still have p below 0.05 (here: %d). q is the share of false findings (Benjamini–Hochberg) if this row and all above it in p are called findings.",
		len(found), Number(math.Round(float64(len(found))*0.05)), chance)
	if len(shown) < len(found) {
		b.Warn("top", "The best %d of %d behaviours are shown (top= shows more).", len(shown), len(found))
	}
	r, s := p.r.Str("outcome"), p.r.Str("start")
	if r == s && r != "any" && r != "active" {
		b.Warn("same-event", "Start and outcome are the same event (%s): its counts in the first days stand in the table as well.", r)
	}
}

// explain gives the lines that are particular to the search.
func (p *ahaPlan) explain(f *Figure) []ExplainLine {
	out := []ExplainLine{{Head: "Population", Text: fmt.Sprintf("users who started at least %d days before the end, so that every day of behaviour and outcome has passed", p.first+p.within)},
		{Head: "Window", Text: fmt.Sprintf("behaviour on day offsets 0 to %d from the start, outcome on %d to %d", p.first-1, p.first+1, p.first+p.within)}}
	if p.before != model.NoDay {
		out[0].Text += "; without those first seen before " + p.before.String()
	}
	formulas := map[string]string{
		"above": "with the outcome ÷ did it so often", "below": "with the outcome ÷ did not do it so often",
		"lift": "(outcome's share of those who did it) ÷ (outcome's share of all); its list is those who did it and have the outcome",
		"phi":  "(ad − bc) ÷ √((a+b)(c+d)(a+c)(b+d)) of the fourfold table did × outcome; its list is a: did it and outcome", "recall": "did it and outcome ÷ outcome",
		"needed": "1 ÷ (above − below): how many more would have to do it for one more outcome, were it the cause, which this does not show",
	}
	if t, ok := formulas[f.Key[strings.LastIndexByte(f.Key, '.')+1:]]; ok {
		out = append(out, ExplainLine{Head: "Formula", Text: t})
	}
	return append(out, ExplainLine{Head: "Caution", Text: "Correlation, not cause."})
}

// work says in one sentence what a user did first, and what followed.
func (p *ahaPlan) work(u *Person, f *Figure, _ bool) string {
	n := make([]int32, p.names)
	e, _, ok := p.read(u, n, nil)
	if !ok {
		return ""
	}
	text := fmt.Sprintf("%s started on %s", u.TL.ID, p.r.Cal.Stamp(u.TL, e.at))
	if f.Slot >= ahaHead {
		name := (f.Slot - ahaHead) / 2 / len(p.counts)
		text += fmt.Sprintf(", with %s in the first %d days %d times", p.r.Info.Names[name].Name, p.first, n[name])
	}
	switch {
	case e.back:
		text += ", and came back with " + p.outcome.label
	case e.due:
		text += ", and did not come back with " + p.outcome.label
	default:
		text += "; the days of the outcome have not all passed"
	}
	return text + "."
}
