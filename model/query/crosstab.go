package query

import (
	"fmt"

	"dwell/model/measure"
)

// crosstabAnalysis is the table of stages by segments: of any property or
// measure, of saved segments, or of marks.
func crosstabAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "crosstab", Title: "Stages by segment", Help: "stage × segment: users of each stage by a property or measure, by saved segments, value tiers or marks", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "by", Type: Text, Default: "segments", Help: "segments (the saved ones), marks, tiers (by value), or one property or measure"},
				{Name: "share", Type: Word, Values: []string{"stage", "segment"}, Default: "stage", Help: "shares are of each stage's users (rows), or of each segment's (columns)"},
				{Name: "top", Type: Int, Default: "8", Min: 1, Help: "how many values are shown; the rest are counted together"},
				{Name: "value", Type: Text, Help: "with by=tiers: the measure that tiers go by; revenue, or active_days where there are no amounts, if left out"},
				{Name: "tiers", Type: Text, Default: "20,80", Help: "with by=tiers: percentiles at which they are cut"},
			}, groupKeys(), zoneKeys())},
		check: func(q Query) error {
			if _, err := tierCuts(q.Value("tiers")); err != nil {
				return err
			}
			if by := q.Value("by"); by != "tiers" && (q.Get("tiers") != "" || q.Get("value") != "") {
				return fmt.Errorf("tiers= and value= go with by=tiers, not with by=%s", by)
			} else if (by == "segments" || by == "marks" || by == "tiers") && q.Get("top") != "" {
				return fmt.Errorf("top= goes with the values of a property or measure: by=%s shows all", by)
			}
			return nil
		},
		plan: planCrosstab,
	}
}

// Slots of crosstab: everybody, each stage, each segment, then for each stage and
// segment the cell as a rate of the stage's users, then as one of the segment's.
func planCrosstab(r *Run) (*Plan, error) {
	pop, err := r.Population()
	if err != nil {
		return nil, err
	}
	var d *division
	switch by := r.Str("by"); by {
	case "segments":
		d, err = r.bySaved(pop)
	case "marks":
		d, err = r.byMark(pop)
	case "tiers":
		d, err = r.byTier(pop)
	default:
		d, err = r.byColumn(pop, by)
	}
	if err != nil {
		return nil, err
	}
	x := &crosstab{r: r, d: d, stages: len(r.machine.Model().Stages), parts: len(d.parts)}
	in := measure.NewBits(max(1, x.parts)) // of the row being visited
	return &Plan{
		RowSlots: x.cell(x.stages, 0, false),
		Rows: func(pop *Population, row int, h *Hits) {
			s := int(pop.states[row].stage)
			h.Hit(0, Self)
			h.Hit(x.stage(s), Self)
			clear(in)
			d.of(row, func(part int) {
				if in.Get(part) {
					return
				}
				in.Set(part)
				h.Hit(x.segment(part), Self)
				for i := range x.stages {
					h.Rate(x.cell(i, part, true), i == s)
				}
			})
			for k := range x.parts {
				h.Rate(x.cell(s, k, false), in.Get(k))
			}
		},
		Layout: x.layout,
		Explain: func(*Figure) []ExplainLine {
			return []ExplainLine{{Head: "Formula", Text: "users of the stage and the segment, both on the as-of day ÷ users of the stage (share=stage) or of the segment (share=segment)"}}
		},
	}, nil
}

type crosstab struct {
	r             *Run
	d             *division
	stages, parts int
}

func (x *crosstab) stage(i int) int   { return 1 + i }
func (x *crosstab) segment(k int) int { return 1 + x.stages + k }
func (x *crosstab) cell(i, k int, ofSegment bool) int {
	at := 1 + x.stages + x.parts + 2*(i*x.parts+k)
	if ofSegment {
		at++
	}
	return at
}

func (x *crosstab) layout(b *Builder) error {
	r := x.r
	b.A.Title = "Stages by " + r.Str("by") + " · " + asOfNote(r)
	b.A.Definition = "Users with an event up to the day, each in one stage; a segment is judged on the same day. Cells count users; shares are of each " + r.Str("share") + "'s users, with Wilson intervals at 95 %."
	x.d.warn(b)
	if x.parts == 0 && len(x.d.unjudged) == 0 {
		b.Warn("no-segments", "No segment is saved yet: save one (segments), or ask by=PROPERTY, by=marks or by=tiers.")
	}
	for g := range b.Groups() {
		b.Group(g)
		x.group(b)
	}
	return nil
}

func (x *crosstab) group(b *Builder) {
	ofSegment := x.r.Str("share") == "segment"
	heat := Block{Kind: HeatBlock, Name: b.Key("shares"), Title: b.label("share of each " + x.r.Str("share") + "'s users"), Heads: []Head{{"users", true}}}
	table := Block{Kind: TableBlock, Name: b.Key("users"), Title: b.label("users"), Heads: []Head{{"all", true}}}
	b.Count(0, "users", "users")
	total := Row{Key: "all", Label: "all stages", Cells: []Cell{{Figure: NoFigure, Text: count(b.N(0, Self))}}}
	for k, p := range x.d.parts {
		heat.Heads = append(heat.Heads, Head{p.label, true})
		table.Heads = append(table.Heads, Head{p.label, true})
		total.Cells = append(total.Cells, b.Cell(b.Count(x.segment(k), "segment."+p.key, p.label)))
	}
	for i, s := range x.r.machine.Model().Stages {
		all := b.Count(x.stage(i), "stage."+s.Name, s.Label())
		rule := fmt.Sprintf("stage == %q", s.Name)
		shares := Row{Key: s.Name, Label: s.Label(), Rule: rule, Apart: i == x.r.machine.Lost(), Cells: []Cell{b.Cell(all)}}
		counts := Row{Key: s.Name, Label: s.Label(), Rule: rule, Apart: shares.Apart, Cells: []Cell{b.Cell(all)}}
		for k, p := range x.d.parts {
			name, label := s.Name+"."+p.key, s.Label()+", "+p.label
			shares.Cells = append(shares.Cells, b.Cell(b.Rate(x.cell(i, k, ofSegment), "share."+name, label+", share")))
			counts.Cells = append(counts.Cells, b.Cell(b.Count(x.cell(i, k, false), "cell."+name, label)))
		}
		heat.Rows = append(heat.Rows, shares)
		table.Rows = append(table.Rows, counts)
	}
	table.Rows = append(table.Rows, total)
	b.Block(heat)
	b.Block(table)
}
