package query

import (
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/measure"
)

func (u *userLife) layout(b *Builder) error {
	r := u.r
	b.A.Title = "User " + u.id + " · " + asOfNote(r)
	b.A.volatile = true // the risk comes and goes with the trained model
	b.A.Definition = "Everything here is made from this user's own events up to the as-of day, and from nothing later."
	if u.tl.Len() == 0 {
		b.Block(Block{Kind: TextBlock, Name: "now", Title: "now", Lines: []string{fmt.Sprintf("%s has no event up to %s.", u.id, r.AsOf)}})
		return nil
	}
	if n := r.Int("proof"); n > 0 {
		u.proof(b, n-1)
		return nil
	}
	b.Block(Block{Kind: TextBlock, Name: "now", Title: "now", Lines: u.now()})
	u.trouble(b)
	u.history(b)
	if err := u.signalBlock(b); err != nil {
		return err
	}
	u.riskBlock(b)
	if err := u.expectedBlock(b); err != nil {
		return err
	}
	if err := u.axesBlock(b); err != nil {
		return err
	}
	u.measures(b)
	u.activity(b)
	u.jumps(b)
	u.names(b)
	u.properties(b)
	b.Block(Block{Kind: TextBlock, Name: "summary", Title: "summary, to copy", Lines: u.summary()})
	return nil
}

// label is a stage's name for people.
func (u *userLife) label(i int) string {
	if i < 0 {
		return "no stage"
	}
	return u.r.machine.Model().Stages[i].Label()
}

