package query

import (
	"fmt"

	"dwell/model"
	"dwell/model/measure"
)

// axes are the three scores of SPEC R2.10 with the numbers behind them.
var axes = [...]struct{ key, label, score, base, none string }{
	{"behaviour", "behaviour", "behaviour_score", "active_days", "no active day counted"},
	{"value", "value", "value_score", "revenue", "no amounts in one currency"},
	{"affinity", "affinity", "affinity_score", "attitude", "no feedback, invitation, social act or complaint that the formula counts"},
}

// axesBlock shows where the user stands on the three axes among users of equal
// age. It ranks everybody: on a large data set only if the day's population is
// there already, so that one user's page never waits for all the others.
func (u *userLife) axesBlock(b *Builder) error {
	r := u.r
	title := "axis scores, 0 to 100, among users of equal age"
	if r.st.pops.find(r) == nil && r.Info.Events > trainWithin {
		b.Block(Block{Kind: TextBlock, Name: "axes", Title: title, Lines: []string{"Not ranked yet: open the list of users, which ranks everybody, and come back."}})
		return nil
	}
	pop, err := r.Population()
	if err != nil {
		return err
	}
	row := pop.Row(u.id)
	if row < 0 {
		return nil
	}
	age := r.AsOf - u.days[0]
	from, to := measure.AgeBand(age)
	bl := Block{Kind: TableBlock, Name: "axes", Title: fmt.Sprintf("%s: first seen %d to %d days ago", title, from, to), Heads: []Head{{"score", true}, {"number behind it", true}, {"compared with", true}, {"definition", false}}}
	for _, x := range axes {
		family, _, _ := measure.Lookup(x.score)
		line := Row{Key: x.key, Label: x.label, Open: r.link(Query{Analysis: "measure", ID: x.base}.With("user", u.id))}
		refs := []measure.Ref{measure.Of(x.score), measure.Of(x.base), measure.Of("tenure_days")}
		if why := r.Schema.Unavailable(family); why != "" {
			line.Open = ""
			line.Cells = []Cell{TextCell("—"), TextCell(""), TextCell(""), TextCell(capital(why) + ".")}
			bl.Rows = append(bl.Rows, line)
			continue
		}
		cols, err := pop.Columns(r, refs)
		if err != nil {
			return err
		}
		score, known := cols[0].At(row)
		base, _ := cols[1].At(row)
		if !known {
			line.Cells = []Cell{TextCell("—"), TextCell(""), TextCell(""), TextCell("Nothing to go by: " + x.none + ".")}
			bl.Rows = append(bl.Rows, line)
			continue
		}
		n := 0
		for i := range pop.Len() {
			_, ok := cols[1].At(i)
			if t, _ := cols[2].At(i); ok && model.Day(t) >= from && model.Day(t) <= to {
				n++
			}
		}
		f := b.Own(Figure{Key: "axis." + x.key, Label: x.label + " score", Kind: Stat, Value: score, Unit: "of 100", N: 1})
		line.Cells = []Cell{b.Cell(f), TextCell(fmt.Sprintf("%s %.6g", columnLabel(measure.Of(x.base)), base)), TextCell(plural(n, "user")), TextCell(r.Schema.Define(family))}
		bl.Rows = append(bl.Rows, line)
	}
	b.Block(bl)
	return nil
}
