package query

import (
	"fmt"
	"strings"

	"dwell/model/measure"
)

// modelAnalysis shows the stage model that is in force.
func modelAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "model", Title: "Stage model", Help: "the stages, their rules and the numbers in them", ID: NoID},
		plan: func(r *Run) (*Plan, error) {
			return &Plan{
				Layout: func(b *Builder) error { return r.layoutModel(b) },
				List:   func(*Figure, Part) ([]User, error) { return nil, nil },
			}, nil
		},
	}
}

func (r *Run) layoutModel(b *Builder) error {
	m := r.machine.Model()
	b.A.Title = "Stage model " + m.Name + " · " + confirmedWord(r.st.data.Confirmed)
	b.A.Definition = "Stages are replayed from each user's own events by these rules; the hash " + r.machine.Hash() + " names everything they depend on."
	if err := r.modelNotes(b); err != nil {
		return err
	}
	for i := range m.Params {
		p := &m.Params[i]
		b.Own(Figure{Key: "param." + p.Name, Label: "the model's number " + p.Name, Kind: Stat, Value: p.Value, Unit: "number"})
	}
	stages := Block{Kind: TableBlock, Name: "stages", Title: "Stages and how they are entered", Heads: []Head{{Label: "days in it"}, {Label: "by"}, {Label: "from"}, {Label: "when"}}}
	for i, s := range m.Stages {
		for n, e := range s.Enter {
			row := Row{Key: fmt.Sprintf("%s.%d", s.Name, n), Cells: []Cell{TextCell(""), TextCell(string(e.Kind)), TextCell(strings.Join(e.From, ", ")), TextCell(e.When)}}
			if n == 0 {
				row.Label, row.Cells[0] = s.Label(), TextCell(dwellRange(r.machine, i))
			}
			if e.When == "" {
				row.Cells[3] = TextCell("the first event")
			}
			stages.Rows = append(stages.Rows, row)
		}
	}
	b.Block(stages)
	if err := r.variantBlock(b, func(int) Cell { return TextCell("") }); err != nil {
		return err
	}
	marks := Block{Kind: TableBlock, Name: "marks", Title: "Marks", Heads: []Head{{Label: "when"}}}
	for _, k := range m.Marks {
		marks.Rows = append(marks.Rows, Row{Key: k.Name, Label: strings.ReplaceAll(k.Name, "_", " "), Cells: []Cell{TextCell(k.When)}})
	}
	b.Block(marks)
	b.Block(Block{Kind: TextBlock, Name: "file", Title: "As a file", Lines: strings.Split(strings.TrimRight(string(m.Format()), "\n"), "\n")})
	return nil
}

// measuresAnalysis lists the registry of measures, and how many users have a
// value of those that every population holds.
func measuresAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "measures", Title: "Measures", Help: "every measure: name, unit, definition and source, and how many users have a value", ID: NoID, Keys: keys(groupKeys(), zoneKeys())},
		plan: planMeasures,
	}
}

func planMeasures(r *Run) (*Plan, error) {
	pop, err := r.Population()
	if err != nil {
		return nil, err
	}
	var cols []*measure.Column
	for _, ref := range baseMeasures() {
		if c := pop.col(ref); c != nil {
			cols = append(cols, c)
		}
	}
	return &Plan{
		RowSlots: len(cols),
		Rows: func(_ *Population, row int, h *Hits) {
			for i, c := range cols {
				if _, known := c.At(row); known {
					h.Hit(i, Self)
				}
			}
		},
		Layout: func(b *Builder) error {
			b.A.Title = "Measures · " + asOfNote(r)
			b.A.Definition = "A user measure is made from one user's events up to the day; a population measure ranks all users of the day. The names are those of rules, columns and stage models."
			for g := range b.Groups() {
				b.Group(g)
				bl := Block{Kind: TableBlock, Name: b.Key("known"), Title: b.label("Measures held for every user"), Heads: []Head{{Label: "users with a value", Right: true}, {Label: "unit"}}}
				for i, c := range cols {
					f, _, _ := measure.Lookup(c.Ref.Name) // the column was compiled from it
					n := b.Count(i, "known."+c.Ref.String(), "users with "+columnLabel(c.Ref))
					bl.Rows = append(bl.Rows, Row{Key: c.Ref.String(), Label: c.Ref.String(), Open: r.link(question("segments", "by", c.Ref.String())), Cells: []Cell{b.Cell(n), TextCell(f.Unit)}})
				}
				b.Block(bl)
			}
			bl := Block{Kind: TableBlock, Name: "registry", Title: "All measures", Heads: []Head{{Label: "arguments"}, {Label: "unit"}, {Label: "type"}, {Label: "of"}, {Label: "definition"}, {Label: "source"}, {Label: "here"}}}
			for _, f := range measure.Families() {
				here := r.Schema.Unavailable(f)
				if here == "" {
					here = "yes"
				}
				bl.Rows = append(bl.Rows, Row{Key: f.Name, Label: f.Name, Cells: []Cell{TextCell(f.Args), TextCell(f.Unit), TextCell(f.Type.String()), TextCell(f.Kind.String()), TextCell(r.Schema.Define(f)), TextCell(f.Source), TextCell(here)}})
			}
			b.Block(bl)
			return nil
		},
	}, nil
}