// measures are the page's numbers, each with its definition.
func (u *userLife) measures(b *Builder) {
	bl := Block{Kind: TableBlock, Name: "measures", Title: "measures as of " + u.r.AsOf.String(), Heads: []Head{{"value", true}, {"definition", false}}}
	for i := range u.set.Len() {
		ref, fam := u.set.Ref(i), u.set.Family(i)
		v, known := u.cur.Value(i)
		row := Row{Key: ref.String(), Label: u.r.columnLabel(ref)}
		unit := fam.Unit
		if unit == "money" {
			unit, _ = u.r.currency()
			if cur := u.r.onlyCurrency(ref); cur != "" {
				unit = cur
			}
		}
		switch {
		case fam.Type == measure.Number:
			f := b.Own(Figure{Key: "measure." + ref.String(), Label: row.Label, Kind: Stat, Value: v, None: !known, Unit: unit, N: 1})
			row.Cells = []Cell{b.Cell(f)}
		case !known:
			row.Cells = []Cell{TextCell("—")}
		case fam.Type == measure.Text:
			row.Cells = []Cell{TextCell(u.cur.Text(i))}
		case fam.Type == measure.Day:
			row.Cells = []Cell{TextCell(model.Day(v).String())}
		default:
			row.Cells = []Cell{TextCell(map[bool]string{true: "yes", false: "no"}[v != 0])}
		}
		row.Cells = append(row.Cells, TextCell(u.r.Schema.Define(fam)))
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// activity charts the user's events, with the stage changes marked.
func (u *userLife) activity(b *Builder) {
	r := u.r
	unit := chartUnit(int(r.AsOf-u.days[0]) + 1)
	first := r.Cal.Period(unit, u.days[0])
	n := int(r.Cal.Period(unit, r.AsOf)-first) + 1
	c := &Chart{XLabel: unit.String(), YLabel: "events", Unit: "events", Dates: true, Zero: true}
	events, active := Series{Name: "events", Y: make([]float64, n), Open: make([]bool, n)}, Series{Name: "active days", Y: make([]float64, n), Open: make([]bool, n)}
	for i := range n {
		from, to := r.Cal.Bounds(unit, first+model.Period(i))
		c.X, c.Labels = append(c.X, float64(from)), append(c.Labels, r.Cal.PeriodLabel(unit, first+model.Period(i)))
		events.Open[i], active.Open[i] = to-1 > r.AsOf, to-1 > r.AsOf
	}
	for _, d := range u.days {
		events.Y[r.Cal.Period(unit, d)-first]++
	}
	for _, d := range u.active {
		active.Y[r.Cal.Period(unit, d)-first]++
	}
	c.Series = []Series{events}
	if unit != model.Daily {
		c.Series = append(c.Series, active)
	}
	for _, p := range u.proofs {
		from, _ := r.Cal.Bounds(unit, r.Cal.Period(unit, p.Day))
		c.Marks = append(c.Marks, Mark{X: float64(from), Text: u.label(int(p.To))})
	}
	b.Block(Block{Kind: ChartBlock, Name: "activity", Title: "events per " + unit.String(), Chart: c})
}

// jumps are the places of the time line that one wants to go to.
func (u *userLife) jumps(b *Builder) {
	type jump struct {
		day   model.Day
		text  string
		proof string
	}
	last := len(u.days) - 1
	js := []jump{{u.days[0], "first event: " + u.r.Info.Names[u.tl.Name[0]].Name, ""}, {u.days[last], "last event: " + u.r.Info.Names[u.tl.Name[last]].Name, ""}}
	for i, p := range u.proofs {
		js = append(js, jump{p.Day, "becomes " + u.label(int(p.To)), u.proofAt(i)})
	}
	for _, g := range u.gaps(5) {
		js = append(js, jump{g.to, fmt.Sprintf("first activity after %d days of silence (since %s)", g.days(), g.from), ""})
	}
	slices.SortStableFunc(js, func(a, b jump) int { return int(a.day - b.day) })
	bl := Block{Kind: TableBlock, Name: "jumps", Title: "time line: " + plural(u.tl.Len(), "event"), Heads: []Head{{"what", false}, {"proof", false}}}
	for i, j := range js {
		proof := TextCell("")
		if j.proof != "" {
			proof = Cell{Figure: NoFigure, Text: "why", Go: j.proof}
		}
		bl.Rows = append(bl.Rows, Row{Key: fmt.Sprint(i + 1), Label: j.day.String(), Open: u.rowsAt(j.day), Cells: []Cell{TextCell(j.text), proof}})
	}
	b.Block(bl)
}

// names counts the user's events by name.
func (u *userLife) names(b *Builder) {
	counts := map[model.NameID]int64{}
	firsts, lasts := map[model.NameID]model.Day{}, map[model.NameID]model.Day{}
	for i, n := range u.tl.Name {
		if counts[n] == 0 {
			firsts[n] = u.days[i]
		}
		counts[n]++
		lasts[n] = u.days[i]
	}
	var order []model.NameID
	for n := range counts {
		order = append(order, n)
	}
	sortBy(order, func(n model.NameID) (int64, string) { return -counts[n], u.r.Info.Names[n].Name })
	b.Own(Figure{Key: "events", Label: "events", Kind: Rows, Value: float64(u.tl.Len()), Unit: "events", N: 1})
	bl := Block{Kind: TableBlock, Name: "events", Title: "events by name", Heads: []Head{{"events", true}, {"first", false}, {"last", false}, {"meaning", false}}}
	for _, n := range order {
		name := u.r.Info.Names[n].Name
		f := b.Own(Figure{Key: "event." + name, Label: name, Kind: Rows, Value: float64(counts[n]), Unit: "events", N: 1})
		bl.Rows = append(bl.Rows, Row{Key: name, Label: name, Open: u.r.link(question("rows", "user", u.id, "event", name)),
			Cells: []Cell{b.Cell(f), TextCell(firsts[n].String()), TextCell(lasts[n].String()), TextCell(u.r.Roles.Name(n).String())}})
	}
	b.Block(bl)
}

// properties are the user's last values: what is known of them now.
func (u *userLife) properties(b *Builder) {
	bl := Block{Kind: TableBlock, Name: "properties", Title: "last values of the properties", Heads: []Head{{"value", false}, {"since", false}, {"different values so far", true}}}
	for k := range u.r.Info.Keys {
		info := &u.r.Info.Keys[k]
		value, since := "", model.NoDay
		seen := map[string]bool{}
		for i := range u.days {
			v := u.tl.Props[k].At(info, i)
			if v == "" {
				continue
			}
			seen[v] = true
			if v != value {
				value, since = v, u.days[i]
			}
		}
		if value == "" {
			continue
		}
		bl.Rows = append(bl.Rows, Row{Key: info.Name, Label: info.Name, Open: u.r.link(question("rows", "user", u.id, "property", info.Name)),
			Cells: []Cell{TextCell(shorten(value, 60)), TextCell(since.String()), TextCell(fmt.Sprint(len(seen)))}})
	}
	if len(bl.Rows) > 0 {
		b.Block(bl)
	}
}
