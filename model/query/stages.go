package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dwell/model/stage"
)

// stagesAnalysis counts the users of each stage on the as-of day, and shows the
// model's numbers with what speaks for them.
func stagesAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "stages", Title: "Stages", Help: "how many users stand in each stage, for how long, with which marks, and the numbers behind the model", ID: NoID,
			Keys: keys(groupKeys(), zoneKeys())},
		plan: planStages,
	}
}

// Slots of stages: everybody, the living, then for each stage its users (as a
// share of all, and of the living), then marks.
func planStages(r *Run) (*Plan, error) {
	m := r.machine.Model()
	n, marks := len(m.Stages), r.machine.Marks()
	lost := r.machine.Lost()
	const all, living = 0, 1
	users, share := 2, 2+n
	mark := 2 + 2*n
	under := mark + len(marks)
	return &Plan{
		RowSlots: under + len(m.Variants),
		Values:   true,
		Rows: func(pop *Population, row int, h *Hits) {
			s := pop.states[row]
			h.Hit(all, Self)
			if int(s.stage) != lost {
				h.Hit(living, Self)
			}
			h.Value(users+int(s.stage), float64(int32(pop.Day)-s.since))
			for i := range n {
				h.Rate(share+i, int(s.stage) == i)
			}
			if v := s.variant(); v > 0 {
				h.Hit(under+v-1, Self)
			}
			for i := range marks {
				if pop.marks[row]>>i&1 != 0 {
					h.Hit(mark+i, Self)
				}
			}
		},
		Layout: func(b *Builder) error {
			b.A.Title = "Stages · " + m.Name + " · " + asOfNote(r)
			b.A.Definition = "The stage each user is in at the end of the day, from the user's own events up to it; of " + strconv.Itoa(n) + " stages every user with an event is in exactly one."
			for g := range b.Groups() {
				b.Group(g)
				layoutStages(b, stageSlots{all, living, users, share, mark})
				if err := r.variantBlock(b, func(i int) Cell {
					v := m.Variants[i]
					return b.Cell(b.Count(under+i, "variant."+v.Name, "users under the variant "+v.Name))
				}); err != nil {
					return err
				}
			}
			return r.modelNotes(b)
		},
	}, nil
}

type stageSlots struct{ all, living, users, share, mark int }

func layoutStages(b *Builder, at stageSlots) {
	r := b.Run
	m := r.machine.Model()
	b.Count(at.all, "users", "users")
	b.Count(at.living, "living", "users in a living stage")
	bars := Block{Kind: BarBlock, Name: b.Key("stages"), Title: b.label("Users by stage"), Heads: []Head{{Label: "users", Right: true}}}
	table := Block{Kind: TableBlock, Name: b.Key("dwell"), Title: b.label("How long they have been there"), Heads: []Head{{Label: "users", Right: true}, {Label: "share of all", Right: true}, {Label: "median days in it", Right: true}, {Label: "model's range", Right: true}}}
	for i, s := range m.Stages {
		rule := "stage == " + strconv.Quote(s.Name)
		count := b.Count(at.users+i, "stage."+s.Name, s.Label())
		share := b.Rate(at.share+i, "share."+s.Name, s.Label()+", share of all users")
		days := b.Values(at.users + i)
		slices.Sort(days)
		mid := 0.0
		if len(days) > 0 {
			mid = (days[(len(days)-1)/2] + days[len(days)/2]) / 2
		}
		dwell := b.Stat(at.users+i, "dwell."+s.Name, s.Label()+", median days since they entered it", mid, len(days) == 0, "days")
		apart := i == r.machine.Lost()
		bars.Rows = append(bars.Rows, Row{Key: s.Name, Label: s.Label(), Rule: rule, Apart: apart, Colour: s.Colour, Cells: []Cell{b.Cell(count)}})
		table.Rows = append(table.Rows, Row{Key: s.Name, Label: s.Label(), Rule: rule, Apart: apart, Cells: []Cell{b.Cell(count), b.Cell(share), b.Cell(dwell), TextCell(dwellRange(r.machine, i))}})
	}
	b.Block(bars)
	b.Block(table)
	marks := Block{Kind: TableBlock, Name: b.Key("marks"), Title: b.label("Marks (a user may have several)"), Heads: []Head{{Label: "users", Right: true}, {Label: "when"}}}
	for i, name := range r.machine.Marks() {
		when := "came back from " + lostName(r.machine)
		row := Row{Key: name, Label: strings.ReplaceAll(name, "_", " ")}
		if i < len(m.Marks) {
			when, row.Rule = m.Marks[i].When, m.Marks[i].When
		}
		row.Cells = []Cell{b.Cell(b.Count(at.mark+i, "mark."+name, "mark "+row.Label)), TextCell(when)}
		marks.Rows = append(marks.Rows, row)
	}
	b.Block(marks)
}

func lostName(m *stage.Machine) string {
	if l := m.Lost(); l >= 0 {
		return m.Model().Stages[l].Label()
	}
	return "nowhere: the model has no lost stage"
}

// dwellRange writes the model's least and most dwell of a stage: "7–112".
func dwellRange(m *stage.Machine, i int) string {
	lo, hi := m.Dwell(i)
	switch {
	case lo == 0 && hi == 0:
		return "any"
	case hi == 0:
		return fmt.Sprintf("from %d", lo)
	}
	return fmt.Sprintf("%d–%d", lo, hi)
}

// modelNotes adds the model's numbers with their evidence, and says whether a
// person has confirmed them.
func (r *Run) modelNotes(b *Builder) error {
	ps, err := r.st.params(r.Ctx, r.eng, r.progress)
	if err != nil {
		return err
	}
	bl := Block{Kind: TableBlock, Name: "params", Title: "The model's numbers: " + confirmedWord(r.st.data.Confirmed), Heads: []Head{{Label: "in force", Right: true}, {Label: "suggested", Right: true}, {Label: "evidence"}}}
	for _, p := range ps {
		suggested := "—"
		if p.HasSuggestion {
			suggested = Number(p.Suggested)
		}
		bl.Rows = append(bl.Rows, Row{Key: p.Name, Label: p.Name, Cells: []Cell{TextCell(Number(p.Value)), TextCell(suggested), TextCell(p.Evidence)}})
	}
	b.Block(bl)
	if !r.st.data.Confirmed {
		b.Warn("model-suggested", "The stage model's numbers are suggested from the data and not confirmed: look at them, then confirm or change them. Until then a later load may move them, and users with them.")
	}
	return nil
}

func confirmedWord(yes bool) string {
	if yes {
		return "confirmed"
	}
	return "suggested, not confirmed"
}
