package query

import (
	"fmt"

	"dwell/model"
)

// populationsAnalysis shows how many users stood in each stage over time.
func populationsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "populations", Title: "Stage populations", Help: "how many users stood in each stage at the end of each day, week or month", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "unit", Type: Word, Values: append([]string{"auto"}, units()...), Default: "auto", Help: "how far the points lie apart; auto: what fits on a screen"},
			}, spanKeys(""), groupKeys(), zoneKeys())},
		check: checkSpan,
		plan:  planPopulations,
	}
}

// maxPopulationCells bounds the figures of one answer.
const maxPopulationCells = 200_000

// Slots of populations: at each point everybody, then each stage.
func planPopulations(r *Run) (*Plan, error) {
	s, err := r.span(0)
	if err != nil {
		return nil, err
	}
	s.from = max(s.from, r.FirstDay)
	if s.from > s.to {
		return nil, fmt.Errorf("the period ends on %s, before the data begin on %s", s.to, r.FirstDay)
	}
	unit := chartUnit(int(s.to-s.from) + 1)
	if u := r.Str("unit"); u != "auto" {
		if unit, err = model.ParseUnit(u); err != nil {
			return nil, err
		}
	}
	m := r.machine.Model()
	first := r.Cal.Period(unit, s.from)
	n := int(r.Cal.Period(unit, s.to)-first) + 1
	width := len(m.Stages) + 1
	if n*width > maxPopulationCells {
		return nil, fmt.Errorf("%d points of %d stages are too many: choose a longer unit= or a shorter period", n, width-1)
	}
	at := make([]model.Day, n) // the last day of each point
	for i := range at {
		_, to := r.Cal.Bounds(unit, first+model.Period(i))
		at[i] = min(to-1, s.to)
	}
	his, err := r.historian()
	if err != nil {
		return nil, err
	}
	return his.on(&Plan{
		Slots:    n * width,
		JudgeAtT: true,
		Kernel: func() Kernel {
			st := his.staging()
			return Visit(func(p *Person, h *Hits) {
				hist := st.To(p.TL, s.to)
				k := 0 // the next transition
				now := -1
				for i, d := range at {
					for ; k < len(hist.Transitions) && hist.Transitions[k].Day <= d; k++ {
						now = int(hist.Transitions[k].To)
					}
					if now >= 0 {
						h.Hit(i*width, Self)
						h.Hit(i*width+1+now, Self)
					}
				}
			})
		},
		Layout: func(b *Builder) error {
			b.A.Title = fmt.Sprintf("Stage populations · by %s · %s · %s", unit, s, r.Cal.Zone)
			b.A.Definition = fmt.Sprintf("At the end of the last day of each %s, every user with an event by then stands in exactly one stage; later events change nothing before them.", unit)
			c := &Chart{XLabel: unit.String(), YLabel: "users", Unit: "users", Dates: true, Zero: true}
			for i, d := range at {
				c.X, c.Labels = append(c.X, float64(d)), append(c.Labels, r.Cal.PeriodLabel(unit, first+model.Period(i)))
			}
			// The lost only become more and would press the living flat: they have a
			// chart of their own, beside everybody.
			title, whole := "users in each stage", &Chart{XLabel: c.XLabel, YLabel: c.YLabel, Unit: c.Unit, Dates: true, Zero: true, X: c.X, Labels: c.Labels}
			lost := r.machine.Lost()
			if lost >= 0 {
				title = "users in each living stage"
			}
			b.Block(Block{Kind: ChartBlock, Name: "populations", Title: title, Chart: c})
			if lost >= 0 {
				b.Block(Block{Kind: ChartBlock, Name: "lost", Title: "all users, and those " + r.machine.Model().Stages[lost].Label(), Chart: whole})
			}
			for g := range b.Groups() {
				b.Group(g)
				if err := layoutPopulations(b, c, whole, at, width, unit); err != nil {
					return err
				}
			}
			return nil
		},
		Explain: func(*Figure) []ExplainLine {
			return []ExplainLine{{Head: "Formula", Text: "users whose replayed history stands in the stage at the end of that day; over all stages they add to the users known by then"}}
		},
	}), nil
}

// layoutPopulations lays one group out: its lines into the chart of the stages, or
// of all users and the lost, its numbers into a table.
func layoutPopulations(b *Builder, c, whole *Chart, at []model.Day, width int, unit model.PeriodUnit) error {
	m := b.Run.machine.Model()
	bl := Block{Kind: TableBlock, Name: b.Key("table"), Title: b.label("in numbers, at the end of each " + unit.String()), Heads: []Head{{"day", false}, {"users", true}}}
	series, everybody := make([]Series, width-1), Series{Name: b.label("all users")}
	for i, s := range m.Stages {
		series[i].Name = b.label(s.Label())
		bl.Heads = append(bl.Heads, Head{s.Label(), true})
	}
	last := len(at) - 1
	_, to := b.Run.Cal.Bounds(unit, b.Run.Cal.Period(unit, at[last]))
	for k, d := range at {
		label := c.Labels[k]
		open := k == last && d < to-1
		row := Row{Key: label, Label: label, Cells: []Cell{TextCell(d.String())}}
		all := b.Count(k*width, "at."+label+".users", "users, "+d.String())
		row.Cells = append(row.Cells, b.Cell(all))
		everybody.Y, everybody.Figures, everybody.Open = append(everybody.Y, b.Fig(all).Value), append(everybody.Figures, all), append(everybody.Open, open)
		sum := int64(0)
		for i, s := range m.Stages {
			f := b.Count(k*width+1+i, "at."+label+"."+s.Name, s.Label()+", "+d.String())
			sum += b.Fig(f).N
			series[i].Y, series[i].Figures, series[i].Open = append(series[i].Y, b.Fig(f).Value), append(series[i].Figures, f), append(series[i].Open, open)
			row.Cells = append(row.Cells, b.Cell(f))
		}
		if sum != b.Fig(all).N {
			return fmt.Errorf("on %s the stages hold %d users and the data %d: the histories have a gap", d, sum, b.Fig(all).N)
		}
		bl.Rows = append(bl.Rows, row)
	}
	lost := b.Run.machine.Lost()
	for i := range series {
		if i != lost {
			c.Series = append(c.Series, series[i])
		}
	}
	if lost >= 0 {
		whole.Series = append(whole.Series, everybody, series[lost])
	}
	b.Block(bl)
	return nil
}
